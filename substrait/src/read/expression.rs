//! Expressions.

use hypostyle_engine::plan::Expression as Bound;
use hypostyle_functions::{Literal, Type, Value};
use hypostyle_planner::logical::{Column, Relation};

use crate::data_type::{self, same_shape};
use crate::error::{Error, Result};
use crate::literal;
use crate::message::expression::{
    Cast, DynamicParameter, Expression, ExpressionKind, FieldReference, IfThen, Lambda, Nested, NestedKind,
    ReferenceKind, ReferenceRoot, ReferenceSegment, SegmentKind, SingularOrList, SwitchExpression,
};

use super::{PARAMETERS_MAX, Reader};

/// `FAILURE_BEHAVIOR_RETURN_NULL`.
const RETURN_NULL: i32 = 1;

/// What an expression may read, and where the subqueries and windows in it are computed.
#[derive(Debug, Default)]
pub(super) struct Scope<'r> {
    pub columns: Vec<Column>,
    /// The rows that the expression is computed over, which get a column for each subquery and window.
    pub input: Option<&'r mut Relation>,
    /// Parameters of the lambdas around, innermost last.
    pub lambdas: Vec<Vec<(u32, Type)>>,
}

impl<'r> Scope<'r> {
    /// These columns.
    pub fn over(columns: &[Column], input: Option<&'r mut Relation>) -> Self {
        Self { columns: columns.to_vec(), input, lambdas: Vec::new() }
    }
}

