//! Nested values: lists, structs and maps made and taken apart.

use hypostyle_engine::plan::Expression;
use hypostyle_functions::{Literal, Type, Value};

use crate::bind::frame::Frame;
use crate::bind::scope::Bound;
use crate::bind::{Binder, operator};
use crate::error::{Error, Result};
use crate::nearest::nearest;
use crate::span::Span;
use crate::tree::{self, Argument, ExpressionKind, Name};

impl Binder<'_> {
    /// A function applied to all items.
    pub(super) fn collection(
        &mut self,
        function: &str,
        items: &[tree::Expression],
        span: Span,
        frame: &mut Frame,
    ) -> Result<Bound> {
        let items = self.all(items, frame)?;
        self.apply(function, items, span)
    }

    /// `[a, b]`, in the type that the elements have in common.
    pub(super) fn list(
        &mut self,
        items: &[tree::Expression],
        span: Span,
        frame: &mut Frame,
    ) -> Result<Bound> {
        let items = self.all(items, frame)?;
        let places: Vec<Span> = items.iter().map(|(_, place)| *place).collect();
        let (items, common) = self.unify(items, "a list")?;
        if let Some(values) = values_of(&items) {
            let list = Literal { data_type: Type::list(common.clone()), value: Value::List(common, values) };
            return Ok(Bound::typed(Expression::Literal(list.shared()?)));
        }
        let items = items.into_iter().map(Bound::typed).zip(places).collect();
        self.apply(operator::LIST, items, span)
    }

    /// `{'a': 1}`.
    pub(super) fn structure(
        &mut self,
        fields: &[(Name, tree::Expression)],
        span: Span,
        frame: &mut Frame,
    ) -> Result<Bound> {
        let mut arguments = Vec::with_capacity(2 * fields.len());
        for (index, (name, value)) in fields.iter().enumerate() {
            if fields.iter().take(index).any(|(other, _)| other.is(&name.text)) {
                return Err(Error::invalid(format!("field \"{}\" is there twice", name.text), name.span));
            }
            let text = Expression::Literal(Literal::new(Value::text(name.text.clone())));
            arguments.push((Bound::typed(text), name.span));
            arguments.push((self.untyped_as_text(value, frame)?, value.span));
        }
        self.apply(operator::STRUCT, arguments, span)
    }

    /// `struct_pack(a := 1)`, where an argument without a name has that of its column.
    pub(super) fn struct_pack(
        &mut self,
        arguments: &[Argument],
        span: Span,
        frame: &mut Frame,
    ) -> Result<Bound> {
        let mut fields = Vec::with_capacity(arguments.len());
        for argument in arguments {
            let name = match (&argument.name, &argument.value.kind) {
                (Some(name), _) => name.clone(),
                (None, ExpressionKind::Column(names)) if !names.is_empty() => {
                    names.last().cloned().unwrap_or_else(|| Name::new("", span))
                }
                _ => {
                    return Err(Error::invalid(
                        "struct_pack needs a name for this: name := value",
                        argument.value.span,
                    ));
                }
            };
            fields.push((name, argument.value.clone()));
        }
        self.structure(&fields, span, frame)
    }

    /// `struct_insert(s, a := 1)`: named arguments become names and values in turn.
    pub(super) fn struct_change(
        &mut self,
        function: &str,
        call: &tree::Call,
        span: Span,
        frame: &mut Frame,
    ) -> Result<Bound> {
        let mut arguments = Vec::with_capacity(2 * call.arguments.len());
        for argument in &call.arguments {
            if let Some(name) = &argument.name {
                let text = Expression::Literal(Literal::new(Value::text(name.text.clone())));
                arguments.push((Bound::typed(text), name.span));
            }
            arguments.push((self.untyped_as_text(&argument.value, frame)?, argument.value.span));
        }
        self.apply(function, arguments, span)
    }

    /// `MAP {a: b}`.
    pub(super) fn map(
        &mut self,
        entries: &[(tree::Expression, tree::Expression)],
        span: Span,
        frame: &mut Frame,
    ) -> Result<Bound> {
        let (keys, values): (Vec<_>, Vec<_>) = entries.iter().cloned().unzip();
        let keys = self.list(&keys, span, frame)?;
        let values = self.list(&values, span, frame)?;
        self.apply(operator::MAP, vec![(keys, span), (values, span)], span)
    }

    /// `x[i]`: element of a list, value of a map, field of a struct, character of a text.
    pub(super) fn index(
        &mut self,
        operand: &tree::Expression,
        index: &tree::Expression,
        span: Span,
        frame: &mut Frame,
    ) -> Result<Bound> {
        let operand_bound = self.expression(operand, frame)?;
        let index_bound = self.expression(index, frame)?;
        let function = match operand_bound.data_type() {
            Type::Map(..) => operator::MAP_ELEMENT,
            Type::Struct(_) => operator::FIELD,
            _ => operator::ELEMENT,
        };
        self.apply(function, vec![(operand_bound, operand.span), (index_bound, index.span)], span)
    }

    /// `x[low:high:step]`; a bound that is left out is null.
    pub(super) fn slice(
        &mut self,
        operand: &tree::Expression,
        bounds: [Option<&tree::Expression>; 2],
        step: Option<&tree::Expression>,
        span: Span,
        frame: &mut Frame,
    ) -> Result<Bound> {
        let mut arguments = vec![(self.expression(operand, frame)?, operand.span)];
        for bound in bounds {
            arguments.push(match bound {
                Some(bound) => (self.expression(bound, frame)?, bound.span),
                None => (Bound::typed(Expression::Literal(Literal::null(Type::Int64))), span),
            });
        }
        if let Some(step) = step {
            arguments.push((self.expression(step, frame)?, step.span));
        }
        self.apply(operator::SLICE, arguments, span)
    }

    /// Fields behind a column: `column.field.field`.
    pub(super) fn fields(&mut self, bound: Bound, names: &[Name]) -> Result<Bound> {
        names.iter().try_fold(bound, |bound, name| self.field(bound, name))
    }

    /// One field of a struct, or the value of a map with text keys.
    pub(super) fn field(&mut self, bound: Bound, name: &Name) -> Result<Bound> {
        let key = Bound::typed(Expression::Literal(Literal::new(Value::text(name.text.clone()))));
        match bound.data_type() {
            Type::Struct(fields) => {
                let Some(field) = fields.iter().find(|field| name.is(&field.name)) else {
                    let near = nearest(&name.text, fields.iter().map(|field| field.name.as_str()));
                    return Err(Error::unknown("field", &name.text, near, name.span));
                };
                let key = Bound::typed(Expression::Literal(Literal::new(Value::text(field.name.clone()))));
                self.apply(operator::FIELD, vec![(bound, name.span), (key, name.span)], name.span)
            }
            Type::Map(key_type, _) if *key_type == Type::Text => {
                self.apply(operator::MAP_ELEMENT, vec![(bound, name.span), (key, name.span)], name.span)
            }
            other => {
                let message = format!("a value of type {other} has no field \"{}\"", name.text);
                Err(Error::invalid(message, name.span))
            }
        }
    }

    /// `x -> 'path'` outside of a function that takes lambdas is an access to JSON: the arrow binds to the first operand
    /// of what follows.
    pub(super) fn arrow_access(
        &mut self,
        parameters: &[Name],
        body: &tree::Expression,
        arrow: bool,
        span: Span,
        frame: &mut Frame,
    ) -> Result<Bound> {
        let [column] = parameters else {
            return Err(Error::invalid("a lambda stands only where a function takes one", span));
        };
        if !arrow {
            return Err(Error::invalid("a lambda stands only where a function takes one", span));
        }
        let column = tree::Expression::new(ExpressionKind::Column(vec![column.clone()]), column.span);
        let access = graft(column, body.clone());
        self.expression(&access, frame)
    }
}

/// `column -> (path ->> rest)` as it was meant: `(column -> path) ->> rest`.
fn graft(column: tree::Expression, body: tree::Expression) -> tree::Expression {
    let span = column.span.union(body.span);
    match body.kind {
        ExpressionKind::Binary(operator, left, right) => {
            let left = Box::new(graft(column, *left));
            tree::Expression::new(ExpressionKind::Binary(operator, left, right), span)
        }
        kind => {
            let path = Box::new(tree::Expression::new(kind, body.span));
            let access = ExpressionKind::Binary(tree::BinaryOperator::JsonGet, Box::new(column), path);
            tree::Expression::new(access, span)
        }
    }
}

/// The values of items that are all constants; `None` for others, and for a list without values of a type.
fn values_of(items: &[Expression]) -> Option<Vec<Value>> {
    let values = items.iter().map(|item| match item {
        Expression::Literal(literal) if literal.data_type != Type::Null => Some(literal.value.clone()),
        _ => None,
    });
    values.collect::<Option<Vec<Value>>>().filter(|values| !values.is_empty())
}
