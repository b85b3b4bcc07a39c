//! Words as they stand in a text, for tokenizers that encode them one by one.

/// The words of a text between ASCII white space, found eight bytes at a time.
pub fn words(text: &str) -> impl Iterator<Item = &str> {
    let bytes = text.as_bytes();
    let mut at = 0;
    std::iter::from_fn(move || {
        while at < bytes.len() && is_space(bytes[at]) {
            at += 1;
        }
        let start = at;
        loop {
            at = next_control_or_space(bytes, at);
            if at >= bytes.len() || is_space(bytes[at]) {
                break;
            }
            at += 1;
        }
        (start < at).then(|| &text[start..at])
    })
}

#[inline(always)]
fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r')
}

/// The place of the first byte up to 0x20, or the end.
#[inline(always)]
fn next_control_or_space(bytes: &[u8], mut at: usize) -> usize {
    const ONES: u64 = u64::MAX / 255;
    while let Some(Ok(eight)) = bytes.get(at..at + 8).map(<[u8; 8]>::try_from) {
        let word = u64::from_le_bytes(eight);
        // The highest bit of each byte below 0x21; of bytes behind the first such one it may be wrong.
        let below = word.wrapping_sub(ONES * 0x21) & !word & (ONES * 0x80);
        if below != 0 {
            return at + (below.trailing_zeros() / 8) as usize;
        }
        at += 8;
    }
    bytes[at..].iter().position(|&byte| byte <= b' ').map_or(bytes.len(), |place| at + place)
}

#[cfg(test)]
mod tests {
    use super::words;

    #[test]
    fn words_are_what_lies_between_white_space() {
        for text in [
            "",
            " ",
            "a",
            " a  bc\td\ne\r",
            "long words without spaces, then\u{1}control \u{b}x",
            "é ü\u{2003}中 文字  ",
        ] {
            let space = |character| matches!(character, ' ' | '\t' | '\n' | '\r');
            let expected: Vec<&str> = text.split(space).filter(|word| !word.is_empty()).collect();
            assert_eq!(words(text).collect::<Vec<_>>(), expected, "{text:?}");
        }
    }
}
