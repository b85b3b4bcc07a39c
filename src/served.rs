//! What a served row brings and what is evaluated over it: windows over tables become functions of the rows before a row.

use std::sync::Arc;

use hypostyle_engine::plan::{Expression, Plan};
use hypostyle_engine::{Context, history_type, window_over_history};
use hypostyle_functions::types::{Field, Schema, Type};
use hypostyle_functions::value::{Literal, Value};
use hypostyle_planner::transform::{Fitted, FittedWindow, windowed};

use crate::error::{Error, Result};

/// Expressions over inputs and over values of windows, which stand behind the inputs; neither holds more than is read.
pub(crate) struct Features {
    pub expressions: Vec<Expression>,
    pub inputs: Schema,
    pub windows: Vec<FittedWindow>,
    pub outputs: Schema,
}

/// Expressions over what a row brings.
pub(crate) struct Served {
    pub expressions: Vec<Expression>,
    /// Columns of the row, and behind them lists of the rows before it.
    pub inputs: Schema,
    pub outputs: Schema,
    /// What the expressions are compiled in, since it has the functions that stand for windows.
    pub context: Arc<Context>,
}

impl Features {
    /// The outputs of a transform at these positions.
    pub fn of(fitted: &Fitted, positions: &[usize]) -> Self {
        let chosen = || positions.iter().filter_map(|position| fitted.outputs.get(*position));
        let expressions = chosen().map(|output| output.expression.clone()).collect();
        let outputs = chosen().map(|output| Field::new(output.name.clone(), output.expression.data_type()));
        let outputs = Schema::new(outputs.collect());
        Self::compact(expressions, &fitted.inputs, &fitted.windows, outputs)
    }

    /// Expressions over these inputs and the values of these windows, without what they do not read.
    pub fn compact(
        mut expressions: Vec<Expression>,
        inputs: &[Field],
        windows: &[FittedWindow],
        outputs: Schema,
    ) -> Self {
        let read: Vec<usize> = expressions.iter().flat_map(Expression::columns).collect();
        let mut kept = Vec::new();
        let mut values = Vec::new();
        let mut start = inputs.len();
        for window in windows {
            let own: Vec<usize> = (start..start + window.window.calls.len()).collect();
            start += own.len();
            let of_calls = window.of_calls(|call| own.get(call).is_some_and(|value| read.contains(value)));
            if !of_calls.texts.is_empty() {
                kept.push(of_calls);
                values.extend(own.into_iter().filter(|value| read.contains(value)));
            }
        }
        let of_windows = kept.iter().flat_map(|window| window.window.expressions());
        let read: Vec<usize> = read.into_iter().chain(of_windows.flat_map(Expression::columns)).collect();
        let columns: Vec<usize> = (0..inputs.len()).filter(|position| read.contains(position)).collect();
        let places: Vec<usize> = columns.iter().copied().chain(values).collect();
        let parts = kept.iter_mut().flat_map(|window| window.window.expressions_mut());
        expressions.iter_mut().chain(parts).for_each(|part| renumber(part, &places));
        let inputs = columns.iter().filter_map(|position| inputs.get(*position).cloned());
        Self { expressions, inputs: Schema::new(inputs.collect()), windows: kept, outputs }
    }

    /// A plan over the inputs, as rows of a table, with the values of windows behind them.
    pub fn over_table(&self, inputs: Plan) -> Plan {
        windowed(inputs, &self.windows)
    }

    /// Positions of the inputs that a row brings: columns that only tell partitions apart are not among them.
    fn row_columns(&self) -> Vec<usize> {
        let mut read: Vec<usize> = self.expressions.iter().flat_map(Expression::columns).collect();
        read.extend(self.windows.iter().flat_map(FittedWindow::columns));
        (0..self.inputs.fields.len()).filter(|place| read.contains(place)).collect()
    }

    /// What a row brings: columns, and behind them the rows before it.
    pub fn row_inputs(&self) -> Schema {
        let histories = self.windows.iter().map(|window| {
            let fields = fields_of(&window.columns(), &self.inputs);
            Field::new(window.history.clone(), history_type(&fields))
        });
        let columns = fields_of(&self.row_columns(), &self.inputs);
        Schema::new(columns.into_iter().chain(histories).collect())
    }

