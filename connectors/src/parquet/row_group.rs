//! Reads the asked columns of one row group in batches: columns without nesting by our own decoder, the others by the
//! crate's reader, and of all of them only the rows that the conditions keep.

use std::ops::Range;
use std::sync::Arc;

use arrow::buffer::{BooleanBuffer, Buffer};
use hypostyle_functions::Type;
use hypostyle_functions::column::{Bits, Column};
use hypostyle_functions::kernel::lane_loop::pack;
use parquet::file::metadata::{ColumnChunkMetaData, RowGroupMetaData};

use super::chunk_reader::ChunkWindows;
use super::decode::{
    ColumnDecoder, ColumnTest, Fault, Layout, Make, PageSource, PartGuard, Result as DecodeResult, Wanted,
    decoder_of,
};
use super::file::{ParquetFile, RowGroupMorsel};
use super::nested::NestedReader;
use super::prune::page_locations;
use crate::batch::FileBatch;
use crate::error::{Error, Place, Result};
use crate::input::BufferPool;

/// Chunks that are asked how many rows a page has.
const ASKED_CHUNKS: usize = 4;

/// A test of one column of a file: rows that fail it are not wanted.
#[derive(Debug, Clone)]
pub struct ColumnFilter {
    /// Position of the column in the file.
    pub column: usize,
    /// What its rows are tested for.
    pub wanted: Wanted,
}

/// A reader over one morsel. Every batch has the asked columns, in the order asked, in logical form;
/// text that is a dictionary on disk comes as one.
pub struct RowGroupReader {
    file: Arc<ParquetFile>,
    row_group: usize,
    columns: Vec<ReadColumn>,
    /// Positions in `columns` of the asked ones, in the order asked.
    asked: Vec<usize>,
    nested: Option<NestedReader>,
    /// The column that is loaded first, of those that are not tested.
    first: usize,
    tests: Vec<Test>,
    ranges: std::vec::IntoIter<Range<usize>>,
    range: Range<usize>,
    /// The row behind the last one that was taken.
    row: usize,
    batch_rows: usize,
    rows_left: usize,
    /// A window that did not fit into the last batch.
    waiting: Option<Window>,
    _part: Option<PartGuard>,
}

/// A column that is read, for itself or for a condition.
struct ReadColumn {
    name: String,
    source: ColumnSource,
    asked: bool,
    tested: bool,
}

enum ColumnSource {
    Own(Box<dyn ColumnDecoder>),
    /// Position among the columns of the crate's reader, and the rows kept so far.
    Nested(usize, Vec<Column>),
}

struct Test {
    /// Position in `columns`.
    column: usize,
    test: ColumnTest,
}

/// Some rows of the morsel, at most a batch, and which of them are kept.
struct Window {
    /// Rows to pass over and rows to take, one after the other.
    steps: Vec<(usize, usize)>,
    rows: usize,
    /// `None` keeps all.
    keep: Option<BooleanBuffer>,
    kept: usize,
    /// Columns up to this one that are tested have been loaded.
    loaded: usize,
    nested: Vec<Column>,
}

