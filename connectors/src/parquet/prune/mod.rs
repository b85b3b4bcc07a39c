//! Which row groups, and which rows of them, can fulfil the conditions of a scan.

mod bloom;
mod convert;
mod pages;
mod statistics;

pub(super) use convert::Conversion;
pub(super) use pages::page_locations;
pub(super) use statistics::bounds as statistics_bounds;

use std::sync::Arc;

use parquet::file::metadata::{
    ParquetMetaData, ParquetMetaDataOptions, ParquetMetaDataReader, ParquetStatisticsPolicy,
};

use super::chunk_reader::WholeFile;
use super::file::{ParquetFile, RowGroupMorsel};
use crate::error::{Result, decoded};
use crate::prune::{Bound, ColumnPlace, Predicate};

/// The row groups that may hold rows that fulfil every predicate, each with the rows to read.
///
/// Three tests, in the order of their cost: the bounds in the footer, the bloom filters for equality,
/// the bounds of pages.
pub(super) fn row_groups(file: &ParquetFile, predicates: &[Predicate]) -> Result<Vec<RowGroupMorsel>> {
    let count = file.metadata.num_row_groups();
    let predicates: Vec<&Predicate> =
        predicates.iter().filter(|predicate| reads_flat_column(file, predicate)).collect();
    if predicates.is_empty() {
        return Ok((0..count).filter_map(|row_group| whole(file, row_group)).collect());
    }
    let mut columns = Vec::new();
    predicates.iter().for_each(|predicate| predicate.collect_columns(&mut columns));
    let with_statistics = footer_with_statistics(file, &columns)?;
    let mut kept = Vec::new();
    for row_group in 0..count {
        let Some(mut morsel) = whole(file, row_group) else { continue };
        let group = with_statistics.row_group(row_group);
        let range = |column: &ColumnPlace| statistics::chunk_range(file, group, column);
        if !predicates.iter().all(|predicate| predicate.may_match(&range)) {
            continue;
        }
        if !predicates.iter().all(|predicate| bloom::may_match(file, group, predicate)) {
            continue;
        }
        if let Some(ranges) = pages::row_ranges(file, group, &predicates, morsel.rows)? {
            morsel.rows = ranges.iter().map(std::ops::Range::len).sum();
            morsel.first_row = ranges.first().map_or(0, |range| range.start);
            morsel.ranges = Some(ranges);
        }
        if morsel.rows > 0 {
            kept.push(morsel);
        }
    }
    Ok(kept)
}

fn whole(file: &ParquetFile, row_group: usize) -> Option<RowGroupMorsel> {
    let rows = file.row_group_rows(row_group);
    let (ranges, dictionaries) = (None, None);
    (rows > 0).then_some(RowGroupMorsel { row_group, ranges, rows, first_row: 0, part: 0, dictionaries })
}

fn reads_flat_column(file: &ParquetFile, predicate: &Predicate) -> bool {
    let mut columns = Vec::new();
    predicate.collect_columns(&mut columns);
    columns.iter().any(|column| file.schema.flat_leaf(column).is_some())
}

/// Bounds over the whole file of each of these columns, where every row group tells them.
pub(super) fn file_bounds(file: &ParquetFile, columns: &[usize]) -> Vec<Option<(Bound, Bound)>> {
    let places: Vec<ColumnPlace> = columns.iter().map(|&column| column.into()).collect();
    let Ok(footer) = footer_with_statistics(file, &places) else { return vec![None; columns.len()] };
    columns.iter().map(|&column| statistics::file_bounds(file, footer.row_groups(), column)).collect()
}

/// The footer again, with statistics of the given columns only: of thousands of columns the
/// others cost their skipping and no more.
fn footer_with_statistics(file: &ParquetFile, columns: &[ColumnPlace]) -> Result<ParquetMetaData> {
    let leaf = |column| file.schema.flat_leaf(column).map(|(leaf, _)| leaf);
    let leaves: Vec<usize> = columns.iter().filter_map(leaf).collect();
    let options = ParquetMetaDataOptions::new()
        .with_schema(file.metadata.file_metadata().schema_descr_ptr())
        .with_column_stats_policy(ParquetStatisticsPolicy::skip_except(&leaves))
        .with_encoding_stats_policy(ParquetStatisticsPolicy::SkipAll)
        .with_size_stats_policy(ParquetStatisticsPolicy::SkipAll);
    decoded(
        || file.place(),
        "Parquet",
        || {
            let footer = ParquetMetaDataReader::new()
                .with_metadata_options(Some(options))
                .parse_and_finish(&WholeFile(Arc::clone(&file.local)))?;
            if footer.num_row_groups() == file.metadata.num_row_groups() {
                Ok(footer)
            } else {
                Err(parquet::errors::ParquetError::General("the file was changed while it was read".into()))
            }
        },
    )
}
