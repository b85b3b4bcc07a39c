//! Bytes of a file that are verified block by block, when they are first read.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use arrow::buffer::Buffer;

use crate::kernel::hash::xxhash64::xxhash64;

/// Bytes that were written in blocks, with a checksum of each: XXH64 with seed 0. A block is held against its checksum when a reader
/// first touches it, so that nothing of a large file is read before it is needed, and nothing damaged is taken for what was written.
#[derive(Debug)]
pub struct CheckedBlocks {
    /// What the bytes are, for messages.
    name: String,
    bytes: Buffer,
    block_bytes: usize,
    checksums: Vec<u64>,
    verified: Vec<AtomicBool>,
    /// What was found first.
    damage: OnceLock<String>,
}

impl CheckedBlocks {
    /// Blocks of this many bytes, the last of which may be shorter; `None` if there are not as many checksums as blocks.
    pub fn new(name: String, bytes: Buffer, block_bytes: usize, checksums: Vec<u64>) -> Option<Self> {
        if block_bytes == 0 || bytes.len().div_ceil(block_bytes) != checksums.len() {
            return None;
        }
        let verified = checksums.iter().map(|_| AtomicBool::new(false)).collect();
        Some(Self { name, bytes, block_bytes, checksums, verified, damage: OnceLock::new() })
    }

    /// Verifies the blocks that these values lie in, where that was not done before; false if one is damaged. Values that are not in
    /// the bytes are a copy of some of them, for which all are verified.
    #[inline]
    pub fn touch<T>(&self, values: &[T]) -> bool {
        let size = size_of_val(values);
        if size == 0 {
            return true;
        }
        let start = (values.as_ptr() as usize).wrapping_sub(self.bytes.as_ptr() as usize);
        match start.checked_add(size) {
            Some(end) if end <= self.bytes.len() => {
                (start / self.block_bytes..=(end - 1) / self.block_bytes).all(|block| self.is_good(block))
            }
            _ => self.touch_all(),
        }
    }

    /// Verifies all blocks; false if one is damaged.
    pub fn touch_all(&self) -> bool {
        (0..self.checksums.len()).all(|block| self.is_good(block))
    }

    /// What is wrong with the blocks that were touched so far, where one of them is damaged.
    pub fn damage(&self) -> Option<&str> {
        self.damage.get().map(String::as_str)
    }

    #[inline]
    fn is_good(&self, block: usize) -> bool {
        self.verified[block].load(Ordering::Acquire) || self.verify(block)
    }

    #[cold]
    fn verify(&self, block: usize) -> bool {
        let start = block * self.block_bytes;
        let end = self.bytes.len().min(start + self.block_bytes);
        let is_good = xxhash64(&self.bytes[start..end], 0) == self.checksums[block];
        if is_good {
            self.verified[block].store(true, Ordering::Release);
        } else {
            self.damage.get_or_init(|| {
                format!("{} is damaged: its bytes {start} to {end} are others than were written", self.name)
            });
        }
        is_good
    }
}

#[cfg(test)]
mod tests {
    use arrow::buffer::Buffer;

    use super::CheckedBlocks;
    use crate::kernel::hash::xxhash64::xxhash64;

    fn blocks(bytes: &[u8], damaged: Option<usize>) -> (CheckedBlocks, Buffer) {
        let checksums = bytes.chunks(8).map(|block| xxhash64(block, 0)).collect();
        let mut bytes = bytes.to_vec();
        if let Some(at) = damaged {
            bytes[at] ^= 1;
        }
        let bytes = Buffer::from(bytes);
        (CheckedBlocks::new("list".to_owned(), bytes.clone(), 8, checksums).unwrap(), bytes)
    }

    #[test]
    fn only_blocks_that_are_touched_are_verified() {
        let (checked, bytes) = blocks(&[7; 29], Some(17));
        assert!(
            checked.touch(&bytes[0..16]) && checked.touch(&bytes[24..29]) && checked.touch(&bytes[20..20])
        );
        assert_eq!(checked.damage(), None);
        assert!(!checked.touch(&bytes[15..17]));
        assert_eq!(
            checked.damage(),
            Some("list is damaged: its bytes 16 to 24 are others than were written")
        );
        assert!(checked.touch(&bytes[0..4]) && !checked.touch_all());
    }

    #[test]
    fn a_copy_is_good_where_all_blocks_are() {
        for (damaged, is_good) in [(None, true), (Some(28), false)] {
            let (checked, bytes) = blocks(&[1; 29], damaged);
            let copy = bytes[..4].to_vec();
            assert_eq!(checked.touch(&copy), is_good);
        }
    }

    #[test]
    fn there_is_a_checksum_for_each_block() {
        let bytes = Buffer::from(vec![0u8; 17]);
        for (count, fits) in [(2, false), (3, true), (4, false)] {
            assert_eq!(CheckedBlocks::new(String::new(), bytes.clone(), 8, vec![0; count]).is_some(), fits);
        }
    }
}
