//! A writable typed column, owned by the caller of a function and reused from batch to batch.
//!
//! Rows may be written in any order and in several calls (the branches of a CASE fill disjoint rows).
//! A row that nothing writes holds an unspecified but readable value.

mod data;

use arrow::array::{Array, ArrayRef};
use arrow::datatypes::ArrowNativeType;
use bumpalo::Bump;

use super::bits::BitsMut;
use super::borrow::borrow;
use super::bytes_output::{BytesOutput, TextWriter};
use super::nested_output::ListWriter;
use super::recycled::Recycled;
use super::view::{Data, Encoding, FixedWidth, ListData, View};
use crate::error::{Error, Result};
use crate::place::Place;
use crate::types::Type;

pub use data::{OutputData, WritableFixed};

/// Buffers kept back after a freeze, to be written again once their readers are gone.
const RETAINED_BUFFERS: usize = 4;

/// A writable column. See the module.
#[derive(Debug)]
pub struct Output {
    pub(super) data_type: Type,
    pub(super) length: usize,
    /// Meaningful only while `has_nulls`; a set bit is a valid row.
    pub(super) validity: BitsMut,
    pub(super) has_nulls: bool,
    pub(super) data: OutputData,
    pub(super) retained: Recycled,
    errors: Vec<(u32, Error)>,
    failed: BitsMut,
    has_failed: bool,
    quiet: bool,
    /// An array that the column stands for instead of having storage of its own; the first change copies it.
    pub(super) lent: Option<ArrayRef>,
    /// True where nothing of an input may be shared.
    pub(super) copies: bool,
}

impl Output {
    /// An empty column of this type.
    pub fn new(data_type: Type) -> Self {
        let data = OutputData::new(&data_type);
        Self {
            data_type,
            length: 0,
            validity: BitsMut::default(),
            has_nulls: false,
            data,
            retained: Recycled::of_at_most(RETAINED_BUFFERS),
            errors: Vec::new(),
            failed: BitsMut::default(),
            has_failed: false,
            quiet: false,
            lent: None,
            copies: false,
        }
    }

    /// An empty column that copies text bytes instead of sharing its inputs' buffers: for rows that
    /// are kept longer than their batch.
    pub fn copying(data_type: Type) -> Self {
        let mut output = Self::new(data_type);
        output.set_copies();
        output
    }

    fn set_copies(&mut self) {
        self.copies = true;
        match &mut self.data {
            OutputData::Bytes(bytes) => bytes.copies = true,
            OutputData::List { child, .. } | OutputData::FixedList { child, .. } => child.set_copies(),
            OutputData::Struct(fields) => fields.iter_mut().for_each(Output::set_copies),
            _ => {}
        }
    }

    /// Logical type.
    pub fn data_type(&self) -> &Type {
        &self.data_type
    }

    /// True for numbers, dates and the like, whose values lie side by side.
    pub fn is_fixed_width(&self) -> bool {
        use OutputData as Form;
        !matches!(
            self.data,
            Form::Null
                | Form::Boolean(_)
                | Form::Bytes(_)
                | Form::List { .. }
                | Form::FixedList { .. }
                | Form::Struct(_)
        )
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        self.length
    }

    /// True without rows.
    pub fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// Forgets what was written and makes room for `length` rows, all valid, without errors.
    pub fn prepare(&mut self, length: usize) {
        if self.has_nulls || self.has_failed || self.lent.is_some() {
            self.clear_marks();
        }
        // One row after another finds the column as it is to be.
        if self.length == length && self.keeps_rows() {
            return;
        }
        self.forget();
        self.resize(length);
    }

    /// Forgets nulls and errors, and an array that stands for the values.
    fn clear_marks(&mut self) {
        self.has_nulls = false;
        self.has_failed = false;
        self.lent = None;
        self.errors.clear();
    }

    /// Forgets all rows. Numbers stay where they are until rows are written anew, so that no one fills their room with zeros first.
    fn forget(&mut self) {
        self.length = 0;
        self.clear_marks();
        self.reclaim();
        match &mut self.data {
            OutputData::Bytes(bytes) => bytes.clear(),
            OutputData::List { offsets, sizes, child } => {
                offsets.clear();
                sizes.clear();
                child.forget();
            }
            OutputData::FixedList { child, .. } => child.forget(),
            OutputData::Struct(fields) => fields.iter_mut().for_each(Output::forget),
            _ => {}
        }
    }

