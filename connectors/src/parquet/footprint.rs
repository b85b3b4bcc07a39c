//! What a reader of a row group holds, told before it is opened.

use std::sync::OnceLock;

use parquet::file::metadata::ColumnChunkMetaData;

use super::chunk_reader::WINDOW_BYTES_FIRST;
use super::file::ParquetFile;
use super::prune::page_locations;
use crate::input::made_bytes;

/// Bytes that a column holds while it is read, besides its pages and windows of the file: a dictionary and the rows of a
/// batch.
const COLUMN_BYTES: u64 = 256 << 10;
/// Most bytes that are expected of a page; writers begin a new one there.
const PAGE_BYTES_MAX: u64 = 1 << 20;
/// Row groups that are asked for the largest.
const ROW_GROUPS_ASKED_MAX: usize = 16;
/// Beyond this many bytes for all columns the index of pages is read, which tells more exactly.
const COUNTED_ROUGHLY_MAX: u64 = 4 << 20;
/// A page may compress so much better than its chunk.
const UNEVEN: f64 = 1.25;

/// Bytes that a reader of some columns holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Footprint {
    /// Rows and dictionaries.
    pub rows: u64,
    /// Pages and windows of the file, which come from a pool.
    pub buffers: u64,
}

impl Footprint {
    /// All bytes.
    pub fn bytes(self) -> usize {
        usize::try_from(self.rows + self.buffers).unwrap_or(usize::MAX)
    }
}

/// Bytes of the largest page of each leaf in the first row group, where they have been looked up.
#[derive(Debug, Default)]
pub(super) struct PageSizes(OnceLock<Vec<OnceLock<u64>>>);

impl ParquetFile {
    /// What a reader of these columns holds, over the row groups of the file.
    pub fn largest_footprint(&self, columns: &[usize]) -> Footprint {
        let groups = 0..self.metadata.num_row_groups().min(ROW_GROUPS_ASKED_MAX);
        groups
            .map(|group| self.footprint(columns, group))
            .max_by_key(|print| print.bytes())
            .unwrap_or_default()
    }

    /// What a reader of these columns of a row group holds.
    pub(super) fn footprint(&self, columns: &[usize], group: usize) -> Footprint {
        let leaves = || columns.iter().flat_map(|&column| self.schema.columns[column].leaves.clone());
        let all_chunks = self.metadata.row_group(group).columns();
        let chunks = || leaves().filter_map(|leaf| Some((leaf, all_chunks.get(leaf)?)));
        let uncompressed: u64 = chunks().map(|(_, chunk)| uncompressed(chunk)).sum();
        let roughly: u64 =
            chunks().map(|(_, chunk)| buffer_bytes(chunk, uncompressed_page_bound(chunk))).sum();
        let buffers = match roughly > COUNTED_ROUGHLY_MAX {
            true => chunks().map(|(leaf, chunk)| buffer_bytes(chunk, self.page_bytes(leaf, chunk))).sum(),
            false => roughly,
        };
        Footprint { rows: uncompressed.min(columns.len() as u64 * COLUMN_BYTES), buffers }
    }

    /// Bytes of the largest page of a leaf, as the index of the first row group tells them.
    fn page_bytes(&self, leaf: usize, chunk: &ColumnChunkMetaData) -> u64 {
        let bound = uncompressed_page_bound(chunk);
        let count = self.metadata.file_metadata().schema_descr().num_columns();
        let sizes = self.page_sizes.0.get_or_init(|| vec![OnceLock::new(); count]);
        let known = sizes.get(leaf).map(|size| {
            *size.get_or_init(|| {
                let first = self.metadata.row_groups().first().and_then(|group| group.columns().get(leaf));
                // A file without an index, or with one that cannot be read, is told by its chunks.
                let index = first.and_then(|first| Some((first, page_locations(&self.local, first).ok()??)));
                index.map_or(u64::MAX, |(first, index)| {
                    let pages = index.page_locations().iter();
                    let compressed = pages.map(|page| page.compressed_page_size).max().unwrap_or(0);
                    (f64::from(compressed.max(0)) * growth(first) * UNEVEN) as u64
                })
            })
        });
        known.unwrap_or(u64::MAX).min(bound)
    }
}

fn uncompressed(chunk: &ColumnChunkMetaData) -> u64 {
    u64::try_from(chunk.uncompressed_size()).unwrap_or(0)
}

fn compressed(chunk: &ColumnChunkMetaData) -> u64 {
    u64::try_from(chunk.compressed_size()).unwrap_or(0)
}

/// Bytes of a chunk for each byte in the file.
fn growth(chunk: &ColumnChunkMetaData) -> f64 {
    (uncompressed(chunk) as f64 / compressed(chunk).max(1) as f64).max(1.0)
}

fn uncompressed_page_bound(chunk: &ColumnChunkMetaData) -> u64 {
    uncompressed(chunk).min(PAGE_BYTES_MAX)
}

/// Bytes of a window of the file that holds a page, of the page, and of the dictionary page as it is in the file, which
/// waits for the first page that needs it, and after.
fn buffer_bytes(chunk: &ColumnChunkMetaData, page: u64) -> u64 {
    let page_in_file = (page as f64 / growth(chunk)) as u64;
    let window = page_in_file.max(WINDOW_BYTES_FIRST as u64).min(compressed(chunk));
    let dictionary_in_file = chunk.dictionary_page_offset().map_or(0, |start| {
        u64::try_from(chunk.data_page_offset().saturating_sub(start)).unwrap_or(0).min(PAGE_BYTES_MAX)
    });
    let dictionary = (dictionary_in_file as f64 * growth(chunk)) as u64;
    let dictionary = dictionary.min(uncompressed(chunk)).min(PAGE_BYTES_MAX);
    let made = |bytes: u64| made_bytes(usize::try_from(bytes).unwrap_or(usize::MAX)) as u64;
    [window, page, dictionary_in_file, dictionary].into_iter().filter(|&bytes| bytes > 0).map(made).sum()
}
