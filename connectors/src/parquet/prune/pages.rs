//! Page indexes: bounds of each page of a chunk, and where each page lies.

use std::ops::Range;
use std::sync::Arc;

use parquet::errors::{ParquetError, Result as ParquetResult};
use parquet::file::metadata::{ColumnChunkMetaData, RowGroupMetaData};
use parquet::file::page_index::column_index::{ColumnIndexMetaData, PrimitiveColumnIndex};
use parquet::file::page_index::index_reader::{decode_column_index, decode_offset_index};
use parquet::file::page_index::offset_index::OffsetIndexMetaData;

use super::convert::Conversion;
use super::statistics::discard_if_crossed;
use crate::error::{Result, decoded};
use crate::input::LocalFile;
use crate::parquet::file::ParquetFile;
use crate::prune::{Bound, ColumnPlace, ColumnRange, Predicate};

/// Skipping less than this share of the rows costs more than it saves: every column reads its page index.
const SKIPPED_SHARE_MIN: f64 = 0.05;

/// Pages of one column: bounds and rows of each.
type PageRanges = Vec<(Range<usize>, ColumnRange)>;

/// The rows of a row group that may fulfil every predicate; `None` if that is nearly all of them or not known.
pub(super) fn row_ranges(
    file: &ParquetFile,
    group: &RowGroupMetaData,
    predicates: &[&Predicate],
    rows: usize,
) -> Result<Option<Vec<Range<usize>>>> {
    let all = 0..rows;
    let mut kept = vec![all];
    let mut known = false;
    for predicate in predicates {
        let mut columns = Vec::new();
        predicate.collect_columns(&mut columns);
        // Pages of several columns do not line up, so a predicate is asked with one column known at a time.
        for column in columns {
            let pages = decoded(|| file.place(), "Parquet", || page_ranges(file, group, &column, rows))?;
            let Some(pages) = pages else { continue };
            known = true;
            let matching = pages.into_iter().filter_map(|(range, bounds)| {
                let lookup = |asked: &ColumnPlace| (*asked == column).then(|| bounds.clone());
                predicate.may_match(&lookup).then_some(range)
            });
            kept = intersect(&kept, &merged(matching));
        }
    }
    let kept_rows: usize = kept.iter().map(Range::len).sum();
    let worth_it = (rows - kept_rows) as f64 >= rows as f64 * SKIPPED_SHARE_MIN;
    Ok((known && kept_rows < rows && worth_it).then_some(kept))
}

/// Where the pages of a chunk lie, if the file has an index of them.
pub(in crate::parquet) fn page_locations(
    local: &Arc<LocalFile>,
    chunk: &ColumnChunkMetaData,
) -> ParquetResult<Option<OffsetIndexMetaData>> {
    let Some(range) = chunk.offset_index_range() else { return Ok(None) };
    let bytes = local.read_exact_at(range.start, length_of(&range)?)?;
    let index = decode_offset_index(&bytes)?;
    Ok((!index.page_locations().is_empty()).then_some(index))
}

fn page_ranges(
    file: &ParquetFile,
    group: &RowGroupMetaData,
    column: &ColumnPlace,
    rows: usize,
) -> ParquetResult<Option<PageRanges>> {
    let Some((leaf, logical)) = file.schema.flat_leaf(column) else { return Ok(None) };
    let Some(chunk) = group.columns().get(leaf) else { return Ok(None) };
    let Some(conversion) = Conversion::of(chunk.column_descr(), logical) else { return Ok(None) };
    let Some(range) = chunk.column_index_range() else { return Ok(None) };
    let Some(offsets) = page_locations(&file.local, chunk)? else { return Ok(None) };
    let locations = offsets.page_locations();
    let bytes = file.local.read_exact_at(range.start, length_of(&range)?)?;
    let index = decode_column_index(&bytes, chunk.column_type())?;
    if index.num_pages() != locations.len() as u64 {
        return Err(ParquetError::General(format!(
            "the column index has {} pages, the offset index {}",
            index.num_pages(),
            locations.len()
        )));
    }
    let mut pages = Vec::with_capacity(locations.len());
    for (page, location) in locations.iter().enumerate() {
        let start = usize::try_from(location.first_row_index)?;
        let end = match locations.get(page + 1) {
            Some(next) => usize::try_from(next.first_row_index)?,
            None => rows,
        };
        if start > end || end > rows {
            return Err(ParquetError::General(format!(
                "page {page} is said to hold rows {start} to {end} of {rows}"
            )));
        }
        pages.push((start..end, page_bounds(&index, page, conversion, (end - start) as u64)));
    }
    Ok(Some(pages))
}

