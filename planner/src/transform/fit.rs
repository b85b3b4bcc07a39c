//! FIT: passes of aggregates over the source, one for each level of analyzers inside analyzers.

use std::rc::Rc;
use std::sync::Arc;

use hypostyle_engine::Context;
use hypostyle_engine::execution::Prepared;
use hypostyle_engine::plan::{Expression, Plan};
use hypostyle_functions::arrow::array::{Array, ArrayRef, AsArray};
use hypostyle_functions::column::{borrow, value_at};
use hypostyle_functions::shared_list::SharedList;
use hypostyle_functions::{Field, Literal, Place, Type, Value};

use crate::bind::{Binder, Discovered, Ground, GroundWindow, Makes, Pass, Request, fold};
use crate::definitions::Definitions;
use crate::error::{Error, Result};
use crate::logical::{Column, Relation};
use crate::lower::lower;
use crate::planner::Observer;
use crate::rewrite;
use crate::span::Span;
use crate::transform::{
    Fitted, FittedCall, FittedOutput, LEVELS_MAX, Provenance, Transform, too_many_levels, window,
};
use crate::tree::Query;

/// Fits a transform on the rows of a query. The observer sees each pass when it starts.
///
/// # Errors
/// What is wrong with the definition over these columns, or what ends a pass.
pub fn fit(
    context: &Arc<Context>,
    definitions: &Definitions,
    transform: &Transform,
    source: &Query,
    source_text: &str,
    observer: Observer<'_>,
) -> Result<Fitted> {
    let query = transform.definition()?;
    let mut known: Rc<Vec<FittedCall>> = Rc::default();
    let mut provenance = Provenance {
        source: source_text.to_owned(),
        time_zone: context.settings.time_zone.clone(),
        ..Provenance::default()
    };
    for level in 0..LEVELS_MAX {
        let mut binder = Binder::new(context, definitions).observed(Some(observer));
        let relation = binder.query(source)?;
        if relation.columns().is_empty() {
            return Err(Error::invalid("a transform is fitted on a table with columns", source.span));
        }
        let columns = relation.columns();
        let (requests, windows) = match next(&mut binder, context, query, &columns, &known)? {
            Next::Complete(complete) => {
                return Ok(fitted(&columns, complete, Rc::unwrap_or_clone(known), provenance));
            }
            Next::Requests(requests, windows) => (requests, windows),
        };
        let pass = binder.fit_pass(relation, &requests, &windows, level == 0, Makes::Results)?;
        let values = run_pass(pass.relation.clone(), &pass.result, context, source.span, Some(observer))?;
        finish_pass(&pass, values, level, Rc::make_mut(&mut known), &mut provenance)?;
        provenance.passes += 1;
    }
    Err(too_many_levels(query.span))
}

/// What a definition is, with what is known.
pub(super) enum Next {
    /// Nothing is left to fit.
    Complete(Complete),
    /// What is to be found next, and the windows that it reads.
    Requests(Vec<Request>, Vec<GroundWindow>),
}

/// A definition with all that was fitted, over numbers of columns.
pub(super) struct Complete {
    outputs: Vec<FittedOutput>,
    /// Outputs for the rows of the fit, where they are others.
    training: Option<Vec<FittedOutput>>,
    windows: Vec<GroundWindow>,
}

/// Binds a definition over the columns of its input.
pub(super) fn next(
    binder: &mut Binder<'_>,
    context: &Arc<Context>,
    query: &Query,
    columns: &[Column],
    known: &Rc<Vec<FittedCall>>,
) -> Result<Next> {
    let (outputs, mut windows, has_training) = match binder.discover(query, columns, known, false)? {
        Discovered::Requests(requests, windows) => {
            let read: Vec<Expression> = requests.iter().flat_map(Request::read).collect();
            return Ok(Next::Requests(requests, Ground::read_by(&windows, &read)));
        }
        Discovered::Complete { outputs, windows, has_training } => (outputs, windows, has_training),
    };
    check_deterministic(&outputs, &windows, known, context, query.span)?;
    let training = match has_training {
        false => None,
        true => match binder.discover(query, columns, known, true)? {
            Discovered::Complete { outputs, windows: own, .. } => Some(united(outputs, own, &mut windows)),
            Discovered::Requests(..) => return Err(Error::internal("training asks for what was fitted")),
        },
    };
    if let Some(parameter) = binder.open_parameters().first() {
        let message = format!("a transform has no parameters such as ${}", parameter.name);
        return Err(Error::invalid(message, query.span));
    }
    Ok(Next::Complete(Complete { outputs, training, windows }))
}