    /// Makes rows that lie there ready to be written anew; false if there are others, or none that can be.
    fn keeps_rows(&mut self) -> bool {
        let length = self.length;
        match &mut self.data {
            OutputData::Boolean(bits) => bits.length == length && bits.words.len() * 64 >= length,
            OutputData::Int32(values) => values.len() == length,
            OutputData::Int64(values) => values.len() == length,
            OutputData::Float32(values) => values.len() == length,
            OutputData::Float64(values) => values.len() == length,
            OutputData::Bytes(bytes) if bytes.views.len() == length => {
                bytes.forget_values();
                true
            }
            OutputData::List { offsets, sizes, child }
                if offsets.len() == length && sizes.len() == length =>
            {
                // A row that nothing writes is no part of elements that are gone.
                offsets.iter_mut().zip(sizes).for_each(|(offset, size)| (*offset, *size) = (0, 0));
                child.forget();
                true
            }
            OutputData::FixedList { size, child } => {
                child.prepare(length * *size);
                true
            }
            _ => false,
        }
    }

    /// Makes room for `length` rows and keeps those that are there; new rows are valid.
    pub fn resize(&mut self, length: usize) {
        if let Some(array) = self.lent.take() {
            self.copy_lent(&array);
        }
        if self.has_nulls {
            self.validity.length = self.length;
            self.validity.resize(length, true);
        }
        self.length = length;
        match &mut self.data {
            OutputData::Null => {}
            OutputData::Boolean(bits) => bits.resize(length, false),
            OutputData::Int8(values) => resize(values, length),
            OutputData::Int16(values) => resize(values, length),
            OutputData::Int32(values) => resize(values, length),
            OutputData::Int64(values) => resize(values, length),
            OutputData::UInt8(values) => resize(values, length),
            OutputData::UInt16(values) => resize(values, length),
            OutputData::UInt32(values) => resize(values, length),
            OutputData::UInt64(values) => resize(values, length),
            OutputData::Float16(values) => resize(values, length),
            OutputData::Float32(values) => resize(values, length),
            OutputData::Float64(values) => resize(values, length),
            OutputData::Int128(values) => resize(values, length),
            OutputData::Interval(values) => resize(values, length),
            OutputData::Bytes(bytes) => bytes.resize(length),
            OutputData::List { offsets, sizes, .. } => {
                offsets.resize(length, 0);
                sizes.resize(length, 0);
            }
            OutputData::FixedList { size, child } => child.resize(length * *size),
            OutputData::Struct(fields) => fields.iter_mut().for_each(|field| field.resize(length)),
        }
    }

    /// Adds `count` rows at the end and returns the position of the first.
    pub fn grow(&mut self, count: usize) -> usize {
        let start = self.length;
        self.resize(start + count);
        start
    }

    /// Adds values of fixed width at the end and returns the position of the first.
    ///
    /// # Panics
    /// If the column has another physical form.
    pub fn extend<T: WritableFixed>(&mut self, values: &[T]) -> usize {
        let start = self.length;
        if self.has_nulls || self.lent.is_some() {
            self.resize(start + values.len());
            self.fixed::<T>()[start..].copy_from_slice(values);
            return start;
        }
        match T::values_mut(&mut self.data) {
            Some(held) => {
                held.truncate(start);
                held.extend_from_slice(values);
            }
            None => wrong_form(&self.data_type, std::any::type_name::<T>()),
        }
        self.length = start + values.len();
        start
    }

    /// Makes a row null.
    #[inline]
    pub fn set_null(&mut self, row: usize) {
        debug_assert!(self.lent.is_none(), "a row of another column was made null");
        if !self.has_nulls {
            self.has_nulls = true;
            self.validity.reset(self.length, true);
        }
        self.validity.set(row, false);
    }

    /// Makes a row valid again; its value must be written.
    #[inline]
    pub fn set_valid(&mut self, row: usize) {
        if self.has_nulls {
            self.validity.set(row, true);
        }
    }

    /// True if the row has not been made null.
    #[inline]
    pub fn is_valid(&self, row: usize) -> bool {
        if let Some(array) = &self.lent {
            return array.is_valid(row);
        }
        !matches!(self.data, OutputData::Null) && (!self.has_nulls || self.validity.get(row))
    }

