//! `bucketize`: the number of the bucket that a value falls into.

use std::sync::Arc;

use super::CATEGORY;
use super::borders::{RowBorders, borders, closed, closure, prepared};
use super::elements::{map_elements, over_elements, with_element};
use crate::column::{FixedWidth, Output, Rows, View};
use crate::error::{Error, Result};
use crate::kernel::bucketize::{Borders, BucketKey, bucketize_f32, bucketize_f64, bucketize_i64};
use crate::lanes::{Lane, slice};
use crate::scalar::{Arguments, Bound, ScalarFunction};
use crate::signature::{Parameter, Pattern, exact, parameter};
use crate::types::Type;
use crate::value::{Literal, Value};

/// Values that are put into buckets.
trait Bucketed: BucketKey + Lane + FixedWidth + Send + Sync {
    const TYPE: Type;
    fn run(borders: &Borders<Self>, values: &[Self], buckets: &mut [i32]);
    fn is_nan(self) -> bool;
}

impl Bucketed for f32 {
    const TYPE: Type = Type::Float32;
    fn run(borders: &Borders<f32>, values: &[f32], buckets: &mut [i32]) {
        bucketize_f32(borders, values, buckets);
    }
    fn is_nan(self) -> bool {
        self.is_nan()
    }
}

impl Bucketed for f64 {
    const TYPE: Type = Type::Float64;
    fn run(borders: &Borders<f64>, values: &[f64], buckets: &mut [i32]) {
        bucketize_f64(borders, values, buckets);
    }
    fn is_nan(self) -> bool {
        self.is_nan()
    }
}

impl Bucketed for i64 {
    const TYPE: Type = Type::Int64;
    fn run(borders: &Borders<i64>, values: &[i64], buckets: &mut [i32]) {
        bucketize_i64(borders, values, buckets);
    }
    fn is_nan(self) -> bool {
        false
    }
}

/// What a NaN becomes.
#[derive(Clone, Copy, PartialEq)]
enum OfNan {
    Last,
    Extra,
    Null,
    Error,
}

/// Where missing values go.
#[derive(Clone, Copy)]
struct Missing {
    nan: OfNan,
    /// Nulls get a bucket of their own, behind the last.
    has_null_bucket: bool,
}

impl Missing {
    fn of(arguments: &Arguments<'_>) -> Result<Self> {
        let refused = |position: usize, given: &str, known: &str| {
            let problem = format!("is \"{given}\"; expected {known}");
            Err(Error::argument(arguments.function, position + 1, problem))
        };
        let nan = match arguments.constant_text(3)? {
            "last" => OfNan::Last,
            "extra" => OfNan::Extra,
            "null" => OfNan::Null,
            "error" => OfNan::Error,
            other => return refused(3, other, "'last', 'extra', 'null' or 'error'"),
        };
        match arguments.constant_text(4)? {
            "null" => Ok(Self { nan, has_null_bucket: false }),
            "extra" => Ok(Self { nan, has_null_bucket: true }),
            other => refused(4, other, "'null' or 'extra'"),
        }
    }

    /// True if nulls give null and the search itself puts NaN where it belongs.
    fn is_plain(self) -> bool {
        self.nan == OfNan::Last && !self.has_null_bucket
    }
}

pub(super) fn function() -> ScalarFunction {
    let function = ScalarFunction::new("bucketize", CATEGORY, "Number of borders that a value has reached: its bucket, from 0.")
        .alias("list_bucketize")
        .note("closed => 'left': bucket i holds borders[i] <= x < borders[i + 1]; 'right': borders[i] < x <= borders[i + 1].")
        .note("Borders must be finite and must not decrease, else an error. Constant borders are prepared once.")
        .note("nan => 'last' (the default) puts NaN into the last bucket, 'extra' into one behind the last; 'null' and 'error' do so.")
        .note("nulls => 'null' (the default) keeps nulls, 'extra' puts them into the bucket behind the last.")
        .note("Of a list every element is put into its bucket; a null list stays null.")
        .example("bucketize(5, [1, 5, 10])", "2")
        .example("bucketize(5, [1, 5, 10], closed => 'right')", "1")
        .example("bucketize(NULL, [1, 5, 10], nulls => 'extra')", "4")
        .example("bucketize([0.5, NULL, 7.0], [1, 5, 10])", "[0, NULL, 2]");
    let function = forms::<f32>(forms::<i64>(function));
    forms::<f64>(function)
}

fn forms<T: Bucketed>(function: ScalarFunction) -> ScalarFunction {
    let of_list = Pattern::AnyList(Box::new(Pattern::Exact(T::TYPE)));
    function
        .overload(parameters(exact("x", T::TYPE)), bind::<T>)
        .overload(parameters(parameter("x", of_list)), bind_list::<T>)
}

fn parameters(x: Parameter) -> [Parameter; 5] {
    let text = |name, default: &str| exact(name, Type::Text).or(Literal::new(Value::from(default)));
    [x, borders(), closed(), text("nan", "last"), text("nulls", "null")]
}

