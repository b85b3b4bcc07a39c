//! Sets of characters by their Unicode properties, named as in regular expressions.

use regex_syntax::hir::{Class, HirKind};

/// A set of characters: bits for the first plane, ranges for the others.
#[derive(Debug, Clone)]
pub struct CharacterSet {
    basic: Box<[u64; 1024]>,
    above: Vec<(u32, u32)>,
}

impl CharacterSet {
    /// The set that a class such as `\p{P}` or `[\p{L}\p{N}]` means; `None` if it is no class.
    pub fn of_class(class: &str) -> Option<CharacterSet> {
        let hir = regex_syntax::parse(class).ok()?;
        let HirKind::Class(Class::Unicode(class)) = hir.kind() else { return None };
        let mut set = CharacterSet { basic: Box::new([0; 1024]), above: Vec::new() };
        for range in class.iter() {
            let (start, end) = (u32::from(range.start()), u32::from(range.end()));
            for code in start..=end.min(0xffff) {
                set.basic[(code >> 6) as usize] |= 1 << (code & 63);
            }
            if end > 0xffff {
                set.above.push((start, end));
            }
        }
        Some(set)
    }

    /// Whether the character is in the set.
    #[inline(always)]
    pub fn has(&self, character: char) -> bool {
        let code = u32::from(character);
        match self.basic.get((code >> 6) as usize) {
            Some(word) => (word >> (code & 63)) & 1 == 1,
            None => {
                let after = self.above.partition_point(|&(start, _)| start <= code);
                after > 0 && self.above[after - 1].1 >= code
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_are_those_of_regular_expressions() {
        let punctuation = CharacterSet::of_class(r"\p{P}").unwrap();
        assert!(punctuation.has('!') && punctuation.has('。') && punctuation.has('\u{10100}'));
        assert!(!punctuation.has('$') && !punctuation.has('a') && !punctuation.has('😀'));
        assert!(CharacterSet::of_class("ab").is_none());
        assert!(CharacterSet::of_class(r"\p{Mn}").unwrap().has('\u{301}'));
    }
}
