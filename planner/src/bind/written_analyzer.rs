//! Arguments of a call of an analyzer: brought to its inputs and options, and read as its form reads them.

use std::rc::Rc;

use hypostyle_engine::plan::Expression;
use hypostyle_functions::analyzer::{Analyzer, Form, Given, Reading};
use hypostyle_functions::signature::{Parameter, Pattern};
use hypostyle_functions::{Literal, Type, Value};

use crate::bind::Binder;
use crate::bind::analyzer::constant;
use crate::bind::frame::{Clause, Frame};
use crate::bind::scope::Bound;
use crate::error::{Error, Result};
use crate::nearest::nearest;
use crate::span::Span;
use crate::tree::{self, Call};

/// A call of an analyzer, taken apart.
pub(super) struct Written {
    /// Inputs as they are and as aggregates see them.
    pub inputs: Vec<Input>,
    pub options: Vec<(&'static str, Bound)>,
    pub form: Form,
}

pub(super) struct Input {
    pub name: &'static str,
    pub value: Bound,
    pub counted: Bound,
    pub was_single: bool,
}

impl Binder<'_> {
    /// Binds the arguments of a call and asks the analyzer for its form.
    pub(super) fn written_analyzer(
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
            false if analyzer.sets.is_empty() => {
                let message = format!(
                    "{} takes no compat: it is not that of another system, and its options say all of it",
                    analyzer.name
                );
                Err(Error::invalid(message, tree.span))
            }
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
            Some(name) if name.is("compat") => Some(&mut arranged.compat),
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