impl Reader<'_> {
    pub(super) fn expression(&mut self, expression: &Expression, scope: &mut Scope<'_>) -> Result<Bound> {
        stacker::maybe_grow(256 << 10, 2 << 20, || self.read_expression(expression, scope))
    }

    fn read_expression(&mut self, expression: &Expression, scope: &mut Scope<'_>) -> Result<Bound> {
        let kind = expression.kind.as_ref().ok_or_else(|| Error::missing("kind of an expression"))?;
        match kind {
            ExpressionKind::Literal(literal) => Ok(Bound::Literal(literal::read(literal, &self.types)?)),
            ExpressionKind::Selection(selection) => self.selection(selection, scope),
            ExpressionKind::ScalarFunction(function) => self.scalar_function(function, scope),
            ExpressionKind::WindowFunction(function) => self.window_function(function, scope),
            ExpressionKind::IfThen(case) => self.if_then(case, scope),
            ExpressionKind::SwitchExpression(switch) => self.switch(switch, scope),
            ExpressionKind::SingularOrList(list) => self.or_list(list, scope),
            ExpressionKind::Cast(cast) => self.cast(cast, scope),
            ExpressionKind::Subquery(subquery) => self.subquery(subquery, scope),
            ExpressionKind::Nested(nested) => self.nested(nested, scope),
            ExpressionKind::DynamicParameter(parameter) => self.parameter(parameter),
            ExpressionKind::Lambda(lambda) => self.lambda(lambda, scope),
            ExpressionKind::MultiOrList(_) => {
                Err(Error::unsupported("the Substrait expression multi_or_list"))
            }
            ExpressionKind::LambdaInvocation(_) => {
                Err(Error::unsupported("the Substrait expression lambda_invocation"))
            }
            ExpressionKind::ExecutionContextVariable(_) => {
                Err(Error::unsupported("the Substrait expression execution_context_variable"))
            }
        }
    }

    /// A truth value.
    pub(super) fn condition(&mut self, expression: &Expression, scope: &mut Scope<'_>) -> Result<Bound> {
        let condition = self.expression(expression, scope)?;
        self.boolean(condition)
    }

    pub(super) fn boolean(&mut self, expression: Bound) -> Result<Bound> {
        match expression.data_type() {
            Type::Boolean => Ok(expression),
            Type::Null => Ok(self.builder.cast(expression, &Type::Boolean, false)),
            other => Err(Error::invalid(format!("a condition has type {other}; expected BOOLEAN"))),
        }
    }

    fn selection(&mut self, selection: &FieldReference, scope: &mut Scope<'_>) -> Result<Bound> {
        let segment = match &selection.reference {
            Some(ReferenceKind::Direct(segment)) => segment,
            Some(ReferenceKind::Masked(_)) => return Err(Error::unsupported("a masked reference")),
            None => return Err(Error::missing("field of a reference")),
        };
        if let Some(ReferenceRoot::Expression(root)) = &selection.root {
            let root = self.expression(root, scope)?;
            return self.step(root, segment);
        }
        let Some(SegmentKind::StructField(first)) = &segment.kind else {
            return Err(Error::invalid("a reference to a row needs the number of a field"));
        };
        let position = usize::try_from(first.field).ok();
        let found = match &selection.root {
            Some(ReferenceRoot::Outer(outer)) => {
                let steps = usize::try_from(outer.steps_out).ok().filter(|steps| *steps > 0);
                let level = steps.and_then(|steps| self.outer.len().checked_sub(steps));
                let level = level.and_then(|level| self.outer.get(level));
                let level = level.ok_or_else(|| {
                    let (steps, around) = (outer.steps_out, self.outer.len());
                    Error::invalid(format!("a reference goes {steps} queries outwards; there are {around}"))
                })?;
                position.and_then(|position| level.get(position)).map(Column::read)
            }
            Some(ReferenceRoot::LambdaParameter(lambda)) => {
                let steps = usize::try_from(lambda.steps_out).unwrap_or(usize::MAX);
                let level = scope.lambdas.iter().rev().nth(steps);
                let level = level.ok_or_else(|| Error::invalid("a reference to a parameter of no lambda"))?;
                let found = position.and_then(|position| level.get(position));
                found.map(|(id, data_type)| Bound::Variable { id: *id, data_type: data_type.clone() })
            }
            _ => position.and_then(|position| scope.columns.get(position)).map(Column::read),
        };
        let value = found.ok_or_else(|| {
            let (field, known) = (first.field, scope.columns.len());
            Error::invalid(format!("a reference to column {field}; the input has {known} columns"))
        })?;
        match &first.child {
            Some(child) => self.step(value, child),
            None => Ok(value),
        }
    }

    /// A part of a value.
    fn step(&mut self, value: Bound, segment: &ReferenceSegment) -> Result<Bound> {
        let constant = |number: i64| Bound::Literal(Literal::new(Value::Int64(number)));
        let (value, child) = match &segment.kind {
            Some(SegmentKind::StructField(step)) => {
                let place = constant(i64::from(step.field) + 1);
                (self.builder.call("struct_extract_at", vec![value, place])?, &step.child)
            }
            Some(SegmentKind::ListElement(step)) => {
                let offset = i64::from(step.offset);
                // Lists begin at 1 here; places from the end are negative on both sides.
                let place = constant(if offset < 0 { offset } else { offset + 1 });
                (self.builder.call("array_extract", vec![value, place])?, &step.child)
            }
            Some(SegmentKind::MapKey(step)) => {
                let key = step.key.as_ref().ok_or_else(|| Error::missing("key of a map"))?;
                let key = Bound::Literal(literal::read(key, &self.types)?);
                (self.builder.call("map_extract_value", vec![value, key])?, &step.child)
            }
            None => return Err(Error::missing("step of a reference")),
        };
        match child {
            Some(child) => self.step(value, child),
            None => Ok(value),
        }
    }

    fn if_then(&mut self, case: &IfThen, scope: &mut Scope<'_>) -> Result<Bound> {
        let mut conditions = Vec::with_capacity(case.clauses.len());
        let mut values = Vec::with_capacity(case.clauses.len() + 1);
        for clause in &case.clauses {
            let condition = clause.r#if.as_ref().ok_or_else(|| Error::missing("condition of a clause"))?;
            let value = clause.then.as_ref().ok_or_else(|| Error::missing("value of a clause"))?;
            conditions.push(self.condition(condition, scope)?);
            values.push(self.expression(value, scope)?);
        }
        self.case(conditions, values, case.r#else.as_deref(), scope)
    }

    fn switch(&mut self, switch: &SwitchExpression, scope: &mut Scope<'_>) -> Result<Bound> {
        let operand = switch.r#match.as_deref().ok_or_else(|| Error::missing("operand of a switch"))?;
        let operand = self.expression(operand, scope)?;
        let mut conditions = Vec::with_capacity(switch.clauses.len());
        let mut values = Vec::with_capacity(switch.clauses.len() + 1);
        for clause in &switch.clauses {
            let literal = clause.r#if.as_ref().ok_or_else(|| Error::missing("literal of a clause"))?;
            let literal = Bound::Literal(literal::read(literal, &self.types)?);
            let operand = self.copy(&operand)?;
            conditions.push(self.builder.call("=", vec![operand, literal])?);
            let value = clause.then.as_ref().ok_or_else(|| Error::missing("value of a clause"))?;
            values.push(self.expression(value, scope)?);
        }
        self.case(conditions, values, switch.r#else.as_deref(), scope)
    }

    fn case(
        &mut self,
        conditions: Vec<Bound>,
        mut values: Vec<Bound>,
        otherwise: Option<&Expression>,
        scope: &mut Scope<'_>,
    ) -> Result<Bound> {
        if let Some(otherwise) = otherwise {
            values.push(self.expression(otherwise, scope)?);
        }
        let (mut values, data_type) = self.builder.unified(values, "an if-then")?;
        let otherwise = match otherwise {
            Some(_) => values.pop().map(Box::new),
            None => None,
        };
        let branches: Vec<(Bound, Bound)> = conditions.into_iter().zip(values).collect();
        match (branches.is_empty(), otherwise) {
            (true, Some(otherwise)) => Ok(*otherwise),
            (true, None) => Err(Error::missing("clause of an if-then")),
            (false, otherwise) => Ok(Bound::Case { branches, otherwise, data_type }),
        }
    }

    fn or_list(&mut self, list: &SingularOrList, scope: &mut Scope<'_>) -> Result<Bound> {
        let value = list.value.as_deref().ok_or_else(|| Error::missing("value of an or-list"))?;
        let mut sides = vec![self.expression(value, scope)?];
        for option in &list.options {
            sides.push(self.expression(option, scope)?);
        }
        let (sides, _) = self.builder.unified(sides, "an or-list")?;
        match sides.len() {
            1 => Ok(Bound::Literal(Literal::new(Value::Boolean(false)))),
            2 => Ok(self.builder.call("=", sides)?),
            _ => Ok(self.builder.call("in_list", sides)?),
        }
    }

    fn cast(&mut self, cast: &Cast, scope: &mut Scope<'_>) -> Result<Bound> {
        let input = cast.input.as_deref().ok_or_else(|| Error::missing("operand of a cast"))?;
        let to = cast.r#type.as_ref().ok_or_else(|| Error::missing("type of a cast"))?;
        let to = data_type::read(to, &self.types)?;
        let input = self.expression(input, scope)?;
        // Types of the format have no names of fields to change to.
        match same_shape(&input.data_type(), &to) {
            true => Ok(input),
            false => Ok(self.builder.cast(input, &to, cast.failure_behavior == RETURN_NULL)),
        }
    }

    fn nested(&mut self, nested: &Nested, scope: &mut Scope<'_>) -> Result<Bound> {
        match nested.kind.as_ref().ok_or_else(|| Error::missing("kind of a nested value"))? {
            NestedKind::Struct(fields) => {
                let fields = fields.fields.iter().map(|field| self.expression(field, scope));
                let fields = fields.collect::<Result<_>>()?;
                Ok(self.builder.call("row", fields)?)
            }
            NestedKind::List(list) => {
                let values = list.values.iter().map(|value| self.expression(value, scope));
                let values = values.collect::<Result<_>>()?;
                self.list(values)
            }
            NestedKind::Map(map) => {
                let (mut keys, mut values) = (Vec::new(), Vec::new());
                for entry in &map.entries {
                    let key = entry.key.as_ref().ok_or_else(|| Error::missing("key of a map"))?;
                    let value = entry.value.as_ref().ok_or_else(|| Error::missing("value of a map"))?;
                    keys.push(self.expression(key, scope)?);
                    values.push(self.expression(value, scope)?);
                }
                let (keys, values) = (self.list(keys)?, self.list(values)?);
                Ok(self.builder.call("map", vec![keys, values])?)
            }
        }
    }

    fn list(&mut self, values: Vec<Bound>) -> Result<Bound> {
        let (values, _) = self.builder.unified(values, "a list")?;
        Ok(self.builder.call("list_value", values)?)
    }

    fn parameter(&mut self, parameter: &DynamicParameter) -> Result<Bound> {
        let index = usize::try_from(parameter.reference).ok().filter(|index| *index < PARAMETERS_MAX);
        let index = index.ok_or_else(|| {
            Error::unsupported(format!("parameter {}; at most {PARAMETERS_MAX} are", parameter.reference))
        })?;
        let data_type = parameter.r#type.as_ref().ok_or_else(|| Error::missing("type of a parameter"))?;
        let data_type = data_type::read(data_type, &self.types)?;
        if self.parameters.len() <= index {
            self.parameters.resize(index + 1, None);
        }
        match self.parameters.get_mut(index) {
            Some(Some(held)) if *held != data_type => {
                let problem = format!("parameter {index} has type {held} and type {data_type}");
                return Err(Error::invalid(problem));
            }
            Some(held) => *held = Some(data_type.clone()),
            None => {}
        }
        Ok(Bound::Parameter { index, data_type })
    }

    fn lambda(&mut self, lambda: &Lambda, scope: &mut Scope<'_>) -> Result<Bound> {
        let body = lambda.body.as_deref().ok_or_else(|| Error::missing("body of a lambda"))?;
        let types = lambda.parameters.iter().flat_map(|parameters| &parameters.types);
        let mut parameters = Vec::new();
        for data_type in types {
            parameters.push((self.builder.variable(), data_type::read(data_type, &self.types)?));
        }
        scope.lambdas.push(parameters.clone());
        // Subqueries and windows have no place for a value of each element.
        let input = scope.input.take();
        let body = self.expression(body, scope);
        scope.input = input;
        scope.lambdas.pop();
        Ok(Bound::Lambda { parameters, body: Box::new(body?) })
    }
}
