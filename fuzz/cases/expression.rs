//! A random typed expression gives the same text for any batches and threads, fused and not, or an error each time.

use hypostyle::{Configuration, Session, row_texts};

/// Threads, rows of a batch and fusion of each session that must give the same answer.
const SESSIONS: [(usize, usize, bool); 5] =
    [(1, 2048, true), (1, 2048, false), (1, 3, true), (2, 64, true), (2, 1, false)];

thread_local! {
    /// Made once: a case only reads.
    static OPENED: Vec<Session> = SESSIONS.map(opened).into();
}

fn opened((threads, batch_rows, fuse): (usize, usize, bool)) -> Session {
    let memory_limit_bytes = Some(MEMORY_LIMIT_BYTES);
    let configuration =
        Configuration { threads, batch_rows, fuse, memory_limit_bytes, ..Configuration::default() };
    let session = Session::with_configuration(configuration);
    session.sql(TABLE).and_then(|answer| answer.drain()).expect("the table can be made");
    session
}

/// Bytes that an answer may hold.
const MEMORY_LIMIT_BYTES: usize = 256 << 20;

const TABLE: &str = "CREATE TABLE t AS SELECT
    x AS id,
    CASE WHEN x % 11 = 0 THEN NULL ELSE (x * 7919 % 201 - 100)::INTEGER END AS i,
    (x * 104729 % 1000003 - 500000)::BIGINT AS b,
    CASE WHEN x % 7 = 0 THEN NULL WHEN x % 29 = 0 THEN 'nan'::DOUBLE ELSE (x * 37 % 1000 - 500) / 8 END AS f,
    ((x * 53 % 997) / 64)::FLOAT AS g,
    CASE WHEN x % 9 = 0 THEN NULL WHEN x % 8 = 0 THEN '' ELSE 'item-' || (x * 13 % 40) END AS s,
    CASE WHEN x % 10 = 0 THEN NULL ELSE x % 3 = 0 END AS p,
    CASE WHEN x % 8 = 0 THEN NULL WHEN x % 7 = 0 THEN [] ELSE [x % 5, NULL, x % 9] END AS l
FROM range(300) r(x)";

/// Deepest nesting of calls.
const DEPTH_MAX: usize = 5;

/// See the module.
pub fn run(bytes: &[u8]) {
    let mut choices = Choices { bytes: bytes.iter() };
    let outputs: Vec<String> = (0..3).map(|_| any(&mut choices)).collect();
    let filter = boolean(&mut choices, 3);
    let sql = format!("SELECT id, {} FROM t WHERE {filter} ORDER BY id", outputs.join(", "));
    let answers: Vec<Option<Vec<_>>> = OPENED.with(|sessions| {
        let answer = |session: &Session| {
            let batches = session.sql(&sql).and_then(|answer| answer.collect_all()).ok()?;
            let texts = |batch| row_texts(batch).expect("every type has a text");
            Some(batches.iter().flat_map(texts).collect())
        };
        sessions.iter().map(answer).collect()
    });
    for answer in &answers[1..] {
        assert_eq!(answer, &answers[0], "{sql}");
    }
}

/// Decisions read from bytes; zeros at the end, so that every input makes an expression.
struct Choices<'a> {
    bytes: std::slice::Iter<'a, u8>,
}

impl Choices<'_> {
    fn below(&mut self, bound: usize) -> usize {
        usize::from(self.bytes.next().copied().unwrap_or(0)) % bound
    }
}

/// Fills each `?` of a form with what its letter in `arguments` asks for.
fn fill(form: &str, arguments: &str, choices: &mut Choices<'_>, depth: usize) -> String {
    let mut text = String::new();
    let mut parts = form.split('?');
    text.push_str(parts.next().unwrap_or(""));
    for (letter, part) in arguments.chars().zip(parts) {
        text.push_str(&of(letter, choices, depth));
        text.push_str(part);
    }
    text
}

fn of(letter: char, choices: &mut Choices<'_>, depth: usize) -> String {
    match letter {
        'i' => integer(choices, depth),
        'f' => float(choices, depth),
        's' => text(choices, depth),
        'l' => list(choices, depth),
        _ => boolean(choices, depth),
    }
}

fn any(choices: &mut Choices<'_>) -> String {
    let letter = ['i', 'f', 's', 'l', 'p'][choices.below(5)];
    of(letter, choices, DEPTH_MAX)
}

