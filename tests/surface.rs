//! The printed surface: every function with its forms and summary, in `tests/surface.txt`. `make bless` rewrites it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod golden;

use std::path::Path;

use hypostyle::{Session, row_texts};

fn rows(session: &Session, sql: &str) -> Vec<Vec<String>> {
    let batches = session.sql(sql).unwrap().collect_all().unwrap();
    let rows = batches.iter().flat_map(|batch| row_texts(batch).unwrap());
    rows.map(|row| row.into_iter().map(|text| text.unwrap_or_else(|| "NULL".into())).collect()).collect()
}

#[test]
fn the_surface_is_as_written_down() {
    let mut text = String::new();
    for row in rows(&Session::new(), "SHOW FUNCTIONS") {
        text.push_str(&row.join(" | "));
        text.push('\n');
    }
    let difference = golden::difference(Path::new("tests/surface.txt"), &text);
    assert!(difference.is_none(), "{}", difference.unwrap());
}

/// Each example of the documentation gives what it says.
#[test]
fn documented_examples_give_their_results() {
    let session = Session::new();
    let registry = session.registry();
    let scalars = registry.scalars().into_iter().map(|function| (&function.name, &function.documentation));
    let aggregates =
        registry.aggregates().into_iter().map(|function| (&function.name, &function.documentation));
    let windows = registry.windows().into_iter().map(|function| (&function.name, &function.documentation));
    let mut wrong = Vec::new();
    for (name, documentation) in scalars.chain(aggregates).chain(windows) {
        for example in &documentation.examples {
            let given =
                session.sql(&format!("SELECT {}", example.sql)).and_then(|answer| answer.collect_all());
            let shown = match given {
                Ok(_) => rows(&session, &format!("SELECT {}", example.sql)).concat().join(", "),
                Err(error) => format!("error: {error}"),
            };
            if shown != example.result {
                wrong
                    .push(format!("{name}: {} gives {shown}, documented is {}", example.sql, example.result));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
