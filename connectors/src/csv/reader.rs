//! Reads the records of a block in batches, and says what is wrong with those that do not fit.

use std::sync::Arc;

use hypostyle_functions::column::Column;

use super::convert::{BadValue, BlockText, ColumnFormat, Conversion};
use super::file::{BadRows, CsvFile};
use super::records::{Damage, Record, Span, is_blank, read_record};
use crate::batch::FileBatch;
use crate::error::{Error, Place, Result};
use crate::input::Block;

/// What the readers of a scan share.
pub(super) struct Shared {
    pub(super) file: Arc<CsvFile>,
    /// For each column of the file its place among the asked ones.
    pub(super) slots: Vec<Option<usize>>,
    pub(super) formats: Vec<ColumnFormat>,
    pub(super) batch_rows: usize,
}

/// Reads the records of one block in batches.
pub struct CsvReader {
    shared: Arc<Shared>,
    block: Arc<BlockText>,
    first_line: u64,
    position: usize,
    spans: Vec<Vec<Span>>,
    /// Where each record of the batch begins.
    starts: Vec<usize>,
}

impl CsvReader {
    pub(super) fn new(shared: Arc<Shared>, block: Block) -> Self {
        let spans = vec![Vec::with_capacity(shared.batch_rows); shared.formats.len()];
        Self {
            shared,
            block: Arc::new(BlockText::new(block.bytes)),
            first_line: block.first_line,
            position: 0,
            spans,
            starts: Vec::new(),
        }
    }

    /// Bytes of the block.
    pub fn block_bytes(&self) -> usize {
        self.block.bytes().len()
    }

    /// The next batch; `None` at the end of the block.
    ///
    /// # Errors
    /// The first record that does not fit, if such records fail.
    pub fn next_batch(&mut self) -> Result<Option<FileBatch>> {
        loop {
            self.spans.iter_mut().for_each(Vec::clear);
            self.starts.clear();
            self.cut()?;
            if self.starts.is_empty() {
                return Ok(None);
            }
            let batch = self.convert()?;
            if batch.rows > 0 {
                return Ok(Some(batch));
            }
        }
    }

    /// Cuts as many records as a batch holds.
    fn cut(&mut self) -> Result<()> {
        let shared = Arc::clone(&self.shared);
        let file = &shared.file;
        let block = Arc::clone(&self.block);
        let bytes = block.bytes();
        let expected = file.formats.len();
        while self.starts.len() < shared.batch_rows && self.position < bytes.len() {
            let start = self.position;
            if file.dialect.comment == Some(bytes[start]) {
                let end = memchr::memchr(file.dialect.line_end, &bytes[start..]);
                self.position = end.map_or(bytes.len(), |end| start + end + 1);
                continue;
            }
            let spans = &mut self.spans;
            let record = read_record(bytes, start, &file.dialect, |field, span| {
                if let Some(Some(slot)) = shared.slots.get(field) {
                    spans[*slot].push(span);
                }
            });
            self.position = record.end;
            if record.fields == expected && record.damage.is_none() {
                if expected > 1 || !is_last_blank(bytes, start, record.end) {
                    self.starts.push(start);
                } else {
                    spans.iter_mut().for_each(|column| column.truncate(self.starts.len()));
                }
                continue;
            }
            if is_blank(&bytes[start..record.end]) {
                spans.iter_mut().for_each(|column| column.truncate(self.starts.len()));
                continue;
            }
            self.repair(start, record)?;
        }
        Ok(())
    }

    /// Does with a record of the wrong shape what is to be done with such.
    fn repair(&mut self, start: usize, record: Record) -> Result<()> {
        let file = &self.shared.file;
        let rows = self.starts.len();
        let is_short = record.damage.is_none() && record.fields < file.formats.len();
        let keep = match file.options.bad_rows {
            BadRows::Null => true,
            _ if is_short && file.options.pad_with_nulls => true,
            BadRows::Skip => false,
            BadRows::Fail => return Err(self.shape_error(start, record)),
        };
        if keep {
            self.starts.push(start);
        }
        let end = record.end as u32;
        for spans in &mut self.spans {
            spans.truncate(self.starts.len());
            if keep && spans.len() == rows {
                spans.push(Span { start: end, end, missing: true, ..Span::default() });
            }
        }
        Ok(())
    }

