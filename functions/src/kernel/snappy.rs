//! Expands blocks of Snappy: literals, and copies of bytes that were written before.
//!
//! An element starts with a tag whose low two bits tell its kind; one unaligned load holds the tag and the offset behind
//! it. Far from both ends short elements are copied by whole vectors, of which the next element overwrites what was too
//! much; the last elements are copied byte by byte with every check.
//!
//! Whole numbers of eight bytes that grow slowly, as times and identities do, become pairs of elements: the low bytes as
//! a literal, the others copied from the number before. Such pairs are put together in a register, since a load that
//! lies across two fresh stores waits for both of them.
//!
//! Source: the format description of Snappy, version 2011-10-05.

use std::fmt;
use std::hint::select_unpredictable;

/// Bytes that one compressed byte stands for at most: a copy of three bytes gives 64.
pub const GROWTH_MAX: usize = 22;

/// Room that the fast loop needs in front of it in the input: a tag and the longest short literal, in whole vectors.
const INPUT_MARGIN: usize = 1 + SHORT_MAX;
/// Room that it needs in the output: the longest short element, and what whole vectors write too much.
const OUTPUT_MARGIN: usize = SHORT_MAX + VECTOR;
/// Longest element that is copied by whole vectors.
const SHORT_MAX: usize = 64;
/// Bytes of a vector.
const VECTOR: usize = 16;
/// Bytes of half a vector.
const HALF: usize = VECTOR / 2;
/// Bytes of a number whose high bytes are copied from the one before.
const NUMBER: usize = 8;
/// Literals of this length and above write their length behind the tag.
const LITERAL_LONG: usize = 60;

/// What is wrong with a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SnappyError {
    /// The block ends inside an element, or before its output is full.
    CutOff,
    /// A length or an offset that leaves the output.
    OutOfRange,
}

impl fmt::Display for SnappyError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::CutOff => "a block that is cut off",
            Self::OutOfRange => "a copy that leaves the block",
        })
    }
}

/// Length of the output and of the head that says it.
///
/// # Errors
/// A head that is cut off, or a length beyond 32 bits.
pub fn expanded_length(block: &[u8]) -> Result<(usize, usize), SnappyError> {
    let mut length = 0u64;
    for (index, &byte) in block.iter().take(5).enumerate() {
        length |= u64::from(byte & 0x7F) << (7 * index);
        if byte & 0x80 == 0 {
            let length = u32::try_from(length).map_err(|_| SnappyError::OutOfRange)?;
            return Ok((length as usize, index + 1));
        }
    }
    Err(SnappyError::CutOff)
}

/// Expands the elements of a block, behind its head, into the whole of `output`.
///
/// # Errors
/// Elements that are not valid, or do not fill the output exactly.
pub fn expand(elements: &[u8], output: &mut [u8]) -> Result<(), SnappyError> {
    let (mut read, mut written) = (0, 0);
    loop {
        (read, written) = expand_fast(elements, output, read, written)?;
        if read == elements.len() {
            break;
        }
        (read, written) = expand_one(elements, output, read, written)?;
    }
    if written == output.len() { Ok(()) } else { Err(SnappyError::CutOff) }
}