    /// True if some row was made null.
    pub fn has_nulls(&self) -> bool {
        self.has_nulls
            || self.lent.as_ref().is_some_and(|array| array.null_count() > 0)
            || matches!(self.data, OutputData::Null)
    }

    /// Validity words for bulk writing, all-valid at first; a set bit is a valid row.
    pub fn validity_words(&mut self) -> &mut [u64] {
        if !self.has_nulls {
            self.has_nulls = true;
            self.validity.reset(self.length, true);
        }
        &mut self.validity.words
    }

    /// Adds a null row at the end.
    pub fn push_null(&mut self) {
        let row = self.grow(1);
        self.set_null(row);
    }

    /// Records that a row has no value because of `error`; it is raised only if the row is used.
    /// The row reads as null. `error` is not made where nobody will see it, as under TRY.
    #[cold]
    pub fn fail(&mut self, row: usize, error: impl FnOnce() -> Error) {
        self.set_null(row);
        if !self.has_failed {
            self.has_failed = true;
            self.failed.reset(self.length, false);
        }
        self.failed.set(row, true);
        if !self.quiet {
            self.errors.push((row as u32, error()));
        }
    }

    /// Under `quiet`, errors are recorded without their text: a TRY asked for the column.
    pub fn set_quiet(&mut self, quiet: bool) {
        self.quiet = quiet;
    }

    /// True if the row has failed.
    pub fn has_failed(&self, row: usize) -> bool {
        self.has_failed && self.failed.get(row)
    }

    /// The failed rows, if any.
    pub fn failed(&self) -> Option<&BitsMut> {
        self.has_failed.then_some(&self.failed)
    }

    /// Rows and errors in the order they were recorded.
    pub fn errors(&self) -> &[(u32, Error)] {
        &self.errors
    }

    /// Gives the errors recorded after the first `count` a place, where they have none.
    pub fn place_errors(&mut self, count: usize, place: Place) {
        for (_, error) in self.errors.iter_mut().skip(count) {
            let bare = std::mem::replace(error, Error::Resource(String::new()));
            *error = bare.at(place);
        }
    }

    /// Takes the errors out; the rows stay null.
    pub fn clear_errors(&mut self) {
        self.errors.clear();
        self.has_failed = false;
    }

    /// Fixed-width values to write, one per row.
    ///
    /// # Panics
    /// If the column has another physical form; the plan was verified, so this is a bug.
    #[inline]
    pub fn fixed<T: WritableFixed>(&mut self) -> &mut [T] {
        match T::slice_mut(&mut self.data) {
            Some(values) => values,
            None => wrong_form(&self.data_type, std::any::type_name::<T>()),
        }
    }

    /// Fixed-width values, one per row, for reading.
    ///
    /// # Panics
    /// If the column has another physical form.
    #[inline]
    pub fn fixed_values<T: WritableFixed>(&self) -> &[T] {
        match T::slice_of(&self.data) {
            Some(values) => values,
            None => wrong_form(&self.data_type, std::any::type_name::<T>()),
        }
    }

    /// A truth value.
    ///
    /// # Panics
    /// If the column is not Boolean.
    #[inline]
    pub fn truth(&self, row: usize) -> bool {
        match &self.data {
            OutputData::Boolean(bits) => bits.get(row),
            _ => wrong_form(&self.data_type, "boolean"),
        }
    }

    /// Truth values to write.
    ///
    /// # Panics
    /// If the column is not Boolean.
    #[inline]
    pub fn boolean(&mut self) -> &mut BitsMut {
        match &mut self.data {
            OutputData::Boolean(bits) => bits,
            _ => wrong_form(&self.data_type, "boolean"),
        }
    }

