//! Rows as comma- or tab-separated text (RFC 4180 quoting), a header first.

use arrow::array::RecordBatch;
use arrow::datatypes::Schema;
use hypostyle::value_text::ValueText;

use crate::error::Result;

/// Turns batches into separated text. A null is an empty field, an empty text is `""`.
pub(crate) struct CsvEncoder {
    separator: char,
}

impl CsvEncoder {
    /// Fields separated by commas.
    pub(crate) fn comma() -> Self {
        Self { separator: ',' }
    }

    /// Fields separated by tabs.
    pub(crate) fn tab() -> Self {
        Self { separator: '\t' }
    }

    /// The line with the names of the columns.
    pub(crate) fn header(&self, schema: &Schema) -> String {
        let mut text = String::new();
        for (position, field) in schema.fields().iter().enumerate() {
            self.separate(position, &mut text);
            let start = text.len();
            text.push_str(field.name());
            self.quote_from(start, &mut text);
        }
        text.push('\n');
        text
    }

    /// Appends one line for each row of `batch`.
    ///
    /// # Errors
    /// A column whose type has no text form.
    pub(crate) fn encode(&self, batch: &RecordBatch, text: &mut String) -> Result<()> {
        let columns = batch.columns().iter().map(ValueText::new).collect::<Result<Vec<_>, _>>()?;
        for row in 0..batch.num_rows() {
            for (position, column) in columns.iter().enumerate() {
                self.separate(position, text);
                if !column.is_null(row) {
                    let start = text.len();
                    column.write(row, text);
                    self.quote_from(start, text);
                }
            }
            text.push('\n');
        }
        Ok(())
    }

    fn separate(&self, position: usize, text: &mut String) {
        if position > 0 {
            text.push(self.separator);
        }
    }

    /// Quotes the field that starts at `start` if a reader would otherwise take it for something else.
    fn quote_from(&self, start: usize, text: &mut String) {
        let field = &text[start..];
        if field.is_empty() || field.contains([self.separator, '"', '\n', '\r']) {
            let quoted = format!("\"{}\"", field.replace('"', "\"\""));
            text.truncate(start);
            text.push_str(&quoted);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{ArrayRef, Int32Array, RecordBatch, StringArray};

    use super::CsvEncoder;

    #[test]
    fn nulls_are_empty_and_empty_text_is_quoted() {
        let texts: ArrayRef =
            Arc::new(StringArray::from(vec![Some("a,b"), None, Some(""), Some("say \"hi\"")]));
        let numbers: ArrayRef = Arc::new(Int32Array::from(vec![Some(1), Some(2), None, Some(4)]));
        let batch = RecordBatch::try_from_iter([("text", texts), ("a \"number\"", numbers)]).unwrap();
        let encoder = CsvEncoder::comma();
        let mut text = encoder.header(&batch.schema());
        encoder.encode(&batch, &mut text).unwrap();
        assert_eq!(text, "text,\"a \"\"number\"\"\"\n\"a,b\",1\n,2\n\"\",\n\"say \"\"hi\"\"\",4\n");
    }
}