/// Expands short elements while both ends are far; gives what was read and written.
fn expand_fast(
    elements: &[u8],
    output: &mut [u8],
    mut read: usize,
    mut written: usize,
) -> Result<(usize, usize), SnappyError> {
    let (Some(read_end), Some(written_end)) =
        (elements.len().checked_sub(INPUT_MARGIN), output.len().checked_sub(OUTPUT_MARGIN))
    else {
        return Ok((read, written));
    };
    while read <= read_end && written <= written_end {
        let (source, target) = (elements.as_ptr(), output.as_mut_ptr());
        // SAFETY: `read <= read_end`, so that 65 bytes of the input follow.
        let word = u64::from_le(unsafe { source.add(read).cast::<u64>().read_unaligned() });
        let tag = word as usize & 0xFF;
        let kind = tag & 3;
        let upper = tag >> 2;
        if kind == 0 {
            let length = upper + 1;
            if upper >= LITERAL_LONG {
                break;
            }
            if is_number(word) && written >= NUMBER {
                (read, written) = expand_numbers(elements, output, (read, read_end), (written, written_end));
                continue;
            }
            // SAFETY: 64 bytes of the input follow the tag, 64 bytes and a vector of the output follow `written`; the
            // two are different allocations.
            unsafe { copy_short(source.add(read + 1), target.add(written), length) };
            read += 1 + length;
            written += length;
            continue;
        }
        let (length, offset, bytes) = if kind == 3 {
            (upper + 1, (word >> 8) as usize & 0xFFFF_FFFF, 5)
        } else {
            // The two short kinds follow one another without a pattern, so they are told apart without a branch.
            let is_near = kind == 1;
            let length = select_unpredictable(is_near, (upper & 7) + 4, upper + 1);
            let near = (tag & 0xE0) << 3 | (word >> 8) as usize & 0xFF;
            let offset = select_unpredictable(is_near, near, (word >> 8) as usize & 0xFFFF);
            (length, offset, kind + 1)
        };
        if offset.wrapping_sub(1) >= written {
            return Err(SnappyError::OutOfRange);
        }
        // SAFETY: `offset` is 1 to `written`, so the source lies in what is written; 64 bytes and a vector follow.
        unsafe { copy_back(target.add(written), offset, length) };
        read += bytes;
        written += length;
    }
    Ok((read, written))
}

/// True if these elements are a literal of one to four bytes and the rest of eight bytes, copied from eight bytes before.
#[inline(always)]
fn is_number(word: u64) -> bool {
    let fresh = literal_bytes(word);
    // A near copy has its length above four in bits 2 to 4, and its offset behind the tag.
    let rest = (NUMBER as u64) << 8 | (4 - fresh) << 2 | 1;
    word & 0b1111_0011 == 0 && word >> (8 + 8 * fresh) & 0xFFFF == rest
}

/// Length of a literal of at most four bytes, which starts an element.
#[inline(always)]
fn literal_bytes(word: u64) -> u64 {
    (word >> 2 & 3) + 1
}

/// Expands numbers of eight bytes, each a literal and a copy from the number before, as long as there are some; gives
/// what was read and written. Places come with the last ones that have the margins of the fast loop.
///
/// A number before the first one lies in the output.
#[inline(always)]
fn expand_numbers(
    elements: &[u8],
    output: &mut [u8],
    (mut read, read_end): (usize, usize),
    (mut written, written_end): (usize, usize),
) -> (usize, usize) {
    let Some(before) = output[..written].last_chunk::<NUMBER>() else { return (read, written) };
    let mut number = u64::from_le_bytes(*before);
    let (source, target) = (elements.as_ptr(), output.as_mut_ptr());
    while read <= read_end && written <= written_end {
        // SAFETY: `read <= read_end`, so that 65 bytes of the input follow.
        let word = u64::from_le(unsafe { source.add(read).cast::<u64>().read_unaligned() });
        if !is_number(word) {
            break;
        }
        let fresh = literal_bytes(word);
        let mask = (1 << (8 * fresh)) - 1;
        number ^= (number ^ word >> 8) & mask;
        // SAFETY: `written <= written_end`, so that more than 64 bytes of the output follow.
        unsafe { target.add(written).cast::<u64>().write_unaligned(number.to_le()) };
        read += fresh as usize + 3;
        written += NUMBER;
    }
    (read, written)
}

/// Copies up to 64 bytes by whole vectors.
///
/// # Safety
/// `length` is at most 64; 64 bytes can be read and written, the two do not overlap within a vector.
#[inline(always)]
unsafe fn copy_short(source: *const u8, target: *mut u8, length: usize) {
    // SAFETY: the caller's promise, for each of the vectors.
    unsafe { copy_vector(source, target) };
    let mut done = VECTOR;
    while done < length {
        // SAFETY: as above: `done` is at most 48.
        unsafe { copy_vector(source.add(done), target.add(done)) };
        done += VECTOR;
    }
}

/// # Safety
/// A vector can be read and written.
#[inline(always)]
unsafe fn copy_vector(source: *const u8, target: *mut u8) {
    // SAFETY: the caller's promise; the vector is read before it is written.
    let vector = unsafe { source.cast::<[u8; VECTOR]>().read_unaligned() };
    // SAFETY: as above.
    unsafe { target.cast::<[u8; VECTOR]>().write_unaligned(vector) };
}

