//! A result as a table with a frame, fitted to the terminal: the first and last rows, and the columns that fit.

use std::collections::VecDeque;
use std::io::Write;

use arrow::array::RecordBatch;
use arrow::datatypes::{FieldRef, SchemaRef};
use comfy_table::{Cell, CellAlignment, ContentArrangement, Table};

use super::cells;
use crate::error::{Error, Result};
use crate::progress::grouped;

/// Rows shown at each end of a long result.
const ROWS_AT_EACH_END: usize = 20;
/// Width of a column that is cut before any column is left out.
const COLUMN_WIDTH_MIN: usize = 16;
/// Rounded corners, a line under the header, none between rows.
const FRAME: &str = "││──├─┼┤│    ┬┴╭╮╰╯";
/// Stands for rows, columns or characters that are left out.
const ELLIPSIS: &str = "…";

/// Collects the rows to show and counts all.
pub(crate) struct TableWriter {
    schema: SchemaRef,
    width: usize,
    head: Vec<RecordBatch>,
    head_rows: usize,
    /// The last rows of all that came after the head.
    tail: VecDeque<RecordBatch>,
    tail_rows: usize,
    rows: usize,
}

impl TableWriter {
    /// A table for a terminal of `width` characters.
    pub(crate) fn new(schema: SchemaRef, width: usize) -> Self {
        Self { schema, width, head: Vec::new(), head_rows: 0, tail: VecDeque::new(), tail_rows: 0, rows: 0 }
    }

    /// Takes a batch; only slices of the first and last ones are kept.
    pub(crate) fn push(&mut self, batch: &RecordBatch) {
        self.rows += batch.num_rows();
        let head = batch.num_rows().min(2 * ROWS_AT_EACH_END - self.head_rows);
        if head > 0 {
            self.head.push(batch.slice(0, head));
            self.head_rows += head;
        }
        let rest = batch.num_rows() - head;
        if rest > 0 {
            let kept = rest.min(ROWS_AT_EACH_END);
            self.tail.push_back(batch.slice(batch.num_rows() - kept, kept));
            self.tail_rows += kept;
        }
        while let Some(first) = self.tail.front() {
            if self.tail_rows - first.num_rows() < ROWS_AT_EACH_END {
                break;
            }
            self.tail_rows -= first.num_rows();
            self.tail.pop_front();
        }
    }

    /// Prints the table and a line with the number of rows.
    ///
    /// # Errors
    /// The output refuses the text, or a type has no text form.
    pub(crate) fn finish(self, output: &mut dyn Write) -> Result<()> {
        let mut rows = cells::of_batches(&self.head)?;
        let shown = rows.len() + self.tail_rows;
        let mut gap = None;
        if self.rows > rows.len() {
            let mut tail = cells::of_batches(self.tail.iter())?;
            // The head holds rows for both ends, for results that are just too long.
            tail.splice(0..0, rows.split_off(ROWS_AT_EACH_END));
            let excess = tail.len().saturating_sub(ROWS_AT_EACH_END);
            tail.drain(..excess);
            gap = Some(rows.len());
            rows.append(&mut tail);
        }
        let shown = if gap.is_some() { rows.len() } else { shown };
        let (columns, left_out) = fit(&self.schema, &rows, self.width);
        let text = draw(&self.schema, &rows, gap, &columns);
        let footer = footer(self.rows, shown, self.schema.fields().len(), left_out);
        writeln!(output, "{text}\n{footer}").map_err(Error::output)
    }
}

/// A column to draw: its position, or `None` for the place of those left out, and the width of its text.
type Shown = (Option<usize>, usize);

/// Chooses columns and widths for a terminal; returns them with the number of columns left out.
fn fit(schema: &SchemaRef, rows: &[Vec<String>], terminal_width: usize) -> (Vec<Shown>, usize) {
    let natural: Vec<usize> = (0..schema.fields().len())
        .map(|column| {
            let field = schema.field(column);
            let header = cells::width(field.name()).max(cells::width(&cells::type_name(field.data_type())));
            rows.iter().map(|row| cells::width(&row[column])).max().unwrap_or(0).max(header)
        })
        .collect();
    // Each column takes two blanks and a line; the frame one line more.
    let total = |widths: &[usize]| widths.iter().map(|width| width + 3).sum::<usize>() + 1;
    let mut limit = natural.iter().copied().max().unwrap_or(0);
    // A number that is cut would be another number.
    let cut = |limit: usize| {
        let fields = schema.fields().iter();
        let width = |(width, field): (&usize, &FieldRef)| {
            if field.data_type().is_numeric() { *width } else { (*width).min(limit) }
        };
        natural.iter().zip(fields).map(width).collect::<Vec<_>>()
    };
    while limit > COLUMN_WIDTH_MIN && total(&cut(limit)) > terminal_width {
        limit -= 1;
    }
    let widths = cut(limit);
    if total(&widths) <= terminal_width || widths.len() <= 2 {
        return (widths.into_iter().enumerate().map(|(column, width)| (Some(column), width)).collect(), 0);
    }
    let mut first = widths.len().div_ceil(2);
    let mut last = widths.len() - first;
    let with_gap =
        |first: usize, last: usize| total(&widths[..first]) + total(&widths[widths.len() - last..]) + 3;
    while first + last > 2 && with_gap(first, last) > terminal_width {
        if first > last { first -= 1 } else { last -= 1 }
    }
    let column = |column: usize| (Some(column), widths[column]);
    let mut shown: Vec<Shown> = (0..first).map(column).collect();
    shown.push((None, 1));
    shown.extend((widths.len() - last..widths.len()).map(column));
    (shown, widths.len() - first - last)
}

