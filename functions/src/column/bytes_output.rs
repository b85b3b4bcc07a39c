//! Writable text and bytes in view layout.

use std::fmt;

use arrow::buffer::Buffer;

use super::view::{Bytes, BytesData};

/// Longest value that lies inside its view.
const INLINE_BYTES: usize = 12;

/// Own bytes beyond which the block is closed and becomes a shared buffer, since offsets have 31 bits.
const BLOCK_BYTES_MAX: usize = 1 << 30;

/// Text or bytes under construction: one view per row, long values in one growing block, and
/// buffers shared with inputs for values that are parts of them.
#[derive(Debug, Default)]
pub struct BytesOutput {
    pub(super) views: Vec<u128>,
    pub(super) own: Vec<u8>,
    pub(super) shared: Vec<Buffer>,
    /// Copies parts of inputs too, where rows are kept longer than their batch.
    pub(super) copies: bool,
}

impl BytesOutput {
    pub(super) fn clear(&mut self) {
        self.views.clear();
        self.own.clear();
        self.shared.clear();
    }

    /// Forgets the values and keeps their rows, which are empty.
    pub(super) fn forget_values(&mut self) {
        self.views.fill(0);
        self.own.clear();
        self.shared.clear();
    }

    pub(super) fn resize(&mut self, length: usize) {
        self.views.resize(length, 0);
    }

    pub(super) fn as_data(&self) -> BytesData<'_> {
        BytesData { views: &self.views, own: Some(&self.own), buffers: &self.shared }
    }

    /// Writes a value by copy.
    #[inline]
    pub fn set(&mut self, row: usize, value: &[u8]) {
        if value.len() <= INLINE_BYTES {
            self.views[row] = inline_view(value);
        } else {
            let start = self.begin();
            self.own.extend_from_slice(value);
            self.views[row] = long_view(value, 0, start);
        }
    }

    /// Writes the view of a value that lies inside it.
    #[inline(always)]
    pub(crate) fn set_inline(&mut self, row: usize, view: u128) {
        debug_assert!(view as u32 as usize <= INLINE_BYTES, "a value outside its view");
        self.views[row] = view;
    }

    /// Writes `part`, which must be a part of row `source_row` of `source`; its bytes are shared, not
    /// copied, where `source` is Arrow data.
    #[inline]
    pub fn set_part(&mut self, row: usize, source: &Bytes<'_>, source_row: usize, part: &[u8]) {
        let whole = source.get(source_row);
        let skipped = (part.as_ptr() as usize).wrapping_sub(whole.as_ptr() as usize);
        if part.len() <= INLINE_BYTES {
            // What follows the part in its row is loaded with it, and masked away.
            self.views[row] = match whole.get(skipped..).and_then(<[u8]>::first_chunk::<INLINE_BYTES>) {
                Some(chunk) => inline_view_of(chunk, part.len()),
                None => inline_view(part),
            };
            return;
        }
        match source.buffer(source_row) {
            Some((buffer, start)) if !self.copies => {
                debug_assert!(skipped + part.len() <= whole.len(), "not a part of the source row");
                let index = self.share(buffer);
                self.views[row] = long_view(part, index + 1, start + skipped);
            }
            _ => self.set(row, part),
        }
    }

    /// Writes row `source_row` of `source`: shared as by [`BytesOutput::set_part`], or copied.
    #[inline]
    pub fn set_row(&mut self, row: usize, source: &Bytes<'_>, source_row: usize) {
        let view = source.view(source_row);
        if view as u32 as usize <= INLINE_BYTES {
            self.views[row] = view;
        } else if self.copies {
            let start = self.begin();
            self.own.extend_from_slice(source.get(source_row));
            // Length and first bytes stay as they are.
            self.views[row] = u128::from(view as u64) | (start as u128) << 96;
        } else {
            self.set_part(row, source, source_row, source.get(source_row));
        }
    }

    /// Starts a value that is written to [`BytesOutput::block`] piece by piece; returns its start.
    #[inline]
    pub fn begin(&mut self) -> usize {
        if self.own.len() > BLOCK_BYTES_MAX {
            self.close_block();
        }
        self.own.len()
    }

    /// The block that receives the bytes of a value under construction.
    #[inline]
    pub fn block(&mut self) -> &mut Vec<u8> {
        &mut self.own
    }

    /// Ends the value that began at `start` and gives it to `row`.
    #[inline]
    pub fn finish(&mut self, row: usize, start: usize) {
        let value = &self.own[start..];
        if value.len() <= INLINE_BYTES {
            self.views[row] = inline_view(value);
            self.own.truncate(start);
        } else {
            self.views[row] = long_view(value, 0, start);
        }
    }

    fn share(&mut self, buffer: &Buffer) -> usize {
        let same = |held: &Buffer| held.as_ptr() == buffer.as_ptr() && held.len() == buffer.len();
        if let Some(last) = self.shared.last()
            && same(last)
        {
            return self.shared.len() - 1;
        }
        if let Some(index) = self.shared.iter().position(same) {
            return index;
        }
        self.shared.push(buffer.clone());
        self.shared.len() - 1
    }

    /// Moves the own block to the shared buffers and re-points the views that used it.
    fn close_block(&mut self) {
        self.shared.push(Buffer::from_vec(std::mem::take(&mut self.own)));
        let index = self.shared.len() as u128;
        for view in &mut self.views {
            if *view as u32 as usize > INLINE_BYTES && (*view >> 64) as u32 == 0 {
                *view |= index << 64;
            }
        }
    }
}

