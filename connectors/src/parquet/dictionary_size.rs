//! Refuses dictionary pages that promise more values than they hold: the crate's decoder makes room for what the page header
//! says before it looks at the page, so a few bytes could take all memory.

use std::sync::Arc;

use parquet::basic::{Compression, Type as PhysicalType};
use parquet::column::page::{Page, PageReader};
use parquet::errors::{ParquetError, Result};
use parquet::file::metadata::{ColumnChunkMetaData, ParquetMetaData};
use parquet::file::serialized_reader::SerializedPageReader;

use super::chunk_reader::ChunkWindows;

/// What so few bytes of values take is no harm, whatever the page holds.
const HARMLESS_BYTES: usize = 1 << 20;

/// Looks at the dictionary pages of all chunks of a footer.
///
/// # Errors
/// A page that is shorter than its values would be.
pub(super) fn check_dictionaries(windows: &Arc<ChunkWindows>, metadata: &ParquetMetaData) -> Result<()> {
    let chunks = metadata.row_groups().iter().flat_map(|group| {
        let rows = usize::try_from(group.num_rows()).unwrap_or(0);
        group.columns().iter().map(move |chunk| (chunk, rows))
    });
    for (chunk, rows) in chunks {
        let Some((promised, _)) = dictionary(windows, &as_stored(chunk)?, rows)? else { continue };
        if promised <= HARMLESS_BYTES {
            continue;
        }
        // Only a large one is decompressed to be looked at.
        let Some((_, found)) = dictionary(windows, chunk, rows)? else { continue };
        if promised > found {
            return Err(ParquetError::General(format!(
                "column {}: a dictionary page of {found} bytes whose header promises values of {promised}",
                chunk.column_path().string()
            )));
        }
    }
    Ok(())
}

/// Least bytes that the values of the dictionary page would take, and bytes of the page.
fn dictionary(
    windows: &Arc<ChunkWindows>,
    chunk: &ColumnChunkMetaData,
    rows: usize,
) -> Result<Option<(usize, usize)>> {
    let mut pages = SerializedPageReader::new(Arc::clone(windows), chunk, rows, None)?;
    if !pages.peek_next_page()?.is_some_and(|page| page.is_dict) {
        return Ok(None);
    }
    let Some(Page::DictionaryPage { buf, num_values, .. }) = pages.get_next_page()? else { return Ok(None) };
    let promised = (num_values as usize).saturating_mul(least_bytes(chunk));
    Ok(Some((promised, buf.len())))
}

/// Bytes that a value takes at least, written plainly.
fn least_bytes(chunk: &ColumnChunkMetaData) -> usize {
    let descriptor = chunk.column_descr();
    match descriptor.physical_type() {
        PhysicalType::BOOLEAN => 0,
        // Of bytes, the length.
        PhysicalType::INT32 | PhysicalType::FLOAT | PhysicalType::BYTE_ARRAY => 4,
        PhysicalType::INT64 | PhysicalType::DOUBLE => 8,
        PhysicalType::INT96 => 12,
        PhysicalType::FIXED_LEN_BYTE_ARRAY => usize::try_from(descriptor.type_length()).unwrap_or(0),
    }
}

/// The chunk under a name that makes the page reader hand out pages as they are stored.
pub(super) fn as_stored(chunk: &ColumnChunkMetaData) -> Result<ColumnChunkMetaData> {
    let (start, length) = chunk.byte_range();
    let signed = |bytes: u64| {
        i64::try_from(bytes).map_err(|_| ParquetError::General("a column chunk beyond 2^63 bytes".into()))
    };
    ColumnChunkMetaData::builder(chunk.column_descr_ptr())
        .set_compression(Compression::UNCOMPRESSED)
        .set_num_values(chunk.num_values())
        .set_total_compressed_size(signed(length)?)
        .set_data_page_offset(signed(start)?)
        .set_dictionary_page_offset(None)
        .build()
}
