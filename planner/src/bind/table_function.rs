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
use crate::tree::{self, Argument, Call, ExpressionKind, MacroBody, Name, TableAlias};

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
            let relation = self.deeper(span, |binder| binder.query(query));
            self.macro_arguments.pop();
            let relation = relation.map_err(|error| within("macro", &name.text, error, span))?;
            return named(relation, Some(&name.text), alias, span);
        }
        if self.context.catalog.function(&name.text).is_none() {
            return match self.context.registry.scalar(&name.text) {
                Some(_) => self.list_function(name, arguments, alias, span),
                None => Err(self.unknown_table_function(name)),
            };
        }
        let is_list = self.context.registry.scalar(&name.text).is_some();
        let reads = self.outer_reads;
        if is_list && self.has_open_argument(arguments)? {
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
        let mut frame = Frame::new(Rc::new(Scope::default()), Clause::Arguments);
        let value = tree::Expression::new(ExpressionKind::Call(Box::new(call)), span);
        let bound = self.expression(&value, &mut frame)?;
        if bound.data_type().element().is_none() {
            let message = format!("\"{}\" gives {}, not a table", name.text, bound.data_type());
            return Err(Error::invalid(message, name.span));
        }
        let (expression, element) = self.unnestable(bound, span)?;
        let column = self.new_column(name.text.to_lowercase(), element);
        let lists = vec![Computed { column: column.clone(), expression }];
        let unnest = Relation::Unnest { input: Box::new(one_row()), lists, outer: false };
        named(unnest, Some(&name.text), alias, span)
    }

    /// True if an argument reads a column of a query or table around: `FROM t, range(t.n)`.
    fn has_open_argument(&mut self, arguments: &[Argument]) -> Result<bool> {
        for argument in arguments {
            let mut frame = Frame::new(Rc::new(Scope::default()), Clause::Arguments);
            let bound = self.expression(&argument.value, &mut frame)?;
            if !bound.expression.columns().is_empty() {
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
