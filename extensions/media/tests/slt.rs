//! The sqllogictest files of the functions, at several batch sizes and numbers of threads.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "../../../tests/logic_test/mod.rs"]
mod logic_test;

use logic_test::{Setting, run_folder_with};

#[test]
fn files_hold_with_batches_of_any_size_and_any_number_of_threads() {
    for (batch_rows, threads) in [(None, 1), (None, 2), (Some(1), 1), (Some(3), 2)] {
        let setting = Setting { batch_rows, threads };
        run_folder_with("tests/slt", setting, |session| session.extend(hypostyle_media::register));
    }
}
