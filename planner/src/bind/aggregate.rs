//! Calls of aggregates, and what else may stand beside them.

use std::collections::HashMap;
use std::rc::Rc;

use hypostyle_engine::plan::{AggregateCall, Expression, SortKey};
use hypostyle_functions::aggregate::AggregateFunction;
use hypostyle_functions::scalar::Arguments;
use hypostyle_functions::signature::Signature;
use hypostyle_functions::{Literal, Type};

use crate::bind::call::{Choice, Operand, Slot, choose};
use crate::bind::frame::{Clause, Frame};
use crate::bind::scope::{Bound, Scope};
use crate::bind::{Binder, OuterCall};
use crate::error::{Error, Result};
use crate::logical::{Column, Computed};
use crate::span::Span;
use crate::tree::{Argument, Call, ExpressionKind, Name, OrderTerm};

/// Standard SQL's names for aggregates of `WITHIN GROUP (ORDER BY x)`, with ours.
const ORDERED_SETS: [(&str, &str); 3] =
    [("percentile_cont", "quantile_cont"), ("percentile_disc", "quantile_disc"), ("mode", "mode")];

/// True for names that only `WITHIN GROUP` gives a meaning.
pub(super) fn is_ordered_set(name: &str) -> bool {
    ORDERED_SETS.iter().any(|(standard, _)| *standard == name)
}

