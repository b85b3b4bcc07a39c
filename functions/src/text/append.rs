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
    // Writing into a builder does not fail.
    let _ = crate::cast::format_value(view, row, builder);
}
