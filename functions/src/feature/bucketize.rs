//! `bucketize`: the number of the bucket that a value falls into.

use std::sync::Arc;

use super::CATEGORY;
use super::elements::{map_elements, over_elements, with_element};
use crate::column::{FixedWidth, Rows, View};
use crate::error::{Error, Result};
use crate::kernel::bucketize::{Borders, BucketKey, Closed, bucketize_f32, bucketize_f64, bucketize_i64};
use crate::lanes::{Lane, slice};
use crate::scalar::{Arguments, Bound, ScalarFunction};
use crate::signature::{Parameter, Pattern, exact, parameter};
use crate::types::Type;
use crate::value::{Literal, Value};

/// Values that are put into buckets.
trait Bucketed: BucketKey + Lane + FixedWidth + Send + Sync {
    const TYPE: Type;
    fn run(borders: &Borders<Self>, values: &[Self], buckets: &mut [i32]);
}

impl Bucketed for f32 {
    const TYPE: Type = Type::Float32;
    fn run(borders: &Borders<f32>, values: &[f32], buckets: &mut [i32]) {
        bucketize_f32(borders, values, buckets);
    }
}

impl Bucketed for f64 {
    const TYPE: Type = Type::Float64;
    fn run(borders: &Borders<f64>, values: &[f64], buckets: &mut [i32]) {
        bucketize_f64(borders, values, buckets);
    }
}

impl Bucketed for i64 {
    const TYPE: Type = Type::Int64;
    fn run(borders: &Borders<i64>, values: &[i64], buckets: &mut [i32]) {
        bucketize_i64(borders, values, buckets);
    }
}

pub(super) fn function() -> ScalarFunction {
    let function = ScalarFunction::new("bucketize", CATEGORY, "Number of borders that a value has reached: its bucket, from 0.")
        .note("closed => 'left': bucket i holds borders[i] <= x < borders[i + 1]; 'right': borders[i] < x <= borders[i + 1].")
        .note("Borders must be finite and must not decrease, else an error. NaN falls into the last bucket; null gives null.")
        .note("Of a list every element is put into its bucket. Constant borders are prepared once.")
        .example("bucketize(5, [1, 5, 10])", "2")
        .example("bucketize(5, [1, 5, 10], closed => 'right')", "1")
        .example("bucketize([0.5, NULL, 7.0], [1, 5, 10])", "[0, NULL, 2]");
    let function = forms::<f32>(forms::<i64>(function));
    forms::<f64>(function)
}

fn forms<T: Bucketed>(function: ScalarFunction) -> ScalarFunction {
    let of_list = Pattern::AnyList(Box::new(Pattern::Exact(T::TYPE)));
    function
        .overload([exact("x", T::TYPE), borders(), closed()], bind::<T>)
        .overload([parameter("x", of_list), borders(), closed()], bind_list::<T>)
}

fn borders() -> Parameter {
    exact("borders", Type::list(Type::Float64))
}

fn closed() -> Parameter {
    exact("closed", Type::Text).or(Literal::new(Value::from("left")))
}

fn closure(arguments: &Arguments<'_>) -> Result<Closed> {
    match arguments.constant_text(2)? {
        side if side.eq_ignore_ascii_case("left") => Ok(Closed::Left),
        side if side.eq_ignore_ascii_case("right") => Ok(Closed::Right),
        other => {
            Err(Error::argument(arguments.function, 3, format!("is \"{other}\"; expected 'left' or 'right'")))
        }
    }
}

/// The borders if they are constant.
fn prepared<T: Bucketed>(arguments: &Arguments<'_>, closed: Closed) -> Result<Option<Borders<T>>> {
    let Some(Value::List(_, values)) = arguments.known(1) else { return Ok(None) };
    let refused = |problem: String| Error::argument(arguments.function, 2, problem);
    let borders: Option<Vec<f64>> = values.iter().map(Value::as_f64).collect();
    let borders = borders.ok_or_else(|| refused("holds a null; expected numbers".into()))?;
    Borders::new(&borders, closed).map(Some).map_err(|error| refused(format!("is refused: {error}")))
}

fn bind<T: Bucketed>(arguments: &Arguments<'_>) -> Result<Bound> {
    let closed = closure(arguments)?;
    if let Some(borders) = prepared::<T>(arguments, closed)? {
        let kernel = slice(move |values: &[T], buckets: &mut [i32]| T::run(&borders, values, buckets));
        return Ok(Bound::lanes(Type::Int32, kernel));
    }
    let function: Arc<str> = arguments.function.into();
    Ok(Bound::strict(Type::Int32, move |arguments, rows, output, _| {
        let values = arguments[0].fixed::<T>();
        rows.for_each(|row| match row_borders::<T>(&arguments[1], row, closed) {
            Ok(borders) => output.fixed::<i32>()[row] = borders.bucket(values.get(row)),
            Err(problem) => output.fail(row, || Error::argument(&*function, 2, problem)),
        });
        Ok(())
    }))
}

fn bind_list<T: Bucketed>(arguments: &Arguments<'_>) -> Result<Bound> {
    let closed = closure(arguments)?;
    let list = &arguments.types[0];
    if let Some(borders) = prepared::<T>(arguments, closed)? {
        let kernel = move |values: &[T], buckets: &mut [i32]| T::run(&borders, values, buckets);
        return Ok(over_elements(list, Type::Int32, kernel));
    }
    let function: Arc<str> = arguments.function.into();
    Ok(Bound::strict(with_element(list, Type::Int32), move |arguments, rows, output, _| {
        rows.for_each(|row| match row_borders::<T>(&arguments[1], row, closed) {
            Ok(borders) => {
                let one = [row as u32];
                let kernel = |values: &[T], buckets: &mut [i32]| T::run(&borders, values, buckets);
                map_elements(&arguments[0], Rows::Selected(&one), output, &kernel);
            }
            Err(problem) => output.fail(row, || Error::argument(&*function, 2, problem)),
        });
        output.check_capacity()
    }))
}

/// Borders that differ from row to row.
fn row_borders<T: Bucketed>(view: &View<'_>, row: usize, closed: Closed) -> Result<Borders<T>, String> {
    let list = view.list();
    let child = list.child();
    let range = list.range(row);
    if range.clone().any(|border| child.is_null(border)) {
        return Err("holds a null; expected numbers".into());
    }
    let values = child.fixed::<f64>();
    let borders: Vec<f64> = range.map(|border| values.get(border)).collect();
    Borders::new(&borders, closed).map_err(|error| format!("is refused: {error}"))
}
