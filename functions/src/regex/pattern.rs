//! Compiled patterns: once while binding where the pattern is constant, else kept per worker.

use std::collections::HashMap;

use ::regex::{Regex, RegexBuilder};

use super::translate::translate;
use crate::error::{Error, Result};
use crate::scalar::Arguments;
use crate::scratch::Scratch;
use crate::value::Value;

/// Patterns that one worker keeps; beyond it all are dropped.
const KEPT_MAX: usize = 256;

/// What the options of a call say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Options {
    /// Letters match without regard to case.
    pub ignores_case: bool,
    /// The pattern is a text to be found.
    pub is_literal: bool,
    /// A dot matches a line end.
    pub dot_matches_line_end: bool,
    /// Every match is replaced, not only the first.
    pub is_global: bool,
    /// The whole text must match.
    pub is_full: bool,
}

impl Options {
    /// Reads the options argument at a position, if there is one.
    ///
    /// # Errors
    /// [`Error::Argument`] for an unknown letter, or one that the function has no use for.
    pub fn read(arguments: &Arguments<'_>, position: usize, allows_global: bool) -> Result<Self> {
        let mut options = Self::default();
        if position >= arguments.types.len() {
            return Ok(options);
        }
        for letter in arguments.constant_text(position)?.chars() {
            match letter {
                'c' => options.ignores_case = false,
                'i' => options.ignores_case = true,
                'l' => options.is_literal = true,
                'm' | 'n' | 'p' => options.dot_matches_line_end = false,
                's' => options.dot_matches_line_end = true,
                'g' if allows_global => options.is_global = true,
                ' ' | '\t' | '\n' => {}
                other => {
                    let expected = if allows_global { "c, i, l, m, s and g" } else { "c, i, l, m and s" };
                    let problem = format!("has the option '{other}'; expected letters of {expected}");
                    return Err(Error::argument(arguments.function, position + 1, problem));
                }
            }
        }
        Ok(options)
    }

    fn compile(self, pattern: &str) -> Result<Regex, String> {
        let mut source = if self.is_literal {
            ::regex::escape(pattern)
        } else {
            translate(pattern).map_err(|error| error.to_string())?
        };
        if self.is_full {
            source = format!("\\A(?:{source})\\z");
        }
        let built = RegexBuilder::new(&source)
            .case_insensitive(self.ignores_case)
            .dot_matches_new_line(self.dot_matches_line_end)
            .build();
        built.map_err(|error| {
            let message = error.to_string();
            let last = message.lines().last().unwrap_or_default();
            last.trim_start_matches("error: ").to_owned()
        })
    }
}

/// The pattern of a call.
#[derive(Debug, Clone)]
pub struct Pattern {
    function: String,
    options: Options,
    prepared: Option<Regex>,
}

/// Patterns compiled by one worker.
#[derive(Debug, Default)]
pub struct PatternCache {
    compiled: HashMap<(String, Options), Result<Regex, String>>,
}

impl Pattern {
    /// Compiles argument 2 if it is constant.
    ///
    /// # Errors
    /// [`Error::Argument`] if it is no regular expression.
    pub fn bind(arguments: &Arguments<'_>, options: Options) -> Result<Self> {
        let function = arguments.function.to_owned();
        let prepared = match arguments.known(1) {
            Some(Value::Text(pattern)) => {
                Some(options.compile(pattern).map_err(|reason| invalid(&function, pattern, &reason))?)
            }
            _ => None,
        };
        Ok(Self { function, options, prepared })
    }

    /// The compiled pattern where it is constant.
    pub fn prepared(&self) -> Option<&Regex> {
        self.prepared.as_ref()
    }

    /// The compiled pattern of a row.
    ///
    /// # Errors
    /// [`Error::Argument`] if it is no regular expression.
    pub fn of_row<'a>(&'a self, pattern: &str, cache: &'a mut PatternCache) -> Result<&'a Regex> {
        if let Some(prepared) = &self.prepared {
            return Ok(prepared);
        }
        if cache.compiled.len() >= KEPT_MAX {
            cache.compiled.clear();
        }
        let options = self.options;
        let entry = cache.compiled.entry((pattern.to_owned(), options));
        let compiled = entry.or_insert_with(|| options.compile(pattern));
        compiled.as_ref().map_err(|reason| invalid(&self.function, pattern, reason))
    }
}

fn invalid(function: &str, pattern: &str, reason: &str) -> Error {
    Error::argument(function, 2, format!("is no regular expression: '{pattern}': {reason}"))
}

/// The patterns of a worker.
pub fn cache(scratch: &mut Scratch) -> &mut PatternCache {
    scratch.slot::<PatternCache>()
}