fn make(leaves: &[&str], forms: &[(&str, &str)], choices: &mut Choices<'_>, depth: usize) -> String {
    let choice = if depth == 0 { 0 } else { choices.below(forms.len() + 1) };
    match choice.checked_sub(1) {
        Some(form) => fill(forms[form].0, forms[form].1, choices, depth - 1),
        None => leaves[choices.below(leaves.len())].to_owned(),
    }
}

fn integer(choices: &mut Choices<'_>, depth: usize) -> String {
    let forms = [
        ("TRY(? + ?)", "ii"),
        ("TRY(? * ?)", "ii"),
        ("TRY(? - ?)", "ii"),
        ("TRY(? // ?)", "ii"),
        ("TRY(? % ?)", "ii"),
        ("(? & ?)", "ii"),
        ("coalesce(?, ?)", "ii"),
        ("CASE WHEN ? THEN ? ELSE ? END", "pii"),
        ("nullif(?, ?)", "ii"),
        ("greatest(?, ?)", "ii"),
        ("TRY(?::BIGINT)", "f"),
        ("length(?)", "s"),
        ("len(?)", "l"),
        ("TRY((?)[?])", "li"),
    ];
    make(&["b", "i::BIGINT", "3::BIGINT", "(-7)::BIGINT", "0::BIGINT"], &forms, choices, depth)
}

fn float(choices: &mut Choices<'_>, depth: usize) -> String {
    let forms = [
        ("(? + ?)", "ff"),
        ("(? * ?)", "ff"),
        ("(? - ?)", "ff"),
        ("(? / ?)", "ff"),
        ("(?::DOUBLE)", "i"),
        ("CASE WHEN ? THEN ? ELSE ? END", "pff"),
        ("coalesce(?, ?)", "ff"),
        ("least(greatest(?, ?), ?)", "fff"),
        ("ln(abs(?) + 1)", "f"),
        ("sqrt(abs(?))", "f"),
        ("floor(?)", "f"),
        ("round(?, 2)", "f"),
        ("(-?)", "f"),
    ];
    make(&["f", "g::DOUBLE", "0.5::DOUBLE", "'inf'::DOUBLE", "(-2.0)::DOUBLE"], &forms, choices, depth)
}

fn text(choices: &mut Choices<'_>, depth: usize) -> String {
    let forms = [
        ("(? || ?)", "ss"),
        ("upper(?)", "s"),
        ("reverse(?)", "s"),
        ("substring(?, ?, 3)", "si"),
        ("replace(?, ?, 'x')", "ss"),
        ("CASE WHEN ? THEN ? ELSE ? END", "pss"),
        ("coalesce(?, ?)", "ss"),
        ("(?::VARCHAR)", "i"),
        ("(?::VARCHAR)", "f"),
        ("array_to_string(?, '+')", "l"),
    ];
    make(&["s", "'a'", "''", "'ß-item'"], &forms, choices, depth)
}

fn list(choices: &mut Choices<'_>, depth: usize) -> String {
    let forms = [
        ("list_sort(?)", "l"),
        ("list_concat(?, ?)", "ll"),
        ("list_transform(?, e -> TRY(e + ?))", "li"),
        ("list_filter(?, e -> e > ?)", "li"),
        ("(?)[?:]", "li"),
        ("CASE WHEN ? THEN ? END", "pl"),
        ("list_reverse(?)", "l"),
    ];
    make(&["l", "[1, 2]::BIGINT[]", "[]::BIGINT[]"], &forms, choices, depth)
}

fn boolean(choices: &mut Choices<'_>, depth: usize) -> String {
    let forms = [
        ("(? < ?)", "ii"),
        ("(? >= ?)", "ff"),
        ("(? = ?)", "ss"),
        ("(? AND ?)", "pp"),
        ("(? OR ?)", "pp"),
        ("(NOT ?)", "p"),
        ("(? IS NULL)", "i"),
        ("(? BETWEEN ? AND ?)", "fff"),
        ("(? IN (?, ?))", "iii"),
        ("(? LIKE '%e%')", "s"),
        ("list_contains(?, ?)", "li"),
        ("isnan(?)", "f"),
    ];
    make(&["p", "true", "(id % 2 = 0)", "NULL::BOOLEAN"], &forms, choices, depth)
}
