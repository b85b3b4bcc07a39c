//! Columns of fixed width.

use std::marker::PhantomData;

use arrow::array::ArrayRef;
use arrow::buffer::NullBuffer;
use hypostyle_functions::column::{Bits, Column};
use hypostyle_functions::kernel::bit_pack::greatest;
use hypostyle_functions::kernel::compact::{compact, compact_u32, keep_bits};
use hypostyle_functions::kernel::expand::{expand, expand_u32};
use parquet::basic::Encoding;

use super::column::{ColumnDecoder, Layout};
use super::cursor::RowCursor;
use super::fault::{Fault, Result};
use super::pages::{DataPage, PageSource};
use super::plain::{FixedValues, Holds, Stored, dictionary_of};
use super::predicate::ColumnTest;
use super::validity::{Validity, nulls_of};

/// Decodes values stored as `S` and held as `H`.
pub struct FixedColumn<S, H> {
    cursor: RowCursor<FixedValues>,
    layout: Layout,
    dictionary: Option<Vec<S>>,
    window: Window<S>,
    output: Vec<H>,
    output_valid: Validity,
    kept_codes: Vec<u32>,
    kept_values: Vec<S>,
    held: PhantomData<H>,
}

/// Rows that are loaded: in each piece codes or values, one for each row, whatever stands under nulls.
#[derive(Debug, Default)]
struct Window<S> {
    pieces: Vec<Piece>,
    codes: Vec<u32>,
    values: Vec<S>,
    valid: Validity,
}

/// Rows of one page.
#[derive(Debug, Clone, Copy)]
struct Piece {
    /// Position of the first of them in the window.
    start: usize,
    rows: usize,
    /// Position of the first of them among the codes, or among the values.
    first: usize,
    coded: bool,
}

impl<S: Stored, H: Holds<S>> FixedColumn<S, H> {
    /// A decoder before the first row.
    pub fn new(pages: PageSource, layout: Layout) -> Self {
        Self {
            cursor: RowCursor::new(pages, layout.optional),
            layout,
            dictionary: None,
            window: Window {
                pieces: Vec::new(),
                codes: Vec::new(),
                values: Vec::new(),
                valid: Validity::default(),
            },
            output: Vec::new(),
            output_valid: Validity::default(),
            kept_codes: Vec::new(),
            kept_values: Vec::new(),
            held: PhantomData,
        }
    }

    fn emit_codes(&mut self, piece: Piece, keep: Option<Bits<'_>>) -> Result<()> {
        let codes = &self.window.codes[piece.first..piece.first + piece.rows];
        let codes = match keep {
            None => codes,
            Some(keep) => {
                self.kept_codes.clear();
                let mut words = Vec::new();
                compact_u32(codes, keep.to_bytes(&mut words), &mut self.kept_codes);
                &self.kept_codes
            }
        };
        let dictionary = self.dictionary.as_deref().unwrap_or_default();
        check_codes(codes, dictionary.len())?;
        self.output.extend(codes.iter().map(|&code| H::of(dictionary[code as usize])));
        Ok(())
    }

    fn emit_values(&mut self, piece: Piece, keep: Option<Bits<'_>>) {
        let values = &self.window.values[piece.first..piece.first + piece.rows];
        let values = match keep {
            None => values,
            Some(keep) => {
                self.kept_values.clear();
                compact(values, |index| keep.word(index), &mut self.kept_values);
                &self.kept_values
            }
        };
        self.output.extend(values.iter().map(|&value| H::of(value)));
    }

    /// Values as an array of the engine's type.
    fn array(&self, values: &[S], nulls: Option<NullBuffer>) -> Result<ArrayRef> {
        H::array(values.iter().map(|&value| H::of(value)).collect(), nulls, &self.layout.data_type)
    }
}

impl<S: Stored, H: Holds<S>> ColumnDecoder for FixedColumn<S, H> {
    fn begin(&mut self) {
        self.window.pieces.clear();
        self.window.codes.clear();
        self.window.values.clear();
        self.window.valid.clear();
    }

    fn skip(&mut self, rows: usize) {
        self.cursor.skip(rows);
    }

    fn load(&mut self, mut rows: usize) -> Result<()> {
        while rows > 0 {
            let (layout, dictionary) = (&self.layout, &mut self.dictionary);
            let taken =
                self.cursor.stretch(rows, &mut |pages, page| open(pages, page, layout, dictionary))?;
            let window = &mut self.window;
            let start = window.valid.rows();
            let values = self.cursor.take_rows(taken, &mut window.valid)?;
            let (first, coded) = match self.cursor.values()? {
                FixedValues::Codes(codes) => {
                    let first = window.codes.len();
                    codes.read(values, &mut window.codes)?;
                    window.codes.resize(first + taken, 0);
                    (first, true)
                }
                plain => {
                    let first = window.values.len();
                    plain.read(values, &mut window.values)?;
                    window.values.resize(first + taken, S::default());
                    (first, false)
                }
            };
            if let Some(valid) = window.valid.bits().filter(|_| values < taken) {
                let valid = valid.slice(start, taken);
                if coded {
                    expand_u32(&mut window.codes[first..], |index| valid.word(index), values);
                } else {
                    expand(&mut window.values[first..], |index| valid.word(index), values);
                }
            }
            window.pieces.push(Piece { start, rows: taken, first, coded });
            rows -= taken;
        }
        Ok(())
    }

