//! Borrowed, read-only sight of a column: what every kernel and function is given.
//!
//! A view is flat, constant or dictionary-encoded; [`View::value_index`] hides which. Typed access
//! comes from [`View::fixed`], [`View::text`], [`View::list`] and their kin, decided once per call.

use std::ops::Range;

use arrow::array::ArrayRef;
use arrow::buffer::Buffer;
use arrow::datatypes::IntervalMonthDayNano;
use half::f16;

use super::bits::Bits;
use super::trusted;
use crate::types::Type;

/// How the rows of a view map to its values.
#[derive(Debug, Clone, Copy)]
pub enum Encoding<'a> {
    /// Row `i` is value `i`.
    Flat,
    /// Every row is value 0.
    Constant,
    /// Row `i` is value `indices[i]`, unless `validity` says that the row is null.
    Dictionary {
        /// Value of each row.
        indices: &'a [u32],
        /// Nulls on top of those of the values.
        validity: Option<&'a Bits<'a>>,
    },
}

/// Values by physical form.
#[derive(Debug, Clone, Copy)]
pub enum Data<'a> {
    /// Only nulls.
    Null,
    /// Truth values.
    Boolean(Bits<'a>),
    /// Int8.
    Int8(&'a [i8]),
    /// Int16.
    Int16(&'a [i16]),
    /// Int32, Date.
    Int32(&'a [i32]),
    /// Int64, Time, Timestamp, TimestampTz, Decimal of up to 18 digits (unscaled).
    Int64(&'a [i64]),
    /// UInt8.
    UInt8(&'a [u8]),
    /// UInt16.
    UInt16(&'a [u16]),
    /// UInt32.
    UInt32(&'a [u32]),
    /// UInt64.
    UInt64(&'a [u64]),
    /// Float16.
    Float16(&'a [f16]),
    /// Float32.
    Float32(&'a [f32]),
    /// Float64.
    Float64(&'a [f64]),
    /// Decimal of more than 18 digits, unscaled.
    Int128(&'a [i128]),
    /// Interval.
    Interval(&'a [IntervalMonthDayNano]),
    /// Text and Binary.
    Bytes(BytesData<'a>),
    /// List and Map (whose child is a struct of key and value).
    List(ListData<'a>),
    /// FixedList: value `i` is the `size` child values from `i * size`.
    FixedList {
        /// The dimension.
        size: usize,
        /// The elements.
        child: &'a View<'a>,
    },
    /// One view per field, each as long as the struct.
    Struct(&'a [View<'a>]),
}

/// Text or bytes in view layout: 4 bytes of length, then up to 12 bytes inline, or 4 bytes of
/// prefix, a buffer number and an offset.
#[derive(Debug, Clone, Copy)]
pub struct BytesData<'a> {
    /// One 16-byte view per value.
    pub views: &'a [u128],
    /// Bytes under construction, which are then buffer 0; `None` for Arrow data.
    pub own: Option<&'a Vec<u8>>,
    /// The (other) buffers.
    pub buffers: &'a [Buffer],
}

impl<'a> BytesData<'a> {
    /// The bytes of one value.
    #[inline]
    pub fn get(&self, index: usize) -> &'a [u8] {
        self.bytes_of(&self.views[index])
    }

    /// The bytes of a view that is one of these, or a copy of one.
    #[inline]
    pub(crate) fn bytes_of<'b>(&self, view: &'b u128) -> &'b [u8]
    where
        'a: 'b,
    {
        let length = *view as u32 as usize;
        if length <= 12 {
            return &as_bytes(view)[4..4 + length];
        }
        let buffer = (*view >> 64) as u32 as usize;
        let start = (*view >> 96) as u32 as usize;
        let bytes: &'b [u8] = match (self.own, buffer) {
            (None, _) => &self.buffers[buffer],
            (Some(own), 0) => own,
            (Some(_), _) => &self.buffers[buffer - 1],
        };
        &bytes[start..start + length]
    }

    /// Length in bytes of one value.
    #[inline]
    pub fn length(&self, index: usize) -> usize {
        self.views[index] as u32 as usize
    }
}

/// The 16 bytes of a view in memory order, which on this project's (little-endian) machines is Arrow's.
#[inline]
fn as_bytes(view: &u128) -> &[u8] {
    use arrow::datatypes::ToByteSlice;
    std::slice::from_ref(view).to_byte_slice()
}

/// Offsets and elements of lists.
#[derive(Debug, Clone, Copy)]
pub struct ListData<'a> {
    /// Start of each list in the child; one more than there are lists if `sizes` is `None`.
    pub offsets: &'a [i32],
    /// Length of each list, where lists need not follow one another.
    pub sizes: Option<&'a [i32]>,
    /// The elements of all lists.
    pub child: &'a View<'a>,
    /// The array that the elements lie in, where they are one of Arrow: what another column of lists may share.
    pub elements: Option<&'a ArrayRef>,
}

impl ListData<'_> {
    /// Where value `index` lies in the child.
    #[inline]
    pub fn range(&self, index: usize) -> Range<usize> {
        let start = self.offsets[index] as usize;
        match self.sizes {
            Some(sizes) => start..start + sizes[index] as usize,
            None => start..self.offsets[index + 1] as usize,
        }
    }
}

/// A borrowed column. Cheap to copy.
#[derive(Debug, Clone, Copy)]
pub struct View<'a> {
    /// Logical type.
    pub data_type: &'a Type,
    /// Number of rows.
    pub length: usize,
    /// How rows map to values.
    pub encoding: Encoding<'a>,
    /// Validity of the values; `None` if none is null.
    pub validity: Option<Bits<'a>>,
    /// The values.
    pub data: Data<'a>,
}

impl<'a> View<'a> {
    /// A column of no rows.
    #[inline]
    pub fn nothing(data_type: &'a Type) -> Self {
        Self { data_type, length: 0, encoding: Encoding::Flat, validity: None, data: Data::Null }
    }

    /// The value that row `row` shows.
    #[inline(always)]
    pub fn value_index(&self, row: usize) -> usize {
        match self.encoding {
            Encoding::Flat => row,
            Encoding::Constant => 0,
            Encoding::Dictionary { indices, .. } => indices[row] as usize,
        }
    }

    /// True if row `row` holds a value.
    #[inline(always)]
    pub fn is_valid(&self, row: usize) -> bool {
        if let Encoding::Dictionary { validity: Some(validity), .. } = self.encoding
            && !validity.get(row)
        {
            return false;
        }
        match (&self.validity, self.data) {
            (_, Data::Null) => false,
            (None, _) => true,
            (Some(validity), _) => validity.get(self.value_index(row)),
        }
    }

    /// True if row `row` is null.
    #[inline(always)]
    pub fn is_null(&self, row: usize) -> bool {
        !self.is_valid(row)
    }

    /// True if a row may be null; false promises that none is.
    pub fn may_be_null(&self) -> bool {
        self.validity.is_some()
            || matches!(self.data, Data::Null)
            || matches!(self.encoding, Encoding::Dictionary { validity: Some(_), .. })
    }

    /// The bits that alone say which rows have a value: of a flat column, or of a dictionary without null values. `None` where there
    /// are no such bits, and for rows that are all null or all valid.
    pub fn row_validity(&self) -> Option<Bits<'a>> {
        match (self.encoding, self.validity) {
            _ if matches!(self.data, Data::Null) => None,
            (Encoding::Flat, validity) => validity,
            (Encoding::Dictionary { validity, .. }, None) => validity.copied(),
            _ => None,
        }
    }

    /// True for a constant column.
    pub fn is_constant(&self) -> bool {
        matches!(self.encoding, Encoding::Constant)
    }

    /// True for a flat column.
    pub fn is_flat(&self) -> bool {
        matches!(self.encoding, Encoding::Flat)
    }

    /// The same values, each seen once: the dictionary or the constant itself.
    pub fn values(&self, length: usize) -> View<'a> {
        View { length, encoding: Encoding::Flat, ..*self }
    }

    /// A stretch of the rows of a flat column of one level; `None` for other columns.
    pub fn part(&self, rows: Range<usize>) -> Option<View<'a>> {
        if !self.is_flat() {
            return None;
        }
        let data = match self.data {
            Data::Boolean(bits) => Data::Boolean(bits.slice(rows.start, rows.len())),
            Data::Int8(values) => Data::Int8(&values[rows.clone()]),
            Data::Int16(values) => Data::Int16(&values[rows.clone()]),
            Data::Int32(values) => Data::Int32(&values[rows.clone()]),
            Data::Int64(values) => Data::Int64(&values[rows.clone()]),
            Data::UInt8(values) => Data::UInt8(&values[rows.clone()]),
            Data::UInt16(values) => Data::UInt16(&values[rows.clone()]),
            Data::UInt32(values) => Data::UInt32(&values[rows.clone()]),
            Data::UInt64(values) => Data::UInt64(&values[rows.clone()]),
            Data::Float16(values) => Data::Float16(&values[rows.clone()]),
            Data::Float32(values) => Data::Float32(&values[rows.clone()]),
            Data::Float64(values) => Data::Float64(&values[rows.clone()]),
            Data::Int128(values) => Data::Int128(&values[rows.clone()]),
            Data::Interval(values) => Data::Interval(&values[rows.clone()]),
            Data::Bytes(bytes) => Data::Bytes(BytesData { views: &bytes.views[rows.clone()], ..bytes }),
            Data::Null | Data::List(_) | Data::FixedList { .. } | Data::Struct(_) => return None,
        };
        let validity = self.validity.map(|validity| validity.slice(rows.start, rows.len()));
        Some(View { length: rows.len(), validity, data, ..*self })
    }

    /// Fixed-width values of the Rust type `T`.
    ///
    /// # Panics
    /// If the column has another physical form; the plan was verified, so this is a bug.
    #[inline]
    pub fn fixed<T: FixedWidth>(&self) -> Fixed<'a, T> {
        match T::slice(&self.data) {
            Some(values) => Fixed { values, encoding: self.encoding },
            None => wrong_form(self, std::any::type_name::<T>()),
        }
    }

    /// Truth values.
    ///
    /// # Panics
    /// If the column is not Boolean.
    #[inline]
    pub fn boolean(&self) -> Boolean<'a> {
        match self.data {
            Data::Boolean(bits) => Boolean { bits, encoding: self.encoding },
            _ => wrong_form(self, "boolean"),
        }
    }

    /// Text values.
    ///
    /// # Panics
    /// If the column is not Text.
    #[inline]
    pub fn text(&self) -> Text<'a> {
        debug_assert_eq!(*self.data_type, Type::Text);
        Text(self.bytes())
    }

    /// Bytes of Binary or Text values.
    ///
    /// # Panics
    /// If the column is neither.
    #[inline]
    pub fn bytes(&self) -> Bytes<'a> {
        match self.data {
            Data::Bytes(data) => Bytes { data, encoding: self.encoding },
            _ => wrong_form(self, "text or binary"),
        }
    }

    /// Lists: of List, Map (elements are structs of key and value) and FixedList columns.
    ///
    /// # Panics
    /// If the column is none of these.
    #[inline]
    pub fn list(&self) -> List<'a> {
        let shape = match self.data {
            Data::List(data) => Shape::Offsets(data),
            Data::FixedList { size, child } => Shape::Fixed { size, child },
            _ => wrong_form(self, "list"),
        };
        List { shape, encoding: self.encoding }
    }

    /// Field `index` of a struct column, as a column of the same rows. The struct's own nulls are
    /// not in it: ask the struct.
    ///
    /// # Panics
    /// If the column is not a struct of more than `index` fields.
    pub fn field(&self, index: usize) -> View<'a> {
        let Data::Struct(fields) = self.data else { wrong_form(self, "struct") };
        let field = fields[index];
        match (self.encoding, field.encoding) {
            (Encoding::Flat, _) => field,
            (encoding, Encoding::Flat) => View { length: self.length, encoding, ..field },
            (_, Encoding::Constant) => View { length: self.length, ..field },
            (_, Encoding::Dictionary { .. }) => wrong_form(self, "struct with at most one dictionary level"),
        }
    }
}

