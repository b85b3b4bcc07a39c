//! A real model: made from a seed, run from its ONNX file, held against its definition.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use hypostyle::functions::kernel::hash::xxhash64::xxhash64;
use hypostyle::{Session, row_texts};
use hypostyle_model::onnx::{OnnxEmbedding, SmallModel, small_model};
use hypostyle_model::{EmbeddingModel, Options, Refusals, embedding_function};

fn loaded(model: &SmallModel) -> OnnxEmbedding {
    OnnxEmbedding::new(small_model(model), model.vocabulary, 1).unwrap()
}

/// The model, said plainly and in double precision.
fn defined(model: &SmallModel, text: &str) -> Vec<f64> {
    let (table, matrix) = model.weights();
    let dimension = model.dimension;
    let mut sums = vec![0.0; dimension];
    for word in text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()) {
        let id = 1 + (xxhash64(word.to_lowercase().as_bytes(), 0) % (model.vocabulary as u64 - 1)) as usize;
        let vector = &table[id * dimension..(id + 1) * dimension];
        sums.iter_mut().zip(vector).for_each(|(sum, value)| *sum += f64::from(*value));
    }
    let mixed = |column: usize| -> f64 {
        sums.iter().enumerate().map(|(row, sum)| sum * f64::from(matrix[row * dimension + column])).sum()
    };
    let bounded: Vec<f64> = (0..dimension).map(|column| mixed(column).tanh()).collect();
    let length = bounded.iter().map(|value| value * value).sum::<f64>().sqrt();
    bounded.into_iter().map(|value| value / length).collect()
}

const TEXTS: [&str; 5] = [
    "a plain sentence",
    "A plain, sentence!",
    "one",
    "Ärger über Öl und 42 Äpfel",
    "the same word the same word the",
];

#[test]
fn the_runtime_gives_what_the_definition_says_in_any_batch() {
    let model = SmallModel { vocabulary: 500, dimension: 16, seed: 7 };
    let embedding = loaded(&model);
    assert_eq!(embedding.dimension(), 16);
    let mut together = vec![0.0; TEXTS.len() * 16];
    embedding.embed(&TEXTS, &mut together, &mut Refusals::default()).unwrap();
    for (text, vector) in TEXTS.iter().zip(together.chunks_exact(16)) {
        for (found, expected) in vector.iter().zip(defined(&model, text)) {
            assert!((f64::from(*found) - expected).abs() < 1e-5, "{text}: {found}, {expected}");
        }
        let mut alone = [0.0; 16];
        embedding.embed(&[text], &mut alone, &mut Refusals::default()).unwrap();
        for (found, expected) in alone.iter().zip(vector) {
            assert!((found - expected).abs() < 1e-6, "{text}: {found}, {expected}");
        }
    }
    // Case and signs are no words.
    assert_eq!(together[..16], together[16..32]);
}

#[test]
fn files_are_made_alike_from_a_seed_and_otherwise_from_another() {
    let model = SmallModel::default();
    assert_eq!(small_model(&model), small_model(&model));
    assert_ne!(small_model(&model), small_model(&SmallModel { seed: 2, ..model }));
}

#[test]
fn in_sql_the_nearest_text_is_found_and_texts_without_words_are_errors() {
    let model = SmallModel::default();
    let session = Session::new();
    session.register_scalar(embedding_function("embed_text", loaded(&model), Options::default()));
    let shown = |sql: &str| {
        let batches =
            session.sql(sql).and_then(|answer| answer.collect_all()).map_err(|error| error.to_string())?;
        let rows = batches.iter().flat_map(|batch| row_texts(batch).unwrap()).flatten();
        Ok::<_, String>(rows.map(|text| text.unwrap_or_else(|| "NULL".into())).collect::<Vec<_>>().join(", "))
    };
    let nearest = "SELECT t FROM (VALUES ('red apples and pears'), ('a fast car'), ('apples, red'), ('')) v(t)
                   WHERE t <> '' ORDER BY cosine_similarity(embed_text(t), embed_text('red apples')) DESC LIMIT 2";
    assert_eq!(shown(nearest), Ok("apples, red, red apples and pears".into()));
    assert_eq!(shown("SELECT TRY(embed_text('?!')) IS NULL"), Ok("true".into()));
    assert!(shown("SELECT embed_text('?!')").unwrap_err().contains("holds no word"));
}

#[test]
fn bytes_that_are_no_model_are_refused() {
    let refused = |file: Vec<u8>| OnnxEmbedding::new(file, 500, 1).err().expect("no model");
    assert!(refused(b"no model".to_vec()).contains("no readable ONNX model"));
    let file = small_model(&SmallModel::default());
    assert!(!refused(file[..file.len() / 2].to_vec()).is_empty());
}
