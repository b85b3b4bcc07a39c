//! Bytes as a file that a query reads.

use hypostyle::{Configuration, Session};

/// Bytes that a read may hold, so that a lying length ends in an error and not in an exhausted machine.
const MEMORY_LIMIT_BYTES: usize = 256 << 20;

thread_local! {
    /// Sessions of other threads and batches, made once: each input is a file of its own.
    static SESSIONS: [Session; 2] = [(1, 7), (2, 2048)].map(|(threads, batch_rows)| {
        let memory_limit_bytes = Some(MEMORY_LIMIT_BYTES);
        let configuration =
            Configuration { threads, batch_rows, memory_limit_bytes, ..Configuration::default() };
        Session::with_configuration(configuration)
    });
}

/// Reads the bytes as a file of this kind twice, with other batches and threads: both end, with the same rows or both
/// with an error.
pub fn read_twice(bytes: &[u8], extension: &str, function: &str) {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let path = folder.path().join(format!("input.{extension}"));
    std::fs::write(&path, bytes).expect("a temporary file can be written");
    let sql = format!("SELECT * FROM {function}('{}')", path.display());
    let read = |session: &Session| match session.sql(&sql).and_then(|answer| answer.drain()) {
        Ok(rows) => Some(rows),
        Err(error) => {
            let text = error.to_string();
            assert!(!text.contains("internal error"), "{text}");
            None
        }
    };
    let [one, two] = SESSIONS.with(|sessions| sessions.each_ref().map(read));
    assert_eq!(one, two, "rows must not depend on batches and threads");
}
