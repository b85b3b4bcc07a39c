//! `FROM range(start, stop, step)` and `FROM generate_series(...)`: integers at equal distances, made as they are read.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arrow::array::Int64Array;
use hypostyle_functions::column::Column;
use hypostyle_functions::types::{Field, Schema, Type};
use hypostyle_functions::value::Literal;

use crate::batch::Batch;
use crate::catalog::Catalog;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::table::{Reader, Scan, ScanRequest, Statistics, TableFunction, TableProvider};

/// Rows of a morsel.
const MORSEL_ROWS: u64 = 1 << 17;

/// Adds `range` and `generate_series` to a catalog.
pub fn register(catalog: &Catalog) {
    catalog.add_function(Arc::new(SeriesFunction { name: "range", includes_stop: false }));
    catalog.add_function(Arc::new(SeriesFunction { name: "generate_series", includes_stop: true }));
}

/// The table function; the column has its name.
struct SeriesFunction {
    name: &'static str,
    includes_stop: bool,
}

impl TableFunction for SeriesFunction {
    fn name(&self) -> &str {
        self.name
    }

    fn bind(
        &self,
        arguments: &[Literal],
        options: &[(String, Literal)],
        _: &Arc<Context>,
    ) -> Result<Arc<dyn TableProvider>> {
        let name = self.name;
        if let Some((option, _)) = options.first() {
            return Err(Error::user(format!(
                "{name}: no option \"{option}\"; it takes start, stop and step"
            )));
        }
        let schema = Schema::new(vec![Field::new(name, Type::Int64)]);
        let mut numbers = [0; 3];
        if arguments.is_empty() || arguments.len() > numbers.len() {
            let given = arguments.len();
            return Err(Error::user(format!(
                "{name}: {given} arguments; expected stop, or start, stop and step"
            )));
        }
        for (position, (argument, number)) in arguments.iter().zip(&mut numbers).enumerate() {
            if argument.value.is_null() {
                return Ok(Arc::new(Series { schema, start: 0, step: 1, rows: 0 }));
            }
            *number = argument.value.as_i64().ok_or_else(|| {
                let (position, found) = (position + 1, &argument.data_type);
                Error::user(format!("{name}: argument {position} has type {found}; expected BIGINT"))
            })?;
        }
        let (start, stop, step) = match (arguments.len(), numbers) {
            (1, [stop, ..]) => (0, stop, 1),
            (2, [start, stop, _]) => (start, stop, 1),
            (_, [start, stop, step]) => (start, stop, step),
        };
        if step == 0 {
            return Err(Error::user(format!("{name}: argument 3 is 0; a step leads towards the stop")));
        }
        let rows = count(start, stop, step, self.includes_stop);
        Ok(Arc::new(Series { schema, start, step, rows }))
    }
}

/// Number of elements; none if the step leads away from the stop.
fn count(start: i64, stop: i64, step: i64, includes_stop: bool) -> u64 {
    let distance = (i128::from(stop) - i128::from(start)) * i128::from(step.signum());
    let step = i128::from(step).abs();
    let elements =
        if includes_stop { distance.div_euclid(step) + 1 } else { (distance + step - 1).div_euclid(step) };
    u64::try_from(elements.max(0)).unwrap_or(u64::MAX)
}

/// `rows` integers from `start` on.
struct Series {
    schema: Schema,
    start: i64,
    step: i64,
    rows: u64,
}

impl TableProvider for Series {
    fn schema(&self) -> &Schema {
        &self.schema
    }

    fn statistics(&self) -> Statistics {
        Statistics { rows: Some(self.rows), ..Statistics::default() }
    }

    fn scan(&self, request: ScanRequest, _: &Arc<Context>) -> Result<Arc<dyn Scan>> {
        Ok(Arc::new(SeriesScan {
            start: self.start,
            step: self.step,
            rows: request.limit.map_or(self.rows, |limit| limit.min(self.rows)),
            columns: request.projection.len(),
            batch_rows: request.batch_rows.max(1) as u64,
            next: AtomicU64::new(0),
        }))
    }
}

struct SeriesScan {
    start: i64,
    step: i64,
    rows: u64,
    columns: usize,
    batch_rows: u64,
    next: AtomicU64,
}

impl Scan for SeriesScan {
    fn claim(&self) -> Result<Option<Box<dyn Reader>>> {
        let first = self.next.fetch_add(1, Ordering::Relaxed).saturating_mul(MORSEL_ROWS);
        if first >= self.rows {
            return Ok(None);
        }
        Ok(Some(Box::new(SeriesReader {
            start: self.start,
            step: self.step,
            columns: self.columns,
            batch_rows: self.batch_rows,
            rows: first..first.saturating_add(MORSEL_ROWS).min(self.rows),
        })))
    }

    fn progress(&self) -> (u64, u64) {
        let read = self.next.load(Ordering::Relaxed).saturating_mul(MORSEL_ROWS);
        (read.min(self.rows), self.rows)
    }
}

struct SeriesReader {
    start: i64,
    step: i64,
    columns: usize,
    batch_rows: u64,
    rows: std::ops::Range<u64>,
}

impl Reader for SeriesReader {
    fn next(&mut self) -> Result<Option<Batch>> {
        let end = self.rows.start.saturating_add(self.batch_rows).min(self.rows.end);
        let rows = self.rows.start..end;
        if rows.is_empty() {
            return Ok(None);
        }
        self.rows.start = end;
        let length = (rows.end - rows.start) as usize;
        // Elements of a series are between its start and its stop, so no step leaves the range of the type.
        let element = |row: u64| self.start.wrapping_add(self.step.wrapping_mul(row as i64));
        let column = || Column::Flat(Arc::new(Int64Array::from_iter_values(rows.clone().map(element))));
        Ok(Some(Batch::new((0..self.columns).map(|_| column()).collect(), length)))
    }
}

#[cfg(test)]
mod tests {
    use super::count;

    #[test]
    fn elements_are_counted_towards_the_stop() {
        assert_eq!(count(0, 5, 1, false), 5);
        assert_eq!(count(0, 5, 1, true), 6);
        assert_eq!(count(0, 10, 3, false), 4);
        assert_eq!(count(0, 9, 3, true), 4);
        assert_eq!(count(5, 0, -2, false), 3);
        assert_eq!(count(5, 0, 1, false), 0);
        assert_eq!(count(3, 3, 1, false), 0);
        assert_eq!(count(3, 3, 1, true), 1);
        assert_eq!(count(i64::MIN, i64::MAX, 1, true), u64::MAX);
    }
}