/// Outputs over windows that were bound anew, over those that are known; others join them.
fn united(
    mut outputs: Vec<FittedOutput>,
    own: Vec<GroundWindow>,
    windows: &mut Vec<GroundWindow>,
) -> Vec<FittedOutput> {
    for window in own {
        let known = windows.iter().find(|known| known.window == window.window).map(|known| known.column.id);
        let Some(known) = known else {
            windows.push(window);
            continue;
        };
        let parts = outputs.iter_mut().map(|output| &mut output.expression);
        parts.for_each(|part| renumber(part, |id| if id == window.column.id { known } else { id }));
    }
    outputs
}

fn renumber(expression: &mut Expression, number: impl Fn(usize) -> usize) {
    expression.walk_mut(&mut |part| {
        if let Expression::Column { index, .. } = part {
            *index = number(*index);
        }
    });
}

/// Refuses what differs from one time to the next: what is served would not be what was trained on.
fn check_deterministic(
    outputs: &[FittedOutput],
    windows: &[GroundWindow],
    calls: &[FittedCall],
    context: &Arc<Context>,
    span: Span,
) -> Result<()> {
    let changing = |part: &Expression| fold::first_changing(part, context).map(|(function, _)| function);
    let of_outputs = outputs.iter().map(|output| (format!("output \"{}\"", output.name), &output.expression));
    let of_calls = calls.iter().flat_map(|call| {
        call.arguments.iter().map(|argument| (format!("an argument of {}", call.analyzer), argument))
    });
    let of_windows = windows.iter().flat_map(|window| {
        window.window.expressions().into_iter().map(|part| (format!("the window {}", window.text), part))
    });
    let parts = of_outputs.chain(of_calls).chain(of_windows);
    let found = parts.into_iter().find_map(|(what, part)| changing(part).map(|function| (what, function)));
    match found {
        None => Ok(()),
        Some((what, function)) => {
            let message = format!(
                "{what} calls {function}, which gives other values at another time: pass its value in as a column"
            );
            Err(Error::invalid(message, span))
        }
    }
}

/// Runs a plan of one row; its columns.
pub(crate) fn run_pass(
    relation: Relation,
    result: &[Column],
    context: &Arc<Context>,
    span: Span,
    observer: Option<Observer<'_>>,
) -> Result<Vec<(ArrayRef, Type)>> {
    run(relation, result, context, observer).map_err(|error| Error::run(error, span))
}

/// Runs a plan of one row; its columns.
pub(super) fn run(
    relation: Relation,
    result: &[Column],
    context: &Arc<Context>,
    observer: Option<Observer<'_>>,
) -> hypostyle_engine::Result<Vec<(ArrayRef, Type)>> {
    let relation = rewrite::rewrite(relation, result, context);
    let plan =
        lower(&relation, result).map_err(|error| hypostyle_engine::Error::internal(error.to_string()))?;
    one_row(plan, context, observer)
}

/// The value of one row.
fn literal(array: &ArrayRef, data_type: Type) -> Literal {
    let bump = Default::default();
    let value = value_at(&borrow(array, &data_type, &bump), 0);
    Literal { data_type, value }
}

/// The list of one row, whose elements stay where they are. Keys are those of groups: each of them once.
fn fitted_list(array: &ArrayRef, data_type: Type, is_keys: bool) -> Result<Literal> {
    let lost = |problem: &str| Error::internal(format!("a table of categories {problem}"));
    let element = data_type.element().cloned().ok_or_else(|| lost("has no lists"))?;
    let elements = array.as_list_opt::<i32>().filter(|list| list.len() == 1 && list.is_valid(0));
    let elements = elements.ok_or_else(|| lost("is no row of lists"))?.value(0);
    let list =
        if is_keys { SharedList::of_distinct(element, elements) } else { SharedList::new(element, elements) };
    let list = list.map_err(Error::from)?;
    Ok(Literal { data_type, value: Value::Shared(list) })
}

fn one_row(
    plan: Plan,
    context: &Arc<Context>,
    observer: Option<Observer<'_>>,
) -> hypostyle_engine::Result<Vec<(ArrayRef, Type)>> {
    let fields = plan.schema.fields.clone();
    let prepared = Prepared::new(plan, Arc::clone(context))?;
    let mut run = prepared.start(&[])?;
    if let Some(observer) = observer {
        (observer.0)(run.handle());
    }
    let mut values = Vec::new();
    while let Some(batch) = run.next()? {
        if batch.rows == 0 {
            continue;
        }
        if batch.rows != 1 || !values.is_empty() {
            return Err(hypostyle_engine::Error::internal("a pass of a fit gave more than one row"));
        }
        for (column, field) in batch.columns.iter().zip(&fields) {
            values.push((column.to_array()?, field.data_type.clone()));
        }
    }
    match values.len() == fields.len() {
        true => Ok(values),
        false => Err(hypostyle_engine::Error::internal("a pass of a fit gave no row")),
    }
}

