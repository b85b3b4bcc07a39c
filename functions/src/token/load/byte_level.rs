//! A list of merges over bytes as ranks of tokens, where both give the same tokens.
//!
//! By merges a pair is joined if it is listed; by ranks, if its bytes together are a token. These agree if every token is what its own bytes
//! become by the merges: as long as nothing reaches across the borders of those bytes they go the same way wherever they stand,
//! so whenever two parts make up a token they are the two that its merge lists.

use crate::kernel::bpe::{Encoding, Vocabulary};
use crate::kernel::pretokenize::Pretokenizer;
use crate::kernel::token::Encoded;
use crate::kernel::token::pair_merge::{PairMerge, PairScratch};
use crate::token::decoder::byte_of_character;
use crate::token::pattern::Pattern;
use crate::token::splitter::Splitter;

/// The encoding by ranks and, where ranks are not the numbers of the file, those; `None` if ranks would not do.
pub fn encoding(
    tokens: &[(&str, u32)],
    merges: &[(&str, &str)],
    model: &PairMerge,
    takes_whole: bool,
    splitters: &[Splitter],
) -> Option<(Encoding, Option<Box<[u32]>>)> {
    let bytes_of = |token: &str| token.chars().map(byte_of_character).collect::<Option<Vec<u8>>>();
    let mut ranked: Vec<(Vec<u8>, u32)> = Vec::with_capacity(tokens.len());
    for byte in 0..=255u8 {
        let name = crate::token::decoder::character_of_byte(byte).to_string();
        ranked.push((vec![byte], model.id(&name)?));
    }
    let (mut scratch, mut encoded) = (PairScratch::default(), Encoded::default());
    let mut made = std::collections::HashMap::with_capacity(merges.len());
    let mut joined = String::new();
    for (left, right) in merges {
        joined.clear();
        joined.push_str(left);
        joined.push_str(right);
        let id = model.id(&joined)?;
        // Several merges that make one token are one rank only if no other stands between them.
        if let Some(before) = made.insert(id, ranked.len()) {
            if before != ranked.len() {
                return None;
            }
            made.insert(id, before);
            continue;
        }
        ranked.push((bytes_of(&joined)?, id));
        made.insert(id, ranked.len());
        encoded.clear();
        model.encode_by_merges(&joined, &mut scratch, &mut encoded);
        if encoded.ids != [id] {
            return None;
        }
    }
    // A token that no merge makes is reached as a whole piece or not at all: with ranks it could be reached otherwise.
    let is_unmade = |&(token, id): &(&str, u32)| token.chars().count() > 1 && !made.contains_key(&id);
    if takes_whole && tokens.iter().any(|token| is_unmade(token) && bytes_of(token.0).is_some()) {
        return None;
    }
    let is_ascending = ranked[256..].windows(2).all(|pair| pair[0].1 < pair[1].1);
    let pretokenizer = splitters.iter().rev().find_map(|splitter| match splitter {
        Splitter::Pattern { pattern: Pattern::Published(published), .. } => Some(*published),
        _ => None,
    });
    let pretokenizer = pretokenizer.unwrap_or(Pretokenizer::R50k);
    if is_ascending {
        let vocabulary = Vocabulary::from_tokens(ranked).ok()?;
        return Some((Encoding::new(vocabulary, pretokenizer), None));
    }
    let numbers = ranked.iter().map(|(_, id)| *id).collect();
    let vocabulary = Vocabulary::from_tokens(ranked.into_iter().map(|(bytes, _)| bytes).zip(0u32..)).ok()?;
    Some((Encoding::new(vocabulary, pretokenizer), Some(numbers)))
}
