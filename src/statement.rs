//! What each statement does to a session.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch};
use hypostyle_engine::Context;
use hypostyle_engine::execution::Prepared as EnginePrepared;
use hypostyle_engine::plan::Plan;
use hypostyle_functions::column::Output;
use hypostyle_functions::types::{Field, Schema, Type};
use hypostyle_functions::value::{Literal, Value};
use hypostyle_planner::tree::{DropKind, ExplainFormat, Statement, StatementKind};
use hypostyle_planner::{self as planner, Definitions, parse};

use crate::answer::Answer;
use crate::error::{Error, Result};
use crate::prepared::Prepared;
use crate::session::Session;

/// Runs one statement.
pub(crate) fn run(session: &Session, statement: &Statement) -> Result<Answer> {
    match &statement.kind {
        StatementKind::Query(_)
        | StatementKind::Copy(_)
        | StatementKind::CreateTable(_)
        | StatementKind::Summarize(_) => start(session, statement, &[]),
        StatementKind::Explain { analyze, format, statement } => explain(session, *analyze, *format, statement),
        StatementKind::Describe(_) => describe(session, statement),
        StatementKind::ShowTables => Ok(show_tables(session, false)),
        StatementKind::ShowAllTables => Ok(show_tables(session, true)),
        StatementKind::ShowFunctions => Ok(show_functions(session)),
        StatementKind::ShowSettings(name) => show_settings(session, name.as_ref().map(|name| name.text.as_str())),
        StatementKind::Set { name, value } => {
            let value = planner::constant(value, &session.context(), &session.definitions())?;
            session.set(&name.text, &value.value)?;
            Ok(nothing())
        }
        StatementKind::Reset(name) => {
            session.reset(&name.text)?;
            Ok(nothing())
        }
        StatementKind::Prepare { name, statement } => {
            // Planned once here, so that an error shows when the statement is prepared.
            planner::plan(statement, &session.context(), &session.definitions())?;
            session.definitions().add_prepared(&name.text, (**statement).clone());
            Ok(nothing())
        }
        StatementKind::Execute { .. } => execute(session, statement),
        StatementKind::Deallocate(name) => match session.definitions().remove_prepared(&name.text) {
            true => Ok(nothing()),
            false => Err(Error::user(format!("no prepared statement \"{}\"", name.text))),
        },
        StatementKind::CreateView(view) => {
            planner::check_view(view, &session.context(), &session.definitions())?;
            let mut definitions = session.definitions();
            let exists = definitions.view(&view.name.text).is_some();
            if define("view", &view.name.text, exists, view.replace, view.if_not_exists)? {
                definitions.add_view(view.clone());
            }
            Ok(nothing())
        }
        StatementKind::CreateMacro(definition) => {
            let mut definitions = session.definitions();
            let exists = definitions.find_macro(&definition.name.text).is_some();
            if define("macro", &definition.name.text, exists, definition.replace, definition.if_not_exists)? {
                definitions.add_macro(definition.clone());
            }
            Ok(nothing())
        }
        StatementKind::Drop { kind, name, if_exists } => drop_entry(session, *kind, &name.text, *if_exists),
    }
}

/// True if a new definition is to be made; false if an existing one stays.
fn define(what: &str, name: &str, exists: bool, replace: bool, if_not_exists: bool) -> Result<bool> {
    match (exists, replace, if_not_exists) {
        (true, false, true) => Ok(false),
        (true, false, false) => Err(Error::user(format!("{what} \"{name}\" exists; write CREATE OR REPLACE"))),
        _ => Ok(true),
    }
}

/// Makes one query ready for many runs.
pub(crate) fn prepare(session: &Session, sql: &str) -> Result<Prepared> {
    let statements = parse::parse_statements(sql)?;
    let [statement] = &statements[..] else {
        return Err(Error::user(format!("one statement can be prepared; the text has {}", statements.len())));
    };
    let context = session.context();
    let planned = planner::plan(statement, &context, &session.definitions())?;
    Ok(Prepared::new(EnginePrepared::new(planned.plan, Arc::clone(&context))?, planned.parameters, context))
}

