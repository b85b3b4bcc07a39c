//! Values in Parquet statistics as bounds in the order of the column's logical type.

use hypostyle_functions::{TimeUnit, Type};
use parquet::basic::{ConvertedType, LogicalType};
use parquet::schema::types::ColumnDescriptor;

use crate::prune::{Bound, ColumnRange};

/// How the physical values of one column become bounds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::parquet) enum Conversion {
    /// Whole numbers, with a factor to the unit of the logical type.
    Signed { multiply: i128, divide: i128 },
    /// Whole numbers stored in the bits of signed ones.
    Unsigned,
    /// Big-endian two's complement of any length.
    BigEndian,
    /// Singles and doubles.
    Float,
    /// Half floats, two bytes each.
    Half,
    /// Text and binary, ordered byte by byte.
    Bytes,
    /// Truth values.
    Boolean,
}

impl Conversion {
    /// The conversion for a leaf whose column has this logical form; `None` where bounds are not used.
    pub(in crate::parquet) fn of(leaf: &ColumnDescriptor, logical: &Type) -> Option<Self> {
        use parquet::basic::Type as Physical;
        match (leaf.physical_type(), logical) {
            (Physical::BOOLEAN, Type::Boolean) => Some(Self::Boolean),
            (Physical::INT32, Type::UInt8 | Type::UInt16 | Type::UInt32)
            | (Physical::INT64, Type::UInt64) => Some(Self::Unsigned),
            (
                Physical::INT32 | Physical::INT64,
                Type::Int8 | Type::Int16 | Type::Int32 | Type::Int64 | Type::Decimal(..),
            )
            | (Physical::INT32, Type::Date) => Some(Self::Signed { multiply: 1, divide: 1 }),
            (Physical::INT32 | Physical::INT64, Type::Timestamp(_) | Type::TimestampTz | Type::Time) => {
                let from = i128::from(stored_unit(leaf)?.per_second());
                let to = match logical {
                    Type::Timestamp(unit) => i128::from(unit.per_second()),
                    _ => 1_000_000,
                };
                Some(Self::Signed { multiply: (to / from).max(1), divide: (from / to).max(1) })
            }
            (Physical::FLOAT, Type::Float32) | (Physical::DOUBLE, Type::Float64) => Some(Self::Float),
            (Physical::FIXED_LEN_BYTE_ARRAY, Type::Float16) => Some(Self::Half),
            (Physical::FIXED_LEN_BYTE_ARRAY | Physical::BYTE_ARRAY, Type::Decimal(..)) => {
                Some(Self::BigEndian)
            }
            (Physical::BYTE_ARRAY, Type::Text | Type::Binary)
            | (Physical::FIXED_LEN_BYTE_ARRAY, Type::Binary) => Some(Self::Bytes),
            _ => None,
        }
    }

    pub(super) fn integer(self, value: i64, bits: u32) -> Option<Bound> {
        match self {
            Self::Signed { multiply, divide } => {
                Some(Bound::Integer((i128::from(value) * multiply).div_euclid(divide)))
            }
            Self::Unsigned if bits == 32 => Some(Bound::Integer(i128::from(value as u32))),
            Self::Unsigned => Some(Bound::Integer(i128::from(value as u64))),
            _ => None,
        }
    }

    pub(super) fn float(self, value: f64) -> Option<Bound> {
        (self == Self::Float && !value.is_nan()).then_some(Bound::Float(value))
    }

    pub(super) fn boolean(self, value: bool) -> Option<Bound> {
        (self == Self::Boolean).then_some(Bound::Integer(i128::from(value)))
    }

    pub(super) fn bytes(self, value: &[u8]) -> Option<Bound> {
        match self {
            Self::Bytes => Some(Bound::Bytes(value.to_vec())),
            Self::BigEndian => big_endian(value).map(Bound::Integer),
            Self::Half => {
                let value = half::f16::from_le_bytes(value.try_into().ok()?).to_f64();
                (!value.is_nan()).then_some(Bound::Float(value))
            }
            _ => None,
        }
    }

    /// Makes bounds hold for values that lose digits on their way to the logical unit, whichever way they
    /// are rounded.
    pub(super) fn loosen(self, range: &mut ColumnRange) {
        if matches!(self, Self::Signed { divide, .. } if divide > 1) {
            range.exact = false;
            if let Some(Bound::Integer(upper)) = &mut range.upper {
                *upper += 1;
            }
        }
    }

    /// True for columns whose values may be NaN, which bounds leave out.
    pub(super) fn nan_possible(self) -> bool {
        matches!(self, Self::Float | Self::Half)
    }

    /// True where statistics of the first format version, ordered as signed values, are of use.
    pub(super) fn is_signed_order(self) -> bool {
        matches!(self, Self::Signed { .. } | Self::Float | Self::Boolean)
    }
}

fn big_endian(bytes: &[u8]) -> Option<i128> {
    if bytes.is_empty() || bytes.len() > 16 {
        return None;
    }
    let mut wide = if bytes[0] & 0x80 == 0 { [0; 16] } else { [0xff; 16] };
    wide[16 - bytes.len()..].copy_from_slice(bytes);
    Some(i128::from_be_bytes(wide))
}

fn stored_unit(leaf: &ColumnDescriptor) -> Option<TimeUnit> {
    use parquet::basic::TimeUnit as Stored;
    let of = |unit: &Stored| match unit {
        Stored::MILLIS => TimeUnit::Millisecond,
        Stored::MICROS => TimeUnit::Microsecond,
        Stored::NANOS => TimeUnit::Nanosecond,
    };
    match (leaf.logical_type_ref(), leaf.converted_type()) {
        (Some(LogicalType::Timestamp(timestamp)), _) => Some(of(&timestamp.unit)),
        (Some(LogicalType::Time(time)), _) => Some(of(&time.unit)),
        (_, ConvertedType::TIMESTAMP_MILLIS | ConvertedType::TIME_MILLIS) => Some(TimeUnit::Millisecond),
        (_, ConvertedType::TIMESTAMP_MICROS | ConvertedType::TIME_MICROS) => Some(TimeUnit::Microsecond),
        _ => None,
    }
}
