use super::super::order::Order;
use super::*;

/// The places of the tokens of a JSON text, which are the same at every level.
fn places(text: &str) -> Option<Vec<u32>> {
    let mut tokens = Tokens::default();
    let is_found = tokens.find(text);
    let found = is_found.then(|| listed(&tokens));
    for level in Level::available() {
        let is_found = find_portable_at(level, &mut tokens, text.as_bytes());
        assert_eq!(is_found.then(|| listed(&tokens)), found, "{text} at {level}");
    }
    #[cfg(target_arch = "x86_64")]
    for level in Level::available() {
        let is_found = match level.tier() {
            // SAFETY: as in `find`.
            Tier::Avx512 => unsafe { tokens.find_avx512(text.as_bytes()) },
            // SAFETY: as in `find`.
            Tier::Avx2 => unsafe { tokens.find_avx2(text.as_bytes()) },
            // SAFETY: as in `find`.
            Tier::Portable => unsafe { tokens.find_sse2(text.as_bytes()) },
        };
        assert_eq!(is_found.then(|| listed(&tokens)), found, "{text} by the vectors of {level}");
    }
    let (places, firsts, kinds, _) = found?;
    let bytes = text.as_bytes();
    assert_eq!(firsts, places.iter().map(|&place| bytes[place as usize]).collect::<Vec<u8>>());
    Order::default().check(&kinds, places.len()).then_some(places)
}

/// All that is known of the tokens.
fn listed(tokens: &Tokens) -> (Vec<u32>, Vec<u8>, Vec<Kinds>, u64) {
    (tokens.places().to_vec(), tokens.firsts().to_vec(), tokens.kinds().to_vec(), tokens.hash())
}

