//! Table functions and table macros: `read_csv('x.csv', delim => ';')`.

use std::rc::Rc;

use hypostyle_engine::plan::{Expression, TableReference};
use hypostyle_functions::Literal;

use crate::bind::call::{macro_arguments, within};
use crate::bind::frame::{Clause, Frame};
use crate::bind::from::{Source, named};
use crate::bind::scope::Scope;
use crate::bind::{Binder, constant};
use crate::error::{Error, ErrorKind, Result};
use crate::logical::{Computed, Relation, one_row};
use crate::nearest::nearest;
use crate::span::Span;
use crate::tree::{self, Argument, Call, ExpressionKind, LiteralText, MacroBody, Name, TableAlias};

impl Binder<'_> {
    /// Binds a table function of the catalog, or a macro that stands for a query.
    pub(super) fn table_function(
        &mut self,
        name: &Name,
        arguments: &[Argument],
        alias: Option<&TableAlias>,
        span: Span,
    ) -> Result<Source> {
        if let Some(definition) = self.definitions.find_macro(&name.text).cloned() {
            let MacroBody::Table(query) = &definition.body else {
                let message = format!("macro \"{}\" gives a value, not a table", name.text);
                return Err(Error::invalid(message, name.span));
            };
            let arguments = macro_arguments(&definition, arguments, span)?;
            self.macro_arguments.push(arguments);
            let relation = self.in_definition(span, |binder| binder.query(query));
            self.macro_arguments.pop();
            let relation = relation.map_err(|error| within("macro", &name.text, error, span))?;
            return named(relation, Some(&name.text), alias, span);
        }
        if let Some(transform) = self.definitions.transform(&name.text).cloned() {
            return self.transform_table(&transform, arguments, alias, span);
        }
        if name.is("repeat") {
            let list = repeated(name, arguments, span)?;
            return self.list_table(&list, &name.text, alias, span);
        }
        if self.context.catalog.function(&name.text).is_none() {
            return match self.context.registry.scalar(&name.text) {
                Some(_) => self.list_function(name, arguments, alias, span),
                None => Err(self.unknown_table_function(name)),
            };
        }
        let is_list = self.context.registry.scalar(&name.text).is_some();
        let reads = self.outer_reads;
        if is_list && self.needs_list_form(arguments)? {
            return self.list_function(name, arguments, alias, span);
        }
        self.outer_reads = reads;
        let mut positional = Vec::new();
        let mut options = Vec::new();
        for argument in arguments {
            let literal = self.constant_argument(argument)?;
            match &argument.name {
                Some(name) => options.push((name.text.to_lowercase(), literal)),
                None => positional.push(literal),
            }
        }
        let lower = name.text.to_lowercase();
        let reference = TableReference::Function { name: lower, arguments: positional, options };
        let relation = self.scan_reference(reference, span)?;
        named(relation, Some(&name.text), alias, span)
    }

    /// A function that gives a list is a table of its elements: `FROM range(10)`.
    fn list_function(
        &mut self,
        name: &Name,
        arguments: &[Argument],
        alias: Option<&TableAlias>,
        span: Span,
    ) -> Result<Source> {
        let call = Call { arguments: arguments.to_vec(), ..Call::plain(name.clone(), Vec::new()) };
        let list = tree::Expression::new(ExpressionKind::Call(Box::new(call)), span);
        self.list_table(&list, &name.text, alias, span)
    }

    /// The elements of a list as a table.
    fn list_table(
        &mut self,
        list: &tree::Expression,
        name: &str,
        alias: Option<&TableAlias>,
        span: Span,
    ) -> Result<Source> {
        let mut frame = Frame::new(Rc::new(Scope::default()), Clause::Arguments);
        let bound = self.expression(list, &mut frame)?;
        if bound.data_type().element().is_none() {
            let message = format!("\"{name}\" gives {}, not a table", bound.data_type());
            return Err(Error::invalid(message, span));
        }
        let (expression, element) = self.unnestable(bound, span)?;
        let column = self.new_column(name.to_lowercase(), element);
        let lists = vec![Computed { column: column.clone(), expression }];
        let unnest = Relation::Unnest { input: Box::new(one_row()), lists, outer: false };
        named(unnest, Some(name), alias, span)
    }

    /// True if an argument reads a column of a query or table around, `FROM t, range(t.n)`, or is a point in time, which
    /// table functions do not count from.
    fn needs_list_form(&mut self, arguments: &[Argument]) -> Result<bool> {
        for argument in arguments {
            let mut frame = Frame::new(Rc::new(Scope::default()), Clause::Arguments);
            let bound = self.expression(&argument.value, &mut frame)?;
            if !bound.expression.columns().is_empty() || bound.data_type().is_temporal() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn constant_argument(&mut self, argument: &Argument) -> Result<Literal> {
        let span = argument.value.span;
        let mut frame = Frame::new(Rc::new(Scope::default()), Clause::Arguments);
        let bound = self.expression(&argument.value, &mut frame)?;
        self.constant(&bound.expression, "an argument of a table function", span)
    }

    /// The value of an expression that must be constant.
    pub(super) fn constant(&mut self, expression: &Expression, what: &str, span: Span) -> Result<Literal> {
        match constant::evaluate(expression, self.context) {
            Some(Ok(literal)) => Ok(literal),
            Some(Err(error)) => Err(error.at(span)),
            None => Err(Error::invalid(format!("{what} must be a constant"), span)),
        }
    }

    fn unknown_table_function(&self, name: &Name) -> Error {
        let functions = self.context.catalog.function_names();
        let macros: Vec<String> =
            self.definitions.macros().map(|definition| definition.name.text.clone()).collect();
        let known = functions.iter().chain(&macros).map(String::as_str);
        let kind = ErrorKind::Unknown {
            what: "table function",
            name: name.text.clone(),
            suggestion: nearest(&name.text, known),
        };
        Error::new(kind, name.span)
    }
}

/// `repeat(value, count)` as a list of so many values.
fn repeated(name: &Name, arguments: &[Argument], span: Span) -> Result<tree::Expression> {
    let [value, count] = arguments else {
        return Err(Error::invalid("repeat takes a value and a count", name.span));
    };
    let one = tree::Expression::new(ExpressionKind::List(vec![value.value.clone()]), span);
    let arguments = vec![one, count.value.clone(), value.value.clone()];
    let call = Call::plain(Name::new("list_resize", span), arguments);
    Ok(tree::Expression::new(ExpressionKind::Call(Box::new(call)), span))
}

/// What `unnest(list) WITH ORDINALITY` unnests beside one another: the lists, and the numbers of their elements; and the names
/// of the columns. Of another function the list that it gives is unnested.
pub(super) fn numbered_lists(
    name: &Name,
    arguments: &[Argument],
    alias: Option<&TableAlias>,
    span: Span,
) -> (Vec<Argument>, TableAlias) {
    let call = |name: &str, values: Vec<tree::Expression>| {
        let call = Call::plain(Name::new(name, span), values);
        tree::Expression::new(ExpressionKind::Call(Box::new(call)), span)
    };
    let mut lists: Vec<Argument> = match name.is("unnest") {
        true => arguments.to_vec(),
        false => {
            let whole = Call { arguments: arguments.to_vec(), ..Call::plain(name.clone(), Vec::new()) };
            let value = tree::Expression::new(ExpressionKind::Call(Box::new(whole)), span);
            vec![Argument { name: None, value }]
        }
    };
    let lengths: Vec<_> = lists.iter().map(|list| call("len", vec![list.value.clone()])).collect();
    let longest = if lengths.len() > 1 { vec![call("greatest", lengths)] } else { lengths };
    let one = tree::Expression::new(ExpressionKind::Literal(LiteralText::Number("1".to_owned())), span);
    let numbers = call("generate_series", std::iter::once(one).chain(longest).collect());
    let mut names: Vec<Name> = alias.map(|alias| alias.columns.clone()).unwrap_or_default();
    // A table of one column lends it its name.
    let table = alias.map_or_else(|| name.clone(), |alias| alias.name.clone());
    while names.len() < lists.len() {
        names.push(table.clone());
    }
    if names.len() == lists.len() {
        names.push(Name::new("ordinality", span));
    }
    lists.push(Argument { name: None, value: numbers });
    (lists, TableAlias { name: table, columns: names })
}
