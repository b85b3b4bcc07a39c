//! One call in all the shapes that its arguments can have.

use bumpalo::Bump;

use crate::column::{Column, Output, Rows, value_at};
use crate::error::{Error, Result};
use crate::scalar::{Body, Bound, Lambda, Nulls};
use crate::scratch::Scratch;
use crate::types::Type;
use crate::value::{Literal, Value};

/// Rows of every shape that is tried.
const ROWS: usize = 3;

/// A flat column of these values.
pub fn column_of(data_type: &Type, values: &[Value]) -> Result<Column> {
    let mut output = Output::new(data_type.clone());
    output.prepare(values.len());
    for (row, value) in values.iter().enumerate() {
        output.set_value(row, value)?;
    }
    Ok(Column::Flat(output.freeze()?))
}

fn dictionary(data_type: &Type, values: &[Value], indices: &[u32]) -> Result<Column> {
    let values = column_of(data_type, values)?.to_array()?;
    Ok(Column::Dictionary { indices: indices.to_vec().into(), validity: None, values })
}

/// Makes the lambdas of a call, once per variant.
pub type MakeLambdas<'a> = &'a dyn Fn() -> Vec<Box<dyn Lambda + 'a>>;

/// Calls over columns and gives the result of each row in `rows`, as an evaluator does it.
pub fn call_rows(
    bound: &Bound,
    types: &[Type],
    columns: &[Column],
    rows: Rows<'_>,
    lambdas: MakeLambdas<'_>,
) -> Result<Vec<Result<Value>>> {
    let length = columns.iter().map(Column::len).max().unwrap_or(ROWS);
    let (bump, out_bump) = (Bump::new(), Bump::new());
    let views: Vec<_> =
        columns.iter().zip(types).map(|(column, data_type)| column.view(data_type, &bump)).collect();
    let mut output = Output::new(bound.result.clone());
    output.prepare(length);
    let mut wanted: Vec<u32> = rows.iter().map(|row| row as u32).collect();
    if bound.nulls == Nulls::Strict {
        wanted.retain(|&row| views.iter().all(|view| view.is_valid(row as usize)));
        for row in rows.iter().filter(|row| views.iter().any(|view| view.is_null(*row))) {
            output.set_null(row);
        }
    }
    let selected = if wanted.len() == length { Rows::All(length) } else { Rows::Selected(&wanted) };
    let mut scratch = Scratch::new();
    if !selected.is_empty() {
        match &bound.body {
            Body::Lanes(_) => {
                crate::cast::invoke::invoke(bound, &views, selected, &mut output, &mut scratch)?
            }
            Body::Call(call) => call.call(&views, selected, &mut output, &mut scratch)?,
            Body::HigherOrder(call) => {
                let mut made = lambdas();
                let mut lent: Vec<&mut dyn Lambda> =
                    made.iter_mut().map(|lambda| lambda.as_mut() as _).collect();
                call.call(&views, &mut lent, selected, &mut output, &mut scratch)?;
            }
        }
    }
    let failures = output.errors().to_vec();
    let view = output.view(&out_bump);
    let results = rows.iter().map(|row| match failures.iter().find(|(failed, _)| *failed as usize == row) {
        Some((_, error)) => Err(error.clone()),
        None => Ok(value_at(&view, row)),
    });
    let results: Vec<_> = results.collect();
    output.freeze()?;
    Ok(results)
}

/// Calls once with constants and then in every other shape, and demands the same result of all.
pub fn call_variants(bound: &Bound, arguments: &[Literal], lambdas: MakeLambdas<'_>) -> Result<Value> {
    let types: Vec<Type> = arguments.iter().map(|argument| argument.data_type.clone()).collect();
    let constants = shaped(arguments, |data_type, value| {
        let Column::Flat(array) = column_of(data_type, std::slice::from_ref(value))? else {
            return Err(Error::internal("a flat column was expected"));
        };
        Ok(Column::Constant { value: array, length: ROWS })
    })?;
    let mut constant = call_rows(bound, &types, &constants, Rows::All(ROWS), lambdas)?;
    let first = constant.swap_remove(0);
    constant.into_iter().for_each(|other| assert_eq!(first, other, "rows of constants differ"));
    let null = Value::Null;
    let shapes = [
        shaped(arguments, |ty, value| column_of(ty, &[value.clone(), null.clone(), value.clone()]))?,
        shaped(arguments, |ty, value| {
            Ok(column_of(ty, &[null.clone(), value.clone(), null.clone(), value.clone()])?.slice(1, 3))
        })?,
        shaped(arguments, |ty, value| dictionary(ty, &[null.clone(), value.clone()], &[1, 0, 1]))?,
        mixed(arguments, &constants)?,
    ];
    for (number, columns) in shapes.iter().enumerate() {
        for rows in [Rows::Selected(&[0, 2]), Rows::Selected(&[2]), Rows::All(ROWS)] {
            let results = call_rows(bound, &types, columns, rows, lambdas)?;
            let last = results.last().cloned();
            assert_eq!(last.as_ref(), Some(&first), "shape {number} with {rows:?} differs from constants");
        }
    }
    first
}

fn shaped(arguments: &[Literal], make: impl Fn(&Type, &Value) -> Result<Column>) -> Result<Vec<Column>> {
    arguments.iter().map(|argument| make(&argument.data_type, &argument.value)).collect()
}

/// The first argument flat, the others constant.
fn mixed(arguments: &[Literal], constants: &[Column]) -> Result<Vec<Column>> {
    let mut columns = constants.to_vec();
    if let Some(argument) = arguments.first() {
        columns[0] = column_of(&argument.data_type, &vec![argument.value.clone(); ROWS])?;
    }
    Ok(columns)
}
