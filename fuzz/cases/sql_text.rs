//! Any text is planned or refused, never more; an error can be shown beside the text.

use hypostyle::Session;

/// See the module.
pub fn run(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let session = Session::new();
    let table =
        "CREATE TABLE t AS SELECT 1 AS x, 'a' AS s, [1, 2] AS l, {'a': 1} AS st, DATE '2024-01-01' AS d";
    session.sql(table).and_then(|answer| answer.drain()).expect("the table can be made");
    if let Err(error) = session.prepare(text) {
        assert!(!error.render(text).is_empty());
    }
}
