//! The call of an analyzer as its form sees it.

use super::Order;
use crate::error::{Error, Result};
use crate::types::Type;
use crate::value::{Literal, Value};

/// Types of the inputs and values of the options.
#[derive(Debug)]
pub struct Given<'a> {
    /// The analyzer.
    pub name: &'a str,
    /// Types of the inputs in order; `None` for one that was left out.
    pub types: &'a [Option<Type>],
    /// Values of all options, defaults included.
    pub options: &'a [(&'static str, Literal)],
    /// The system that is reproduced.
    pub compat: Option<&'a str>,
}

impl Given<'_> {
    fn option(&self, name: &str) -> &Value {
        let found = self.options.iter().find(|(known, _)| *known == name);
        found.map_or(&Value::Null, |(_, literal)| &literal.value)
    }

    fn refused(&self, option: &str, problem: &str) -> Error {
        Error::User(format!("{}: option \"{option}\" {problem}", self.name))
    }

    /// A whole number of at least `least`.
    ///
    /// # Errors
    /// Another value.
    pub fn count(&self, option: &str, least: i64) -> Result<i64> {
        let value = self.option(option);
        let count = value.as_i64().filter(|count| *count >= least);
        count.ok_or_else(|| self.refused(option, &format!("must be a whole number of at least {least}")))
    }

    /// As [`Given::count`], or `None` for NULL.
    ///
    /// # Errors
    /// Another value.
    pub fn optional_count(&self, option: &str, least: i64) -> Result<Option<i64>> {
        match self.option(option) {
            Value::Null => Ok(None),
            _ => self.count(option, least).map(Some),
        }
    }

    /// A number from `low` to `high`.
    ///
    /// # Errors
    /// Another value.
    pub fn number(&self, option: &str, low: f64, high: f64) -> Result<f64> {
        let number = self.option(option).as_f64().filter(|number| (low..=high).contains(number));
        number.ok_or_else(|| self.refused(option, &format!("must be a number from {low} to {high}")))
    }

    /// True or false.
    ///
    /// # Errors
    /// Another value.
    pub fn flag(&self, option: &str) -> Result<bool> {
        self.option(option).as_bool().ok_or_else(|| self.refused(option, "must be true or false"))
    }

    /// One of some words.
    ///
    /// # Errors
    /// Another value.
    pub fn word(&self, option: &str, known: &[&'static str]) -> Result<&'static str> {
        let given = self.option(option).as_text().unwrap_or("NULL");
        let found = known.iter().copied().find(|word| word.eq_ignore_ascii_case(given));
        found.ok_or_else(|| {
            let known: Vec<String> = known.iter().map(|word| format!("'{word}'")).collect();
            self.refused(option, &format!("is \"{given}\"; expected {}", known.join(" or ")))
        })
    }

    /// The order of categories that the option `order` names.
    ///
    /// # Errors
    /// Another word.
    pub fn order(&self) -> Result<Order> {
        Ok(match self.word("order", &["frequency", "value"])? {
            "value" => Order::Value,
            _ => Order::Frequency,
        })
    }

    /// True if an option has a value that is not NULL.
    pub fn has(&self, option: &str) -> bool {
        !self.option(option).is_null()
    }

    /// True if the input at a position was given.
    pub fn has_input(&self, position: usize) -> bool {
        self.types.get(position).is_some_and(Option::is_some)
    }

    /// True if the input at a position is a list.
    pub fn is_list(&self, position: usize) -> bool {
        self.types.get(position).and_then(Option::as_ref).is_some_and(|given| given.element().is_some())
    }

    /// Refuses a list as the first input.
    ///
    /// # Errors
    /// A list.
    pub fn refuse_list(&self) -> Result<()> {
        match self.is_list(0) {
            true => Err(Error::argument(self.name, 1, "is a list; expected single values".to_owned())),
            false => Ok(()),
        }
    }
}
