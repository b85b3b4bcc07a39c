//! Finds the values at some places of a JSON text in one pass, without making a tree of the text.
//!
//! All of the text is checked, so a scan that succeeds says that it is JSON. A scan gives up, which says nothing, at
//! whatever is rare: a mistake, an escape sequence by number, a number that a word or a plain double may not hold, deep nesting, an
//! asked value that is an object or array, or an escape sequence in a place that is compared or asked for. The caller
//! then parses the text in full, and says what is wrong with it.

/// Deepest nesting that is followed.
const DEPTH_MAX: u32 = 64;
/// Digits of a whole number that fits a signed word for certain.
const WHOLE_DIGITS_MAX: usize = 18;
/// Longest number with a fraction that is scanned.
const FRACTION_BYTES_MAX: usize = 64;
/// Fields asked of one object, for each of which a bit says whether it was found.
const FIELDS_MAX: usize = 64;

/// What stands at a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found<'text> {
    /// The path leads nowhere.
    Missing,
    /// `null`.
    Null,
    /// `true` or `false`.
    Boolean(bool),
    /// A text without escape sequences.
    Text(&'text str),
    /// A whole number of a signed word.
    Whole(&'text str),
    /// A number with a fraction and without an exponent.
    Fraction(&'text str),
}

/// The places that are asked for, as a tree of the steps that lead there.
#[derive(Debug, Clone)]
pub struct Places {
    places: Vec<Place>,
    answers: usize,
}

#[derive(Debug, Clone, Default)]
struct Place {
    fields: Vec<(Box<[u8]>, usize)>,
    elements: Vec<(usize, usize)>,
    answers: Vec<usize>,
    /// True if this is a field and an element of one place before it, whichever the text has.
    is_shared: bool,
}

impl Default for Places {
    fn default() -> Self {
        Self { places: vec![Place::default()], answers: 0 }
    }
}

impl Places {
    /// The place of the whole text.
    pub const ROOT: usize = 0;

    /// The place of a field of the object at `place`; `None` if too many fields are asked of it, or if the place is also that of
    /// an element.
    pub fn field(&mut self, place: usize, name: &str) -> Option<usize> {
        if let Some(known) = self.known_field(place, name) {
            return (!self.places[known].is_shared).then_some(known);
        }
        let next = self.places.len();
        let fields = &mut self.places[place].fields;
        if fields.len() == FIELDS_MAX {
            return None;
        }
        fields.push((name.as_bytes().into(), next));
        self.places.push(Place::default());
        Some(next)
    }

    /// The place of an element, counted from 0, of the array at `place`; `None` if it is also that of a field.
    pub fn element(&mut self, place: usize, position: usize) -> Option<usize> {
        if let Some(known) = self.known_element(place, position) {
            return (!self.places[known].is_shared).then_some(known);
        }
        let next = self.places.len();
        self.places[place].elements.push((position, next));
        self.places.push(Place::default());
        Some(next)
    }

    /// An element of the array or a field of the object at `place`, which of the two is told by the text; `None` where one of
    /// them alone is asked for too.
    pub fn element_or_field(&mut self, place: usize, position: usize, name: &str) -> Option<usize> {
        match (self.known_field(place, name), self.known_element(place, position)) {
            (None, None) => {
                let next = self.field(place, name)?;
                self.places[place].elements.push((position, next));
                self.places[next].is_shared = true;
                Some(next)
            }
            (Some(field), Some(element)) if field == element => Some(field),
            _ => None,
        }
    }

    fn known_field(&self, place: usize, name: &str) -> Option<usize> {
        let mut fields = self.places[place].fields.iter();
        fields.find(|(held, _)| **held == *name.as_bytes()).map(|&(_, next)| next)
    }

    fn known_element(&self, place: usize, position: usize) -> Option<usize> {
        let mut elements = self.places[place].elements.iter();
        elements.find(|(held, _)| *held == position).map(|&(_, next)| next)
    }

    /// Asks for the value at a place; the number of the answer.
    pub fn ask(&mut self, place: usize) -> usize {
        self.places[place].answers.push(self.answers);
        self.answers += 1;
        self.answers - 1
    }

    /// Number of answers.
    pub fn answers(&self) -> usize {
        self.answers
    }

    /// Writes what stands at each asked place; false if the scan gave up.
    ///
    /// # Panics
    /// If there is another number of answers.
    pub fn scan<'text>(&self, text: &'text str, found: &mut [Found<'text>]) -> bool {
        assert_eq!(found.len(), self.answers);
        found.fill(Found::Missing);
        self.scan_all(text, found).is_some()
    }

    fn scan_all<'text>(&self, text: &'text str, found: &mut [Found<'text>]) -> Option<()> {
        let scanner = &mut Scanner { text, bytes: text.as_bytes(), at: 0 };
        scanner.skip_blanks();
        self.value(scanner, Self::ROOT, found, 0)?;
        scanner.skip_blanks();
        (scanner.at == scanner.bytes.len()).then_some(())
    }

    /// A value of which something is asked.
    fn value<'text>(
        &self,
        scanner: &mut Scanner<'text>,
        place: usize,
        found: &mut [Found<'text>],
        depth: u32,
    ) -> Option<()> {
        let asked = &self.places[place];
        match scanner.byte() {
            b'{' | b'[' if !asked.answers.is_empty() || depth == DEPTH_MAX => None,
            b'{' => self.object(scanner, asked, found, depth + 1),
            b'[' => self.array(scanner, asked, found, depth + 1),
            _ => {
                let value = scanner.scalar()?;
                asked.answers.iter().for_each(|&answer| found[answer] = value);
                Some(())
            }
        }
    }

    fn object<'text>(
        &self,
        scanner: &mut Scanner<'text>,
        asked: &Place,
        found: &mut [Found<'text>],
        depth: u32,
    ) -> Option<()> {
        let mut is_found = 0u64;
        if scanner.opens_empty(b'}') {
            return Some(());
        }
        loop {
            let (start, end, is_escaped) = scanner.name()?;
            if is_escaped {
                return None;
            }
            let name = scanner.bytes.get(start..end)?;
            // Of several fields of one name the first counts.
            let is_asked = |(at, (held, _)): &(usize, &(Box<[u8]>, usize))| {
                held.len() == name.len() && **held == *name && is_found >> at & 1 == 0
            };
            match asked.fields.iter().enumerate().find(is_asked) {
                Some((at, &(_, place))) => {
                    is_found |= 1 << at;
                    self.value(scanner, place, found, depth)?;
                }
                None => scanner.skip_value(depth)?,
            }
            if !scanner.goes_on(b'}')? {
                return Some(());
            }
        }
    }

    fn array<'text>(
        &self,
        scanner: &mut Scanner<'text>,
        asked: &Place,
        found: &mut [Found<'text>],
        depth: u32,
    ) -> Option<()> {
        if scanner.opens_empty(b']') {
            return Some(());
        }
        for position in 0.. {
            match asked.elements.iter().find(|(held, _)| *held == position) {
                Some(&(_, place)) => self.value(scanner, place, found, depth)?,
                None => scanner.skip_value(depth)?,
            }
            if !scanner.goes_on(b']')? {
                break;
            }
        }
        Some(())
    }
}

/// Bytes that are looked at together.
const WIDTH: usize = 16;

/// The first quote, backslash or control character from a place on; the end where there is none.
#[inline(always)]
fn next_special(bytes: &[u8], mut at: usize) -> usize {
    while let Some(block) = bytes.get(at..).and_then(<[u8]>::first_chunk::<WIDTH>) {
        let special = special_bits(block);
        if special != 0 {
            return at + special.trailing_zeros() as usize;
        }
        at += WIDTH;
    }
    while bytes.get(at).is_some_and(|&byte| !is_special(byte)) {
        at += 1;
    }
    at
}

#[inline(always)]
fn is_special(byte: u8) -> bool {
    byte == b'"' || byte == b'\\' || byte < b' '
}

/// A bit for each byte that is a quote, a backslash or a control character.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
fn special_bits(block: &[u8; WIDTH]) -> u32 {
    use std::arch::x86_64::{
        _mm_cmpeq_epi8, _mm_loadu_si128, _mm_max_epu8, _mm_movemask_epi8, _mm_or_si128, _mm_set1_epi8,
    };
    // SAFETY: the block has 16 bytes, and SSE2 is part of the target.
    unsafe {
        let bytes = _mm_loadu_si128(block.as_ptr().cast());
        let last_control = _mm_set1_epi8(0x1f);
        let is_control = _mm_cmpeq_epi8(_mm_max_epu8(bytes, last_control), last_control);
        let is_quote = _mm_cmpeq_epi8(bytes, _mm_set1_epi8(b'"' as i8));
        let is_backslash = _mm_cmpeq_epi8(bytes, _mm_set1_epi8(b'\\' as i8));
        _mm_movemask_epi8(_mm_or_si128(_mm_or_si128(is_quote, is_backslash), is_control)) as u32
    }
}

/// A bit for each byte that is a quote, a backslash or a control character.
#[cfg(not(target_arch = "x86_64"))]
#[inline(always)]
fn special_bits(block: &[u8; WIDTH]) -> u32 {
    block.iter().enumerate().fold(0, |bits, (at, &byte)| bits | u32::from(is_special(byte)) << at)
}

/// A place in a text; each step gives up by `None`.
struct Scanner<'text> {
    text: &'text str,
    bytes: &'text [u8],
    at: usize,
}

impl<'text> Scanner<'text> {
    /// The byte at the place; 0, which stands nowhere in JSON, behind the end.
    #[inline(always)]
    fn byte(&self) -> u8 {
        self.bytes.get(self.at).copied().unwrap_or(0)
    }

    #[inline(always)]
    fn skip_blanks(&mut self) {
        while self.byte() <= b' ' && matches!(self.byte(), b' ' | b'\n' | b'\r' | b'\t') {
            self.at += 1;
        }
    }

    /// Passes an opening bracket, and the closing one where nothing stands between them, which is then told.
    #[inline(always)]
    fn opens_empty(&mut self, closing: u8) -> bool {
        self.at += 1;
        self.skip_blanks();
        let is_empty = self.byte() == closing;
        self.at += usize::from(is_empty);
        is_empty
    }

    /// Passes what follows a value: true after a comma, false after the closing bracket.
    #[inline(always)]
    fn goes_on(&mut self, closing: u8) -> Option<bool> {
        self.skip_blanks();
        let byte = self.byte();
        self.at += 1;
        if byte == b',' {
            self.skip_blanks();
            return Some(true);
        }
        (byte == closing).then_some(false)
    }

    /// Passes the name of a field and its colon.
    #[inline(always)]
    fn name(&mut self) -> Option<(usize, usize, bool)> {
        let name = self.string()?;
        self.skip_blanks();
        if self.byte() != b':' {
            return None;
        }
        self.at += 1;
        self.skip_blanks();
        Some(name)
    }

    /// Passes a text in quotes: where it starts and ends between them, and whether it has escape sequences.
    #[inline(always)]
    fn string(&mut self) -> Option<(usize, usize, bool)> {
        if self.byte() != b'"' {
            return None;
        }
        let start = self.at + 1;
        let mut end = next_special(self.bytes, start);
        let mut is_escaped = false;
        while self.bytes.get(end) != Some(&b'"') {
            let is_known = |byte: &u8| matches!(byte, b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't');
            if self.bytes.get(end) != Some(&b'\\') || !self.bytes.get(end + 1).is_some_and(is_known) {
                return None;
            }
            is_escaped = true;
            end = next_special(self.bytes, end + 2);
        }
        self.at = end + 1;
        Some((start, end, is_escaped))
    }

    #[inline(always)]
    fn literal(&mut self, literal: &str) -> Option<()> {
        self.bytes[self.at..].starts_with(literal.as_bytes()).then(|| self.at += literal.len())
    }

    /// Passes a number: whether it has a fraction.
    #[inline(always)]
    fn number(&mut self) -> Option<bool> {
        let start = self.at;
        let is_negative = self.byte() == b'-';
        let first = start + usize::from(is_negative);
        let whole = digits(self.bytes, first);
        let has_leading_zero = self.bytes.get(first) == Some(&b'0');
        if whole == first || (has_leading_zero && whole > first + 1) {
            return None;
        }
        self.at = whole;
        let has_fraction = self.byte() == b'.';
        if has_fraction {
            self.at = digits(self.bytes, whole + 1);
            if self.at == whole + 1 || self.at - start > FRACTION_BYTES_MAX {
                return None;
            }
        } else if whole - first > WHOLE_DIGITS_MAX || (is_negative && has_leading_zero) {
            // Minus zero is a number of its own.
            return None;
        }
        // An exponent, or anything else that cannot follow a value, is refused by what comes next.
        Some(has_fraction)
    }

    /// Passes a value that is neither object nor array, of which the content is asked.
    fn scalar(&mut self) -> Option<Found<'text>> {
        Some(match self.byte() {
            b'"' => match self.string()? {
                (start, end, false) => Found::Text(self.text.get(start..end)?),
                (.., true) => return None,
            },
            b't' => self.literal("true").map(|()| Found::Boolean(true))?,
            b'f' => self.literal("false").map(|()| Found::Boolean(false))?,
            b'n' => self.literal("null").map(|()| Found::Null)?,
            _ => {
                let start = self.at;
                let has_fraction = self.number()?;
                let number = self.text.get(start..self.at)?;
                if has_fraction { Found::Fraction(number) } else { Found::Whole(number) }
            }
        })
    }

    /// Passes a value that nobody asks for.
    #[inline(always)]
    fn skip_value(&mut self, depth: u32) -> Option<()> {
        match self.byte() {
            b'"' => self.string().map(|_| ()),
            b'{' | b'[' if depth == DEPTH_MAX => None,
            b'{' => self.skip_object(depth + 1),
            b'[' => self.skip_array(depth + 1),
            b't' => self.literal("true"),
            b'f' => self.literal("false"),
            b'n' => self.literal("null"),
            _ => self.number().map(|_| ()),
        }
    }

    fn skip_object(&mut self, depth: u32) -> Option<()> {
        if self.opens_empty(b'}') {
            return Some(());
        }
        loop {
            self.name()?;
            self.skip_value(depth)?;
            if !self.goes_on(b'}')? {
                return Some(());
            }
        }
    }

    fn skip_array(&mut self, depth: u32) -> Option<()> {
        if self.opens_empty(b']') {
            return Some(());
        }
        loop {
            self.skip_value(depth)?;
            if !self.goes_on(b']')? {
                return Some(());
            }
        }
    }
}

