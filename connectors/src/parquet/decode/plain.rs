//! Values of fixed width as pages hold them.

use arrow::array::{ArrayData, ArrayRef, BooleanArray, make_array};
use arrow::buffer::{BooleanBuffer, Buffer, NullBuffer};
use arrow::datatypes::{ArrowNativeType, DataType};
use bytes::Bytes;
use half::f16;
use parquet::basic::Encoding;

use super::cursor::PageValues;
use super::delta::Deltas;
use super::fault::{Fault, Result};
use super::hybrid::Hybrid;

/// A value as it is stored.
pub trait Stored: Copy + Default + Send + Sync + 'static {
    /// The value of its bytes.
    fn of_bytes(bytes: &[u8]) -> Self;

    /// Appends the values of bytes that hold one after the other, `bytes_each` long.
    fn append(bytes: &[u8], bytes_each: usize, values: &mut Vec<Self>) {
        values.extend(bytes.chunks_exact(bytes_each.max(1)).map(Self::of_bytes));
    }

    /// The value of a whole number, where it is one.
    fn of_integer(_: i64) -> Option<Self> {
        None
    }

    /// The value of a bit, where it is one.
    fn of_bit(_: bool) -> Option<Self> {
        None
    }
}

macro_rules! stored_numbers {
    ($($number:ident: $of_integer:expr;)+) => {$(
        impl Stored for $number {
            fn of_bytes(bytes: &[u8]) -> Self {
                bytes.first_chunk().map_or_else(Self::default, |chunk| Self::from_le_bytes(*chunk))
            }

            fn append(bytes: &[u8], _: usize, values: &mut Vec<Self>) {
                // Chunks of a length known here are copied as they are.
                values.extend(bytes.as_chunks().0.iter().map(|chunk| Self::from_le_bytes(*chunk)));
            }

            fn of_integer(number: i64) -> Option<Self> {
                ($of_integer)(number)
            }
        }
    )+};
}

// One arm expands to `impl Stored for i32`, whose `of_integer(number)` wraps as sums of 32 bits do.
stored_numbers! {
    i32: |number: i64| Some(number as i32);
    i64: |number: i64| Some(number);
    f32: |_: i64| None;
    f64: |_: i64| None;
    f16: |_: i64| None;
}

/// The digits of a decimal, highest byte first.
impl Stored for i128 {
    #[inline(always)]
    fn of_bytes(bytes: &[u8]) -> Self {
        let negative = bytes.first().is_some_and(|&byte| byte & 0x80 != 0);
        let start: i128 = if negative { -1 } else { 0 };
        bytes.iter().fold(start, |digits, &byte| digits << 8 | i128::from(byte))
    }
}

impl Stored for bool {
    fn of_bytes(bytes: &[u8]) -> Self {
        bytes.first().is_some_and(|&byte| byte != 0)
    }

    fn of_bit(bit: bool) -> Option<Self> {
        Some(bit)
    }
}

/// A value as the engine holds it.
pub trait Held: Copy + Default + Send + Sync + 'static {
    /// An array of values.
    ///
    /// # Errors
    /// What Arrow reports.
    fn array(values: Vec<Self>, nulls: Option<NullBuffer>, data_type: &DataType) -> Result<ArrayRef>;
}

macro_rules! held_numbers {
    ($($number:ident)+) => {$(
        impl Held for $number {
            fn array(values: Vec<Self>, nulls: Option<NullBuffer>, data_type: &DataType) -> Result<ArrayRef> {
                primitive_array(values, nulls, data_type)
            }
        }
    )+};
}

// One arm expands to `impl Held for i8`, whose arrays are primitive ones.
held_numbers!(i8 i16 i32 i64 i128 f16 f32 f64);

fn primitive_array<T: ArrowNativeType>(
    values: Vec<T>,
    nulls: Option<NullBuffer>,
    data_type: &DataType,
) -> Result<ArrayRef> {
    let builder = ArrayData::builder(data_type.clone()).len(values.len()).nulls(nulls);
    Ok(make_array(builder.add_buffer(Buffer::from_vec(values)).build()?))
}