/// Adds what a pass found.
pub(crate) fn finish_pass(
    pass: &Pass,
    values: Vec<(ArrayRef, Type)>,
    level: usize,
    known: &mut Vec<FittedCall>,
    provenance: &mut Provenance,
) -> Result<()> {
    let mut values = values.into_iter();
    let mut next = || values.next().ok_or_else(|| Error::internal("a pass of a fit lost a value"));
    for request in &pass.requests {
        let mut parameters = Vec::with_capacity(request.parameters.len());
        for name in &request.parameters {
            let is_list = parameters.len() >= request.values.values.len();
            let (array, data_type) = next()?;
            let literal = match is_list {
                true => fitted_list(&array, data_type, name == "keys")?,
                false => literal(&array, data_type),
            };
            parameters.push((name.clone(), literal));
        }
        known.push(FittedCall {
            analyzer: request.analyzer.clone(),
            options: request.options.clone(),
            arguments: request.arguments.clone(),
            level,
            parameters,
        });
    }
    if let Some(counted) = &pass.counted {
        let count = |(array, data_type): (ArrayRef, Type)| {
            literal(&array, data_type).value.as_i64().and_then(|count| u64::try_from(count).ok())
        };
        provenance.rows = count(next()?);
        for name in counted {
            let nulls = count(next()?).zip(provenance.rows).map(|(values, rows)| rows.saturating_sub(values));
            provenance.nulls.push((name.clone(), nulls.unwrap_or(0)));
        }
    }
    Ok(())
}

/// Numbers of columns become positions among the columns that are read, and behind them among the values of windows.
pub(super) fn fitted(
    columns: &[Column],
    complete: Complete,
    mut calls: Vec<FittedCall>,
    provenance: Provenance,
) -> Fitted {
    let Complete { mut outputs, training, windows } = complete;
    // Arguments of analyzers stand over places among all columns, and over the numbers of windows.
    let id_of = |place: usize| match columns.get(place) {
        Some(column) => Some(column.id),
        None => {
            let number = place - columns.len();
            windows.iter().find(|window| window.number == number).map(|window| window.column.id)
        }
    };
    calls.retain(|call| {
        call.arguments.iter().flat_map(Expression::columns).all(|place| id_of(place).is_some())
    });
    for argument in calls.iter_mut().flat_map(|call| &mut call.arguments) {
        renumber(argument, |place| id_of(place).unwrap_or(place));
    }
    let of_outputs = outputs.iter().chain(training.iter().flatten()).map(|output| &output.expression);
    let parts: Vec<&Expression> = of_outputs.chain(calls.iter().flat_map(|call| &call.arguments)).collect();
    let windows = Ground::read_by(&windows, parts.iter().copied());
    let of_windows = windows.iter().flat_map(|window| window.window.expressions());
    let read: Vec<usize> = parts.iter().copied().chain(of_windows).flat_map(Expression::columns).collect();
    let inputs: Vec<&Column> = columns.iter().filter(|column| read.contains(&column.id)).collect();
    let (mut windows, values) = window::grouped(&windows, &inputs);
    let ids: Vec<usize> = inputs.iter().map(|input| input.id).chain(values).collect();
    let place = |expression: &mut Expression| {
        expression.walk_mut(&mut |part| match part {
            Expression::Column { index, .. } => {
                if let Some(position) = ids.iter().position(|id| id == index) {
                    *index = position;
                }
            }
            // It is applied in statements of other texts.
            Expression::Call { place, .. } | Expression::Cast { place, .. } => *place = Place::NONE,
            _ => {}
        });
    };
    for (output, other) in outputs.iter_mut().zip(training.into_iter().flatten()) {
        if other.expression != output.expression {
            output.training = Some(other.expression);
        }
    }
    for output in &mut outputs {
        place(&mut output.expression);
        output.training.iter_mut().for_each(place);
    }
    calls.iter_mut().flat_map(|call| &mut call.arguments).for_each(place);
    windows.iter_mut().flat_map(|window| window.window.expressions_mut()).for_each(place);
    let inputs =
        inputs.iter().map(|column| Field::new(column.name.clone(), column.data_type.clone())).collect();
    Fitted { inputs, windows, outputs, calls, provenance }
}
