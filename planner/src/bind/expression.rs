//! One expression: names, constants, operators. Forms with rules of their own are in [`super::special`].

use std::rc::Rc;

use hypostyle_engine::plan::Expression;
use hypostyle_functions::{Literal, Type, Value};

use crate::bind::frame::Frame;
use crate::bind::scope::{Adapts, Bound};
use crate::bind::{Binder, Parameter, literal, operator, type_name};
use crate::error::{Error, Result};
use crate::span::Span;
use crate::tree::{self, ExpressionKind as Kind, LiteralText, Name};

/// Functions that give a list, under which the one column of their table stands.
const LIST_TABLES: [&str; 3] = ["range", "generate_series", "unnest"];
/// Stack kept free for one level of binding.
const STACK_FREE_BYTES: usize = 256 << 10;
/// Stack allocated when it runs out.
const STACK_GROW_BYTES: usize = 4 << 20;

impl Binder<'_> {
    /// Binds one expression.
    pub(super) fn expression(&mut self, tree: &tree::Expression, frame: &mut Frame) -> Result<Bound> {
        self.count_expression(tree.span)?;
        stacker::maybe_grow(STACK_FREE_BYTES, STACK_GROW_BYTES, || self.bind_kind(tree, frame))
            .map_err(|error| error.at(tree.span))
    }

    /// Binds one expression that must be a truth value.
    pub(super) fn condition(&mut self, tree: &tree::Expression, frame: &mut Frame) -> Result<Expression> {
        let bound = self.expression(tree, frame)?;
        let what = format!("the condition of {}", frame.clause.words());
        self.boolean(bound, &what, tree.span)
    }

    fn bind_kind(&mut self, tree: &tree::Expression, frame: &mut Frame) -> Result<Bound> {
        let span = tree.span;
        match &tree.kind {
            Kind::Column(names) => self.column(names, span, frame),
            Kind::Literal(text) => bind_literal(text, span),
            Kind::Parameter(name) => self.parameter(name, span),
            Kind::Call(call) => self.call(call, span, frame),
            Kind::Unary(operator, operand) => self.unary(*operator, operand, span, frame),
            Kind::Binary(operator, left, right) => self.binary(*operator, left, right, span, frame),
            Kind::And(terms) => self.logic(terms, "AND", Expression::And, frame),
            Kind::Or(terms) => self.logic(terms, "OR", Expression::Or, frame),
            Kind::IsNull { operand, negated } => {
                let operand = self.untyped_as_text(operand, frame)?;
                let function = if *negated { operator::IS_NOT_NULL } else { operator::IS_NULL };
                self.apply(function, vec![(operand, span)], span)
            }
            Kind::IsBoolean { operand, value, negated } => {
                let bound = self.expression(operand, frame)?;
                let bound = Bound::typed(self.boolean(bound, "the operand of IS", operand.span)?);
                let value = Bound::typed(Expression::Literal(Literal::new(Value::Boolean(*value))));
                let function = if *negated { operator::IS_DISTINCT } else { operator::IS_NOT_DISTINCT };
                self.apply(function, vec![(bound, span), (value, span)], span)
            }
            Kind::IsDistinct { left, right, negated } => {
                let function = if *negated { operator::IS_NOT_DISTINCT } else { operator::IS_DISTINCT };
                self.comparison(function, left, right, span, frame)
            }
            Kind::InList { operand, list, negated } => self.in_list(operand, list, *negated, span, frame),
            Kind::InQuery { operand, query, negated } => self.in_query(operand, query, *negated, span, frame),
            Kind::Between { operand, low, high, negated } => {
                self.between(operand, low, high, *negated, span, frame)
            }
            Kind::Match { kind, operand, pattern, escape, negated } => {
                self.text_match(*kind, operand, pattern, escape.as_deref(), *negated, span, frame)
            }
            Kind::Quantified { quantifier, operator, left, right } => {
                self.quantified(*quantifier, *operator, left, right, span, frame)
            }
            Kind::Cast { operand, target, lenient } => self.explicit_cast(operand, target, *lenient, frame),
            Kind::Case { operand, branches, otherwise } => {
                self.case(operand.as_deref(), branches, otherwise.as_deref(), span, frame)
            }
            Kind::Exists { query, negated } => self.exists(query, *negated, frame),
            Kind::ScalarQuery(query) => self.scalar_query(query, frame),
            Kind::ArrayQuery(query) => self.array_query(query, frame),
            Kind::Row(items) => self.collection(operator::ROW, items, span, frame),
            Kind::List(items) => self.list(items, span, frame),
            Kind::Struct(fields) => self.structure(fields, span, frame),
            Kind::Map(entries) => self.map(entries, span, frame),
            Kind::Index(operand, index) => self.index(operand, index, span, frame),
            Kind::Slice { operand, low, high, step } => {
                self.slice(operand, [low.as_deref(), high.as_deref()], step.as_deref(), span, frame)
            }
            Kind::Field(operand, name) => {
                let operand = self.expression(operand, frame)?;
                self.field(operand, name)
            }
            Kind::Lambda { parameters, body, arrow } => {
                self.arrow_access(parameters, body, *arrow, span, frame)
            }
            Kind::Interval { value, unit } => self.interval(value, unit.as_deref(), span, frame),
            Kind::Star(_) => {
                Err(Error::invalid(format!("a star cannot stand in {}", frame.clause.words()), span))
            }
            Kind::Collate(operand, collation) => self.collate(operand, collation, frame),
        }
    }

    /// A name: a macro's argument, a lambda's parameter, a column with its fields, or a name of the select list.
    fn column(&mut self, names: &[Name], span: Span, frame: &mut Frame) -> Result<Bound> {
        let Some(first) = names.first() else { return Err(Error::internal("a column without a name")) };
        if names.len() == 1
            && let Some(value) = self.named_value(&first.text)
        {
            return Ok(value);
        }
        if names.len() == 1
            && let Some(argument) = self.macro_argument(&first.text)
        {
            return self.bind_macro_argument(&argument, frame);
        }
        if let Some(variable) = frame.variables.iter().rev().find(|variable| first.is(&variable.name)) {
            let read = Expression::Variable { id: variable.id, data_type: variable.data_type.clone() };
            return self.fields(Bound::typed(read), names.get(1..).unwrap_or_default());
        }
        let scope = Rc::clone(&frame.scope);
        if let Some(found) = scope.find(names)? {
            self.check_present(found.column.column.id, span)?;
            frame.places.entry(found.column.column.id).or_insert(span);
            let read = Bound::typed(found.column.column.read());
            return self.fields(read, names.get(found.names..).unwrap_or_default());
        }
        if let Some(position) = alias_position(first, frame) {
            let read = self.alias(position, frame)?;
            return self.fields(read, names.get(1..).unwrap_or_default());
        }
        // The row of a table here stands before the columns of queries around.
        if names.len() == 1
            && let Some(row) = self.whole_row(first, &scope, Some(&mut *frame))?
        {
            return Ok(row);
        }
        if let Some((read, count)) = self.outer_column(names)? {
            return self.fields(Bound::typed(read), names.get(count..).unwrap_or_default());
        }
        if names.len() == 1 {
            for outer in self.outer.clone().into_iter().rev() {
                if let Some(row) = self.whole_row(first, &outer, None)? {
                    self.outer_reads += 1;
                    return Ok(row);
                }
            }
        }
        self.unknown_column(names, span, &scope, frame)
    }

    /// The name of a table as a value: the struct of its columns.
    fn whole_row(
        &mut self,
        table: &tree::Name,
        scope: &super::Scope,
        mut frame: Option<&mut Frame>,
    ) -> Result<Option<Bound>> {
        let is_of_table =
            |column: &&super::scope::ScopeColumn| column.table.as_deref().is_some_and(|name| table.is(name));
        let (mut fields, mut names) = (Vec::new(), String::new());
        for column in scope.columns().iter().filter(is_of_table) {
            names.push_str(&column.column.name);
            let name = Literal::new(Value::text(column.column.name.clone()));
            if let Some(frame) = frame.as_deref_mut() {
                frame.places.entry(column.column.id).or_insert(table.span);
            }
            fields.push((Bound::typed(Expression::Literal(name)), table.span));
            fields.push((Bound::typed(column.column.read()), table.span));
        }
        match fields.as_slice() {
            [] => Ok(None),
            // The alias of a function that gives a list names the one column of its table.
            [_, (column, _)] if LIST_TABLES.contains(&names.as_str()) => Ok(Some(column.clone())),
            _ => self.apply(operator::STRUCT, fields, table.span).map(Some),
        }
    }

    /// A column of a query around this one, the nearest first.
    fn outer_column(&mut self, names: &[Name]) -> Result<Option<(Expression, usize)>> {
        for outer in self.outer.iter().rev() {
            if let Some(found) = outer.find(names)? {
                self.outer_reads += 1;
                return Ok(Some((found.column.column.read(), found.names)));
            }
        }
        Ok(None)
    }

    fn unknown_column(
        &self,
        names: &[Name],
        span: Span,
        scope: &super::Scope,
        frame: &Frame,
    ) -> Result<Bound> {
        if let [name] = names
            && let Some(function) = niladic(&name.text).filter(|_| !name.quoted)
        {
            let call = tree::Call::plain(Name::new(function, span), Vec::new());
            return Err(Error::invalid(format!("{} is written {call}", name.text), span));
        }
        let later = frame.aliases.iter().skip(frame.aliases_visible);
        if let [name] = names
            && later.clone().any(|alias| name.is(&alias.name))
        {
            let message = format!("\"{}\" is defined after this place in the select list", name.text);
            return Err(Error::invalid(message, span));
        }
        if let [table, _, ..] = names
            && !scope.has_table(&table.text)
            && let Some(outer) = self.outer.iter().rev().find(|outer| outer.has_table(&table.text))
        {
            return Err(outer.unknown(names));
        }
        Err(scope.unknown(names))
    }

    /// A name of the select list stands for its expression, which sees only the names before it.
    fn alias(&mut self, position: usize, frame: &mut Frame) -> Result<Bound> {
        let Some(alias) = frame.aliases.get(position).cloned() else {
            return Err(Error::internal("a name of the select list vanished"));
        };
        let visible = std::mem::replace(&mut frame.aliases_visible, position);
        let bound = self.expression(&alias.expression, frame);
        frame.aliases_visible = visible;
        bound
    }

    fn macro_argument(&self, name: &str) -> Option<Rc<tree::Expression>> {
        let arguments = self.macro_arguments.last()?;
        arguments
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| Rc::clone(value))
    }

    /// An argument is bound where the macro is called, outside of the macro's own names.
    fn bind_macro_argument(&mut self, argument: &tree::Expression, frame: &mut Frame) -> Result<Bound> {
        let arguments = self.macro_arguments.pop();
        let bound = self.expression(argument, frame);
        self.macro_arguments.extend(arguments);
        bound
    }

    /// `?`, `$1` or `$name`: its value if the statement is bound to values, else a parameter of open type.
    fn parameter(&mut self, name: &str, span: Span) -> Result<Bound> {
        if let Some(values) = self.values {
            return match values.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)) {
                Some((_, literal)) => Ok(Bound::typed(Expression::Literal(literal.clone()))),
                None => Err(Error::invalid(format!("parameter ${name} has no value"), span)),
            };
        }
        let index = match self.parameters.iter().position(|known| known.name.eq_ignore_ascii_case(name)) {
            Some(index) => index,
            None => {
                self.parameters.push(Parameter { name: name.to_owned(), data_type: Type::Null });
                self.parameters.len() - 1
            }
        };
        let expression = Expression::Parameter { index, data_type: Type::Null };
        Ok(Bound { expression, adapts: Adapts::Parameter })
    }

    /// Binds an expression whose place asks for no type: an open parameter is text there.
    pub(super) fn untyped_as_text(&mut self, tree: &tree::Expression, frame: &mut Frame) -> Result<Bound> {
        let bound = self.expression(tree, frame)?;
        match bound.adapts {
            Adapts::Parameter => Ok(Bound::typed(self.cast(bound, &Type::Text, tree.span)?)),
            _ => Ok(bound),
        }
    }

    fn unary(
        &mut self,
        operator: tree::UnaryOperator,
        operand: &tree::Expression,
        span: Span,
        frame: &mut Frame,
    ) -> Result<Bound> {
        let bound = self.expression(operand, frame)?;
        match operator::unary(operator) {
            None => Ok(bound),
            Some(operator::NOT) => {
                let operand = self.boolean(bound, "the operand of NOT", operand.span)?;
                self.not(operand, span)
            }
            Some(function) => self.apply(function, vec![(bound, operand.span)], span),
        }
    }

    /// The negation of a truth value; a comparison becomes its opposite, which is null for the same rows.
    pub(super) fn not(&mut self, operand: Expression, span: Span) -> Result<Bound> {
        if let Expression::Call { function, version, arguments, data_type, place } = &operand
            && let Some(opposite) = operator::negated(function)
        {
            let (version, arguments, data_type) = (*version, arguments.clone(), data_type.clone());
            return Ok(Bound::typed(Expression::Call {
                function: opposite.to_owned(),
                version,
                arguments,
                data_type,
                place: *place,
            }));
        }
        self.apply(operator::NOT, vec![(Bound::typed(operand), span)], span)
    }

    fn binary(
        &mut self,
        operator: tree::BinaryOperator,
        left: &tree::Expression,
        right: &tree::Expression,
        span: Span,
        frame: &mut Frame,
    ) -> Result<Bound> {
        let function = operator::binary(operator);
        if operator.is_comparison() {
            return self.comparison(function, left, right, span, frame);
        }
        let (left, right) = match operator {
            tree::BinaryOperator::ContainedBy => (right, left),
            _ => (left, right),
        };
        let arguments =
            vec![(self.expression(left, frame)?, left.span), (self.expression(right, frame)?, right.span)];
        self.apply(function, arguments, span)
    }

    fn comparison(
        &mut self,
        function: &str,
        left: &tree::Expression,
        right: &tree::Expression,
        span: Span,
        frame: &mut Frame,
    ) -> Result<Bound> {
        let collation = self.shared_collation(&[left, right], frame)?;
        let left_bound = self.compared(left, collation.as_ref(), frame)?;
        let right_bound = self.compared(right, collation.as_ref(), frame)?;
        self.compare(function, (left_bound, left.span), (right_bound, right.span), span)
    }

    /// A comparison of two bound sides, in the type they have in common.
    pub(super) fn compare(
        &mut self,
        function: &str,
        (left, left_span): (Bound, Span),
        (right, right_span): (Bound, Span),
        span: Span,
    ) -> Result<Bound> {
        let Some(common) = self.comparable(&[&left, &right]) else {
            let (left, right) = (left.data_type(), right.data_type());
            return Err(Error::invalid(
                format!("cannot compare {left} with {right}; cast one of them"),
                span,
            ));
        };
        // Two open parameters are compared as text.
        let untyped =
            common == Type::Null && left.adapts == Adapts::Parameter && right.adapts == Adapts::Parameter;
        let common = if untyped { Type::Text } else { common };
        let left = Bound::typed(self.cast(left, &common, left_span)?);
        let right = Bound::typed(self.cast(right, &common, right_span)?);
        self.apply(function, vec![(left, left_span), (right, right_span)], span)
    }

    fn logic(
        &mut self,
        terms: &[tree::Expression],
        word: &str,
        wrap: impl FnOnce(Vec<Expression>) -> Expression,
        frame: &mut Frame,
    ) -> Result<Bound> {
        let what = format!("an operand of {word}");
        let mut bound = Vec::with_capacity(terms.len());
        for term in terms {
            let operand = self.expression(term, frame)?;
            bound.push(self.boolean(operand, &what, term.span)?);
        }
        Ok(Bound::typed(wrap(bound)))
    }

    fn explicit_cast(
        &mut self,
        operand: &tree::Expression,
        target: &tree::TypeName,
        lenient: bool,
        frame: &mut Frame,
    ) -> Result<Bound> {
        let to = type_name::resolve(target)?;
        let bound = self.expression(operand, frame)?;
        let from = bound.data_type();
        if bound.adapts == Adapts::Parameter || from == to && !matches!(bound.adapts, Adapts::Parameter) {
            return Ok(Bound::typed(self.cast(bound, &to, operand.span)?));
        }
        Ok(Bound::typed(self.cast_leniently(bound.expression, &to, lenient, operand.span)))
    }
}

