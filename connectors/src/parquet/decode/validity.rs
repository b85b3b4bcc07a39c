//! Which rows of a window or an output are valid, as bits.

use arrow::buffer::{BooleanBuffer, Buffer, NullBuffer};
use hypostyle_functions::column::Bits;

/// Rows that a word has bits for.
const WORD: usize = 64;

/// Whether rows are valid, a bit each; nothing is kept while all of them are.
#[derive(Debug, Default)]
pub struct Validity {
    rows: usize,
    /// A bit for each row, zeros behind the last; empty while all rows are valid.
    words: Vec<u64>,
}

impl Validity {
    /// Forgets all rows.
    pub fn clear(&mut self) {
        self.rows = 0;
        self.words.clear();
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// A bit for each row; `None` if all are valid.
    pub fn bits(&self) -> Option<Bits<'_>> {
        (!self.words.is_empty()).then(|| Bits::of_words(&self.words, self.rows))
    }

    /// Appends rows that are all valid, or all null.
    pub fn append_equal(&mut self, rows: usize, is_valid: bool) {
        if rows == 0 || is_valid && self.words.is_empty() {
            self.rows += rows;
            return;
        }
        self.begin();
        let end = self.rows + rows;
        if is_valid {
            if let Some(last) = self.words.last_mut().filter(|_| !self.rows.is_multiple_of(WORD)) {
                *last |= u64::MAX << (self.rows % WORD);
            }
            self.words.resize(end.div_ceil(WORD), u64::MAX);
            self.rows = end;
            self.clear_behind();
        } else {
            self.words.resize(end.div_ceil(WORD), 0);
            self.rows = end;
        }
    }

    /// Appends rows by these bits; gives the number of valid ones.
    pub fn append_bits(&mut self, bits: Bits<'_>) -> usize {
        if self.words.is_empty() && bits.count() == bits.len() {
            self.rows += bits.len();
            return bits.len();
        }
        self.begin();
        self.words.reserve(bits.words());
        let mut valid = 0;
        for index in 0..bits.words() {
            let word = bits.word(index);
            valid += word.count_ones() as usize;
            self.append_word(word, (bits.len() - index * WORD).min(WORD));
        }
        valid
    }

    /// Appends those rows of `bits` that `keep` has a bit for.
    fn append_kept(&mut self, bits: Bits<'_>, keep: &Bits<'_>) {
        self.begin();
        for index in 0..bits.words() {
            let (word, kept) = (bits.word(index), keep.word(index));
            let (mut left, mut packed, mut rows) = (kept, 0, 0);
            if kept == u64::MAX {
                (left, packed, rows) = (0, word, WORD);
            }
            while left != 0 {
                packed |= (word >> left.trailing_zeros() & 1) << rows;
                rows += 1;
                left &= left - 1;
            }
            self.append_word(packed, rows);
        }
    }

    /// Appends the first `rows` bits of a word whose other bits are zero.
    fn append_word(&mut self, word: u64, rows: usize) {
        if rows == 0 {
            return;
        }
        let used = self.rows % WORD;
        match self.words.last_mut().filter(|_| used != 0) {
            None => self.words.push(word),
            Some(last) => {
                *last |= word << used;
                if used + rows > WORD {
                    self.words.push(word >> (WORD - used));
                }
            }
        }
        self.rows += rows;
    }

    /// Keeps bits from here on.
    fn begin(&mut self) {
        if self.words.is_empty() {
            self.words.resize(self.rows.div_ceil(WORD), u64::MAX);
            self.clear_behind();
        }
    }

    fn clear_behind(&mut self) {
        if let Some(last) = self.words.last_mut().filter(|_| !self.rows.is_multiple_of(WORD)) {
            *last &= (1 << (self.rows % WORD)) - 1;
        }
    }

