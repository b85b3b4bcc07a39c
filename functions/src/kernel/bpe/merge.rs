//! The merges of one piece.
//!
//! Short pieces keep the starts of their parts and the ranks of adjacent pairs in two small arrays, look for the lowest rank
//! by a scan, and close the gap by moving the rest: quadratic, but in a few cache lines. Long ones keep a linked list of parts
//! and a heap of candidate pairs, where outdated candidates are skipped when they come up: n log n for any text.

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
}

const NONE: u32 = u32::MAX;

impl Vocabulary {
    /// Appends the tokens of one piece; nothing for an empty one.
    ///
    /// # Panics
    /// If the piece has 2^32 bytes or more.
    #[inline]
    pub fn encode_piece(&self, piece: &[u8], scratch: &mut MergeScratch, tokens: &mut Vec<u32>) {
        match self.rank_or_none(piece) {
            NO_RANK if piece.is_empty() => {}
            NO_RANK if piece.len() <= SHORT_PIECE_BYTES => self.merge_short(piece, tokens),
            NO_RANK => self.merge_long(piece, scratch, tokens),
            rank => tokens.push(rank),
        }
    }

    fn merge_short(&self, piece: &[u8], tokens: &mut Vec<u32>) {
        let mut starts = [0u8; SHORT_PIECE_BYTES + 2];
        let mut ranks = [NO_RANK; SHORT_PIECE_BYTES];
        // `parts` parts; part i is starts[i] .. starts[i + 1], and ranks[i] that of parts i and i + 1 merged.
        let mut parts = piece.len();
        for (index, start) in starts[..=parts].iter_mut().enumerate() {
            *start = index as u8;
        }
        for (rank, pair) in ranks.iter_mut().zip(piece.windows(2)) {
            *rank = self.rank_of_pair(pair[0], pair[1]);
        }
        let part_pair = |starts: &[u8], first: usize, last: usize| {
            self.rank_or_none(&piece[usize::from(starts[first])..usize::from(starts[last])])
        };
        while parts > 1 {
            let lowest = ranks[..parts - 1].iter().copied().fold(NO_RANK, u32::min);
            if lowest == NO_RANK {
                break;
            }
            let left = ranks[..parts - 1].iter().position(|&rank| rank == lowest).unwrap_or(0);
            starts.copy_within(left + 2..=parts, left + 1);
            ranks.copy_within((left + 1).min(parts)..parts, left);
            parts -= 1;
            ranks[left] = if left + 1 < parts { part_pair(&starts, left, left + 2) } else { NO_RANK };
            if left > 0 {
                ranks[left - 1] = part_pair(&starts, left - 1, left + 1);
            }
        }
        let part = |bounds: &[u8]| self.rank_or_none(&piece[usize::from(bounds[0])..usize::from(bounds[1])]);
        tokens.extend(starts[..=parts].windows(2).map(part));
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
            parts.push(Part { previous: start.wrapping_sub(1), end: start + 1, pair_rank });
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
            let end = parts[start as usize].end;
            tokens.push(self.rank_or_none(&piece[start as usize..end as usize]));
            start = end;
        }
    }

    /// Merges the part at `left` with the next and puts up the two pairs that arise.
    fn merge_at(&self, piece: &[u8], parts: &mut [Part], heap: &mut BinaryHeap<Reverse<u64>>, left: u32) {
        let right = parts[left as usize].end;
        let end = parts[right as usize].end;
        parts[right as usize].pair_rank = NO_RANK; // its candidates are outdated
        parts[left as usize].end = end;
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
