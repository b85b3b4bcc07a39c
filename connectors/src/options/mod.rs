//! Options of readers and writers: named constants, read with their types, none left over.

mod type_name;

pub use type_name::parse_type;

use hypostyle_functions::{Literal, Type, Value};

use crate::error::{Error, Result};

/// The named arguments of one call.
pub struct Options<'a> {
    function: &'a str,
    entries: Vec<(String, &'a Literal)>,
    known: Vec<&'static str>,
}

impl<'a> Options<'a> {
    /// Options of a table function or of a `COPY`.
    ///
    /// # Errors
    /// An option that is given twice.
    pub fn new(function: &'a str, options: &'a [(String, Literal)]) -> Result<Self> {
        let mut entries: Vec<(String, &'a Literal)> = Vec::with_capacity(options.len());
        for (name, literal) in options {
            let name = name.to_ascii_lowercase();
            if entries.iter().any(|(known, _)| *known == name) {
                return Err(Error::option(function, name, "given twice; give it once"));
            }
            entries.push((name, literal));
        }
        Ok(Self { function, entries, known: Vec::new() })
    }

    /// The value of an option under any of its names; a null is no value.
    pub fn take(&mut self, names: &[&'static str]) -> Option<(String, &'a Literal)> {
        self.known.extend_from_slice(names);
        let index = self.entries.iter().position(|(name, _)| names.contains(&name.as_str()))?;
        let (name, literal) = self.entries.remove(index);
        (!literal.value.is_null()).then_some((name, literal))
    }

    /// A truth value.
    ///
    /// # Errors
    /// A value of another kind.
    pub fn boolean(&mut self, names: &[&'static str]) -> Result<Option<bool>> {
        let Some((name, literal)) = self.take(names) else { return Ok(None) };
        let value = match &literal.value {
            Value::Boolean(value) => Some(*value),
            Value::Text(text) => crate::text_value::boolean(text.as_bytes()),
            other => other.as_i64().map(|value| value != 0),
        };
        value.map(Some).ok_or_else(|| self.wrong(&name, literal, "true or false"))
    }

    /// A text.
    ///
    /// # Errors
    /// A value of another kind.
    pub fn text(&mut self, names: &[&'static str]) -> Result<Option<&'a str>> {
        let Some((name, literal)) = self.take(names) else { return Ok(None) };
        literal.value.as_text().map(Some).ok_or_else(|| self.wrong(&name, literal, "a text"))
    }

    /// A whole number; -1 stands for no limit.
    ///
    /// # Errors
    /// A value of another kind, or another negative number.
    pub fn count(&mut self, names: &[&'static str]) -> Result<Option<usize>> {
        let Some((name, literal)) = self.take(names) else { return Ok(None) };
        match literal.value.as_i64() {
            Some(-1) => Ok(Some(usize::MAX)),
            Some(value) if value >= 0 => Ok(usize::try_from(value).ok()),
            _ => Err(self.wrong(&name, literal, "a whole number, or -1 for no limit")),
        }
    }

    /// A whole number from 0, or a list of them.
    ///
    /// # Errors
    /// A value of another kind.
    pub fn positions(&mut self, names: &[&'static str]) -> Result<Option<Vec<usize>>> {
        let Some((name, literal)) = self.take(names) else { return Ok(None) };
        let position = |value: &Value| value.as_i64().and_then(|position| usize::try_from(position).ok());
        let positions = match &literal.value {
            Value::FixedList(_, values) => values.iter().map(position).collect(),
            value => match value.as_list() {
                Some(values) => values.iter().map(position).collect(),
                None => position(value).map(|position| vec![position]),
            },
        };
        let right = "a whole number from 0 or a list of such numbers";
        positions.map(Some).ok_or_else(|| self.wrong(&name, literal, right))
    }

    /// One text or a list of texts.
    ///
    /// # Errors
    /// A value of another kind.
    pub fn texts(&mut self, names: &[&'static str]) -> Result<Vec<String>> {
        let Some((name, literal)) = self.take(names) else { return Ok(Vec::new()) };
        texts_of(&literal.value).ok_or_else(|| self.wrong(&name, literal, "a text or a list of texts"))
    }

    /// One byte, or none for an empty text: `Some(None)`.
    ///
    /// # Errors
    /// A text of several bytes.
    pub fn byte(&mut self, names: &[&'static str]) -> Result<Option<Option<u8>>> {
        let Some((name, literal)) = self.take(names) else { return Ok(None) };
        match literal.value.as_text() {
            Some("") => Ok(Some(None)),
            Some("\\t") => Ok(Some(Some(b'\t'))),
            Some(text) if text.len() == 1 => Ok(Some(text.bytes().next())),
            _ => Err(self.wrong(&name, literal, "a single one-byte character")),
        }
    }

    /// Names and types, as in `{'a': 'INTEGER', 'b': 'VARCHAR'}`.
    ///
    /// # Errors
    /// A value of another kind, or an unknown type.
    pub fn types(&mut self, names: &[&'static str]) -> Result<Vec<(String, Type)>> {
        let Some((name, literal)) = self.take(names) else { return Ok(Vec::new()) };
        let pairs: Option<Vec<(String, &str)>> = match &literal.value {
            Value::Struct(fields, _) => {
                fields.iter().map(|(field, value)| Some((field.clone(), value.as_text()?))).collect()
            }
            Value::Map(_, _, entries) => entries
                .iter()
                .map(|(key, value)| Some((key.as_text()?.to_owned(), value.as_text()?)))
                .collect(),
            _ => None,
        };
        let pairs =
            pairs.ok_or_else(|| self.wrong(&name, literal, "names and types, as in {'a': 'INTEGER'}"))?;
        pairs
            .into_iter()
            .map(|(column, text)| {
                let data_type =
                    parse_type(text).map_err(|problem| Error::option(self.function, &name, problem))?;
                Ok((column, data_type))
            })
            .collect()
    }

    /// Ends the reading.
    ///
    /// # Errors
    /// The first option that was not asked for, with the nearest name.
    pub fn finish(self) -> Result<()> {
        let Some((name, _)) = self.entries.first() else { return Ok(()) };
        let hint = match nearest(name, self.known.iter().map(ToString::to_string)) {
            Some(nearest) => format!("did you mean {nearest}?"),
            None => format!("there are {}", self.known.join(", ")),
        };
        Err(Error::option(self.function, name, format!("not known; {hint}")))
    }

    /// The name of the function or statement, for messages.
    pub fn function(&self) -> &'a str {
        self.function
    }

    fn wrong(&self, name: &str, literal: &Literal, right: &str) -> Error {
        Error::option(self.function, name, format!("a {} where {right} is wanted", literal.data_type))
    }
}

/// The paths of a function whose only argument is a path, a pattern, or a list of them.
///
/// # Errors
/// Other arguments.
pub fn paths_argument(function: &str, arguments: &[Literal]) -> Result<Vec<String>> {
    let locations = match arguments {
        [first] => texts_of(&first.value),
        _ => None,
    };
    locations.ok_or_else(|| {
        Error::option(function, "path", "one argument is wanted: a path, a pattern, or a list of them")
    })
}

/// One text or a list of texts.
pub fn texts_of(value: &Value) -> Option<Vec<String>> {
    match value {
        Value::Text(text) => Some(vec![text.clone()]),
        Value::FixedList(_, values) => {
            values.iter().map(|value| value.as_text().map(ToOwned::to_owned)).collect()
        }
        list => list.as_list()?.iter().map(|value| value.as_text().map(ToOwned::to_owned)).collect(),
    }
}

/// The name nearest to a mistyped one, if it is near.
pub fn nearest(name: &str, names: impl Iterator<Item = String>) -> Option<String> {
    let wanted = name.to_ascii_lowercase();
    let near = |candidate: &String| {
        let distance = strsim::damerau_levenshtein(&wanted, &candidate.to_ascii_lowercase());
        (distance * 3 <= wanted.len().max(3)).then_some(distance)
    };
    names.filter_map(|candidate| Some((near(&candidate)?, candidate))).min().map(|(_, candidate)| candidate)
}
