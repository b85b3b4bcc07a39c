//! Any bytes read as a transform, or as a state of a fit, end in one or in an error.

use hypostyle::{FitState, Session};

thread_local! {
    static SESSION: Session = Session::new();
}

/// See the module.
pub fn run(bytes: &[u8]) {
    SESSION.with(|session| {
        if let Ok(transform) = session.load_transform_bytes(bytes) {
            // What was read is what runs.
            let _ = transform.row();
            let _ = transform.prepare();
        }
        if let Ok(state) = FitState::from_bytes(bytes) {
            let _ = session.merge_fits(&[state]);
        }
    });
}

/// Bytes that are read to their end.
pub fn good() -> Vec<Vec<u8>> {
    let session = Session::new();
    let source = "(SELECT i AS id, CASE WHEN i % 5 = 0 THEN NULL ELSE i * 0.5 END::DOUBLE AS x, 'c' || i % 7 AS c FROM range(50) t(i))";
    let definition = "SELECT standard_scale(impute(x)) AS x, quantile_bucketize(x, 4) AS bucket, vocab_encode(c, oov => 2) AS c FROM input";
    let good = || {
        let folder = tempfile::tempdir().ok()?;
        let path = folder.path().join("good.hyp");
        session.fit(definition, source).ok()?.save(&path).ok()?;
        let state = session.fit_partial(definition, source, 3, &[]).ok()?;
        Some(vec![std::fs::read(path).ok()?, state.to_bytes().ok()?])
    };
    good().unwrap_or_default()
}
