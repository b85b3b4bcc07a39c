//! Questions to JSON texts that are answered in one pass over the text, where nothing rare stands in the way.

use super::ask::Question;
use super::document::{Json, Node, Reader, StaticNode};
use super::path::{Path, Step};
use crate::column::{Output, Text};
use crate::kernel::json_scan::{Found, Memory, Places};

/// Digits that a double keeps in every case.
const EXACT_DIGITS: usize = 15;
/// Zeros behind the point of the least number that is written without an exponent.
const ZEROS_MAX: usize = 5;

/// Room to read texts in, by a scan or in full.
#[derive(Default)]
pub struct Room {
    /// For scans.
    pub memory: Memory,
    /// For texts that are parsed.
    pub reader: Reader,
}

/// The places that some paths lead to.
#[derive(Debug, Clone)]
pub struct Scan {
    places: Places,
}

impl Scan {
    /// A scan for paths without wildcards; `None` where one of them must know how long an array is.
    pub fn of<'p>(paths: impl IntoIterator<Item = &'p Path>) -> Option<Self> {
        let mut places = Places::default();
        for path in paths {
            let mut place = Places::ROOT;
            for step in path.steps() {
                place = match step {
                    Step::Field(name) => places.field(place, name)?,
                    Step::Element(position) => places.element(place, usize::try_from(*position).ok()?)?,
                    Step::Token(token) => match token.parse::<u32>() {
                        Ok(position) => places.element_or_field(place, position as usize, token)?,
                        Err(_) => places.field(place, token)?,
                    },
                    Step::AllElements | Step::AllFields | Step::Anywhere => return None,
                };
            }
            places.ask(place);
        }
        Some(Self { places })
    }

    /// Room for the answers of a text.
    pub fn found<'a>(&self) -> Vec<Found<'a>> {
        vec![Found::Missing; self.places.answers()]
    }

    /// Finds what stands at the places; false if the text must be parsed in full.
    pub fn read<'a>(&self, text: &'a str, memory: &mut Memory, found: &mut [Found<'a>]) -> bool {
        self.places.scan(text, memory, found)
    }
}

/// Lets a question answer, in row `row` of the output, for what was found in row `text_row` of a text.
pub fn answer(
    question: &Question,
    found: Found<'_>,
    output: &mut Output,
    row: usize,
    text: &Text<'_>,
    text_row: usize,
) {
    if question.is_text && answer_text(found, output, row, text, text_row) {
        return;
    }
    let whole = text.get(text_row);
    let (node, number) = match found {
        Found::Missing => return (question.answer)(None, output, row, (text, text_row)),
        Found::Null => (Node::Static(StaticNode::Null), None),
        Found::Boolean(value) => (Node::Static(StaticNode::Bool(value)), None),
        Found::Text(value) => (Node::String(value), None),
        // The kernel gives up at numbers that a word may not hold.
        Found::Whole(digits) => {
            (Node::Static(StaticNode::I64(digits.parse().unwrap_or_default())), Some(digits))
        }
        Found::Fraction(digits, whole) => {
            let number = is_shortest(digits, whole).then_some(digits);
            (Node::Static(StaticNode::F64(digits.parse().unwrap_or_default())), number)
        }
    };
    let node = [node];
    (question.answer)(Some(Json::scanned(&node, whole, number)), output, row, (text, text_row));
}

/// Writes what was found as text, where it stands so in the JSON text; false if it does not.
#[inline]
fn answer_text(found: Found<'_>, output: &mut Output, row: usize, text: &Text<'_>, text_row: usize) -> bool {
    let part = match found {
        Found::Missing | Found::Null => {
            output.set_null(row);
            return true;
        }
        Found::Text(part) | Found::Whole(part) => part,
        Found::Fraction(part, whole) if is_shortest(part, whole) => part,
        Found::Fraction(..) | Found::Boolean(_) => return false,
    };
    output.text().set_part(row, text, text_row, part);
    true
}