    fn test(&mut self, test: &mut ColumnTest, keep: &mut [bool]) -> Result<()> {
        for index in 0..self.window.pieces.len() {
            let piece = self.window.pieces[index];
            let range = piece.start..piece.start + piece.rows;
            let valid = self.window.valid.bits().map(|valid| valid.slice(piece.start, piece.rows));
            let keep = &mut keep[range];
            if piece.coded {
                let dictionary = self.dictionary.as_deref().unwrap_or_default();
                let codes = &self.window.codes[piece.first..piece.first + piece.rows];
                check_codes(codes, dictionary.len())?;
                test_codes(test, codes, valid, keep, || self.array(dictionary, None))?;
            } else {
                let nulls = valid.map(nulls_of);
                let values = &self.window.values[piece.first..piece.first + piece.rows];
                test.test(Column::Flat(self.array(values, nulls)?), keep)?;
            }
        }
        Ok(())
    }

    fn emit(&mut self, keep: Option<&Bits<'_>>) -> Result<()> {
        for index in 0..self.window.pieces.len() {
            let piece = self.window.pieces[index];
            let keep = keep.map(|keep| keep.slice(piece.start, piece.rows));
            if piece.coded {
                self.emit_codes(piece, keep)?;
            } else {
                self.emit_values(piece, keep);
            }
        }
        let added = self.output.len() - self.output_valid.rows();
        self.output_valid.append_window(&self.window.valid, keep, added);
        Ok(())
    }

    fn finish(&mut self) -> Result<Column> {
        let next = Vec::with_capacity(self.output.len());
        let values = std::mem::replace(&mut self.output, next);
        let nulls = self.output_valid.take();
        Ok(Column::Flat(H::array(values, nulls, &self.layout.data_type)?))
    }
}

fn open<S: Stored>(
    pages: &mut PageSource,
    page: DataPage,
    layout: &Layout,
    dictionary: &mut Option<Vec<S>>,
) -> Result<FixedValues> {
    let is_boolean = layout.data_type == arrow::datatypes::DataType::Boolean;
    let coded = matches!(page.encoding, Encoding::PLAIN_DICTIONARY | Encoding::RLE_DICTIONARY);
    if coded && dictionary.is_none() {
        let (bytes, count) = pages.dictionary()?;
        let mut values = dictionary_of(&bytes, count, layout.bytes_each)?;
        if values.is_empty() {
            // Rows without a value have code 0.
            values.push(S::default());
        }
        *dictionary = Some(values);
    }
    FixedValues::new(page.values, page.encoding, layout.bytes_each, is_boolean)
}

/// Refuses codes outside a dictionary of this many values.
pub fn check_codes(codes: &[u32], values: usize) -> Result<()> {
    let greatest = greatest(codes) as usize;
    if greatest < values || codes.is_empty() {
        return Ok(());
    }
    Err(Fault::damaged(format!("code {greatest} of a dictionary of {values} values")))
}

/// Clears `keep` by what a test says of the dictionary's values.
pub fn test_codes(
    test: &mut ColumnTest,
    codes: &[u32],
    valid: Option<Bits<'_>>,
    keep: &mut [bool],
    values: impl FnOnce() -> Result<ArrayRef>,
) -> Result<()> {
    let null = match valid {
        Some(_) => test.null()?,
        None => false,
    };
    let kept = test.dictionary(values)?;
    match valid {
        // The bits of a small dictionary lie in one word, and are looked up by whole vectors.
        None if kept.len() <= 64 => {
            let bits = kept.iter().rev().fold(0u64, |bits, &kept| bits << 1 | u64::from(kept));
            keep_bits(bits, codes, keep);
        }
        None => keep.iter_mut().zip(codes).for_each(|(keep, &code)| *keep &= kept[code as usize]),
        Some(valid) => {
            for (index, (keep, codes)) in keep.chunks_mut(64).zip(codes.chunks(64)).enumerate() {
                let word = valid.word(index);
                for (row, (keep, &code)) in keep.iter_mut().zip(codes).enumerate() {
                    *keep &= if word >> row & 1 == 1 { kept[code as usize] } else { null };
                }
            }
        }
    }
    Ok(())
}
