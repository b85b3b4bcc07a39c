//! Queries over real files, with DuckDB's answers: recommendation logs, trips, JSON documents, Parquet of many writers.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod logic_test;

use std::path::Path;

use logic_test::{DATA, Setting, run_folder};

#[test]
fn real_files_give_the_stated_answers_on_1_and_2_threads() {
    if !Path::new(DATA).is_dir() {
        println!("skipped: no real data at {DATA}");
        return;
    }
    for threads in [1, 2] {
        run_folder("tests/real", Setting { batch_rows: None, threads });
    }
}