impl Binder<'_> {
    /// An aggregate becomes a column of the relation below.
    pub(super) fn aggregate(&mut self, call: &Call, span: Span, frame: &mut Frame) -> Result<Bound> {
        if let Some(outer) = self.outer_aggregate(call, span, frame)? {
            return Ok(outer);
        }
        frame.check_aggregate(&call.name.text.to_lowercase(), span)?;
        if call.ignore_nulls.is_some() {
            return Err(Error::invalid("IGNORE NULLS and RESPECT NULLS stand only before OVER", span));
        }
        let rewritten = ordered_set(call, span)?;
        let call = rewritten.as_ref().unwrap_or(call);
        let name = call.name.text.to_lowercase();
        let Some(function) = self.context.registry.aggregate(&name).cloned() else {
            return Err(Error::invalid(format!("{name} needs WITHIN GROUP (ORDER BY ..)"), span));
        };
        frame.inside_aggregate = true;
        let bound = self.aggregate_call(&function, call, span, frame);
        frame.inside_aggregate = false;
        let bound = bound?;
        let column = match frame.calls.iter().find(|(_, held)| *held == bound) {
            Some((column, _)) => column.clone(),
            None => {
                let column = self.new_column(name, bound.data_type.clone());
                frame.calls.push((column.clone(), bound));
                column
            }
        };
        Ok(Bound::typed(column.read()))
    }

    /// An aggregate that reads nothing but columns of a query around this one belongs to that query: here its value is one
    /// more outer column.
    fn outer_aggregate(&mut self, call: &Call, span: Span, frame: &Frame) -> Result<Option<Bound>> {
        if self.outer.is_empty() || call.arguments.is_empty() {
            return Ok(None);
        }
        let reads = self.outer_reads;
        let mut probe = Frame::new(Rc::clone(&frame.scope), Clause::Select);
        probe.variables.clone_from(&frame.variables);
        probe.inside_aggregate = true;
        let mut columns = Vec::new();
        for argument in &call.arguments {
            match self.expression(&argument.value, &mut probe) {
                Ok(bound) => columns.extend(bound.expression.columns()),
                // What is wrong is told where the call is bound.
                Err(_) => columns.push(usize::MAX),
            }
        }
        let holds = |scope: &Scope, id: usize| scope.columns().iter().any(|column| column.column.id == id);
        let owner = |id: &usize| self.outer.iter().rposition(|scope| holds(scope, *id));
        let owners: Option<Vec<usize>> = columns.iter().map(owner).collect();
        let innermost = owners.and_then(|owners| owners.into_iter().max());
        let (Some(scopes), true) = (innermost, probe.pending_inside.is_empty()) else {
            self.outer_reads = reads;
            return Ok(None);
        };
        let Some(function) = self.context.registry.aggregate(&call.name.text.to_lowercase()).cloned() else {
            return Ok(None);
        };
        let bound = self.aggregate_call(&function, call, span, &mut probe)?;
        let column = self.new_column(function.name.clone(), bound.data_type.clone());
        let read = Bound::typed(column.read());
        self.outer_calls.push(OuterCall { scopes, column, call: bound, span });
        Ok(Some(read))
    }

    /// Takes over the aggregates that subqueries of this frame have met for it.
    pub(super) fn take_outer_calls(&mut self, frame: &mut Frame) -> Result<()> {
        let scopes = self.outer.len();
        let (own, others): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.outer_calls).into_iter().partition(|call| call.scopes == scopes);
        self.outer_calls = others;
        for OuterCall { column, call, span, .. } in own {
            frame.check_aggregate(&call.function, span)?;
            frame.calls.push((column, call));
        }
        Ok(())
    }

    /// The aggregate `first` of this value: that of the first row, null if it is null.
    pub(super) fn first_value(&self, value: Expression) -> Result<AggregateCall> {
        self.plain_aggregate("first", vec![value])
    }

    /// A call of an aggregate whose arguments have their types.
    pub(super) fn plain_aggregate(
        &self,
        function: &str,
        arguments: Vec<Expression>,
    ) -> Result<AggregateCall> {
        let types: Vec<Type> = arguments.iter().map(Expression::data_type).collect();
        let Some(known) = self.context.registry.aggregate(function) else {
            return Err(Error::internal(format!("the registry has no aggregate {function}")));
        };
        let given: Vec<_> = types.iter().map(hypostyle_functions::signature::Given::Typed).collect();
        let (overload, _) = known.resolve(&given)?;
        let constant = |argument: &Expression| match argument {
            Expression::Literal(literal) => Some(literal.clone()),
            _ => None,
        };
        let constants: Vec<_> = arguments.iter().map(constant).collect();
        let settings = &self.context.settings;
        let surroundings = Arguments { function, types: &types, constants: &constants, settings };
        let bound = (overload.bind)(&surroundings)?;
        Ok(AggregateCall {
            function: known.name.clone(),
            version: known.version,
            arguments,
            distinct: false,
            filter: None,
            order: Vec::new(),
            phase: Default::default(),
            data_type: bound.result,
        })
    }

    /// The operands in the order of the form that was chosen, cast to its types, with defaults where none was written.
    pub(super) fn placed(
        &mut self,
        operands: Vec<Operand<'_>>,
        choice: &Choice,
        span: Span,
    ) -> Result<Vec<Expression>> {
        let mut operands: Vec<Option<Operand<'_>>> = operands.into_iter().map(Some).collect();
        let mut arguments = Vec::with_capacity(choice.slots.len());
        for (slot, to) in choice.slots.iter().zip(&choice.fit.types) {
            let (bound, place) = match slot {
                Slot::Default(literal) => (Bound::typed(Expression::Literal(literal.clone())), span),
                Slot::Given(index) => match operands.get_mut(*index).and_then(Option::take) {
                    Some(Operand::Value(bound, place)) => (bound, place),
                    _ => return Err(Error::internal("an argument was taken twice")),
                },
            };
            arguments.push(self.cast(bound, to, place)?);
        }
        Ok(arguments)
    }

    pub(super) fn aggregate_call(
        &mut self,
        function: &AggregateFunction,
        call: &Call,
        span: Span,
        frame: &mut Frame,
    ) -> Result<AggregateCall> {
        let star = matches!(call.arguments.as_slice(), [Argument { value, .. }] if matches!(value.kind, ExpressionKind::Star(_)));
        let written = if star { &[] } else { call.arguments.as_slice() };
        let mut operands = Vec::with_capacity(written.len());
        for argument in written {
            let bound = self.untyped_as_text(&argument.value, frame)?;
            operands.push(Operand::Value(bound, argument.value.span));
        }
        let names: Vec<Option<&Name>> = written.iter().map(|argument| argument.name.as_ref()).collect();
        let forms: Vec<&Signature> = function.overloads.iter().map(|overload| &overload.signature).collect();
        let choice = choose(&function.name, &forms, &operands, &names, span)?;
        let Some(overload) = function.overloads.get(choice.form) else {
            return Err(Error::internal("a form of an aggregate vanished"));
        };
        let arguments = self.placed(operands, &choice, span)?;
        let constants: Vec<Option<Literal>> = arguments.iter().map(constant).collect();
        let settings = &self.context.settings;
        let surroundings =
            Arguments { function: &function.name, types: &choice.fit.types, constants: &constants, settings };
        let bound = (overload.bind)(&surroundings).map_err(|error| Error::from(error).at(span))?;
        let filter = match &call.filter {
            Some(filter) => {
                let condition = self.expression(filter, frame)?;
                Some(self.boolean(condition, "the condition of FILTER", filter.span)?)
            }
            None => None,
        };
        let order = match function.order_sensitive {
            true => self.order_inside(&call.order_by, frame)?,
            false => Vec::new(),
        };
        Ok(AggregateCall {
            function: function.name.clone(),
            version: function.version,
            distinct: call.distinct
                && !(function.ignores_duplicates && arguments.len() == 1)
                && !arguments.is_empty(),
            arguments,
            filter,
            order,
            phase: Default::default(),
            data_type: bound.result,
        })
    }

    pub(super) fn order_inside(&mut self, terms: &[OrderTerm], frame: &mut Frame) -> Result<Vec<SortKey>> {
        let mut keys = Vec::with_capacity(terms.len());
        for term in terms {
            let bound = self.untyped_as_text(&term.expression, frame)?;
            keys.push(SortKey {
                expression: bound.expression,
                descending: term.descending,
                nulls_first: term.nulls_first.unwrap_or(false),
            });
        }
        Ok(keys)
    }
}