    /// Writer of text.
    ///
    /// # Panics
    /// If the column is not Text.
    #[inline]
    pub fn text(&mut self) -> TextWriter<'_> {
        debug_assert_eq!(self.data_type, Type::Text);
        TextWriter(self.bytes())
    }

    /// Writer of bytes. In a Text column write text only, through [`Output::text`].
    ///
    /// # Panics
    /// If the column is neither Binary nor Text.
    #[inline]
    pub fn bytes(&mut self) -> &mut BytesOutput {
        match &mut self.data {
            OutputData::Bytes(bytes) => bytes,
            _ => wrong_form(&self.data_type, "text or binary"),
        }
    }

    /// Writer of lists or of maps, whose elements are structs of key and value.
    ///
    /// # Panics
    /// If the column is neither.
    pub fn list(&mut self) -> ListWriter<'_> {
        match &mut self.data {
            OutputData::List { offsets, sizes, child } => ListWriter { offsets, sizes, child },
            _ => wrong_form(&self.data_type, "list"),
        }
    }

    /// The elements of a fixed list column, `dimension` for each row in row order.
    ///
    /// # Panics
    /// If the column is not a fixed list.
    pub fn fixed_list_child(&mut self) -> &mut Output {
        match &mut self.data {
            OutputData::FixedList { child, .. } => child,
            _ => wrong_form(&self.data_type, "fixed list"),
        }
    }

    /// One field of a struct column.
    ///
    /// # Panics
    /// If the column is not a struct with this field.
    pub fn field(&mut self, index: usize) -> &mut Output {
        match &mut self.data {
            OutputData::Struct(fields) => &mut fields[index],
            _ => wrong_form(&self.data_type, "struct"),
        }
    }

    /// All fields of a struct column.
    ///
    /// # Panics
    /// If the column is not a struct.
    pub fn fields(&mut self) -> &mut [Output] {
        match &mut self.data {
            OutputData::Struct(fields) => fields,
            _ => wrong_form(&self.data_type, "struct"),
        }
    }

    /// What was written, for reading.
    #[inline]
    pub fn view<'a>(&'a self, bump: &'a Bump) -> View<'a> {
        let mut view = View::nothing(&self.data_type);
        self.show(&mut view, bump);
        view
    }

    /// Makes a view one of what was written. Where many are made, each in its place, none is copied there.
    pub fn show<'a>(&'a self, view: &mut View<'a>, bump: &'a Bump) {
        if let Some(array) = &self.lent {
            *view = borrow(array, &self.data_type, bump);
            return;
        }
        view.data_type = &self.data_type;
        view.length = self.length;
        view.encoding = Encoding::Flat;
        view.validity = self.has_nulls.then(|| self.validity.as_bits());
        view.data = match &self.data {
            OutputData::Null => Data::Null,
            OutputData::Boolean(bits) => Data::Boolean(bits.as_bits()),
            OutputData::Int8(values) => Data::Int8(values),
            OutputData::Int16(values) => Data::Int16(values),
            OutputData::Int32(values) => Data::Int32(values),
            OutputData::Int64(values) => Data::Int64(values),
            OutputData::UInt8(values) => Data::UInt8(values),
            OutputData::UInt16(values) => Data::UInt16(values),
            OutputData::UInt32(values) => Data::UInt32(values),
            OutputData::UInt64(values) => Data::UInt64(values),
            OutputData::Float16(values) => Data::Float16(values),
            OutputData::Float32(values) => Data::Float32(values),
            OutputData::Float64(values) => Data::Float64(values),
            OutputData::Int128(values) => Data::Int128(values),
            OutputData::Interval(values) => Data::Interval(values),
            OutputData::Bytes(bytes) => Data::Bytes(bytes.as_data()),
            OutputData::List { offsets, sizes, child } => {
                let elements = child.lent.as_ref();
                let child = child.shown(bump);
                Data::List(ListData { offsets, sizes: Some(sizes), child, elements })
            }
            OutputData::FixedList { size, child } => {
                Data::FixedList { size: *size, child: child.shown(bump) }
            }
            OutputData::Struct(fields) => {
                Data::Struct(bump.alloc_slice_fill_iter(fields.iter().map(|field| field.view(bump))))
            }
        };
    }

    /// A view for the columns that hold this one.
    fn shown<'a>(&'a self, bump: &'a Bump) -> &'a View<'a> {
        let view = bump.alloc(View::nothing(&self.data_type));
        self.show(view, bump);
        view
    }

    /// Bytes of the column's own storage.
    pub fn memory_bytes(&self) -> usize {
        let data = match &self.data {
            OutputData::Null => 0,
            OutputData::Boolean(bits) => bits.words.capacity() * 8,
            OutputData::Int8(values) => values.capacity(),
            OutputData::UInt8(values) => values.capacity(),
            OutputData::Int16(values) => values.capacity() * 2,
            OutputData::UInt16(values) => values.capacity() * 2,
            OutputData::Float16(values) => values.capacity() * 2,
            OutputData::Int32(values) => values.capacity() * 4,
            OutputData::UInt32(values) => values.capacity() * 4,
            OutputData::Float32(values) => values.capacity() * 4,
            OutputData::Int64(values) => values.capacity() * 8,
            OutputData::UInt64(values) => values.capacity() * 8,
            OutputData::Float64(values) => values.capacity() * 8,
            OutputData::Int128(values) => values.capacity() * 16,
            OutputData::Interval(values) => values.capacity() * 16,
            OutputData::Bytes(bytes) => bytes.views.capacity() * 16 + bytes.own.capacity(),
            OutputData::List { offsets, sizes, child } => {
                (offsets.capacity() + sizes.capacity()) * 4 + child.memory_bytes()
            }
            OutputData::FixedList { child, .. } => child.memory_bytes(),
            OutputData::Struct(fields) => fields.iter().map(Output::memory_bytes).sum(),
        };
        data + self.validity.words.capacity() * 8
    }

    /// Checks that list offsets still fit 32 bits.
    ///
    /// # Errors
    /// [`Error::Resource`] if one batch holds more than 2^31 elements.
    pub fn check_capacity(&self) -> Result<()> {
        match &self.data {
            OutputData::List { child, .. } if child.length > i32::MAX as usize => {
                Err(Error::Resource(format!(
                    "one batch of {} holds {} elements; at most {} fit, use smaller batches",
                    self.data_type,
                    child.length,
                    i32::MAX
                )))
            }
            _ => Ok(()),
        }
    }

    /// Makes an empty column stand for `array`, which has the layout of the column's type; false, with nothing done, if rows are
    /// there already or nothing may be shared.
    pub(super) fn lend(&mut self, array: &ArrayRef) -> bool {
        let can_stand = self.length == 0 && !self.copies && array.data_type() == &self.data_type.to_arrow();
        if can_stand {
            self.length = array.len();
            self.lent = Some(ArrayRef::clone(array));
        }
        can_stand
    }

    /// Gives the column rows of its own, equal to those that it stood for.
    #[cold]
    fn copy_lent(&mut self, array: &ArrayRef) {
        let bump = Bump::new();
        self.length = 0;
        self.push_range(&borrow(array, &self.data_type.clone(), &bump), 0..array.len());
    }

    /// Takes back a buffer that was handed out and that nobody else holds any more.
    fn reclaim(&mut self) {
        if self.retained.is_empty() {
            return;
        }
        match &mut self.data {
            OutputData::Int8(values) => reclaim(values, &mut self.retained),
            OutputData::Int16(values) => reclaim(values, &mut self.retained),
            OutputData::Int32(values) => reclaim(values, &mut self.retained),
            OutputData::Int64(values) => reclaim(values, &mut self.retained),
            OutputData::UInt8(values) => reclaim(values, &mut self.retained),
            OutputData::UInt16(values) => reclaim(values, &mut self.retained),
            OutputData::UInt32(values) => reclaim(values, &mut self.retained),
            OutputData::UInt64(values) => reclaim(values, &mut self.retained),
            OutputData::Float32(values) => reclaim(values, &mut self.retained),
            OutputData::Float64(values) => reclaim(values, &mut self.retained),
            OutputData::Float16(values) => reclaim(values, &mut self.retained),
            OutputData::Int128(values) => reclaim(values, &mut self.retained),
            OutputData::Interval(values) => reclaim(values, &mut self.retained),
            OutputData::List { offsets, sizes, .. } => {
                reclaim(offsets, &mut self.retained);
                reclaim(sizes, &mut self.retained);
            }
            _ => self.retained.clear(),
        }
    }
}

fn reclaim<T: ArrowNativeType>(values: &mut Vec<T>, retained: &mut Recycled) {
    if values.capacity() == 0
        && let Some(taken) = retained.take()
    {
        *values = taken;
    }
}

/// Grows with zeroed pages from the allocator where there is no storage yet, which is cheaper than writing zeros.
fn resize<T: FixedWidth>(values: &mut Vec<T>, length: usize) {
    if values.capacity() == 0 {
        *values = vec![T::default(); length];
    } else {
        values.resize(length, T::default());
    }
}

#[cold]
#[inline(never)]
fn wrong_form(data_type: &Type, wanted: &str) -> ! {
    // The planner verified the types, so another form here is a bug; the border turns it into an error.
    #[allow(clippy::panic)]
    {
        panic!("internal error: output of type {data_type} written as {wanted}")
    }
}
