//! Bloom filters: for equality with a constant they say for sure that a row group has no such value.

use std::sync::Arc;

use hypostyle_functions::Type;
use parquet::basic::Type as Physical;
use parquet::bloom_filter::Sbbf;
use parquet::data_type::ByteArray;
use parquet::file::metadata::{ColumnChunkMetaData, RowGroupMetaData};

use crate::error::decoded;
use crate::parquet::chunk_reader::WholeFile;
use crate::parquet::file::ParquetFile;
use crate::prune::{Bound, ColumnPlace, Comparison, Predicate};

/// False only if the row group's bloom filters exclude every value that the predicate asks for.
///
/// A filter that cannot be read excludes nothing: the pages then tell.
pub(super) fn may_match(file: &ParquetFile, group: &RowGroupMetaData, predicate: &Predicate) -> bool {
    match predicate {
        Predicate::Compare { column, comparison: Comparison::Equal, value } => {
            any_present(file, group, column, std::slice::from_ref(value))
        }
        Predicate::In { column, values } => any_present(file, group, column, values),
        Predicate::And(parts) => parts.iter().all(|part| may_match(file, group, part)),
        Predicate::Or(parts) => parts.iter().any(|part| may_match(file, group, part)),
        _ => true,
    }
}

fn any_present(file: &ParquetFile, group: &RowGroupMetaData, column: &ColumnPlace, values: &[Bound]) -> bool {
    let Some((leaf, logical)) = file.schema.flat_leaf(column) else { return true };
    let Some(chunk) = group.columns().get(leaf).filter(|chunk| chunk.bloom_filter_offset().is_some()) else {
        return true;
    };
    let read = || Sbbf::read_from_column_chunk(chunk, &WholeFile(Arc::clone(&file.local)));
    let Ok(Some(filter)) = decoded(|| file.place(), "Parquet", read) else { return true };
    if filter.num_blocks() == 0 {
        return true;
    }
    values.iter().any(|value| present(&filter, chunk, logical, value))
}

/// Asks the filter in the physical form of the value; forms of more than one spelling are not asked.
fn present(filter: &Sbbf, chunk: &ColumnChunkMetaData, logical: &Type, value: &Bound) -> bool {
    match (value, chunk.column_type(), logical) {
        (Bound::Bytes(bytes), Physical::BYTE_ARRAY, Type::Text | Type::Binary) => {
            filter.check(&ByteArray::from(bytes.clone()))
        }
        (
            Bound::Integer(value),
            Physical::INT32,
            Type::Int8 | Type::Int16 | Type::Int32 | Type::UInt8 | Type::UInt16 | Type::UInt32 | Type::Date,
        ) => match (i32::try_from(*value), u32::try_from(*value)) {
            (Ok(value), _) => filter.check(&value),
            (_, Ok(value)) => filter.check(&(value as i32)),
            _ => false,
        },
        (Bound::Integer(value), Physical::INT64, Type::Int64 | Type::UInt64) => {
            match (i64::try_from(*value), u64::try_from(*value)) {
                (Ok(value), _) => filter.check(&value),
                (_, Ok(value)) => filter.check(&(value as i64)),
                _ => false,
            }
        }
        // Zero has two spellings, NaN many.
        (Bound::Float(value), Physical::DOUBLE, Type::Float64) if *value != 0.0 && !value.is_nan() => {
            filter.check(value)
        }
        _ => true,
    }
}
