//! Values as the library shows them.

use bumpalo::Bump;

use super::variants::column_of;
use crate::error::Result;
use crate::value::{Literal, Value};

/// The value as SQL text, `NULL` for a null.
///
/// # Errors
/// What makes a column of the value impossible.
pub fn show(literal: &Literal) -> Result<String> {
    let bump = Bump::new();
    let column = column_of(&literal.data_type, std::slice::from_ref(&literal.value))?;
    let mut text = String::new();
    // Writing into a string does not fail.
    let _ = crate::cast::format_value(&column.view(&literal.data_type, &bump), 0, &mut text);
    Ok(text)
}

/// As [`show`], for a value of its own type.
///
/// # Errors
/// As [`show`].
pub fn show_value(value: &Value) -> Result<String> {
    show(&Literal::new(value.clone()))
}
