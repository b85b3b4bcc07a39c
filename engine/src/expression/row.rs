//! Evaluates a set of expressions over single rows, with the code and the bits of batches.
//!
//! Inputs and results live in reused columns and never become Arrow arrays: after the first few rows
//! have sized the buffers, nothing is allocated.

use std::sync::Arc;

use bumpalo::Bump;
use half::f16;
use hypostyle_functions::column::{Data, Encoding, Output, Rows, View, WritableFixed, value_at};
use hypostyle_functions::lanes::{Lane, LaneCell};
use hypostyle_functions::types::{Field, Type};
use hypostyle_functions::value::{Literal, Value};

use super::graph::Kind;
use super::set::ExpressionSet;
use super::single::{Place, Single};
use super::slot::Domain;
use super::state::{Run, State};
use super::straight::{self, Straight};
use crate::error::{Error, Result};

/// Most rows that one evaluation takes.
pub const ROWS_MAX: usize = 256;

/// Words that hold one bit for each of [`ROWS_MAX`] rows.
const WORDS: usize = ROWS_MAX / 64;

/// Evaluates an [`ExpressionSet`] over one row, or up to [`ROWS_MAX`] rows, given field by field.
///
/// [`RowEvaluator::start`] forgets the last rows; setters write fields of the row chosen by
/// [`RowEvaluator::at`], at first row 0; a field that is not set is null. Then
/// [`RowEvaluator::evaluate`], and the results can be read until the next start.
pub struct RowEvaluator {
    set: Arc<ExpressionSet>,
    state: State,
    bump: Bump,
    inputs: Vec<Output>,
    /// Rows of each input that were set, if the input has been since the start.
    given: Vec<[u64; WORDS]>,
    /// The start in which each input was last set.
    starts: Vec<u64>,
    start: u64,
    rows: usize,
    row: usize,
    single: Option<Single>,
    straight: Option<Straight>,
    way: Way,
}

/// A result that is read without a view.
enum Held<'a> {
    Column(&'a Output),
    Cell(&'a Single, usize),
}

/// Who computed the results.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    Single,
    Straight,
    Demand,
}

impl RowEvaluator {
    /// An evaluator with these values for the parameters, started with one row.
    ///
    /// # Errors
    /// [`Error::User`] if a parameter that is read is missing or has another type.
    pub fn new(set: Arc<ExpressionSet>, parameters: &[Literal]) -> Result<Self> {
        let mut state = State::new(&set.graph, parameters)?;
        let single = Single::new(&set.graph, &mut state);
        let straight = Straight::new(&set.graph, &mut state);
        let inputs: Vec<_> = set.input_types().iter().cloned().map(Output::new).collect();
        let given = vec![[0; WORDS]; inputs.len()];
        let starts = vec![0; inputs.len()];
        let (bump, start, rows, row, way) = (Bump::new(), 1, 1, 0, Way::Demand);
        Ok(Self { set, state, bump, inputs, given, starts, start, rows, row, single, straight, way })
    }

    /// The set that is evaluated.
    pub fn set(&self) -> &Arc<ExpressionSet> {
        &self.set
    }

    /// Begins `rows` rows whose fields are all null, and goes to row 0.
    ///
    /// # Errors
    /// [`Error::User`] for no rows or more than [`ROWS_MAX`].
    pub fn start(&mut self, rows: usize) -> Result<()> {
        if rows == 0 || rows > ROWS_MAX {
            return Err(Error::user(format!(
                "a row evaluator takes 1 to {ROWS_MAX} rows at a time, not {rows}"
            )));
        }
        self.rows = rows;
        self.row = 0;
        // What was set before is forgotten where something is set again.
        self.start += 1;
        Ok(())
    }

    /// Goes to another row.
    ///
    /// # Errors
    /// [`Error::User`] for a row that was not started.
    pub fn at(&mut self, row: usize) -> Result<()> {
        if row >= self.rows {
            return Err(Error::user(format!("row {row} of {} rows", self.rows)));
        }
        self.row = row;
        Ok(())
    }

    /// The column of an input and the row to write, for values that no setter takes. Each field is
    /// written once between starts.
    ///
    /// # Errors
    /// [`Error::User`] if there is no such column.
    #[inline]
    pub fn field(&mut self, column: usize) -> Result<(&mut Output, usize)> {
        let count = self.inputs.len();
        let Some(input) = self.inputs.get_mut(column) else {
            return Err(Error::user(format!("there is no input column {column}; there are {count}")));
        };
        if self.starts[column] != self.start {
            self.starts[column] = self.start;
            self.given[column] = [0; WORDS];
            input.prepare(self.rows);
        }
        self.given[column][self.row / 64] |= 1 << (self.row % 64);
        Ok((input, self.row))
    }

