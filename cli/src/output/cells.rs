//! Values as cells of a table for people: one line, a null named, cut to a width.

use arrow::array::RecordBatch;
use arrow::datatypes::DataType;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use crate::error::{Error, Result};

/// Characters of a value that are looked at, however long it is.
const CELL_CHARACTERS_MAX: usize = 2_000;

/// The cells of all rows of all batches.
///
/// # Errors
/// A type that has no text form.
pub(crate) fn of_batches<'a>(batches: impl IntoIterator<Item = &'a RecordBatch>) -> Result<Vec<Vec<String>>> {
    let mut rows = Vec::new();
    for batch in batches {
        let texts = hypostyle::row_texts(batch).map_err(|error| Error::Encoding(error.to_string()))?;
        rows.extend(texts.into_iter().map(|row| row.into_iter().map(cell).collect::<Vec<_>>()));
    }
    Ok(rows)
}

fn cell(text: Option<String>) -> String {
    let Some(text) = text else { return "NULL".into() };
    let mut cell = String::with_capacity(text.len().min(CELL_CHARACTERS_MAX));
    for character in text.chars().take(CELL_CHARACTERS_MAX) {
        match character {
            '\n' => cell.push_str("\\n"),
            '\r' => cell.push_str("\\r"),
            '\t' => cell.push_str("\\t"),
            // A control character could move the cursor or colour the terminal.
            control if control.is_control() => cell.push('\u{FFFD}'),
            other => cell.push(other),
        }
    }
    cell
}

/// Places a text takes on a terminal.
pub(crate) fn width(text: &str) -> usize {
    UnicodeWidthStr::width(text)
}

/// The text, or its start and an ellipsis if it is wider than `places`.
pub(crate) fn cut(text: &str, places: usize) -> String {
    if width(text) <= places {
        return text.to_owned();
    }
    let mut kept = String::new();
    let mut taken = 1;
    for character in text.chars() {
        taken += character.width().unwrap_or(0);
        if taken > places {
            break;
        }
        kept.push(character);
    }
    kept.push('…');
    kept
}

/// The SQL name of a type.
pub(crate) fn type_name(data_type: &DataType) -> String {
    hypostyle::Type::from_arrow(data_type)
        .map_or_else(|_| data_type.to_string(), |data_type| data_type.to_string())
}
