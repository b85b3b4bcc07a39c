//! A fitted transform in FROM: `ctr(table)`, `ctr('files')`, `ctr((SELECT ..))`.

use hypostyle_engine::plan::{Expression, WindowCall};
use hypostyle_functions::coercion::implicit_cost;
use hypostyle_functions::{Literal, Type};

use crate::bind::Binder;
use crate::bind::from::{Source, named};
use crate::bind::window::BoundWindow;
use crate::error::{Error, Result};
use crate::logical::{Column, Computed, Relation};
use crate::span::Span;
use crate::transform::{Fitted, Transform};
use crate::tree::{Argument, ExpressionKind, LiteralText, Name, TableAlias};

/// Refuses to leave out folds where none were fitted: each row's own label would be in its features.
fn check_folds(name: &str, fitted: &Fitted, span: Span) -> Result<()> {
    let encodes_targets = fitted.calls.iter().any(|call| call.analyzer == "target_encode");
    match encodes_targets && fitted.outputs.iter().all(|output| output.training.is_none()) {
        false => Ok(()),
        true => Err(Error::invalid(
            format!(
                "transform \"{name}\" has a target_encode without folds, which mode => 'train' cannot leave out: define it with key => id and folds => k"
            ),
            span,
        )),
    }
}

/// An output of a transform whose input is not there: reading it is an error, leaving it out is none.
#[derive(Debug, Clone)]
pub(super) struct Absent {
    /// Number of the column.
    pub id: usize,
    /// What is said to whoever reads it.
    pub message: String,
}