    fn convert(&self) -> Result<FileBatch> {
        let file = &self.shared.file;
        let conversion =
            Conversion { block: &self.block, dialect: &file.dialect, null_texts: &file.null_texts };
        let rows = self.starts.len();
        let mut columns = Vec::with_capacity(self.spans.len());
        let mut bad: Vec<(BadValue, usize)> = Vec::new();
        let mut bad_of_column = Vec::new();
        for (slot, (spans, format)) in self.spans.iter().zip(&self.shared.formats).enumerate() {
            columns.push(Column::Flat(format.convert(spans, &conversion, &mut bad_of_column)));
            bad.extend(bad_of_column.drain(..).map(|value| (value, slot)));
        }
        let batch = FileBatch { columns, rows };
        if bad.is_empty() {
            return Ok(batch);
        }
        match file.options.bad_rows {
            BadRows::Null => Ok(batch),
            BadRows::Skip => batch.without(bad.iter().map(|(value, _)| value.row)),
            BadRows::Fail => {
                let first = bad.iter().min_by_key(|(value, slot)| (value.row, *slot));
                Err(first.map_or_else(
                    || Error::Internal("no bad value".into()),
                    |(value, slot)| self.value_error(*value, *slot),
                ))
            }
        }
    }

    fn place(&self, start: usize) -> Place {
        let file = &self.shared.file;
        let before = &self.block.bytes()[..start];
        let line = self.first_line + memchr::memchr_iter(file.dialect.line_end, before).count() as u64;
        Place::file(file.path.display().to_string()).line(line)
    }

    fn shape_error(&self, start: usize, record: Record) -> Error {
        let schema = &self.shared.file.schema;
        let name = |field: usize| {
            schema.fields.get(field).map_or_else(|| format!("column{field}"), |field| field.name.clone())
        };
        let place = self.place(start);
        match record.damage {
            Some(Damage::OpenQuote(field)) => Error::record(
                place.column(name(field)),
                "a quote is not closed before the end of the file; close it, or state another quote or none with quote => ''",
            ),
            Some(Damage::TextAfterQuote(field)) => Error::record(
                place.column(name(field)),
                "text between the closing quote and the delimiter; double the quotes inside, or state another quote or escape",
            ),
            None => Error::record(
                place,
                format!(
                    "{} fields where there are {} columns; null_padding => true fills up short records, ignore_errors => true leaves out such records",
                    record.fields,
                    schema.fields.len()
                ),
            ),
        }
    }

    fn value_error(&self, bad: BadValue, slot: usize) -> Error {
        let file = &self.shared.file;
        let column = self.shared.slots.iter().position(|&place| place == Some(slot)).unwrap_or(slot);
        let name = file.schema.fields[column].name.clone();
        let place = self.place(self.starts[bad.row]).column(&name);
        let span = self.spans[slot][bad.row];
        if bad.invalid_utf8 {
            return Error::record(
                place,
                "not valid UTF-8; convert the file to UTF-8, or leave out such records with ignore_errors => true",
            );
        }
        let text = String::from_utf8_lossy(span.of(self.block.bytes()));
        let shown: String = text.chars().take(60).collect();
        let data_type = self.shared.formats[slot].data_type();
        Error::record(
            place,
            format!(
                "\"{shown}\" is not a {data_type}; state another type with types => {{'{name}': 'VARCHAR'}}, a larger sample with sample_size => -1, or what is null with nullstr"
            ),
        )
    }
}

/// True for an empty last line, which is no record even where there is one column.
fn is_last_blank(bytes: &[u8], start: usize, end: usize) -> bool {
    end == bytes.len() && start == end
}