fn alias_position(name: &Name, frame: &Frame) -> Option<usize> {
    frame.aliases.iter().take(frame.aliases_visible).position(|alias| name.is(&alias.name))
}

/// Functions of standard SQL that are written without parentheses, and reach here where they are not read as calls.
fn niladic(name: &str) -> Option<&'static str> {
    ["now", "today"].into_iter().find(|known| known.eq_ignore_ascii_case(name))
}

fn bind_literal(text: &LiteralText, span: Span) -> Result<Bound> {
    let (literal, adapts) = match text {
        LiteralText::Null => (Literal::null(Type::Null), Adapts::No),
        LiteralText::Boolean(value) => (Literal::new(Value::Boolean(*value)), Adapts::No),
        LiteralText::Text(text) => (Literal::new(Value::text(text.clone())), Adapts::Text),
        LiteralText::Bytes(bytes) => (Literal::new(Value::Binary(bytes.clone())), Adapts::No),
        LiteralText::Number(digits) => {
            let literal = literal::number(digits, span)?;
            let adapts = literal::as_integer(&literal)
                .filter(|_| !digits.contains('.'))
                .map_or(Adapts::No, Adapts::Integer);
            (literal, adapts)
        }
    };
    Ok(Bound { expression: Expression::Literal(literal), adapts })
}
