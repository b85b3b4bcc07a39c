//! Edit distances between byte strings.
//!
//! Levenshtein: the columns of the table of distances differ by -1, 0 or 1 from cell to cell, and so are held as two bit
//! vectors; a column is computed from the one before with a dozen word operations for 64 rows (Myers 1999, in Hyyrö's form
//! for several words). Damerau: the table itself, with transpositions of bytes that may be edited further (Lowrance
//! and Wagner 1975).

/// Buffers that distances reuse; one for each thread.
#[derive(Clone, Debug, Default)]
pub struct DistanceScratch {
    blocks: Vec<Block>,
    table: Vec<u32>,
}

impl DistanceScratch {
    /// Bytes held, for the budget.
    pub fn memory_bytes(&self) -> usize {
        self.blocks.capacity() * size_of::<Block>() + self.table.capacity() * size_of::<u32>()
    }
}

/// 64 rows of one column.
#[derive(Clone, Copy, Debug)]
struct Block {
    /// Rows that are one more than the row above.
    higher: u64,
    /// Rows that are one less than the row above.
    lower: u64,
    /// Rows at which the pattern has each byte.
    positions: [u64; 256],
}

impl Block {
    const EMPTY: Block = Block { higher: u64::MAX, lower: 0, positions: [0; 256] };

    /// Goes on to the next column, that of `byte`. `carried` says how the row above the block changed from column to
    /// column, and the result how `last_row` did.
    #[inline(always)]
    fn advance(&mut self, byte: u8, carried: i32, last_row: u64) -> i32 {
        let (rose, fell) = (u64::from(carried > 0), u64::from(carried < 0));
        let equal = self.positions[usize::from(byte)];
        let vertical = equal | self.lower;
        let equal = equal | fell;
        let diagonal = (((equal & self.higher).wrapping_add(self.higher)) ^ self.higher) | equal;
        let rises = self.lower | !(diagonal | self.higher);
        let falls = self.higher & diagonal;
        let change = i32::from(rises & last_row != 0) - i32::from(falls & last_row != 0);
        let (rises, falls) = ((rises << 1) | rose, (falls << 1) | fell);
        self.higher = falls | !(vertical | rises);
        self.lower = rises & vertical;
        change
    }
}

/// The fewest insertions, deletions and replacements of bytes that turn one string into the other.
pub fn levenshtein(left: &[u8], right: &[u8], scratch: &mut DistanceScratch) -> usize {
    let (left, right) = without_shared_ends(left, right);
    // The shorter string is the pattern, along the bits.
    let (pattern, text) = if left.len() <= right.len() { (left, right) } else { (right, left) };
    if pattern.is_empty() {
        return text.len();
    }
    if pattern.len() <= 64 {
        let mut block = Block::EMPTY;
        fill_positions(&mut block, pattern);
        let last_row = 1 << (pattern.len() - 1);
        let distance = text.iter().map(|&byte| i64::from(block.advance(byte, 1, last_row))).sum::<i64>();
        return (pattern.len() as i64 + distance) as usize;
    }
    let blocks = &mut scratch.blocks;
    blocks.clear();
    blocks.resize(pattern.len().div_ceil(64), Block::EMPTY);
    for (block, rows) in blocks.iter_mut().zip(pattern.chunks(64)) {
        fill_positions(block, rows);
    }
    let last_of_last = 1 << ((pattern.len() - 1) % 64);
    let Some((last, others)) = blocks.split_last_mut() else { return text.len() };
    let mut distance = pattern.len() as i64;
    for &byte in text {
        let carried = others.iter_mut().fold(1, |carried, block| block.advance(byte, carried, 1 << 63));
        distance += i64::from(last.advance(byte, carried, last_of_last));
    }
    distance as usize
}

fn fill_positions(block: &mut Block, rows: &[u8]) {
    for (row, &byte) in rows.iter().enumerate() {
        block.positions[usize::from(byte)] |= 1 << row;
    }
}

/// Both strings without what they share at the start and at the end, which no edit touches.
fn without_shared_ends<'a>(left: &'a [u8], right: &'a [u8]) -> (&'a [u8], &'a [u8]) {
    let start = left.iter().zip(right).take_while(|(left, right)| left == right).count();
    let (left, right) = (&left[start..], &right[start..]);
    let end = left.iter().rev().zip(right.iter().rev()).take_while(|(left, right)| left == right).count();
    (&left[..left.len() - end], &right[..right.len() - end])
}