    /// Sets a field to null.
    ///
    /// # Errors
    /// [`Error::User`] if there is no such column.
    pub fn set_null(&mut self, column: usize) -> Result<()> {
        let (input, row) = self.field(column)?;
        input.set_null(row);
        Ok(())
    }

    /// Sets a BOOLEAN field.
    ///
    /// # Errors
    /// [`Error::User`] if the column is missing or has another type.
    pub fn set_bool(&mut self, column: usize, value: bool) -> Result<()> {
        let (input, row) = self.field(column)?;
        match input.data_type() {
            Type::Boolean => input.boolean().set(row, value),
            other => return Err(mismatch(column, other, "a truth value")),
        }
        Ok(())
    }

    /// Sets a field of an integer type, or the days or ticks of a DATE, TIME or TIMESTAMP.
    ///
    /// # Errors
    /// [`Error::User`] if the column is missing, has another type, or does not hold the value.
    pub fn set_i64(&mut self, column: usize, value: i64) -> Result<()> {
        let (input, row) = self.field(column)?;
        let refused = |input: &Output| {
            Error::user(format!("column {column}: {value} does not fit {}", input.data_type()))
        };
        macro_rules! narrow {
            ($rust:ty) => {
                match <$rust>::try_from(value) {
                    Ok(value) => input.fixed::<$rust>()[row] = value,
                    Err(_) => return Err(refused(input)),
                }
            };
        }
        match input.data_type() {
            Type::Int64 | Type::Time | Type::Timestamp(_) | Type::TimestampTz => {
                input.fixed::<i64>()[row] = value
            }
            Type::Int32 | Type::Date => narrow!(i32),
            Type::Int16 => narrow!(i16),
            Type::Int8 => narrow!(i8),
            Type::UInt64 => narrow!(u64),
            Type::UInt32 => narrow!(u32),
            Type::UInt16 => narrow!(u16),
            Type::UInt8 => narrow!(u8),
            other => return Err(mismatch(column, other, "an integer")),
        }
        Ok(())
    }

    /// Sets a field of a float type; FLOAT and HALF round to nearest.
    ///
    /// # Errors
    /// [`Error::User`] if the column is missing or has another type.
    pub fn set_f64(&mut self, column: usize, value: f64) -> Result<()> {
        let (input, row) = self.field(column)?;
        match input.data_type() {
            Type::Float64 => input.fixed::<f64>()[row] = value,
            Type::Float32 => input.fixed::<f32>()[row] = value as f32,
            Type::Float16 => input.fixed::<f16>()[row] = f16::from_f64(value),
            other => return Err(mismatch(column, other, "a float")),
        }
        Ok(())
    }

    /// Sets a VARCHAR field.
    ///
    /// # Errors
    /// [`Error::User`] if the column is missing or has another type.
    pub fn set_text(&mut self, column: usize, value: &str) -> Result<()> {
        let (input, row) = self.field(column)?;
        match input.data_type() {
            Type::Text => input.text().set(row, value),
            other => return Err(mismatch(column, other, "text")),
        }
        Ok(())
    }

    /// Sets a BLOB field.
    ///
    /// # Errors
    /// [`Error::User`] if the column is missing or has another type.
    pub fn set_binary(&mut self, column: usize, value: &[u8]) -> Result<()> {
        let (input, row) = self.field(column)?;
        match input.data_type() {
            Type::Binary => input.bytes().set(row, value),
            other => return Err(mismatch(column, other, "bytes")),
        }
        Ok(())
    }

    /// Sets a field of type BIGINT[].
    ///
    /// # Errors
    /// [`Error::User`] if the column is missing or has another type.
    pub fn set_list_i64(&mut self, column: usize, values: &[i64]) -> Result<()> {
        let (input, row) = self.field(column)?;
        match input.data_type() {
            Type::List(element) if matches!(**element, Type::Int64) => {
                let mut list = input.list();
                let start = list.child().extend(values);
                list.finish(row, start);
            }
            other => return Err(mismatch(column, other, "a list of 64-bit integers")),
        }
        Ok(())
    }

