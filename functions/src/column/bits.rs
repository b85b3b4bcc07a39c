//! A borrowed bitmap that may start inside a byte, and an owned one that functions write.

use arrow::buffer::{BooleanBuffer, Buffer, NullBuffer};
use arrow::datatypes::ToByteSlice;

use crate::kernel::bitmap::count_in_bytes;

/// Borrowed bits: Arrow validity, boolean values, or [`BitsMut`] seen for reading.
#[derive(Debug, Clone, Copy)]
pub struct Bits<'a> {
    /// From the byte of the first bit on.
    bytes: &'a [u8],
    /// Number of bits, and below it in three bits the place of the first in its byte: views hold bits and are copied often, so
    /// bits are as small as two words and a slice can be.
    length_and_offset: usize,
}

/// Bits that hold a place in a byte.
const OFFSET_BITS: u32 = 3;

impl<'a> Bits<'a> {
    /// Bits of an Arrow bitmap.
    pub fn of_buffer(buffer: &'a BooleanBuffer) -> Self {
        Self::at(buffer.values(), buffer.offset(), buffer.len())
    }

    /// Bits of an Arrow validity; set means valid.
    pub fn of_nulls(nulls: &'a NullBuffer) -> Self {
        Self::of_buffer(nulls.inner())
    }

    /// The first `length` bits of these words, lowest bit first.
    ///
    /// # Panics
    /// If the words hold fewer bits.
    pub fn of_words(words: &'a [u64], length: usize) -> Self {
        assert!(words.len() * 64 >= length, "{} words hold fewer than {length} bits", words.len());
        Self::at(words.to_byte_slice(), 0, length)
    }

    /// `length` bits of these bytes from bit `offset` on, lowest bit first.
    ///
    /// # Panics
    /// If the bytes hold fewer bits.
    pub fn of_bytes(bytes: &'a [u8], offset: usize, length: usize) -> Self {
        let bits = bytes.len() * 8;
        assert!(
            offset <= bits && length <= bits - offset,
            "{bits} bits do not hold {length} from {offset} on"
        );
        Self::at(bytes, offset, length)
    }

    #[inline]
    fn at(bytes: &'a [u8], offset: usize, length: usize) -> Self {
        // No slice has as many bytes as the length, less three bits of it, could count bits.
        let length_and_offset = length << OFFSET_BITS | offset & 7;
        Self { bytes: &bytes[offset >> OFFSET_BITS..], length_and_offset }
    }

    /// Place of the first bit in its byte.
    #[inline]
    fn offset(&self) -> usize {
        self.length_and_offset & 7
    }

    /// Number of bits.
    #[inline]
    pub fn len(&self) -> usize {
        self.length_and_offset >> OFFSET_BITS
    }

    /// True without bits.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The bit at `index`.
    ///
    /// # Panics
    /// If `index` is past the end.
    #[inline]
    pub fn get(&self, index: usize) -> bool {
        debug_assert!(index < self.len());
        let at = self.offset() + index;
        self.bytes[at >> 3] >> (at & 7) & 1 == 1
    }

    /// Bits `index * 64 ..` as one word; bits past the end are zero.
    #[inline]
    pub fn word(&self, index: usize) -> u64 {
        let (start, length) = (index * 64, self.len());
        if start >= length {
            return 0;
        }
        let at = self.offset() + start;
        let (byte, shift) = (at >> 3, at & 7);
        let rest = &self.bytes[byte..];
        let low = match rest.first_chunk::<8>() {
            Some(chunk) => u64::from_le_bytes(*chunk),
            None => {
                let mut chunk = [0u8; 8];
                chunk[..rest.len()].copy_from_slice(rest);
                u64::from_le_bytes(chunk)
            }
        };
        let mut word = low >> shift;
        if shift != 0 && rest.len() > 8 {
            word |= u64::from(rest[8]) << (64 - shift);
        }
        let left = length - start;
        if left < 64 { word & ((1u64 << left) - 1) } else { word }
    }

