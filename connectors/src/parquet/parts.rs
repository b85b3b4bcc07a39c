//! Cuts large row groups into parts where there are fewer of them than workers.
//!
//! A part that starts in the middle of a page decompresses all of it, so parts have several pages, and where pages have equal
//! numbers of rows they start with one. What a dictionary says is decoded once for all parts of a row group.

use std::ops::Range;
use std::sync::Arc;

use super::decode::SharedDictionaries;
use super::file::{ParquetFile, RowGroupMorsel};
use super::row_group::first_page_rows;
use crate::input::BufferPool;

/// Rows of the largest part.
const ROWS_MAX: usize = 1 << 20;
/// Rows of the smallest part: for fewer, opening a reader costs too much.
const ROWS_MIN: usize = 1 << 17;
/// Parts for each worker: one that has more to do than the others, such as taking the result, reads fewer of them.
const PARTS_EACH: usize = 2;
/// Parts of a row group: a damaged footer may claim any number of rows.
const PARTS_MAX: usize = 1 << 12;
/// Pages of a part.
const PAGES_MIN: usize = 4;

/// The row groups in the same order, large ones in parts, if that gives all of so many workers something to read.
pub(super) fn parts(
    file: &Arc<ParquetFile>,
    columns: &[usize],
    groups: Vec<RowGroupMorsel>,
    workers: usize,
    pool: &Arc<BufferPool>,
) -> Vec<RowGroupMorsel> {
    let size = PartSize::of(file, columns, &groups, workers, pool);
    groups.into_iter().flat_map(|group| split(group, size, file.schema.columns.len())).collect()
}

/// How large parts are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct PartSize {
    rows: usize,
    /// What their rows are a multiple of.
    step: usize,
}

impl PartSize {
    const LARGEST: Self = Self { rows: ROWS_MAX, step: 1 };

    fn of(
        file: &Arc<ParquetFile>,
        columns: &[usize],
        groups: &[RowGroupMorsel],
        workers: usize,
        pool: &Arc<BufferPool>,
    ) -> Self {
        if groups.len() >= workers {
            return Self::LARGEST;
        }
        let rows = groups.iter().fold(0usize, |rows, group| rows.saturating_add(group.rows));
        let wanted = (rows / (workers * PARTS_EACH)).max(ROWS_MIN);
        let largest = groups.iter().max_by_key(|group| group.rows);
        let Some(largest) = largest.filter(|group| wanted < ROWS_MAX && count(group.rows, wanted) > 1) else {
            return Self::LARGEST;
        };
        match first_page_rows(file, columns, largest, pool) {
            Some(page) => {
                Self { rows: wanted.max(page.saturating_mul(PAGES_MIN)).min(ROWS_MAX), step: page.max(1) }
            }
            None => Self::LARGEST,
        }
    }
}

/// Parts of about `size` rows that so many rows make.
fn count(rows: usize, size: usize) -> usize {
    (rows.saturating_add(size / 2) / size).clamp(1, PARTS_MAX)
}

/// The parts of a row group, each of whole ranges of rows.
fn split(group: RowGroupMorsel, size: PartSize, columns: usize) -> Vec<RowGroupMorsel> {
    let count = count(group.rows, size.rows);
    if count == 1 {
        return vec![group];
    }
    let part_rows = group.rows.div_ceil(count).next_multiple_of(size.step);
    let dictionaries = Arc::new(SharedDictionaries::new(columns, group.rows.div_ceil(part_rows)));
    let all = 0..group.rows;
    let mut parts: Vec<RowGroupMorsel> = Vec::with_capacity(count);
    let mut add = |ranges: Vec<Range<usize>>, rows| {
        let first_row = ranges.first().map_or(0, |range| range.start);
        let (part, dictionaries) = (parts.len(), Some(Arc::clone(&dictionaries)));
        let row_group = group.row_group;
        parts.push(RowGroupMorsel { row_group, ranges: Some(ranges), rows, first_row, part, dictionaries });
    };
    let (mut ranges, mut rows) = (Vec::new(), 0);
    for range in group.ranges.unwrap_or_else(|| vec![all]) {
        let mut start = range.start;
        while start < range.end {
            let end = range.end.min(start + part_rows - rows);
            rows += end - start;
            ranges.push(start..end);
            start = end;
            if rows == part_rows {
                add(std::mem::take(&mut ranges), std::mem::take(&mut rows));
            }
        }
    }
    if rows > 0 {
        add(ranges, rows);
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn group(rows: usize, ranges: Option<Vec<Range<usize>>>) -> RowGroupMorsel {
        RowGroupMorsel { row_group: 3, ranges, rows, first_row: 0, part: 0, dictionaries: None }
    }

    fn rows_of(parts: &[RowGroupMorsel]) -> Vec<String> {
        parts.iter().map(|part| format!("{:?}", part.ranges.clone().unwrap_or_default())).collect()
    }

    #[test]
    fn parts_are_about_equal_and_start_with_pages() {
        let size = PartSize { rows: 250, step: 20 };
        let parts = split(group(1045, None), size, 1);
        assert_eq!(rows_of(&parts), ["[0..280]", "[280..560]", "[560..840]", "[840..1045]"]);
        assert!(parts.iter().enumerate().all(|(at, part)| (part.part, part.row_group) == (at, 3)));
        assert!(parts.iter().all(|part| part.ranges.as_ref().unwrap()[0].start == part.first_row));
        let shared = |part: &RowGroupMorsel| Arc::as_ptr(part.dictionaries.as_ref().unwrap());
        assert!(parts.iter().all(|part| shared(part) == shared(&parts[0])));
    }

    #[test]
    fn a_small_row_group_stays_whole() {
        let parts = split(group(374, None), PartSize { rows: 250, step: 20 }, 1);
        assert_eq!(parts.len(), 1);
        assert!(parts[0].ranges.is_none() && parts[0].dictionaries.is_none());
    }

    #[test]
    fn any_number_of_rows_makes_few_parts() {
        for step in [1, 20_000, 1 << 31] {
            let parts = split(group(i64::MAX as usize, None), PartSize { rows: ROWS_MAX, step }, 1);
            assert!(parts.len() <= PARTS_MAX);
            assert_eq!(parts.iter().map(|part| part.rows).sum::<usize>(), i64::MAX as usize);
        }
    }

    #[test]
    fn kept_ranges_are_cut_where_a_part_is_full() {
        let parts = split(group(30, Some(vec![5..15, 20..40])), PartSize { rows: 10, step: 4 }, 1);
        assert_eq!(rows_of(&parts), ["[5..15, 20..22]", "[22..34]", "[34..40]"]);
        assert_eq!(parts.iter().map(|part| part.rows).collect::<Vec<_>>(), [12, 12, 6]);
    }
}
