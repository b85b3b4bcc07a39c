//! What each statement does to a session.

use std::sync::Arc;

use arrow::array::RecordBatch;
use hypostyle_engine::Context;
use hypostyle_engine::execution::Prepared as EnginePrepared;
use hypostyle_functions::column::Output;
use hypostyle_functions::types::{Field, Schema, Type};
use hypostyle_planner::tree::{ExplainFormat, Statement, StatementKind};
use hypostyle_planner::{Error as PlanError, Observer, Planned, PlannedQuery, Planner, Span, parse};

use crate::answer::Answer;
use crate::error::{Error, Result};
use crate::prepared::Prepared;
use crate::session::Session;
use crate::transforms;

/// Runs one statement.
pub(crate) fn run(session: &Session, statement: &Statement) -> Result<Answer> {
    let context = session.context();
    // Planning may read data, for PIVOT and for analyzers with OVER: others go on with the session meanwhile.
    let definitions = session.definitions().clone();
    let observer = session.fit_observer();
    let planned = Planner::new(&context, &definitions).observed(Observer(&observer)).plan(statement)?;
    match planned {
        Planned::Query(query) => Ok(Answer::of_run(closed(query, &context)?.start(&[])?)),
        Planned::Explain { analyze, format, query } => explain(&context, analyze, format, query),
        Planned::ExplainRelation { relation, columns } => {
            let bytes = hypostyle_substrait::write(&relation, &columns, &context)?;
            blob("plan", &bytes)
        }
        Planned::Set { name, span, value } => {
            session.set(&name, &value.value).map_err(|error| at(error, span))?;
            Ok(Answer::nothing())
        }
        Planned::Reset { name, span } => {
            session.reset(&name).map_err(|error| at(error, span))?;
            Ok(Answer::nothing())
        }
        Planned::ShowSettings(name) => show_settings(session, name.as_deref()),
        Planned::Define(definition) => {
            session.definitions().apply(definition);
            Ok(Answer::nothing())
        }
        Planned::Fit { transform, fit } => {
            transforms::fit(session, &context, &definitions, &transform, &fit)?;
            Ok(Answer::nothing())
        }
        Planned::ExportTransform { transform, path, span } => {
            transforms::export(session, &transform, &path).map_err(|error| at(error, span))?;
            Ok(Answer::nothing())
        }
        Planned::ImportTransform { name, path, replace, span } => {
            let name = name.map(|name| name.text);
            transforms::import(session, name, &path, replace).map_err(|error| at(error, span))?;
            Ok(Answer::nothing())
        }
        Planned::DropTable(name) => {
            session.catalog().remove_table(&name);
            Ok(Answer::nothing())
        }
        Planned::Nothing => Ok(Answer::nothing()),
        other => Err(Error::user(format!("a session cannot run this statement: {other:?}"))),
    }
}

/// Gives an error of a setting its place in the text.
fn at(error: Error, span: Span) -> Error {
    match error {
        Error::User(message) => PlanError::invalid(message, span).into(),
        other => other,
    }
}

/// Makes one query ready for many runs; `fits` allows it to keep the statistics of what is there now.
pub(crate) fn prepare(session: &Session, sql: &str, fits: bool) -> Result<Prepared> {
    prepare_within(session, sql, fits, session.context())
}

/// As [`prepare`], of what this context holds.
pub(crate) fn prepare_within(
    session: &Session,
    sql: &str,
    fits: bool,
    context: Arc<Context>,
) -> Result<Prepared> {
    let statement = one_statement(sql)?;
    let definitions = session.definitions().clone();
    let observer = session.fit_observer();
    let planned = Planner::new(&context, &definitions).observed(Observer(&observer)).plan(&statement)?;
    let Planned::Query(query) = planned else {
        return Err(
            PlanError::invalid("only a statement that gives rows can be prepared", statement.span).into()
        );
    };
    if query.fits_data && !fits {
        let message = "an analyzer OVER () is fitted while the query is planned: a prepared query would keep the statistics of the \
                       rows that are there now; use CREATE TRANSFORM";
        return Err(PlanError::invalid(message, statement.span).into());
    }
    Ok(Prepared::new(EnginePrepared::new(query.plan, Arc::clone(&context))?, query.parameters, context))
}