    /// Sets a field of type VARCHAR[].
    ///
    /// # Errors
    /// [`Error::User`] if the column is missing or has another type.
    pub fn set_list_text(&mut self, column: usize, values: &[&str]) -> Result<()> {
        let (input, row) = self.field(column)?;
        match input.data_type() {
            Type::List(element) if matches!(**element, Type::Text) => {
                let mut list = input.list();
                let start = list.child().grow(values.len());
                let mut texts = list.child().text();
                values.iter().enumerate().for_each(|(position, value)| texts.set(start + position, value));
                list.finish(row, start);
            }
            other => return Err(mismatch(column, other, "a list of texts")),
        }
        Ok(())
    }

    /// Sets a field of type FLOAT[N]: an embedding.
    ///
    /// # Errors
    /// [`Error::User`] if the column is missing, has another type or another dimension.
    pub fn set_fixed_list_f32(&mut self, column: usize, values: &[f32]) -> Result<()> {
        let (input, row) = self.field(column)?;
        match input.data_type() {
            Type::FixedList(element, size) if matches!(**element, Type::Float32) && *size == values.len() => {
                let start = row * *size;
                input.fixed_list_child().fixed::<f32>()[start..start + values.len()].copy_from_slice(values);
            }
            other => {
                return Err(mismatch(column, other, &format!("an embedding of dimension {}", values.len())));
            }
        }
        Ok(())
    }

    /// Sets a field of any type to an owned value.
    ///
    /// # Errors
    /// [`Error::User`] if the column is missing or has another type.
    pub fn set_value(&mut self, column: usize, value: &Value) -> Result<()> {
        let (input, row) = self.field(column)?;
        if !is_of(value, input.data_type()) {
            return Err(mismatch(
                column,
                input.data_type(),
                &format!("a value of type {}", value.data_type()),
            ));
        }
        Ok(input.set_value(row, value)?)
    }

    /// Computes all outputs of all rows.
    ///
    /// # Errors
    /// The first failed row by position, over all outputs; what ends the query.
    pub fn evaluate(&mut self) -> Result<()> {
        self.fill_absent();
        let Self { set, state, bump, inputs, rows, single, straight, way, .. } = self;
        bump.reset();
        let (graph, rows) = (&set.graph, *rows);
        *way = Way::Demand;
        if rows == 1 {
            if single.as_mut().is_some_and(|single| single.evaluate(graph, state, inputs, bump)) {
                *way = Way::Single;
            }
        } else if straight
            .as_mut()
            .is_some_and(|straight| straight.evaluate(graph, state, inputs, rows, bump))
        {
            *way = Way::Straight;
        }
        if *way != Way::Demand {
            return Ok(());
        }
        let types = set.input_types();
        let unread = |data_type| View {
            data_type,
            length: rows,
            encoding: Encoding::Flat,
            validity: None,
            data: Data::Null,
        };
        let views = bump.alloc_slice_fill_iter(types.iter().map(unread));
        for &input in set.columns() {
            views[input] = inputs[input].view(bump);
        }
        let values = bump.alloc_slice_fill_copy(types.len(), rows);
        let run = Run { graph: &set.graph, inputs: views, values, columns: None, rows };
        state.begin(&run);
        for &output in &set.graph.outputs {
            state.demand(&run, output, Rows::All(rows), Domain::Base)?;
        }
        state.raise(&run, &set.graph.outputs)
    }

    /// Makes null what was not set.
    fn fill_absent(&mut self) {
        for &column in self.set.columns() {
            let input = &mut self.inputs[column];
            let mut given = [0; WORDS];
            if self.starts[column] == self.start {
                // A column that was set has its only row.
                if self.rows == 1 {
                    continue;
                }
                given = self.given[column];
            } else {
                input.prepare(self.rows);
            }
            for row in 0..self.rows {
                if given[row / 64] >> (row % 64) & 1 == 0 {
                    input.set_null(row);
                }
            }
        }
    }

