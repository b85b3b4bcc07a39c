//! Rows of record batches as SQL text, for people and for tests.

use arrow::array::RecordBatch;
use hypostyle_functions::cast::format_value;
use hypostyle_functions::column::import;
use hypostyle_functions::error::Result;
use hypostyle_functions::scratch::Scratch;
use hypostyle_functions::types::Type;

/// The values of a batch, row by row, as `CAST(value AS VARCHAR)` gives them; `None` for null.
///
/// # Errors
/// A column whose type has no logical counterpart.
///
/// # Example
/// ```
/// let batches = hypostyle::Session::new().sql("SELECT [1, NULL] AS list, NULL AS nothing")?.collect_all()?;
/// assert_eq!(hypostyle::row_texts(&batches[0])?, [[Some("[1, NULL]".into()), None]]);
/// # Ok::<(), hypostyle::Error>(())
/// ```
pub fn row_texts(batch: &RecordBatch) -> Result<Vec<Vec<Option<String>>>> {
    let mut rows = vec![Vec::with_capacity(batch.num_columns()); batch.num_rows()];
    let scratch = Scratch::default();
    for (array, field) in batch.columns().iter().zip(batch.schema().fields()) {
        let data_type = Type::from_arrow(field.data_type())?;
        let column = import(array, &data_type)?;
        let view = column.view(&data_type, &scratch.arena);
        for (row, texts) in rows.iter_mut().enumerate() {
            texts.push((!view.is_null(row)).then(|| {
                let mut text = String::new();
                // Writing to a String cannot fail.
                let _ = format_value(&view, row, &mut text);
                text
            }));
        }
    }
    Ok(rows)
}
