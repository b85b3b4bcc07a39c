//! The engine by itself: applies an artifact to the rows of a file, which lie in memory in batches of a size, some times on one thread, and
//! prints the milliseconds of each pass. What `hosts.py` holds the other hosts against.
//!
//! ```text
//! apply_in_rust features.hyp events.arrow 9 8192
//! ```
#![forbid(unsafe_code)]

use std::error::Error;
use std::sync::Arc;
use std::time::Instant;

use hypostyle::arrow::array::RecordBatch;
use hypostyle::{Configuration, Session, input_batch};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [artifact, file, passes, batch_rows] = &arguments[..] else {
        return Err("usage: apply_in_rust ARTIFACT FILE PASSES BATCH_ROWS".into());
    };
    let session = Session::with_configuration(Configuration {
        threads: 1,
        batch_rows: batch_rows.parse()?,
        ..Configuration::default()
    });
    let transform = session.load_transform(artifact)?;
    let batches: Vec<RecordBatch> =
        session.sql(&format!("SELECT * FROM '{file}'"))?.collect::<Result<_, _>>()?;
    let (prepared, inputs) = (transform.prepare()?, transform.inputs());
    let schema = Arc::new(prepared.schema().to_arrow());
    for _ in 0..passes.parse()? {
        let start = Instant::now();
        let mut run = prepared.start(&[])?;
        let mut rows = 0;
        for batch in &batches {
            run.push(input_batch(batch, &inputs)?)?;
            while let Some(batch) = run.next()? {
                rows += batch.export(&schema)?.num_rows();
            }
        }
        run.finish()?;
        while let Some(batch) = run.next()? {
            rows += batch.export(&schema)?.num_rows();
        }
        println!("{:.3}", start.elapsed().as_secs_f64() * 1e3);
        assert_eq!(rows, batches.iter().map(RecordBatch::num_rows).sum::<usize>());
    }
    Ok(())
}
