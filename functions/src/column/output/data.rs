//! The values of an output, by the form in which they are kept.

use arrow::datatypes::IntervalMonthDayNano;
use half::f16;

use super::Output;
use crate::column::bits::BitsMut;
use crate::column::bytes_output::BytesOutput;
use crate::column::view::FixedWidth;
use crate::types::Type;

/// Values of an [`Output`], by physical form; each variant is the writable twin of one of [`Data`].
#[derive(Debug)]
pub enum OutputData {
    /// Only nulls.
    Null,
    /// Truth values.
    Boolean(BitsMut),
    /// Int8.
    Int8(Vec<i8>),
    /// Int16.
    Int16(Vec<i16>),
    /// Int32, Date.
    Int32(Vec<i32>),
    /// Int64, Time, Timestamp, TimestampTz.
    Int64(Vec<i64>),
    /// UInt8.
    UInt8(Vec<u8>),
    /// UInt16.
    UInt16(Vec<u16>),
    /// UInt32.
    UInt32(Vec<u32>),
    /// UInt64.
    UInt64(Vec<u64>),
    /// Float16.
    Float16(Vec<f16>),
    /// Float32.
    Float32(Vec<f32>),
    /// Float64.
    Float64(Vec<f64>),
    /// Decimal.
    Int128(Vec<i128>),
    /// Interval.
    Interval(Vec<IntervalMonthDayNano>),
    /// Text and Binary.
    Bytes(BytesOutput),
    /// List and Map.
    List {
        /// Start of each list in the child.
        offsets: Vec<i32>,
        /// Length of each list.
        sizes: Vec<i32>,
        /// The elements, appended.
        child: Box<Output>,
    },
    /// FixedList.
    FixedList {
        /// The dimension.
        size: usize,
        /// The elements, `size` for each row.
        child: Box<Output>,
    },
    /// Struct: one output per field.
    Struct(Vec<Output>),
}

impl OutputData {
    pub(super) fn new(data_type: &Type) -> Self {
        match data_type {
            Type::Null => Self::Null,
            Type::Boolean => Self::Boolean(BitsMut::default()),
            Type::Int8 => Self::Int8(Vec::new()),
            Type::Int16 => Self::Int16(Vec::new()),
            Type::Int32 | Type::Date => Self::Int32(Vec::new()),
            Type::Int64 | Type::Time | Type::Timestamp(_) | Type::TimestampTz => Self::Int64(Vec::new()),
            Type::UInt8 => Self::UInt8(Vec::new()),
            Type::UInt16 => Self::UInt16(Vec::new()),
            Type::UInt32 => Self::UInt32(Vec::new()),
            Type::UInt64 => Self::UInt64(Vec::new()),
            Type::Float16 => Self::Float16(Vec::new()),
            Type::Float32 => Self::Float32(Vec::new()),
            Type::Float64 => Self::Float64(Vec::new()),
            Type::Decimal(..) if data_type.is_narrow_decimal() => Self::Int64(Vec::new()),
            Type::Decimal(..) => Self::Int128(Vec::new()),
            Type::Interval => Self::Interval(Vec::new()),
            Type::Text | Type::Binary => Self::Bytes(BytesOutput::default()),
            Type::List(element) => Self::list_of(Type::clone(element)),
            Type::Map(key, value) => Self::list_of(Type::map_entry(key, value)),
            Type::FixedList(element, size) => {
                Self::FixedList { size: *size, child: Box::new(Output::new(Type::clone(element))) }
            }
            Type::Struct(fields) => {
                Self::Struct(fields.iter().map(|field| Output::new(field.data_type.clone())).collect())
            }
        }
    }

    fn list_of(element: Type) -> Self {
        Self::List { offsets: Vec::new(), sizes: Vec::new(), child: Box::new(Output::new(element)) }
    }
}

/// Rust types that an [`Output`] can hold by value.
pub trait WritableFixed: FixedWidth {
    /// The values of `data` if it has this form.
    fn slice_of(data: &OutputData) -> Option<&[Self]>;

    /// The values of `data` to write, if it has this form.
    #[inline]
    fn slice_mut(data: &mut OutputData) -> Option<&mut [Self]> {
        Self::values_mut(data).map(Vec::as_mut_slice)
    }

    /// The values of `data` to add to, if it has this form.
    fn values_mut(data: &mut OutputData) -> Option<&mut Vec<Self>>;
}

macro_rules! writable_fixed {
    ($($rust:ty => $variant:ident),*) => {
        $(impl WritableFixed for $rust {
            #[inline]
            fn slice_of(data: &OutputData) -> Option<&[Self]> {
                match data { OutputData::$variant(values) => Some(values), _ => None }
            }
            #[inline]
            fn values_mut(data: &mut OutputData) -> Option<&mut Vec<Self>> {
                match data { OutputData::$variant(values) => Some(values), _ => None }
            }
        })*
    };
}
// One arm expands to the impl of the slices that recognises one variant of `OutputData`.
writable_fixed!(i8 => Int8, i16 => Int16, i32 => Int32, i64 => Int64, u8 => UInt8, u16 => UInt16, u32 => UInt32, u64 => UInt64, f16 => Float16, f32 => Float32, f64 => Float64, i128 => Int128, IntervalMonthDayNano => Interval);
