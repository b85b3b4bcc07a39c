//! Any value as text inside a longer text.

use crate::column::{TextBuilder, View};
use crate::types::Type;

/// Appends the text of a value that is not null.
#[inline]
pub fn append(view: &View<'_>, row: usize, builder: &mut TextBuilder<'_>) {
    if *view.data_type == Type::Text {
        builder.push_str(view.text().get(row));
    } else {
        append_other(view, row, builder);
    }
}

#[inline(never)]
fn append_other(view: &View<'_>, row: usize, builder: &mut TextBuilder<'_>) {
    use std::fmt::Write;
    // Writing into a builder does not fail.
    let _ = match crate::column::value_at(view, row) {
        crate::Value::Boolean(value) => write!(builder, "{value}"),
        other => write!(builder, "{}", other.as_i64().unwrap_or_default()),
    };
}
