//! Calls of analyzers: where their parameters are known they are scalars with constants, else they are asked for.
//!
//! A definition is bound again after each pass of its fit. A call whose parameters are not known yet stands for its
//! scalar with made-up parameters, which has the right type as a rule; nothing of it is kept.

use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;

use hypostyle_engine::plan::{AggregateCall, Expression};
use hypostyle_functions::analyzer::{Analyzer, CategoryTable, Source, Statistic};
use hypostyle_functions::{Literal, Type, Value};

use crate::bind::frame::{Clause, Frame};
use crate::bind::scope::Bound;
use crate::bind::written_analyzer::{Input, Written};
use crate::bind::{Binder, Ground};
use crate::error::{Error, Result};
use crate::logical::{Column, Relation};
use crate::parse::parse_expression;
use crate::span::Span;
use crate::transform::FittedCall;
use crate::tree::{self, Call, Name};

/// What the analyzers of a statement know and ask for.
#[derive(Debug, Default)]
pub(super) struct Fitting {
    /// Calls whose parameters are known. Vocabularies are large, so they are shared and not copied.
    pub known: Rc<Vec<FittedCall>>,
    /// Calls whose parameters can be found next.
    pub requests: Vec<Request>,
    /// How often a made-up parameter was handed out.
    pub made_up: usize,
    /// Whether the rows are those of the fit.
    pub training: bool,
    /// Whether a call was met that is another scalar for those.
    pub has_training: bool,
    /// What a definition stands on.
    pub ground: Ground,
    /// The rows that calls OVER () of a query are fitted on; `None` while a transform is bound.
    pub source: Option<Relation>,
    /// Whether the calls are those of a query, OVER ().
    pub is_inline: bool,
}

/// Aggregates and what is computed of them.
#[derive(Debug, Clone)]
pub(crate) struct Aggregated {
    /// Values over the columns of the aggregates, by name.
    pub values: Vec<(String, Expression)>,
    /// The aggregates.
    pub calls: Vec<(Column, AggregateCall)>,
}

impl Aggregated {
    /// All expressions, for rewriting.
    fn expressions_mut(&mut self) -> impl Iterator<Item = &mut Expression> {
        let values = self.values.iter_mut().map(|(_, value)| value);
        values.chain(self.calls.iter_mut().flat_map(|(_, call)| call_expressions_mut(call)))
    }
}

impl RequestedTable {
    /// All expressions, for rewriting.
    fn expressions_mut(&mut self) -> impl Iterator<Item = &mut Expression> {
        let Self { key, count, columns, .. } = self;
        std::iter::once(key).chain(call_expressions_mut(count)).chain(columns.expressions_mut())
    }
}

impl Request {
    /// What its aggregates read.
    pub(crate) fn read(&self) -> Vec<Expression> {
        let mut request = self.clone();
        let of_tables = request.tables.iter_mut().flat_map(RequestedTable::expressions_mut);
        request.values.expressions_mut().chain(of_tables).map(|part| part.clone()).collect()
    }
}

fn call_expressions_mut(call: &mut AggregateCall) -> impl Iterator<Item = &mut Expression> {
    let order = call.order.iter_mut().map(|key| &mut key.expression);
    call.arguments.iter_mut().chain(&mut call.filter).chain(order)
}

/// A table of categories, bound.
#[derive(Debug, Clone)]
pub(crate) struct RequestedTable {
    /// How it was declared.
    pub table: CategoryTable,
    /// The category, or the list of them.
    pub key: Expression,
    /// How often a category counts.
    pub count: AggregateCall,
    /// What is computed of each category.
    pub columns: Aggregated,
}

/// A call whose parameters are to be found.
#[derive(Debug, Clone)]
pub struct Request {
    pub(crate) analyzer: String,
    pub(crate) options: Vec<(String, Literal)>,
    /// What it is applied to, over the positions of the columns of FROM.
    pub(crate) arguments: Vec<Expression>,
    pub(crate) values: Aggregated,
    pub(crate) tables: Vec<RequestedTable>,
    /// Names of the parameters: those of values, then those of each table.
    pub(crate) parameters: Vec<String>,
}

type Named = Vec<(String, Bound)>;

pub(super) fn constant(literal: &Literal) -> Bound {
    Bound::typed(Expression::Literal(literal.clone()))
}

