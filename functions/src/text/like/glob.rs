//! File-name patterns over bytes.

/// True if the whole text matches the pattern. After a mismatch only the last `*` takes one byte more,
/// so the time is at most the product of the two lengths.
pub fn glob_matches(text: &[u8], pattern: &[u8]) -> bool {
    let (mut at, mut place) = (0, 0);
    let mut retry: Option<(usize, usize)> = None;
    loop {
        if pattern.get(place) == Some(&b'*') {
            place += 1;
            retry = Some((at, place));
            continue;
        }
        if at == text.len() && place == pattern.len() {
            return true;
        }
        let matched = text.get(at).and_then(|&byte| one_matches(byte, &pattern[place..]));
        match (matched, retry) {
            (Some(length), _) => {
                at += 1;
                place += length;
            }
            (None, Some((start, after))) if start < text.len() => {
                at = start + 1;
                place = after;
                retry = Some((at, after));
            }
            _ => return false,
        }
    }
}

/// Length of the first element of a pattern, if it matches the byte.
fn one_matches(byte: u8, pattern: &[u8]) -> Option<usize> {
    match *pattern.first()? {
        b'?' => Some(1),
        b'[' => class_matches(byte, pattern),
        b'\\' => (*pattern.get(1)? == byte).then_some(2),
        plain => (plain == byte).then_some(1),
    }
}

/// `[abc]`, `[a-z]`, `[!a]`; a bracket that closes at once is a member. An open class matches nothing.
fn class_matches(byte: u8, pattern: &[u8]) -> Option<usize> {
    let inverted = pattern.get(1) == Some(&b'!');
    let first = 1 + usize::from(inverted);
    let mut place = first;
    let mut found = false;
    loop {
        let low = *pattern.get(place)?;
        if low == b']' && place > first {
            return (found != inverted).then_some(place + 1);
        }
        match (pattern.get(place + 1), pattern.get(place + 2)) {
            (Some(b'-'), Some(&high)) if high != b']' => {
                found |= (low..=high).contains(&byte);
                place += 3;
            }
            _ => {
                found |= low == byte;
                place += 1;
            }
        }
    }
}