impl RowGroupReader {
    pub(super) fn open(
        file: &Arc<ParquetFile>,
        columns: &[usize],
        coded: &[usize],
        filters: &[ColumnFilter],
        morsel: &RowGroupMorsel,
        batch_rows: usize,
        pool: &Arc<BufferPool>,
    ) -> Result<Self> {
        let place = || file.place().part("row group", morsel.row_group);
        let mut wanted: Vec<usize> = Vec::with_capacity(columns.len() + filters.len());
        for &column in columns.iter().chain(filters.iter().map(|filter| &filter.column)) {
            if !wanted.contains(&column) {
                wanted.push(column);
            }
        }
        let position = |column: usize| wanted.iter().position(|&known| known == column).unwrap_or(0);
        let mut nested = Vec::new();
        let mut read = Vec::with_capacity(wanted.len());
        for &column in &wanted {
            let name = file.schema.logical.fields[column].name.clone();
            let own = own_decoder(file, column, coded.contains(&column), morsel, pool)
                .map_err(|fault| refusal(fault, || place().column(&name)))?;
            let source = match own {
                Some(decoder) => ColumnSource::Own(decoder),
                None => {
                    nested.push(column);
                    ColumnSource::Nested(nested.len() - 1, Vec::new())
                }
            };
            let tested = filters.iter().any(|filter| filter.column == column);
            read.push(ReadColumn { name, source, asked: columns.contains(&column), tested });
        }
        let nested = if nested.is_empty() {
            None
        } else {
            Some(NestedReader::open(file, &nested, morsel, batch_rows, pool)?)
        };
        let tests = filters.iter().map(|filter| {
            let data_type: &Type = &file.schema.logical.fields[filter.column].data_type;
            let test = ColumnTest::new(&filter.wanted, data_type);
            let test = test.map_err(|error| Error::Engine(Box::new(error)))?;
            Ok(Test { column: position(filter.column), test })
        });
        let all = 0..file.row_group_rows(morsel.row_group);
        // Readers of neighbouring parts begin far from each other, so that they do not wait for one another's dictionaries.
        let first = if morsel.part % 2 == 1 { read.len() / 2 } else { 0 };
        Ok(Self {
            first,
            tests: tests.collect::<Result<_>>()?,
            file: Arc::clone(file),
            row_group: morsel.row_group,
            asked: columns.iter().map(|&column| position(column)).collect(),
            columns: read,
            nested,
            ranges: morsel.ranges.clone().unwrap_or_else(|| vec![all]).into_iter(),
            range: 0..0,
            row: 0,
            batch_rows,
            rows_left: morsel.rows,
            waiting: None,
            _part: morsel.dictionaries.clone().map(PartGuard),
        })
    }

    /// The next batch; `None` after the last. Never an empty one.
    ///
    /// # Errors
    /// Pages that are not valid, or fewer rows than the footer promises.
    pub fn next_batch(&mut self) -> Result<Option<FileBatch>> {
        let mut rows = 0;
        // Few kept rows of many windows make one batch.
        while rows * 2 < self.batch_rows {
            let window = match self.waiting.take() {
                Some(window) => window,
                None => match self.next_window() {
                    Some(window) => self.tested(window)?,
                    None => break,
                },
            };
            if rows > 0 && rows + window.kept > self.batch_rows {
                self.waiting = Some(window);
                break;
            }
            rows += window.kept;
            self.emit(window)?;
        }
        if rows == 0 {
            return Ok(None);
        }
        let columns = (0..self.asked.len()).map(|index| self.finished(index)).collect::<Result<_>>()?;
        Ok(Some(FileBatch { columns, rows }))
    }

    /// The file and row group, for messages.
    pub fn place(&self) -> Place {
        self.file.place().part("row group", self.row_group)
    }

    /// The next rows of the morsel, at most a batch of them.
    fn next_window(&mut self) -> Option<Window> {
        let rows = self.rows_left.min(self.batch_rows);
        if rows == 0 {
            return None;
        }
        self.rows_left -= rows;
        let mut steps = Vec::with_capacity(1);
        let mut left = rows;
        while left > 0 {
            if self.range.is_empty() {
                // Rows that no range tells of are missing from the pages too, and reading them says so.
                self.range = self.ranges.next().unwrap_or(self.row..usize::MAX);
            }
            let taken = left.min(self.range.len());
            steps.push((self.range.start.saturating_sub(self.row), taken));
            self.range.start += taken;
            self.row = self.range.start;
            left -= taken;
        }
        Some(Window { steps, rows, keep: None, kept: rows, loaded: 0, nested: Vec::new() })
    }

    /// Loads the columns of conditions, and finds the rows that all of them keep.
    fn tested(&mut self, mut window: Window) -> Result<Window> {
        if let Some(nested) = &mut self.nested {
            window.nested = nested.next(window.rows)?;
        }
        if self.tests.is_empty() {
            return Ok(window);
        }
        let mut keep = vec![true; window.rows];
        for index in 0..self.columns.len() {
            if self.columns[index].tested && window.kept > 0 {
                self.load(index, &window)?;
                self.test(index, &mut window, &mut keep)?;
                window.loaded = index + 1;
            }
        }
        if window.kept == window.rows {
            return Ok(window);
        }
        let mut words = vec![0u64; keep.len().div_ceil(64)];
        pack(&keep, &mut words);
        window.keep = Some(BooleanBuffer::new(Buffer::from_vec(words), 0, window.rows));
        Ok(window)
    }

