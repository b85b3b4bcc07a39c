//! The tokens that a text starts with, by a tree of bytes in a double array.
//!
//! A node is a slot. The child of node `n` for byte `b` is slot `base[n] ^ b`, if that slot's parent is `n`: one load a byte,
//! whatever the number of children.

/// No token ends here, or no slot.
const NONE: u32 = u32::MAX;

/// Slots of one block: the children of a node lie in one.
const BLOCK: usize = 256;

/// Tries for a place in one block before it is left as full.
const ATTEMPTS: usize = 32;

#[derive(Debug, Clone, Copy)]
struct Slot {
    parent: u32,
    base: u32,
    value: u32,
}

const FREE: Slot = Slot { parent: NONE, base: 0, value: NONE };

/// Keys of bytes, each with a number. The root is slot 0.
#[derive(Debug, Clone)]
pub struct PrefixTree {
    slots: Vec<Slot>,
}

impl PrefixTree {
    /// The tree of these keys; of equal keys the last one's number stays, and empty keys are left out.
    pub fn new(keys: impl IntoIterator<Item = (Vec<u8>, u32)>) -> PrefixTree {
        let mut keys: Vec<(Vec<u8>, u32)> = keys.into_iter().filter(|(key, _)| !key.is_empty()).collect();
        keys.sort_by(|left, right| left.0.cmp(&right.0));
        // The sort is stable, so of equal keys the last one is the last given.
        let mut tree = PrefixTree { slots: vec![FREE; BLOCK] };
        tree.slots[0].parent = 0;
        let mut first_open = 0;
        let mut pending = vec![(0u32, 0usize, 0..keys.len())];
        let mut labels = Vec::new();
        while let Some((node, depth, range)) = pending.pop() {
            labels.clear();
            let mut at = range.start;
            while at < range.end {
                let byte = keys[at].0[depth];
                let end = at + keys[at..range.end].partition_point(|(key, _)| key[depth] == byte);
                labels.push((byte, at..end));
                at = end;
            }
            let base = tree.place(&labels, &mut first_open);
            tree.slots[node as usize].base = base;
            for (byte, range) in labels.drain(..) {
                let slot = base ^ u32::from(byte);
                tree.slots[slot as usize] = Slot { parent: node, ..FREE };
                let mut inner = range;
                while inner.start < inner.end && keys[inner.start].0.len() == depth + 1 {
                    tree.slots[slot as usize].value = keys[inner.start].1;
                    inner.start += 1;
                }
                if !inner.is_empty() {
                    pending.push((slot, depth + 1, inner));
                }
            }
        }
        tree
    }

    /// A base at which all labels find a free slot.
    fn place(&mut self, labels: &[(u8, std::ops::Range<usize>)], first_open: &mut usize) -> u32 {
        let Some(&(first, _)) = labels.first() else { return 0 };
        let mut block = *first_open;
        loop {
            if block * BLOCK >= self.slots.len() {
                self.slots.resize((block + 1) * BLOCK, FREE);
            }
            let mut attempts = 0;
            for offset in 0..BLOCK {
                let slot = block * BLOCK + offset;
                if self.slots[slot].parent != NONE {
                    continue;
                }
                let base = slot ^ usize::from(first);
                if labels.iter().all(|(byte, _)| self.slots[base ^ usize::from(*byte)].parent == NONE) {
                    return base as u32;
                }
                attempts += 1;
                if attempts == ATTEMPTS {
                    break;
                }
            }
            // Blocks in which even single children are hard to place, or that were passed often, are not looked at again.
            let is_hard = block == *first_open && (attempts == 0 || labels.len() <= 2);
            if is_hard || block >= *first_open + 16 {
                *first_open += 1;
            }
            block += 1;
        }
    }

    /// Calls `found` with the length and the number of each key that `text` starts with, shortest first.
    #[inline]
    pub fn prefixes(&self, text: &[u8], mut found: impl FnMut(usize, u32)) {
        let mut node = 0u32;
        for (index, &byte) in text.iter().enumerate() {
            let slot = self.slots[node as usize].base ^ u32::from(byte);
            let held = self.slots[slot as usize];
            if held.parent != node || slot == 0 {
                return;
            }
            if held.value != NONE {
                found(index + 1, held.value);
            }
            node = slot;
        }
    }

    /// The length and the number of the longest key that `text` starts with.
    #[inline]
    pub fn longest(&self, text: &[u8]) -> Option<(usize, u32)> {
        let mut longest = None;
        self.prefixes(text, |length, value| longest = Some((length, value)));
        longest
    }

    /// Bytes held, for the budget.
    pub fn memory_bytes(&self) -> usize {
        self.slots.capacity() * size_of::<Slot>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(keys: &[&str]) -> PrefixTree {
        PrefixTree::new(keys.iter().enumerate().map(|(index, key)| (key.as_bytes().to_vec(), index as u32)))
    }

    fn prefixes(tree: &PrefixTree, text: &str) -> Vec<(usize, u32)> {
        let mut all = Vec::new();
        tree.prefixes(text.as_bytes(), |length, value| all.push((length, value)));
        all
    }

    #[test]
    fn prefixes_come_shortest_first() {
        let tree = tree(&["a", "abc", "b", "ab", "\u{2581}ab"]);
        assert_eq!(prefixes(&tree, "abcd"), [(1, 0), (2, 3), (3, 1)]);
        assert_eq!(tree.longest(b"abx"), Some((2, 3)));
        assert_eq!(prefixes(&tree, "x"), []);
        assert_eq!(prefixes(&tree, ""), []);
        assert_eq!(tree.longest("\u{2581}abc".as_bytes()), Some((5, 4)));
    }

    #[test]
    fn an_empty_tree_finds_nothing_and_the_last_of_equal_keys_stays() {
        assert_eq!(prefixes(&tree(&[]), "abc\0"), []);
        assert_eq!(prefixes(&tree(&["", "x", "x"]), "x"), [(1, 2)]);
    }

    #[test]
    fn many_keys_equal_a_search_in_a_map() {
        let mut state = 7u64;
        let mut next = |limit: u64| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) % limit
        };
        let keys: Vec<Vec<u8>> = (0..5000)
            .map(|_| (0..1 + next(6)).map(|_| [b'a', b'b', b'c', 0, 255, 0x81][next(6) as usize]).collect())
            .collect();
        let map: std::collections::HashMap<Vec<u8>, u32> =
            keys.iter().cloned().enumerate().map(|(index, key)| (key, index as u32)).collect();
        let tree = PrefixTree::new(keys.iter().cloned().enumerate().map(|(index, key)| (key, index as u32)));
        for _ in 0..2000 {
            let text: Vec<u8> =
                (0..next(9)).map(|_| [b'a', b'b', b'c', 0, 255, 0x81][next(6) as usize]).collect();
            let mut found = Vec::new();
            tree.prefixes(&text, |length, value| found.push((length, value)));
            let expected: Vec<_> = (1..=text.len())
                .filter_map(|length| map.get(&text[..length]).map(|&value| (length, value)))
                .collect();
            assert_eq!(found, expected, "{text:?}");
        }
    }
}
