//! Columns of fixed width. They are decoded to values, or left as codes of their chunk's dictionary where that is asked for.

use std::marker::PhantomData;
use std::sync::{Arc, OnceLock};

use arrow::array::ArrayRef;
use arrow::buffer::{Buffer, NullBuffer, ScalarBuffer};
use hypostyle_functions::column::{Bits, Column, Recycled};
use hypostyle_functions::kernel::bit_pack::greatest;
use hypostyle_functions::kernel::compact::{compact, compact_u32, keep_bits};
use hypostyle_functions::kernel::expand::{expand, expand_u32, fill_unset};
use hypostyle_functions::kernel::look_up::append_values;
use parquet::basic::Encoding;

use super::column::{ColumnDecoder, Layout, RECYCLED_MAX};
use super::cursor::RowCursor;
use super::fault::{Fault, Result};
use super::pages::{DataPage, PageSource};
use super::plain::{FixedValues, Holds, Stored, dictionary_of};
use super::predicate::ColumnTest;
use super::validity::{Validity, nulls_of};

/// A larger dictionary is decoded although codes were asked for: what is computed for its values would not stay in the caches.
const CODED_VALUES_MAX: usize = 1 << 16;

/// Decodes values stored as `S` and held as `H`.
pub struct FixedColumn<S, H> {
    cursor: RowCursor<FixedValues>,
    layout: Layout,
    dictionary: Option<Arc<Dictionary<H>>>,
    window: Window<S>,
    output: Vec<H>,
    /// The output while it is codes; `output` is empty then.
    output_codes: Vec<u32>,
    /// Codes that were handed out.
    recycled: Recycled,
    output_valid: Validity,
    kept_codes: Vec<u32>,
    kept_values: Vec<S>,
    held: PhantomData<H>,
}

/// The values of a chunk's dictionary.
struct Dictionary<H> {
    values: Vec<H>,
    /// The same as an array for columns of codes, in which a null stands behind them; made when it is asked for.
    array: OnceLock<ArrayRef>,
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
            output_codes: Vec::new(),
            recycled: Recycled::of_at_most(RECYCLED_MAX),
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
        let dictionary = values_of(&self.dictionary);
        check_codes(codes, dictionary.len())?;
        if self.layout.coded && dictionary.len() <= CODED_VALUES_MAX && self.output.is_empty() {
            self.output_codes.extend_from_slice(codes);
        } else {
            append_values(dictionary, codes, &mut self.output);
        }
        Ok(())
    }

    /// Makes the codes of the window the output, where they are all of it; false if they are not.
    fn hand_over(&mut self, keep: Option<&Bits<'_>>) -> Result<bool> {
        let dictionary = values_of(&self.dictionary);
        let is_coded = self.layout.coded && dictionary.len() <= CODED_VALUES_MAX && !dictionary.is_empty();
        let is_empty = self.output.is_empty() && self.output_codes.is_empty();
        if !is_coded || !is_empty || keep.is_some() || !self.window.pieces.iter().all(|piece| piece.coded) {
            return Ok(false);
        }
        check_codes(&self.window.codes, dictionary.len())?;
        std::mem::swap(&mut self.output_codes, &mut self.window.codes);
        Ok(true)
    }

    /// Makes the output one of values.
    fn decode_output(&mut self) {
        append_values(values_of(&self.dictionary), &self.output_codes, &mut self.output);
        self.output_codes.clear();
    }

    /// The output as codes. A null row has the code of a null value, so that all that is computed from the column is computed for
    /// the values alone.
    fn finish_codes(&mut self, dictionary: &Dictionary<H>) -> Result<Column> {
        let null_code = dictionary.values.len() as u32;
        let mut codes = std::mem::take(&mut self.output_codes);
        if let Some(valid) = self.output_valid.bits() {
            fill_unset(&mut codes, |index| valid.word(index), null_code);
        }
        self.output_valid.clear();
        let values = match dictionary.array.get() {
            Some(array) => Arc::clone(array),
            None => {
                let mut values = dictionary.values.clone();
                values.push(H::default());
                let nulls: NullBuffer = (0..values.len()).map(|place| place != null_code as usize).collect();
                let array = H::array(values, Some(nulls), &self.layout.data_type)?;
                // Another reader may have been first.
                Arc::clone(dictionary.array.get_or_init(|| array))
            }
        };
        let (rows, codes) = (codes.len(), Buffer::from_vec(codes));
        self.recycled.keep(codes.clone());
        self.output_codes = self.recycled.room(rows);
        Ok(Column::Dictionary { indices: ScalarBuffer::new(codes, 0, rows), validity: None, values })
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
            let taken = self
                .cursor
                .stretch(rows, &mut |pages, page| open::<S, H>(pages, page, layout, dictionary))?;
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
                let dictionary = values_of(&self.dictionary);
                let codes = &self.window.codes[piece.first..piece.first + piece.rows];
                check_codes(codes, dictionary.len())?;
                let array = || H::array(dictionary.to_vec(), None, &self.layout.data_type);
                test_codes(test, codes, valid, keep, array)?;
            } else {
                let nulls = valid.map(nulls_of);
                let values = &self.window.values[piece.first..piece.first + piece.rows];
                test.test(Column::Flat(self.array(values, nulls)?), keep)?;
            }
        }
        Ok(())
    }

    fn emit(&mut self, keep: Option<&Bits<'_>>) -> Result<()> {
        if !self.hand_over(keep)? {
            for index in 0..self.window.pieces.len() {
                let piece = self.window.pieces[index];
                let keep = keep.map(|keep| keep.slice(piece.start, piece.rows));
                if piece.coded {
                    self.emit_codes(piece, keep)?;
                } else {
                    self.decode_output();
                    self.emit_values(piece, keep);
                }
            }
        }
        let added = self.output.len() + self.output_codes.len() - self.output_valid.rows();
        self.output_valid.append_window(&mut self.window.valid, keep, added);
        Ok(())
    }

    fn finish(&mut self) -> Result<Column> {
        if !self.output_codes.is_empty()
            && let Some(dictionary) = self.dictionary.clone()
        {
            return self.finish_codes(&dictionary);
        }
        let next = Vec::with_capacity(self.output.len());
        let values = std::mem::replace(&mut self.output, next);
        let nulls = self.output_valid.take();
        Ok(Column::Flat(H::array(values, nulls, &self.layout.data_type)?))
    }
}

fn values_of<H>(dictionary: &Option<Arc<Dictionary<H>>>) -> &[H] {
    dictionary.as_ref().map_or(&[], |dictionary| &dictionary.values)
}

fn open<S: Stored, H: Holds<S>>(
    pages: &mut PageSource,
    page: DataPage,
    layout: &Layout,
    dictionary: &mut Option<Arc<Dictionary<H>>>,
) -> Result<FixedValues> {
    let is_boolean = layout.data_type == arrow::datatypes::DataType::Boolean;
    let coded = matches!(page.encoding, Encoding::PLAIN_DICTIONARY | Encoding::RLE_DICTIONARY);
    if coded && dictionary.is_none() {
        let read = pages.dictionary(|bytes, count| {
            let values: Vec<S> = dictionary_of(&bytes, count, layout.bytes_each)?;
            let mut values: Vec<H> = values.into_iter().map(H::of).collect();
            if values.is_empty() {
                // Rows without a value have code 0.
                values.push(H::default());
            }
            Ok(Dictionary { values, array: OnceLock::new() })
        });
        *dictionary = Some(read?);
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
