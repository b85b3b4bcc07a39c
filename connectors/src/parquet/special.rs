//! Leaves whose fixed-length bytes mean something that the decoder does not give: intervals and UUIDs.

use std::fmt::Write as _;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, IntervalMonthDayNanoBuilder, StringViewBuilder};
use arrow::datatypes::{DataType, IntervalMonthDayNano, IntervalUnit};
use arrow::error::ArrowError;
use parquet::basic::{ConvertedType, LogicalType, Type as PhysicalType};
use parquet::errors::Result;
use parquet::schema::types::{Type, TypePtr};

use crate::leaves::{array_with_leaves, type_with_leaves};

/// A meaning of fixed-length bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Special {
    /// Months, days and milliseconds in 12 bytes; the decoder's own reading loses one of them.
    Interval,
    /// A UUID in 16 bytes, read as its text.
    Uuid,
}

/// Bytes of an interval.
const INTERVAL_BYTES: i32 = 12;
/// Bytes of a UUID.
const UUID_BYTES: i32 = 16;

impl Special {
    /// The meaning of a leaf of this type, if it is a special one.
    pub(super) fn of(parquet: &Type) -> Option<Self> {
        let Type::PrimitiveType {
            physical_type: PhysicalType::FIXED_LEN_BYTE_ARRAY,
            type_length,
            basic_info,
            ..
        } = parquet
        else {
            return None;
        };
        match (basic_info.logical_type_ref(), *type_length) {
            (Some(LogicalType::Uuid), UUID_BYTES) => Some(Self::Uuid),
            (None, INTERVAL_BYTES) if basic_info.converted_type() == ConvertedType::INTERVAL => {
                Some(Self::Interval)
            }
            _ => None,
        }
    }

    /// The meanings of the leaves of a column; none at all where no leaf is special.
    pub(super) fn of_leaves(parquet: &Type) -> Vec<Option<Self>> {
        fn gather(parquet: &Type, into: &mut Vec<Option<Special>>) {
            match parquet {
                Type::PrimitiveType { .. } => into.push(Special::of(parquet)),
                Type::GroupType { fields, .. } => fields.iter().for_each(|field| gather(field, into)),
            }
        }
        let mut meanings = Vec::new();
        gather(parquet, &mut meanings);
        if meanings.iter().all(Option::is_none) { Vec::new() } else { meanings }
    }

    /// The type of a leaf as plain bytes, if it is special and the decoder would not give it as such.
    pub(super) fn unmarked(parquet: &Type) -> Result<Option<TypePtr>> {
        if Self::of(parquet) != Some(Self::Interval) {
            return Ok(None);
        }
        let info = parquet.get_basic_info();
        let plain = Type::primitive_type_builder(info.name(), PhysicalType::FIXED_LEN_BYTE_ARRAY)
            .with_length(INTERVAL_BYTES)
            .with_repetition(info.repetition())
            .build()?;
        Ok(Some(Arc::new(plain)))
    }

    /// The Arrow type of its values.
    pub(super) fn arrow_type(self) -> DataType {
        match self {
            Self::Interval => DataType::Interval(IntervalUnit::MonthDayNano),
            Self::Uuid => DataType::Utf8View,
        }
    }

    /// Decoded bytes as values.
    fn convert(self, array: &ArrayRef) -> Result<ArrayRef, ArrowError> {
        let bytes = array.as_fixed_size_binary_opt().ok_or_else(|| {
            ArrowError::CastError(format!("{} where fixed-length bytes were asked", array.data_type()))
        })?;
        Ok(match self {
            Self::Interval => {
                let mut builder = IntervalMonthDayNanoBuilder::with_capacity(bytes.len());
                bytes.iter().for_each(|value| builder.append_option(value.and_then(interval)));
                Arc::new(builder.finish())
            }
            Self::Uuid => {
                let mut builder = StringViewBuilder::with_capacity(bytes.len());
                let mut text = String::with_capacity(36);
                for value in bytes.iter() {
                    builder.append_option(value.map(|value| {
                        write_uuid(value, &mut text);
                        text.as_str()
                    }));
                }
                Arc::new(builder.finish())
            }
        })
    }
}

/// A decoded column as its leaves mean it.
pub(super) fn with_meanings(array: &ArrayRef, meanings: &[Option<Special>]) -> Result<ArrayRef, ArrowError> {
    let mut meanings = meanings.iter();
    array_with_leaves(array, &mut |leaf| match meanings.next() {
        Some(Some(special)) => special.convert(leaf),
        _ => Ok(Arc::clone(leaf)),
    })
}

/// The type of a decoded column as its leaves mean it.
pub(super) fn type_with_meanings(data_type: &DataType, meanings: &[Option<Special>]) -> DataType {
    let mut meanings = meanings.iter();
    type_with_leaves(data_type, &mut |leaf| match meanings.next() {
        Some(Some(special)) => special.arrow_type(),
        _ => leaf.clone(),
    })
}

fn interval(bytes: &[u8]) -> Option<IntervalMonthDayNano> {
    let number = |at: usize| Some(u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?));
    Some(IntervalMonthDayNano::new(number(0)? as i32, number(4)? as i32, i64::from(number(8)?) * 1_000_000))
}

fn write_uuid(bytes: &[u8], text: &mut String) {
    text.clear();
    for (index, byte) in bytes.iter().enumerate() {
        if matches!(index, 4 | 6 | 8 | 10) {
            text.push('-');
        }
        // Writing to a string does not fail.
        let _ = write!(text, "{byte:02x}");
    }
}
