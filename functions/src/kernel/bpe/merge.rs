//! The merges of one piece.
//!
//! Parts are linked, at the index of their first byte. Short pieces keep the rank of each adjacent pair together with its
//! place in one small array, whose minimum is the next merge: quadratic, but a few vector instructions a merge. Long
//! pieces keep a heap of candidate pairs, where outdated candidates are skipped when they come up: n log n for any text.
//!
//! What short pieces became is remembered from text to text, since words recur (see `short_cache.rs` and `piece_cache.rs`).

use super::piece_cache::{CACHED_BYTES, PieceCache, PieceKey};
use super::short_cache::ShortCache;
use super::short_key::LOAD_BYTES;
use super::vocabulary::{NO_RANK, Vocabulary};
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// Pieces up to this many bytes are merged in arrays.
const SHORT_PIECE_BYTES: usize = 64;

/// Buffers for merges, reused from piece to piece; one for each thread.
#[derive(Clone, Debug, Default)]
pub struct MergeScratch {
    parts: Vec<Part>,
    /// Candidate merges: rank in the upper half, start of the left part in the lower.
    heap: BinaryHeap<Reverse<u64>>,
    candidates: Vec<Reverse<u64>>,
    tokens: Vec<u32>,
    pub(super) short: ShortCache,
    cache: PieceCache,
}

impl MergeScratch {
    pub(super) fn take_tokens(&mut self) -> Vec<u32> {
        std::mem::take(&mut self.tokens)
    }

    pub(super) fn give_back_tokens(&mut self, tokens: Vec<u32>) {
        self.tokens = tokens;
    }

    /// Bytes held, for the budget.
    pub fn memory_bytes(&self) -> usize {
        self.parts.capacity() * size_of::<Part>()
            + (self.heap.capacity() + self.candidates.capacity()) * size_of::<u64>()
            + self.tokens.capacity() * size_of::<u32>()
            + self.short.memory_bytes()
            + self.cache.memory_bytes()
    }
}

/// A part of a long piece, at the index of its first byte.
#[derive(Clone, Copy, Debug)]
struct Part {
    /// Start of the part before, or [`NONE`].
    previous: u32,
    /// Where this part ends, which is the start of the next one.
    end: u32,
    /// Rank of this part merged with the next, or [`NO_RANK`].
    pair_rank: u32,
    /// Rank of this part.
    rank: u32,
}

const NONE: u32 = u32::MAX;

/// Bytes of a short piece with as many behind it as one load reaches.
const PADDED_BYTES: usize = SHORT_PIECE_BYTES + LOAD_BYTES;

/// Bits of a place in a short piece.
const PLACE_BITS: u32 = SHORT_PIECE_BYTES.trailing_zeros();

/// Pairs that are compared together.
const PAIR_LANES: usize = 16;

/// The lowest of the pairs in the first blocks, and with it the leftmost of the lowest rank.
#[inline(always)]
fn lowest_pair(pairs: &[u32; SHORT_PIECE_BYTES], blocks: usize) -> u32 {
    let mut lanes = [NO_RANK; PAIR_LANES];
    for block in pairs.chunks_exact(PAIR_LANES).take(blocks) {
        for (lane, &pair) in lanes.iter_mut().zip(block) {
            *lane = (*lane).min(pair);
        }
    }
    lanes.into_iter().fold(NO_RANK, u32::min)
}

impl Vocabulary {
    /// Appends the tokens of one piece; nothing for an empty one.
    ///
    /// # Panics
    /// If the piece has 2^32 bytes or more.
    #[inline]
    pub fn encode_piece(&self, piece: &[u8], scratch: &mut MergeScratch, tokens: &mut Vec<u32>) {
        let rank = self.rank_or_none(piece);
        if rank != NO_RANK {
            tokens.push(rank);
        } else if !piece.is_empty() {
            self.merge(piece, scratch, tokens);
        }
    }

    /// Appends the tokens of a piece that is no token itself.
    pub(super) fn merge(&self, piece: &[u8], scratch: &mut MergeScratch, tokens: &mut Vec<u32>) {
        if piece.len() > SHORT_PIECE_BYTES || !self.ranks_fit_pairs() {
            return self.merge_long(piece, scratch, tokens);
        }
        if piece.len() > CACHED_BYTES {
            return self.merge_short(piece, tokens);
        }
        let key = PieceKey::of(piece);
        if !scratch.cache.append(self.identity(), &key, tokens) {
            let first = tokens.len();
            self.merge_short(piece, tokens);
            scratch.cache.remember(key, &tokens[first..]);
        }
    }

    /// Whether a rank leaves room for a place in a word.
    #[inline(always)]
    fn ranks_fit_pairs(&self) -> bool {
        self.ranks() < 1 << (u32::BITS - PLACE_BITS)
    }