#[cold]
#[inline(never)]
fn wrong_form(view: &View<'_>, wanted: &str) -> ! {
    // The planner coerces every argument, so another form here is a bug; the border turns it into an error.
    #[allow(clippy::panic)]
    {
        panic!("internal error: column of type {} read as {wanted}", view.data_type)
    }
}

/// Rust types of fixed-width values.
pub trait FixedWidth: Copy + Default + PartialEq + Send + Sync + std::fmt::Debug + 'static {
    /// The values of `data` if it has this form.
    fn slice<'a>(data: &Data<'a>) -> Option<&'a [Self]>;
}

macro_rules! fixed_width {
    ($($rust:ty => $variant:ident),*) => {
        $(impl FixedWidth for $rust {
            #[inline]
            fn slice<'a>(data: &Data<'a>) -> Option<&'a [Self]> {
                match data { Data::$variant(values) => Some(values), _ => None }
            }
        })*
    };
}
// One arm expands to the impl of `slice` that recognises one variant of `Data`.
fixed_width!(i8 => Int8, i16 => Int16, i32 => Int32, i64 => Int64, u8 => UInt8, u16 => UInt16, u32 => UInt32, u64 => UInt64, f16 => Float16, f32 => Float32, f64 => Float64, i128 => Int128, IntervalMonthDayNano => Interval);