fn page_bounds(index: &ColumnIndexMetaData, page: usize, conversion: Conversion, rows: u64) -> ColumnRange {
    let mut range = ColumnRange {
        nulls: index.null_count(page).and_then(|nulls| u64::try_from(nulls).ok()),
        rows,
        // Bounds of pages may be cut short, and the index does not say which are.
        exact: false,
        nan_possible: conversion.nan_possible() && index.nan_count(page) != Some(0),
        ..ColumnRange::default()
    };
    if index.is_null_page(page) {
        range.nulls = Some(rows);
        return range;
    }
    fn both<T>(
        values: &PrimitiveColumnIndex<T>,
        page: usize,
        bound: impl Fn(&T) -> Option<Bound>,
    ) -> (Option<Bound>, Option<Bound>) {
        (values.min_value(page).and_then(&bound), values.max_value(page).and_then(&bound))
    }
    (range.lower, range.upper) = match index {
        ColumnIndexMetaData::BOOLEAN(values) => both(values, page, |value| conversion.boolean(*value)),
        ColumnIndexMetaData::INT32(values) => {
            both(values, page, |value| conversion.integer(i64::from(*value), 32))
        }
        ColumnIndexMetaData::INT64(values) => both(values, page, |value| conversion.integer(*value, 64)),
        ColumnIndexMetaData::FLOAT(values) => both(values, page, |value| conversion.float(f64::from(*value))),
        ColumnIndexMetaData::DOUBLE(values) => both(values, page, |value| conversion.float(*value)),
        ColumnIndexMetaData::BYTE_ARRAY(values) | ColumnIndexMetaData::FIXED_LEN_BYTE_ARRAY(values) => (
            values.min_value(page).and_then(|value| conversion.bytes(value)),
            values.max_value(page).and_then(|value| conversion.bytes(value)),
        ),
        ColumnIndexMetaData::INT96(_) => (None, None),
    };
    conversion.loosen(&mut range);
    discard_if_crossed(&mut range);
    range
}

fn length_of(range: &Range<u64>) -> ParquetResult<usize> {
    let length = range.end.checked_sub(range.start).and_then(|length| usize::try_from(length).ok());
    length.ok_or_else(|| ParquetError::General("a page index of negative length".into()))
}

/// Ranges in order, with neighbours joined and empty ones dropped.
fn merged(ranges: impl Iterator<Item = Range<usize>>) -> Vec<Range<usize>> {
    let mut merged: Vec<Range<usize>> = Vec::new();
    for range in ranges.filter(|range| !range.is_empty()) {
        match merged.last_mut() {
            Some(last) if last.end == range.start => last.end = range.end,
            _ => merged.push(range),
        }
    }
    merged
}

/// Rows that are in both lists of ascending ranges.
fn intersect(left: &[Range<usize>], right: &[Range<usize>]) -> Vec<Range<usize>> {
    let (mut i, mut j) = (0, 0);
    let mut both = Vec::new();
    while i < left.len() && j < right.len() {
        let start = left[i].start.max(right[j].start);
        let end = left[i].end.min(right[j].end);
        if start < end {
            both.push(start..end);
        }
        if left[i].end < right[j].end { i += 1 } else { j += 1 }
    }
    both
}
