//! Expressions.

use std::collections::HashMap;

use hypostyle_engine::plan::Expression as Bound;
use hypostyle_functions::{Literal, Type, Value};

use crate::data_type::{self, is_nameless};
use crate::error::{Error, Result};
use crate::function::{self, DATE_PARTS, Extension};
use crate::literal;
use crate::message::data_type::Struct;
use crate::message::expression::{
    ArgumentKind, Cast, DynamicParameter, Expression, ExpressionKind, FieldReference, FunctionArgument,
    IfClause, IfThen, Lambda, LambdaParameter, ReferenceKind, ReferenceRoot, ReferenceSegment,
    ScalarFunction, SegmentKind, SingularOrList, StructField,
};
use crate::message::relation::Unread;

use super::{Writer, field, lost};

/// `FAILURE_BEHAVIOR_RETURN_NULL` and `FAILURE_BEHAVIOR_THROW_EXCEPTION`.
const RETURN_NULL: i32 = 1;
const THROW: i32 = 2;

/// Our name for a cast to a type whose names of fields would get lost; the type is its second argument.
pub const CAST: &str = "cast";
/// The same, null where it fails.
pub const TRY_CAST: &str = "try_cast";
/// Null where the argument fails.
pub const TRY: &str = "try";

/// What an expression may read.
#[derive(Debug, Clone, Default)]
pub(super) struct Scope {
    columns: HashMap<usize, usize>,
    /// Parameters of the lambdas around, innermost last.
    lambdas: Vec<Vec<u32>>,
}

impl Scope {
    /// Columns at these positions.
    pub fn new(columns: HashMap<usize, usize>) -> Self {
        Self { columns, lambdas: Vec::new() }
    }
}

fn of(kind: ExpressionKind) -> Expression {
    Expression { kind: Some(kind) }
}

fn reference(position: usize, root: ReferenceRoot) -> Expression {
    let step = SegmentKind::StructField(Box::new(StructField { field: field(position), child: None }));
    let direct = ReferenceKind::Direct(ReferenceSegment { kind: Some(step) });
    of(ExpressionKind::Selection(Box::new(FieldReference { reference: Some(direct), root: Some(root) })))
}

