//! Finds the values at some places of a JSON text in one pass, without making a tree of the text.
//!
//! First the places are found where tokens begin, many bytes at a time (`Tokens`), and their order is checked (`Order`); then those are
//! walked that lead to what is asked for, and no others. Texts whose tokens are those of one before them spare the check of the order, and the walk
//! too where they have the same names (`Shapes`). All of the text is checked, so a scan that succeeds says that it is JSON. A scan gives up, which says nothing, at
//! whatever is rare: a mistake, an escape sequence by number, a number that a word or a plain double may not hold, deep nesting, an
//! asked value that is an object or array, or an escape sequence in a place that is compared or asked for. The caller
//! then parses the text in full, and says what is wrong with it.

mod order;
mod scalar;
mod shapes;
mod tokens;
mod walk;
#[cfg(target_arch = "x86_64")]
mod x86;

use std::sync::atomic::{AtomicU64, Ordering};

use order::Order;
use shapes::Shapes;
use tokens::Tokens;
use walk::Text;

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
    /// A number with a fraction and without an exponent, and the bytes of it in front of the point.
    Fraction(&'text str, usize),
}

/// Room for scans to work in, which also keeps what they learn from text to text.
#[derive(Debug, Default)]
pub struct Memory {
    tokens: Tokens,
    order: Order,
    shapes: Shapes,
}

/// The places that are asked for, as a tree of the steps that lead there.
#[derive(Debug, Clone)]
pub struct Places {
    id: Id,
    places: Vec<Place>,
    answers: usize,
}

/// Tells sets of places apart: no two that differ have the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Id(u64);

impl Id {
    fn fresh() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        Self(NEXT.fetch_add(1, Ordering::Relaxed))
    }
}

#[derive(Debug, Clone, Default)]
struct Place {
    fields: Vec<Name>,
    elements: Vec<(usize, usize)>,
    answers: Vec<usize>,
    /// True if an escape sequence by letter can stand for a part of a field's name.
    may_be_escaped: bool,
    /// True if this is a field and an element of one place before it, whichever the text has.
    is_shared: bool,
}

/// The name of a field and the place that it leads to.
#[derive(Debug, Clone)]
struct Name {
    bytes: Box<[u8]>,
    /// The first eight bytes of the name and the quote behind it, zeros where these are fewer.
    head: u64,
    /// Set bits for the bytes of the head.
    mask: u64,
    /// What of the name and the quote is behind the head.
    rest: Box<[u8]>,
    place: usize,
}

impl Name {
    fn new(name: &[u8], place: usize) -> Self {
        let quoted = [name, b"\""].concat();
        let (head, rest) = quoted.split_at(quoted.len().min(HEAD_BYTES));
        let mask = u64::MAX >> (8 * (HEAD_BYTES - head.len()));
        let (head, mask) = match name.contains(&b'"') {
            // A quote in a name is written by an escape sequence, so that the name itself stands nowhere.
            true => (1, 0),
            false => (head_at(head, 0), mask),
        };
        Self { bytes: name.into(), head, mask, rest: rest.into(), place }
    }

    /// True if it stands at a place and ends there; `head` is [`head_at`] that place.
    #[inline(always)]
    fn is_at(&self, bytes: &[u8], start: usize, head: u64) -> bool {
        let stands_behind =
            |rest: &[u8]| bytes.get(start + HEAD_BYTES..).is_some_and(|bytes| bytes.starts_with(rest));
        head & self.mask == self.head && (self.rest.is_empty() || stands_behind(&self.rest))
    }

    /// True if an escape sequence by letter can stand for a part of it.
    fn may_be_escaped(&self) -> bool {
        self.bytes.iter().any(|byte| matches!(byte, b'"' | b'\\' | b'/' | 0..b' '))
    }
}

impl Place {
    /// A bit for each field.
    fn all_fields(&self) -> u64 {
        u64::MAX.checked_shr((FIELDS_MAX - self.fields.len()) as u32).unwrap_or(0)
    }

    /// The field of those in `left` whose name stands at a place.
    #[inline(always)]
    fn field_at(&self, bytes: &[u8], start: usize, left: u64) -> Option<usize> {
        let head = head_at(bytes, start);
        let mut fields = self.fields.iter().enumerate();
        fields.find(|(at, name)| name.is_at(bytes, start, head) && left >> at & 1 == 1).map(|(at, _)| at)
    }
}

