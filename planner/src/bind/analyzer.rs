//! Calls of analyzers: where their parameters are known they are scalars with constants, else they are asked for.
//!
//! A definition is bound again after each pass of its fit. A call whose parameters are not known yet stands for its
//! scalar with made-up parameters, which has the right type as a rule; nothing of it is kept.

use std::rc::Rc;
use std::sync::Arc;

use hypostyle_engine::plan::{AggregateCall, Expression};
use hypostyle_functions::analyzer::{Analyzer, CategoryTable, Form, Given, Reading, Source, Statistic};
use hypostyle_functions::signature::{Parameter, Pattern};
use hypostyle_functions::{Literal, Type, Value};

use crate::bind::Binder;
use crate::bind::frame::{Clause, Frame};
use crate::bind::scope::Bound;
use crate::error::{Error, Result};
use crate::logical::{Column, Relation};
use crate::nearest::nearest;
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

/// A call of an analyzer, taken apart.
struct Written {
    /// Inputs as they are and as aggregates see them.
    inputs: Vec<Input>,
    options: Vec<(&'static str, Bound)>,
    form: Form,
}

struct Input {
    name: &'static str,
    value: Bound,
    counted: Bound,
    was_single: bool,
}

type Named = Vec<(String, Bound)>;

fn constant(literal: &Literal) -> Bound {
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
        let written = self.written_analyzer(analyzer, call, span, frame)?;
        let is_nested = self.fitting.as_ref().is_some_and(|fitting| fitting.made_up > made_up_before);
        // What was fitted is known by what is served, also where the rows are those of the fit.
        let served = match self.fitting.as_mut().filter(|fitting| fitting.training) {
            Some(fitting) => {
                fitting.training = false;
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
        let columns = match &self.transform_input {
            Some(columns) if !is_over => columns.clone(),
            _ => {
                let source = self.fitting.as_ref().and_then(|fitting| fitting.source.as_ref());
                source.map(Relation::columns).unwrap_or_default()
            }
        };
        if !arguments.iter_mut().all(|argument| to_positions(argument, &columns)) {
            return Err(match is_over {
                true => {
                    let message =
                        format!("{name} OVER () reads columns of FROM, and nothing computed of several rows");
                    Error::invalid(message, span)
                }
                false => Error::unsupported(
                    "an analyzer over a column that the definition computes in a subquery, in WITH or by another transform is",
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

    /// Binds the arguments of a call and asks the analyzer for its form.
    fn written_analyzer(
        &mut self,
        analyzer: &Analyzer,
        call: &Call,
        span: Span,
        frame: &mut Frame,
    ) -> Result<Written> {
        let arranged = arrange(analyzer, call)?;
        let mut inputs = Vec::with_capacity(analyzer.inputs.len());
        for (input, given) in analyzer.inputs.iter().zip(&arranged.inputs) {
            inputs.push(match given {
                Some(tree) => Some((self.untyped_as_text(tree, frame)?, tree.span)),
                None if input.is_optional => None,
                None => {
                    let message = format!(
                        "{}{} needs its input \"{}\"",
                        analyzer.name,
                        analyzer.signature(),
                        input.name
                    );
                    return Err(Error::invalid(message, span));
                }
            });
        }
        let compat = match arranged.compat {
            Some(tree) => Some(self.compat(analyzer, tree)?),
            None => None,
        };
        let set = compat.as_ref().and_then(|name| analyzer.sets.iter().find(|set| set.name == name));
        let mut options: Vec<(&'static str, Bound)> = Vec::with_capacity(analyzer.options.len());
        for (option, given) in analyzer.options.iter().zip(&arranged.options) {
            let preset = set.and_then(|set| set.options.iter().find(|(name, _)| *name == option.name));
            let bound = match (given, preset, &option.default) {
                (Some(tree), _, _) => self.analyzer_option(analyzer, option, tree)?,
                (None, Some((_, literal)), _) | (None, None, Some(literal)) => constant(literal),
                (None, None, None) => {
                    let message =
                        format!("{}{} needs \"{}\"", analyzer.name, analyzer.signature(), option.name);
                    return Err(Error::invalid(message, span));
                }
            };
            options.push((option.name, bound));
        }
        let types: Vec<Option<Type>> =
            inputs.iter().map(|input| input.as_ref().map(|(bound, _)| bound.data_type())).collect();
        let values: Vec<(&'static str, Literal)> = options
            .iter()
            .filter_map(|(name, bound)| match &bound.expression {
                Expression::Literal(literal) => Some((*name, literal.clone())),
                _ => None,
            })
            .collect();
        let given =
            Given { name: &analyzer.name, types: &types, options: &values, compat: compat.as_deref() };
        let form = (analyzer.form)(&given).map_err(|error| Error::from(error).at(span))?;
        options.extend(compat.map(|name| ("compat", constant(&Literal::new(Value::text(name))))));
        let inputs = self.read_inputs(analyzer, inputs, &form, span)?;
        Ok(Written { inputs, options, form })
    }

    fn compat(&mut self, analyzer: &Analyzer, tree: &tree::Expression) -> Result<String> {
        let literal = self.constant_value(tree)?;
        let given = literal.value.as_text().unwrap_or("NULL").to_lowercase();
        match analyzer.sets.iter().any(|set| set.name == given) {
            true => Ok(given),
            false => {
                let known: Vec<String> = analyzer.sets.iter().map(|set| format!("'{}'", set.name)).collect();
                let message =
                    format!("{}: compat is \"{given}\"; expected {}", analyzer.name, known.join(" or "));
                Err(Error::invalid(message, tree.span))
            }
        }
    }

    /// The constant of an option, in its type.
    fn analyzer_option(
        &mut self,
        analyzer: &Analyzer,
        option: &Parameter,
        tree: &tree::Expression,
    ) -> Result<Bound> {
        let mut frame = Frame::new(Rc::default(), Clause::Arguments);
        let what = format!("option \"{}\" of {}", option.name, analyzer.name);
        let bound = self.expression(tree, &mut frame)?;
        let bound = match &option.pattern {
            Pattern::Exact(data_type) => Bound::typed(self.coerce(bound, data_type, &what, tree.span)?),
            _ => bound,
        };
        let literal = self.constant(&bound.expression, &what, tree.span)?;
        Ok(Bound { expression: Expression::Literal(literal), adapts: bound.adapts })
    }

    /// The inputs as the form reads them.
    fn read_inputs(
        &mut self,
        analyzer: &Analyzer,
        inputs: Vec<Option<(Bound, Span)>>,
        form: &Form,
        span: Span,
    ) -> Result<Vec<Input>> {
        let mut read = Vec::with_capacity(inputs.len());
        for (position, (declared, input)) in analyzer.inputs.iter().zip(inputs).enumerate() {
            let reading = form.readings.get(position).copied().unwrap_or(Reading::Plain);
            let (bound, place) = input.unwrap_or_else(|| (constant(&Literal::null(Type::Text)), span));
            let data_type = bound.data_type();
            let wrong = |expected: &str| {
                let problem = format!("has type {data_type}; expected {expected}");
                let error = hypostyle_functions::Error::argument(&analyzer.name, position + 1, problem);
                Error::from(error).at(place)
            };
            let value = match reading {
                Reading::Plain => bound,
                Reading::Number => {
                    match data_type.is_numeric() || matches!(data_type, Type::Boolean | Type::Null) {
                        true => Bound::typed(self.cast(bound, &Type::Float64, place)?),
                        false => return Err(wrong("a number")),
                    }
                }
                Reading::Category => match category_type(&data_type) {
                    Some(to) => Bound::typed(self.cast(bound, &to, place)?),
                    None => return Err(wrong("a category, such as a text or an integer, or a list of them")),
                },
                Reading::Tokens => match data_type.element().is_some() {
                    true => Bound::typed(self.cast(bound, &Type::list(Type::Text), place)?),
                    false => return Err(wrong("a list of texts")),
                },
            };
            let counted = match matches!(reading, Reading::Number | Reading::Plain) && data_type.is_float() {
                true => self.without_nan(value.clone(), place)?,
                false => value.clone(),
            };
            let was_single = data_type == Type::Float32;
            read.push(Input { name: declared.name, value, counted, was_single });
        }
        Ok(read)
    }

    /// The number, or null where it is NaN.
    fn without_nan(&mut self, value: Bound, span: Span) -> Result<Bound> {
        let data_type = value.data_type();
        let is_nan = self.apply("isnan", vec![(value.clone(), span)], span)?.expression;
        let null = Expression::Literal(Literal::null(data_type.clone()));
        Ok(Bound::typed(Expression::Case {
            branches: vec![(is_nan, null)],
            otherwise: Some(Box::new(value.expression)),
            data_type,
        }))
    }
}

/// Numbers of columns, which change whenever a query is bound anew, become positions among those of FROM; false if one is not
/// among them.
fn to_positions(argument: &mut Expression, columns: &[Column]) -> bool {
    let mut is_known = true;
    argument.walk_mut(&mut |part| {
        if let Expression::Column { index, .. } = part {
            match columns.iter().position(|column| column.id == *index) {
                Some(position) => *index = position,
                None => is_known = false,
            }
        }
    });
    is_known
}

/// Integers are looked up as such, everything else as text.
fn category_type(data_type: &Type) -> Option<Type> {
    let of_one = |one: &Type| match one {
        one if one.is_nested() => None,
        Type::UInt64 => Some(Type::Text),
        one if one.is_integer() => Some(Type::Int64),
        _ => Some(Type::Text),
    };
    match data_type.element() {
        Some(element) => of_one(element).map(Type::list),
        None => of_one(data_type),
    }
}

/// The names that a text of an analyzer can read.
fn surroundings(written: &Written, value: impl Fn(&Input) -> Bound) -> Named {
    let inputs = written.inputs.iter().map(|input| (input.name.to_owned(), value(input)));
    let options = written.options.iter().map(|(name, bound)| ((*name).to_owned(), bound.clone()));
    let constants =
        written.form.constants.iter().map(|(name, literal)| ((*name).to_owned(), constant(literal)));
    inputs.chain(options).chain(constants).collect()
}

/// Arguments at their inputs and options.
struct Arranged<'t> {
    inputs: Vec<Option<&'t tree::Expression>>,
    options: Vec<Option<&'t tree::Expression>>,
    compat: Option<&'t tree::Expression>,
}

fn arrange<'t>(analyzer: &Analyzer, call: &'t Call) -> Result<Arranged<'t>> {
    if !call.is_plain() && call.over.is_none() {
        let message = format!("{} takes no DISTINCT, FILTER or ORDER BY", analyzer.name);
        return Err(Error::invalid(message, call.name.span));
    }
    let required = analyzer.inputs.iter().filter(|input| !input.is_optional).count();
    let mut arranged = Arranged {
        inputs: vec![None; analyzer.inputs.len()],
        options: vec![None; analyzer.options.len()],
        compat: None,
    };
    for (position, argument) in call.arguments.iter().enumerate() {
        let value = &argument.value;
        let slot = match &argument.name {
            None if position < required => arranged.inputs.get_mut(position),
            None => arranged.options.get_mut(position - required),
            Some(name) if name.is("compat") && !analyzer.sets.is_empty() => Some(&mut arranged.compat),
            Some(name) => {
                let input = analyzer.inputs.iter().position(|input| name.is(input.name));
                let option = analyzer.options.iter().position(|option| name.is(option.name));
                match (input, option) {
                    (Some(input), _) => arranged.inputs.get_mut(input),
                    (None, Some(option)) => arranged.options.get_mut(option),
                    (None, None) => {
                        let inputs = analyzer.inputs.iter().map(|input| input.name);
                        let known =
                            inputs.chain(analyzer.options.iter().map(|option| option.name)).chain(["compat"]);
                        return Err(Error::unknown(
                            "parameter",
                            &name.text,
                            nearest(&name.text, known),
                            name.span,
                        ));
                    }
                }
            }
        };
        match slot {
            Some(slot) if slot.is_none() => *slot = Some(value),
            Some(_) => return Err(Error::invalid("an argument is given twice", value.span)),
            None => {
                let message = format!("{}{} takes no more arguments", analyzer.name, analyzer.signature());
                return Err(Error::invalid(message, value.span));
            }
        }
    }
    Ok(arranged)
}

/// Tells errors of a text at the place of the call.
fn place(tree: &mut tree::Expression, span: Span) {
    tree.span = span;
    if let tree::ExpressionKind::Call(call) = &mut tree.kind {
        call.name.span = span;
    }
    tree.children_mut().into_iter().for_each(|child| place(child, span));
}
