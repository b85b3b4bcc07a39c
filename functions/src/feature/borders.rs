//! Borders as an argument: prepared once where they are constant, read row by row where they are not.

use std::ops::Range;
use std::sync::Arc;

use crate::column::View;
use crate::error::{Error, Result};
use crate::kernel::bucketize::{Borders, BordersError, BucketKey, Closed};
use crate::scalar::Arguments;
use crate::signature::{Parameter, exact};
use crate::types::Type;
use crate::value::{Literal, Value};

pub(super) fn borders() -> Parameter {
    exact("borders", Type::list(Type::Float64))
}

pub(super) fn closed() -> Parameter {
    exact("closed", Type::Text).or(Literal::new(Value::from("left")))
}

/// The side that the option at a position names.
pub(super) fn closure(arguments: &Arguments<'_>, position: usize) -> Result<Closed> {
    match arguments.constant_text(position)? {
        side if side.eq_ignore_ascii_case("left") => Ok(Closed::Left),
        side if side.eq_ignore_ascii_case("right") => Ok(Closed::Right),
        other => {
            let problem = format!("is \"{other}\"; expected 'left' or 'right'");
            Err(Error::argument(arguments.function, position + 1, problem))
        }
    }
}

fn holds_null() -> String {
    "holds a null; expected numbers".into()
}

fn is_refused(error: &BordersError) -> String {
    format!("is refused: {error}")
}

/// The numbers of the second argument if it is constant and not null.
pub(super) fn constant_borders(arguments: &Arguments<'_>) -> Result<Option<Vec<f64>>> {
    let Some(values) = arguments.known(1).and_then(Value::as_list) else { return Ok(None) };
    let borders: Option<Vec<f64>> = values.iter().map(Value::as_f64).collect();
    borders.map(Some).ok_or_else(|| Error::argument(arguments.function, 2, holds_null()))
}

/// The borders of the second argument if it is constant and not null; calls that share a list share them.
pub(super) fn prepared<T: BucketKey + Send + Sync + 'static>(
    arguments: &Arguments<'_>,
    closed: Closed,
) -> Result<Option<Arc<Borders<T>>>> {
    let make = || match constant_borders(arguments)? {
        Some(borders) => Borders::new(&borders, closed)
            .map_err(|error| Error::argument(arguments.function, 2, is_refused(&error))),
        None => Err(Error::internal("borders that are no list")),
    };
    match arguments.known(1) {
        Some(Value::Shared(list)) => list.prepared(closed as u8, make).map(Some),
        Some(value) if value.as_list().is_some() => make().map(|borders| Some(Arc::new(borders))),
        _ => Ok(None),
    }
}

/// Borders that differ from row to row, as numbers.
pub(super) fn row_numbers(view: &View<'_>, row: usize) -> Result<Vec<f64>, String> {
    let list = view.list();
    let child = list.child();
    let range = list.range(row);
    if range.clone().any(|border| child.is_null(border)) {
        return Err(holds_null());
    }
    let values = child.fixed::<f64>();
    Ok(range.map(|border| values.get(border)).collect())
}

/// The borders of rows, prepared again only where a row has another list than the one before it.
pub(super) struct RowBorders<T> {
    closed: Closed,
    /// Where the latest list lies.
    range: Range<usize>,
    latest: Option<Result<Borders<T>, String>>,
}

impl<T: BucketKey> RowBorders<T> {
    pub(super) fn new(closed: Closed) -> Self {
        Self { closed, range: 0..0, latest: None }
    }

    /// The borders of a row of `view`, which is the same in all calls.
    pub(super) fn of(&mut self, view: &View<'_>, row: usize) -> Result<&Borders<T>, String> {
        let range = view.list().range(row);
        if range != self.range {
            self.latest = None;
        }
        self.range = range;
        let closed = self.closed;
        let read = || Borders::new(&row_numbers(view, row)?, closed).map_err(|error| is_refused(&error));
        self.latest.get_or_insert_with(read).as_ref().map_err(String::clone)
    }
}
