//! Columns of text and bytes. A dictionary stays one for the whole chunk; plain pages are shared by the views into them.

use std::sync::Arc;

use arrow::array::ArrayRef;
use arrow::buffer::{Buffer, ScalarBuffer};
use arrow::datatypes::DataType;
use bytes::Bytes;
use hypostyle_functions::column::{Bits, Column, Recycled, ViewBlock, ViewBuilder};
use hypostyle_functions::kernel::compact::compact_u32;
use hypostyle_functions::kernel::expand::expand_u32;
use parquet::basic::Encoding;

use super::column::{ColumnDecoder, Layout, RECYCLED_MAX};
use super::cursor::{PageValues, RowCursor};
use super::fault::{Fault, Result};
use super::fixed::{check_codes, test_codes};
use super::hybrid::Hybrid;
use super::pages::{DataPage, PageSource};
use super::plain::codes_of;
use super::predicate::ColumnTest;
use super::validity::{Validity, nulls_of};

/// Decodes text or bytes.
pub struct BytesColumn {
    cursor: RowCursor<BytesValues>,
    is_text: bool,
    dictionary: Option<Arc<Dictionary>>,
    window: Window,
    output: Output,
    output_valid: Validity,
    /// Codes that were handed out.
    recycled: Recycled,
    kept: Vec<u32>,
}

/// The values of a chunk's dictionary.
struct Dictionary {
    block: Arc<ViewBlock>,
    /// The same as an array, with at least one value.
    array: ArrayRef,
}

/// The values of an open page.
enum BytesValues {
    /// Codes of the dictionary.
    Codes(Hybrid),
    /// Values of the page's own block, and the next of them.
    Block(Arc<ViewBlock>, usize),
}

/// Rows that are loaded, each as the position of its value in a block.
#[derive(Default)]
struct Window {
    pieces: Vec<Piece>,
    positions: Vec<u32>,
    valid: Validity,
}

/// Rows of one page, from one position of the window to another.
struct Piece {
    start: usize,
    rows: usize,
    /// The page's values; `None` for the dictionary's.
    block: Option<Arc<ViewBlock>>,
}

/// Rows that go out: codes while all of them are of the dictionary, views otherwise.
enum Output {
    Codes(Vec<u32>),
    Views(ViewBuilder),
}

impl PageValues for BytesValues {
    fn skip(&mut self, count: usize) -> Result<()> {
        match self {
            Self::Codes(codes) => codes.skip(count),
            Self::Block(_, next) => {
                *next += count;
                Ok(())
            }
        }
    }
}

impl BytesColumn {
    /// A decoder before the first row.
    pub fn new(pages: PageSource, layout: Layout) -> Self {
        Self {
            cursor: RowCursor::new(pages, layout.optional),
            is_text: layout.data_type == DataType::Utf8View,
            dictionary: None,
            window: Window::default(),
            output: Output::Codes(Vec::new()),
            output_valid: Validity::default(),
            recycled: Recycled::of_at_most(RECYCLED_MAX),
            kept: Vec::new(),
        }
    }

    /// Rows of the output.
    fn rows(&self) -> usize {
        match &self.output {
            Output::Codes(codes) => codes.len(),
            Output::Views(views) => views.len(),
        }
    }

    /// Makes the codes of the window the output, where they are all of it; false if they are not.
    fn hand_over(&mut self, pieces: &[Piece], keep: Option<&Bits<'_>>) -> Result<bool> {
        let (Output::Codes(codes), Some(dictionary)) = (&mut self.output, &self.dictionary) else {
            return Ok(false);
        };
        if keep.is_some() || !codes.is_empty() || pieces.iter().any(|piece| piece.block.is_some()) {
            return Ok(false);
        }
        check_codes(&self.window.positions, dictionary.array.len())?;
        std::mem::swap(codes, &mut self.window.positions);
        Ok(true)
    }

    fn emit_piece(&mut self, piece: &Piece, keep: Option<Bits<'_>>) -> Result<()> {
        let positions = &self.window.positions[piece.start..piece.start + piece.rows];
        self.kept.clear();
        match keep {
            None => self.kept.extend_from_slice(positions),
            Some(keep) => {
                let mut words = Vec::new();
                compact_u32(positions, keep.to_bytes(&mut words), &mut self.kept);
            }
        }
        let kept = std::mem::take(&mut self.kept);
        match (&piece.block, &self.dictionary, &mut self.output) {
            (Some(block), ..) => self.views()?.extend(block, &kept)?,
            (None, Some(dictionary), output) => {
                check_codes(&kept, dictionary.array.len())?;
                match output {
                    Output::Codes(codes) => codes.extend_from_slice(&kept),
                    Output::Views(views) => views.extend(&dictionary.block, &kept)?,
                }
            }
            (None, None, _) => return Err(Fault::damaged("codes without a dictionary")),
        }
        self.kept = kept;
        Ok(())
    }

    /// Makes the output one of views; codes that it has become views.
    fn views(&mut self) -> Result<&mut ViewBuilder> {
        if let Output::Codes(codes) = &self.output {
            let mut views = ViewBuilder::new(self.is_text);
            if let Some(dictionary) = &self.dictionary {
                views.extend(&dictionary.block, codes)?;
            }
            self.output = Output::Views(views);
        }
        match &mut self.output {
            Output::Views(views) => Ok(views),
            Output::Codes(_) => {
                Err(Fault::Engine(hypostyle_engine::Error::Internal("codes are left".into())))
            }
        }
    }
}