/// Plans and starts a statement that gives rows.
fn start(session: &Session, statement: &Statement, values: &[(String, Literal)]) -> Result<Answer> {
    let context = session.context();
    let plan = plan(statement, &context, &session.definitions(), values)?;
    Ok(Answer::of_run(EnginePrepared::new(plan, context)?.start(&[])?))
}

fn plan(
    statement: &Statement,
    context: &Arc<Context>,
    definitions: &Definitions,
    values: &[(String, Literal)],
) -> Result<Plan> {
    let planned = planner::plan_with_values(statement, context, definitions, values)?;
    match planned.parameters.first() {
        None => Ok(planned.plan),
        Some(parameter) => Err(Error::user(format!(
            "parameter ${} has no value; prepare the statement and give it one",
            parameter.name
        ))),
    }
}

fn execute(session: &Session, statement: &Statement) -> Result<Answer> {
    let StatementKind::Execute { name, arguments } = &statement.kind else { return Ok(nothing()) };
    let context = session.context();
    let (prepared, values) = {
        let definitions = session.definitions();
        let prepared = definitions.prepared(&name.text).cloned().ok_or_else(|| {
            let names = definitions.prepared_names().join(", ");
            let known = if names.is_empty() { "there is none".into() } else { format!("there are {names}") };
            Error::user(format!("no prepared statement \"{}\"; {known}", name.text))
        })?;
        (prepared, planner::argument_values(arguments, &context, &definitions)?)
    };
    start(session, &prepared, &values)
}

fn explain(session: &Session, analyze: bool, format: ExplainFormat, statement: &Statement) -> Result<Answer> {
    let context = session.context();
    let plan = plan(statement, &context, &session.definitions(), &[])?;
    let text = if analyze {
        let mut run = EnginePrepared::new(plan, context)?.start(&[])?;
        while run.next()?.is_some() {}
        match format {
            ExplainFormat::Text => run.plan().display_analyzed(&run.metrics()),
            ExplainFormat::Json => run.plan().display_json(Some(&run.metrics())),
        }
    } else {
        match format {
            ExplainFormat::Text => plan.to_string(),
            ExplainFormat::Json => plan.display_json(None),
        }
    };
    Ok(table(&[("plan", vec![Value::Text(text)])]))
}

fn describe(session: &Session, statement: &Statement) -> Result<Answer> {
    let context = session.context();
    let StatementKind::Describe(query) = &statement.kind else { return Ok(nothing()) };
    let query = Statement { kind: StatementKind::Query(query.clone()), span: statement.span };
    let planned = planner::plan(&query, &context, &session.definitions())?;
    let fields = &planned.plan.schema.fields;
    let texts = |text: fn(&Field) -> String| fields.iter().map(|field| Value::Text(text(field))).collect();
    Ok(table(&[
        ("column_name", texts(|field| field.name.clone())),
        ("column_type", texts(|field| field.data_type.to_string())),
        ("null", texts(|_| "YES".into())),
    ]))
}

fn show_tables(session: &Session, columns: bool) -> Answer {
    let mut rows: Vec<(String, &str, String)> = Vec::new();
    for name in session.catalog().table_names() {
        if let Some(provider) = session.catalog().table(&name) {
            let fields = provider.schema().fields.iter();
            let columns = fields.map(|field| format!("{} {}", field.name, field.data_type)).collect::<Vec<_>>();
            rows.push((name, "table", columns.join(", ")));
        }
    }
    rows.extend(session.view_names().into_iter().map(|name| (name, "view", String::new())));
    rows.sort();
    let names = rows.iter().map(|row| Value::text(row.0.clone())).collect();
    if !columns {
        return table(&[("name", names)]);
    }
    let kinds = rows.iter().map(|row| Value::text(row.1)).collect();
    let columns = rows.iter().map(|row| Value::text(row.2.clone())).collect();
    table(&[("name", names), ("kind", kinds), ("columns", columns)])
}