/// Copies `length` bytes from `offset` bytes before `target`; where they overlap, the copy repeats itself.
///
/// # Safety
/// `length` is at most 64, `offset` bytes lie before `target`, and 64 bytes and a vector behind it.
#[inline(always)]
unsafe fn copy_back(target: *mut u8, offset: usize, length: usize) {
    // SAFETY: the caller's promise: `offset` bytes lie before the target.
    let source = unsafe { target.sub(offset) };
    if offset < HALF {
        for index in 0..length {
            // SAFETY: `index` is below 64.
            let byte = unsafe { source.add(index).read() };
            // SAFETY: as above.
            unsafe { target.add(index).write(byte) };
        }
        return;
    }
    let mut done = 0;
    loop {
        // Two halves, the second of which may read what the first wrote: one way for all distances from a half on.
        for half in [done, done + HALF] {
            // SAFETY: half a vector that lies as far before the one written; `half` is at most 56.
            let bytes = unsafe { source.add(half).cast::<u64>().read_unaligned() };
            // SAFETY: as above.
            unsafe { target.add(half).cast::<u64>().write_unaligned(bytes) };
        }
        done += VECTOR;
        if done >= length {
            return;
        }
    }
}

/// Expands one element of any length, with every check.
fn expand_one(
    elements: &[u8],
    output: &mut [u8],
    read: usize,
    written: usize,
) -> Result<(usize, usize), SnappyError> {
    let tag = usize::from(*elements.get(read).ok_or(SnappyError::CutOff)?);
    let upper = tag >> 2;
    let number = |bytes: usize| {
        let stored = elements.get(read + 1..read + 1 + bytes).ok_or(SnappyError::CutOff)?;
        let mut number = [0u8; 4];
        number[..bytes].copy_from_slice(stored);
        Ok(u32::from_le_bytes(number) as usize)
    };
    let (length, offset, bytes) = match tag & 3 {
        0 => {
            let bytes = (upper + 1).saturating_sub(LITERAL_LONG);
            let length = if bytes == 0 { upper + 1 } else { number(bytes)? + 1 };
            let start = read + 1 + bytes;
            let literal =
                elements.get(start..).and_then(|rest| rest.get(..length)).ok_or(SnappyError::CutOff)?;
            let room = output.get_mut(written..).and_then(|rest| rest.get_mut(..length));
            room.ok_or(SnappyError::OutOfRange)?.copy_from_slice(literal);
            return Ok((start + length, written + length));
        }
        1 => ((upper & 7) + 4, (tag & 0xE0) << 3 | number(1)?, 2),
        2 => (upper + 1, number(2)?, 3),
        _ => (upper + 1, number(4)?, 5),
    };
    if offset == 0 || offset > written || output.len() - written < length {
        return Err(SnappyError::OutOfRange);
    }
    for index in written..written + length {
        output[index] = output[index - offset];
    }
    Ok((read + bytes, written + length))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expanded(block: &[u8]) -> Result<Vec<u8>, SnappyError> {
        let (length, head) = expanded_length(block)?;
        let mut output = vec![0xEE; length];
        expand(&block[head..], &mut output).map(|()| output)
    }

    /// A block of `length` bytes: one literal of `start`, then copies of up to 64 bytes from `offset` before.
    fn repeated(start: &[u8], offset: usize, copies: usize) -> (Vec<u8>, Vec<u8>) {
        let mut plain = start.to_vec();
        let mut elements = vec![((start.len() - 1) << 2) as u8];
        elements.extend_from_slice(start);
        for copy in 0..copies {
            let length = copy % 64 + 1;
            elements.push(((length - 1) << 2 | 2) as u8);
            elements.extend((offset as u16).to_le_bytes());
            (0..length).for_each(|_| plain.push(plain[plain.len() - offset]));
        }
        let mut block = Vec::new();
        let mut length = plain.len();
        while length >= 0x80 {
            block.push(length as u8 | 0x80);
            length >>= 7;
        }
        block.push(length as u8);
        block.extend(elements);
        (block, plain)
    }

    #[test]
    fn copies_of_every_length_and_offset_repeat_themselves() {
        let start: Vec<u8> = (0..40u8).map(|byte| byte.wrapping_mul(7)).collect();
        for offset in 1..=40 {
            for copies in [1, 2, 63, 64, 200] {
                let (block, plain) = repeated(&start, offset, copies);
                assert_eq!(expanded(&block), Ok(plain), "{copies} copies at offset {offset}");
            }
        }
    }

    /// Numbers as the usual compressor writes them, each with this many low bytes as a literal and the rest copied.
    fn numbers(fresh: &[usize]) -> (Vec<u8>, Vec<u8>) {
        let mut plain: Vec<u8> = (1..=NUMBER as u8).collect();
        let mut elements = vec![((NUMBER - 1) << 2) as u8];
        elements.extend_from_slice(&plain);
        for (place, &fresh) in fresh.iter().enumerate() {
            elements.push(((fresh - 1) << 2) as u8);
            for byte in 0..fresh {
                let value = (place * 31 + byte * 7) as u8;
                elements.push(value);
                plain.push(value);
            }
            let rest = NUMBER - fresh;
            let far = if place % 11 == 10 { 2 * NUMBER } else { NUMBER };
            match rest {
                4.. => elements.extend([((rest - 4) << 2 | 1) as u8, far.min(plain.len()) as u8]),
                _ => elements.extend([((rest - 1) << 2 | 2) as u8, far.min(plain.len()) as u8, 0]),
            }
            (0..rest).for_each(|_| plain.push(plain[plain.len() - far.min(plain.len())]));
        }
        let mut block = vec![plain.len() as u8 | 0x80, (plain.len() >> 7) as u8];
        assert!((128..16_384).contains(&plain.len()));
        block.extend(elements);
        (block, plain)
    }

    #[test]
    fn numbers_take_their_high_bytes_from_the_number_before() {
        for fresh in 1..8 {
            let (block, plain) = numbers(&vec![fresh; 300]);
            assert_eq!(expanded(&block), Ok(plain), "{fresh} low bytes");
        }
        let mixed: Vec<usize> = (0..500).map(|place| place * place % 7 + 1).collect();
        let (block, plain) = numbers(&mixed);
        assert_eq!(expanded(&block), Ok(plain));
        let (block, plain) = numbers(&mixed[..20]);
        assert_eq!(expanded(&block), Ok(plain), "near the end");
    }

    #[test]
    fn numbers_that_are_cut_off_are_refused() {
        let (block, _) = numbers(&[3; 100]);
        for length in 0..block.len() {
            assert!(expanded(&block[..length]).is_err(), "the first {length} bytes");
        }
    }

    #[test]
    fn long_literals_write_their_length() {
        let text: Vec<u8> = (0..1000).map(|byte| byte as u8).collect();
        let mut block = vec![0xE8, 0x07, 61 << 2, 0xE7, 0x03];
        block.extend_from_slice(&text);
        assert_eq!(expanded(&block), Ok(text));
    }

    #[test]
    fn damaged_blocks_are_refused() {
        assert_eq!(expanded(&[]), Err(SnappyError::CutOff));
        assert_eq!(expanded(&[3, 8, b'a']), Err(SnappyError::CutOff));
        assert_eq!(expanded(&[3, 0, b'a']), Err(SnappyError::CutOff), "too few bytes");
        assert_eq!(expanded(&[1, 4, b'a', b'b']), Err(SnappyError::OutOfRange), "too many bytes");
        assert_eq!(expanded(&[5, 0, b'a', 1, 2]), Err(SnappyError::OutOfRange), "an offset before the start");
        assert_eq!(expanded(&[5, 0, b'a', 1, 0]), Err(SnappyError::OutOfRange), "an offset of none");
        assert_eq!(expanded(&[255, 255, 255, 255, 255, 1]), Err(SnappyError::CutOff));
        let (mut block, _) = repeated(b"abcdefgh", 8, 100);
        let place = block.len() - 200;
        (block[place], block[place + 1], block[place + 2]) = (2, 0xFF, 0xFF);
        assert!(expanded(&block).is_err());
    }
}
