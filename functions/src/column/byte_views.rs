//! Text and bytes that a file holds with their lengths, as views that share the file's block.

use arrow::array::ArrayRef;
use arrow::buffer::{Buffer, NullBuffer, ScalarBuffer};

use super::trusted::{binary_array, text_array};
use crate::error::{Error, Result};
use crate::kernel::bit_pack::greatest;
use crate::kernel::look_up::append_values;

/// Bytes of a view.
const VIEW_BYTES: usize = 16;
/// Values of one length that become views together.
const ABREAST: usize = 8;
/// Longest value that lies inside its view.
const INLINE_BYTES: usize = 12;
/// Bytes in front of each value, its length, lowest byte first.
const LENGTH_BYTES: usize = 4;
/// A length below this is written in bytes that are ASCII, so that text may be checked across it.
const LENGTH_ASCII_MAX: usize = 128;

/// The values of one block: each view points into the block, which was checked when they were made.
#[derive(Debug, Clone)]
pub struct ViewBlock {
    buffer: Buffer,
    views: ScalarBuffer<u128>,
    is_text: bool,
}

impl ViewBlock {
    /// Up to `count` values of a block that holds them one after the other, each behind its length in four bytes.
    ///
    /// Fewer values than asked are no error: the block ends at one.
    ///
    /// # Errors
    /// A value that leaves the block, or text that is not UTF-8.
    pub fn of_prefixed(buffer: Buffer, count: usize, is_text: bool) -> Result<Self> {
        let bytes = buffer.as_slice();
        if u32::try_from(bytes.len()).map_or(true, |length| length > i32::MAX as u32) {
            return Err(Error::user("a block of values has at most 2 GiB".to_string()));
        }
        let mut views = Vec::with_capacity(count.min(bytes.len() / LENGTH_BYTES));
        let (mut at, mut unchecked) = (0, 0);
        // The length of the value before.
        let mut before = usize::MAX;
        while views.len() < count && at < bytes.len() {
            let Some(length) = bytes[at..].first_chunk::<LENGTH_BYTES>() else {
                return Err(Error::user(format!("{} bytes where a length begins", bytes.len() - at)));
            };
            let length = u32::from_le_bytes(*length) as usize;
            if length == before
                && views.len() + ABREAST <= count
                && let Some(alike) = views_of_length(&bytes[at..], length)
            {
                views.extend_from_slice(&alike);
                at += ABREAST * (LENGTH_BYTES + length);
                continue;
            }
            before = length;
            let start = at + LENGTH_BYTES;
            let Some(value) = bytes.get(start..).and_then(|rest| rest.get(..length)) else {
                return Err(Error::user(format!(
                    "a value of {length} bytes where {} are left",
                    bytes.len() - start
                )));
            };
            if is_text && length >= LENGTH_ASCII_MAX {
                check_text(&bytes[unchecked..at])?;
                unchecked = start;
            }
            views.push(view(bytes, value, start));
            at = start + length;
        }
        if is_text {
            // A character cannot reach across a length, whose bytes are ASCII: the whole is valid if each value is.
            check_text(&bytes[unchecked..at])?;
        }
        Ok(Self { buffer, views: views.into(), is_text })
    }

    /// Number of values.
    pub fn len(&self) -> usize {
        self.views.len()
    }

    /// True without values.
    pub fn is_empty(&self) -> bool {
        self.views.is_empty()
    }

    /// The values as one array.
    ///
    /// # Errors
    /// What Arrow reports.
    pub fn to_array(&self) -> Result<ArrayRef> {
        array(self.views.clone(), vec![self.buffer.clone()], None, self.is_text)
    }
}

/// An array of values of several blocks under construction; their bytes are shared.
#[derive(Debug)]
pub struct ViewBuilder {
    views: Vec<u128>,
    buffers: Vec<Buffer>,
    is_text: bool,
}

impl ViewBuilder {
    /// A builder of text or of bytes.
    pub fn new(is_text: bool) -> Self {
        Self { views: Vec::new(), buffers: Vec::new(), is_text }
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        self.views.len()
    }

    /// True without rows.
    pub fn is_empty(&self) -> bool {
        self.views.is_empty()
    }

