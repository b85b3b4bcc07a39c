//! Token numbers to text: the decoders of `tokenizer.json`.

use super::pattern::Pattern;

/// One step from tokens to text.
#[derive(Debug, Clone)]
pub enum Decoder {
    /// Tokens are bytes; their characters in the vocabulary file stand for bytes.
    ByteLevel,
    /// A prefix says that a token continues a word; other tokens have a space in front.
    WordPiece { prefix: String, cleans_up: bool },
    /// Marks become spaces, the first one nothing.
    Metaspace { mark: char, has_prefix: bool },
    /// `</w>` becomes a space.
    Suffix(String),
    /// `<0x41>` becomes a byte.
    SpellBytes,
    /// All tokens become one.
    Fuse,
    /// Drops up to so many of a character at the ends of each token.
    Strip { character: char, start: usize, end: usize },
    /// Text in the place of each match.
    Replace { pattern: Pattern, content: String },
}

impl Decoder {
    /// Changes the tokens.
    pub fn apply(&self, tokens: &mut Vec<String>) {
        match self {
            Self::ByteLevel => *tokens = vec![bytes_of(tokens)],
            Self::WordPiece { prefix, cleans_up } => {
                for (index, token) in tokens.iter_mut().enumerate() {
                    if index > 0 {
                        *token = match token.strip_prefix(prefix.as_str()) {
                            Some(rest) => rest.to_owned(),
                            None => format!(" {token}"),
                        };
                    }
                    if *cleans_up {
                        *token = cleaned_up(token);
                    }
                }
            }
            Self::Metaspace { mark, has_prefix } => {
                for (index, token) in tokens.iter_mut().enumerate() {
                    let space = if index == 0 && *has_prefix { "" } else { " " };
                    *token = token.replace(*mark, space);
                }
            }
            Self::Suffix(suffix) => {
                let last = tokens.len().saturating_sub(1);
                for (index, token) in tokens.iter_mut().enumerate() {
                    *token = token.replace(suffix.as_str(), if index == last { "" } else { " " });
                }
            }
            Self::SpellBytes => *tokens = spelled(tokens),
            Self::Fuse => *tokens = vec![tokens.concat()],
            Self::Strip { character, start, end } => {
                for token in tokens.iter_mut() {
                    let mut rest = token.as_str();
                    for _ in 0..*start {
                        rest = rest.strip_prefix(*character).unwrap_or(rest);
                    }
                    for _ in 0..*end {
                        rest = rest.strip_suffix(*character).unwrap_or(rest);
                    }
                    *token = rest.to_owned();
                }
            }
            Self::Replace { pattern, content } => {
                for token in tokens.iter_mut() {
                    let (mut replaced, mut done) = (String::new(), 0);
                    pattern.matches(token, |start, end| {
                        replaced.push_str(&token[done..start]);
                        replaced.push_str(content);
                        done = end;
                    });
                    replaced.push_str(&token[done..]);
                    *token = replaced;
                }
            }
        }
    }
}

