//! Models as functions: what an embedding function of one's own looks like.
//!
//! A model implements [`EmbeddingModel`], or is a closure. [`embedding_function`] makes a SQL function of it that does what serving a
//! model well takes: equal texts are computed once, vectors are remembered in a cache that is charged to the budget of the session, texts reach the
//! model in batches that end at a number of rows or of bytes, and a text that the model refuses is the error of its row, NULL under TRY.
//!
//! ```
//! use hypostyle::Session;
//! use hypostyle_model::{Options, closure, embedding_function};
//! let session = Session::new();
//! let model = closure(2, |texts: &[&str], vectors: &mut [f32]| {
//!     for (text, vector) in texts.iter().zip(vectors.chunks_exact_mut(2)) {
//!         vector[0] = text.len() as f32;
//!         vector[1] = text.split_whitespace().count() as f32;
//!     }
//!     Ok(())
//! });
//! session.register_scalar(embedding_function("embed_text", model, Options::default()));
//! let batches = session.sql("SELECT embed_text('two words') AS vector")?.collect_all()?;
//! assert_eq!(batches[0].num_rows(), 1);
//! # Ok::<(), hypostyle::Error>(())
//! ```
//!
//! With the feature `onnx` a model may be an ONNX file, run in Rust: see `onnx::OnnxEmbedding`, and
//! `cargo run --package hypostyle-model --features onnx --example embed_text`.
#![forbid(unsafe_code)]
#![warn(missing_docs)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod cache;
mod embedding;
mod function;
#[cfg(feature = "onnx")]
pub mod onnx;

pub use embedding::{Closure, EmbeddingModel, Refusals, closure};
pub use function::{Options, embedding_function};