    /// All bits as words; those past the end are zero.
    pub fn to_words(&self) -> Vec<u64> {
        if self.offset() != 0 {
            return (0..self.words()).map(|index| self.word(index)).collect();
        }
        let mut words = vec![0; self.words()];
        let whole = self.len() / 64;
        let (chunks, _) = self.bytes.as_chunks::<8>();
        for (word, chunk) in words.iter_mut().zip(&chunks[..whole]) {
            *word = u64::from_le_bytes(*chunk);
        }
        if let Some(word) = words.get_mut(whole) {
            *word = self.word(whole);
        }
        words
    }

    /// The bytes that hold the bits, lowest first, from the first bit on; made in `storage` if that lies inside a byte. What
    /// follows the last bit may be anything.
    pub fn to_bytes<'s>(&self, storage: &'s mut Vec<u64>) -> &'s [u8]
    where
        'a: 's,
    {
        if self.offset() == 0 {
            return self.bytes;
        }
        *storage = self.to_words();
        storage.to_byte_slice()
    }

    /// Number of words that hold the bits.
    pub fn words(&self) -> usize {
        self.len().div_ceil(64)
    }

    /// Number of set bits.
    pub fn count(&self) -> usize {
        let end = self.offset() + self.len();
        let below = |bit: usize| match self.bytes.get(bit / 8) {
            Some(byte) => (byte & ((1 << (bit % 8)) - 1)).count_ones() as usize,
            None => 0,
        };
        count_in_bytes(&self.bytes[..end / 8]) + below(end) - below(self.offset())
    }

    /// The bits `start .. start + length`.
    ///
    /// # Panics
    /// If the range is past the end.
    pub fn slice(&self, start: usize, length: usize) -> Self {
        assert!(start + length <= self.len(), "bits {start}..{} of {}", start + length, self.len());
        Self::at(self.bytes, self.offset() + start, length)
    }
}

/// Owned bits in words. Bits past the length are unspecified until [`BitsMut::freeze`].
#[derive(Debug, Default, Clone)]
pub struct BitsMut {
    /// The words, lowest bit first.
    pub words: Vec<u64>,
    /// Number of bits.
    pub length: usize,
}

impl BitsMut {
    /// `length` bits, all equal to `value`; storage is reused.
    pub fn reset(&mut self, length: usize, value: bool) {
        self.words.clear();
        self.words.resize(length.div_ceil(64), if value { u64::MAX } else { 0 });
        self.length = length;
    }

    /// `length` bits; those that were there keep their value, new ones are `value`.
    pub fn resize(&mut self, length: usize, value: bool) {
        let old = self.length;
        self.words.resize(length.div_ceil(64), if value { u64::MAX } else { 0 });
        self.length = length;
        // The tail of the last word that was in use may hold anything.
        for index in old..length.min(old.next_multiple_of(64)) {
            self.set(index, value);
        }
    }

    /// Writes one bit.
    #[inline]
    pub fn set(&mut self, index: usize, value: bool) {
        debug_assert!(index < self.length);
        let mask = 1u64 << (index & 63);
        let word = &mut self.words[index >> 6];
        *word = if value { *word | mask } else { *word & !mask };
    }

    /// The bit at `index`.
    #[inline]
    pub fn get(&self, index: usize) -> bool {
        self.words[index >> 6] >> (index & 63) & 1 == 1
    }

    /// Appends one bit.
    pub fn push(&mut self, value: bool) {
        if self.length.is_multiple_of(64) {
            self.words.truncate(self.length / 64);
            self.words.push(0);
        }
        self.length += 1;
        self.set(self.length - 1, value);
    }

    /// These bits, for reading.
    pub fn as_bits(&self) -> Bits<'_> {
        Bits::of_words(&self.words, self.length)
    }

    /// Takes the words out into an Arrow bitmap and leaves this empty.
    pub fn freeze(&mut self) -> BooleanBuffer {
        let length = std::mem::take(&mut self.length);
        let mut words = std::mem::take(&mut self.words);
        words.truncate(length.div_ceil(64));
        BooleanBuffer::new(Buffer::from_vec(words), 0, length)
    }
}
