//! One piece from a position, for each pattern.

use super::{CharacterClass, Cursor};

/// What a pattern does with white space at the end of the text that contains a line end.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum FinalSpace {
    /// It is one piece.
    Whole,
    /// It ends after the last line end first.
    SplitAfterLineEnd,
}

/// `'(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`
#[inline(always)]
pub(super) fn r50k<'text>(cursor: Cursor<'text>, class: CharacterClass) -> Cursor<'text> {
    if let Some(end) = contraction(cursor, Case::Sensitive) {
        return end;
    }
    let (start, class) = match cursor.advanced(1).peek_if(cursor.byte(0) == Some(b' ')) {
        Some(next) => (cursor.advanced(1), next),
        None => (cursor, class),
    };
    if class.is_letter() {
        start.past_letters()
    } else if class == CharacterClass::NUMBER {
        start.past_all(|class| class == CharacterClass::NUMBER)
    } else if class.is_symbol() {
        start.past_all(CharacterClass::is_symbol)
    } else {
        all_but_last(cursor, cursor.past_all(CharacterClass::is_white_space))
    }
}

/// With up to `digits` numbers together: `'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+| ?[^\s\p{L}\p{N}]++[\r\n]*+|\s++$|\s*[\r\n]|\s+(?!\S)|\s`
#[inline(always)]
pub(super) fn cl100k<'text>(
    cursor: Cursor<'text>,
    class: CharacterClass,
    digits: usize,
    final_space: FinalSpace,
) -> Cursor<'text> {
    if class.is_letter() {
        return cursor.past_letters();
    }
    if class == CharacterClass::NUMBER {
        return cursor.past_up_to(digits, |class| class == CharacterClass::NUMBER);
    }
    if let Some(end) = contraction(cursor, Case::Folded) {
        return end;
    }
    let next = cursor.past_one();
    if class != CharacterClass::LINE_END && next.peek().is_some_and(CharacterClass::is_letter) {
        return next.past_letters();
    }
    match symbols(cursor, class) {
        Some(end) => end.past_all(|class| class == CharacterClass::LINE_END),
        None => white_space(cursor, final_space),
    }
}

/// The alternatives of `o200k_base` in order: two of words, numbers, symbols and white space.
#[inline(always)]
pub(super) fn o200k<'text>(cursor: Cursor<'text>, class: CharacterClass) -> Cursor<'text> {
    if class == CharacterClass::NUMBER {
        return cursor.past_up_to(3, |class| class == CharacterClass::NUMBER);
    }
    if let Some(end) = cased_word(cursor, class) {
        return contraction(end, Case::Folded).unwrap_or(end);
    }
    match symbols(cursor, class) {
        Some(end) => past_line_ends_and_slashes(end),
        None => white_space(cursor, FinalSpace::SplitAfterLineEnd),
    }
}

/// ` ?[^\s\p{L}\p{N}]+`
#[inline(always)]
fn symbols<'text>(cursor: Cursor<'text>, class: CharacterClass) -> Option<Cursor<'text>> {
    let start = if cursor.byte(0) == Some(b' ') { cursor.advanced(1) } else { cursor };
    let first = if start.position > cursor.position { start.peek()? } else { class };
    first.is_symbol().then(|| start.past_all(CharacterClass::is_symbol))
}

