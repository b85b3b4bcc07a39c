//! Links between pages: each leads to a file, and its fragment to an element of that file.
//!
//! Pages of the web are not asked for, so that the answer depends on the checkout alone.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Component, Path, PathBuf};

use anyhow::{Context, Result, bail};

/// What was followed.
#[derive(Debug, Default)]
pub struct Followed {
    pub pages: usize,
    pub links: usize,
    /// Page and link of each that leads nowhere.
    pub broken: Vec<String>,
}

/// A page: where its links lead, and the names of its elements.
struct Page {
    links: Vec<String>,
    names: BTreeSet<String>,
}

/// Follows the links of all pages below a directory.
pub fn follow(directory: &Path) -> Result<Followed> {
    let mut pages = BTreeMap::new();
    read_pages(directory, &mut pages)?;
    if pages.is_empty() {
        bail!("there are no pages in {}", directory.display());
    }
    let mut followed = Followed { pages: pages.len(), ..Followed::default() };
    for (path, page) in &pages {
        for link in page.links.iter().filter(|link| is_inside(link)) {
            followed.links += 1;
            if let Some(why) = broken(path, link, &pages) {
                let page = path.strip_prefix(directory).unwrap_or(path);
                followed.broken.push(format!("{}: {link}: {why}", page.display()));
            }
        }
    }
    Ok(followed)
}

fn read_pages(directory: &Path, pages: &mut BTreeMap<PathBuf, Page>) -> Result<()> {
    let entries = fs::read_dir(directory).with_context(|| format!("{} is read", directory.display()))?;
    for entry in entries {
        let path = entry?.path();
        if path.is_dir() {
            read_pages(&path, pages)?;
        } else if path.extension().is_some_and(|extension| extension == "html") {
            let text = fs::read_to_string(&path)?;
            // The page of all pages puts them into one directory, so what holds for links is seen on the pages themselves; the page for
            // what was not found has links from the root of a site.
            if !["print.html", "404.html"].iter().any(|name| path.ends_with(name)) {
                let mut links = values_of(&text, "href");
                links.extend(values_of(&text, "src"));
                let names = values_of(&text, "id").into_iter().collect();
                pages.insert(path, Page { links, names });
            }
        }
    }
    Ok(())
}

/// The values of an attribute in the tags of a page. Quotes in texts between tags do not come after a name and `=` inside a tag.
fn values_of(page: &str, attribute: &str) -> Vec<String> {
    let start = format!(" {attribute}=\"");
    let mut values = Vec::new();
    for tag in page.split('<').skip(1) {
        let tag = tag.split('>').next().unwrap_or(tag);
        for part in tag.split(&start).skip(1) {
            values.extend(part.split('"').next().map(|value| value.replace("&amp;", "&")));
        }
    }
    values
}

/// Whether a link leads to another page of the book, or within its own.
fn is_inside(link: &str) -> bool {
    !link.is_empty()
        && !["http://", "https://", "mailto:", "data:"].iter().any(|scheme| link.starts_with(scheme))
}

/// Why a link leads nowhere, if it does.
fn broken(page: &Path, link: &str, pages: &BTreeMap<PathBuf, Page>) -> Option<String> {
    let (path, fragment) = link.split_once('#').unwrap_or((link, ""));
    let target = match path {
        "" => page.to_path_buf(),
        _ => plain(&page.parent()?.join(path)),
    };
    if !target.is_file() {
        return Some("there is no such file".into());
    }
    let known = pages.get(&target)?;
    let fragment = unescaped(fragment);
    (!fragment.is_empty() && !known.names.contains(&fragment))
        .then(|| format!("nothing there is named \"{fragment}\""))
}

/// A path without `.` and `..`.
fn plain(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir => {
                plain.pop();
            }
            other => plain.push(other),
        }
    }
    plain
}

/// A fragment whose `%xx` are bytes.
fn unescaped(fragment: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = fragment.as_bytes();
    while let [first, after @ ..] = rest {
        let code =
            after.get(..2).filter(|_| *first == b'%').and_then(|digits| std::str::from_utf8(digits).ok());
        match code.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = &after[2..];
            }
            None => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The links that lead nowhere of a page `a/page.html` beside a page `other.html` with an element `here`.
    fn broken_of(body: &str) -> Vec<String> {
        static NUMBER: std::sync::atomic::AtomicUsize = std::sync::atomic::AtomicUsize::new(0);
        let number = NUMBER.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let directory = std::env::temp_dir().join(format!("guide-{}-{number}", std::process::id()));
        fs::create_dir_all(directory.join("a")).unwrap();
        fs::write(directory.join("a/page.html"), body).unwrap();
        fs::write(directory.join("other.html"), "<h2 id=\"here\">Here</h2>").unwrap();
        let followed = follow(&directory).unwrap();
        fs::remove_dir_all(&directory).unwrap();
        followed.broken
    }

    #[test]
    fn links_to_files_and_their_elements_are_found() {
        let body = "<p id=\"top\">.</p><a class=\"x\" href=\"../other.html#here\">a</a><a href=\"#top\">b</a><a href=\"https://example.org/x\">c</a>";
        assert_eq!(broken_of(body), [""; 0]);
    }

    #[test]
    fn links_to_nothing_are_told_with_their_page() {
        assert_eq!(
            broken_of("<a href=\"other.html\">a</a>"),
            ["a/page.html: other.html: there is no such file"]
        );
        let fragment = broken_of("<a href=\"../other.html#there\">a</a>");
        assert_eq!(fragment, ["a/page.html: ../other.html#there: nothing there is named \"there\""]);
        assert_eq!(broken_of("<img src=\"none.png\">").len(), 1);
    }

    #[test]
    fn texts_between_tags_are_no_links() {
        assert_eq!(broken_of("<code>href=\"nothing.html\"</code>"), [""; 0]);
    }
}
