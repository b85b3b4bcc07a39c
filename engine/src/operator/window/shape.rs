//! What a window evaluates, laid out over the columns of its expression set.

use std::sync::Arc;

use arrow::array::ArrayRef;
use hypostyle_functions::column::literal_array;
use hypostyle_functions::types::Type;
use hypostyle_functions::window::WindowKind;

use super::key_move::{self, KeyMove};
use crate::context::Context;
use crate::error::Result;
use crate::operator::aggregate::{Call as AggregateCall, bind_call};
use crate::operator::sort::KeyOrder;
use crate::plan::{
    Exclusion, Expression, FrameBound, FrameUnits, RowLimit, SortKey, Window, WindowCall, WindowFrame,
    WindowFunction,
};

/// A window bound once per plan.
#[derive(Debug)]
pub(crate) struct WindowShape {
    /// Types of the evaluated columns: partition keys first.
    pub column_types: Vec<Type>,
    /// The value of each evaluated column that is constant.
    pub constants: Vec<Option<ArrayRef>>,
    /// Number of partition keys.
    pub partition_keys: usize,
    /// Keys of each order: evaluated column and direction.
    pub orders: Vec<Vec<Key>>,
    /// What is computed.
    pub calls: Vec<Call>,
    /// Keys of ranges moved by a constant, where bounds lie.
    pub moves: Vec<KeyMove>,
    /// Rows of each partition that are wanted.
    pub limit: Option<RowLimit>,
}

/// One key of an order.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Key {
    /// Evaluated column.
    pub column: usize,
    /// Greatest first.
    pub descending: bool,
    /// Nulls before everything else.
    pub nulls_first: bool,
}

impl Key {
    /// The key as the sort sees it.
    pub fn order(&self, types: &[Type]) -> KeyOrder {
        KeyOrder {
            data_type: types[self.column].clone(),
            descending: self.descending,
            nulls_first: self.nulls_first,
        }
    }
}

/// One computed column.
#[derive(Debug)]
pub(crate) struct Call {
    /// What it gives.
    pub function: Function,
    /// Position of its order.
    pub order: usize,
    /// Its frame.
    pub frame: Frame,
    /// Type of the result.
    pub result: Type,
}

/// A function over a window.
#[derive(Debug)]
pub(crate) enum Function {
    /// An aggregate.
    Aggregate(Aggregate),
    /// A function of positions.
    Positional(Positional),
}

/// An aggregate and how it can be evaluated.
#[derive(Debug)]
pub(crate) struct Aggregate {
    /// The bound call.
    pub call: AggregateCall,
    /// How the rows of many frames are brought together where the accumulator knows no way of its own.
    pub way: Way,
}

/// Ways to evaluate an aggregate over frames.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// States of blocks of rows are merged.
    Merge,
    /// States of blocks of rows are merged, and a single row enters as a state too: its place in the order counts.
    MergeStates,
    /// The rows of each frame are added one by one.
    Rows,
    /// Different values are counted as they come and go.
    CountDistinct,
}

/// A function of positions.
#[derive(Debug)]
pub(crate) struct Positional {
    /// What it gives.
    pub kind: WindowKind,
    /// Evaluated columns of the arguments.
    pub arguments: Vec<usize>,
    /// Whether rows whose first argument is null are left out.
    pub ignore_nulls: bool,
    /// Order among the arguments.
    pub order: Vec<Key>,
}

/// A frame over evaluated columns.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Frame {
    /// What the bounds count.
    pub units: FrameUnits,
    /// Where it starts.
    pub start: Bound,
    /// Where it ends.
    pub end: Bound,
    /// What is left out.
    pub exclude: Exclusion,
    /// Column of the key that range bounds are compared with.
    pub key: Option<usize>,
    /// Whether the frame is the whole partition for every row.
    pub is_whole: bool,
}

/// One end of a frame.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Bound {
    /// The start of the partition.
    UnboundedPreceding,
    /// Before the row by this, or at it.
    Preceding(Offset),
    /// The row or its peers.
    CurrentRow,
    /// After the row by this, or at it.
    Following(Offset),
    /// The end of the partition.
    UnboundedFollowing,
}

/// Where a bound with a value lies.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Offset {
    /// At, or away by, the value of this evaluated column.
    Column(usize),
    /// At the key of the range moved, as this one of [`WindowShape::moves`] says.
    Moved(usize),
}