/// The Substrait plan of one query.
pub(crate) fn substrait_plan(session: &Session, sql: &str) -> Result<Vec<u8>> {
    let statement = one_statement(sql)?;
    let kind = StatementKind::Explain {
        analyze: false,
        format: ExplainFormat::Substrait,
        statement: Box::new(statement.clone()),
    };
    let explain = Statement { kind, span: statement.span };
    let context = session.context();
    match Planner::new(&context, &session.definitions()).plan(&explain)? {
        Planned::ExplainRelation { relation, columns } => {
            Ok(hypostyle_substrait::write(&relation, &columns, &context)?)
        }
        _ => Err(PlanError::invalid("a Substrait plan is made of a query", statement.span).into()),
    }
}

/// Makes a Substrait plan ready for many runs.
pub(crate) fn prepare_substrait(session: &Session, bytes: &[u8]) -> Result<Prepared> {
    let context = session.context();
    let query = hypostyle_substrait::read(bytes, &context, &session.definitions())?;
    Ok(Prepared::new(EnginePrepared::new(query.plan, Arc::clone(&context))?, query.parameters, context))
}

fn one_statement(sql: &str) -> Result<Statement> {
    let mut statements = parse::parse_statements(sql)?;
    match (statements.len(), statements.pop()) {
        (1, Some(statement)) => Ok(statement),
        (count, _) => Err(Error::user(format!("one statement can be prepared; the text has {count}"))),
    }
}

/// A query without open parameters, ready to run.
pub(crate) fn closed(query: PlannedQuery, context: &Arc<Context>) -> Result<EnginePrepared> {
    match query.parameters.first() {
        None => Ok(EnginePrepared::new(query.plan, Arc::clone(context))?),
        Some(parameter) => Err(Error::user(format!(
            "parameter ${} has no value; prepare the statement and give it one",
            parameter.name
        ))),
    }
}

fn explain(
    context: &Arc<Context>,
    analyze: bool,
    format: ExplainFormat,
    query: PlannedQuery,
) -> Result<Answer> {
    let text = if analyze {
        let mut run = closed(query, context)?.start(&[])?;
        while run.next()?.is_some() {}
        match format {
            ExplainFormat::Text => run.plan().display_analyzed(&run.metrics()),
            ExplainFormat::Json => run.plan().to_json_text(Some(&run.metrics())),
            ExplainFormat::Html => run.plan().to_html(Some(&run.metrics())),
            ExplainFormat::Substrait | ExplainFormat::Leakage | ExplainFormat::Consistency => {
                return Err(Error::user("this form of a plan has no place for figures"));
            }
        }
    } else {
        match format {
            ExplainFormat::Text => query.plan.to_string(),
            ExplainFormat::Json => query.plan.to_json_text(None),
            ExplainFormat::Html => query.plan.to_html(None),
            ExplainFormat::Substrait | ExplainFormat::Leakage | ExplainFormat::Consistency => {
                return Err(Error::user("this statement has no such plan"));
            }
        }
    };
    texts(&[("plan", vec![text])])
}

fn show_settings(session: &Session, name: Option<&str>) -> Result<Answer> {
    let all = session.settings();
    let chosen: Vec<_> = all
        .iter()
        .filter(|setting| name.is_none_or(|name| setting.name.eq_ignore_ascii_case(name)))
        .collect();
    if let (Some(name), []) = (name, &chosen[..]) {
        return Err(crate::settings::unknown(name));
    }
    texts(&[
        ("name", chosen.iter().map(|setting| setting.name.to_owned()).collect()),
        ("value", chosen.iter().map(|setting| setting.value.clone()).collect()),
        ("description", chosen.iter().map(|setting| setting.description.to_owned()).collect()),
    ])
}

/// A table of one value of bytes.
fn blob(name: &str, bytes: &[u8]) -> Result<Answer> {
    let schema = Schema::new(vec![Field::new(name, Type::Binary)]);
    let mut output = Output::new(Type::Binary);
    output.prepare(1);
    output.bytes().set(0, bytes);
    let batch = RecordBatch::try_new(Arc::new(schema.to_arrow()), vec![output.freeze()?])?;
    Ok(Answer::ready(schema, vec![batch]))
}

/// A table of texts.
fn texts(columns: &[(&str, Vec<String>)]) -> Result<Answer> {
    let schema = Schema::new(columns.iter().map(|(name, _)| Field::new(*name, Type::Text)).collect());
    let mut arrays = Vec::with_capacity(columns.len());
    for (_, values) in columns {
        let mut output = Output::new(Type::Text);
        output.prepare(values.len());
        values.iter().enumerate().for_each(|(row, value)| output.text().set(row, value));
        arrays.push(output.freeze()?);
    }
    let batch = RecordBatch::try_new(Arc::new(schema.to_arrow()), arrays)?;
    Ok(Answer::ready(schema, vec![batch]))
}
