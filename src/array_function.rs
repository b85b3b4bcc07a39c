//! Scalar functions over Arrow arrays: what hosts in other languages register.
//!
//! A call sees the rows that are asked for and nothing else, as flat arrays in the types that rows are handed out in
//! ([`Type::to_exported`]); it gives one value for each of them. Arrays are made for the call, which costs a copy each: functions in Rust are
//! better written over views ([`crate::scalar`]) or as closures ([`crate::closure`]).

use std::sync::Arc;

use arrow::array::{Array, ArrayRef};
use hypostyle_functions::column::{Output, Rows, View, borrow, export, import};
use hypostyle_functions::error::{Error, Result};
use hypostyle_functions::scalar::{Body, Bound, Nulls, ScalarFunction};
use hypostyle_functions::scratch::Scratch;
use hypostyle_functions::signature::{Parameter, exact};
use hypostyle_functions::types::Type;

pub(crate) const CATEGORY: &str = "user";

/// Names of parameters, for messages and `f(name => value)`.
pub(crate) const NAMES: [&str; 16] =
    ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l", "m", "n", "o", "p"];

/// A function of these argument types whose values a call over arrays gives. The call may run on several threads at once.
///
/// With [`Nulls::Strict`] rows with a null argument are null and are not among those that the call sees; with
/// [`Nulls::Aware`] they are.
///
/// ```
/// use std::sync::Arc;
/// use hypostyle::arrow::array::{ArrayRef, AsArray, Int64Array};
/// use hypostyle::arrow::datatypes::Int64Type;
/// use hypostyle::{Session, Type, array_function, scalar::Nulls};
/// let session = Session::new();
/// let next = |arrays: &[ArrayRef], _rows: usize| {
///     let values: Int64Array = arrays[0].as_primitive::<Int64Type>().unary(|x| x + 1);
///     Ok(Arc::new(values) as ArrayRef)
/// };
/// session.register_scalar(array_function::over_arrays("next", &[Type::Int64], Type::Int64, Nulls::Strict, next)?);
/// let batches = session.sql("SELECT next(41) AS answer")?.collect_all()?;
/// assert_eq!(batches[0].column(0).as_primitive::<Int64Type>().value(0), 42);
/// # Ok::<(), hypostyle::Error>(())
/// ```
///
/// # Errors
/// More than 16 arguments.
pub fn over_arrays<F>(
    name: &str,
    arguments: &[Type],
    result: Type,
    nulls: Nulls,
    call: F,
) -> Result<ScalarFunction>
where
    F: Fn(&[ArrayRef], usize) -> Result<ArrayRef> + Send + Sync + 'static,
{
    if arguments.len() > NAMES.len() {
        return Err(Error::user(format!(
            "function {name} takes {} arguments; at most {} are possible",
            arguments.len(),
            NAMES.len()
        )));
    }
    let parameters: Vec<Parameter> =
        NAMES.iter().zip(arguments).map(|(name, data_type)| exact(name, data_type.clone())).collect();
    let function = Arc::new(ArrayFunction { name: name.to_owned(), result, call });
    Ok(ScalarFunction::new(name, CATEGORY, "A function of this session.").overload(parameters, move |_| {
        let function = Arc::clone(&function);
        let result = function.result.clone();
        let body =
            move |arguments: &[View<'_>], rows: Rows<'_>, output: &mut Output, scratch: &mut Scratch| {
                function.run(arguments, rows, output, scratch)
            };
        Ok(Bound { result, nulls, body: Body::Call(Arc::new(body)), held: Vec::new() })
    }))
}

struct ArrayFunction<F> {
    name: String,
    result: Type,
    call: F,
}

impl<F: Fn(&[ArrayRef], usize) -> Result<ArrayRef>> ArrayFunction<F> {
    fn run(
        &self,
        arguments: &[View<'_>],
        rows: Rows<'_>,
        output: &mut Output,
        scratch: &mut Scratch,
    ) -> Result<()> {
        let count = rows.count();
        if count == 0 {
            return Ok(());
        }
        let arrays = arguments.iter().map(|view| gathered(view, &rows)).collect::<Result<Vec<_>>>()?;
        let array = (self.call)(&arrays, count)?;
        if array.len() != count {
            return Err(Error::user(format!(
                "{}: gave {} values for {count} rows; one for each row is expected",
                self.name,
                array.len()
            )));
        }
        let given = Type::from_arrow(array.data_type())?;
        if given != self.result {
            return Err(Error::user(format!(
                "{}: gave values of type {given}; it was registered with {}",
                self.name, self.result
            )));
        }
        let array = import(&array, &self.result)?.to_array()?;
        let values = borrow(&array, &self.result, &scratch.arena);
        rows.iter().enumerate().for_each(|(position, row)| output.copy(row, &values, position));
        Ok(())
    }
}

/// The asked rows of a column as an array that shares nothing with it.
fn gathered(view: &View<'_>, rows: &Rows<'_>) -> Result<ArrayRef> {
    let mut column = Output::copying(view.data_type.clone());
    match rows {
        Rows::All(count) => {
            column.prepare(*count);
            column.copy_rows(view, rows);
        }
        _ => {
            column.prepare(0);
            rows.for_each(|row| column.push(view, row));
        }
    }
    export(&column.freeze()?, &view.data_type.to_exported())
}

#[cfg(test)]
mod tests {
    use arrow::array::{AsArray, Int64Array, StringArray};
    use arrow::datatypes::Int64Type;

    use super::*;
    use crate::Session;

    /// The number of rows of each call, on every row.
    fn counting(nulls: Nulls) -> ScalarFunction {
        over_arrays("call_rows", &[Type::Int64], Type::Int64, nulls, |_, rows| {
            Ok(Arc::new(Int64Array::from(vec![rows as i64; rows])) as ArrayRef)
        })
        .unwrap()
    }

    fn integers(session: &Session, sql: &str) -> Vec<Option<i64>> {
        let batches = session.sql(sql).unwrap().collect_all().unwrap();
        batches.iter().flat_map(|batch| batch.column(0).as_primitive::<Int64Type>().iter()).collect()
    }

    #[test]
    fn a_strict_call_does_not_see_nulls_and_an_aware_one_does() {
        let sql = "SELECT call_rows(x) FROM (VALUES (1), (NULL), (3)) AS t(x)";
        let session = Session::new();
        session.register_scalar(counting(Nulls::Strict));
        assert_eq!(integers(&session, sql), [Some(2), None, Some(2)]);
        session.register_scalar(counting(Nulls::Aware));
        assert_eq!(integers(&session, sql), [Some(3), Some(3), Some(3)]);
    }

    #[test]
    fn a_call_sees_only_the_rows_of_its_branch() {
        let session = Session::new();
        session.register_scalar(counting(Nulls::Strict));
        let sql = "SELECT CASE WHEN x > 1 THEN call_rows(x) ELSE -x END FROM range(4) t(x)";
        assert_eq!(integers(&session, sql), [Some(0), Some(-1), Some(2), Some(2)]);
    }

    #[test]
    fn values_of_another_type_or_number_are_refused() {
        let session = Session::new();
        let texts = |_: &[ArrayRef], _| Ok(Arc::new(StringArray::from(vec!["x"])) as ArrayRef);
        session.register_scalar(over_arrays("f", &[Type::Int64], Type::Int64, Nulls::Strict, texts).unwrap());
        let one = session.sql("SELECT f(x) FROM range(1) t(x)").unwrap().collect_all();
        assert!(one.unwrap_err().to_string().contains("f: gave values of type VARCHAR"));
        let two = session.sql("SELECT f(x) FROM range(2) t(x)").unwrap().collect_all();
        assert!(two.unwrap_err().to_string().contains("f: gave 1 values for 2 rows"));
    }
}
