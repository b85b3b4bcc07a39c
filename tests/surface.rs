//! The printed surface: every function with its forms and summary, in `tests/surface.txt`. `make bless` rewrites it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod golden;
mod reference;

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

/// Pages of `docs/src/functions`, made of the registry; `make bless` rewrites them.
#[test]
fn the_reference_is_as_written_down() {
    let folder = Path::new("docs/src/functions");
    let summary = std::fs::read_to_string("docs/src/SUMMARY.md").unwrap();
    let pages = reference::pages(&Session::new());
    for (category, page) in &pages {
        let category = category.replace(' ', "-");
        let difference = golden::difference(&folder.join(format!("{category}.md")), page);
        assert!(difference.is_none(), "{}", difference.unwrap());
        assert!(summary.contains(&format!("(functions/{category}.md)")), "{category} is not in SUMMARY.md");
    }
    assert_eq!(std::fs::read_dir(folder).unwrap().count(), pages.len(), "pages without a category");
}

/// Every page that the summary names is there, and the SQL of each page runs from top to bottom.
#[test]
fn the_guide_runs() {
    let summary = std::fs::read_to_string("docs/src/SUMMARY.md").unwrap();
    let pages = summary.split("](").skip(1).filter_map(|link| link.split_once(')')).map(|(page, _)| page);
    let mut statements = 0;
    for page in pages {
        let path = Path::new("docs/src").join(page);
        let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{page}: {error}"));
        if page.starts_with("functions/") {
            continue;
        }
        let folder = tempfile::tempdir().unwrap();
        let session = Session::new();
        for block in text.split("```sql\n").skip(1).filter_map(|rest| rest.split_once("```")) {
            let sql = block.0.replace("'data/", &format!("'{}/", folder.path().display()));
            for statement in sql.split(";\n").filter(|statement| !statement.trim().is_empty()) {
                let answer = session.sql(statement).and_then(|answer| answer.collect_all());
                assert!(answer.is_ok(), "{page}: {statement}\n{}", answer.unwrap_err());
                statements += 1;
            }
        }
    }
    assert!(statements > 20, "{statements} statements in all pages");
}
