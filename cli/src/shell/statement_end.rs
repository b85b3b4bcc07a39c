//! Where statements end in text that is still being typed: at semicolons outside of quotes and comments.

/// Byte positions just after each semicolon that ends a statement.
pub(crate) fn statement_ends(text: &str) -> Vec<usize> {
    let bytes = text.as_bytes();
    let mut ends = Vec::new();
    let mut position = 0;
    while position < bytes.len() {
        position = match bytes[position] {
            quote @ (b'\'' | b'"') => after_quoted(bytes, position + 1, quote),
            b'-' if bytes[position..].starts_with(b"--") => after(text, position, "\n"),
            b'/' if bytes[position..].starts_with(b"/*") => after_comment(bytes, position + 2),
            b'$' => after_dollar_quoted(text, position),
            b';' => {
                ends.push(position + 1);
                position + 1
            }
            _ => position + 1,
        };
    }
    ends
}

/// Whether the last statement is ended, so that all of the text can run.
pub(crate) fn is_complete(text: &str) -> bool {
    let ended = statement_ends(text).last().copied().unwrap_or(0);
    ended > 0 && is_blank(&text[ended..])
}

/// Whether there is nothing but blanks and comments.
pub(crate) fn is_blank(text: &str) -> bool {
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let skipped = match rest.as_bytes() {
            [b'-', b'-', ..] => after(rest, 0, "\n"),
            [b'/', b'*', ..] => after_comment(rest.as_bytes(), 2),
            _ => return false,
        };
        rest = rest[skipped..].trim_start();
    }
    true
}

/// A doubled quote inside of quotes reads as an end and a new start, which comes to the same.
fn after_quoted(bytes: &[u8], start: usize, quote: u8) -> usize {
    bytes[start..].iter().position(|byte| *byte == quote).map_or(bytes.len(), |length| start + length + 1)
}

fn after(text: &str, start: usize, end: &str) -> usize {
    text[start..].find(end).map_or(text.len(), |length| start + length + end.len())
}

/// Comments nest.
fn after_comment(bytes: &[u8], start: usize) -> usize {
    let mut depth = 1;
    let mut position = start;
    while position < bytes.len() && depth > 0 {
        if bytes[position..].starts_with(b"*/") {
            depth -= 1;
            position += 2;
        } else if bytes[position..].starts_with(b"/*") {
            depth += 1;
            position += 2;
        } else {
            position += 1;
        }
    }
    position.min(bytes.len())
}

/// `$tag$ ... $tag$`; a dollar that starts no such quote, as in `$1`, is skipped alone.
fn after_dollar_quoted(text: &str, start: usize) -> usize {
    let rest = &text[start + 1..];
    let Some(length) = rest.find('$') else { return start + 1 };
    let tag = &rest[..length];
    let is_tag = !tag.starts_with(|first: char| first.is_ascii_digit())
        && tag.chars().all(|character| character.is_alphanumeric() || character == '_');
    if !is_tag {
        return start + 1;
    }
    let mark = &text[start..start + length + 2];
    after(text, start + mark.len(), mark)
}

#[cfg(test)]
mod tests {
    use super::{is_blank, is_complete, statement_ends};

    #[test]
    fn semicolons_in_quotes_and_comments_end_nothing() {
        let text = "SELECT ';', \";\", $$;$$, $t$;$;$t$ -- ;\n/* ; /* ; */ ; */ ; SELECT $1;";
        assert_eq!(statement_ends(text).len(), 2);
        assert_eq!(statement_ends("SELECT 'it''s;' ; x"), [17]);
    }

    #[test]
    fn text_is_complete_when_its_last_statement_is_ended() {
        assert!(is_complete("SELECT 1;"));
        assert!(is_complete("SELECT 1; -- done\n  "));
        assert!(!is_complete("SELECT 1"));
        assert!(!is_complete("SELECT 1; SELECT"));
        assert!(!is_complete("SELECT ';"));
        assert!(!is_complete(""));
    }

    #[test]
    fn comments_alone_are_blank() {
        assert!(is_blank(" -- a\n /* b */ "));
        assert!(!is_blank("-- a\n x"));
        assert!(is_blank(""));
    }
}
