//! What a call extracts: one group by number, or groups by the names given to them.

use ::regex::Regex;

use crate::error::{Error, Result};
use crate::scalar::Arguments;
use crate::types::{Field, Type};

/// Groups to extract.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Groups {
    /// The group of this number; 0 is the match.
    One(usize),
    /// The number was null: nothing is extracted.
    Nothing,
    /// Groups 1 to this number, each a field of a struct.
    Named(Vec<String>),
}

impl Groups {
    /// Reads the argument at a position, a number or a list of names, and the position of the options after it.
    ///
    /// # Errors
    /// [`Error::Argument`] for a number or names that no pattern can have.
    pub fn read(arguments: &Arguments<'_>) -> Result<(Self, usize)> {
        match arguments.types.get(2) {
            None => Ok((Self::One(0), 3)),
            Some(Type::Text) => Ok((Self::One(0), 2)),
            Some(Type::List(_)) => Ok((Self::Named(names(arguments)?), 3)),
            Some(_) => {
                let value = arguments.constant(2)?;
                match value.as_i64() {
                    None => Ok((Self::Nothing, 3)),
                    Some(group @ 0..=9) => Ok((Self::One(group as usize), 3)),
                    Some(group) => Err(Error::argument(
                        arguments.function,
                        3,
                        format!("is {group}; expected a group from 0 to 9"),
                    )),
                }
            }
        }
    }

    /// Type of what is extracted from one match.
    pub fn result(&self) -> Type {
        match self {
            Self::Named(names) => {
                Type::Struct(names.iter().map(|name| Field::new(name.clone(), Type::Text)).collect())
            }
            _ => Type::Text,
        }
    }

    /// Holds the names against the pattern.
    ///
    /// # Errors
    /// [`Error::Argument`] if there are more names than groups.
    pub fn check(&self, function: &str, pattern: &Regex) -> Result<()> {
        let groups = pattern.captures_len() - 1;
        match self {
            Self::Named(names) if names.len() > groups => Err(Error::argument(
                function,
                3,
                format!("has {} names; the pattern has {groups} groups", names.len()),
            )),
            _ => Ok(()),
        }
    }
}

fn names(arguments: &Arguments<'_>) -> Result<Vec<String>> {
    let refused = |problem: String| Error::argument(arguments.function, 3, problem);
    let Some(values) = arguments.constant(2)?.as_list() else {
        return Err(refused("is null; expected a list of names".into()));
    };
    let mut names: Vec<String> = Vec::with_capacity(values.len());
    for value in values {
        let name = value.as_text().ok_or_else(|| refused("has a null name".into()))?;
        if names.iter().any(|held| held.eq_ignore_ascii_case(name)) {
            return Err(refused(format!("has the name '{name}' twice")));
        }
        names.push(name.into());
    }
    if names.is_empty() { Err(refused("is empty; expected at least one name".into())) } else { Ok(names) }
}