impl Writer<'_> {
    pub(super) fn expression(&mut self, expression: &Bound, scope: &Scope) -> Result<Expression> {
        stacker::maybe_grow(128 << 10, 2 << 20, || self.written(expression, scope))
    }

    fn written(&mut self, expression: &Bound, scope: &Scope) -> Result<Expression> {
        Ok(match expression {
            Bound::Column { index, .. } => {
                let position = *scope.columns.get(index).ok_or_else(|| lost(*index))?;
                reference(position, ReferenceRoot::Input(Unread {}))
            }
            Bound::Literal(literal) => self.literal(&literal.value, &literal.data_type, scope)?,
            Bound::Parameter { index, data_type } => of(ExpressionKind::DynamicParameter(DynamicParameter {
                r#type: Some(data_type::write(data_type, &mut self.declarations)),
                reference: u32::try_from(*index).unwrap_or(u32::MAX),
            })),
            Bound::Variable { id, .. } => variable(*id, scope)?,
            Bound::Call { function, arguments, data_type, .. } => {
                self.call(function, arguments, data_type, scope)?
            }
            Bound::Lambda { parameters, body } => self.lambda(parameters, body, scope)?,
            Bound::Cast { input, to, is_try, .. } => self.cast(input, to, *is_try, scope)?,
            Bound::And(terms) => self.variadic(Extension::Boolean, "and", terms, &Type::Boolean, scope)?,
            Bound::Or(terms) => self.variadic(Extension::Boolean, "or", terms, &Type::Boolean, scope)?,
            // What is left of a COALESCE of nulls.
            Bound::Coalesce { arguments, data_type } if arguments.is_empty() => {
                self.literal(&Value::Null, data_type, scope)?
            }
            Bound::Coalesce { arguments, data_type } => {
                self.variadic(Extension::Comparison, "coalesce", arguments, data_type, scope)?
            }
            Bound::Case { branches, otherwise, .. } => self.case(branches, otherwise.as_deref(), scope)?,
            Bound::Try(input) => {
                self.variadic(Extension::Own, TRY, std::slice::from_ref(input), &input.data_type(), scope)?
            }
        })
    }

    /// A function by its name on the other side.
    pub(super) fn variadic(
        &mut self,
        extension: Extension,
        name: &str,
        arguments: &[Bound],
        result: &Type,
        scope: &Scope,
    ) -> Result<Expression> {
        let arguments_written = self.arguments(arguments, scope)?;
        let types: Vec<Type> = arguments.iter().map(Bound::data_type).collect();
        Ok(self.function(extension, name, &types, arguments_written, result))
    }

    fn function(
        &mut self,
        extension: Extension,
        name: &str,
        types: &[Type],
        arguments: Vec<FunctionArgument>,
        result: &Type,
    ) -> Expression {
        of(ExpressionKind::ScalarFunction(ScalarFunction {
            reference: self.declarations.function(extension, name, types),
            args: Vec::new(),
            output_type: Some(data_type::write(result, &mut self.declarations)),
            arguments,
            options: Vec::new(),
        }))
    }

    pub(super) fn arguments(&mut self, arguments: &[Bound], scope: &Scope) -> Result<Vec<FunctionArgument>> {
        arguments.iter().map(|argument| Ok(value(self.expression(argument, scope)?))).collect()
    }

    fn call(&mut self, name: &str, arguments: &[Bound], result: &Type, scope: &Scope) -> Result<Expression> {
        let types: Vec<Type> = arguments.iter().map(Bound::data_type).collect();
        match (name, arguments) {
            ("in_list", [operand, options @ ..]) => {
                let operand = Some(Box::new(self.expression(operand, scope)?));
                let options = options.iter().map(|option| self.expression(option, scope));
                let options = options.collect::<Result<_>>()?;
                return Ok(of(ExpressionKind::SingularOrList(Box::new(SingularOrList {
                    value: operand,
                    options,
                }))));
            }
            ("struct_extract", [input, Bound::Literal(key)]) => {
                if let Some(position) = field_position(&input.data_type(), key) {
                    return self.field(input, position, scope);
                }
            }
            (part, [input]) if input.data_type().is_temporal() => {
                if let Some((unit, _)) = DATE_PARTS.iter().find(|(_, ours)| *ours == part) {
                    return self.date_part(unit, input, result, scope);
                }
            }
            _ => {}
        }
        let (extension, standard) = function::scalar(name, &types);
        let name = if standard.is_empty() { name } else { standard };
        self.variadic(extension, name, arguments, result, scope)
    }

    /// A field of a struct; of a column it is one more step of the reference.
    fn field(&mut self, input: &Bound, position: usize, scope: &Scope) -> Result<Expression> {
        let last = StructField { field: field(position), child: None };
        let last = ReferenceSegment { kind: Some(SegmentKind::StructField(Box::new(last))) };
        let written = self.expression(input, scope)?;
        if let Some(ExpressionKind::Selection(mut selection)) = written.kind {
            if let Some(ReferenceKind::Direct(direct)) = &mut selection.reference {
                append(direct, last);
            }
            return Ok(of(ExpressionKind::Selection(selection)));
        }
        let root = ReferenceRoot::Expression(Box::new(written));
        let reference = Some(ReferenceKind::Direct(last));
        Ok(of(ExpressionKind::Selection(Box::new(FieldReference { reference, root: Some(root) }))))
    }

    fn date_part(&mut self, unit: &str, input: &Bound, result: &Type, scope: &Scope) -> Result<Expression> {
        let mut arguments = vec![FunctionArgument { kind: Some(ArgumentKind::Name(unit.to_owned())) }];
        if matches!(unit, "QUARTER" | "MONTH" | "DAY" | "DAY_OF_YEAR" | "MONDAY_DAY_OF_WEEK" | "ISO_WEEK") {
            arguments.push(FunctionArgument { kind: Some(ArgumentKind::Name("ONE".to_owned())) });
        }
        arguments.push(value(self.expression(input, scope)?));
        Ok(self.function(Extension::Datetime, "extract", &[input.data_type()], arguments, result))
    }

    fn lambda(&mut self, parameters: &[(u32, Type)], body: &Bound, scope: &Scope) -> Result<Expression> {
        let types =
            parameters.iter().map(|(_, held)| data_type::write(held, &mut self.declarations)).collect();
        let mut inner = scope.clone();
        inner.lambdas.push(parameters.iter().map(|(id, _)| *id).collect());
        let body = Some(Box::new(self.expression(body, &inner)?));
        let parameters = Some(Struct { types, variation: 0, nullability: 2 });
        Ok(of(ExpressionKind::Lambda(Box::new(Lambda { parameters, body }))))
    }

    fn cast(&mut self, input: &Bound, to: &Type, is_try: bool, scope: &Scope) -> Result<Expression> {
        if !is_nameless(to) {
            let text = serde_json::to_string(to).map_err(|error| Error::invalid(error.to_string()))?;
            let name = if is_try { TRY_CAST } else { CAST };
            let arguments = [input.clone(), Bound::Literal(Literal::new(Value::Text(text)))];
            return self.variadic(Extension::Own, name, &arguments, to, scope);
        }
        let input = self.expression(input, scope)?;
        Ok(self.cast_of(input, to, is_try))
    }

    fn cast_of(&mut self, input: Expression, to: &Type, is_try: bool) -> Expression {
        of(ExpressionKind::Cast(Box::new(Cast {
            r#type: Some(data_type::write(to, &mut self.declarations)),
            input: Some(Box::new(input)),
            failure_behavior: if is_try { RETURN_NULL } else { THROW },
        })))
    }

    fn case(
        &mut self,
        branches: &[(Bound, Bound)],
        otherwise: Option<&Bound>,
        scope: &Scope,
    ) -> Result<Expression> {
        let mut clauses = Vec::with_capacity(branches.len());
        for (condition, value) in branches {
            let (condition, value) = (self.expression(condition, scope)?, self.expression(value, scope)?);
            clauses.push(IfClause { r#if: Some(condition), then: Some(value) });
        }
        let otherwise = otherwise.map(|value| self.expression(value, scope)).transpose()?;
        Ok(of(ExpressionKind::IfThen(Box::new(IfThen { clauses, r#else: otherwise.map(Box::new) }))))
    }

    /// A constant; where the format has no literal of it, the expression that gives it.
    fn literal(&mut self, held: &Value, data_type: &Type, scope: &Scope) -> Result<Expression> {
        if let Some(literal) = literal::write(held, data_type, &mut self.declarations) {
            return Ok(of(ExpressionKind::Literal(literal)));
        }
        let constant = |value: &Value, data_type: &Type| {
            Bound::Literal(Literal { data_type: data_type.clone(), value: value.clone() })
        };
        match (held, data_type) {
            (Value::Null, _) => self.cast(&constant(held, &Type::Null), data_type, false, scope),
            (Value::Float16(_), _) => {
                let wide = Value::float32(held.as_f64().unwrap_or(f64::NAN) as f32);
                self.cast(&constant(&wide, &Type::Float32), data_type, false, scope)
            }
            (Value::FixedList(element, values), _) => {
                let list = Value::List(element.clone(), values.clone());
                self.cast(&constant(&list, &Type::list(element.clone())), data_type, false, scope)
            }
            (Value::Shared(list), _) => {
                let list = Value::List(list.element().clone(), list.values().to_vec());
                self.cast(&constant(&list, data_type), data_type, false, scope)
            }
            (Value::List(element, values), _) => {
                let items: Vec<Bound> = values.iter().map(|value| constant(value, element)).collect();
                let list = Bound::call("list_value", items, data_type.clone());
                // The names of the fields of an empty list's elements stand nowhere but in its type.
                self.cast(&list, data_type, false, scope)
            }
            (Value::Struct(fields, types), Type::Struct(_)) => {
                let named = fields.iter().any(|(name, _)| !name.is_empty());
                let mut arguments = Vec::with_capacity(2 * fields.len());
                for ((name, value), data_type) in fields.iter().zip(types) {
                    if named {
                        arguments.push(constant(&Value::Text(name.clone()), &Type::Text));
                    }
                    arguments.push(constant(value, data_type));
                }
                let function = if named { "struct_pack" } else { "row" };
                self.variadic(Extension::Own, function, &arguments, data_type, scope)
            }
            (Value::Map(key, item, entries), _) => {
                let keys = entries.iter().map(|(key, _)| key.clone()).collect();
                let values = entries.iter().map(|(_, value)| value.clone()).collect();
                let keys = constant(&Value::List(key.clone(), keys), &Type::list(key.clone()));
                let values = constant(&Value::List(item.clone(), values), &Type::list(item.clone()));
                self.variadic(Extension::Own, "map", &[keys, values], data_type, scope)
            }
            _ => Err(Error::unsupported(format!("a literal of type {data_type} with this value"))),
        }
    }
}

fn value(expression: Expression) -> FunctionArgument {
    FunctionArgument { kind: Some(ArgumentKind::Value(expression)) }
}

/// A parameter of a lambda around the expression.
fn variable(id: u32, scope: &Scope) -> Result<Expression> {
    for (steps_out, lambda) in scope.lambdas.iter().rev().enumerate() {
        if let Some(position) = lambda.iter().position(|known| *known == id) {
            let steps_out = u32::try_from(steps_out).unwrap_or(u32::MAX);
            return Ok(reference(position, ReferenceRoot::LambdaParameter(LambdaParameter { steps_out })));
        }
    }
    Err(Error::invalid("internal error: a parameter of no lambda"))
}

/// The place of the field that a constant names, by name or by number from 1.
fn field_position(data_type: &Type, key: &Literal) -> Option<usize> {
    let Type::Struct(fields) = data_type else { return None };
    match &key.value {
        Value::Text(name) => fields.iter().position(|field| field.name.eq_ignore_ascii_case(name)),
        value => {
            let number = usize::try_from(value.as_i64()?).ok()?;
            (1..=fields.len()).contains(&number).then(|| number - 1)
        }
    }
}

/// Goes one step further.
fn append(segment: &mut ReferenceSegment, last: ReferenceSegment) {
    let child = match &mut segment.kind {
        Some(SegmentKind::StructField(step)) => &mut step.child,
        Some(SegmentKind::MapKey(step)) => &mut step.child,
        Some(SegmentKind::ListElement(step)) => &mut step.child,
        None => {
            *segment = last;
            return;
        }
    };
    match child {
        Some(child) => append(child, last),
        None => *child = Some(Box::new(last)),
    }
}
