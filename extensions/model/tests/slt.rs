//! The sqllogictest files of models as functions, at several batch sizes and numbers of threads.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "../../../tests/logic_test/mod.rs"]
mod logic_test;

use hypostyle_model::{EmbeddingModel, Options, Refusals, embedding_function};
use logic_test::{Setting, run_folder_with};

/// A model whose vector of a text is its length in bytes and the number of `a` in it. It refuses texts with a `!`, and is out of
/// order for the text `broken`.
struct Letters;

impl EmbeddingModel for Letters {
    fn dimension(&self) -> usize {
        2
    }

    fn embed(&self, texts: &[&str], vectors: &mut [f32], refusals: &mut Refusals) -> Result<(), String> {
        if texts.contains(&"broken") {
            return Err("the model is out of order".into());
        }
        for (position, (text, vector)) in texts.iter().zip(vectors.chunks_exact_mut(2)).enumerate() {
            vector.copy_from_slice(&[text.len() as f32, text.matches('a').count() as f32]);
            if text.contains('!') {
                refusals.refuse(position, "holds a '!'");
            }
        }
        Ok(())
    }
}

#[test]
fn files_hold_with_batches_of_any_size_and_any_number_of_threads() {
    for (batch_rows, threads) in [(None, 1), (None, 2), (Some(1), 1), (Some(3), 2)] {
        let setting = Setting { batch_rows, threads };
        for cache_bytes in [0, 1 << 20] {
            let options = Options { batch_rows: 2, cache_bytes, ..Options::default() };
            run_folder_with("tests/slt", setting, |session| {
                session.register_scalar(embedding_function("embed", Letters, options));
            });
        }
    }
}