#[inline(always)]
fn resolve(encoding: Encoding<'_>, row: usize) -> usize {
    match encoding {
        Encoding::Flat => row,
        Encoding::Constant => 0,
        Encoding::Dictionary { indices, .. } => indices[row] as usize,
    }
}

/// Fixed-width values of a view.
#[derive(Debug, Clone, Copy)]
pub struct Fixed<'a, T> {
    /// The values, by value index.
    pub values: &'a [T],
    encoding: Encoding<'a>,
}

impl<'a, T: FixedWidth> Fixed<'a, T> {
    /// The value of a row; unspecified where the row is null.
    #[inline(always)]
    pub fn get(&self, row: usize) -> T {
        self.values[resolve(self.encoding, row)]
    }

    /// The values as a slice by row, where the column is flat.
    #[inline]
    pub fn flat(&self) -> Option<&'a [T]> {
        matches!(self.encoding, Encoding::Flat).then_some(self.values)
    }

    /// The value of all rows, where the column is constant.
    #[inline]
    pub fn constant(&self) -> Option<T> {
        matches!(self.encoding, Encoding::Constant).then(|| self.values[0])
    }
}

/// Truth values of a view.
#[derive(Debug, Clone, Copy)]
pub struct Boolean<'a> {
    /// The values, by value index.
    pub bits: Bits<'a>,
    encoding: Encoding<'a>,
}

