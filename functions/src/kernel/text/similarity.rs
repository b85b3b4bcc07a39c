//! Jaro and Jaro-Winkler similarity of byte strings.

/// Buffers that similarities reuse; one for each thread.
#[derive(Clone, Debug, Default)]
pub struct SimilarityScratch {
    taken: Vec<bool>,
    matched: Vec<u8>,
}

impl SimilarityScratch {
    /// Bytes held, for the budget.
    pub fn memory_bytes(&self) -> usize {
        self.taken.capacity() + self.matched.capacity()
    }
}

/// The Jaro similarity, from 0 to 1; 0 if a string is empty.
///
/// Bytes match if they are equal and less than half the longer length apart; each takes the first free one. Of the
/// m matched, those that stand at other places in the two orders count half: with t such pairs the similarity
/// is the mean of m / left, m / right and (m - t) / m. Source: Jaro 1989.
pub fn jaro(left: &[u8], right: &[u8], scratch: &mut SimilarityScratch) -> f64 {
    if left.is_empty() || right.is_empty() {
        return 0.0;
    }
    let reach = (left.len().max(right.len()) / 2).saturating_sub(1);
    let (matches, displaced) = if right.len() <= 64 && left.len() <= 64 {
        match_in_word(left, right, reach)
    } else {
        match_in_table(left, right, reach, scratch)
    };
    if matches == 0 {
        return 0.0;
    }
    let (matches, exchanged) = (matches as f64, (displaced / 2) as f64);
    (matches / left.len() as f64 + matches / right.len() as f64 + (matches - exchanged) / matches) / 3.0
}

/// The Jaro similarity raised by a tenth of what is missing for each of up to four shared first bytes, where it is above
/// 0.7. Source: Winkler 1990.
pub fn jaro_winkler(left: &[u8], right: &[u8], scratch: &mut SimilarityScratch) -> f64 {
    let similarity = jaro(left, right, scratch);
    if similarity <= 0.7 {
        return similarity;
    }
    let shared = left.iter().zip(right).take(4).take_while(|(left, right)| left == right).count();
    similarity + shared as f64 * 0.1 * (1.0 - similarity)
}

/// Matches and matches at different places, with the taken bytes of `right` as bits.
fn match_in_word(left: &[u8], right: &[u8], reach: usize) -> (usize, usize) {
    let mut taken = 0u64;
    let mut matched = [0u8; 64];
    let mut matches = 0;
    for (index, &byte) in left.iter().enumerate() {
        let end = right.len().min(index + reach + 1);
        let start = index.saturating_sub(reach).min(end);
        let mut window = right[start..end].iter().enumerate();
        if let Some((offset, _)) =
            window.find(|&(offset, &other)| other == byte && taken >> (start + offset) & 1 == 0)
        {
            taken |= 1 << (start + offset);
            matched[matches] = byte;
            matches += 1;
        }
    }
    let mut displaced = 0;
    for &byte in &matched[..matches] {
        displaced += usize::from(right[taken.trailing_zeros() as usize] != byte);
        taken &= taken - 1;
    }
    (matches, displaced)
}

/// As [`match_in_word`], for strings of any length.
fn match_in_table(
    left: &[u8],
    right: &[u8],
    reach: usize,
    scratch: &mut SimilarityScratch,
) -> (usize, usize) {
    let SimilarityScratch { taken, matched } = scratch;
    taken.clear();
    taken.resize(right.len(), false);
    matched.clear();
    for (index, &byte) in left.iter().enumerate() {
        let mut window = index.saturating_sub(reach)..right.len().min(index + reach + 1);
        if let Some(position) = window.find(|&position| right[position] == byte && !taken[position]) {
            taken[position] = true;
            matched.push(byte);
        }
    }
    let in_order = right.iter().zip(taken.iter()).filter(|(_, taken)| **taken).map(|(byte, _)| byte);
    (matched.len(), matched.iter().zip(in_order).filter(|(left, right)| left != right).count())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_similarities() {
        let mut scratch = SimilarityScratch::default();
        let mut similarity = |left: &str, right: &str| jaro(left.as_bytes(), right.as_bytes(), &mut scratch);
        assert_eq!(similarity("duck", "duckdb"), 0.8888888888888888);
        assert_eq!(similarity("martha", "marhta"), 0.9444444444444445);
        assert_eq!(similarity("dixon", "dicksonx"), 0.7666666666666666);
        assert_eq!(similarity("abc", "xyz"), 0.0);
        assert_eq!(similarity("", "xyz"), 0.0);
        assert_eq!(similarity("a", "a"), 1.0);
        assert_eq!(jaro_winkler(b"duck", b"duckdb", &mut SimilarityScratch::default()), 0.9333333333333333);
    }

    #[test]
    fn words_and_tables_match_alike() {
        for length in 1..60usize {
            let text = |seed: usize| {
                (0..length + seed % 5)
                    .map(|index| b'a' + ((index * index + seed) % 7) as u8)
                    .collect::<Vec<_>>()
            };
            for seed in 0..7 {
                let (left, right) = (text(0), text(seed));
                let reach = (left.len().max(right.len()) / 2).saturating_sub(1);
                let mut scratch = SimilarityScratch::default();
                let table = match_in_table(&left, &right, reach, &mut scratch);
                assert_eq!(match_in_word(&left, &right, reach), table);
            }
        }
    }
}