/// Where the digits end that stand from a place on.
#[inline(always)]
fn digits(bytes: &[u8], mut at: usize) -> usize {
    while let Some(eight) = bytes.get(at..).and_then(<[u8]>::first_chunk::<8>) {
        let word = u64::from_le_bytes(*eight);
        // A digit has the high half 3, and still has it with 6 added; a carry only reaches bytes behind one that is no digit.
        let is_other = (word & 0xf0f0_f0f0_f0f0_f0f0) ^ 0x3030_3030_3030_3030
            | (word.wrapping_add(0x0606_0606_0606_0606) & 0xf0f0_f0f0_f0f0_f0f0) ^ 0x3030_3030_3030_3030;
        at += (is_other.trailing_zeros() / 8) as usize;
        if is_other != 0 {
            return at;
        }
    }
    while bytes.get(at).is_some_and(u8::is_ascii_digit) {
        at += 1;
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(paths: &[&[&str]]) -> Places {
        let mut places = Places::default();
        for path in paths {
            let place = path.iter().fold(Places::ROOT, |place, step| match step.parse() {
                Ok(position) => places.element(place, position).unwrap(),
                Err(_) => places.field(place, step).unwrap(),
            });
            places.ask(place);
        }
        places
    }

    fn scan<'text>(places: &Places, text: &'text str) -> Option<Vec<Found<'text>>> {
        let mut found = vec![Found::Missing; places.answers()];
        places.scan(text, &mut found).then_some(found)
    }

    #[test]
    fn values_are_found_at_their_places() {
        let places =
            ask(&[&["a"], &["b", "c"], &["b", "d", "1"], &["x", "y"], &["b", "e"], &["b", "d", "9"]]);
        let text = r#" { "z" : {"a": [1, {}]}, "a":-12 ,"b": {"c":"text of some length, long enough","e":0.5, "d":[ null , true]}, "x": 1, "a": 3 } "#;
        let expected = vec![
            Found::Whole("-12"),
            Found::Text("text of some length, long enough"),
            Found::Boolean(true),
            Found::Missing,
            Found::Fraction("0.5"),
            Found::Missing,
        ];
        assert_eq!(scan(&places, text), Some(expected));
        assert_eq!(scan(&ask(&[&[]]), "null"), Some(vec![Found::Null]));
        assert_eq!(scan(&ask(&[&["0"]]), "[[]]"), None);
    }

    #[test]
    fn a_field_and_an_element_of_one_name_are_kept_apart() {
        let mut places = Places::default();
        let either = places.element_or_field(Places::ROOT, 0, "0");
        assert!(either.is_some());
        assert_eq!(places.element_or_field(Places::ROOT, 0, "0"), either);
        assert_eq!(places.field(Places::ROOT, "0"), None);
        assert_eq!(places.element(Places::ROOT, 0), None);
        let mut places = Places::default();
        assert!(places.field(Places::ROOT, "0").is_some());
        assert!(places.element(Places::ROOT, 0).is_some());
        assert_eq!(places.element_or_field(Places::ROOT, 0, "0"), None);
    }

    #[test]
    fn what_is_rare_or_wrong_is_given_up() {
        let places = ask(&[&["a"]]);
        for text in [
            "",
            "{",
            "{\"a\"}",
            "{\"a\":}",
            "{\"a\":1,}",
            "{\"a\":1 2}",
            "{\"a\":1}x",
            "{,}",
            "[1,]",
            "[,1]",
            "[1 2]",
            "{1:2}",
            "{\"a\":01}",
            "{\"a\":1.}",
            "{\"a\":.5}",
            "{\"a\":-}",
            "{\"a\":+1}",
            "{\"a\":1e5}",
            "{\"a\":-0}",
            "{\"a\":tru}",
            "{\"a\":nul}",
            "{\"b\":falsey}",
            "{\"a\":\"\\u0041\"}",
            "{\"a\":\"\\x\"}",
            "{\"a\":\"\n\"}",
            "{\"a\":\"open",
            "{\"a\":\"\\",
            "{\"a\":\"x\\n\"}",
            "{\"\\n\":1}",
            "{\"a\":1234567890123456789}",
            "{\"a\":{}}",
            "{\"a\":[1]}",
            "{\"a\":1]",
            "[1}",
            "{'a':1}",
            "nan",
            "{\"b\":12345678901234567890}",
            "{\"b\":1.2.3}",
            "{\"b\":--1}",
        ] {
            assert_eq!(scan(&places, text), None, "{text}");
        }
        let deep = format!("{}1{}", "[".repeat(100), "]".repeat(100));
        assert_eq!(scan(&places, &deep), None);
    }

    #[test]
    fn quotes_and_escapes_are_told_apart_at_every_place_of_a_word() {
        let places = ask(&[&["a"], &["b"]]);
        for length in 0..140 {
            let inside = "é".repeat(length / 2) + &"a".repeat(length % 2);
            for escape in ["", "\\\"", "\\\\", "\\\\\\\"", "\\n", "\\/\\t"] {
                let text = format!("{{\"x\":\"{inside}{escape}{inside}\",\"a\":7,\"b\":\"{inside}\"}}");
                let expected = vec![Found::Whole("7"), Found::Text(&inside)];
                assert_eq!(scan(&places, &text), Some(expected), "{text}");
            }
            for wrong in ["\\u0041", "\\x", "\n", "\u{1}", "\"", "\\\\\""] {
                let text = format!("{{\"x\":\"{inside}{wrong}{inside}\",\"a\":7}}");
                assert_eq!(scan(&places, &text), None, "{text}");
            }
        }
    }

    #[test]
    fn digits_of_any_length_are_passed() {
        for length in 1..40 {
            for end in ["", ":", "/", "a", "\u{7f}", " ", "ÿ"] {
                let text = "7".repeat(length) + end + "00000000";
                let expected = if end.is_empty() { length + 8 } else { length };
                assert_eq!(digits(text.as_bytes(), 0), expected, "{text}");
            }
        }
    }
}
