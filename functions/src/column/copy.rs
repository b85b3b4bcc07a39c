//! Copies values of any type from a view into an output.

use std::ops::Range;

use super::output::{Output, OutputData};
use super::rows::Rows;
use super::view::{Data, View};

impl Output {
    /// Copies row `source_row` of `source`, a column of the same type, to `row`. Text bytes are
    /// shared where they can be; list elements are appended to the child.
    pub fn copy(&mut self, row: usize, source: &View<'_>, source_row: usize) {
        if source.is_null(source_row) {
            self.set_null(row);
            return;
        }
        let index = source.value_index(source_row);
        match (&mut self.data, source.data) {
            (OutputData::Boolean(to), Data::Boolean(from)) => to.set(row, from.get(index)),
            (OutputData::Int8(to), Data::Int8(from)) => to[row] = from[index],
            (OutputData::Int16(to), Data::Int16(from)) => to[row] = from[index],
            (OutputData::Int32(to), Data::Int32(from)) => to[row] = from[index],
            (OutputData::Int64(to), Data::Int64(from)) => to[row] = from[index],
            (OutputData::UInt8(to), Data::UInt8(from)) => to[row] = from[index],
            (OutputData::UInt16(to), Data::UInt16(from)) => to[row] = from[index],
            (OutputData::UInt32(to), Data::UInt32(from)) => to[row] = from[index],
            (OutputData::UInt64(to), Data::UInt64(from)) => to[row] = from[index],
            (OutputData::Float16(to), Data::Float16(from)) => to[row] = from[index],
            (OutputData::Float32(to), Data::Float32(from)) => to[row] = from[index],
            (OutputData::Float64(to), Data::Float64(from)) => to[row] = from[index],
            (OutputData::Int128(to), Data::Int128(from)) => to[row] = from[index],
            // Digits of a narrow decimal taken into a wide one of its scale.
            (OutputData::Int128(to), Data::Int64(from)) => to[row] = i128::from(from[index]),
            (OutputData::Interval(to), Data::Interval(from)) => to[row] = from[index],
            (OutputData::Bytes(to), Data::Bytes(_)) => {
                to.set_row(row, &source.bytes(), source_row);
            }
            (OutputData::List { offsets, sizes, child }, Data::List(_)) => {
                let from = source.list();
                let start = child.len();
                child.push_range(from.child(), from.range(source_row));
                offsets[row] = start as i32;
                sizes[row] = (child.len() - start) as i32;
            }
            (OutputData::FixedList { size, child }, Data::FixedList { .. }) => {
                let from = source.list();
                let start = from.range(source_row).start;
                (0..*size).for_each(|k| child.copy(row * *size + k, from.child(), start + k));
            }
            (OutputData::Struct(fields), Data::Struct(from)) => {
                for (position, field) in fields.iter_mut().enumerate().take(from.len()) {
                    field.copy(row, &source.field(position), source_row);
                }
            }
            _ => debug_assert!(false, "copy of {} into {}", source.data_type, self.data_type),
        }
    }

    /// Copies the given rows of `source` to the same rows of this column.
    pub fn copy_rows(&mut self, source: &View<'_>, rows: &Rows<'_>) {
        rows.for_each(|row| self.copy(row, source, row));
    }

    /// Appends row `source_row` of `source`.
    pub fn push(&mut self, source: &View<'_>, source_row: usize) {
        let row = self.grow(1);
        self.copy(row, source, source_row);
    }

    /// Appends these rows of `source`, in bulk where values are fixed in width and flat.
    pub fn push_range(&mut self, source: &View<'_>, rows: Range<usize>) {
        let start = self.grow(rows.len());
        if source.may_be_null() || !source.is_flat() || !self.copy_block(start, source, rows.clone()) {
            for (position, source_row) in rows.enumerate() {
                self.copy(start + position, source, source_row);
            }
        }
    }

    /// One memory copy of fixed-width values without nulls; false if the form does not allow it.
    fn copy_block(&mut self, start: usize, source: &View<'_>, rows: Range<usize>) -> bool {
        let to = start..start + rows.len();
        match (&mut self.data, source.data) {
            (OutputData::Int8(target), Data::Int8(from)) => target[to].copy_from_slice(&from[rows]),
            (OutputData::Int16(target), Data::Int16(from)) => target[to].copy_from_slice(&from[rows]),
            (OutputData::Int32(target), Data::Int32(from)) => target[to].copy_from_slice(&from[rows]),
            (OutputData::Int64(target), Data::Int64(from)) => target[to].copy_from_slice(&from[rows]),
            (OutputData::UInt8(target), Data::UInt8(from)) => target[to].copy_from_slice(&from[rows]),
            (OutputData::UInt16(target), Data::UInt16(from)) => target[to].copy_from_slice(&from[rows]),
            (OutputData::UInt32(target), Data::UInt32(from)) => target[to].copy_from_slice(&from[rows]),
            (OutputData::UInt64(target), Data::UInt64(from)) => target[to].copy_from_slice(&from[rows]),
            (OutputData::Float16(target), Data::Float16(from)) => target[to].copy_from_slice(&from[rows]),
            (OutputData::Float32(target), Data::Float32(from)) => target[to].copy_from_slice(&from[rows]),
            (OutputData::Float64(target), Data::Float64(from)) => target[to].copy_from_slice(&from[rows]),
            (OutputData::Int128(target), Data::Int128(from)) => target[to].copy_from_slice(&from[rows]),
            (OutputData::Interval(target), Data::Interval(from)) => target[to].copy_from_slice(&from[rows]),
            _ => return false,
        }
        true
    }
}
