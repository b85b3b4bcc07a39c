//! Rows that are kept beyond a step: freed of buffers that they share with others, and measured by what they use.

use std::collections::HashSet;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::DataType;
use hypostyle_functions::column::Column;
use hypostyle_functions::kernel::span::part;

use crate::batch::Batch;

/// Text whose buffers are this many times larger than the bytes it uses gets buffers of its own.
const WASTE: usize = 2;

/// Unused bytes that are not worth a copy.
const WASTE_BYTES_MIN: usize = 16 << 10;

/// Bytes of a text that lie inside its view.
const INLINE_BYTES: u32 = 12;

/// Keeps batches for one holder; dictionaries that several batches share are counted once.
#[derive(Debug, Default)]
pub struct Keeper {
    dictionaries: HashSet<usize, ahash::RandomState>,
}

impl Keeper {
    /// The batch with buffers of its own where it uses little of shared ones, and the bytes it adds to what is held.
    pub fn keep(&mut self, batch: Batch) -> (Batch, usize) {
        let Batch { columns, rows, position } = batch;
        let columns: Vec<Column> = columns.into_iter().map(own).collect();
        let bytes = columns.iter().map(|column| self.added_bytes(column)).sum();
        (Batch::new(columns, rows).at(position), bytes)
    }

    fn added_bytes(&mut self, column: &Column) -> usize {
        match column {
            Column::Flat(array) | Column::Spans(array) | Column::Constant { value: array, .. } => {
                used_bytes(array)
            }
            Column::Dictionary { indices, values, .. } => {
                let place = Arc::as_ptr(values).cast::<()>() as usize;
                let values = if self.dictionaries.insert(place) { used_bytes(values) } else { 0 };
                indices.len() * 4 + values
            }
        }
    }
}

/// Bytes that the rows of a batch use, whatever they share with others.
pub fn used_bytes_of(batch: &Batch) -> usize {
    let of = |column: &Column| match column {
        Column::Flat(array) | Column::Spans(array) | Column::Constant { value: array, .. } => {
            used_bytes(array)
        }
        Column::Dictionary { indices, .. } => indices.len() * 4,
    };
    batch.columns.iter().map(of).sum()
}

/// The column with text buffers of its own if it uses little of those it has, and with elements of its own if it shares them.
fn own(column: Column) -> Column {
    match column {
        Column::Flat(array) => Column::Flat(own_array(array)),
        Column::Spans(_) => match column.to_array() {
            Ok(array) => Column::Flat(array),
            Err(_) => column,
        },
        other => other,
    }
}

fn own_array(array: ArrayRef) -> ArrayRef {
    let held =
        |buffers: &[arrow::buffer::Buffer]| buffers.iter().map(arrow::buffer::Buffer::len).sum::<usize>();
    let is_wasteful = |held: usize, used: usize| held > used * WASTE + WASTE_BYTES_MIN;
    match array.data_type() {
        DataType::Utf8View => {
            let text = array.as_string_view();
            match is_wasteful(held(text.data_buffers()), long_bytes(text.views())) {
                true => Arc::new(text.gc()),
                false => array,
            }
        }
        DataType::BinaryView => {
            let binary = array.as_binary_view();
            match is_wasteful(held(binary.data_buffers()), long_bytes(binary.views())) {
                true => Arc::new(binary.gc()),
                false => array,
            }
        }
        _ => array,
    }
}

/// Bytes of the values that do not lie inside their views.
fn long_bytes(views: &[u128]) -> usize {
    let length =
        |view: &u128| Some(*view as u32).filter(|&length| length > INLINE_BYTES).unwrap_or(0) as usize;
    views.iter().map(length).sum()
}

/// Bytes that the rows of an array use.
fn used_bytes(array: &ArrayRef) -> usize {
    let rows = array.len();
    let validity = if array.nulls().is_some() { rows / 8 } else { 0 };
    let child = |values: &ArrayRef, offsets: &[i32]| match (offsets.first(), offsets.last()) {
        (Some(&start), Some(&end)) => used_bytes(&values.slice(start as usize, (end - start) as usize)),
        _ => 0,
    };
    let values = match array.data_type() {
        DataType::Null => 0,
        DataType::Boolean => rows / 8,
        DataType::Utf8View => rows * 16 + long_bytes(array.as_string_view().views()),
        DataType::BinaryView => rows * 16 + long_bytes(array.as_binary_view().views()),
        DataType::ListView(_) => {
            // Of elements that are shared, as many as the lists have.
            let list = array.as_list_view::<i32>();
            let elements = part::elements_of(list.value_sizes()) as usize;
            rows * 8 + used_bytes(list.values()) / list.values().len().max(1) * elements
        }
        DataType::List(_) => {
            let list = array.as_list::<i32>();
            rows * 4 + child(list.values(), list.value_offsets())
        }
        DataType::Map(..) => {
            let map = array.as_map();
            rows * 4 + child(map.keys(), map.value_offsets()) + child(map.values(), map.value_offsets())
        }
        DataType::FixedSizeList(..) => used_bytes(array.as_fixed_size_list().values()),
        DataType::Struct(_) => array.as_struct().columns().iter().map(used_bytes).sum(),
        fixed => rows * fixed.primitive_width().unwrap_or(16),
    };
    values + validity
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::{Int64Array, StringViewArray};

    #[test]
    fn a_slice_is_measured_by_its_rows_and_lets_go_of_the_rest() {
        let texts: ArrayRef = Arc::new(StringViewArray::from_iter_values(
            (0..10_000).map(|row| format!("a text that is long {row}")),
        ));
        let numbers: ArrayRef = Arc::new(Int64Array::from_iter(0..10_000));
        let whole = Batch::new(vec![Column::Flat(texts), Column::Flat(numbers)], 10_000);
        let (part, bytes) = Keeper::default().keep(whole.slice(100, 10));
        assert!((10 * (16 + 8)..2000).contains(&bytes), "{bytes}");
        let Column::Flat(text) = &part.columns[0] else { panic!("flat") };
        assert_eq!(text.as_string_view().value(3), "a text that is long 103");
        assert!(text.as_string_view().data_buffers().iter().map(|buffer| buffer.len()).sum::<usize>() < 2000);
    }
}