    /// The column of an output, for reading after [`RowEvaluator::evaluate`].
    ///
    /// # Panics
    /// If there is no such output.
    pub fn view(&self, output: usize) -> View<'_> {
        match self.held(output) {
            Some(Held::Column(column)) => return column.view(&self.bump),
            Some(Held::Cell(single, cell)) => return single.view(cell),
            None => {}
        }
        let (node, _) = self.set.graph.resolve(self.set.graph.outputs[output]);
        if let Kind::Input(input) = self.set.graph.nodes[node].kind {
            return self.inputs[input].view(&self.bump);
        }
        let view = self.state.slot_view(&self.set.graph, node, &self.bump);
        match self.state.domains[node] {
            Domain::Base => view,
            _ => View { length: self.rows, encoding: Encoding::Constant, ..view },
        }
    }

    /// The value of an output where it can be read without a view.
    #[inline]
    fn held(&self, output: usize) -> Option<Held<'_>> {
        match (self.way, &self.single, &self.straight) {
            (Way::Single, Some(single), _) => match single.output(output) {
                Place::Cell(cell) => Some(Held::Cell(single, cell)),
                Place::Column(column) => Some(Held::Column(single.column(column))),
                Place::Input(input) => Some(Held::Column(&self.inputs[input])),
                Place::Constant(_) | Place::Unread => None,
            },
            (Way::Straight, _, Some(straight)) => match straight.output(output) {
                straight::Held::Step(step) => Some(Held::Column(straight.column(step))),
                straight::Held::Input(input) => Some(Held::Column(&self.inputs[input])),
                straight::Held::Constant => None,
            },
            _ => None,
        }
    }

    /// True if an output is null in a row.
    pub fn is_null(&self, output: usize, row: usize) -> bool {
        match self.held(output) {
            Some(Held::Column(column)) => !column.is_valid(row),
            Some(Held::Cell(single, cell)) if row == 0 => single.value(cell).is_none(),
            _ => self.view(output).is_null(row),
        }
    }

    /// A value of fixed width in a row.
    #[inline]
    fn fixed<T: WritableFixed + Lane>(&self, output: usize, row: usize) -> Option<T> {
        match self.held(output) {
            Some(Held::Column(column)) => column.is_valid(row).then(|| column.fixed_values::<T>()[row]),
            Some(Held::Cell(single, cell)) if row == 0 => single.value(cell).map(LaneCell::get::<T>),
            _ => {
                let view = self.view(output);
                view.is_valid(row).then(|| view.fixed::<T>().get(row))
            }
        }
    }

    /// A BOOLEAN output in a row.
    ///
    /// # Panics
    /// If the output has another type.
    pub fn get_bool(&self, output: usize, row: usize) -> Option<bool> {
        match self.held(output) {
            Some(Held::Column(column)) => column.is_valid(row).then(|| column.truth(row)),
            Some(Held::Cell(single, cell)) if row == 0 => single.value(cell).map(LaneCell::get::<bool>),
            _ => {
                let view = self.view(output);
                view.is_valid(row).then(|| view.boolean().get(row))
            }
        }
    }

    /// A BIGINT, TIME or TIMESTAMP output in a row.
    ///
    /// # Panics
    /// If the output has another type.
    pub fn get_i64(&self, output: usize, row: usize) -> Option<i64> {
        self.fixed(output, row)
    }

    /// A DOUBLE output in a row.
    ///
    /// # Panics
    /// If the output has another type.
    pub fn get_f64(&self, output: usize, row: usize) -> Option<f64> {
        self.fixed(output, row)
    }

    /// A FLOAT output in a row.
    ///
    /// # Panics
    /// If the output has another type.
    pub fn get_f32(&self, output: usize, row: usize) -> Option<f32> {
        self.fixed(output, row)
    }

    /// A VARCHAR output in a row.
    ///
    /// # Panics
    /// If the output has another type.
    pub fn get_text(&self, output: usize, row: usize) -> Option<&str> {
        let view = self.view(output);
        view.is_valid(row).then(|| view.text().get(row))
    }

    /// An output of any type in a row, owned.
    pub fn value(&self, output: usize, row: usize) -> Value {
        value_at(&self.view(output), row)
    }
}

/// True if the value has this type or is null; unlike a comparison with [`Value::data_type`] it makes no type.
fn is_of(value: &Value, data_type: &Type) -> bool {
    match (value, data_type) {
        (Value::Null, _) => true,
        (Value::List(element, _), Type::List(expected)) => *element == **expected,
        (Value::Shared(list), Type::List(expected)) => *list.element() == **expected,
        (Value::FixedList(element, values), Type::FixedList(expected, size)) => {
            *element == **expected && values.len() == *size
        }
        (Value::Map(key, value, _), Type::Map(keys, values)) => *key == **keys && *value == **values,
        (Value::Struct(values, types), Type::Struct(fields)) => {
            let same = |((field, (name, _)), held): ((&Field, &(String, Value)), &Type)| {
                field.name == *name && field.data_type == *held
            };
            values.len() == fields.len() && fields.iter().zip(values).zip(types).all(same)
        }
        (
            Value::List(..) | Value::Shared(..) | Value::FixedList(..) | Value::Map(..) | Value::Struct(..),
            _,
        ) => false,
        _ => value.data_type() == *data_type,
    }
}

fn mismatch(column: usize, data_type: &Type, given: &str) -> Error {
    Error::user(format!("input column {column} has type {data_type}; it does not take {given}"))
}