fn show_functions(session: &Session) -> Answer {
    let registry = session.registry();
    let mut rows: Vec<[String; 5]> = Vec::new();
    for function in registry.scalars() {
        let forms = function.overloads.iter().map(|overload| format!("{}{}", function.name, overload.signature));
        let documentation = &function.documentation;
        rows.push([
            function.name.clone(),
            "scalar".into(),
            documentation.category.clone(),
            forms.collect::<Vec<_>>().join("; "),
            documentation.summary.clone(),
        ]);
    }
    for function in registry.aggregates() {
        let forms = function.overloads.iter().map(|overload| format!("{}{}", function.name, overload.signature));
        let documentation = &function.documentation;
        rows.push([
            function.name.clone(),
            "aggregate".into(),
            documentation.category.clone(),
            forms.collect::<Vec<_>>().join("; "),
            documentation.summary.clone(),
        ]);
    }
    for name in session.catalog().function_names() {
        rows.push([name.clone(), "table".into(), "files".into(), format!("{name}(path, ...)"), String::new()]);
    }
    rows.sort();
    let column = |at: usize| rows.iter().map(|row| Value::text(row[at].clone())).collect();
    table(&[
        ("name", column(0)),
        ("kind", column(1)),
        ("category", column(2)),
        ("forms", column(3)),
        ("summary", column(4)),
    ])
}

fn show_settings(session: &Session, name: Option<&str>) -> Result<Answer> {
    let all = session.settings();
    let settings: Vec<_> =
        all.iter().filter(|setting| name.is_none_or(|name| setting.name.eq_ignore_ascii_case(name))).collect();
    if settings.is_empty() {
        let names: Vec<_> = all.iter().map(|setting| setting.name).collect();
        return Err(Error::user(format!("no setting \"{}\"; there are {}", name.unwrap_or(""), names.join(", "))));
    }
    Ok(table(&[
        ("name", settings.iter().map(|setting| Value::text(setting.name)).collect()),
        ("value", settings.iter().map(|setting| Value::text(setting.value.clone())).collect()),
        ("description", settings.iter().map(|setting| Value::text(setting.description)).collect()),
    ]))
}

fn drop_entry(session: &Session, kind: DropKind, name: &str, if_exists: bool) -> Result<Answer> {
    let (what, dropped) = match kind {
        DropKind::Table => ("table", session.catalog().remove_table(name).is_some()),
        DropKind::View => ("view", session.definitions().remove_view(name)),
        DropKind::Macro => ("macro", session.definitions().remove_macro(name)),
    };
    match dropped || if_exists {
        true => Ok(nothing()),
        false => Err(Error::user(format!("no {what} \"{name}\" to drop"))),
    }
}

/// The answer of a statement that gives no rows.
fn nothing() -> Answer {
    Answer::ready(Schema::default(), Vec::new())
}

/// A table of texts.
fn table(columns: &[(&str, Vec<Value>)]) -> Answer {
    let schema = Schema::new(columns.iter().map(|(name, _)| Field::new(*name, Type::Text)).collect());
    let array = |values: &Vec<Value>| -> hypostyle_functions::Result<ArrayRef> {
        let mut output = Output::new(Type::Text);
        output.prepare(values.len());
        values.iter().enumerate().try_for_each(|(row, value)| output.set_value(row, value))?;
        output.freeze()
    };
    let arrays = columns.iter().map(|(_, values)| array(values)).collect::<Result<Vec<_>, _>>();
    let batch = arrays.ok().and_then(|arrays| RecordBatch::try_new(Arc::new(schema.to_arrow()), arrays).ok());
    Answer::ready(schema, batch.into_iter().collect())
}
