//! Windows: columns that the rows of a projection get.

use hypostyle_engine::plan::{
    Exclusion, Expression as Bound, FrameBound, FrameUnits, SortKey, Window, WindowCall, WindowFrame,
    WindowFunction as Call,
};
use hypostyle_functions::{Literal, Type, Value};
use hypostyle_planner::logical::{Column, Relation, one_row};

use crate::data_type::{self, same_shape};
use crate::error::{Error, Result};
use crate::message::expression::{AggregateFunction, Bound as Edge, BoundKind, Offset, WindowFunction};

use super::Reader;
use super::expression::Scope;

/// `BOUNDS_TYPE_RANGE`.
const RANGE: i32 = 2;

impl Reader<'_> {
    pub(super) fn window_function(
        &mut self,
        window: &WindowFunction,
        scope: &mut Scope<'_>,
    ) -> Result<Bound> {
        if scope.input.is_none() {
            return Err(Error::unsupported("a window function in this place"));
        }
        let partition = window.partitions.iter().map(|key| self.expression(key, scope));
        let partition = partition.collect::<Result<Vec<_>>>()?;
        let order = self.sort_keys(&window.sorts, scope)?;
        let (function, data_type) = self.windowed(window, scope)?;
        let frame = self.frame(window, &order, scope)?;
        let column = self.builder.column("window", data_type.clone());
        let call = WindowCall { function, order: 0, frame, data_type: data_type.clone() };
        let input = scope.input.as_deref_mut().ok_or_else(|| Error::missing("input of a window"))?;
        add_call(input, partition, order, call, column.clone());
        let value = column.read();
        let Some(declared) = &window.output_type else { return Ok(value) };
        let declared = data_type::read(declared, &self.types)?;
        match declared == Type::Null || same_shape(&declared, &data_type) {
            true => Ok(value),
            false => Ok(self.builder.cast(value, &declared, false)),
        }
    }

    fn windowed(&mut self, window: &WindowFunction, scope: &mut Scope<'_>) -> Result<(Call, Type)> {
        let (_, name) = self.function_name(window.reference)?;
        if self.context.registry.window(&name).is_some() {
            let (_, arguments) = self.arguments(&window.arguments, &window.args, scope)?;
            if let Some((kind, arguments)) = self.builder.window_function(&name, arguments)? {
                let types: Vec<Type> = arguments.iter().map(Bound::data_type).collect();
                let data_type = kind.result(&types);
                let (ignore_nulls, order) = (false, Vec::new());
                return Ok((Call::Positional { name, kind, arguments, ignore_nulls, order }, data_type));
            }
        }
        let function = AggregateFunction {
            reference: window.reference,
            args: window.args.clone(),
            sorts: Vec::new(),
            phase: window.phase,
            output_type: None,
            invocation: window.invocation,
            arguments: window.arguments.clone(),
            options: window.options.clone(),
        };
        let (call, _) = self.aggregate_call(&function, scope)?;
        let data_type = call.data_type.clone();
        Ok((Call::Aggregate(call), data_type))
    }

    fn frame(
        &mut self,
        window: &WindowFunction,
        order: &[SortKey],
        scope: &mut Scope<'_>,
    ) -> Result<WindowFrame> {
        let is_range = window.bounds_type == RANGE;
        let units = if is_range { FrameUnits::Range } else { FrameUnits::Rows };
        let mut start = self.edge(window.lower_bound.as_ref(), true, scope)?;
        let mut end = self.edge(window.upper_bound.as_ref(), false, scope)?;
        let mut key = None;
        if is_range && (start.value().is_some() || end.value().is_some()) {
            key = Some(self.range(&mut start, &mut end, order)?);
        }
        match (&start, &end) {
            (FrameBound::UnboundedFollowing, _) | (_, FrameBound::UnboundedPreceding) => {
                Err(Error::invalid("a window frame starts behind its partition or ends before it"))
            }
            _ => Ok(WindowFrame { units, start, end, exclude: Exclusion::None, key }),
        }
    }

    fn edge(&mut self, bound: Option<&Edge>, is_start: bool, scope: &mut Scope<'_>) -> Result<FrameBound> {
        let unbounded =
            if is_start { FrameBound::UnboundedPreceding } else { FrameBound::UnboundedFollowing };
        let Some(kind) = bound.and_then(|bound| bound.kind.as_ref()) else { return Ok(unbounded) };
        Ok(match kind {
            BoundKind::Unbounded(_) => unbounded,
            BoundKind::CurrentRow(_) => FrameBound::CurrentRow,
            BoundKind::Preceding(offset) => FrameBound::Preceding(self.offset(offset, scope)?),
            BoundKind::Following(offset) => FrameBound::Following(self.offset(offset, scope)?),
        })
    }

    fn offset(&mut self, offset: &Offset, scope: &mut Scope<'_>) -> Result<Bound> {
        let value = match &offset.expression {
            Some(expression) => self.expression(expression, scope)?,
            None => Bound::Literal(Literal::new(Value::Int64(offset.offset))),
        };
        match value.data_type().is_integer() {
            true => Ok(self.builder.cast(value, &Type::Int64, false)),
            false => Ok(value),
        }
    }

    /// Turns offsets into the values at which the bounds lie; the key in the type of these values.
    fn range(&mut self, start: &mut FrameBound, end: &mut FrameBound, order: &[SortKey]) -> Result<Bound> {
        let [sort] = order else {
            let problem = format!("a range with offsets needs an order of one key, not {}", order.len());
            return Err(Error::invalid(problem));
        };
        let key = &sort.expression;
        let mut values = vec![key.clone()];
        for bound in [&*start, &*end] {
            if let Some(offset) = bound.value() {
                let is_preceding = matches!(bound, FrameBound::Preceding(_));
                let function = if is_preceding == sort.descending { "+" } else { "-" };
                values.push(self.builder.call(function, vec![key.clone(), offset.clone()])?);
            }
        }
        let (values, _) = self.builder.unified(values, "a range")?;
        let mut values = values.into_iter();
        let key = values.next().ok_or_else(|| Error::missing("key of a range"))?;
        for bound in [start, end] {
            if let Some(held) = bound.value_mut() {
                *held = values.next().ok_or_else(|| Error::missing("bound of a range"))?;
            }
        }
        Ok(key)
    }
}

/// Adds a call to the window that the rows have already, if it has the same partition and order, or else to a new one.
fn add_call(
    input: &mut Relation,
    partition: Vec<Bound>,
    order: Vec<SortKey>,
    call: WindowCall,
    column: Column,
) {
    if let Relation::Window { window, columns, .. } = input {
        let read = |expression: &Bound| expression.columns();
        let own: Vec<usize> = columns.iter().map(|column| column.id).collect();
        let mut reads = call.expressions().into_iter().flat_map(read);
        let same = window.partition == partition
            && window.orders.len() == 1
            && window.orders.first() == Some(&order);
        if same && !reads.any(|id| own.contains(&id)) {
            window.calls.push(call);
            columns.push(column);
            return;
        }
    }
    let window = Window { partition, orders: vec![order], calls: vec![call], limit: None };
    let below = std::mem::replace(input, one_row());
    *input = Relation::Window { input: Box::new(below), window, columns: vec![column] };
}