/// True if a number with a fraction stands as its double is written: the shortest digits, without an exponent. `whole` are its bytes
/// in front of the point.
#[inline]
fn is_shortest(number: &str, whole: usize) -> bool {
    let bytes = number.as_bytes();
    let (Some((&first, _)), Some((&last, _))) = (bytes.split_first(), bytes.split_last()) else {
        return false;
    };
    let sign = usize::from(first == b'-');
    let (whole_digits, fraction_digits) = (whole - sign, bytes.len() - whole - 1);
    if whole_digits + fraction_digits > EXACT_DIGITS {
        return false;
    }
    if last == b'0' {
        return fraction_digits == 1;
    }
    // Numbers below one may have zeros behind the point.
    bytes[sign] != b'0' || bytes[whole + 1..].iter().take_while(|&&byte| byte == b'0').count() <= ZEROS_MAX
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::document::Kind;
    use crate::json::write::write_float;

    #[test]
    fn numbers_told_as_shortest_are_written_so() {
        let texts = [
            "0.0",
            "-0.0",
            "1.0",
            "17.25",
            "0.1",
            "0.000001",
            "0.0000001",
            "1.50",
            "100.0",
            "0.10",
            "123456789012.345",
            "0.3",
            "-2.5",
            "1234567890123456.5",
            "0.00",
            "9007199254740.993",
            "0.123456789012345",
            "999999999999999.0",
        ];
        let mut told = 0;
        for text in texts {
            let mut written = String::new();
            write_float(text.parse().unwrap(), &mut written).unwrap();
            if is_shortest(text, text.find('.').unwrap()) {
                assert_eq!(written, text);
                told += 1;
            }
        }
        assert_eq!(told, 10);
    }

    #[test]
    fn random_decimals_told_as_shortest_are_written_so() {
        let mut state = 7u64;
        for _ in 0..20_000 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let (digits, places) =
                ((state >> 20) % 10u64.pow((state % 16) as u32), (state >> 11) as usize % 16);
            let text = format!("{digits:0width$}", width = places + 2);
            let (whole, fraction) = text.split_at(text.len() - places - 1);
            let text =
                format!("{}.{fraction}", if whole.is_empty() { "0" } else { whole.trim_start_matches('0') });
            let text = if text.starts_with('.') { format!("0{text}") } else { text };
            if is_shortest(&text, text.find('.').unwrap()) {
                let mut written = String::new();
                write_float(text.parse().unwrap(), &mut written).unwrap();
                assert_eq!(written, text);
            }
        }
    }

    /// Random numbers below a limit.
    struct Random(u64);

    impl Random {
        fn below(&mut self, limit: usize) -> usize {
            self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (self.0 >> 33) as usize % limit
        }

        fn of<'a>(&mut self, choices: &[&'a str]) -> &'a str {
            choices[self.below(choices.len())]
        }

        /// A text that is JSON, with blanks, escapes and numbers of every kind.
        fn json(&mut self, depth: usize) -> String {
            let blank = self.of(&["", "", "", " ", "\n\t"]);
            let value = match self.below(if depth > 3 { 6 } else { 10 }) {
                0 => self.of(&["true", "false", "null"]).into(),
                1 | 2 => self
                    .of(&[
                        "0",
                        "-1",
                        "12",
                        "1.5",
                        "0.25",
                        "-0",
                        "-0.0",
                        "1e3",
                        "18446744073709551615",
                        "123456789012345678",
                        "1.50",
                    ])
                    .into(),
                3..6 => format!(
                    "\"{}\"",
                    self.of(&[
                        "",
                        "x",
                        "a\\nb",
                        "\\u00e9",
                        "long text of more than sixteen bytes",
                        "é",
                        "\\\""
                    ])
                ),
                6 | 7 => {
                    let elements: Vec<String> = (0..self.below(4)).map(|_| self.json(depth + 1)).collect();
                    format!("[{}]", elements.join(","))
                }
                _ => {
                    let field = |random: &mut Self| {
                        let name = random.of(&["a", "b", "c", "0", "d", "\\u0061"]);
                        format!("{blank}\"{name}\"{blank}:{}", random.json(depth + 1))
                    };
                    let fields: Vec<String> = (0..self.below(5)).map(|_| field(self)).collect();
                    format!("{{{}{blank}}}", fields.join(","))
                }
            };
            format!("{blank}{value}{blank}")
        }
    }

    #[test]
    fn what_a_scan_finds_is_what_the_parser_finds() {
        let paths = ["$.a", "$.b.c", "$.b[1]", "/a/0", "$[0]", "$[1].a", "/c/d"];
        let paths: Vec<Path> = paths.iter().map(|path| Path::parse(path).unwrap()).collect();
        let mut scans: Vec<(&Path, Scan, Memory)> =
            paths.iter().map(|path| (path, Scan::of([path]).unwrap(), Memory::default())).collect();
        let (mut random, mut reader, mut scanned) = (Random(11), Reader::default(), 0);
        let mut seen: Vec<String> = (0..20).map(|_| random.json(0)).collect();
        for round in 0..30_000 {
            // Texts of shapes that were seen, and others.
            let at = random.below(seen.len());
            if random.below(4) == 0 {
                seen[at] = random.json(0);
            }
            let mut text = seen[at].clone();
            if round % 2 == 1 {
                // A mistake somewhere, or none.
                let (at, mistake) = (
                    random.below(text.len()),
                    random.of(&["", ",", "\"", "}", "1", "\\", "e", "\u{1}", ".", "a", "b", "2}"]),
                );
                if text.is_char_boundary(at) && text.is_char_boundary(at + 1) {
                    text.replace_range(at..at + 1, mistake);
                }
            }
            for (path, scan, memory) in &mut scans {
                let mut found = scan.found();
                if !scan.read(&text, memory, &mut found) {
                    continue;
                }
                scanned += 1;
                let expected = reader.read(&text, |root| match path.find(root).map(|node| node.kind()) {
                    None => Found::Missing == found[0],
                    Some(Kind::Null) => Found::Null == found[0],
                    Some(Kind::Boolean(value)) => Found::Boolean(value) == found[0],
                    Some(Kind::Text(value)) => Found::Text(value) == found[0],
                    Some(Kind::Signed(value)) => found[0] == Found::Whole(&value.to_string()),
                    Some(Kind::Unsigned(value)) => found[0] == Found::Whole(&value.to_string()),
                    Some(Kind::Float(value)) => {
                        let Found::Fraction(digits, _) = found[0] else { return false };
                        digits.parse::<f64>().unwrap().to_bits() == value.to_bits()
                    }
                    Some(Kind::Array(_) | Kind::Object(_)) => false,
                });
                assert_eq!(expected, Ok(true), "{text}");
            }
        }
        assert!(scanned > 20_000, "{scanned}");
    }
}