/// A value of this type that stands for one that is not known.
fn made_up(data_type: &Type) -> Literal {
    let value = match data_type {
        Type::List(element) => Value::List(Type::clone(element), Vec::new()),
        Type::Float64 => Value::float64(1.0),
        Type::Float32 => Value::float32(1.0),
        Type::Int64 => Value::Int64(1),
        Type::Int32 => Value::Int32(1),
        _ => Value::Null,
    };
    Literal { data_type: data_type.clone(), value }
}

impl Binder<'_> {
    /// The analyzer that a call means: one of its name that, if there is a scalar of that name too, takes as many arguments
    /// without names.
    pub(super) fn analyzer_of(&self, call: &Call) -> Option<Arc<Analyzer>> {
        let analyzer = self.context.registry.analyzer(&call.name.text)?;
        let positional = call.arguments.iter().filter(|argument| argument.name.is_none()).count();
        let required = analyzer.inputs.iter().filter(|input| !input.is_optional).count();
        let named = || call.arguments.iter().filter_map(|argument| argument.name.as_ref());
        let inputs = named().filter(|name| analyzer.inputs.iter().any(|input| name.is(input.name))).count();
        // A scalar of the same name has parameters of its own.
        let is_parameter = |name: &Name| {
            name.is("compat")
                || analyzer.inputs.iter().any(|input| name.is(input.name))
                || analyzer.options.iter().any(|option| name.is(option.name))
        };
        let scalar = self.context.registry.scalar(&analyzer.name);
        let is_of_scalar = |name: &Name| {
            let forms = scalar.iter().flat_map(|scalar| &scalar.overloads);
            forms.flat_map(|form| &form.signature.parameters).any(|parameter| name.is(parameter.name))
        };
        if named().any(|name| !is_parameter(name) && is_of_scalar(name)) {
            return None;
        }
        let is_meant = scalar.is_none()
            || positional <= analyzer.inputs.len() + analyzer.positional_options
                && positional + inputs >= required;
        is_meant.then(|| Arc::clone(analyzer))
    }

    /// A call of an analyzer.
    pub(super) fn analyzer_call(
        &mut self,
        analyzer: &Analyzer,
        call: &Call,
        span: Span,
        frame: &mut Frame,
    ) -> Result<Bound> {
        let name = &analyzer.name;
        let is_over = call.over.is_some();
        let Some(fitting) = self.fitting.as_ref().filter(|fitting| fitting.is_inline == is_over) else {
            let message = match (&self.fitting, is_over) {
                (Some(fitting), true) if !fitting.is_inline => {
                    format!("a transform fits {name} without OVER")
                }
                (_, true) => format!("{name} OVER () stands in the select list of a query without grouping"),
                _ => format!(
                    "{name}{} is fitted on data: it stands in CREATE TRANSFORM, or is written with OVER () in a query",
                    analyzer.signature()
                ),
            };
            return Err(Error::invalid(message, span));
        };
        if !frame.variables.is_empty() {
            return Err(Error::invalid(format!("analyzer {name} stands inside a lambda"), span));
        }
        let made_up_before = fitting.made_up;
        let window_calls = fitting.ground.window_calls;
        let written = self.written_analyzer(analyzer, call, span, frame)?;
        let is_nested = self.fitting.as_ref().is_some_and(|fitting| fitting.made_up > made_up_before);
        // What was fitted is known by what is served, also where the rows are those of the fit.
        let served = match self.fitting.as_mut().filter(|fitting| fitting.training) {
            Some(fitting) => {
                fitting.training = false;
                // The same windows have the same numbers.
                fitting.ground.window_calls = window_calls;
                let served = self.written_analyzer(analyzer, call, span, frame);
                if let Some(fitting) = &mut self.fitting {
                    fitting.training = true;
                }
                Some(served?)
            }
            None => None,
        };
        let mut arguments: Vec<Expression> = served
            .as_ref()
            .unwrap_or(&written)
            .inputs
            .iter()
            .map(|input| input.value.expression.clone())
            .collect();
        let ground = self.places_of_ground(is_over);
        if !arguments.iter_mut().all(|argument| {
            self.resolve(argument);
            to_positions(argument, &ground)
        }) {
            return Err(match is_over {
                true => {
                    let message =
                        format!("{name} OVER () reads columns of FROM, and nothing computed of several rows");
                    Error::invalid(message, span)
                }
                false => Error::unsupported(
                    format!(
                        "{name} over a column that is not computed of one row of the input, or of windows over it, is"
                    ),
                    span,
                ),
            });
        }
        let mut options: Vec<(String, Literal)> = Vec::new();
        for (option, bound) in &written.options {
            if let Expression::Literal(literal) = &bound.expression {
                options.push(((*option).to_owned(), literal.clone()));
            }
        }
        let known = self.fitting.as_ref().map(|fitting| Rc::clone(&fitting.known)).unwrap_or_default();
        let is_it = |known: &&FittedCall| {
            known.analyzer == *name && known.arguments == arguments && known.options == options
        };
        match known.iter().find(is_it).filter(|_| !is_nested) {
            Some(known) => self.fitted_scalar(&written, &known.parameters, span),
            None => {
                let made_up = self.request(analyzer, &written, arguments, options, is_nested, span)?;
                self.fitted_scalar(&written, &made_up, span)
            }
        }
    }

    /// Where each column stands that arguments of analyzers are told by: those of the input or, in a query, of FROM, and behind them
    /// windows by their numbers.
    fn places_of_ground(&self, is_over: bool) -> HashMap<usize, usize> {
        let Some(fitting) = &self.fitting else { return HashMap::new() };
        let columns = match &self.transform_input {
            Some(columns) if !is_over => columns.clone(),
            _ => fitting.source.as_ref().map(Relation::columns).unwrap_or_default(),
        };
        let windows = fitting.ground.windows.iter();
        let windows = windows.map(|window| (window.column.id, columns.len() + window.number));
        let places = columns.iter().enumerate().map(|(place, column)| (column.id, place));
        places.chain(windows).collect()
    }

    /// Puts what computed columns of a definition stand for in their place.
    fn resolve(&self, expression: &mut Expression) {
        if let Some(fitting) = &self.fitting {
            fitting.ground.resolve(expression);
        }
    }

    /// The scalar of a call with its parameters.
    fn fitted_scalar(
        &mut self,
        written: &Written,
        parameters: &[(String, Literal)],
        span: Span,
    ) -> Result<Bound> {
        let mut training = false;
        if let Some(fitting) = &mut self.fitting {
            training = fitting.training;
            fitting.has_training |= written.form.training.is_some();
        }
        let sql = match &written.form.training {
            Some(sql) if training => sql,
            _ => &written.form.scalar,
        };
        let mut named = surroundings(written, |input| input.value.clone());
        named.extend(parameters.iter().map(|(name, literal)| (name.clone(), constant(literal))));
        let mut frame = Frame::new(Rc::default(), Clause::Select);
        let bound = self.template(sql, &Rc::new(named), &mut frame, span)?;
        let is_single = written.inputs.first().is_some_and(|input| input.was_single);
        match written.form.keeps_float && is_single && bound.data_type() == Type::Float64 {
            true => Ok(Bound::typed(self.cast(bound, &Type::Float32, span)?)),
            false => Ok(bound),
        }
    }

    /// Asks for the parameters of a call; gives made-up ones.
    fn request(
        &mut self,
        analyzer: &Analyzer,
        written: &Written,
        arguments: Vec<Expression>,
        options: Vec<(String, Literal)>,
        is_nested: bool,
        span: Span,
    ) -> Result<Vec<(String, Literal)>> {
        if written.form.statistics.is_empty() {
            return Ok(Vec::new());
        }
        let mut named = Rc::new(surroundings(written, |input| input.counted.clone()));
        let (mut values, mut tables) = (Aggregated { values: Vec::new(), calls: Vec::new() }, Vec::new());
        let mut frame = Frame::new(Rc::default(), Clause::Select);
        for statistic in &written.form.statistics {
            match statistic {
                Statistic::Value { name, sql } => {
                    let bound = self.template(sql, &named, &mut frame, span)?;
                    // Later statistics may read it by its name.
                    Rc::make_mut(&mut named).push(((*name).to_owned(), bound.clone()));
                    values.values.push(((*name).to_owned(), bound.expression));
                }
                Statistic::Table(table) => tables.push(self.requested_table(table, &named, span)?),
            }
        }
        values.calls = frame.calls;
        let of_tables = tables.iter_mut().flat_map(RequestedTable::expressions_mut);
        values.expressions_mut().chain(of_tables).for_each(|part| self.resolve(part));
        let mut parameters: Vec<(String, Literal)> = Vec::new();
        for (name, expression) in &values.values {
            parameters.push((name.clone(), made_up(&expression.data_type())));
        }
        for table in &tables {
            let key = match table.table.source {
                Source::Value => table.key.data_type(),
                _ => table.key.data_type().element().cloned().unwrap_or(Type::Null),
            };
            parameters.push(("keys".to_owned(), made_up(&Type::list(key))));
            for (name, expression) in &table.columns.values {
                parameters.push((name.clone(), made_up(&Type::list(expression.data_type()))));
            }
        }
        if let Some(fitting) = &mut self.fitting {
            fitting.made_up += 1;
            let is_asked = fitting.requests.iter().any(|held| {
                held.analyzer == analyzer.name && held.arguments == arguments && held.options == options
            });
            if !is_nested && !is_asked {
                let names = parameters.iter().map(|(name, _)| name.clone()).collect();
                let analyzer = analyzer.name.clone();
                fitting.requests.push(Request {
                    analyzer,
                    options,
                    arguments,
                    values,
                    tables,
                    parameters: names,
                });
            }
        }
        Ok(parameters)
    }

    fn requested_table(
        &mut self,
        table: &CategoryTable,
        named: &Rc<Named>,
        span: Span,
    ) -> Result<RequestedTable> {
        let mut frame = Frame::new(Rc::default(), Clause::Select);
        let key = self.template(table.key, named, &mut frame, span)?.expression;
        let mut values = Vec::with_capacity(table.columns.len());
        for (name, sql) in &table.columns {
            values.push((name.clone(), self.template(sql, named, &mut frame, span)?.expression));
        }
        let columns = Aggregated { values, calls: std::mem::take(&mut frame.calls) };
        let Bound { expression: Expression::Column { .. }, .. } =
            self.template(table.count, named, &mut frame, span)?
        else {
            return Err(Error::internal("the count of a category is no aggregate"));
        };
        let count = frame.calls.pop().map(|(_, call)| call);
        let count = count.ok_or_else(|| Error::internal("the count of a category is no aggregate"))?;
        Ok(RequestedTable { table: table.clone(), key, count, columns })
    }

    /// Binds a text of an analyzer, whose names stand for bound values.
    fn template(&mut self, sql: &str, named: &Rc<Named>, frame: &mut Frame, span: Span) -> Result<Bound> {
        let mut tree = parse_expression(sql)?;
        place(&mut tree, span);
        self.named_values.push(Rc::clone(named));
        self.macro_arguments.push(Vec::new());
        let bound = self.expression(&tree, frame);
        self.macro_arguments.pop();
        self.named_values.pop();
        bound
    }

    /// The value that a name of an analyzer's text stands for.
    pub(super) fn named_value(&self, name: &str) -> Option<Bound> {
        let values = self.named_values.last()?;
        values.iter().find(|(known, _)| known == name).map(|(_, bound)| bound.clone())
    }
}

/// Numbers of columns, which change whenever a query is bound anew, become places that do not; false if one has none.
fn to_positions(argument: &mut Expression, places: &HashMap<usize, usize>) -> bool {
    let mut is_known = true;
    argument.walk_mut(&mut |part| {
        if let Expression::Column { index, .. } = part {
            match places.get(index) {
                Some(place) => *index = *place,
                None => is_known = false,
            }
        }
    });
    is_known
}

/// The names that a text of an analyzer can read.
fn surroundings(written: &Written, value: impl Fn(&Input) -> Bound) -> Named {
    let inputs = written.inputs.iter().map(|input| (input.name.to_owned(), value(input)));
    let options = written.options.iter().map(|(name, bound)| ((*name).to_owned(), bound.clone()));
    let constants =
        written.form.constants.iter().map(|(name, literal)| ((*name).to_owned(), constant(literal)));
    inputs.chain(options).chain(constants).collect()
}

/// Tells errors of a text at the place of the call.
fn place(tree: &mut tree::Expression, span: Span) {
    tree.span = span;
    if let tree::ExpressionKind::Call(call) = &mut tree.kind {
        call.name.span = span;
    }
    tree.children_mut().into_iter().for_each(|child| place(child, span));
}
