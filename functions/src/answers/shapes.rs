//! One call in all the shapes that its arguments can have.

use std::sync::Arc;

use arrow::array::{ArrayRef, UInt32Array};
use arrow::buffer::ScalarBuffer;
use bumpalo::Bump;

use crate::cast::invoke::invoke;
use crate::column::{Column, Output, Rows, View, borrow, literal_array, value_at};
use crate::error::{Error, Result};
use crate::scalar::{Body, Bound, Lambda};
use crate::scratch::Scratch;
use crate::types::Type;
use crate::value::{Literal, Value};

/// Rows of the tall shapes: more than one block of lanes and not a multiple of 64.
const ROWS: usize = 1100;

/// Rows of the tall shapes where a lambda is evaluated for each element.
const ROWS_OF_LAMBDAS: usize = 5;

/// Makes the lambdas of a call, once for each time it is made.
type MakeLambdas<'a> = &'a dyn Fn() -> Vec<Box<dyn Lambda>>;

/// The result over one row.
pub(super) fn call_once(bound: &Bound, literals: &[Literal], lambdas: MakeLambdas<'_>) -> Result<Value> {
    let columns = literals.iter().map(|literal| Ok(Column::Flat(literal_array(literal)?)));
    let columns = columns.collect::<Result<Vec<_>>>()?;
    Call { bound, literals, lambdas }.row(&columns, Rows::All(1), 0)
}

/// The result over one row, which must be the same in bits over columns of every encoding, over many rows, among
/// nulls and failures, and over slices.
pub(super) fn call_all_ways(bound: &Bound, literals: &[Literal], lambdas: MakeLambdas<'_>) -> Result<Value> {
    let call = Call { bound, literals, lambdas };
    let expected = call_once(bound, literals, lambdas);
    let height = if matches!(bound.body, Body::HigherOrder(_)) { ROWS_OF_LAMBDAS } else { ROWS };
    let last = height - 1;
    let arrays = literals.iter().map(literal_array).collect::<Result<Vec<_>>>()?;
    let each =
        |make: &dyn Fn(&ArrayRef) -> Result<Column>| arrays.iter().map(make).collect::<Result<Vec<_>>>();
    let constant = each(&|array| Ok(Column::Constant { value: Arc::clone(array), length: height }))?;
    let tall =
        constant.iter().map(|column| column.to_array().map(Column::Flat)).collect::<Result<Vec<_>>>()?;
    let dictionary = each(&|array| dictionary(array, height))?;
    let sparse = each(&|array| sparse(array, height))?;
    let mut mixed = constant.clone();
    mixed.iter_mut().zip(&tall).take(1).for_each(|(column, flat)| *column = flat.clone());
    let sliced: Vec<Column> = sparse.iter().map(|column| column.slice(1, height - 1)).collect();
    let selected: Vec<u32> = (0..height as u32).filter(|row| row % 3 == 1).collect();
    let shapes: [(&str, &[Column], Rows<'_>, usize); 8] = [
        ("constant columns", &constant, Rows::All(height), last),
        ("dictionary columns", &dictionary, Rows::All(height), height * 7 / 11),
        ("tall flat columns", &tall, Rows::All(height), last),
        ("the first flat, the others constant", &mixed, Rows::All(height), last),
        (
            "selected rows between nulls",
            &sparse,
            Rows::Selected(&selected),
            last - last % 3 - 2 + 3 * usize::from(last % 3 >= 1),
        ),
        ("all rows among nulls", &sparse, Rows::All(height), 1),
        ("a slice among nulls", &sliced, Rows::All(height - 1), 0),
        ("one selected row", &tall, Rows::Selected(&selected[..1]), 1),
    ];
    for (shape, columns, rows, shown) in shapes {
        assert_eq!(expected, call.row(columns, rows, shown), "{shape}");
    }
    expected
}

/// The value in the second place of a dictionary, and a null before it.
fn dictionary(array: &ArrayRef, height: usize) -> Result<Column> {
    let rows = UInt32Array::from(vec![None, Some(0), Some(0)]);
    let values = arrow_select::take::take(array, &rows, None)?;
    let indices = ScalarBuffer::from((0..height as u32).map(|row| 1 + row % 2).collect::<Vec<_>>());
    Ok(Column::Dictionary { indices, validity: None, values })
}

/// The value in every third row from the second on, and nulls between.
fn sparse(array: &ArrayRef, height: usize) -> Result<Column> {
    let rows = UInt32Array::from((0..height).map(|row| (row % 3 == 1).then_some(0)).collect::<Vec<_>>());
    Ok(Column::Flat(arrow_select::take::take(array, &rows, None)?))
}

struct Call<'a> {
    bound: &'a Bound,
    literals: &'a [Literal],
    lambdas: MakeLambdas<'a>,
}

impl Call<'_> {
    /// Calls over columns and gives the result of one row.
    fn row(&self, columns: &[Column], rows: Rows<'_>, shown: usize) -> Result<Value> {
        let bound = self.bound;
        let (bump, mut scratch) = (Bump::new(), Scratch::new());
        let types: Vec<&Type> = self.literals.iter().map(|literal| &literal.data_type).collect();
        let views: Vec<View<'_>> =
            columns.iter().zip(types).map(|(column, data_type)| column.view(data_type, &bump)).collect();
        let length =
            views.first().map_or_else(|| rows.iter().last().map_or(0, |row| row + 1), |view| view.length);
        let mut output = Output::new(bound.result.clone());
        output.prepare(length);
        self.run(&views, rows, &mut output, &mut scratch)?;
        if output.has_failed(shown) {
            let found = output.errors().iter().find(|(row, _)| *row as usize == shown);
            return Err(
                found.map_or(Error::internal("a failed row without its error"), |(_, error)| error.clone())
            );
        }
        let value = value_at(&output.view(&bump), shown);
        // A second reading through Arrow checks that what was written freezes.
        let frozen = output.freeze()?;
        let reread = value_at(&borrow(&frozen, &bound.result, &bump), shown);
        assert_eq!(value, reread, "frozen values");
        Ok(value)
    }

    fn run(
        &self,
        views: &[View<'_>],
        rows: Rows<'_>,
        output: &mut Output,
        scratch: &mut Scratch,
    ) -> Result<()> {
        let Body::HigherOrder(call) = &self.bound.body else {
            return invoke(self.bound, views, rows, output, scratch);
        };
        let is_strict = self.bound.nulls.is_strict();
        let (null, valid): (Vec<u32>, Vec<u32>) = rows
            .iter()
            .map(|row| row as u32)
            .partition(|&row| is_strict && views.iter().any(|view| view.is_null(row as usize)));
        null.iter().for_each(|&row| output.set_null(row as usize));
        let mut made = (self.lambdas)();
        let mut lent: Vec<&mut dyn Lambda> = made.iter_mut().map(|lambda| lambda.as_mut() as _).collect();
        match valid.is_empty() {
            true => Ok(()),
            false => call.call(views, &mut lent, Rows::Selected(&valid), output, scratch),
        }
    }
}
