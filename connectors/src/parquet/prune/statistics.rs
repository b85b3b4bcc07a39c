//! Bounds of a column chunk from the footer.

use parquet::file::metadata::RowGroupMetaData;
use parquet::file::statistics::Statistics;

use super::convert::Conversion;
use crate::parquet::file::ParquetFile;
use crate::prune::{Bound, ColumnPlace, ColumnRange};

/// What the footer says of one column of a row group; `None` if nothing of use.
pub(super) fn chunk_range(
    file: &ParquetFile,
    group: &RowGroupMetaData,
    column: &ColumnPlace,
) -> Option<ColumnRange> {
    let (leaf, data_type) = file.schema.flat_leaf(column)?;
    let chunk = group.columns().get(leaf)?;
    let statistics = chunk.statistics()?;
    let conversion = Conversion::of(chunk.column_descr(), data_type)?;
    let rows = u64::try_from(group.num_rows()).ok()?;
    let mut range = ColumnRange {
        nulls: statistics.null_count_opt(),
        rows,
        exact: statistics.min_is_exact() && statistics.max_is_exact(),
        nan_possible: conversion.nan_possible() && statistics.nan_count_opt() != Some(0),
        ..ColumnRange::default()
    };
    // Bounds in the fields of the first format version were ordered as signed values whatever the type.
    if !statistics.is_min_max_deprecated() || conversion.is_signed_order() {
        (range.lower, range.upper) = bounds(statistics, conversion);
        conversion.loosen(&mut range);
        discard_if_crossed(&mut range);
    }
    Some(range)
}

/// Bounds of a column over all row groups; `None` where one of them tells nothing.
pub(super) fn file_bounds(
    file: &ParquetFile,
    groups: &[RowGroupMetaData],
    column: usize,
) -> Option<(Bound, Bound)> {
    let mut held: Option<(Bound, Bound)> = None;
    for group in groups {
        let range = chunk_range(file, group, &column.into())?;
        let (lower, upper) = (range.lower?, range.upper?);
        held = Some(match held {
            None => (lower, upper),
            Some((low, high)) => {
                let low = if lower.compare(&low) == Some(std::cmp::Ordering::Less) { lower } else { low };
                let high =
                    if upper.compare(&high) == Some(std::cmp::Ordering::Greater) { upper } else { high };
                (low, high)
            }
        });
    }
    held
}

/// Least and greatest value, as statistics tell them.
pub(in crate::parquet) fn bounds(
    statistics: &Statistics,
    conversion: Conversion,
) -> (Option<Bound>, Option<Bound>) {
    macro_rules! both {
        ($values:expr, $bound:expr) => {
            ($values.min_opt().and_then($bound), $values.max_opt().and_then($bound))
        };
    }
    // One arm expands to `(values.min_opt().and_then(bound), values.max_opt().and_then(bound))`.
    match statistics {
        Statistics::Boolean(values) => both!(values, |value| conversion.boolean(*value)),
        Statistics::Int32(values) => both!(values, |value| conversion.integer(i64::from(*value), 32)),
        Statistics::Int64(values) => both!(values, |value| conversion.integer(*value, 64)),
        Statistics::Float(values) => both!(values, |value| conversion.float(f64::from(*value))),
        Statistics::Double(values) => both!(values, |value| conversion.float(*value)),
        Statistics::ByteArray(values) => both!(values, |value| conversion.bytes(value.data())),
        Statistics::FixedLenByteArray(values) => both!(values, |value| conversion.bytes(value.data())),
        Statistics::Int96(_) => (None, None),
    }
}

/// Drops bounds that contradict each other: some writers put zeros where they know nothing.
pub(super) fn discard_if_crossed(range: &mut ColumnRange) {
    if let (Some(lower), Some(upper)) = (&range.lower, &range.upper)
        && lower.compare(upper) == Some(std::cmp::Ordering::Greater)
    {
        (range.lower, range.upper) = (None, None);
    }
}
