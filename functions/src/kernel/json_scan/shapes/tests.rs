use super::super::{Memory, Places};
use super::*;

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

    /// A value without brackets.
    fn scalar(&mut self) -> &'static str {
        self.of(&[
            "1",
            "-7",
            "0.25",
            "12345.5",
            "null",
            "true",
            "\"\"",
            "\"x\"",
            "\"text of some length\"",
            "\"a\\nb\"",
            "\"{[,:\"",
            "\"0.5\"",
        ])
    }

    /// A record of one of some sources, which have their own names and order of fields.
    fn record(&mut self, source: usize) -> String {
        let blank = ["", "", " ", "\n  "][source % 4];
        let names = match source % 3 {
            0 => ["id", "user", "name of sixteen b", "tags", "z"],
            1 => ["user", "id", "name of sixteen c", "tags", "a\\\"b"],
            _ => ["id", "ids", "user", "user", "tags"],
        };
        let mut fields = Vec::new();
        for name in names {
            let value = match name {
                "user" => format!("{{\"id\":{},\"of\":{{\"id\":{}}}}}", self.scalar(), self.scalar()),
                "tags" => {
                    let tags: Vec<&str> = (0..self.below(3)).map(|_| self.scalar()).collect();
                    format!("[{}]", tags.join(","))
                }
                _ => self.scalar().to_owned(),
            };
            fields.push(format!("\"{name}\"{blank}:{value}"));
        }
        if self.below(20) == 0 {
            let (first, second) = (self.below(fields.len()), self.below(fields.len()));
            fields.swap(first, second);
        }
        format!("{{{}}}", fields.join(&format!(",{blank}")))
    }

    /// A text with a mistake somewhere, or with other bytes than before.
    fn damage(&mut self, text: &mut String) {
        let at = self.below(text.len() + 1);
        let end = (at + self.below(3)).min(text.len());
        if text.is_char_boundary(at) && text.is_char_boundary(end) {
            let pieces =
                ["", ",", "\"", "}", "]", "{", ":", "1", "\\", "e", "\u{1}", ".", " ", "é", " 2", "d", "\\n"];
            text.replace_range(at..end, self.of(&pieces));
        }
    }
}

fn places() -> Places {
    let mut places = Places::default();
    let user = places.field(Places::ROOT, "user").unwrap();
    let id = places.field(user, "id").unwrap();
    let of = places.field(user, "of").unwrap();
    let of_id = places.field(of, "id").unwrap();
    let tags = places.field(Places::ROOT, "tags").unwrap();
    let tag = places.element(tags, 1).unwrap();
    let name = places.field(Places::ROOT, "name of sixteen b").unwrap();
    let other = places.field(Places::ROOT, "z").unwrap();
    for place in [id, of_id, tag, name, other, id] {
        places.ask(place);
    }
    places
}

/// Places of which one has a name that can be written by an escape sequence.
fn places_of_escapes() -> Places {
    let mut places = places();
    let place = places.field(Places::ROOT, "a\"b").unwrap();
    places.ask(place);
    places
}

fn scan<'text>(places: &Places, text: &'text str, memory: &mut Memory) -> Option<Vec<Found<'text>>> {
    let mut found = vec![Found::Missing; places.answers()];
    places.scan(text, memory, &mut found).then_some(found)
}

/// The number of shapes that are remembered.
fn remembered(memory: &Memory) -> usize {
    let slots = memory.shapes.owners.iter().flat_map(|owner| &owner.slots);
    slots.filter(|slot| slot.shape.is_some()).count()
}

#[test]
fn what_is_remembered_changes_no_answer() {
    let (sets, mut memory, mut random) = ([places(), places_of_escapes()], Memory::default(), Random(3));
    let mut answered = 0;
    for round in 0..60_000 {
        let places = &sets[random.below(2)];
        let source = if round % 5_000 < 2_500 { round / 2_500 } else { random.below(7) };
        let mut text = random.record(source);
        if random.below(4) == 0 {
            random.damage(&mut text);
        }
        let found = scan(places, &text, &mut memory);
        assert_eq!(found, scan(places, &text, &mut Memory::default()), "{text}");
        answered += usize::from(found.is_some());
    }
    assert!(answered > 20_000, "{answered}");
    assert!(remembered(&memory) > SLOTS / 2);
}

