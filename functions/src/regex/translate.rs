//! Patterns of the reference dialect in the syntax of the regex crate.
//!
//! DuckDB's patterns are RE2's. Both engines run in linear time and agree on nearly everything; what
//! differs is rewritten here: `\d`, `\w`, `\s` and `\b` mean ASCII, brackets inside a class are
//! characters, `\Q...\E` quotes, octal escapes exist, and a brace that starts no repetition is a character.

use crate::error::{Error, Result};

/// Rewrites a pattern.
///
/// # Errors
/// [`Error::User`] for an escape sequence that does not exist. Other mistakes are left to the engine.
pub fn translate(pattern: &str) -> Result<String> {
    let mut translator = Translator { rest: pattern, result: String::with_capacity(pattern.len() + 8) };
    while let Some(c) = translator.next() {
        match c {
            '\\' => translator.escape(false)?,
            '[' => translator.class()?,
            '{' if !is_repetition(translator.rest) => translator.result.push_str("\\{"),
            other => translator.result.push(other),
        }
    }
    Ok(translator.result)
}

struct Translator<'a> {
    rest: &'a str,
    result: String,
}

/// True if the text after a brace ends it as `n}`, `n,}` or `n,m}`.
fn is_repetition(rest: &str) -> bool {
    let Some((inside, _)) = rest.split_once('}') else { return false };
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    match inside.split_once(',') {
        None => is_number(inside),
        Some((least, most)) => is_number(least) && (most.is_empty() || is_number(most)),
    }
}

impl Translator<'_> {
    fn next(&mut self) -> Option<char> {
        let c = self.rest.chars().next()?;
        self.rest = &self.rest[c.len_utf8()..];
        Some(c)
    }

    /// The escape sequence after a backslash.
    fn escape(&mut self, in_class: bool) -> Result<()> {
        let Some(c) = self.next() else { return Err(Error::user("it ends with a backslash")) };
        let (inside, outside) = match c {
            'd' => ("0-9", "[0-9]"),
            'D' => ("[^0-9]", "[^0-9]"),
            'w' => ("0-9A-Za-z_", "[0-9A-Za-z_]"),
            'W' => ("[^0-9A-Za-z_]", "[^0-9A-Za-z_]"),
            's' => ("\\t\\n\\f\\r ", "[\\t\\n\\f\\r ]"),
            'S' => ("[^\\t\\n\\f\\r ]", "[^\\t\\n\\f\\r ]"),
            'b' if !in_class => ("", "(?-u:\\b)"),
            'B' if !in_class => ("", "(?-u:\\B)"),
            'C' if !in_class => ("", "(?s:.)"),
            'A' | 'z' if !in_class => return self.keep(c),
            'a' | 'f' | 't' | 'n' | 'r' | 'v' => return self.keep(c),
            'x' | 'p' | 'P' => return self.keep_with_braces(c),
            '<' => ("<", "<"),
            '>' => (">", ">"),
            'Q' if !in_class => {
                let (quoted, rest) = self.rest.split_once("\\E").unwrap_or((self.rest, ""));
                self.result.push_str(&::regex::escape(quoted));
                self.rest = rest;
                return Ok(());
            }
            '0'..='7' => return self.octal(c),
            other if other.is_ascii_alphanumeric() => {
                return Err(Error::user(format!("there is no escape sequence \\{other}")));
            }
            other => return self.keep(other),
        };
        self.result.push_str(if in_class { inside } else { outside });
        Ok(())
    }

    fn keep(&mut self, c: char) -> Result<()> {
        self.result.push('\\');
        self.result.push(c);
        Ok(())
    }

    /// `\x{1f600}` and `\p{Latin}`: the braces belong to the escape sequence.
    fn keep_with_braces(&mut self, c: char) -> Result<()> {
        self.keep(c)?;
        if self.rest.starts_with('{')
            && let Some(end) = self.rest.find('}')
        {
            self.result.push_str(&self.rest[..=end]);
            self.rest = &self.rest[end + 1..];
        }
        Ok(())
    }

    /// `\012`, or `\12` where two octal digits follow; a single digit would refer back, which takes more than linear time.
    fn octal(&mut self, first: char) -> Result<()> {
        let mut code = first as u32 - '0' as u32;
        let most = 2;
        let mut taken = 0;
        while taken < most
            && let Some(digit) = self.rest.chars().next().and_then(|c| c.to_digit(8))
        {
            code = code * 8 + digit;
            taken += 1;
            self.next();
        }
        if first != '0' && taken == 0 {
            return Err(Error::user(format!("\\{first} refers back to a group, which patterns cannot do")));
        }
        self.result.push_str(&format!("\\x{{{code:x}}}"));
        Ok(())
    }

    /// The rest of a class after its bracket.
    fn class(&mut self) -> Result<()> {
        self.result.push('[');
        if self.rest.starts_with('^') {
            self.next();
            self.result.push('^');
        }
        let mut is_first = true;
        loop {
            let Some(c) = self.next() else { return Ok(()) };
            match c {
                ']' if !is_first => {
                    self.result.push(']');
                    return Ok(());
                }
                '[' if self.rest.starts_with(':') && self.rest.contains(":]") => {
                    let end = self.rest.find(":]").map_or(0, |end| end + 2);
                    self.result.push('[');
                    self.result.push_str(&self.rest[..end]);
                    self.rest = &self.rest[end..];
                }
                member => self.member(member)?,
            }
            is_first = false;
        }
    }

    /// A character or range of a class.
    fn member(&mut self, first: char) -> Result<()> {
        self.class_character(first)?;
        let mut following = self.rest.chars();
        if following.next() == Some('-')
            && let Some(last) = following.next()
            && last != ']'
        {
            self.result.push('-');
            self.rest = &self.rest[1 + last.len_utf8()..];
            self.class_character(last)?;
        }
        Ok(())
    }

    fn class_character(&mut self, c: char) -> Result<()> {
        match c {
            '\\' => self.escape(true),
            // Doubled, these are set operations in the engine's syntax.
            '[' | ']' | '&' | '~' | '-' => self.keep(c),
            other => {
                self.result.push(other);
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::translate;

    #[test]
    fn what_both_engines_read_alike_is_kept() {
        for pattern in ["a(b|c)*d{2,3}", "^[a-z]+$", "(?i)x", "\\pL\\x{41}", "(?P<n>.)", "[[:alpha:]_]"] {
            assert_eq!(translate(pattern).as_deref(), Ok(pattern));
        }
    }

    #[test]
    fn differences_are_rewritten() {
        for (pattern, rewritten) in [
            ("\\d+", "[0-9]+"),
            ("[\\d-]", "[0-9\\-]"),
            ("[+--]", "[+-\\-]"),
            ("[[&&]", "[\\[\\&\\&]"),
            ("\\Qa.b\\E.", "a\\.b."),
            ("a{,2}", "a\\{,2}"),
            ("\\141", "\\x{61}"),
            ("[]a]", "[\\]a]"),
        ] {
            assert_eq!(translate(pattern).as_deref(), Ok(rewritten));
        }
    }
}
