//! Which columns are decoded here, and what a decoder does.

use arrow::datatypes::DataType;
use half::f16;
use hypostyle_functions::Type;
use hypostyle_functions::column::{Bits, Column};
use parquet::basic::{Encoding, Repetition, Type as PhysicalType};
use parquet::file::metadata::ColumnChunkMetaData;
use parquet::schema::types::Type as ParquetType;

use super::bytes::BytesColumn;
use super::fault::Result;
use super::fixed::FixedColumn;
use super::pages::PageSource;
use super::plain::{Holds, Stored};
use super::predicate::ColumnTest;

/// Buffers of codes that were handed out and are kept to be written again.
pub const RECYCLED_MAX: usize = 4;

/// Decodes one column of a row group, window by window.
pub trait ColumnDecoder: Send {
    /// Empties the window.
    fn begin(&mut self);

    /// Passes over rows; none of them is looked at until a row behind them is loaded.
    fn skip(&mut self, rows: usize);

    /// Adds the next rows to the window.
    ///
    /// # Errors
    /// Damaged pages, or fewer rows than asked.
    fn load(&mut self, rows: usize) -> Result<()>;

    /// Clears `keep`, one for each row of the window, where the condition refuses it.
    ///
    /// # Errors
    /// Codes outside the dictionary; what the evaluator reports.
    fn test(&mut self, test: &mut ColumnTest, keep: &mut [bool]) -> Result<()>;

    /// Appends the rows of the window, or those of them that are kept, to the output.
    ///
    /// # Errors
    /// Codes outside the dictionary.
    fn emit(&mut self, keep: Option<&Bits<'_>>) -> Result<()>;

    /// The output so far, which is empty afterwards.
    ///
    /// # Errors
    /// What Arrow reports.
    fn finish(&mut self) -> Result<Column>;
}

/// How a column without nesting is stored and held.
#[derive(Debug, Clone)]
pub struct Layout {
    /// True if rows may be null.
    pub optional: bool,
    /// Bytes of a stored value of fixed width.
    pub bytes_each: usize,
    /// The Arrow type of the engine's columns.
    pub data_type: DataType,
    /// True if numbers may be left as codes of a dictionary.
    pub coded: bool,
}

/// Makes a decoder of the pages of a chunk.
pub type Make = fn(PageSource, Layout) -> Box<dyn ColumnDecoder>;

/// What makes the decoder of a chunk; `None` where the column is left to the crate's reader.
///
/// `decoded` is the Arrow type that the crate's reader would be asked for: where it is not the engine's, values
/// change their meaning on the way, which is left to it.
pub fn decoder_of(
    parquet: &ParquetType,
    chunk: &ColumnChunkMetaData,
    decoded: &DataType,
    logical: &Type,
) -> Option<(Make, Layout)> {
    let ParquetType::PrimitiveType { physical_type, type_length, basic_info, .. } = parquet else {
        return None;
    };
    let data_type = logical.to_arrow();
    let repetition = basic_info.has_repetition().then(|| basic_info.repetition());
    let is_own = *decoded == data_type || *decoded == logical.to_exported();
    if !is_own || !matches!(repetition, Some(Repetition::REQUIRED | Repetition::OPTIONAL)) {
        return None;
    }
    let length = usize::try_from(*type_length).unwrap_or(0);
    let (make, bytes_each) = make_of(*physical_type, length, &data_type)?;
    let known = |encoding: &Encoding| is_known(*encoding, *physical_type);
    if chunk.column_type() != *physical_type || !chunk.encodings().all(|encoding| known(&encoding)) {
        return None;
    }
    let optional = repetition == Some(Repetition::OPTIONAL);
    Some((make, Layout { optional, bytes_each, data_type, coded: false }))
}

fn make_of(physical: PhysicalType, length: usize, data_type: &DataType) -> Option<(Make, usize)> {
    fn fixed<S: Stored, H: Holds<S>>(pages: PageSource, layout: Layout) -> Box<dyn ColumnDecoder> {
        Box::new(FixedColumn::<S, H>::new(pages, layout))
    }
    let make: Make = match (physical, data_type) {
        (PhysicalType::BOOLEAN, DataType::Boolean) => fixed::<bool, bool>,
        (PhysicalType::INT32, DataType::Int8 | DataType::UInt8) => fixed::<i32, i8>,
        (PhysicalType::INT32, DataType::Int16 | DataType::UInt16) => fixed::<i32, i16>,
        (PhysicalType::INT32, DataType::Int32 | DataType::UInt32 | DataType::Date32) => fixed::<i32, i32>,
        (PhysicalType::INT32, DataType::Decimal64(..)) => fixed::<i32, i64>,
        (PhysicalType::INT32, DataType::Decimal128(..)) => fixed::<i32, i128>,
        (
            PhysicalType::INT64,
            DataType::Int64
            | DataType::UInt64
            | DataType::Timestamp(..)
            | DataType::Time64(_)
            | DataType::Decimal64(..),
        ) => fixed::<i64, i64>,
        (PhysicalType::INT64, DataType::Decimal128(..)) => fixed::<i64, i128>,
        (PhysicalType::FLOAT, DataType::Float32) => fixed::<f32, f32>,
        (PhysicalType::DOUBLE, DataType::Float64) => fixed::<f64, f64>,
        (PhysicalType::FIXED_LEN_BYTE_ARRAY, DataType::Float16) if length == 2 => fixed::<f16, f16>,
        // Longer ones may have digits that 64 bits do not hold: they are converted with a check.
        (PhysicalType::FIXED_LEN_BYTE_ARRAY, DataType::Decimal64(..)) if (1..=8).contains(&length) => {
            fixed::<i128, i64>
        }
        (PhysicalType::FIXED_LEN_BYTE_ARRAY, DataType::Decimal128(..)) if (1..=16).contains(&length) => {
            fixed::<i128, i128>
        }
        (PhysicalType::BYTE_ARRAY, DataType::Utf8View | DataType::BinaryView) => {
            |pages, layout| Box::new(BytesColumn::new(pages, layout))
        }
        _ => return None,
    };
    let bytes_each = match physical {
        PhysicalType::INT32 | PhysicalType::FLOAT => 4,
        PhysicalType::INT64 | PhysicalType::DOUBLE => 8,
        PhysicalType::FIXED_LEN_BYTE_ARRAY => length,
        _ => 1,
    };
    Some((make, bytes_each))
}

fn is_known(encoding: Encoding, physical: PhysicalType) -> bool {
    let is_integer = matches!(physical, PhysicalType::INT32 | PhysicalType::INT64);
    match encoding {
        Encoding::PLAIN | Encoding::RLE | Encoding::PLAIN_DICTIONARY | Encoding::RLE_DICTIONARY => true,
        Encoding::DELTA_BINARY_PACKED => is_integer,
        Encoding::BYTE_STREAM_SPLIT => {
            is_integer
                || matches!(
                    physical,
                    PhysicalType::FLOAT | PhysicalType::DOUBLE | PhysicalType::FIXED_LEN_BYTE_ARRAY
                )
        }
        #[allow(deprecated)]
        Encoding::BIT_PACKED => true,
        _ => false,
    }
}