#[test]
fn a_text_of_a_known_shape_is_checked_all_the_same() {
    let places = places();
    let text = r#"{"id":12,"user":{"id":"a","of":{"id":1.5}},"tags":["x","y"],"z":null}"#;
    let mut memory = Memory::default();
    for round in 0..3 {
        assert!(scan(&places, text, &mut memory).is_some());
        assert_eq!(remembered(&memory), usize::from(round > 0));
    }
    let changed = [
        ("null", "nul", None),
        ("null", "-0", None),
        ("null", "01", None),
        ("null", "1e5", None),
        ("null", "\"\u{1}\"", None),
        ("null", "[]", None),
        ("null}", "null}1", None),
        ("null}", "null]", None),
        ("null}", "null", None),
        ("\"x\"", "\"\\u0041\"", None),
        ("\"y\"", "\"\\n\"", None),
        ("12", "1234567890123456789", None),
        ("12", "\"12", None),
        ("\"y\"", "\"yy\"", Some((2, Found::Text("yy")))),
        ("\"y\"", "false", Some((2, Found::Boolean(false)))),
        ("null", "12.75", Some((4, Found::Fraction("12.75", 2)))),
        ("\"z\"", "\"zz\"", Some((4, Found::Missing))),
        ("\"z\"", "\"\"", Some((4, Found::Missing))),
        ("\"of\"", "\"if\"", Some((1, Found::Missing))),
        ("{\"id\":12", "{\"name of sixteen b\":12", Some((3, Found::Whole("12")))),
    ];
    for (part, other, expected) in changed {
        let text = text.replacen(part, other, 1);
        let found = scan(&places, &text, &mut memory);
        assert_eq!(found, scan(&places, &text, &mut Memory::default()), "{text}");
        match expected {
            None => assert_eq!(found, None, "{text}"),
            Some((answer, expected)) => assert_eq!(found.unwrap()[answer], expected, "{text}"),
        }
    }
}

#[test]
fn of_fields_of_one_name_the_first_counts_in_a_known_shape_too() {
    let mut places = Places::default();
    let field = places.field(Places::ROOT, "a").unwrap();
    places.ask(field);
    let mut memory = Memory::default();
    for (text, expected) in [
        (r#"{"a":1,"a":2}"#, "1"),
        (r#"{"a":3,"a":4}"#, "3"),
        (r#"{"a":5,"b":6}"#, "5"),
        (r#"{"b":7,"a":8}"#, "8"),
        (r#"{"a":9,"a":0}"#, "9"),
    ] {
        assert_eq!(scan(&places, text, &mut memory), Some(vec![Found::Whole(expected)]), "{text}");
    }
}

#[test]
fn sets_of_places_keep_their_ways_apart() {
    let names: Vec<String> = (0..9).map(|number| format!("f{number}")).collect();
    let sets: Vec<Places> = names
        .iter()
        .map(|name| {
            let mut places = Places::default();
            let field = places.field(Places::ROOT, name).unwrap();
            places.ask(field);
            places
        })
        .collect();
    let fields: Vec<String> = (0..9).map(|number| format!("\"f{number}\":{number}")).collect();
    let (text, mut memory, mut random) = (format!("{{{}}}", fields.join(",")), Memory::default(), Random(5));
    for _ in 0..1_000 {
        let at = random.below(random.0 as usize % 9 + 1);
        assert_eq!(scan(&sets[at], &text, &mut memory), Some(vec![Found::Whole(&at.to_string())]));
        assert!(memory.shapes.owners.len() <= OWNERS_MAX);
    }
}

#[test]
fn long_texts_and_shapes_seen_once_are_not_remembered() {
    let (places, mut memory) = (places(), Memory::default());
    for length in 0..200 {
        let text = format!("{{\"z\":1,\"a\":[{}1]}}", "1,".repeat(length));
        assert!(scan(&places, &text, &mut memory).is_some());
    }
    let text = format!("{{\"z\":1,\"a\":[{}1]}}", "1,".repeat(TOKENS_MAX));
    for _ in 0..3 {
        assert!(scan(&places, &text, &mut memory).is_some());
    }
    assert_eq!(remembered(&memory), 0);
}