/// Bytes of a name that are compared at once.
const HEAD_BYTES: usize = 8;

/// The eight bytes at a place, zeros behind the last one.
#[inline(always)]
fn head_at(bytes: &[u8], start: usize) -> u64 {
    let bytes = bytes.get(start..).unwrap_or_default();
    match bytes.first_chunk::<HEAD_BYTES>() {
        Some(head) => u64::from_le_bytes(*head),
        None => bytes.iter().rev().fold(0, |head, &byte| head << 8 | u64::from(byte)),
    }
}

impl Default for Places {
    fn default() -> Self {
        Self { id: Id::fresh(), places: vec![Place::default()], answers: 0 }
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
        self.id = Id::fresh();
        let next = self.places.len();
        let held = &mut self.places[place];
        if held.fields.len() == FIELDS_MAX {
            return None;
        }
        held.fields.push(Name::new(name.as_bytes(), next));
        held.may_be_escaped |= held.fields.iter().any(Name::may_be_escaped);
        self.places.push(Place::default());
        Some(next)
    }

    /// The place of an element, counted from 0, of the array at `place`; `None` if it is also that of a field.
    pub fn element(&mut self, place: usize, position: usize) -> Option<usize> {
        if let Some(known) = self.known_element(place, position) {
            return (!self.places[known].is_shared).then_some(known);
        }
        self.id = Id::fresh();
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
        fields.find(|held| *held.bytes == *name.as_bytes()).map(|held| held.place)
    }

    fn known_element(&self, place: usize, position: usize) -> Option<usize> {
        let mut elements = self.places[place].elements.iter();
        elements.find(|(held, _)| *held == position).map(|&(_, next)| next)
    }

    /// Asks for the value at a place; the number of the answer.
    pub fn ask(&mut self, place: usize) -> usize {
        self.id = Id::fresh();
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
    pub fn scan<'text>(&self, text: &'text str, memory: &mut Memory, found: &mut [Found<'text>]) -> bool {
        assert_eq!(found.len(), self.answers);
        found.fill(Found::Missing);
        let Memory { tokens, order, shapes } = memory;
        if !tokens.find(text) {
            return false;
        }
        shapes.scan((self.id, &self.places), Text { text, tokens }, order, found).is_some()
    }
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
        places.scan(text, &mut Memory::default(), &mut found).then_some(found)
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
            Found::Fraction("0.5", 1),
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
    fn names_with_escapes_are_compared_where_they_can_be_meant() {
        let text = r#"{"\n":1,"a":2}"#;
        assert_eq!(scan(&ask(&[&["a"]]), text), Some(vec![Found::Whole("2")]));
        assert_eq!(scan(&ask(&[&["a"], &["\n"]]), text), None);
        assert_eq!(scan(&ask(&[&["a"], &["a/b"]]), text), None);
        assert_eq!(scan(&ask(&[&["a"]]), r#"{"x":{"\"":[]},"a":2}"#), Some(vec![Found::Whole("2")]));
    }

    #[test]
    fn names_with_a_quote_stand_nowhere_as_they_are() {
        let text = r#"{"a":"b","c":1}"#;
        for name in ["a\":\"b", "a\"", "\""] {
            assert_eq!(scan(&ask(&[&[name]]), text), Some(vec![Found::Missing]), "{name}");
            assert_eq!(scan(&ask(&[&[name]]), r#"{"a\"":1}"#), None, "{name}");
        }
    }

    #[test]
    fn names_are_told_apart_by_all_their_bytes() {
        let names = ["", "a", "abcdefg", "abcdefgh", "abcdefghi", "abcdefghj", "ab\0"];
        for (at, name) in names.iter().enumerate() {
            let places = ask(&[&[*name]]);
            for (other_at, other) in names[..6].iter().enumerate() {
                for end in ["", " ,\"another name of some length\":[1,2,3]"] {
                    let expected = if at == other_at { Found::Whole("1") } else { Found::Missing };
                    let text = format!("{{\"{other}\":1{end}}}");
                    assert_eq!(scan(&places, &text), Some(vec![expected]), "{name} in {text}");
                }
            }
        }
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
}