    /// Tests a loaded column.
    fn test(&mut self, index: usize, window: &mut Window, keep: &mut [bool]) -> Result<()> {
        let column = &mut self.columns[index];
        let tests = self.tests.iter_mut().filter(|test| test.column == index);
        for Test { test, .. } in tests.filter(|test| test.test.is_worth_it()) {
            let tested = match &mut column.source {
                ColumnSource::Own(decoder) => decoder.test(test, keep),
                ColumnSource::Nested(position, _) => test.test(window.nested[*position].clone(), keep),
            };
            let place = || self.file.place().part("row group", self.row_group).column(&column.name);
            tested.map_err(|fault| refusal(fault, place))?;
            let kept = keep.iter().map(|&keep| usize::from(keep)).sum();
            test.note(window.kept, kept);
            window.kept = kept;
        }
        Ok(())
    }

    fn load(&mut self, index: usize, window: &Window) -> Result<()> {
        let column = &mut self.columns[index];
        let ColumnSource::Own(decoder) = &mut column.source else { return Ok(()) };
        decoder.begin();
        let loaded: DecodeResult<()> = window.steps.iter().try_for_each(|&(skipped, taken)| {
            decoder.skip(skipped);
            decoder.load(taken)
        });
        loaded.map_err(|fault| self.refused(index, fault))
    }

    /// Appends the kept rows of a window to the output of each column.
    fn emit(&mut self, window: Window) -> Result<()> {
        let keep = window.keep.as_ref();
        for index in (self.first..self.columns.len()).chain(0..self.first) {
            let ReadColumn { asked, tested, .. } = self.columns[index];
            if asked && !tested && window.kept > 0 {
                self.load(index, &window)?;
            }
            let emitted = match &mut self.columns[index].source {
                ColumnSource::Own(decoder) if !asked || window.kept == 0 => {
                    if !tested || index >= window.loaded {
                        window.steps.iter().for_each(|&(skipped, taken)| decoder.skip(skipped + taken));
                    }
                    Ok(())
                }
                ColumnSource::Own(decoder) => decoder.emit(keep.map(Bits::of_buffer).as_ref()),
                ColumnSource::Nested(..) if !asked || window.kept == 0 => Ok(()),
                ColumnSource::Nested(position, kept) => {
                    let column = &window.nested[*position];
                    let rows =
                        keep.map_or_else(|| Ok(column.clone()), |keep| column.filter(keep, window.kept));
                    rows.map(|rows| kept.push(rows)).map_err(Fault::from)
                }
            };
            emitted.map_err(|fault| self.refused(index, fault))?;
        }
        Ok(())
    }

    /// The output of an asked column.
    fn finished(&mut self, index: usize) -> Result<Column> {
        let column = self.asked[index];
        // A column that is asked twice is finished once.
        if let Some(known) = self.asked[..index].iter().position(|&known| known == column) {
            return Err(Error::Internal(format!("column {known} is asked twice of one row group")));
        }
        let finished = match &mut self.columns[column].source {
            ColumnSource::Own(decoder) => decoder.finish(),
            ColumnSource::Nested(_, kept) => put_together(std::mem::take(kept)),
        };
        finished.map_err(|fault| self.refused(column, fault))
    }

    fn refused(&self, index: usize, fault: Fault) -> Error {
        refusal(fault, || self.place().column(&self.columns[index].name))
    }
}

/// Columns one after the other as one.
fn put_together(mut columns: Vec<Column>) -> DecodeResult<Column> {
    if columns.len() == 1
        && let Some(column) = columns.pop()
    {
        return Ok(column);
    }
    let arrays = columns.iter().map(Column::to_array).collect::<Result<Vec<_>, _>>()?;
    let arrays: Vec<&dyn arrow::array::Array> = arrays.iter().map(AsRef::as_ref).collect();
    Ok(Column::Flat(arrow_select::concat::concat(&arrays)?))
}

