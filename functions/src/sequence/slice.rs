//! `seq_slice`: part of a sequence by positions from 0, padded on request.

use super::CATEGORY;
use crate::column::View;
use crate::error::Error;
use crate::scalar::{Bound, ScalarFunction};
use crate::signature::{exact, list_of_variable, variable};
use crate::types::Type;
use crate::value::Literal;

/// Most elements that padding makes of a sequence.
const PADDED_MAX: i64 = 1 << 24;

pub(super) fn function() -> ScalarFunction {
    let first = || [list_of_variable("list"), exact("start", Type::Int64)];
    let end = || exact("end", Type::Int64).or(Literal::null(Type::Int64));
    ScalarFunction::new("seq_slice", CATEGORY, "Elements of a sequence from a position up to before another, both from 0.")
        .note("Negative positions count from the end, so seq_slice(list, -3) is the last three elements; a null end is that of the sequence.")
        .note("With `pad` the result is filled up behind to the length that was asked for: both ends must then be of one side.")
        .note("Source: ListSlice of NVTabular.")
        .example("seq_slice([1, 2, 3, 4], 1, 3)", "[2, 3]")
        .example("seq_slice([1, 2, 3, 4], -2)", "[3, 4]")
        .example("seq_slice([1, 2], 0, 3, pad => 0)", "[1, 2, 0]")
        .overload(first().into_iter().chain([end()]), |arguments| {
            Ok(slice(arguments.types[0].clone(), false))
        })
        .overload(
            first().into_iter().chain([exact("end", Type::Int64), variable("pad")]),
            |arguments| Ok(slice(arguments.types[0].clone(), true)),
        )
}

/// Start and end of a slice as they were written.
#[derive(Clone, Copy)]
struct Ends {
    start: i64,
    end: Option<i64>,
}

impl Ends {
    /// Both as positions of a sequence of this length.
    fn of_length(self, length: usize) -> std::ops::Range<usize> {
        let place = |position: i64| match usize::try_from(position) {
            Ok(position) => position.min(length),
            Err(_) => length.saturating_sub(usize::try_from(position.unsigned_abs()).unwrap_or(usize::MAX)),
        };
        let (start, end) = (place(self.start), self.end.map_or(length, place));
        start..end.max(start)
    }

    /// The length to pad to, if the ends tell one.
    fn padded(self) -> Option<i64> {
        match self.end {
            None if self.start < 0 => self.start.checked_neg(),
            Some(end) if (self.start < 0) == (end < 0) => Some(end.saturating_sub(self.start).max(0)),
            _ => None,
        }
    }
}

/// Not strict: a null end is open, and a null may be what is padded with.
fn slice(result: Type, pads: bool) -> Bound {
    Bound::null_aware(result, move |arguments, rows, output, _| {
        let integer = |view: &View<'_>, row: usize| view.is_valid(row).then(|| view.fixed::<i64>().get(row));
        rows.for_each(|row| {
            let (true, Some(start)) = (arguments[0].is_valid(row), integer(&arguments[1], row)) else {
                return output.set_null(row);
            };
            let ends = Ends { start, end: integer(&arguments[2], row) };
            let padded = match (pads, ends.padded()) {
                (false, _) => 0,
                (true, Some(length)) if length <= PADDED_MAX => length as usize,
                (true, Some(length)) => {
                    let problem = format!("asks for {length} elements; expected at most {PADDED_MAX}");
                    return output.fail(row, || Error::argument("seq_slice", 3, problem));
                }
                (true, None) => {
                    let problem = "tells no length to pad to; expected two positions of one sign";
                    return output.fail(row, || Error::argument("seq_slice", 3, problem));
                }
            };
            let list = arguments[0].list();
            let range = list.range(row);
            let part = ends.of_length(range.len());
            let mut writer = output.list();
            let first = writer.start();
            writer.child().push_range(list.child(), range.start + part.start..range.start + part.end);
            for _ in part.len()..padded {
                writer.child().push(&arguments[3], row);
            }
            writer.finish(row, first);
        });
        output.check_capacity()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_lie_inside_whatever_was_asked_for() {
        for start in [i64::MIN, -4, -1, 0, 1, 3, i64::MAX] {
            for end in [None, Some(i64::MIN), Some(-4), Some(-1), Some(0), Some(2), Some(i64::MAX)] {
                for length in 0..4 {
                    let range = Ends { start, end }.of_length(length);
                    assert!(range.start <= range.end && range.end <= length, "{start} {end:?} {length}");
                }
            }
        }
    }
}