    /// Appends the validity of a window's kept rows, of which there are `rows`. What the window holds afterwards is unspecified.
    pub fn append_window(&mut self, window: &mut Validity, keep: Option<&Bits<'_>>, rows: usize) {
        if self.rows == 0 && keep.is_none() {
            return std::mem::swap(self, window);
        }
        match (window.bits(), keep) {
            (None, _) => self.append_equal(rows, true),
            (Some(bits), None) => {
                self.append_bits(bits);
            }
            (Some(bits), Some(keep)) => self.append_kept(bits, keep),
        }
    }

    /// The validity of an output that is handed over; no rows are left.
    pub fn take(&mut self) -> Option<NullBuffer> {
        let rows = std::mem::take(&mut self.rows);
        if self.words.is_empty() {
            return None;
        }
        let next = Vec::with_capacity(self.words.len());
        let words = std::mem::replace(&mut self.words, next);
        let nulls = NullBuffer::new(BooleanBuffer::new(Buffer::from_vec(words), 0, rows));
        (nulls.null_count() > 0).then_some(nulls)
    }
}

/// Bits as the validity of an array.
pub fn nulls_of(bits: Bits<'_>) -> NullBuffer {
    NullBuffer::new(BooleanBuffer::new(Buffer::from_vec(bits.to_words()), 0, bits.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows_of(validity: &Validity) -> Vec<bool> {
        let bits = validity.bits();
        (0..validity.rows()).map(|row| bits.is_none_or(|bits| bits.get(row))).collect()
    }

    #[test]
    fn validity_is_kept_from_the_first_null_on() {
        let mut validity = Validity::default();
        validity.append_equal(2, true);
        assert_eq!(validity.append_bits(Bits::of_bytes(&[0b110], 1, 2)), 2);
        assert!(validity.bits().is_none());
        assert_eq!(validity.append_bits(Bits::of_bytes(&[0b10], 1, 2)), 1);
        validity.append_equal(1, true);
        assert_eq!(rows_of(&validity), [true, true, true, true, true, false, true]);
        let nulls = validity.take().unwrap();
        assert_eq!((nulls.len(), nulls.null_count(), validity.rows()), (7, 1, 0));
        assert_eq!((validity.append_bits(Bits::of_bytes(&[1], 0, 1)), validity.take()), (1, None));
    }

    #[test]
    fn rows_appended_in_every_way_are_the_rows() {
        let bytes: Vec<u8> = (0..64u32).map(|byte| (byte * 37 % 251) as u8).collect();
        for seed in 0..200usize {
            let (mut validity, mut expected) = (Validity::default(), Vec::new());
            for step in 0..12 {
                let number = seed * 31 + step * 17;
                let rows = number * number % 150;
                match number % 4 {
                    0 => validity.append_equal(rows, true),
                    1 => validity.append_equal(rows, false),
                    _ => {
                        let bits = Bits::of_bytes(&bytes, number % 70, rows);
                        let valid = validity.append_bits(bits);
                        assert_eq!(valid, bits.count());
                    }
                }
                expected.extend((0..rows).map(|row| match number % 4 {
                    0 => true,
                    1 => false,
                    _ => Bits::of_bytes(&bytes, number % 70, rows).get(row),
                }));
            }
            assert_eq!(rows_of(&validity), expected, "seed {seed}");
            let keep: Vec<u64> = (0..expected.len().div_ceil(64))
                .map(|word| {
                    if word % 3 == 1 {
                        u64::MAX
                    } else {
                        (seed as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15)
                    }
                })
                .collect();
            let keep = Bits::of_words(&keep, expected.len());
            let mut kept = Validity::default();
            kept.append_equal(3, true);
            kept.append_window(&mut validity, Some(&keep), keep.count());
            let expected = (0..expected.len()).filter(|&row| keep.get(row)).map(|row| expected[row]);
            assert!(rows_of(&kept).into_iter().eq([true; 3].into_iter().chain(expected)), "seed {seed}");
            let (expected, mut whole) = (rows_of(&validity), Validity::default());
            whole.append_window(&mut validity, None, expected.len());
            assert_eq!(rows_of(&whole), expected, "seed {seed}");
        }
    }
}
