//! Pages as they were before they were compressed, in buffers of the pool: the common compressions here, the others by the crate.

use std::cell::RefCell;
use std::io::Read;
use std::sync::Arc;

use bytes::Bytes;
use hypostyle_functions::kernel::snappy::{GROWTH_MAX, SnappyError, expand, expanded_length};
use parquet::basic::Compression;
use zstd::bulk::Decompressor;
use zstd::zstd_safe::get_frame_content_size;

use super::fault::{Fault, Result};
use crate::input::BufferPool;

/// Most bytes that one byte of a frame can stand for: a block of one repeated byte is 128 KiB and takes four.
const ZSTANDARD_GROWTH_MAX: usize = 1 << 15;
/// Bytes that a frame which does not tell its length may become.
const UNTOLD_MAX: u64 = 1 << 30;

/// A compression whose pages are left as they are stored by the page reader.
#[derive(Debug, Clone, Copy)]
pub enum Codec {
    /// Raw Snappy blocks.
    Snappy,
    /// Zstandard frames.
    Zstandard,
}

thread_local! {
    /// What a thread expands frames with; it holds nothing from one frame to the next.
    static DECOMPRESSOR: RefCell<Option<Decompressor<'static>>> = const { RefCell::new(None) };
}

impl Codec {
    /// The codec of a compression; `None` where the crate's page reader decompresses.
    pub fn of(compression: Compression) -> Option<Self> {
        match compression {
            Compression::SNAPPY => Some(Self::Snappy),
            Compression::ZSTD(_) => Some(Self::Zstandard),
            _ => None,
        }
    }

    /// The bytes that were compressed.
    ///
    /// # Errors
    /// Bytes that are not of this compression, or a spent memory budget.
    pub fn decompress(self, stored: &Bytes, pool: &Arc<BufferPool>) -> Result<Bytes> {
        match self {
            _ if stored.is_empty() => Ok(stored.clone()),
            Self::Snappy => expand_snappy(stored, pool),
            Self::Zstandard => expand_zstandard(stored, pool),
        }
    }
}

fn expand_snappy(stored: &Bytes, pool: &Arc<BufferPool>) -> Result<Bytes> {
    let failed = |error: SnappyError| Fault::damaged(format!("snappy: {error}"));
    let (length, head) = expanded_length(stored).map_err(failed)?;
    if length > stored.len().saturating_mul(GROWTH_MAX) {
        return Err(Fault::damaged(format!("snappy: {} bytes cannot stand for {length}", stored.len())));
    }
    let mut buffer = pool.take(length)?;
    expand(&stored[head..], &mut buffer).map_err(failed)?;
    Ok(buffer.freeze())
}

fn expand_zstandard(stored: &Bytes, pool: &Arc<BufferPool>) -> Result<Bytes> {
    let told = get_frame_content_size(stored).ok().flatten().and_then(|length| usize::try_from(length).ok());
    let Some(length) = told else { return expand_untold(stored) };
    if length > stored.len().saturating_mul(ZSTANDARD_GROWTH_MAX) {
        return Err(Fault::damaged(format!("zstd: {} bytes cannot stand for {length}", stored.len())));
    }
    let mut buffer = pool.take(length)?;
    let expanded = DECOMPRESSOR.with_borrow_mut(|kept| {
        let decompressor = match kept {
            Some(decompressor) => decompressor,
            None => kept.insert(Decompressor::new()?),
        };
        decompressor.decompress_to_buffer(&stored[..], &mut buffer[..])
    });
    match expanded {
        Ok(bytes) if bytes == length => Ok(buffer.freeze()),
        // A page may be several frames, of which the first has told its length alone.
        _ => expand_untold(stored),
    }
}

/// Expands frames until they end.
fn expand_untold(stored: &[u8]) -> Result<Bytes> {
    let failed = |error: std::io::Error| Fault::damaged(format!("zstd: {error}"));
    let mut bytes = Vec::new();
    let mut reader = zstd::stream::read::Decoder::with_buffer(stored).map_err(failed)?.take(UNTOLD_MAX + 1);
    reader.read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 > UNTOLD_MAX {
        return Err(Fault::damaged(format!("zstd: a page of more than {UNTOLD_MAX} bytes")));
    }
    Ok(bytes.into())
}

#[cfg(test)]
mod tests {
    use hypostyle_engine::memory::Budget;

    use super::*;

    /// Bytes that repeat themselves at many distances.
    fn plain(seed: u64, length: usize) -> Vec<u8> {
        let mut state = seed;
        let mut bytes: Vec<u8> = Vec::with_capacity(length + 100);
        while bytes.len() < length {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let (choice, amount) = (state >> 33 & 3, (state >> 40) as usize % 90 + 1);
            let distance = (state >> 50) as usize % 300 + 1;
            if choice == 0 || distance > bytes.len() {
                bytes.extend((0..amount).map(|byte| (state >> (byte % 50)) as u8));
            } else {
                (0..amount).for_each(|_| bytes.push(bytes[bytes.len() - distance]));
            }
        }
        bytes.truncate(length);
        bytes
    }

    fn expanded(block: &[u8]) -> Option<Vec<u8>> {
        let (length, head) = expanded_length(block).ok().filter(|(length, _)| *length < 1 << 24)?;
        let mut output = vec![0; length];
        expand(&block[head..], &mut output).ok().map(|()| output)
    }

    #[test]
    fn blocks_expand_as_the_reference_does_damaged_ones_too() {
        for seed in 0..60u64 {
            let plain = plain(seed, (seed as usize * 997) % 20_000);
            let mut block = snap::raw::Encoder::new().compress_vec(&plain).unwrap();
            assert_eq!(expanded(&block).as_ref(), Some(&plain), "seed {seed}");
            for change in 0..40usize {
                let place = (change * 7919 + seed as usize * 31) % block.len();
                let kept = block[place];
                block[place] ^= 1 << (change % 8);
                let reference = match snap::raw::decompress_len(&block) {
                    Ok(length) if length < 1 << 24 => snap::raw::Decoder::new().decompress_vec(&block).ok(),
                    _ => None,
                };
                assert_eq!(expanded(&block), reference, "seed {seed}, bit of byte {place}");
                block[place] = kept;
            }
        }
    }

    #[test]
    fn frames_expand_whether_they_tell_their_length_or_not() {
        let budget = Budget::new(Some(1 << 30));
        let pool = BufferPool::new(budget.query().account("test").reserve(), Arc::default());
        let zstandard = |stored: Vec<u8>| Codec::Zstandard.decompress(&stored.into(), &pool).ok();
        for seed in 0..40u64 {
            let plain = plain(seed, (seed as usize * 997) % 20_000);
            let told = zstd::bulk::compress(&plain, 3).unwrap();
            let untold = zstd::stream::encode_all(&plain[..], 3).unwrap();
            let two = [&told[..], &told].concat();
            assert_eq!(zstandard(told.clone()).unwrap(), plain, "seed {seed}");
            assert_eq!(zstandard(untold).unwrap(), plain, "seed {seed}");
            assert_eq!(zstandard(two).unwrap(), plain.repeat(2), "seed {seed}");
            for length in 1..told.len().min(50) {
                assert!(zstandard(told[..length].to_vec()).is_none(), "seed {seed}, cut to {length}");
            }
        }
    }
}