fn bind<T: Bucketed>(arguments: &Arguments<'_>) -> Result<Bound> {
    let (closed, missing) = (closure(arguments, 2)?, Missing::of(arguments)?);
    let borders = prepared::<T>(arguments, closed)?;
    if missing.is_plain()
        && let Some(borders) = borders
    {
        let kernel = slice(move |values: &[T], buckets: &mut [i32]| T::run(&borders, values, buckets));
        return Ok(Bound::lanes(Type::Int32, kernel));
    }
    let function: Arc<str> = arguments.function.into();
    Ok(Bound::null_aware(Type::Int32, move |arguments, rows, output, _| {
        let placing = Placing { missing, function: &function };
        let mut own = RowBorders::<T>::new(closed);
        rows.for_each(|row| {
            if arguments[1].is_null(row) {
                return output.set_null(row);
            }
            let borders = match &borders {
                Some(borders) => borders,
                None => match own.of(&arguments[1], row) {
                    Ok(borders) => borders,
                    Err(problem) => return output.fail(row, || Error::argument(&*function, 2, problem)),
                },
            };
            if !placing.place(borders, &arguments[0], row, output, row) {
                output.fail(row, || placing.refused());
            }
        });
        Ok(())
    }))
}

/// Puts single values into buckets under a rule for missing ones.
struct Placing<'a> {
    missing: Missing,
    function: &'a str,
}

impl Placing<'_> {
    /// Writes the bucket of a value to a place; false if it is a NaN that is refused.
    fn place<T: Bucketed>(
        &self,
        borders: &Borders<T>,
        view: &View<'_>,
        row: usize,
        output: &mut Output,
        place: usize,
    ) -> bool {
        if view.is_null(row) {
            match self.missing.has_null_bucket {
                true => output.fixed::<i32>()[place] = borders.last() + 1,
                false => output.set_null(place),
            }
            return true;
        }
        let value = view.fixed::<T>().get(row);
        match self.missing.nan {
            OfNan::Extra if value.is_nan() => output.fixed::<i32>()[place] = borders.last() + 1,
            OfNan::Null if value.is_nan() => output.set_null(place),
            OfNan::Error if value.is_nan() => return false,
            _ => output.fixed::<i32>()[place] = borders.bucket(value),
        }
        true
    }

    fn refused(&self) -> Error {
        Error::argument(self.function, 1, "is NaN; expected a number, or another policy of nan")
    }
}

fn bind_list<T: Bucketed>(arguments: &Arguments<'_>) -> Result<Bound> {
    let (closed, missing) = (closure(arguments, 2)?, Missing::of(arguments)?);
    let list = &arguments.types[0];
    let borders = prepared::<T>(arguments, closed)?;
    let function: Arc<str> = arguments.function.into();
    let result = with_element(list, Type::Int32);
    if !missing.is_plain() {
        return Ok(Bound::strict(result, move |arguments, rows, output, _| {
            let placing = Placing { missing, function: &function };
            let mut own = RowBorders::<T>::new(closed);
            rows.for_each(|row| match &borders {
                Some(borders) => place_elements(&placing, borders, &arguments[0], row, output),
                None => match own.of(&arguments[1], row) {
                    Ok(borders) => place_elements(&placing, borders, &arguments[0], row, output),
                    Err(problem) => output.fail(row, || Error::argument(&*function, 2, problem)),
                },
            });
            output.check_capacity()
        }));
    }
    if let Some(borders) = borders {
        let kernel = move |values: &[T], buckets: &mut [i32]| T::run(&borders, values, buckets);
        return Ok(over_elements(list, Type::Int32, kernel));
    }
    Ok(Bound::strict(result, move |arguments, rows, output, _| {
        let mut own = RowBorders::<T>::new(closed);
        rows.for_each(|row| match own.of(&arguments[1], row) {
            Ok(borders) => {
                let kernel = |values: &[T], buckets: &mut [i32]| T::run(borders, values, buckets);
                map_elements(&arguments[0], Rows::Selected(&[row as u32]), output, &kernel);
            }
            Err(problem) => output.fail(row, || Error::argument(&*function, 2, problem)),
        });
        output.check_capacity()
    }))
}

/// The elements of one row, one by one.
fn place_elements<T: Bucketed>(
    placing: &Placing<'_>,
    borders: &Borders<T>,
    view: &View<'_>,
    row: usize,
    output: &mut Output,
) {
    let list = view.list();
    let range = list.range(row);
    let is_fixed = matches!(output.data_type(), Type::FixedList(..));
    let mut writer;
    let (target, start) = if is_fixed {
        (output.fixed_list_child(), row * range.len())
    } else {
        writer = output.list();
        let start = writer.child().grow(range.len());
        writer.set(row, start, range.len());
        (writer.child(), start)
    };
    let mut is_placed = true;
    for (position, element) in range.enumerate() {
        is_placed &= placing.place(borders, list.child(), element, target, start + position);
    }
    if !is_placed {
        output.fail(row, || placing.refused());
    }
}
