//! Takes rows of a column in any order into a column of its own.

use hypostyle_functions::column::{Data, Output, View};

/// The values of `source` at these rows, with text bytes of their own: rows that are given out must not hold on to
/// the whole of what they come from.
pub(super) fn gather(source: &View<'_>, rows: &[u32]) -> Output {
    let mut output = Output::copying(source.data_type.clone());
    append(&mut output, source, rows);
    output
}

/// Adds the values of `source` at these rows.
pub(super) fn append(output: &mut Output, source: &View<'_>, rows: &[u32]) {
    let start = output.grow(rows.len());
    macro_rules! fixed {
        ($values:expr) => {
            output.fixed()[start..].iter_mut().zip(rows).for_each(|(to, &row)| *to = $values[row as usize])
        };
    }
    let is_plain = source.is_flat() && !source.may_be_null();
    // One arm expands to a loop over values of one fixed-width type.
    match source.data {
        Data::Int8(values) if is_plain => fixed!(values),
        Data::Int16(values) if is_plain => fixed!(values),
        Data::Int32(values) if is_plain => fixed!(values),
        Data::Int64(values) if is_plain => fixed!(values),
        Data::UInt8(values) if is_plain => fixed!(values),
        Data::UInt16(values) if is_plain => fixed!(values),
        Data::UInt32(values) if is_plain => fixed!(values),
        Data::UInt64(values) if is_plain => fixed!(values),
        Data::Float32(values) if is_plain => fixed!(values),
        Data::Float64(values) if is_plain => fixed!(values),
        Data::Int128(values) if is_plain => fixed!(values),
        Data::Bytes(_) if is_plain => {
            let (from, to) = (source.bytes(), output.bytes());
            rows.iter().zip(start..).for_each(|(&row, place)| to.set_row(place, &from, row as usize));
        }
        _ => rows.iter().enumerate().for_each(|(to, &row)| output.copy(start + to, source, row as usize)),
    }
}