impl Held for bool {
    fn array(values: Vec<Self>, nulls: Option<NullBuffer>, _: &DataType) -> Result<ArrayRef> {
        Ok(std::sync::Arc::new(BooleanArray::new(BooleanBuffer::from(values), nulls)))
    }
}

/// The value held for a stored one.
pub trait Holds<S>: Held {
    /// Converts; narrow integers keep the low bits.
    fn of(stored: S) -> Self;
}

macro_rules! holds {
    ($($stored:ident => $held:ident;)+) => {$(
        impl Holds<$stored> for $held {
            #[inline(always)]
            fn of(stored: $stored) -> Self {
                stored as $held
            }
        }
    )+};
}

// One arm expands to `impl Holds<i32> for i8`, by `as`.
holds! {
    i32 => i8;
    i32 => i16;
    i32 => i32;
    i32 => i64;
    i32 => i128;
    i64 => i64;
    i64 => i128;
    i128 => i64;
    i128 => i128;
    f32 => f32;
    f64 => f64;
    bool => bool;
}

impl Holds<f16> for f16 {
    #[inline(always)]
    fn of(stored: f16) -> Self {
        stored
    }
}

/// The values of an open page.
#[derive(Debug)]
pub enum FixedValues {
    /// Codes of the dictionary.
    Codes(Hybrid),
    /// One value after the other, `bytes_each` long.
    Plain {
        /// What is left of them.
        bytes: Bytes,
        /// Bytes of each.
        bytes_each: usize,
    },
    /// Bits, lowest first.
    Bits {
        /// All of them.
        bytes: Bytes,
        /// The next one.
        next: usize,
    },
    /// Truth values in runs.
    BitRuns(Hybrid),
    /// Differences.
    Deltas(Deltas),
    /// The first bytes of all values, then their second bytes, and so on.
    Split {
        /// All of them.
        bytes: Bytes,
        /// Bytes of each.
        bytes_each: usize,
        /// The next value.
        next: usize,
    },
}

impl FixedValues {
    /// Values of a page in this encoding.
    ///
    /// # Errors
    /// An encoding that values of this kind do not have.
    pub fn new(values: Bytes, encoding: Encoding, bytes_each: usize, is_boolean: bool) -> Result<Self> {
        Ok(match encoding {
            Encoding::PLAIN if is_boolean => Self::Bits { bytes: values, next: 0 },
            Encoding::PLAIN => Self::Plain { bytes: values, bytes_each },
            Encoding::PLAIN_DICTIONARY | Encoding::RLE_DICTIONARY => Self::Codes(codes_of(values)?),
            Encoding::RLE if is_boolean => {
                let stored = values.first_chunk::<4>().map(|length| u32::from_le_bytes(*length) as usize);
                let end = stored.and_then(|length| length.checked_add(4)).filter(|&end| end <= values.len());
                let end = end.ok_or_else(|| Fault::damaged("runs that are longer than their page"))?;
                Self::BitRuns(Hybrid::new(values.slice(4..end), 1)?)
            }
            Encoding::DELTA_BINARY_PACKED => Self::Deltas(Deltas::new(values)?),
            Encoding::BYTE_STREAM_SPLIT => Self::Split { bytes: values, bytes_each, next: 0 },
            other => return Err(Fault::damaged(format!("a page in encoding {other}"))),
        })
    }

