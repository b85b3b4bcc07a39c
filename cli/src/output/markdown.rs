//! Rows as a table in Markdown.

use arrow::array::RecordBatch;
use arrow::datatypes::Schema;

use super::cells;
use crate::error::Result;

/// The lines above the rows; numbers are aligned right.
pub(crate) fn header(schema: &Schema) -> String {
    let mut text = line(schema.fields().iter().map(|field| field.name().as_str()));
    let rule = |numeric: bool| if numeric { "---:" } else { "---" };
    text.push_str(&line(schema.fields().iter().map(|field| rule(field.data_type().is_numeric()))));
    text
}

/// Appends one line for each row of `batch`.
///
/// # Errors
/// A column whose type has no text form.
pub(crate) fn encode(batch: &RecordBatch, text: &mut String) -> Result<()> {
    for row in cells::of_batches([batch])? {
        text.push_str(&line(row.iter().map(String::as_str)));
    }
    Ok(())
}

fn line<'a>(cells: impl Iterator<Item = &'a str>) -> String {
    let mut text = String::from("|");
    for cell in cells {
        text.push(' ');
        text.push_str(&cell.replace('\\', "\\\\").replace('|', "\\|"));
        text.push_str(" |");
    }
    text.push('\n');
    text
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray};

    #[test]
    fn bars_inside_cells_are_escaped() {
        let texts: ArrayRef = Arc::new(StringArray::from(vec![Some("a|b"), None]));
        let numbers: ArrayRef = Arc::new(Int64Array::from(vec![1, 2]));
        let batch = RecordBatch::try_from_iter([("text", texts), ("n", numbers)]).unwrap();
        let mut text = super::header(&batch.schema());
        super::encode(&batch, &mut text).unwrap();
        assert_eq!(text, "| text | n |\n| --- | ---: |\n| a\\|b | 1 |\n| NULL | 2 |\n");
    }
}
