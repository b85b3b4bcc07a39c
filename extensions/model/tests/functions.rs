//! A model as a function: how often it is asked, in which batches, and what its errors become.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::sync::{Arc, Mutex};

use hypostyle::{Configuration, Session, row_texts};
use hypostyle_model::{EmbeddingModel, Options, Refusals, embedding_function};

/// A model that says what it was asked: each text gives its length and the number of `a` in it; one with a `!` is refused.
struct Listening(Arc<Mutex<Vec<Vec<String>>>>);

impl EmbeddingModel for Listening {
    fn dimension(&self) -> usize {
        2
    }

    fn embed(&self, texts: &[&str], vectors: &mut [f32], refusals: &mut Refusals) -> Result<(), String> {
        self.0.lock().unwrap().push(texts.iter().map(ToString::to_string).collect());
        if texts.contains(&"broken") {
            return Err("the model is out of order".into());
        }
        for (position, (text, vector)) in texts.iter().zip(vectors.chunks_exact_mut(2)).enumerate() {
            vector.copy_from_slice(&[text.len() as f32, text.matches('a').count() as f32]);
            if text.contains('!') {
                refusals.refuse(position, format!("holds a '!' at byte {}", text.find('!').unwrap()));
            }
        }
        Ok(())
    }
}

type Asked = Arc<Mutex<Vec<Vec<String>>>>;

fn session(options: Options, batch_rows: usize) -> (Session, Asked) {
    let session =
        Session::with_configuration(Configuration { threads: 1, batch_rows, ..Configuration::default() });
    let asked = Asked::default();
    session.register_scalar(embedding_function("embed", Listening(Arc::clone(&asked)), options));
    (session, asked)
}

fn shown(session: &Session, sql: &str) -> Result<String, String> {
    let batches =
        session.sql(sql).and_then(|answer| answer.collect_all()).map_err(|error| error.to_string())?;
    let rows = batches.iter().flat_map(|batch| row_texts(batch).unwrap());
    let texts = rows.flatten().map(|text| text.unwrap_or_else(|| "NULL".into()));
    Ok(texts.collect::<Vec<_>>().join(", "))
}

fn asked(asked: &Asked) -> Vec<Vec<String>> {
    std::mem::take(&mut asked.lock().unwrap())
}

#[test]
fn equal_texts_are_computed_once_over_all_batches() {
    let (session, model) = session(Options::default(), 3);
    let sql = "SELECT embed(CASE i % 4 WHEN 0 THEN 'banana' WHEN 1 THEN 'plum' WHEN 2 THEN NULL ELSE '' END) AS e FROM range(8) r(i)";
    let vectors = "[6.0, 3.0], [4.0, 0.0], NULL, [0.0, 0.0]";
    assert_eq!(shown(&session, sql), Ok(format!("{vectors}, {vectors}")));
    assert_eq!(asked(&model), [vec!["banana", "plum"], vec![""]]);
}

#[test]
fn batches_end_by_rows_and_by_bytes() {
    let options = Options { batch_rows: 3, batch_bytes: 10, cache_bytes: 0 };
    let (session, model) = session(options, 2048);
    let sql = "SELECT embed(t) FROM (VALUES ('a'), ('b'), ('c'), ('d'), ('123456789'), ('longer than ten'), ('e'), ('f')) v(t)";
    assert!(shown(&session, sql).is_ok());
    assert_eq!(
        asked(&model),
        [vec!["a", "b", "c"], vec!["d", "123456789"], vec!["longer than ten"], vec!["e", "f"]]
    );
}

#[test]
fn without_a_cache_each_call_asks_anew_and_with_one_it_does_not() {
    for (cache_bytes, calls) in [(0, 4), (1 << 20, 1)] {
        let (session, model) = session(Options { cache_bytes, ..Options::default() }, 2);
        assert!(shown(&session, "SELECT embed('x' || i % 2) FROM range(8) r(i)").is_ok());
        assert_eq!(asked(&model).len(), calls, "{cache_bytes} bytes");
    }
}

#[test]
fn a_refused_text_is_an_error_of_its_row_and_null_under_try() {
    let (session, model) = session(Options::default(), 2048);
    let rows = "FROM (VALUES ('aa'), ('a!'), ('a')) v(t)";
    assert_eq!(
        shown(&session, &format!("SELECT TRY(embed(t)) {rows}")),
        Ok("[2.0, 2.0], NULL, [1.0, 1.0]".into())
    );
    let error = shown(&session, &format!("SELECT embed(t) {rows}")).unwrap_err();
    assert!(error.contains("embed: argument 1 holds a '!' at byte 1"), "{error}");
    // Rows that are not asked for are not computed.
    asked(&model);
    let sql = format!("SELECT CASE WHEN t LIKE '%!' THEN NULL ELSE embed(t) END {rows}");
    assert_eq!(shown(&session, &sql), Ok("[2.0, 2.0], NULL, [1.0, 1.0]".into()));
    assert_eq!(asked(&model), [vec!["aa", "a"]]);
}

#[test]
fn a_model_that_fails_ends_the_query() {
    let (session, _) = session(Options::default(), 2048);
    let error = shown(&session, "SELECT TRY(embed(t)) FROM (VALUES ('broken'), ('x')) v(t)").unwrap_err();
    assert!(error.contains("embed: the model is out of order"), "{error}");
}

#[test]
fn a_dictionary_column_is_asked_for_its_values() {
    let (session, model) = session(Options { cache_bytes: 0, ..Options::default() }, 2048);
    session
        .sql("CREATE TABLE t AS SELECT ['x', 'yy', 'zzz'][1 + i % 3] AS t FROM range(1000) r(i)")
        .unwrap()
        .drain()
        .unwrap();
    assert!(shown(&session, "SELECT sum(embed(t)[1]) FROM t").is_ok());
    assert_eq!(asked(&model).concat().len(), 3);
}