    /// Appends the tokens of a piece of up to [`SHORT_PIECE_BYTES`] bytes that is no token itself.
    #[inline(always)]
    fn merge_short(&self, piece: &[u8], tokens: &mut Vec<u32>) {
        let length = piece.len();
        let mut padded = [0u8; PADDED_BYTES];
        padded[..length].copy_from_slice(piece);
        // For the part that starts at each place: where the next and the one before start, its rank, and the rank of it
        // merged with the next above its place.
        let mut next = [0u8; SHORT_PIECE_BYTES];
        let mut previous = [0u8; SHORT_PIECE_BYTES];
        let mut ranks = [NO_RANK; SHORT_PIECE_BYTES];
        let mut pairs = [NO_RANK; SHORT_PIECE_BYTES];
        let pair_at = |rank: u32, place: usize| {
            if rank == NO_RANK { NO_RANK } else { (rank << PLACE_BITS) | place as u32 }
        };
        for place in 0..length {
            next[place] = place as u8 + 1;
            previous[place] = (place as u8).wrapping_sub(1);
            ranks[place] = self.rank_of_byte(piece[place]);
        }
        for (place, pair) in piece.windows(2).enumerate() {
            pairs[place] = pair_at(self.rank_of_pair(pair[0], pair[1]), place);
        }
        let blocks = length.div_ceil(PAIR_LANES);
        loop {
            let lowest = lowest_pair(&pairs, blocks);
            if lowest == NO_RANK {
                break;
            }
            let left = (lowest & ((1 << PLACE_BITS) - 1)) as usize;
            let right = usize::from(next[left]);
            let end = usize::from(next[right]);
            ranks[left] = lowest >> PLACE_BITS;
            next[left] = end as u8;
            pairs[right] = NO_RANK;
            pairs[left] = NO_RANK;
            if end < length {
                previous[end] = left as u8;
                pairs[left] = pair_at(self.rank_of_part(&padded, left, usize::from(next[end])), left);
            }
            if left > 0 {
                let before = usize::from(previous[left]);
                pairs[before] = pair_at(self.rank_of_part(&padded, before, end), before);
            }
        }
        let mut place = 0;
        while place < length {
            tokens.push(ranks[place]);
            place = usize::from(next[place]);
        }
    }

    fn merge_long(&self, piece: &[u8], scratch: &mut MergeScratch, tokens: &mut Vec<u32>) {
        let length = piece.len() as u32;
        assert!(piece.len() < NONE as usize, "a piece has fewer than 2^32 bytes");
        let MergeScratch { parts, heap, candidates, .. } = scratch;
        parts.clear();
        candidates.clear();
        for start in 0..length {
            let pair_rank = match piece.get(start as usize + 1) {
                Some(&second) => self.rank_of_pair(piece[start as usize], second),
                None => NO_RANK,
            };
            let rank = self.rank_of_byte(piece[start as usize]);
            parts.push(Part { previous: start.wrapping_sub(1), end: start + 1, pair_rank, rank });
            if pair_rank != NO_RANK {
                candidates.push(candidate(pair_rank, start));
            }
        }
        // Turned to a heap at once, in linear time; the allocation goes to and fro.
        let mut spare = std::mem::take(heap).into_vec();
        spare.clear();
        *heap = BinaryHeap::from(std::mem::replace(candidates, spare));
        while let Some(Reverse(lowest)) = heap.pop() {
            let (rank, left) = ((lowest >> 32) as u32, lowest as u32);
            if parts[left as usize].pair_rank == rank {
                self.merge_at(piece, parts, heap, left);
            }
        }
        let mut start = 0;
        while start < length {
            tokens.push(parts[start as usize].rank);
            start = parts[start as usize].end;
        }
    }

    /// Merges the part at `left` with the next and puts up the two pairs that arise.
    fn merge_at(&self, piece: &[u8], parts: &mut [Part], heap: &mut BinaryHeap<Reverse<u64>>, left: u32) {
        let right = parts[left as usize].end;
        let end = parts[right as usize].end;
        parts[right as usize].pair_rank = NO_RANK; // its candidates are outdated
        parts[left as usize].end = end;
        parts[left as usize].rank = parts[left as usize].pair_rank;
        let mut put_up = |parts: &mut [Part], start: u32, end: u32| {
            let rank = self.rank_or_none(&piece[start as usize..end as usize]);
            parts[start as usize].pair_rank = rank;
            if rank != NO_RANK {
                heap.push(candidate(rank, start));
            }
        };
        match parts.get(end as usize).map(|next| next.end) {
            Some(next_end) => {
                parts[end as usize].previous = left;
                put_up(parts, left, next_end);
            }
            None => parts[left as usize].pair_rank = NO_RANK,
        }
        let previous = parts[left as usize].previous;
        if previous != NONE {
            put_up(parts, previous, end);
        }
    }
}

fn candidate(rank: u32, start: u32) -> Reverse<u64> {
    Reverse((u64::from(rank) << 32) | u64::from(start))
}