    /// Appends the next `count` values; not for codes.
    ///
    /// # Errors
    /// The end of the page before all are read.
    pub fn read<S: Stored>(&mut self, count: usize, values: &mut Vec<S>) -> Result<()> {
        match self {
            Self::Plain { bytes, bytes_each } => {
                let taken = take_bytes(bytes, count, *bytes_each)?;
                S::append(&taken, *bytes_each, values);
            }
            Self::Bits { bytes, next } => {
                let end = *next + count;
                if end > bytes.len().saturating_mul(8) {
                    return Err(cut_off());
                }
                let bit = |at: usize| S::of_bit(bytes[at / 8] >> (at % 8) & 1 == 1).unwrap_or_default();
                values.extend((*next..end).map(bit));
                *next = end;
            }
            Self::BitRuns(runs) => {
                let mut bits = Vec::with_capacity(count);
                runs.read(count, &mut bits)?;
                values.extend(bits.into_iter().map(|bit| S::of_bit(bit != 0).unwrap_or_default()));
            }
            Self::Deltas(deltas) => {
                deltas.read(count, |number| values.push(S::of_integer(number).unwrap_or_default()))?;
            }
            Self::Split { bytes, bytes_each, next } => {
                let all = bytes.len() / (*bytes_each).max(1);
                if *next + count > all {
                    return Err(cut_off());
                }
                let mut value = vec![0u8; *bytes_each];
                for at in *next..*next + count {
                    value.iter_mut().enumerate().for_each(|(byte, held)| *held = bytes[byte * all + at]);
                    values.push(S::of_bytes(&value));
                }
                *next += count;
            }
            Self::Codes(_) => {
                return Err(Fault::Engine(hypostyle_engine::Error::Internal("codes read as values".into())));
            }
        }
        Ok(())
    }
}

impl PageValues for FixedValues {
    fn skip(&mut self, count: usize) -> Result<()> {
        match self {
            Self::Codes(runs) | Self::BitRuns(runs) => runs.skip(count)?,
            Self::Plain { bytes, bytes_each } => {
                take_bytes(bytes, count, *bytes_each)?;
            }
            Self::Bits { next, .. } | Self::Split { next, .. } => *next += count,
            Self::Deltas(deltas) => deltas.read(count, |_| ())?,
        }
        Ok(())
    }
}

/// The codes of a page, behind the byte that says their bits.
pub fn codes_of(values: Bytes) -> Result<Hybrid> {
    match values.first() {
        Some(&width) => Hybrid::new(values.slice(1..), u32::from(width)),
        // A page of nulls alone.
        None => Hybrid::new(values, 0),
    }
}

/// Values of a dictionary page.
pub fn dictionary_of<S: Stored>(bytes: &Bytes, count: usize, bytes_each: usize) -> Result<Vec<S>> {
    let mut values = Vec::with_capacity(count.min(bytes.len() / bytes_each.max(1)));
    FixedValues::Plain { bytes: bytes.clone(), bytes_each }.read(count, &mut values)?;
    Ok(values)
}

fn take_bytes(bytes: &mut Bytes, count: usize, bytes_each: usize) -> Result<Bytes> {
    let length = count.checked_mul(bytes_each).filter(|&length| length <= bytes.len());
    Ok(bytes.split_to(length.ok_or_else(cut_off)?))
}

fn cut_off() -> Fault {
    Fault::damaged("a page ends before its last row")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_keep_their_sign_at_every_length() {
        assert_eq!(i128::of_bytes(&[0xFF]), -1);
        assert_eq!(i128::of_bytes(&[0x00, 0xFF]), 255);
        assert_eq!(i128::of_bytes(&[0x80, 0, 0]), -(1 << 23));
        assert_eq!(i128::of_bytes(&i128::MIN.to_be_bytes()), i128::MIN);
    }

    #[test]
    fn split_bytes_are_put_together_and_skipped() {
        let bytes: Vec<u8> = vec![1, 2, 3, 0, 0, 1, 0, 0, 0, 0, 0, 0];
        let mut values = FixedValues::new(bytes.into(), Encoding::BYTE_STREAM_SPLIT, 4, false).unwrap();
        values.skip(1).unwrap();
        let mut read = Vec::<i32>::new();
        values.read(2, &mut read).unwrap();
        assert_eq!(read, [2, 259]);
        assert!(values.read(1, &mut read).is_err());
    }

    #[test]
    fn truth_values_are_bits() {
        let mut values = FixedValues::new(vec![0b101, 1].into(), Encoding::PLAIN, 1, true).unwrap();
        values.skip(1).unwrap();
        let mut read = Vec::<bool>::new();
        values.read(8, &mut read).unwrap();
        assert_eq!(read, [false, true, false, false, false, false, false, true]);
        assert!(values.read(10, &mut read).is_err());
    }
}
