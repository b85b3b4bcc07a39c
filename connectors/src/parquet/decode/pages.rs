//! The pages of one column chunk, decompressed into reused buffers.

use std::sync::Arc;

use bytes::Bytes;
use parquet::basic::Encoding;
use parquet::column::page::{Page, PageReader};
use parquet::file::metadata::ColumnChunkMetaData;
use parquet::file::page_index::offset_index::OffsetIndexMetaData;
use parquet::file::serialized_reader::SerializedPageReader;

use super::decompress::Codec;
use super::fault::{Fault, Result};
use crate::input::BufferPool;
use crate::parquet::chunk_reader::ChunkWindows;
use crate::parquet::dictionary_size::as_stored;

/// The pages of one column chunk, in order.
pub struct PageSource {
    reader: SerializedPageReader<ChunkWindows>,
    /// What decompresses pages here, where the page reader leaves them as they are stored.
    codec: Option<Codec>,
    pool: Arc<BufferPool>,
    dictionary: Option<StoredDictionary>,
    /// Rows of each page as the offset index says, where pages are found by it.
    located: bool,
}

/// A dictionary page that has not been asked for: a chunk of which no row is read never decodes it.
struct StoredDictionary {
    bytes: Bytes,
    values: usize,
    encoding: Encoding,
}

/// A data page of rows without repetition.
pub struct DataPage {
    /// Number of rows, nulls included.
    pub rows: usize,
    /// Definition levels, where the column has them.
    pub levels: Option<Levels>,
    /// The values that are not null.
    pub values: Bytes,
    /// How they are written.
    pub encoding: Encoding,
}

/// The definition levels of a page.
pub enum Levels {
    /// Runs.
    Runs(Bytes),
    /// A bit for each row, highest bit first: how the first writers did it.
    Bits(Bytes),
}

impl PageSource {
    /// The pages of a chunk; `locations` is where they lie, if rows are to be skipped by it.
    ///
    /// # Errors
    /// A compression that is not built in.
    pub fn new(
        windows: ChunkWindows,
        chunk: &ColumnChunkMetaData,
        rows: usize,
        locations: Option<OffsetIndexMetaData>,
        pool: Arc<BufferPool>,
    ) -> Result<Self> {
        let located = locations.is_some();
        let locations = locations.map(|index| index.page_locations().clone());
        let windows = Arc::new(windows);
        let codec = Codec::of(chunk.compression());
        let reader = match codec {
            Some(_) => SerializedPageReader::new(windows, &as_stored(chunk)?, rows, locations)?,
            None => SerializedPageReader::new(windows, chunk, rows, locations)?,
        };
        Ok(Self { reader, codec, pool, dictionary: None, located })
    }

    /// Passes over the next data page if it has at most `rows` rows; gives their number.
    ///
    /// # Errors
    /// A page header that is not valid.
    pub fn skip_page_within(&mut self, rows: usize) -> Result<Option<usize>> {
        loop {
            let Some(next) = self.reader.peek_next_page()? else { return Ok(None) };
            if next.is_dict {
                self.keep_dictionary()?;
                continue;
            }
            let Some(page_rows) = next.num_rows.or(next.num_levels) else { return Ok(None) };
            if page_rows > rows {
                return Ok(None);
            }
            self.reader.skip_next_page()?;
            return Ok(Some(page_rows));
        }
    }

    /// The next data page of a column whose values are null where `optional` levels say so; `None` after the last.
    ///
    /// # Errors
    /// A page that is not valid, or a spent memory budget.
    pub fn next_page(&mut self, optional: bool) -> Result<Option<DataPage>> {
        let expected = if self.located {
            loop {
                match self.reader.peek_next_page()? {
                    Some(next) if next.is_dict => self.keep_dictionary()?,
                    next => break next.and_then(|next| next.num_rows),
                }
            }
        } else {
            None
        };
        loop {
            let page = match self.reader.get_next_page()? {
                None => return Ok(None),
                Some(Page::DictionaryPage { buf, num_values, encoding, .. }) => {
                    self.set_dictionary(buf, num_values, encoding);
                    continue;
                }
                Some(page) => self.data_page(page, optional)?,
            };
            if expected.is_some_and(|expected| expected != page.rows) {
                return Err(Fault::damaged(format!(
                    "a page of {} rows where the offset index says {}",
                    page.rows,
                    expected.unwrap_or(0)
                )));
            }
            return Ok(Some(page));
        }
    }

