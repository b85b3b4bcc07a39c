//! Samples of a row: a list of floats, and rates in samples a second.

use hypostyle_functions::Error;
use hypostyle_functions::column::{List, View};
use hypostyle_functions::scalar::Arguments;

/// Most samples a second.
const RATE_MAX: i64 = 768_000;

/// A rate, a constant argument from `least` on.
///
/// # Errors
/// Anything else than such a number up to 768000.
pub(super) fn rate(arguments: &Arguments<'_>, position: usize, least: i64) -> Result<usize, Error> {
    number(arguments, position, least, RATE_MAX)
}

/// A number, a constant argument.
///
/// # Errors
/// Anything else than a number in the range.
pub(super) fn number(
    arguments: &Arguments<'_>,
    position: usize,
    least: i64,
    most: i64,
) -> Result<usize, Error> {
    let value = arguments.constant(position)?.as_i64().filter(|value| (least..=most).contains(value));
    value.map(|value| value as usize).ok_or_else(|| {
        let problem = format!("must be a number from {least} to {most}");
        Error::argument(arguments.function, position + 1, problem)
    })
}

/// A column of lists of samples.
pub(super) struct Samples<'a> {
    list: List<'a>,
    values: Option<&'a [f32]>,
}

impl<'a> Samples<'a> {
    pub(super) fn new(view: &View<'a>) -> Self {
        let list = view.list();
        Self { values: list.child().fixed::<f32>().flat(), list }
    }

    /// The samples of a row; copied to `place` where they do not lie side by side.
    ///
    /// # Errors
    /// A sample that is null.
    pub(super) fn get<'b>(&self, row: usize, place: &'b mut Vec<f32>) -> Result<&'b [f32], String>
    where
        'a: 'b,
    {
        let (range, child) = (self.list.range(row), self.list.child());
        if child.may_be_null()
            && let Some(null) = range.clone().find(|&sample| child.is_null(sample))
        {
            return Err(format!("holds a null, at sample {}; expected numbers", null - range.start));
        }
        if let Some(values) = self.values {
            return Ok(&values[range]);
        }
        let values = child.fixed::<f32>();
        place.clear();
        place.extend(range.map(|sample| values.get(sample)));
        Ok(place)
    }
}
