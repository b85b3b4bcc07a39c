//! Applies an artifact to the rows of an Arrow file as a DataFusion plan, and prints a digest of the result: DataFusion among the
//! hosts of `tests/hosts`.
//!
//! ```text
//! cargo run --example apply_transform -- features.hyp events.arrow id
//! ```
//! The last argument names the output that rows are put in order by: DataFusion's partitions come in any.

use std::error::Error;

use arrow::array::{Array, AsArray};
use arrow::datatypes::{DataType, Float32Type, Float64Type, Int32Type, Int64Type};
use datafusion::execution::options::ArrowReadOptions;
use datafusion::prelude::{SessionConfig, SessionContext, col};
use hypostyle_datafusion::{FeatureFrame, Features, register_all};

/// FNV-1a of 64 bits over the rows in order: for each value a byte that says whether it is there, and then its bytes, a text's behind
/// their number as 8 bytes.
struct Digest(u64);

impl Digest {
    fn add(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3);
        }
    }

    fn add_value(&mut self, column: &dyn Array, row: usize) -> Result<(), Box<dyn Error>> {
        self.add(&[u8::from(column.is_valid(row))]);
        if column.is_null(row) {
            return Ok(());
        }
        match column.data_type() {
            DataType::Int64 => self.add(&column.as_primitive::<Int64Type>().value(row).to_le_bytes()),
            DataType::Int32 => self.add(&column.as_primitive::<Int32Type>().value(row).to_le_bytes()),
            DataType::Float64 => self.add(&column.as_primitive::<Float64Type>().value(row).to_le_bytes()),
            DataType::Float32 => self.add(&column.as_primitive::<Float32Type>().value(row).to_le_bytes()),
            DataType::Utf8View => {
                let text = column.as_string_view().value(row).as_bytes();
                self.add(&(text.len() as u64).to_le_bytes());
                self.add(text);
            }
            other => return Err(format!("a column of type {other}").into()),
        }
        Ok(())
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(artifact), Some(file), Some(order)) = (arguments.next(), arguments.next(), arguments.next())
    else {
        return Err("usage: apply_transform ARTIFACT FILE ORDER".into());
    };
    let context = SessionContext::new_with_config(SessionConfig::new().with_target_partitions(2));
    register_all(&context)?;
    context.register_arrow("events", &file, ArrowReadOptions::default()).await?;
    let events = context.table("events").await?;
    let features = events.features(Features::load(artifact)?)?.sort(vec![col(order).sort(true, false)])?;
    let mut digest = Digest(0xcbf2_9ce4_8422_2325);
    let mut rows = 0;
    for batch in features.collect().await? {
        for row in 0..batch.num_rows() {
            for column in batch.columns() {
                digest.add_value(column, row)?;
            }
        }
        rows += batch.num_rows();
    }
    println!("{rows} {:016x}", digest.0);
    Ok(())
}