fn constant(argument: &Expression) -> Option<Literal> {
    match argument {
        Expression::Literal(literal) => Some(literal.clone()),
        _ => None,
    }
}

/// `percentile_cont(0.5) WITHIN GROUP (ORDER BY x)` is `quantile_cont(x, 0.5)`.
pub(super) fn ordered_set(call: &Call, span: Span) -> Result<Option<Call>> {
    if !call.within_group {
        return Ok(None);
    }
    let known = ORDERED_SETS.iter().find(|(standard, ours)| call.name.is(standard) || call.name.is(ours));
    let Some((_, ours)) = known else {
        // Other aggregates see their rows in this order, as with ORDER BY among the arguments.
        return Ok(None);
    };
    let [term] = call.order_by.as_slice() else {
        return Err(Error::invalid("WITHIN GROUP takes one expression here", span));
    };
    if term.descending {
        return Err(Error::unsupported("WITHIN GROUP (ORDER BY .. DESC) is", term.expression.span));
    }
    let first = Argument { name: None, value: term.expression.clone() };
    let arguments = std::iter::once(first).chain(call.arguments.iter().cloned()).collect();
    let name = Name::new(*ours, call.name.span);
    Ok(Some(Call { name, arguments, order_by: Vec::new(), within_group: false, ..call.clone() }))
}

/// Rewrites an expression over the rows of FROM into one over groups: keys become columns of keys. What is left of the
/// columns of FROM is an error.
pub(super) struct Grouping<'g> {
    /// The keys.
    pub keys: &'g [Computed],
    /// Values of which any of the group is shown.
    pub shown: &'g [(Expression, Column)],
    /// What stands in place of columns of these numbers.
    pub values: &'g HashMap<usize, Expression>,
    /// Columns that are there after grouping.
    pub available: &'g dyn Fn(usize) -> bool,
}

impl Grouping<'_> {
    /// Rewrites in place.
    ///
    /// # Errors
    /// A column that is no key and stands in no aggregate.
    pub fn rewrite(&self, expression: &mut Expression, frame: &Frame) -> Result<()> {
        stacker::maybe_grow(64 << 10, 1 << 20, || {
            if let Some(key) = self.keys.iter().find(|key| key.expression == *expression) {
                *expression = key.column.read();
                return Ok(());
            }
            if let Some((_, column)) = self.shown.iter().find(|(value, _)| value == expression) {
                *expression = column.read();
                return Ok(());
            }
            if let Expression::Column { index, .. } = expression
                && let Some(value) = self.values.get(index)
            {
                *expression = value.clone();
                return Ok(());
            }
            if let Expression::Column { index, .. } = expression
                && !(self.available)(*index)
            {
                let name = frame.scope.columns().iter().find(|column| column.column.id == *index);
                let name = name.map(|column| column.column.name.as_str()).unwrap_or_default();
                let message = format!(
                    "column \"{name}\" must stand in GROUP BY or inside an aggregate such as any_value({name})"
                );
                let span = frame.places.get(index).copied().unwrap_or_default();
                return Err(Error::invalid(message, span));
            }
            expression.children_mut().into_iter().try_for_each(|child| self.rewrite(child, frame))
        })
    }
}
