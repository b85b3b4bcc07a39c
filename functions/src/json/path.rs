//! Paths into JSON: `$.a.b[0]`, `/a/b/0`, a plain key or a position.

use super::document::{Json, Kind};
use crate::error::{Error, Result};

/// A path taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Path {
    steps: Vec<Step>,
}

/// One step of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// The field of this name.
    Field(String),
    /// The element at this position; negative ones count from the end.
    Element(i64),
    /// A part of a pointer: an element of an array or a field of an object.
    Token(String),
    /// Every element.
    AllElements,
    /// Every value of an object.
    AllFields,
    /// The node itself and everything inside it.
    Anywhere,
}

impl Path {
    /// The path to an element of the root.
    pub fn position(position: i64) -> Self {
        Self { steps: vec![Step::Element(position)] }
    }

    /// Reads a path.
    ///
    /// # Errors
    /// [`Error::User`] with the place at which the path cannot be read.
    pub fn parse(text: &str) -> Result<Self> {
        let steps = match text.chars().next() {
            None => Vec::new(),
            Some('$') => steps(text)?,
            Some('/') => text[1..]
                .split('/')
                .map(|part| Step::Token(part.replace("~1", "/").replace("~0", "~")))
                .collect(),
            Some(_) => vec![Step::Field(text.into())],
        };
        Ok(Self { steps })
    }

    /// The steps from the root on.
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// True if the path can lead to several nodes.
    pub fn has_wildcards(&self) -> bool {
        self.steps.iter().any(|step| matches!(step, Step::AllElements | Step::AllFields | Step::Anywhere))
    }

    /// The node that a path without wildcards leads to.
    pub fn find<'a, 'text>(&self, root: Json<'a, 'text>) -> Option<Json<'a, 'text>> {
        self.steps.iter().try_fold(root, |node, step| step.follow(node))
    }

    /// Gives every node that the path leads to, in document order.
    pub fn for_each<'a, 'text>(&self, root: Json<'a, 'text>, give: &mut dyn FnMut(Json<'a, 'text>)) {
        walk(&self.steps, root, give);
    }
}

fn walk<'a, 'text>(steps: &[Step], node: Json<'a, 'text>, give: &mut dyn FnMut(Json<'a, 'text>)) {
    let Some((step, rest)) = steps.split_first() else { return give(node) };
    match step {
        Step::AllElements => node.elements().for_each(|element| walk(rest, element, give)),
        Step::AllFields => node.fields().for_each(|(_, value)| walk(rest, value, give)),
        Step::Anywhere => {
            walk(rest, node, give);
            node.elements().for_each(|element| walk(steps, element, give));
            node.fields().for_each(|(_, value)| walk(steps, value, give));
        }
        single => {
            if let Some(found) = single.follow(node) {
                walk(rest, found, give);
            }
        }
    }
}

impl Step {
    fn follow<'a, 'text>(&self, node: Json<'a, 'text>) -> Option<Json<'a, 'text>> {
        match self {
            Self::Field(name) => node.field(name),
            Self::Element(position) => node.element(*position),
            Self::Token(token) => match node.kind() {
                Kind::Array(_) => node.element(token.parse::<u32>().ok()?.into()),
                _ => node.field(token),
            },
            Self::AllElements | Self::AllFields | Self::Anywhere => None,
        }
    }
}

fn steps(path: &str) -> Result<Vec<Step>> {
    let refused = |rest: &str| Error::user(format!("JSON path '{path}' cannot be read at '{rest}'"));
    let mut steps = Vec::new();
    let mut rest = &path[1..];
    while !rest.is_empty() {
        let (step, after) = if let Some(inside) = rest.strip_prefix('[') {
            bracket(inside).ok_or_else(|| refused(rest))?
        } else if let Some(after) = rest.strip_prefix("..") {
            steps.push(Step::Anywhere);
            if after.starts_with('[') {
                rest = after;
                continue;
            }
            name(after).ok_or_else(|| refused(rest))?
        } else if let Some(after) = rest.strip_prefix('.') {
            name(after).ok_or_else(|| refused(rest))?
        } else {
            return Err(refused(rest));
        };
        steps.push(step);
        rest = after;
    }
    Ok(steps)
}

/// A name after a dot, bare or in double quotes, or a star.
fn name(text: &str) -> Option<(Step, &str)> {
    if let Some(after) = text.strip_prefix('*') {
        return Some((Step::AllFields, after));
    }
    if text.starts_with('"') {
        return quoted(text);
    }
    let end = text.find(['.', '[']).unwrap_or(text.len());
    (end > 0).then(|| (Step::Field(text[..end].into()), &text[end..]))
}

/// A name in quotes; a backslash takes the next character as it is.
fn quoted(text: &str) -> Option<(Step, &str)> {
    let mut characters = text.char_indices();
    let (_, quote) = characters.next()?;
    let mut name = String::new();
    while let Some((at, c)) = characters.next() {
        match c {
            '\\' => name.push(characters.next()?.1),
            end if end == quote => return Some((Step::Field(name), &text[at + 1..])),
            other => name.push(other),
        }
    }
    None
}

/// What follows an opening bracket: `*]`, a position, `#-1]` or a name in quotes.
fn bracket(text: &str) -> Option<(Step, &str)> {
    if text.starts_with(['\'', '"']) {
        let (step, after) = quoted(text)?;
        return Some((step, after.strip_prefix(']')?));
    }
    let (inside, after) = text.split_once(']')?;
    let step = match inside {
        "*" => Step::AllElements,
        // One past the last element: there is none.
        "#" => Step::Element(i64::MAX),
        _ => match inside.strip_prefix("#-") {
            Some(back) => {
                Step::Element(back.parse::<u32>().ok().map(|back| -i64::from(back)).filter(|back| *back < 0)?)
            }
            None => Step::Element(inside.parse().ok()?),
        },
    };
    Some((step, after))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_of_one_path_lead_to_the_same_steps() {
        let expected =
            Path { steps: vec![Step::Field("a".into()), Step::Element(-1), Step::Field("b c".into())] };
        for text in ["$.a[-1].\"b c\"", "$['a'][#-1]['b c']", "$.\"a\"[#-1].b c"] {
            assert_eq!(Path::parse(text), Ok(expected.clone()));
        }
    }

    #[test]
    fn broken_paths_are_refused() {
        for text in ["$.", "$a", "$.a[", "$.a[x]", "$.a.", "$[\"a]", "$[#-0]"] {
            assert!(Path::parse(text).is_err(), "{text}");
        }
    }
}
