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
use super::shared::{AnyDictionary, SharedDictionaries};
use crate::input::BufferPool;
use crate::parquet::chunk_reader::ChunkWindows;
use crate::parquet::dictionary_size::as_stored;

/// The pages of one column chunk, in order.
pub struct PageSource {
    reader: SerializedPageReader<ChunkWindows>,
    /// What decompresses pages here, where the page reader leaves them as they are stored.
    codec: Option<Codec>,
    pool: Arc<BufferPool>,
    windows: Arc<ChunkWindows>,
    dictionary: Option<Dictionary>,
    /// Where the decoded dictionary is shared, and the position of the column there.
    shared: Option<(Arc<SharedDictionaries>, usize)>,
    /// Rows of each page as the offset index says, where pages are found by it.
    located: bool,
}

/// A dictionary that has not been asked for.
enum Dictionary {
    Stored(StoredDictionary),
    /// Another reader of the chunk has decoded it.
    Known(Arc<AnyDictionary>),
}

/// A dictionary page as it is in the file: a chunk of which no row is read never decodes it.
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
            Some(_) => SerializedPageReader::new(Arc::clone(&windows), &as_stored(chunk)?, rows, locations)?,
            None => SerializedPageReader::new(Arc::clone(&windows), chunk, rows, locations)?,
        };
        Ok(Self { reader, codec, pool, windows, dictionary: None, shared: None, located })
    }

    /// Shares the decoded dictionary with other readers of the chunk.
    pub fn share(&mut self, dictionaries: &Arc<SharedDictionaries>, column: usize) {
        self.shared = Some((Arc::clone(dictionaries), column));
    }

    /// Rows of the first data page, of which no more than the header is read; `None` where it does not tell.
    ///
    /// # Errors
    /// A page header that is not valid.
    pub fn first_page_rows(&mut self) -> Result<Option<usize>> {
        self.windows.read_headers_alone(true);
        while let Some(next) = self.reader.peek_next_page()? {
            if !next.is_dict {
                return Ok(next.num_rows.or(next.num_levels));
            }
            self.reader.skip_next_page()?;
        }
        Ok(None)
    }

    /// Passes over the next data page if it has at most `rows` rows; gives their number.
    ///
    /// # Errors
    /// A page header that is not valid.
    pub fn skip_page_within(&mut self, rows: usize) -> Result<Option<usize>> {
        loop {
            self.windows.read_headers_alone(true);
            let next = self.reader.peek_next_page();
            self.windows.read_headers_alone(false);
            let Some(next) = next? else { return Ok(None) };
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

    /// The dictionary as `decode` makes it of the values of its page and their number; each page is asked once.
    ///
    /// # Errors
    /// A chunk without one, or one that is not valid; the decoder's.
    pub fn dictionary<T: Send + Sync + 'static>(
        &mut self,
        decode: impl FnOnce(Bytes, usize) -> Result<T>,
    ) -> Result<Arc<T>> {
        let stored = match self.dictionary.take() {
            Some(Dictionary::Stored(stored)) => stored,
            Some(Dictionary::Known(known)) => {
                let other =
                    || hypostyle_engine::Error::Internal("a dictionary of another type is shared".into());
                return known.downcast().map_err(|_| Fault::Engine(other()));
            }
            None => {
                return Err(Fault::damaged("a page refers to a dictionary that the column chunk lacks"));
            }
        };
        if !matches!(stored.encoding, Encoding::PLAIN | Encoding::PLAIN_DICTIONARY) {
            return Err(Fault::damaged(format!("a dictionary in encoding {}", stored.encoding)));
        }
        let read = || decode(self.decompressed(&stored.bytes)?, stored.values);
        match &self.shared {
            Some((dictionaries, column)) => dictionaries.get_or_read(*column, read),
            None => Ok(Arc::new(read()?)),
        }
    }

    /// Keeps the page that comes next for when it is asked for, or passes over it if it is decoded already.
    fn keep_dictionary(&mut self) -> Result<()> {
        if let Some(known) = self.shared.as_ref().and_then(|(shared, column)| shared.known(*column)) {
            self.dictionary = Some(Dictionary::Known(known));
            return Ok(self.reader.skip_next_page()?);
        }
        if let Some(Page::DictionaryPage { buf, num_values, encoding, .. }) = self.reader.get_next_page()? {
            self.set_dictionary(buf, num_values, encoding);
        }
        Ok(())
    }

    fn set_dictionary(&mut self, bytes: Bytes, values: u32, encoding: Encoding) {
        let stored = StoredDictionary { bytes, values: values as usize, encoding };
        self.dictionary = Some(Dictionary::Stored(stored));
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

    fn decompressed(&self, stored: &Bytes) -> Result<Bytes> {
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