    /// The values of the dictionary page and their number; each page is asked once.
    ///
    /// # Errors
    /// A chunk without one, or one that is not valid.
    pub fn dictionary(&mut self) -> Result<(Bytes, usize)> {
        let Some(stored) = self.dictionary.take() else {
            return Err(Fault::damaged("a page refers to a dictionary that the column chunk lacks"));
        };
        if !matches!(stored.encoding, Encoding::PLAIN | Encoding::PLAIN_DICTIONARY) {
            return Err(Fault::damaged(format!("a dictionary in encoding {}", stored.encoding)));
        }
        Ok((self.decompressed(&stored.bytes)?, stored.values))
    }

    fn keep_dictionary(&mut self) -> Result<()> {
        if let Some(Page::DictionaryPage { buf, num_values, encoding, .. }) = self.reader.get_next_page()? {
            self.set_dictionary(buf, num_values, encoding);
        }
        Ok(())
    }

    fn set_dictionary(&mut self, bytes: Bytes, values: u32, encoding: Encoding) {
        self.dictionary = Some(StoredDictionary { bytes, values: values as usize, encoding });
    }

    fn data_page(&mut self, page: Page, optional: bool) -> Result<DataPage> {
        match page {
            Page::DataPage { buf, num_values, encoding, def_level_encoding, .. } => {
                let mut values = self.decompressed(&buf)?;
                let rows = num_values as usize;
                let levels = optional
                    .then(|| first_version_levels(&mut values, rows, def_level_encoding))
                    .transpose()?;
                Ok(DataPage { rows, levels, values, encoding })
            }
            Page::DataPageV2 {
                buf,
                num_values,
                encoding,
                def_levels_byte_len,
                rep_levels_byte_len,
                is_compressed,
                ..
            } => {
                let (skipped, length) = (rep_levels_byte_len as usize, def_levels_byte_len as usize);
                if skipped.saturating_add(length) > buf.len() {
                    return Err(Fault::damaged("the levels of a page are longer than the page"));
                }
                let levels = optional.then(|| Levels::Runs(buf.slice(skipped..skipped + length)));
                let stored = buf.slice(skipped + length..);
                // A page of nulls alone has no bytes, not even compressed ones.
                let values =
                    if is_compressed && !stored.is_empty() { self.decompressed(&stored)? } else { stored };
                Ok(DataPage { rows: num_values as usize, levels, values, encoding })
            }
            Page::DictionaryPage { .. } => Err(Fault::damaged("a dictionary page among the data pages")),
        }
    }

    fn decompressed(&mut self, stored: &Bytes) -> Result<Bytes> {
        match self.codec {
            Some(codec) => codec.decompress(stored, &self.pool),
            None => Ok(stored.clone()),
        }
    }
}

/// Splits the levels off a page of the first format version.
fn first_version_levels(values: &mut Bytes, rows: usize, encoding: Encoding) -> Result<Levels> {
    let cut_off = || Fault::damaged("the levels of a page are longer than the page");
    #[allow(deprecated)]
    if encoding == Encoding::BIT_PACKED {
        let length = rows.div_ceil(8);
        if length > values.len() {
            return Err(cut_off());
        }
        return Ok(Levels::Bits(values.split_to(length)));
    }
    if encoding != Encoding::RLE {
        return Err(Fault::damaged(format!("definition levels in encoding {encoding}")));
    }
    let length = u32::from_le_bytes(*values.first_chunk::<4>().ok_or_else(cut_off)?) as usize;
    let end = length.checked_add(4).filter(|&end| end <= values.len()).ok_or_else(cut_off)?;
    let levels = values.split_to(end).slice(4..);
    Ok(Levels::Runs(levels))
}