/// As [`levenshtein`], where exchanging two neighbours is one edit too, and they may be edited further.
pub fn damerau_levenshtein(left: &[u8], right: &[u8], scratch: &mut DistanceScratch) -> usize {
    let (left, right) = without_shared_ends(left, right);
    if left.is_empty() || right.is_empty() {
        return left.len().max(right.len());
    }
    // One row and column more than the strings for the empty prefixes, and one of unreachable cells before them.
    let columns = right.len() + 2;
    let unreachable = (left.len() + right.len()) as u32;
    let table = &mut scratch.table;
    table.clear();
    table.resize((left.len() + 2) * columns, unreachable);
    for row in 0..=left.len() {
        table[(row + 1) * columns + 1] = row as u32;
    }
    for column in 0..=right.len() {
        table[columns + column + 1] = column as u32;
    }
    // The last row before this one in which each byte stands in `left`, from 1.
    let mut last_rows = [0usize; 256];
    for (row, &byte) in left.iter().enumerate() {
        // The last column before this one that matched in this row, from 1.
        let mut last_column = 0;
        for (column, &other) in right.iter().enumerate() {
            let last_row = last_rows[usize::from(other)];
            let here = (row + 2) * columns + column + 2;
            let (above, left_of, diagonal) = (here - columns, here - 1, here - columns - 1);
            let replaced = table[diagonal] + u32::from(byte != other);
            let shifted = table[above].min(table[left_of]) + 1;
            let between = (row - last_row.min(row)) + (column - last_column.min(column)) + 1;
            let exchanged = table[last_row * columns + last_column] + between as u32;
            table[here] = replaced.min(shifted).min(exchanged);
            if byte == other {
                last_column = column + 1;
            }
        }
        last_rows[usize::from(byte)] = row + 1;
    }
    table[table.len() - 1] as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The definition, over the whole table.
    fn levenshtein_by_table(left: &[u8], right: &[u8]) -> usize {
        let mut row: Vec<usize> = (0..=right.len()).collect();
        for (index, a) in left.iter().enumerate() {
            let mut diagonal = row[0];
            row[0] = index + 1;
            for (column, b) in right.iter().enumerate() {
                let cell = (diagonal + usize::from(a != b)).min(row[column] + 1).min(row[column + 1] + 1);
                diagonal = row[column + 1];
                row[column + 1] = cell;
            }
        }
        row[right.len()]
    }

    fn texts() -> Vec<Vec<u8>> {
        let mut texts: Vec<Vec<u8>> = ["", "a", "ab", "kitten", "sitting", "hello", "ehllo", "ca", "abc"]
            .map(|text| text.as_bytes().to_vec())
            .to_vec();
        for (seed, length) in [10u64, 63, 64, 65, 66, 127, 128, 129, 200, 300].into_iter().enumerate() {
            let byte = |index: u64| {
                b'a' + ((index + 7 * seed as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 62) as u8
            };
            texts.push((0..length).map(byte).collect());
        }
        texts
    }

    #[test]
    fn levenshtein_equals_its_definition() {
        let mut scratch = DistanceScratch::default();
        for left in texts() {
            for right in texts() {
                assert_eq!(levenshtein(&left, &right, &mut scratch), levenshtein_by_table(&left, &right));
            }
        }
    }

    #[test]
    fn known_distances_with_exchanges() {
        let mut scratch = DistanceScratch::default();
        let mut distance =
            |left: &str, right: &str| damerau_levenshtein(left.as_bytes(), right.as_bytes(), &mut scratch);
        assert_eq!(distance("hello", "ehllo"), 1);
        assert_eq!(distance("ca", "abc"), 2); // exchange, then insert between
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(distance("same", "same"), 0);
        assert_eq!(distance("an act", "a cat"), 2);
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(distance("abcdef", "badcfe"), 3);
    }

    #[test]
    fn exchanges_only_shorten_and_distances_are_symmetric() {
        let mut scratch = DistanceScratch::default();
        for left in texts() {
            for right in texts() {
                let distance = damerau_levenshtein(&left, &right, &mut scratch);
                assert_eq!(distance, damerau_levenshtein(&right, &left, &mut scratch));
                let plain = levenshtein_by_table(&left, &right);
                assert!(distance <= plain && plain <= 2 * distance);
            }
        }
    }
}