/// What makes the decoder of a column of a row group, and its chunk, where we have one of our own.
fn own_chunk(
    file: &ParquetFile,
    column: usize,
    row_group: usize,
) -> Option<(Make, Layout, &ColumnChunkMetaData)> {
    let stored = &file.schema.columns[column];
    let group = file.metadata.row_group(row_group);
    let chunk = stored.leaves.first().and_then(|&leaf| chunk_of(group, leaf))?;
    if !stored.specials.is_empty() {
        return None;
    }
    let logical = &file.schema.logical.fields[column].data_type;
    let (make, layout) = decoder_of(&stored.parquet, chunk, stored.decoded.data_type(), logical)?;
    Some((make, layout, chunk))
}

/// The pages of a chunk of which rows of a morsel are read.
fn pages_of(
    file: &ParquetFile,
    chunk: &ColumnChunkMetaData,
    morsel: &RowGroupMorsel,
    pool: &Arc<BufferPool>,
) -> DecodeResult<PageSource> {
    let (start, length) = chunk.byte_range();
    let end = start.checked_add(length).filter(|&end| end <= file.local.len());
    let Some(end) = end else {
        return Err(Fault::damaged(format!(
            "not valid Parquet: the chunk is said to be {length} bytes at byte {start}, the file has {} bytes",
            file.local.len()
        )));
    };
    let locations = match &morsel.ranges {
        Some(_) => page_locations(&file.local, chunk)?,
        None => None,
    };
    let rows = file.row_group_rows(morsel.row_group);
    let (range, share) = (start..end, morsel.rows as f64 / rows.max(1) as f64);
    let windows = ChunkWindows::new(&file.local, pool, vec![range], share);
    PageSource::new(windows, chunk, rows, locations, Arc::clone(pool))
}

/// A decoder of our own for a column of a row group, where there is one.
fn own_decoder(
    file: &ParquetFile,
    column: usize,
    coded: bool,
    morsel: &RowGroupMorsel,
    pool: &Arc<BufferPool>,
) -> DecodeResult<Option<Box<dyn ColumnDecoder>>> {
    let Some((make, mut layout, chunk)) = own_chunk(file, column, morsel.row_group) else { return Ok(None) };
    let mut pages = pages_of(file, chunk, morsel, pool)?;
    if let Some(dictionaries) = &morsel.dictionaries {
        pages.share(dictionaries, column);
    }
    layout.coded = coded;
    Ok(Some(make(pages, layout)))
}

/// Rows of the first pages of the largest of these columns, the most there are; `None` where that is not told, or a column is left to
/// the crate's reader, which decodes all rows before those it is asked for.
pub(super) fn first_page_rows(
    file: &ParquetFile,
    columns: &[usize],
    morsel: &RowGroupMorsel,
    pool: &Arc<BufferPool>,
) -> Option<usize> {
    let chunks = columns.iter().map(|&column| own_chunk(file, column, morsel.row_group));
    let mut chunks = chunks.map(|found| found.map(|(.., chunk)| chunk)).collect::<Option<Vec<_>>>()?;
    chunks.sort_by_key(|chunk| std::cmp::Reverse(chunk.compressed_size()));
    let rows = chunks.into_iter().take(ASKED_CHUNKS).map(|chunk| {
        // What is not valid shows when it is read.
        pages_of(file, chunk, morsel, pool).ok()?.first_page_rows().ok()?
    });
    rows.collect::<Option<Vec<_>>>()?.into_iter().max()
}

/// The chunk of a leaf, if it is in this file.
fn chunk_of(group: &RowGroupMetaData, leaf: usize) -> Option<&ColumnChunkMetaData> {
    group.columns().get(leaf).filter(|chunk| chunk.file_path().is_none())
}

fn refusal(fault: Fault, place: impl Fn() -> Place) -> Error {
    match fault {
        Fault::Damaged(problem) => Error::corrupt(place(), format!("not valid Parquet: {problem}")),
        Fault::Engine(error) => Error::Engine(Box::new(error)),
    }
}
