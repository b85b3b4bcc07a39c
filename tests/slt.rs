//! The sqllogictest files under `tests/slt`, at several batch sizes and numbers of threads.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod logic_test;

use logic_test::{Setting, run_folder};

const FOLDER: &str = "tests/slt";

#[test]
fn files_hold_with_default_batches_on_1_thread() {
    run_folder(FOLDER, Setting { batch_rows: None, threads: 1 });
}

#[test]
fn files_hold_with_default_batches_on_2_threads() {
    run_folder(FOLDER, Setting { batch_rows: None, threads: 2 });
}

#[test]
fn files_hold_with_batches_of_1_row_on_1_thread() {
    run_folder(FOLDER, Setting { batch_rows: Some(1), threads: 1 });
}

#[test]
fn files_hold_with_batches_of_1_row_on_2_threads() {
    run_folder(FOLDER, Setting { batch_rows: Some(1), threads: 2 });
}

#[test]
fn files_hold_with_batches_of_3_rows_on_1_thread() {
    run_folder(FOLDER, Setting { batch_rows: Some(3), threads: 1 });
}

#[test]
fn files_hold_with_batches_of_3_rows_on_2_threads() {
    run_folder(FOLDER, Setting { batch_rows: Some(3), threads: 2 });
}