impl Boolean<'_> {
    /// The value of a row; unspecified where the row is null.
    #[inline(always)]
    pub fn get(&self, row: usize) -> bool {
        self.bits.get(resolve(self.encoding, row))
    }
}

/// Bytes of a view.
#[derive(Debug, Clone, Copy)]
pub struct Bytes<'a> {
    /// The values, by value index.
    pub data: BytesData<'a>,
    encoding: Encoding<'a>,
}

impl<'a> Bytes<'a> {
    /// The bytes of a row; unspecified where the row is null.
    #[inline(always)]
    pub fn get(&self, row: usize) -> &'a [u8] {
        self.data.get(resolve(self.encoding, row))
    }

    /// Length in bytes of a row.
    #[inline(always)]
    pub fn length(&self, row: usize) -> usize {
        self.data.length(resolve(self.encoding, row))
    }

    /// The values by row, where the column is flat.
    #[inline]
    pub(crate) fn flat(&self) -> Option<BytesData<'a>> {
        matches!(self.encoding, Encoding::Flat).then_some(self.data)
    }

    /// The 16-byte view of a row.
    #[inline(always)]
    pub(crate) fn view(&self, row: usize) -> u128 {
        self.data.views[resolve(self.encoding, row)]
    }
}

/// Text of a view.
#[derive(Debug, Clone, Copy)]
pub struct Text<'a>(pub Bytes<'a>);

impl<'a> Text<'a> {
    /// The text of a row; unspecified (but text) where the row is null.
    #[inline(always)]
    pub fn get(&self, row: usize) -> &'a str {
        trusted::text_of(self.0.get(row))
    }
}

#[derive(Debug, Clone, Copy)]
enum Shape<'a> {
    Offsets(ListData<'a>),
    Fixed { size: usize, child: &'a View<'a> },
}

/// Lists of a view.
#[derive(Debug, Clone, Copy)]
pub struct List<'a> {
    shape: Shape<'a>,
    encoding: Encoding<'a>,
}

impl<'a> List<'a> {
    /// Positions of a row's elements in [`List::child`]; unspecified where the row is null.
    #[inline(always)]
    pub fn range(&self, row: usize) -> Range<usize> {
        let index = resolve(self.encoding, row);
        match self.shape {
            Shape::Offsets(data) => data.range(index),
            Shape::Fixed { size, .. } => index * size..(index + 1) * size,
        }
    }

    /// Where the lists of all rows start, and the last one ends, if they follow one another in the order of the rows.
    pub fn offsets(&self) -> Option<&'a [i32]> {
        match (self.encoding, self.shape) {
            (Encoding::Flat, Shape::Offsets(ListData { offsets, sizes: None, .. })) => Some(offsets),
            _ => None,
        }
    }

    /// Where each row's list starts and how long it is, if lists say so by row.
    pub fn starts_and_sizes(&self) -> Option<(&'a [i32], &'a [i32])> {
        match (self.encoding, self.shape) {
            (Encoding::Flat, Shape::Offsets(ListData { offsets, sizes: Some(sizes), .. })) => {
                Some((offsets, sizes))
            }
            _ => None,
        }
    }

    /// The array that [`List::child`] is seen in, if there is one.
    pub fn elements(&self) -> Option<&'a ArrayRef> {
        match self.shape {
            Shape::Offsets(data) => data.elements,
            Shape::Fixed { .. } => None,
        }
    }

    /// Number of elements of a row.
    #[inline(always)]
    pub fn length(&self, row: usize) -> usize {
        self.range(row).len()
    }

    /// The elements of all lists.
    #[inline]
    pub fn child(&self) -> &'a View<'a> {
        match self.shape {
            Shape::Offsets(data) => data.child,
            Shape::Fixed { child, .. } => child,
        }
    }
}
