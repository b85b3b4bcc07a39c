//! Texts to vectors by a real model: made from a seed, written to a file, read by an ONNX runtime and used from SQL.
//!
//! `cargo run --release --package hypostyle-model --features onnx --example embed_text`

use std::time::Instant;

use hypostyle::{Session, row_texts};
use hypostyle_model::onnx::{OnnxEmbedding, SmallModel, small_model};
use hypostyle_model::{Options, embedding_function};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let sizes = SmallModel::default();
    let path = std::env::temp_dir().join("hypostyle_small_model.onnx");
    std::fs::write(&path, small_model(&sizes))?;
    println!("{}: {} bytes", path.display(), std::fs::metadata(&path)?.len());

    let session = Session::new();
    let model = OnnxEmbedding::new(std::fs::read(&path)?, sizes.vocabulary, 1)?;
    session.register_scalar(embedding_function("embed_text", model, Options::default()));
    session
        .sql(
            "CREATE TABLE products AS SELECT i AS id,
               ['red', 'green', 'blue', 'small', 'large'][1 + i % 5] || ' ' ||
               ['apples', 'pears', 'bicycle', 'lamp', 'shoes', 'coat', 'radio'][1 + i // 5 % 7] || ' no ' || i % 1000 AS title
             FROM range(20000) r(i)",
        )?
        .drain()?;

    let start = Instant::now();
    let rows = session.sql("SELECT avg(embed_text(title)[1]) FROM products")?.drain()?;
    let seconds = start.elapsed().as_secs_f64();
    println!("20000 texts, 7000 of them distinct, in {seconds:.3} s ({rows} row)");

    let nearest = session
        .sql(
            "SELECT DISTINCT ON (title) title, round(cosine_similarity(embed_text(title), embed_text('green lamp')), 3) AS near
             FROM products WHERE id < 200 ORDER BY near DESC, title LIMIT 3",
        )?
        .collect_all()?;
    for row in nearest.iter().map(row_texts).collect::<Result<Vec<_>, _>>()?.concat() {
        println!(
            "{}",
            row.iter().map(|text| text.as_deref().unwrap_or("NULL")).collect::<Vec<_>>().join("\t")
        );
    }
    Ok(())
}
