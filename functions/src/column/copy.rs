//! Copies values of any type from a view into an output.

use std::ops::Range;

use super::bits::Bits;
use super::output::{Output, OutputData};
use super::rows::Rows;
use super::view::{Data, View};
use crate::kernel::compact::{compact_f32, compact_f64, compact_i32, compact_i64};
use crate::kernel::look_up::write_values;
use crate::kernel::span::Span;
use crate::kernel::span::gather::Gathered;

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
                let (to, from, elements) = (row * *size, from.child(), from.range(source_row));
                if from.may_be_null() || !from.is_flat() || !child.copy_block(to, from, elements.clone()) {
                    for (position, element) in elements.enumerate() {
                        child.copy(to + position, from, element);
                    }
                }
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
        match rows {
            Rows::All(count) if self.copy_all(source, *count) => {}
            _ => rows.for_each(|row| self.copy(row, source, row)),
        }
    }

    /// Copies the first `count` rows of a flat column of numbers or bytes; false if it is another.
    fn copy_all(&mut self, source: &View<'_>, count: usize) -> bool {
        if !source.is_flat() {
            return false;
        }
        if let (OutputData::Bytes(to), Data::Bytes(_)) = (&mut self.data, source.data) {
            let bytes = source.bytes();
            match source.validity {
                None => (0..count).for_each(|row| to.set_row(row, &bytes, row)),
                Some(validity) => {
                    let valid = (0..count).filter(|&row| validity.get(row));
                    valid.for_each(|row| to.set_row(row, &bytes, row));
                }
            }
        } else if !self.copy_block(0, source, 0..count) {
            return false;
        }
        if let Some(validity) = source.validity {
            let words = &mut self.validity_words()[..count.div_ceil(64)];
            for (index, word) in words.iter_mut().enumerate() {
                let rows = (count - index * 64).min(64);
                *word &= validity.word(index) | !(u64::MAX >> (64 - rows));
            }
        }
        true
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

    /// Appends these stretches of `source`, one after the other; room for all of them is made once.
    pub fn push_spans(&mut self, source: &View<'_>, spans: &[Span]) {
        let lengths = spans.iter().map(|(start, end)| (end - start) as usize);
        let start = self.grow(lengths.sum());
        if source.may_be_null() || !source.is_flat() || !self.copy_spans(start, source, spans) {
            let rows = spans.iter().flat_map(|&(start, end)| start as usize..end as usize);
            for (position, source_row) in rows.enumerate() {
                self.copy(start + position, source, source_row);
            }
        }
    }

    /// Appends the rows of `source` at these places; room for all of them is made once.
    pub fn push_places(&mut self, source: &View<'_>, places: &[u32]) {
        let start = self.grow(places.len());
        if source.is_flat() && !source.may_be_null() {
            match (&mut self.data, source.data) {
                (OutputData::Int32(to), Data::Int32(from)) => {
                    return write_values(from, places, &mut to[start..]);
                }
                (OutputData::Int64(to), Data::Int64(from)) => {
                    return write_values(from, places, &mut to[start..]);
                }
                (OutputData::Float32(to), Data::Float32(from)) => {
                    return write_values(from, places, &mut to[start..]);
                }
                (OutputData::Float64(to), Data::Float64(from)) => {
                    return write_values(from, places, &mut to[start..]);
                }
                _ => {}
            }
        }
        for (position, &place) in places.iter().enumerate() {
            self.copy(start + position, source, place as usize);
        }
    }

    /// Appends the rows of `source` whose bit is set, of which there is one for each row.
    pub fn push_kept(&mut self, source: &View<'_>, keep: &Bits<'_>) {
        let rows = keep.len();
        // A kernel appends to what is there, which must be the rows of this column.
        self.resize(self.length);
        if source.is_flat() && !source.may_be_null() {
            let mut words = Vec::new();
            let bits = keep.to_bytes(&mut words);
            let length = match (&mut self.data, source.data) {
                (OutputData::Int32(to), Data::Int32(from)) => appended(to, &from[..rows], bits, compact_i32),
                (OutputData::Int64(to), Data::Int64(from)) => appended(to, &from[..rows], bits, compact_i64),
                (OutputData::Float32(to), Data::Float32(from)) => {
                    appended(to, &from[..rows], bits, compact_f32)
                }
                (OutputData::Float64(to), Data::Float64(from)) => {
                    appended(to, &from[..rows], bits, compact_f64)
                }
                _ => None,
            };
            if let Some(length) = length {
                return self.resize(length);
            }
        }
        let mut places = Vec::new();
        for index in 0..keep.words() {
            let mut word = keep.word(index);
            while word != 0 {
                places.push((index * 64) as u32 + word.trailing_zeros());
                word &= word - 1;
            }
        }
        self.push_places(source, &places);
    }

    /// A memory copy for each stretch of fixed-width values without nulls; false if the form does not allow it.
    fn copy_spans(&mut self, start: usize, source: &View<'_>, spans: &[Span]) -> bool {
        match (&mut self.data, source.data) {
            (OutputData::Int32(target), Data::Int32(from)) => {
                Gathered::copy(from, spans, &mut target[start..])
            }
            (OutputData::Int64(target), Data::Int64(from)) => {
                Gathered::copy(from, spans, &mut target[start..])
            }
            (OutputData::Float32(target), Data::Float32(from)) => {
                Gathered::copy(from, spans, &mut target[start..])
            }
            (OutputData::Float64(target), Data::Float64(from)) => {
                Gathered::copy(from, spans, &mut target[start..])
            }
            _ => return self.copy_blocks(start, source, spans),
        }
        true
    }

    fn copy_blocks(&mut self, mut start: usize, source: &View<'_>, spans: &[Span]) -> bool {
        spans.iter().all(|&(from, to)| {
            let is_copied = self.copy_block(start, source, from as usize..to as usize);
            start += (to - from) as usize;
            is_copied
        })
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

/// Appends by a kernel; the number of values there are then.
fn appended<T>(
    to: &mut Vec<T>,
    from: &[T],
    bits: &[u8],
    kernel: fn(&[T], &[u8], &mut Vec<T>),
) -> Option<usize> {
    kernel(from, bits, to);
    Some(to.len())
}
