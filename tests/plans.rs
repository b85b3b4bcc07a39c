//! Golden plans: the physical plan of each `tests/plans/*.sql` is the text beside it. `make bless` rewrites them.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod golden;

use std::path::PathBuf;

use hypostyle::{Configuration, Session};

#[test]
fn plans_are_as_written_down() {
    let mut paths: Vec<PathBuf> =
        std::fs::read_dir("tests/plans").unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "sql"));
    paths.sort();
    assert!(!paths.is_empty());
    let mut differences = Vec::new();
    for path in paths {
        let sql = std::fs::read_to_string(&path).unwrap();
        // Plans must not depend on the machine.
        let session = Session::with_configuration(Configuration { threads: 2, ..Configuration::default() });
        let setup = std::fs::read_to_string("tests/plans/tables.setup").unwrap();
        session.sql(&setup).unwrap().drain().unwrap();
        let plan = match session.prepare(&sql) {
            Ok(prepared) => prepared.plan().to_string(),
            Err(error) => format!("error: {}", error.render(&sql)),
        };
        differences
            .extend(golden::difference(&path.with_extension("plan"), &format!("{}\n", plan.trim_end())));
    }
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}