    /// Appends the values at these positions of a block; rows of a block without values become empty.
    ///
    /// # Errors
    /// A position past the values, or bytes for a builder of text.
    pub fn extend(&mut self, block: &ViewBlock, positions: &[u32]) -> Result<()> {
        if self.is_text && !block.is_text {
            return Err(Error::internal("bytes for an array of text"));
        }
        if block.is_empty() {
            self.views.resize(self.views.len() + positions.len(), 0);
            return Ok(());
        }
        let slot = self.slot(&block.buffer);
        let views = &block.views[..];
        let greatest = greatest(positions) as usize;
        if greatest >= views.len() {
            return Err(Error::user(format!("value {greatest} of {}", views.len())));
        }
        let first = self.views.len();
        append_values(views, positions, &mut self.views);
        if slot > 0 {
            for view in &mut self.views[first..] {
                let buffer = if *view as u32 as usize > INLINE_BYTES { slot } else { 0 };
                *view |= u128::from(buffer) << 64;
            }
        }
        Ok(())
    }

    /// The rows as one array; the builder is empty afterwards.
    ///
    /// # Errors
    /// What Arrow reports.
    pub fn finish(&mut self, nulls: Option<NullBuffer>) -> Result<ArrayRef> {
        array(std::mem::take(&mut self.views).into(), std::mem::take(&mut self.buffers), nulls, self.is_text)
    }

    fn slot(&mut self, buffer: &Buffer) -> u32 {
        let known = self.buffers.iter().rposition(|known| known.ptr_eq(buffer));
        let slot = known.unwrap_or_else(|| {
            self.buffers.push(buffer.clone());
            self.buffers.len() - 1
        });
        slot as u32
    }
}

fn array(
    views: ScalarBuffer<u128>,
    buffers: Vec<Buffer>,
    nulls: Option<NullBuffer>,
    is_text: bool,
) -> Result<ArrayRef> {
    if nulls.as_ref().is_some_and(|nulls| nulls.len() != views.len()) {
        return Err(Error::internal("a validity of another length than its views"));
    }
    if is_text { text_array(views, buffers, nulls) } else { binary_array(views, buffers, nulls) }
}

/// A view of `value`, which lies at `start` of the block.
#[inline]
fn view(block: &[u8], value: &[u8], start: usize) -> u128 {
    let length = value.len();
    if length > INLINE_BYTES {
        let mut prefix = [0u8; 4];
        prefix.copy_from_slice(&value[..4]);
        return length as u128 | u128::from(u32::from_le_bytes(prefix)) << 32 | (start as u128) << 96;
    }
    // The length in the file lies right before the value, so that both are one load; what follows is masked away.
    match block[start - LENGTH_BYTES..].first_chunk::<16>() {
        Some(chunk) => u128::from_le_bytes(*chunk) & (u128::MAX >> (8 * (INLINE_BYTES - length))),
        None => {
            let mut chunk = [0u8; 16];
            chunk[..LENGTH_BYTES].copy_from_slice(&(length as u32).to_le_bytes());
            chunk[LENGTH_BYTES..LENGTH_BYTES + length].copy_from_slice(value);
            u128::from_le_bytes(chunk)
        }
    }
}

/// The views of the next values, if all of them are of this length and lie inside their views.
///
/// Where one value begins does not wait for the length of another, which takes most of the time else.
#[inline]
fn views_of_length(bytes: &[u8], length: usize) -> Option<[u128; ABREAST]> {
    let stride = LENGTH_BYTES + length;
    if length > INLINE_BYTES || bytes.len() < (ABREAST - 1) * stride + VIEW_BYTES {
        return None;
    }
    let mask = u128::MAX >> (8 * (INLINE_BYTES - length));
    let views = std::array::from_fn(|place| {
        bytes[place * stride..].first_chunk().map_or(0, |chunk| u128::from_le_bytes(*chunk) & mask)
    });
    views.iter().all(|&view| view as u32 as usize == length).then_some(views)
}

fn check_text(bytes: &[u8]) -> Result<()> {
    match std::str::from_utf8(bytes) {
        Ok(_) => Ok(()),
        Err(error) => Err(Error::user(format!("text that is not UTF-8: {error}"))),
    }
}

