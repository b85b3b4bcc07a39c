//! Any text is planned or refused, never more; an error can be shown beside the text.

use hypostyle::Session;

const TABLE: &str = "CREATE TABLE t AS
    SELECT 1 AS x, 'a' AS s, [1, 2] AS l, {'a': 1} AS st, MAP {'k': 1.5} AS m, DATE '2024-01-01' AS d";

thread_local! {
    /// Made once: planning changes nothing.
    static SESSION: Session = {
        let session = Session::new();
        session.sql(TABLE).and_then(|answer| answer.drain()).expect("the table can be made");
        session
    };
}

/// See the module.
pub fn run(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    SESSION.with(|session| {
        if let Err(error) = session.prepare(text) {
            assert!(!error.render(text).is_empty());
        }
    });
}
