//! Windows at the last row of a partition alone: what a served row asks for.
//!
//! Of one row there is one place in the order, one group of peers and one frame, so nothing is made for the other rows but the
//! columns that they bring; and all of it lies in buffers that are used again, so that nothing is allocated once these have grown.
//! The values have the bits of windows over tables, as aggregates are those of the rows of a frame, added one by one.

mod bounds;
mod place;
mod value;

use std::sync::Arc;

use arrow::array::ArrayRef;
use bumpalo::Bump;
use hypostyle_functions::aggregate::Accumulator;
use hypostyle_functions::column::{Encoding, Output, View, borrow};
use hypostyle_functions::types::{Field, Schema, Type};

use super::shape::{Function, Way, WindowShape};
use crate::context::Context;
use crate::error::Result;
use crate::expression::{ExpressionSet, ROWS_MAX, RowEvaluator};
use crate::operator::aggregate::GroupTable;
use crate::plan::Expression;
use place::Place;

/// Where the evaluated columns of a window come from.
pub(super) struct Layout {
    origins: Vec<Origin>,
    /// The columns that are computed.
    computed: Option<Arc<ExpressionSet>>,
}

/// Where an evaluated column comes from.
#[derive(Debug, Clone, Copy)]
enum Origin {
    /// It is this column of the rows.
    Row(usize),
    /// It is the same in all rows.
    Constant,
    /// It is this output of the computed ones.
    Computed(usize),
}

impl Layout {
    /// How the columns of a window are made; `None` where a function orders its arguments itself, which takes the values of all rows.
    ///
    /// # Errors
    /// A function that the registry does not have.
    pub fn of(
        shape: &WindowShape,
        expressions: &[Expression],
        fields: &[Field],
        context: &Arc<Context>,
    ) -> Result<Option<Self>> {
        let orders_itself = |function: &Function| match function {
            Function::Positional(function) => !function.order.is_empty(),
            Function::Aggregate(_) => false,
        };
        if shape.calls.iter().any(|call| orders_itself(&call.function)) {
            return Ok(None);
        }
        let mut computed = Vec::new();
        let origins = expressions.iter().map(|expression| match expression {
            Expression::Column { index, .. } => Origin::Row(*index),
            Expression::Literal(_) => Origin::Constant,
            other => {
                computed.push(other.clone());
                Origin::Computed(computed.len() - 1)
            }
        });
        let origins = origins.collect();
        let computed = match computed.is_empty() {
            true => None,
            false => Some(ExpressionSet::compile(&computed, &Schema::new(fields.to_vec()), context)?),
        };
        Ok(Some(Self { origins, computed }))
    }
}

/// Buffers of one evaluation after another.
pub(super) struct Workspace {
    /// Columns of the rows.
    pub rows: Vec<Output>,
    computer: Option<RowEvaluator>,
    computed: Vec<Output>,
    /// One for each of [`WindowShape::moves`].
    moves: Vec<RowEvaluator>,
    calls: Vec<CallSpace>,
    /// The row at each position of an order.
    order: Vec<u32>,
    bump: Bump,
}

/// What the evaluation of one call uses again.
struct CallSpace {
    accumulator: Option<Box<dyn Accumulator>>,
    distinct: Option<GroupTable>,
    result: Output,
    /// Positions that count.
    kept: Vec<u32>,
    /// The group of each row.
    groups: Vec<u32>,
}