#[test]
fn tokens_begin_outside_of_strings() {
    let text = r#"{"a": [1,-2.5 ,true]}"#;
    assert_eq!(places(text), Some(vec![0, 1, 4, 6, 7, 8, 9, 14, 15, 19, 20]));
    assert_eq!(places("\t[1\n,2]\r"), Some(vec![1, 2, 4, 5, 6]));
    assert_eq!(places(r#"["{[:,]}\"\\",0]"#), Some(vec![0, 1, 13, 14, 15]));
    for wrong in ["", " ", "\"", "\"\n\"", "\"\\u0041\"", "\u{1}", "\"a\\", "\\x", "1 2", "[1,x]"] {
        assert_eq!(places(wrong), None, "{wrong}");
    }
}

#[test]
fn tokens_are_found_at_every_place_of_a_block() {
    for length in (0..150).chain(490..530).chain(1_000..1_030) {
        let blanks = " ".repeat(length);
        let inside = "ab{".repeat(length / 3) + &"\\\"".repeat(length % 3);
        let text = format!("{blanks}[\"{inside}\",{blanks}12]");
        let comma = length + 1 + inside.len() + 2;
        let second = comma + 1 + length;
        let expected = [length, length + 1, comma, second, second + 2].map(|place| place as u32);
        assert_eq!(places(&text), Some(expected.to_vec()), "{text}");
        assert_eq!(places(&format!("{blanks}[\"{inside}")), None);
    }
}

#[test]
fn rows_of_backslashes_are_told_apart_at_every_place_of_a_block() {
    for blanks in (0..66).chain(500..514).map(|count| " ".repeat(count)) {
        for count in (0..10).chain([63, 64, 65, 130]) {
            let row = "\\".repeat(count);
            for end in ["", "n", "x", "\"", "\"\"", "/\"", "u0041\""] {
                let text = format!("{blanks}\"{row}{end}");
                let is_text = match end {
                    "\"" => count % 2 == 0,
                    "\"\"" => count % 2 == 1,
                    "/\"" => true,
                    "u0041\"" => count % 2 == 0,
                    _ => false,
                };
                assert_eq!(places(&text), is_text.then(|| vec![blanks.len() as u32]), "{text}");
            }
        }
    }
}

/// What is left of tokens behind one value, by the grammar.
fn behind_value<'t>(tokens: &'t [&'t str]) -> Option<&'t [&'t str]> {
    let (first, mut rest) = tokens.split_first()?;
    let closing = match *first {
        "{" => "}",
        "[" => "]",
        "1" | "\"\"" => return Some(rest),
        _ => return None,
    };
    if rest.first() == Some(&closing) {
        return Some(&rest[1..]);
    }
    loop {
        if closing == "}" {
            let ["\"\"", ":", value @ ..] = rest else { return None };
            rest = value;
        }
        rest = behind_value(rest)?;
        let (next, behind) = rest.split_first()?;
        match *next {
            "," => rest = behind,
            next if next == closing => return Some(behind),
            _ => return None,
        }
    }
}

#[test]
fn the_order_of_tokens_is_that_of_the_grammar() {
    let kinds = ["{", "}", "[", "]", ":", ",", "\"\"", "1"];
    let (mut tokens, mut order, mut accepted) = (Tokens::default(), Order::default(), 0);
    for length in 1..=6 {
        for number in 0..8usize.pow(length) {
            let chosen: Vec<&str> =
                (0..length).map(|at| kinds[number / 8usize.pow(at) % kinds.len()]).collect();
            let expected = behind_value(&chosen).is_some_and(<[&str]>::is_empty);
            // Between the tokens a block may end.
            let gap = if number % 3 == 0 { " ".repeat(1 + number % 64) } else { " ".into() };
            let text = chosen.join(&gap);
            let is_json = tokens.find(&text) && order.check(tokens.kinds(), tokens.places().len());
            assert_eq!(is_json, expected, "{text}");
            accepted += usize::from(expected);
        }
    }
    assert!(accepted > 20, "{accepted}");
}

#[test]
fn brackets_know_their_partners() {
    let text = format!("[{}{{\"a\":[1,2],\"b\":{{}}}},3]", "[[],[]],".repeat(20));
    let (mut tokens, mut order) = (Tokens::default(), Order::default());
    assert!(tokens.find(&text) && order.check(tokens.kinds(), tokens.places().len()));
    let mut opened: Vec<usize> = Vec::new();
    for (number, &place) in tokens.places().iter().enumerate() {
        match text.as_bytes()[place as usize] {
            b'{' | b'[' => opened.push(number),
            b'}' | b']' => assert_eq!(order.closings()[opened.pop().unwrap()] as usize, number),
            _ => {}
        }
    }
}

#[test]
fn scalars_are_told_apart_at_every_place_of_a_block() {
    let plain = [
        "0",
        "7",
        "-1",
        "10",
        "0.5",
        "-0.0",
        "123456789012345678",
        "-123456789012345678",
        "1.25",
        "true",
        "false",
        "null",
        "0.1234567890123456789",
        "12345678901234567890.5",
        "1.000000000000000000000000000000000000001",
    ];
    let wrong = [
        "00",
        "01",
        "-",
        "-01",
        "--1",
        "1-2",
        "1.",
        ".5",
        "1..2",
        "1.2.3",
        "-.5",
        "1e5",
        "1.5e3",
        "1E5",
        "-0",
        "+1",
        "tru",
        "truex",
        "nul",
        "nan",
        "1x",
        "x1",
        "é",
        "1234567890123456789",
        "-1234567890123456789",
        "12345678901234567890123456789012345678901234567890123456789012345678901234567890",
        "1.2,.",
        "1\\",
    ];
    // The last ones stand where eight blocks end.
    for blanks in (0..70).chain(490..515).map(|count| " ".repeat(count)) {
        for scalar in plain {
            for text in [format!("{blanks}{scalar}"), format!("[{blanks}{scalar},{scalar}]")] {
                assert!(places(&text).is_some(), "{text}");
            }
        }
        for scalar in wrong {
            for text in [
                format!("{blanks}{scalar}"),
                format!("[{blanks}{scalar},1]"),
                format!("[1,{blanks}{scalar}]"),
            ] {
                assert_eq!(places(&text), None, "{text}");
            }
        }
    }
}

#[test]
fn the_first_set_bit_of_a_range_is_found() {
    let words = [0, 1 << 63 | 1 << 5, 0, 0, 1];
    let set = [69, 127, 256];
    for start in 0..320 {
        for end in start..=320 {
            let expected = set.into_iter().find(|at| (start..end).contains(at));
            assert_eq!(first_bit(&words, start, end), expected, "{start}..{end}");
        }
    }
}

#[test]
fn every_bit_says_whether_those_up_to_it_are_odd() {
    for bits in [0, 1, 0b1010, u64::MAX, 1 << 63, 0x8000_0001_0400_0010] {
        let expected = (0..64).fold(0u64, |all, at| {
            let odd = (bits & (u64::MAX >> (63 - at))).count_ones() % 2;
            all | u64::from(odd) << at
        });
        assert_eq!(prefix_xor(bits), expected);
    }
}
