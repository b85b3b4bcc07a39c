//! Windows: expressions of a projection that keeps the columns of its input.

use hypostyle_engine::plan::{
    Exclusion, Expression as Bound, FrameBound, FrameUnits, SortKey, Window, WindowCall,
    WindowFunction as Call,
};
use hypostyle_functions::Type;
use hypostyle_planner::logical::Column;

use crate::data_type;
use crate::error::{Error, Result};
use crate::function::{Extension, WINDOW_FUNCTIONS};
use crate::message::expression::{
    AggregateFunction, Bound as Edge, BoundKind, Expression, ExpressionKind, Offset, WindowFunction,
};
use crate::message::relation::{Project, RelKind, Unread};

use super::aggregate::WHOLE;
use super::expression::Scope;
use super::{Writer, Written};

/// `BOUNDS_TYPE_ROWS` and `BOUNDS_TYPE_RANGE`.
const ROWS: i32 = 1;
const RANGE: i32 = 2;

impl Writer<'_> {
    pub(super) fn window(&mut self, input: Written, window: &Window, columns: &[Column]) -> Result<Written> {
        let scope = Scope::new(input.positions());
        let mut expressions = Vec::with_capacity(window.calls.len());
        for call in &window.calls {
            let order = window.orders.get(call.order).map_or(&[][..], Vec::as_slice);
            let function = self.window_call(call, &window.partition, order, &scope)?;
            expressions.push(Expression { kind: Some(ExpressionKind::WindowFunction(function)) });
        }
        let mut ids = input.columns;
        ids.extend(columns.iter().map(|column| column.id));
        let project = Project { common: None, input: Some(Box::new(input.rel)), expressions };
        Ok(Written::new(RelKind::Project(Box::new(project)), ids))
    }

    fn window_call(
        &mut self,
        call: &WindowCall,
        partition: &[Bound],
        order: &[SortKey],
        scope: &Scope,
    ) -> Result<WindowFunction> {
        let function = match &call.function {
            Call::Aggregate(aggregate) if aggregate.filter.is_some() => {
                return Err(Error::unsupported("FILTER of a window function"));
            }
            Call::Aggregate(aggregate) if !aggregate.order.is_empty() => {
                return Err(Error::unsupported("ORDER BY among the arguments of a window function"));
            }
            Call::Aggregate(aggregate) => self.aggregate_function(aggregate, scope)?,
            Call::Positional { name, arguments, ignore_nulls, order, .. } => {
                if *ignore_nulls {
                    return Err(Error::unsupported("IGNORE NULLS"));
                }
                if !order.is_empty() {
                    return Err(Error::unsupported("ORDER BY among the arguments of a window function"));
                }
                self.positional(name, written_arguments(name, arguments), &call.data_type, scope)?
            }
        };
        let frame = &call.frame;
        if frame.exclude != Exclusion::None {
            return Err(Error::unsupported("EXCLUDE of a window frame"));
        }
        let bounds_type = match frame.units {
            FrameUnits::Rows => ROWS,
            FrameUnits::Range if frame.key.is_none() => RANGE,
            FrameUnits::Range => return Err(Error::unsupported("a RANGE of values as a window frame")),
            FrameUnits::Groups => return Err(Error::unsupported("GROUPS of a window frame")),
        };
        let partitions = partition.iter().map(|key| self.expression(key, scope)).collect::<Result<_>>()?;
        Ok(WindowFunction {
            reference: function.reference,
            partitions,
            sorts: self.sort_fields(order, scope)?,
            upper_bound: Some(self.edge(&frame.end, scope)?),
            lower_bound: Some(self.edge(&frame.start, scope)?),
            phase: WHOLE,
            output_type: function.output_type,
            args: Vec::new(),
            arguments: function.arguments,
            invocation: function.invocation,
            options: Vec::new(),
            bounds_type,
        })
    }

    fn positional(
        &mut self,
        name: &str,
        arguments: &[Bound],
        result: &Type,
        scope: &Scope,
    ) -> Result<AggregateFunction> {
        let types: Vec<Type> = arguments.iter().map(Bound::data_type).collect();
        let is_standard = WINDOW_FUNCTIONS.contains(&name);
        let extension = if is_standard { Extension::Arithmetic } else { Extension::Own };
        Ok(AggregateFunction {
            reference: self.declarations.function(extension, name, &types),
            output_type: Some(data_type::write(result, &mut self.declarations)),
            arguments: self.arguments(arguments, scope)?,
            invocation: 1,
            ..AggregateFunction::default()
        })
    }

    fn edge(&mut self, bound: &FrameBound, scope: &Scope) -> Result<Edge> {
        let mut offset = |value: &Bound| match value {
            Bound::Literal(literal) => {
                let Some(offset) = literal.value.as_i64() else {
                    return Err(Error::unsupported("a window frame whose offset is no number"));
                };
                // Both the old form and the new one, so that every reader finds its own.
                let expression = Some(Box::new(self.expression(value, scope)?));
                Ok(Offset { offset, expression })
            }
            _ => Err(Error::unsupported("a window frame whose offset is computed")),
        };
        let kind = match bound {
            FrameBound::UnboundedPreceding | FrameBound::UnboundedFollowing => {
                BoundKind::Unbounded(Unread {})
            }
            FrameBound::CurrentRow => BoundKind::CurrentRow(Unread {}),
            FrameBound::Preceding(value) => BoundKind::Preceding(offset(value)?),
            FrameBound::Following(value) => BoundKind::Following(offset(value)?),
        };
        Ok(Edge { kind: Some(kind) })
    }
}

/// The arguments without a default that says nothing.
fn written_arguments<'e>(name: &str, arguments: &'e [Bound]) -> &'e [Bound] {
    match (name, arguments) {
        ("lag" | "lead", [_, _, default]) if super::relation::is_null(default) => &arguments[..2],
        _ => arguments,
    }
}
