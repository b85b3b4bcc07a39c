//! Embedding models in ONNX files, run in Rust.
//!
//! The model takes `ids`, whole numbers of shape (texts, words), and `mask`, floats of the same shape that are 1 where there is a word, and gives
//! one vector for each text. Words are hashed into its vocabulary, so that it needs no other file; a model with a tokenizer of its own would
//! call it in [`EmbeddingModel::embed`] instead.

mod file;
mod words;

use std::sync::Arc;

use rten::{Model, NodeId, RunOptions, ThreadPool};
use rten_tensor::prelude::*;
use rten_tensor::{NdTensor, NdTensorView};

pub use file::{SmallModel, small_model};
use words::words;

use crate::embedding::{EmbeddingModel, Refusals};

/// Most words of a text that a model sees.
const WORDS_MAX: usize = 256;

/// A model in an ONNX file.
pub struct OnnxEmbedding {
    model: Model,
    inputs: [NodeId; 2],
    output: NodeId,
    dimension: usize,
    vocabulary: usize,
    threads: Arc<ThreadPool>,
}

impl OnnxEmbedding {
    /// Reads a model: the bytes of a file, the number of ids that its table of words has, and the threads that it may use.
    ///
    /// # Errors
    /// Bytes that are no model, or a model with other inputs.
    pub fn new(file: Vec<u8>, vocabulary: usize, threads: usize) -> Result<Self, String> {
        let model = Model::load(file).map_err(|error| format!("no readable ONNX model: {error}"))?;
        let input = |name: &str| {
            model
                .node_id(name)
                .map_err(|_| format!("the model has no input \"{name}\"; expected \"ids\" and \"mask\""))
        };
        let inputs = [input("ids")?, input("mask")?];
        let &[output] = model.output_ids() else {
            return Err(format!("the model has {} outputs; expected one", model.output_ids().len()));
        };
        if vocabulary < 2 {
            return Err(format!(
                "a vocabulary of {vocabulary} ids; expected at least 2, the first of which is no word"
            ));
        }
        let threads = Arc::new(ThreadPool::with_num_threads(threads.max(1)));
        let mut this = Self { model, inputs, output, dimension: 0, vocabulary, threads };
        this.dimension = this.run(&[vec![1]])?.1;
        Ok(this)
    }

    /// The vectors of texts that have words, one after the other, and their dimension.
    fn run(&self, texts: &[Vec<i32>]) -> Result<(Vec<f32>, usize), String> {
        let longest = texts.iter().map(Vec::len).max().unwrap_or(1);
        let shape = [texts.len(), longest];
        let (mut ids, mut mask) = (NdTensor::<i32, 2>::zeros(shape), NdTensor::<f32, 2>::zeros(shape));
        for (row, words) in texts.iter().enumerate() {
            for (place, word) in words.iter().enumerate() {
                ids[[row, place]] = *word;
                mask[[row, place]] = 1.0;
            }
        }
        let inputs = vec![(self.inputs[0], ids.view().into()), (self.inputs[1], mask.view().into())];
        let options = RunOptions::default().with_thread_pool(Some(Arc::clone(&self.threads)));
        let result = self.model.run_n(inputs, [self.output], Some(options));
        let [output] = result.map_err(|error| format!("the model failed: {error}"))?;
        let vectors: NdTensorView<'_, f32, 2> =
            (&output).try_into().map_err(|_| "the model gave no table of vectors".to_owned())?;
        let [rows, dimension] = vectors.shape();
        if rows != texts.len() {
            return Err(format!("the model gave {rows} vectors for {} texts", texts.len()));
        }
        Ok((vectors.to_vec(), dimension))
    }
}

impl EmbeddingModel for OnnxEmbedding {
    fn dimension(&self) -> usize {
        self.dimension
    }

    fn embed(&self, texts: &[&str], vectors: &mut [f32], refusals: &mut Refusals) -> Result<(), String> {
        let mut rows = Vec::with_capacity(texts.len());
        let mut places = Vec::with_capacity(texts.len());
        for (position, text) in texts.iter().enumerate() {
            let ids: Vec<i32> = words(text, self.vocabulary).take(WORDS_MAX).collect();
            if ids.is_empty() {
                refusals.refuse(position, "holds no word");
            } else {
                rows.push(ids);
                places.push(position);
            }
        }
        if rows.is_empty() {
            return Ok(());
        }
        let (found, dimension) = self.run(&rows)?;
        if dimension != self.dimension {
            return Err(format!(
                "the model gave vectors of {dimension} elements; expected {}",
                self.dimension
            ));
        }
        for (position, vector) in places.into_iter().zip(found.chunks_exact(dimension)) {
            vectors[position * dimension..(position + 1) * dimension].copy_from_slice(vector);
        }
        Ok(())
    }
}