/// `[\r\n/]*`
#[inline(always)]
fn past_line_ends_and_slashes(cursor: Cursor<'_>) -> Cursor<'_> {
    let mut cursor = cursor;
    while let Some(b'\r' | b'\n' | b'/') = cursor.byte(0) {
        cursor = cursor.advanced(1);
    }
    cursor
}

/// The alternatives of white space: to the end of the text, or through the last line end, or all but the last character
/// before other text, which belongs to the next piece, or one character.
#[inline(always)]
fn white_space(cursor: Cursor<'_>, final_space: FinalSpace) -> Cursor<'_> {
    let mut end = cursor;
    let mut after_line_end = None;
    while let Some((class, length)) = end.peek_character().filter(|(class, _)| class.is_white_space()) {
        end = end.advanced(length);
        if class == CharacterClass::LINE_END {
            after_line_end = Some(end);
        }
    }
    match after_line_end {
        Some(after) if !(end.is_at_end() && final_space == FinalSpace::Whole) => after,
        _ => all_but_last(cursor, end),
    }
}

/// `\s+(?!\S)|\s` for the white space up to `end`.
#[inline(always)]
fn all_but_last<'text>(cursor: Cursor<'text>, end: Cursor<'text>) -> Cursor<'text> {
    if end.is_at_end() {
        return end;
    }
    let last = cursor.text[cursor.position..end.position].chars().next_back().map_or(0, char::len_utf8);
    let shorter = Cursor { position: end.position - last, ..end };
    if shorter.position > cursor.position { shorter } else { end }
}

/// Whether a contraction is recognised in any case.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Case {
    Sensitive,
    /// Simple Unicode case folding, under which the long s, U+017F, is an s.
    Folded,
}

/// `'(?:[sdmt]|ll|ve|re)`
#[inline(always)]
fn contraction(cursor: Cursor<'_>, case: Case) -> Option<Cursor<'_>> {
    if cursor.byte(0) != Some(b'\'') {
        return None;
    }
    let letter = |offset| {
        cursor.byte(offset).map(|byte| if case == Case::Folded { byte.to_ascii_lowercase() } else { byte })
    };
    let length = match (letter(1)?, letter(2)) {
        (b's' | b'd' | b'm' | b't', _) => 2,
        (b'l', Some(b'l')) | (b'v' | b'r', Some(b'e')) => 3,
        (0xc5, Some(0xbf)) if case == Case::Folded => 3,
        _ => return None,
    };
    Some(cursor.advanced(length))
}

/// `[^\r\n\p{L}\p{N}]?U*W+|[^\r\n\p{L}\p{N}]?U+W*`, where U is `[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]` and W is
/// `[\p{Ll}\p{Lm}\p{Lo}\p{M}]`, so that caseless letters and marks are in both.
///
/// The order of attempts is that of the pattern: the first alternative with and without the leading character, then the
/// second likewise. Only a mark can be both the leading character and part of the word.
#[inline(always)]
fn cased_word<'text>(cursor: Cursor<'text>, class: CharacterClass) -> Option<Cursor<'text>> {
    if class.is_letter() {
        return ascii_word(cursor).or_else(|| {
            let (end, upper_end) = rising_word(cursor);
            end.or(upper_end)
        });
    }
    if class == CharacterClass::LINE_END || class == CharacterClass::NUMBER {
        return None;
    }
    let next = cursor.past_one();
    // A mark may be the whole word, which goes before an upper-case one.
    if class != CharacterClass::MARK
        && let Some(end) = ascii_word(next)
    {
        return Some(end);
    }
    let (end, upper_end) = rising_word(next);
    end.or_else(|| if class == CharacterClass::MARK { rising_word(cursor).0 } else { None }).or(upper_end)
}

/// The end of a word of ASCII letters that is decided by its first eight bytes and the lower-case ones that follow: upper-case
/// ones, then lower-case ones, and then a character that is ASCII but no lower-case letter.
#[inline(always)]
fn ascii_word(cursor: Cursor<'_>) -> Option<Cursor<'_>> {
    let (upper, lower) = cursor.eight_bytes()?.leading_upper_then_lower();
    let mut end = cursor.advanced(upper + lower);
    if upper + lower == 0 || upper == 8 {
        return None;
    }
    if upper + lower == 8 {
        loop {
            let more = end.eight_bytes()?.leading_lower();
            end = end.advanced(more);
            if more < 8 {
                break;
            }
        }
    }
    // All upper case is a word too, but then a letter must not follow: none of ASCII does, and others are left to the caller.
    end.byte(0).is_some_and(|byte| byte < 0x80).then_some(end)
}

/// The ends of `U*W+` and, if that does not match, of `U+W*`, from a position.
///
/// The run of U is greedy. If a lower-case letter follows, W takes over there. Else the run is given back character by
/// character until one is in W too, and that is where the word ends. If none is, the run is all upper case.
#[inline(always)]
fn rising_word(cursor: Cursor<'_>) -> (Option<Cursor<'_>>, Option<Cursor<'_>>) {
    let mut end = cursor;
    let mut after_caseless = None;
    while let Some((class, length)) = end.peek_character() {
        match class {
            CharacterClass::UPPER => end = end.advanced(length),
            CharacterClass::CASELESS | CharacterClass::MARK => {
                end = end.advanced(length);
                after_caseless = Some(end);
            }
            CharacterClass::LOWER => {
                let lower = |class| {
                    matches!(class, CharacterClass::LOWER | CharacterClass::CASELESS | CharacterClass::MARK)
                };
                return (Some(end.past_all(lower)), None);
            }
            _ => break,
        }
    }
    (after_caseless, (end.position > cursor.position).then_some(end))
}