/// The text of a byte-level file's characters; tokens with a character that stands for no byte are taken as they are.
fn bytes_of(tokens: &[String]) -> String {
    let mut bytes = Vec::new();
    for token in tokens {
        match token.chars().map(byte_of_character).collect::<Option<Vec<u8>>>() {
            Some(decoded) => bytes.extend(decoded),
            None => bytes.extend_from_slice(token.as_bytes()),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The byte that a character of a byte-level vocabulary file stands for: printable bytes stand for themselves, the others, in
/// order, for the characters from U+0100.
pub fn byte_of_character(character: char) -> Option<u8> {
    let code = u32::from(character);
    let is_printable = |code: u32| matches!(code, 0x21..=0x7e | 0xa1..=0xac | 0xae..=0xff);
    match code {
        0..=0xff => is_printable(code).then_some(code as u8),
        0x100..=0x120 => Some((code - 0x100) as u8),
        0x121..=0x142 => Some((code - 0x121 + 0x7f) as u8),
        0x143 => Some(0xad),
        _ => None,
    }
}

/// The character that stands for a byte in a byte-level vocabulary file.
pub fn character_of_byte(byte: u8) -> char {
    let code = u32::from(byte);
    let stands_for = match byte {
        0x21..=0x7e | 0xa1..=0xac | 0xae..=0xff => code,
        0..=0x20 => 0x100 + code,
        0x7f..=0xa0 => 0x121 + code - 0x7f,
        0xad => 0x143,
    };
    char::from_u32(stands_for).unwrap_or('\u{fffd}')
}

fn cleaned_up(token: &str) -> String {
    let pairs = [
        (" .", "."),
        (" ?", "?"),
        (" !", "!"),
        (" ,", ","),
        (" ' ", "'"),
        (" n't", "n't"),
        (" 'm", "'m"),
        (" do not", " don't"),
        (" 's", "'s"),
        (" 've", "'ve"),
        (" 're", "'re"),
    ];
    pairs.iter().fold(token.to_owned(), |token, (from, to)| token.replace(from, to))
}

/// Runs of spelled bytes as text; each byte of a run that is no text becomes U+FFFD.
fn spelled(tokens: &[String]) -> Vec<String> {
    let mut texts = Vec::with_capacity(tokens.len());
    let mut run: Vec<u8> = Vec::new();
    let end = |run: &mut Vec<u8>, texts: &mut Vec<String>| {
        if !run.is_empty() {
            texts.push(
                String::from_utf8(std::mem::take(run))
                    .unwrap_or_else(|error| "\u{fffd}".repeat(error.into_bytes().len())),
            );
        }
    };
    for token in tokens {
        match spelled_byte(token) {
            Some(byte) => run.push(byte),
            None => {
                end(&mut run, &mut texts);
                texts.push(token.clone());
            }
        }
    }
    end(&mut run, &mut texts);
    texts
}

fn spelled_byte(token: &str) -> Option<u8> {
    let digits = token.strip_prefix("<0x")?.strip_suffix('>')?;
    if digits.len() == 2 { u8::from_str_radix(digits, 16).ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(decoders: &[Decoder], tokens: &[&str]) -> String {
        let mut tokens: Vec<String> = tokens.iter().map(|token| (*token).to_owned()).collect();
        decoders.iter().for_each(|decoder| decoder.apply(&mut tokens));
        tokens.concat()
    }

    #[test]
    fn every_byte_has_one_character() {
        let bytes: std::collections::BTreeSet<u8> =
            (0..0x200).filter_map(|code| byte_of_character(char::from_u32(code)?)).collect();
        assert_eq!(bytes.len(), 256);
        (0..=255).for_each(|byte| assert_eq!(byte_of_character(character_of_byte(byte)), Some(byte)));
        assert_eq!(byte_of_character('Ġ'), Some(b' '));
        assert_eq!(byte_of_character('Ċ'), Some(b'\n'));
    }

    #[test]
    fn tokens_become_text() {
        let pieces = Decoder::WordPiece { prefix: "##".into(), cleans_up: true };
        assert_eq!(decoded(&[pieces], &["un", "##able", "to", ",", "do", "n't"]), "unable to, don't");
        assert_eq!(
            decoded(&[Decoder::Metaspace { mark: '▁', has_prefix: true }], &["▁a", "b", "▁c"]),
            "ab c"
        );
        assert_eq!(decoded(&[Decoder::ByteLevel], &["Ġcaf", "Ã©"]), " café");
        let llama = [
            Decoder::Replace { pattern: Pattern::Text("▁".into()), content: " ".into() },
            Decoder::SpellBytes,
            Decoder::Fuse,
            Decoder::Strip { character: ' ', start: 1, end: 0 },
        ];
        assert_eq!(decoded(&llama, &["▁a", "<0xC3>", "<0xA9>", "▁b", "<0xFF>"]), "aé b\u{fffd}");
        assert_eq!(decoded(&[Decoder::Suffix("</w>".into())], &["a", "b</w>", "c</w>"]), "ab c");
    }
}