    /// The same over what a row brings.
    ///
    /// # Errors
    /// A window that looks at rows after the current one.
    pub fn served(self, context: &Arc<Context>) -> Result<Served> {
        self.check_windows()?;
        let (columns, row_inputs) = (self.row_columns(), self.row_inputs());
        let Self { mut expressions, inputs, windows, outputs } = self;
        if windows.is_empty() {
            return Ok(Served { expressions, inputs, outputs, context: Arc::clone(context) });
        }
        let mut registry = (*context.registry).clone();
        let mut values = Vec::new();
        let place_of = |input: usize| columns.iter().position(|column| *column == input).unwrap_or(input);
        for (number, mut window) in windows.into_iter().enumerate() {
            let own = window.columns();
            let fields = fields_of(&own, &inputs);
            window.window.expressions_mut().into_iter().for_each(|part| renumber(part, &own));
            let name = format!("window over {}", window.history);
            let function = window_over_history(&name, &window.window, &fields, context)?;
            registry.register_scalar(function);
            let list = Expression::column(columns.len() + number, history_type(&fields));
            let own = own.iter().zip(&fields);
            let row = own.map(|(place, field)| Expression::column(place_of(*place), field.data_type.clone()));
            let arguments = std::iter::once(list).chain(row).collect();
            values.extend(values_of(name, arguments, &window));
        }
        for expression in &mut expressions {
            expression.walk_mut(&mut |part| {
                if let Expression::Column { index, .. } = part {
                    match index.checked_sub(inputs.fields.len()).and_then(|value| values.get(value)) {
                        Some(value) => *part = value.clone(),
                        None => *index = place_of(*index),
                    }
                }
            });
        }
        Ok(Served { expressions, inputs: row_inputs, outputs, context: context.with_registry(registry) })
    }

    fn check_windows(&self) -> Result<()> {
        for window in &self.windows {
            let Some((call, problem)) = window.looks_ahead() else { continue };
            let mut start = self.inputs.fields.len();
            let before = self.windows.iter().take_while(|other| other.history != window.history);
            start += before.map(|other| other.window.calls.len()).sum::<usize>();
            let own = start..start + window.window.calls.len();
            let reads =
                |expression: &Expression| expression.columns().iter().any(|column| own.contains(column));
            let output = self.expressions.iter().position(reads);
            let output = output.and_then(|output| self.outputs.fields.get(output));
            let output = output.map_or("", |field| field.name.as_str());
            return Err(Error::user(format!(
                "output \"{output}\" is not evaluated row by row: {call} {problem}, and a row is served with the rows before it; \
                 end the frame at the current row or before it, or apply it to tables"
            )));
        }
        Ok(())
    }
}

/// The values of the calls of a window: fields of what its function gives.
fn values_of(function: String, arguments: Vec<Expression>, window: &FittedWindow) -> Vec<Expression> {
    let types: Vec<Type> = window.window.calls.iter().map(|call| call.data_type.clone()).collect();
    let fields = types.iter().map(|data_type| Field::new("", data_type.clone())).collect();
    let values = Expression::call(function, arguments, Type::Struct(fields));
    let field = |(number, data_type): (usize, Type)| {
        let position = Expression::Literal(Literal::new(Value::Int64(number as i64 + 1)));
        Expression::call("struct_extract_at", vec![values.clone(), position], data_type)
    };
    types.into_iter().enumerate().map(field).collect()
}

fn fields_of(columns: &[usize], inputs: &Schema) -> Vec<Field> {
    columns.iter().filter_map(|column| inputs.fields.get(*column).cloned()).collect()
}

/// Columns become their positions among these.
fn renumber(expression: &mut Expression, places: &[usize]) {
    expression.walk_mut(&mut |part| {
        if let Expression::Column { index, .. } = part
            && let Some(position) = places.iter().position(|place| place == index)
        {
            *index = position;
        }
    });
}