impl ColumnDecoder for BytesColumn {
    fn begin(&mut self) {
        self.window.pieces.clear();
        self.window.positions.clear();
        self.window.valid.clear();
    }

    fn skip(&mut self, rows: usize) {
        self.cursor.skip(rows);
    }

    fn load(&mut self, mut rows: usize) -> Result<()> {
        while rows > 0 {
            let (is_text, dictionary) = (self.is_text, &mut self.dictionary);
            let taken =
                self.cursor.stretch(rows, &mut |pages, page| open(pages, page, is_text, dictionary))?;
            let window = &mut self.window;
            let start = window.valid.rows();
            let values = self.cursor.take_rows(taken, &mut window.valid)?;
            let block = match self.cursor.values()? {
                BytesValues::Codes(codes) => {
                    codes.read(values, &mut window.positions)?;
                    None
                }
                BytesValues::Block(block, next) => {
                    if *next + values > block.len() {
                        return Err(Fault::damaged(format!(
                            "a page of {} values where row {} has one more",
                            block.len(),
                            *next + values
                        )));
                    }
                    window.positions.extend(*next as u32..(*next + values) as u32);
                    *next += values;
                    Some(Arc::clone(block))
                }
            };
            window.positions.resize(start + taken, 0);
            if let Some(valid) = window.valid.bits().filter(|_| values < taken) {
                let valid = valid.slice(start, taken);
                expand_u32(&mut window.positions[start..], |index| valid.word(index), values);
            }
            window.pieces.push(Piece { start, rows: taken, block });
            rows -= taken;
        }
        Ok(())
    }

    fn test(&mut self, test: &mut ColumnTest, keep: &mut [bool]) -> Result<()> {
        for piece in &self.window.pieces {
            let range = piece.start..piece.start + piece.rows;
            let valid = self.window.valid.bits().map(|valid| valid.slice(piece.start, piece.rows));
            let positions = &self.window.positions[range.clone()];
            match (&piece.block, &self.dictionary) {
                (Some(block), _) => {
                    let mut views = ViewBuilder::new(self.is_text);
                    views.extend(block, positions)?;
                    test.test(Column::Flat(views.finish(valid.map(nulls_of))?), &mut keep[range])?;
                }
                (None, Some(dictionary)) => {
                    check_codes(positions, dictionary.array.len())?;
                    let values = || Ok(Arc::clone(&dictionary.array));
                    test_codes(test, positions, valid, &mut keep[range], values)?;
                }
                (None, None) => return Err(Fault::damaged("codes without a dictionary")),
            }
        }
        Ok(())
    }

    fn emit(&mut self, keep: Option<&Bits<'_>>) -> Result<()> {
        let before = self.rows();
        let pieces = std::mem::take(&mut self.window.pieces);
        if !self.hand_over(&pieces, keep)? {
            for piece in &pieces {
                self.emit_piece(piece, keep.map(|keep| keep.slice(piece.start, piece.rows)))?;
            }
        }
        self.window.pieces = pieces;
        let added = self.rows() - before;
        self.output_valid.append_window(&mut self.window.valid, keep, added);
        Ok(())
    }

    fn finish(&mut self) -> Result<Column> {
        let rows = self.rows();
        let next = Output::Codes(self.recycled.room(rows));
        let nulls = self.output_valid.take();
        match (std::mem::replace(&mut self.output, next), &self.dictionary) {
            (Output::Codes(codes), Some(dictionary)) => {
                let codes = Buffer::from_vec(codes);
                self.recycled.keep(codes.clone());
                let indices = ScalarBuffer::new(codes, 0, rows);
                Ok(Column::Dictionary { indices, validity: nulls, values: Arc::clone(&dictionary.array) })
            }
            (Output::Codes(_), None) => Ok(Column::Flat(ViewBuilder::new(self.is_text).finish(None)?)),
            (Output::Views(mut views), _) => Ok(Column::Flat(views.finish(nulls)?)),
        }
    }
}

fn open(
    pages: &mut PageSource,
    page: DataPage,
    is_text: bool,
    dictionary: &mut Option<Arc<Dictionary>>,
) -> Result<BytesValues> {
    match page.encoding {
        Encoding::PLAIN => {
            let block = ViewBlock::of_prefixed(Buffer::from(page.values), page.rows, is_text)?;
            Ok(BytesValues::Block(Arc::new(block), 0))
        }
        Encoding::PLAIN_DICTIONARY | Encoding::RLE_DICTIONARY => {
            if dictionary.is_none() {
                *dictionary = Some(pages.dictionary(|bytes, count| read_dictionary(bytes, count, is_text))?);
            }
            Ok(BytesValues::Codes(codes_of(page.values)?))
        }
        other => Err(Fault::damaged(format!("a page in encoding {other}"))),
    }
}

fn read_dictionary(bytes: Bytes, count: usize, is_text: bool) -> Result<Dictionary> {
    let mut block = ViewBlock::of_prefixed(Buffer::from(bytes), count, is_text)?;
    if block.len() < count {
        return Err(Fault::damaged(format!("a dictionary of {} values that promised {count}", block.len())));
    }
    if block.is_empty() {
        // Rows without a value have code 0.
        block = ViewBlock::of_prefixed(Buffer::from_vec(0u32.to_le_bytes().to_vec()), 1, is_text)?;
    }
    let array = block.to_array()?;
    Ok(Dictionary { block: Arc::new(block), array })
}
