//! UNNEST in a select list: lists become rows beside the other columns, structs become columns.

use hypostyle_engine::plan::Expression;
use hypostyle_functions::Type;

use crate::bind::Binder;
use crate::bind::frame::{Clause, Frame};
use crate::bind::scope::Bound;
use crate::bind::select::item_name;
use crate::error::{Error, Result};
use crate::logical::Computed;
use crate::span::Span;
use crate::tree::{self, Call, ExpressionKind, LiteralText, Name, SelectItem};

/// An expression under a name.
type Named = (String, Expression);

impl Binder<'_> {
    /// `unnest(list)` among other things in a select list: the list is unnested below, beside the others.
    pub(super) fn unnest(&mut self, call: &Call, span: Span, frame: &mut Frame) -> Result<Bound> {
        if !matches!(frame.clause, Clause::Select) || frame.inside_aggregate || !frame.variables.is_empty() {
            return Err(Error::invalid(
                "unnest stands in a select list or in FROM, and not inside an aggregate",
                span,
            ));
        }
        let (argument, levels) = self.unnest_levels(call, span)?;
        let before = frame.unnests.len();
        let bound = self.expression(argument, frame)?;
        if frame.unnests.len() > before {
            return Err(Error::unsupported("unnest inside unnest is", span));
        }
        let (bound, _) = self.flattened(bound, levels, argument.span)?;
        self.unnested(bound, argument.span, frame)
    }

    /// The elements of a list as a column of the relation below.
    fn unnested(&mut self, bound: Bound, span: Span, frame: &mut Frame) -> Result<Bound> {
        let (expression, element) = self.unnestable(bound, span)?;
        let column = self.new_column("unnest", element);
        let read = column.read();
        frame.unnests.push(Computed { column, expression });
        Ok(Bound::typed(read))
    }

    /// An item that is nothing but an UNNEST: a struct gives one column per field.
    pub(super) fn unnest_item(
        &mut self,
        item: &SelectItem,
        call: &Call,
        frame: &mut Frame,
    ) -> Result<Vec<Named>> {
        let (argument, levels) = self.unnest_levels(call, item.expression.span)?;
        let bound = self.expression(argument, frame)?;
        self.opened(bound, levels, item_name(item), argument.span, frame)
    }

    /// Opens lists and structs inside each other, up to this many levels.
    fn opened(
        &mut self,
        bound: Bound,
        levels: usize,
        name: String,
        span: Span,
        frame: &mut Frame,
    ) -> Result<Vec<Named>> {
        if let Type::Struct(fields) = bound.data_type() {
            let mut columns = Vec::with_capacity(fields.len());
            for field in fields {
                let value = self.field(bound.clone(), &Name::new(field.name.clone(), span))?;
                match field.data_type {
                    Type::Struct(_) if levels > 1 => {
                        columns.extend(self.opened(value, levels - 1, field.name, span, frame)?);
                    }
                    _ => columns.push((field.name, value.expression)),
                }
            }
            return Ok(columns);
        }
        let (bound, left) = self.flattened(bound, levels, span)?;
        let element = self.unnested(bound, span, frame)?;
        match element.data_type() {
            Type::Struct(_) if left > 1 => self.opened(element, left - 1, name, span, frame),
            _ => Ok(vec![(name, element.expression)]),
        }
    }

    /// Lists of lists as one list, as long as more than one level is left; and the levels that are left.
    fn flattened(&mut self, mut bound: Bound, mut levels: usize, span: Span) -> Result<(Bound, usize)> {
        while levels > 1 && bound.data_type().element().is_some_and(|element| element.element().is_some()) {
            bound = self.apply("flatten", vec![(bound, span)], span)?;
            levels -= 1;
        }
        Ok((bound, levels))
    }

    /// The list of an UNNEST, and how many levels it opens: `recursive := true`, `max_depth := 2`.
    fn unnest_levels<'c>(&mut self, call: &'c Call, span: Span) -> Result<(&'c tree::Expression, usize)> {
        let mut levels = 1;
        let mut list = None;
        for argument in &call.arguments {
            match &argument.name {
                None if list.is_none() => list = Some(&argument.value),
                Some(name) if name.is("recursive") => {
                    let literal = self.constant_value(&argument.value)?;
                    if literal.value.as_bool() == Some(true) {
                        levels = usize::MAX;
                    }
                }
                Some(name) if name.is("max_depth") => {
                    let depth = self.constant_value(&argument.value)?.value.as_i64();
                    levels = depth
                        .and_then(|depth| usize::try_from(depth).ok())
                        .filter(|depth| *depth > 0)
                        .ok_or_else(|| {
                        Error::invalid("max_depth of unnest is a whole number from 1", argument.value.span)
                    })?;
                }
                _ => return Err(Error::invalid("unnest takes one list here", span)),
            }
        }
        match list {
            Some(list) => Ok((list, levels)),
            None => Err(Error::invalid("unnest takes a list", span)),
        }
    }

    /// `generate_subscripts(list, 1)`: one row for each element, with its number.
    pub(super) fn generate_subscripts(
        &mut self,
        call: &Call,
        span: Span,
        frame: &mut Frame,
    ) -> Result<Bound> {
        let values: Vec<&tree::Expression> = call.arguments.iter().map(|argument| &argument.value).collect();
        let [list, dimension] = values.as_slice() else {
            return Err(Error::invalid("generate_subscripts takes a list and the dimension 1", span));
        };
        if self.constant_value(dimension)?.value.as_i64() != Some(1) {
            return Err(Error::unsupported(
                "generate_subscripts of another dimension than 1 is",
                dimension.span,
            ));
        }
        let plain = |name: &str, values: Vec<tree::Expression>| {
            let call = Call::plain(Name::new(name, span), values);
            tree::Expression::new(ExpressionKind::Call(Box::new(call)), span)
        };
        let one = tree::Expression::new(ExpressionKind::Literal(LiteralText::Number("1".to_owned())), span);
        let length = plain("len", vec![(*list).clone()]);
        let numbers = plain("generate_series", vec![one, length]);
        self.unnest(&Call::plain(Name::new("unnest", span), vec![numbers]), span, frame)
    }
}