impl Workspace {
    /// Buffers for a window over rows of these types.
    ///
    /// # Errors
    /// A parameter among the expressions.
    pub fn new(shape: &WindowShape, layout: &Layout, fields: &[Type]) -> Result<Self> {
        let evaluator = |set: &Arc<ExpressionSet>| RowEvaluator::new(Arc::clone(set), &[]);
        let types = layout.computed.iter().flat_map(|set| set.sources());
        let call = |result: &Type, distinct: Option<GroupTable>| CallSpace {
            accumulator: None,
            distinct,
            result: Output::new(result.clone()),
            kept: Vec::new(),
            groups: Vec::new(),
        };
        let distinct = |function: &Function| match function {
            Function::Aggregate(aggregate) if aggregate.way == Way::CountDistinct => {
                let types = aggregate.call.arguments.iter().map(|&column| shape.column_types[column].clone());
                Some(GroupTable::new(&types.collect::<Vec<_>>()))
            }
            _ => None,
        };
        Ok(Self {
            rows: fields.iter().cloned().map(Output::new).collect(),
            computer: layout.computed.as_ref().map(evaluator).transpose()?,
            computed: types.map(|expression| Output::new(expression.data_type())).collect(),
            moves: shape.moves.iter().map(|moved| evaluator(&moved.expressions)).collect::<Result<_>>()?,
            calls: shape.calls.iter().map(|held| call(&held.result, distinct(&held.function))).collect(),
            order: Vec::new(),
            bump: Bump::new(),
        })
    }

    /// Writes to row `row` of each of `fields` the value of a call at the last of so many rows, whose columns were put into
    /// [`Workspace::rows`].
    ///
    /// # Errors
    /// A value that cannot be computed.
    pub fn evaluate(
        &mut self,
        shape: &WindowShape,
        layout: &Layout,
        rows: usize,
        fields: &mut [Output],
        row: usize,
    ) -> Result<()> {
        self.compute(rows)?;
        let Self { rows: given, computed, moves, calls, order, bump, .. } = self;
        bump.reset();
        let bump = &*bump;
        let columns = layout.origins.iter().zip(&shape.column_types).enumerate().map(
            |(column, (origin, data_type))| match origin {
                Origin::Row(position) => given[*position].view(bump),
                Origin::Computed(position) => computed[*position].view(bump),
                Origin::Constant => constant(shape.constants[column].as_ref(), data_type, rows, bump),
            },
        );
        let columns: &[View<'_>] = bump.alloc_slice_fill_iter(columns);
        for (number, keys) in shape.orders.iter().enumerate() {
            let place = Place::of_last(keys, columns, rows, order);
            for ((call, space), field) in shape.calls.iter().zip(calls.iter_mut()).zip(fields.iter_mut()) {
                if call.order == number {
                    let frame = bounds::frame(shape, &call.frame, &place, moves)?;
                    value::write(call, &place, &frame, space, bump, field, row)?;
                }
            }
        }
        Ok(())
    }

    /// Evaluates the computed columns over all rows, as many at a time as a row evaluator takes.
    fn compute(&mut self, rows: usize) -> Result<()> {
        let Some(computer) = &mut self.computer else { return Ok(()) };
        self.computed.iter_mut().for_each(|column| column.prepare(0));
        let set = Arc::clone(computer.set());
        for start in (0..rows).step_by(ROWS_MAX) {
            let count = ROWS_MAX.min(rows - start);
            computer.start(count)?;
            for &column in set.columns() {
                self.bump.reset();
                let given = self.rows[column].view(&self.bump);
                for at in 0..count {
                    computer.at(at)?;
                    let (input, to) = computer.field(column)?;
                    input.copy(to, &given, start + at);
                }
            }
            computer.evaluate()?;
            for (number, column) in self.computed.iter_mut().enumerate() {
                column.push_range(&computer.view(number), 0..count);
            }
        }
        Ok(())
    }
}

/// A column of one value.
fn constant<'a>(value: Option<&'a ArrayRef>, data_type: &'a Type, rows: usize, bump: &'a Bump) -> View<'a> {
    match value {
        Some(value) => View { length: rows, encoding: Encoding::Constant, ..borrow(value, data_type, bump) },
        None => View {
            data_type,
            length: rows,
            encoding: Encoding::Constant,
            validity: None,
            data: hypostyle_functions::column::Data::Null,
        },
    }
}