impl Binder<'_> {
    /// Applies a transform to the table that its argument names.
    pub(super) fn transform_table(
        &mut self,
        transform: &Transform,
        arguments: &[Argument],
        alias: Option<&TableAlias>,
        span: Span,
    ) -> Result<Source> {
        let name = &transform.name.text;
        let Some(fitted) = &transform.fitted else {
            let message =
                format!("transform \"{name}\" is not fitted; run FIT TRANSFORM {name} FROM .. first");
            return Err(Error::invalid(message, span));
        };
        let (table, training) = self.transform_arguments(name, arguments, span)?;
        self.find_leakage(name, fitted, table, training);
        let source = self.transform_source(name, table)?;
        let relation = self.applied(name, fitted, source, training, span)?;
        named(relation, Some(name), alias, span)
    }

    /// Notes where a transform is applied to the very rows that it was fitted on.
    fn find_leakage(&mut self, name: &str, fitted: &Fitted, table: &Argument, training: bool) {
        let applied = table.value.to_string();
        let source = fitted.provenance.source.trim_end_matches(';').trim_end();
        let is_same = source == applied || source.ends_with(&format!(" {applied}"));
        if !is_same {
            return;
        }
        let finding = |severity: &str, finding: &str| {
            [severity.to_owned(), format!("transform {name}"), finding.to_owned()]
        };
        let encodes_targets = fitted.calls.iter().any(|call| call.analyzer == "target_encode");
        let has_folds = fitted.outputs.iter().any(|output| output.training.is_some());
        if encodes_targets && !(training && has_folds) {
            self.findings.push(finding(
                "leak",
                "encodes the label of each row into its features: fit with key and folds, and apply to the training rows with mode => 'train'",
            ));
        }
        self.findings.push(finding(
            "check",
            "is applied to the table that it was fitted on: right for training, and no measure of what it does to other rows",
        ));
    }

    fn transform_arguments<'t>(
        &mut self,
        name: &str,
        arguments: &'t [Argument],
        span: Span,
    ) -> Result<(&'t Argument, bool)> {
        let (mut table, mut training) = (None, false);
        for argument in arguments {
            let place = argument.value.span;
            match &argument.name {
                None if table.is_none() => table = Some(argument),
                Some(option) if option.is("mode") => {
                    let literal = self.constant_value(&argument.value)?;
                    training = match literal.value.as_text() {
                        Some("train") => true,
                        Some("serve") => false,
                        _ => return Err(Error::invalid("mode is 'train' or 'serve'", place)),
                    };
                }
                _ => {
                    let message = format!("{name} takes one table, and mode => 'train' or 'serve'");
                    return Err(Error::invalid(message, place));
                }
            }
        }
        let message = || {
            format!(
                "transform \"{name}\" is applied to a table: {name}(table), {name}('files') or {name}((SELECT ..))"
            )
        };
        table.map(|table| (table, training)).ok_or_else(|| Error::invalid(message(), span))
    }

    /// The rows that an argument names.
    fn transform_source(&mut self, name: &str, argument: &Argument) -> Result<Relation> {
        let span = argument.value.span;
        match &argument.value.kind {
            ExpressionKind::Column(names) => self.table_named(names, span),
            ExpressionKind::Literal(LiteralText::Text(path)) => self.path(path, span),
            ExpressionKind::ScalarQuery(query) => self.deeper(span, |binder| binder.query(query)),
            ExpressionKind::Call(call) if call.is_plain() => {
                Ok(self.table_function(&call.name, &call.arguments, None, span)?.relation)
            }
            _ => {
                let message = format!(
                    "transform \"{name}\" is applied to a table, a path in quotes, or a query in parentheses"
                );
                Err(Error::invalid(message, span))
            }
        }
    }

    /// The outputs over the rows of a relation.
    pub(crate) fn applied(
        &mut self,
        name: &str,
        fitted: &Fitted,
        source: Relation,
        training: bool,
        span: Span,
    ) -> Result<Relation> {
        let columns = source.columns();
        if training {
            check_folds(name, fitted, span)?;
        }
        // The value of each input, or what is wrong with it, which is told to whoever reads it.
        let mut inputs: Vec<Result<Expression, String>> = Vec::with_capacity(fitted.inputs.len());
        for input in &fitted.inputs {
            let found = columns.iter().find(|column| column.name.eq_ignore_ascii_case(&input.name));
            // A column that another transform could not compute is as good as none.
            let found = found.filter(|column| self.check_present(column.id, span).is_ok());
            inputs.push(match found {
                Some(column) => self.transform_input_value(name, column, &input.data_type, span),
                None => Err(format!("reads the column \"{}\", which its input does not have", input.name)),
            });
        }
        let source = self.applied_windows(fitted, source, &mut inputs, span)?;
        let mut computed = Vec::with_capacity(fitted.outputs.len());
        for output in &fitted.outputs {
            let own = if training { output.training.as_ref() } else { None };
            let mut expression = own.unwrap_or(&output.expression).clone();
            let data_type = expression.data_type();
            let column = self.new_column(output.name.clone(), data_type.clone());
            let read = expression.columns();
            let zone = &self.context.settings.time_zone;
            let absent = read
                .iter()
                .find_map(|position| inputs.get(*position)?.as_ref().err().cloned())
                .or_else(|| fitted.zone_problem(&expression, zone));
            if let Some(problem) = absent {
                let message = format!("column \"{}\" of transform \"{name}\" {problem}", output.name);
                self.absent.push(Absent { id: column.id, message });
                expression = Expression::Literal(Literal::null(data_type));
            } else {
                self.put_inputs(&mut expression, &inputs, span);
            }
            computed.push(Computed { column, expression });
        }
        Ok(Relation::Project { input: Box::new(source), columns: computed })
    }

    /// The windows that a transform reads, over the rows of a relation; their values, or what is wrong with them, are inputs behind
    /// the others.
    fn applied_windows(
        &mut self,
        fitted: &Fitted,
        source: Relation,
        inputs: &mut Vec<Result<Expression, String>>,
        span: Span,
    ) -> Result<Relation> {
        let (mut values, mut calls) = (Vec::new(), Vec::new());
        for fitted in &fitted.windows {
            for (call, text) in fitted.window.calls.iter().zip(&fitted.texts) {
                let mut window = BoundWindow {
                    partition: fitted.window.partition.clone(),
                    order: fitted.window.orders.get(call.order).cloned().unwrap_or_default(),
                    call: WindowCall { order: 0, ..call.clone() },
                };
                let read: Vec<usize> =
                    window.expressions().into_iter().flat_map(Expression::columns).collect();
                let absent = read.iter().find_map(|position| inputs.get(*position)?.as_ref().err().cloned());
                if let Some(problem) = absent {
                    values.push(Err(problem));
                    continue;
                }
                for part in window.expressions_mut() {
                    self.put_inputs(part, inputs, span);
                }
                let column = self.new_column(text.clone(), call.data_type.clone());
                let (number, _) = self.begun_window();
                self.note_window((&column, &window), number, text.clone(), false, span)?;
                values.push(Ok(column.read()));
                calls.push((column, window));
            }
        }
        inputs.extend(values);
        Ok(self.windowed(source, calls))
    }

    /// Puts the values of inputs in the place of their positions.
    fn put_inputs(&self, expression: &mut Expression, inputs: &[Result<Expression, String>], span: Span) {
        let applied_at = self.place(span);
        expression.walk_mut(&mut |part| match part {
            Expression::Column { index, .. } => {
                if let Some(Ok(value)) = inputs.get(*index) {
                    *part = value.clone();
                }
            }
            // The text that they were written in is not the one of this statement.
            Expression::Call { place, .. } | Expression::Cast { place, .. } => *place = applied_at,
            _ => {}
        });
    }

    /// A column in the type that it had when the transform was fitted.
    fn transform_input_value(
        &mut self,
        name: &str,
        column: &Column,
        to: &Type,
        span: Span,
    ) -> Result<Expression, String> {
        let from = &column.data_type;
        let fits = implicit_cost(from, to).is_some()
            || (from.is_integer() && to.is_integer())
            || (from.is_float() && to.is_float());
        match fits {
            true if from == to => Ok(column.read()),
            true => Ok(self.cast_leniently(column.read(), to, false, span)),
            false => Err(format!(
                "reads the column \"{}\", which has type {from}; transform \"{name}\" was fitted on {to}",
                column.name
            )),
        }
    }

    /// Refuses to read an output whose input is not there.
    pub(crate) fn check_present(&self, id: usize, span: Span) -> Result<()> {
        match self.absent.iter().find(|absent| absent.id == id) {
            Some(absent) => Err(Error::invalid(absent.message.clone(), span)),
            None => Ok(()),
        }
    }

    fn table_named(&mut self, names: &[Name], span: Span) -> Result<Relation> {
        Ok(self.named_table(names, None, span)?.relation)
    }
}