impl<'a> Bytes<'a> {
    /// The Arrow buffer that holds a long value, and where it starts there.
    fn buffer(&self, row: usize) -> Option<(&'a Buffer, usize)> {
        if self.data.own.is_some() {
            return None;
        }
        let view = self.view(row);
        (view as u32 as usize > INLINE_BYTES)
            .then(|| (&self.data.buffers[(view >> 64) as u32 as usize], (view >> 96) as u32 as usize))
    }
}

fn inline_view(value: &[u8]) -> u128 {
    let length = value.len();
    // Two words that overlap where the value is shorter than both: a copy of so few bytes would be waited for.
    let bytes = if let (Some(first), Some(last)) = (value.first_chunk(), value.last_chunk()) {
        u128::from(u64::from_le_bytes(*first)) | u128::from(u64::from_le_bytes(*last)) << (8 * (length - 8))
    } else if let (Some(first), Some(last)) = (value.first_chunk(), value.last_chunk()) {
        u128::from(u32::from_le_bytes(*first)) | u128::from(u32::from_le_bytes(*last)) << (8 * (length - 4))
    } else {
        value.iter().rev().fold(0, |bytes, &byte| bytes << 8 | u128::from(byte))
    };
    bytes << 32 | length as u128
}

/// The view of the first `length` bytes.
#[inline]
fn inline_view_of(bytes: &[u8; INLINE_BYTES], length: usize) -> u128 {
    let mut view = [0u8; 16];
    view[4..].copy_from_slice(bytes);
    (u128::from_le_bytes(view) & (u128::MAX >> (8 * (INLINE_BYTES - length)))) | length as u128
}

fn long_view(value: &[u8], buffer: usize, start: usize) -> u128 {
    let mut bytes = [0u8; 16];
    bytes[..4].copy_from_slice(&(value.len() as u32).to_le_bytes());
    bytes[4..8].copy_from_slice(&value[..4]);
    bytes[8..12].copy_from_slice(&(buffer as u32).to_le_bytes());
    bytes[12..].copy_from_slice(&(start as u32).to_le_bytes());
    u128::from_le_bytes(bytes)
}

/// Writer of a text column: takes only `&str`, which is what keeps every text column valid UTF-8.
#[derive(Debug)]
pub struct TextWriter<'a>(pub(super) &'a mut BytesOutput);

impl TextWriter<'_> {
    /// Writes a text by copy.
    #[inline]
    pub fn set(&mut self, row: usize, value: &str) {
        self.0.set(row, value.as_bytes());
    }

    /// Writes `part`, a part of row `source_row` of `source`, sharing its bytes where possible.
    #[inline]
    pub fn set_part(&mut self, row: usize, source: &super::Text<'_>, source_row: usize, part: &str) {
        self.0.set_part(row, &source.0, source_row, part.as_bytes());
    }

    /// Writes a text piece by piece: `build` appends to the given builder.
    #[inline]
    pub fn build<R>(&mut self, row: usize, build: impl FnOnce(&mut TextBuilder<'_>) -> R) -> R {
        let start = self.0.begin();
        let result = build(&mut TextBuilder { block: &mut self.0.own, start });
        self.0.finish(row, start);
        result
    }
}

/// Receives the pieces of one text; also a [`fmt::Write`], so `write!` works on it.
#[derive(Debug)]
pub struct TextBuilder<'a> {
    block: &'a mut Vec<u8>,
    start: usize,
}

impl TextBuilder<'_> {
    /// Appends text.
    #[inline]
    pub fn push_str(&mut self, piece: &str) {
        self.block.extend_from_slice(piece.as_bytes());
    }

    /// Appends one character.
    #[inline]
    pub fn push(&mut self, character: char) {
        self.push_str(character.encode_utf8(&mut [0; 4]));
    }

    /// Bytes written so far.
    pub fn len(&self) -> usize {
        self.block.len() - self.start
    }

    /// True if nothing was written.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl fmt::Write for TextBuilder<'_> {
    fn write_str(&mut self, piece: &str) -> fmt::Result {
        self.push_str(piece);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inline_views_hold_the_value_and_zeros() {
        let bytes = b"abcdefghijkl";
        for length in 0..=INLINE_BYTES {
            assert_eq!(inline_view_of(bytes, length), inline_view(&bytes[..length]));
        }
    }
}