fn draw(schema: &SchemaRef, rows: &[Vec<String>], gap: Option<usize>, columns: &[Shown]) -> String {
    let mut table = Table::new();
    table.load_preset(FRAME).set_content_arrangement(ContentArrangement::Disabled);
    let header = columns.iter().map(|(column, width)| {
        let Some(column) = column else { return Cell::new(format!("{ELLIPSIS}\n{ELLIPSIS}")) };
        let field = schema.field(*column);
        let kind = cells::type_name(field.data_type());
        let text = format!("{}\n{}", cells::cut(field.name(), *width), cells::cut(&kind, *width));
        Cell::new(text).set_alignment(CellAlignment::Center)
    });
    table.set_header(header);
    let dots = |column: &Shown| Cell::new(if column.0.is_some() { "·" } else { ELLIPSIS });
    for (index, row) in rows.iter().enumerate() {
        if gap == Some(index) {
            table.add_row(columns.iter().map(|column| dots(column).set_alignment(CellAlignment::Center)));
        }
        table.add_row(columns.iter().map(|(column, width)| {
            let Some(column) = column else { return Cell::new(ELLIPSIS) };
            let right = schema.field(*column).data_type().is_numeric();
            let alignment = if right { CellAlignment::Right } else { CellAlignment::Left };
            Cell::new(cells::cut(&row[*column], *width)).set_alignment(alignment)
        }));
    }
    table.to_string()
}

fn footer(rows: usize, shown: usize, columns: usize, left_out: usize) -> String {
    let noun = if rows == 1 { "row" } else { "rows" };
    let mut text = format!("{} {noun}", grouped(rows as u64));
    if shown < rows {
        text.push_str(&format!(" ({shown} shown)"));
    }
    if left_out > 0 {
        text.push_str(&format!(", {columns} columns ({} shown)", columns - left_out));
    }
    text
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray};

    use super::TableWriter;

    fn text(batches: &[RecordBatch], width: usize) -> String {
        let mut writer = TableWriter::new(batches[0].schema(), width);
        batches.iter().for_each(|batch| writer.push(batch));
        let mut output = Vec::new();
        writer.finish(&mut output).unwrap();
        String::from_utf8(output).unwrap()
    }

    fn numbers(range: std::ops::Range<i64>) -> RecordBatch {
        let column: ArrayRef = Arc::new(Int64Array::from_iter_values(range));
        RecordBatch::try_from_iter([("n", column)]).unwrap()
    }

    #[test]
    fn numbers_stand_right_and_nulls_are_named() {
        let names: ArrayRef = Arc::new(StringArray::from(vec![Some("ann"), None]));
        let counts: ArrayRef = Arc::new(Int64Array::from(vec![None, Some(1200)]));
        let batch = RecordBatch::try_from_iter([("name", names), ("count", counts)]).unwrap();
        let expected = "\
╭─────────┬────────╮
│   name  ┆  count │
│ VARCHAR ┆ BIGINT │
├─────────┼────────┤
│ ann     ┆   NULL │
│ NULL    ┆   1200 │
╰─────────┴────────╯
2 rows
"
        .replace('┆', "│");
        assert_eq!(text(&[batch], 80), expected);
    }

    #[test]
    fn a_long_result_shows_both_ends_and_the_count() {
        for cut in [1, 7, 33, 1000] {
            let batches: Vec<RecordBatch> =
                (0..1000).step_by(cut).map(|start| numbers(start..(start + cut as i64).min(1000))).collect();
            let text = text(&batches, 80);
            assert!(text.ends_with("1,000 rows (40 shown)\n"), "{text}");
            assert!(
                text.contains("│     19 │") && text.contains("│    980 │") && text.contains("│    999 │"),
                "{text}"
            );
            assert!(!text.contains(" 20 │") && !text.contains("979"), "{text}");
            assert_eq!(text.lines().count(), 40 + 1 + 5 + 1, "{text}");
        }
        assert!(text(&[numbers(0..41)], 80).contains(" 21 │"));
        assert!(text(&[numbers(0..40)], 80).ends_with("40 rows\n"));
        assert!(text(&[numbers(0..1)], 80).ends_with("1 row\n"));
    }

    #[test]
    fn columns_that_do_not_fit_are_cut_first_and_then_left_out() {
        let long: ArrayRef = Arc::new(StringArray::from(vec!["x".repeat(200)]));
        let columns = (0..9).map(|index| (format!("column_{index}"), Arc::clone(&long)));
        let batch = RecordBatch::try_from_iter(columns).unwrap();
        let text = text(&[batch], 100);
        assert!(text.lines().all(|line| line.chars().count() <= 100), "{text}");
        assert!(text.contains("xxx…") && text.contains("column_8") && !text.contains("column_4"), "{text}");
        assert!(text.ends_with("1 row, 9 columns (5 shown)\n"), "{text}");
    }
}