#[cfg(test)]
mod tests {
    use arrow::array::AsArray;

    use super::*;

    fn prefixed(values: &[&[u8]]) -> Buffer {
        let mut bytes = Vec::new();
        for value in values {
            bytes.extend((value.len() as u32).to_le_bytes());
            bytes.extend(*value);
        }
        Buffer::from_vec(bytes)
    }

    #[test]
    fn values_of_every_length_come_back() {
        let texts: Vec<String> =
            (0..300).map(|length| "aé世".chars().cycle().take(length).collect()).collect();
        let values: Vec<&[u8]> = texts.iter().map(|text| text.as_bytes()).collect();
        let block = ViewBlock::of_prefixed(prefixed(&values), values.len(), true).unwrap();
        let array = block.to_array().unwrap();
        assert!(array.as_string_view().iter().eq(texts.iter().map(|text| Some(text.as_str()))));
    }

    #[test]
    fn values_of_one_length_come_back_wherever_another_one_stands() {
        for length in 0..=INLINE_BYTES + 1 {
            for other in 0..40 {
                let mut texts: Vec<String> =
                    (0..40).map(|row| format!("{row:014}")[14 - length..].to_owned()).collect();
                texts[other].push('x');
                for count in [0, 7, 8, 9, 17, 39, 40] {
                    let values: Vec<&[u8]> = texts[..count].iter().map(|text| text.as_bytes()).collect();
                    let block = ViewBlock::of_prefixed(prefixed(&values), count, true).unwrap();
                    let array = block.to_array().unwrap();
                    assert!(array.as_string_view().iter().flatten().eq(texts[..count].iter()));
                }
            }
        }
    }

    #[test]
    fn rows_of_several_blocks_share_their_bytes() {
        let first =
            ViewBlock::of_prefixed(prefixed(&[b"short", b"a value of more than twelve"]), 2, true).unwrap();
        let second =
            ViewBlock::of_prefixed(prefixed(&[b"another long value of text", b""]), 9, true).unwrap();
        let mut builder = ViewBuilder::new(true);
        builder.extend(&first, &[1, 0]).unwrap();
        builder.extend(&second, &[1, 0]).unwrap();
        builder.extend(&first, &[1]).unwrap();
        let array = builder.finish(None).unwrap();
        let texts: Vec<&str> = array.as_string_view().iter().flatten().collect();
        let long = "a value of more than twelve";
        assert_eq!(texts, [long, "short", "", "another long value of text", long]);
        assert_eq!(array.as_string_view().data_buffers().len(), 2);
    }

    #[test]
    fn damaged_blocks_are_refused() {
        let refused = |bytes: &[u8], count, is_text| {
            ViewBlock::of_prefixed(Buffer::from_vec(bytes.to_vec()), count, is_text).is_err()
        };
        assert!(refused(&[1, 0, 0], 1, true), "a length that is cut off");
        assert!(refused(&[2, 0, 0, 0, b'x'], 1, true), "a value that is cut off");
        assert!(refused(&[255, 255, 255, 255, b'x'], 1, false), "a length beyond the block");
        assert!(refused(&[1, 0, 0, 0, 0xC3, 1, 0, 0, 0, 0xA9], 2, true), "a character split over two values");
        assert!(!refused(&[1, 0, 0, 0, 0xC3, 1, 0, 0, 0, 0xA9], 2, false), "the same as bytes");
        let long = [&200u32.to_le_bytes()[..], &[b'x'; 199], &[0xC3]].concat();
        assert!(refused(&long, 1, true), "a long value that ends inside a character");
    }

    #[test]
    fn positions_past_the_values_are_refused() {
        let block = ViewBlock::of_prefixed(prefixed(&[b"x"]), 1, true).unwrap();
        let mut builder = ViewBuilder::new(true);
        assert!(builder.extend(&block, &[1]).is_err());
        let empty = ViewBlock::of_prefixed(prefixed(&[]), 5, true).unwrap();
        builder.extend(&empty, &[0, 0]).unwrap();
        assert_eq!(builder.finish(None).unwrap().len(), 2);
    }
}