impl WindowShape {
    /// Lays a window out; the expressions to evaluate come with it.
    ///
    /// # Errors
    /// An aggregate that the registry does not have in this form and version.
    pub fn bind(window: &Window, context: &Arc<Context>) -> Result<(Self, Vec<Expression>)> {
        let mut layout = Layout { expressions: window.partition.clone(), moves: Vec::new() };
        let orders: Vec<Vec<Key>> = window.orders.iter().map(|keys| layout.keys(keys)).collect();
        let mut calls = Vec::with_capacity(window.calls.len());
        for call in &window.calls {
            let function = match &call.function {
                WindowFunction::Aggregate(aggregate) => {
                    let bound = bind_call(aggregate, &mut layout.expressions, context)?;
                    let way = way(aggregate, &bound, context);
                    Function::Aggregate(Aggregate { call: bound, way })
                }
                WindowFunction::Positional { kind, arguments, ignore_nulls, order, .. } => {
                    Function::Positional(Positional {
                        kind: *kind,
                        arguments: arguments.iter().map(|argument| layout.place(argument)).collect(),
                        ignore_nulls: *ignore_nulls,
                        order: layout.keys(order),
                    })
                }
            };
            let has_order = !window.orders.get(call.order).is_none_or(Vec::is_empty);
            let frame = layout.frame(call, has_order);
            calls.push(Call { function, order: call.order, frame, result: call.data_type.clone() });
        }
        let moves = layout.moves.iter().map(|moved| KeyMove::bind(moved, context)).collect::<Result<_>>()?;
        let expressions = layout.expressions;
        let constant = |expression: &Expression| match expression {
            Expression::Literal(literal) => literal_array(literal).map(Some),
            _ => Ok(None),
        };
        let shape = Self {
            column_types: expressions.iter().map(Expression::data_type).collect(),
            constants: expressions.iter().map(constant).collect::<std::result::Result<_, _>>()?,
            partition_keys: window.partition.len(),
            orders,
            calls,
            moves,
            limit: window.limit,
        };
        Ok((shape, expressions))
    }

    /// True if all rows are one partition.
    pub fn is_one_partition(&self) -> bool {
        self.constants[..self.partition_keys].iter().all(Option::is_some)
    }
}

struct Layout {
    expressions: Vec<Expression>,
    /// Bounds of ranges that are made of their key and a constant.
    moves: Vec<Expression>,
}

impl Layout {
    fn place(&mut self, expression: &Expression) -> usize {
        position_of(&mut self.expressions, expression)
    }

    fn keys(&mut self, keys: &[SortKey]) -> Vec<Key> {
        keys.iter()
            .map(|key| Key {
                column: self.place(&key.expression),
                descending: key.descending,
                nulls_first: key.nulls_first,
            })
            .collect()
    }

    fn frame(&mut self, call: &WindowCall, has_order: bool) -> Frame {
        let WindowFrame { units, start, end, exclude, key } = &call.frame;
        let mut offset = |value: &Expression| match key {
            Some(key) if *units == FrameUnits::Range && key_move::is_move_of(value, key) => {
                Offset::Moved(position_of(&mut self.moves, value))
            }
            _ => Offset::Column(position_of(&mut self.expressions, value)),
        };
        let mut bound = |bound: &FrameBound| match bound {
            FrameBound::UnboundedPreceding => Bound::UnboundedPreceding,
            FrameBound::Preceding(value) => Bound::Preceding(offset(value)),
            FrameBound::CurrentRow => Bound::CurrentRow,
            FrameBound::Following(value) => Bound::Following(offset(value)),
            FrameBound::UnboundedFollowing => Bound::UnboundedFollowing,
        };
        let (start, end) = (bound(start), bound(end));
        // Without an order all rows of a partition are peers.
        let reaches = |bound: Bound, unbounded: Bound| {
            bound == unbounded || bound == Bound::CurrentRow && !has_order && *units != FrameUnits::Rows
        };
        let is_whole = *exclude == Exclusion::None
            && reaches(start, Bound::UnboundedPreceding)
            && reaches(end, Bound::UnboundedFollowing);
        let key = key.as_ref().map(|key| self.place(key));
        Frame { units: *units, start, end, exclude: *exclude, key, is_whole }
    }
}

/// The position of an expression among others, to which it is added where it is not there.
fn position_of(expressions: &mut Vec<Expression>, expression: &Expression) -> usize {
    expressions.iter().position(|known| known == expression).unwrap_or_else(|| {
        expressions.push(expression.clone());
        expressions.len() - 1
    })
}

fn way(call: &crate::plan::AggregateCall, bound: &AggregateCall, context: &Arc<Context>) -> Way {
    let order_sensitive =
        context.registry.aggregate(&call.function).is_none_or(|function| function.order_sensitive);
    if call.distinct && call.function == "count" && call.order.is_empty() && !call.arguments.is_empty() {
        return Way::CountDistinct;
    }
    // States that hold all their rows are as dear to merge as the rows are to add, and a rounded product depends on
    // how it is put together.
    let is_small = bound.bound.states.iter().all(|state| !matches!(state, Type::List(_) | Type::Map(..)));
    match (is_small && call.function != "product", order_sensitive) {
        (false, _) => Way::Rows,
        (true, true) => Way::MergeStates,
        (true, false) => Way::Merge,
    }
}
