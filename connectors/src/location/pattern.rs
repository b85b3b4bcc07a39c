//! Patterns of paths.

use std::path::{Path, PathBuf};

use super::store::{list, walk_directories};
use crate::error::Result;

/// Alternatives that braces may expand to; more is a mistake.
const ALTERNATIVES_MAX: usize = 10_000;

/// True if a location can be a pattern.
pub fn has_wildcards(location: &str) -> bool {
    location.contains(['*', '?', '[', '{'])
}

/// The patterns that `{a,b}` stands for, nested ones included; without braces the pattern itself.
pub fn expand_braces(pattern: &str) -> Vec<String> {
    let Some((open, close)) = first_braces(pattern) else { return vec![pattern.to_owned()] };
    let (before, after) = (&pattern[..open], &pattern[close + 1..]);
    let mut expanded = Vec::new();
    for alternative in alternatives(&pattern[open + 1..close]) {
        expanded.extend(expand_braces(&format!("{before}{alternative}{after}")));
        if expanded.len() > ALTERNATIVES_MAX {
            break;
        }
    }
    expanded
}

/// Positions of the first opening brace that is closed, and of its closing one.
fn first_braces(pattern: &str) -> Option<(usize, usize)> {
    let open = pattern.find('{')?;
    let mut depth = 0;
    for (at, byte) in pattern.bytes().enumerate().skip(open) {
        match byte {
            b'{' => depth += 1,
            b'}' => {
                depth -= 1;
                if depth == 0 {
                    return Some((open, at));
                }
            }
            _ => {}
        }
    }
    None
}

/// The parts of a brace's inside between commas that are not in braces themselves.
fn alternatives(inside: &str) -> Vec<&str> {
    let mut depth = 0;
    let mut start = 0;
    let mut parts = Vec::new();
    for (at, byte) in inside.bytes().enumerate() {
        match byte {
            b'{' => depth += 1,
            b'}' => depth -= 1,
            b',' if depth == 0 => {
                parts.push(&inside[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&inside[start..]);
    parts
}

/// A pattern without braces, cut at its slashes.
pub struct Glob {
    root: PathBuf,
    segments: Vec<Segment>,
}

enum Segment {
    /// A name as it is.
    Name(String),
    /// A name with wildcards.
    Wild(glob::Pattern),
    /// Any number of directories.
    AnyDepth,
}

impl Glob {
    /// Compiles a pattern.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn new(pattern: &str) -> Result<Self, String> {
        let (root, rest) = match pattern.strip_prefix('/') {
            Some(rest) => (PathBuf::from("/"), rest),
            None => (PathBuf::new(), pattern),
        };
        let segments = rest
            .split('/')
            .filter(|segment| !segment.is_empty())
            .map(|segment| match segment {
                "**" => Ok(Segment::AnyDepth),
                name if has_wildcards(name) => glob::Pattern::new(name)
                    .map(Segment::Wild)
                    .map_err(|error| format!("not a pattern: {}", error.msg)),
                name => Ok(Segment::Name(name.to_owned())),
            })
            .collect::<Result<_, String>>()?;
        Ok(Self { root, segments })
    }

    /// The files that match.
    ///
    /// # Errors
    /// The system's refusal to list a directory.
    pub fn files(&self) -> Result<Vec<PathBuf>> {
        let mut files = Vec::new();
        descend(&self.root, &self.segments, &mut files)?;
        files.dedup();
        Ok(files)
    }
}

fn descend(directory: &Path, segments: &[Segment], files: &mut Vec<PathBuf>) -> Result<()> {
    let Some((segment, rest)) = segments.split_first() else { return Ok(()) };
    match segment {
        Segment::Name(name) => {
            let path = directory.join(name);
            if rest.is_empty() {
                if path.is_file() {
                    files.push(path);
                }
            } else if path.is_dir() {
                descend(&path, rest, files)?;
            }
        }
        Segment::Wild(pattern) => {
            let listing = list(directory)?;
            if rest.is_empty() {
                files.extend(listing.files.into_iter().filter(|path| matches(pattern, path)));
            } else {
                for path in listing.directories.iter().filter(|path| matches(pattern, path)) {
                    descend(path, rest, files)?;
                }
            }
        }
        Segment::AnyDepth => {
            let mut directories = vec![directory.to_path_buf()];
            walk_directories(directory, &mut directories)?;
            for path in &directories {
                if rest.is_empty() {
                    files.extend(list(path)?.files.into_iter().filter(|path| !is_hidden(path)));
                } else {
                    descend(path, rest, files)?;
                }
            }
        }
    }
    Ok(())
}

fn matches(pattern: &glob::Pattern, path: &Path) -> bool {
    let options = glob::MatchOptions { require_literal_leading_dot: true, ..glob::MatchOptions::new() };
    path.file_name().is_some_and(|name| pattern.matches_with(&name.to_string_lossy(), options))
}

fn is_hidden(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn braces_expand_to_all_alternatives() {
        assert_eq!(expand_braces("a{b,c}d{1,2}"), ["abd1", "abd2", "acd1", "acd2"]);
        assert_eq!(expand_braces("x{a,{b,c}}"), ["xa", "xb", "xc"]);
        assert_eq!(expand_braces("no{braces"), ["no{braces"]);
    }

    #[test]
    fn patterns_find_files_at_their_depth() {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path();
        for name in ["a/x.csv", "a/b/y.csv", "z.csv", "a/.hidden.csv", "a/x.txt"] {
            std::fs::create_dir_all(root.join(name).parent().unwrap()).unwrap();
            std::fs::write(root.join(name), "").unwrap();
        }
        let found = |pattern: &str| -> Vec<String> {
            let files = Glob::new(&format!("{}/{pattern}", root.display())).unwrap().files().unwrap();
            files.iter().map(|path| path.strip_prefix(root).unwrap().display().to_string()).collect()
        };
        assert_eq!(found("*.csv"), ["z.csv"]);
        assert_eq!(found("*/*.csv"), ["a/x.csv"]);
        assert_eq!(found("**/*.csv"), ["z.csv", "a/x.csv", "a/b/y.csv"]);
        assert_eq!(found("a/?.[ct]*"), ["a/x.csv", "a/x.txt"]);
        assert_eq!(found("a/x.csv"), ["a/x.csv"]);
    }
}
