//! Fits in pieces: states of the aggregates of a level, made anywhere, merged anywhere, and finished once.
//!
//! A state holds one table of one row for the values of its level, and one for each table of categories, with a row for each
//! category. What is merged has the bits of one fit over all rows: sums do not depend on order, and where order matters the
//! number of its piece goes before the place of a row.

use std::rc::Rc;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, RecordBatchOptions};
use arrow::datatypes::{Field as ArrowField, Schema as ArrowSchema};
use hypostyle_engine::memory_table::MemoryTable;
use hypostyle_engine::plan::{AggregateCall, Expression, TableReference};
use hypostyle_engine::table::TableProvider;
use hypostyle_engine::{Batch, Catalog, Context, FoundTables};
use hypostyle_functions::arrow;
use hypostyle_functions::kernel::hash::xxhash64::xxhash64;
use hypostyle_functions::{Field, PIECES_MAX, Schema, Type};

use crate::bind::{Binder, GroundWindow, Makes, Request, counted_columns};
use crate::definitions::Definitions;
use crate::error::{Error, Result};
use crate::logical::{Column, Relation};
use crate::planner::Observer;
use crate::span::Span;
use crate::transform::fit::{self, Next, finish_pass};
use crate::transform::{Fitted, FittedCall, LEVELS_MAX, Provenance, Transform, too_many_levels};
use crate::tree::Query;

/// What a piece of the rows says of one level of a definition: plain data, in Arrow.
#[derive(Debug, Clone, PartialEq)]
pub struct FitState {
    /// What it is a state of.
    pub header: StateHeader,
    /// The states of the values, if the level has any, and of each table of categories.
    pub tables: Vec<RecordBatch>,
}

/// What a state is of, and which rows are in it.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct StateHeader {
    /// How many fits have to come before this one.
    pub level: usize,
    /// All columns of the source.
    pub inputs: Vec<Field>,
    /// The calls of analyzers that are fitted, without parameters.
    pub requests: Vec<FittedCall>,
    /// How the states of each table are merged, by column.
    pub merges: Vec<Vec<AggregateCall>>,
    /// Digest of the parameters that the levels before found.
    pub parameters: u64,
    /// Numbers of the pieces.
    pub pieces: Vec<u32>,
    /// Whether the order of rows matters, so that pieces need numbers of their own.
    pub is_ordered: bool,
    /// The session's time zone.
    pub time_zone: String,
    /// The sources as they were named.
    pub sources: Vec<String>,
}

/// One piece of a fit.
#[derive(Debug, Clone, Copy)]
pub struct Piece<'a> {
    /// Its rows.
    pub source: &'a Query,
    /// Its rows as they were named.
    pub text: &'a str,
    /// Its number: where the order of rows matters, those of lesser numbers come first.
    pub number: u32,
    /// All states of the levels before this one.
    pub before: &'a [FitState],
}

/// Fits a piece of the rows, as far as it goes without the other pieces.
///
/// # Errors
/// As for [`crate::transform::fit()`]; levels that are complete already; a source with other columns than the states before.
pub fn fit_partial(
    context: &Arc<Context>,
    definitions: &Definitions,
    transform: &Transform,
    piece: Piece<'_>,
    observer: Observer<'_>,
) -> Result<FitState> {
    let span = piece.source.span;
    if piece.number >= PIECES_MAX {
        return Err(Error::invalid(format!("pieces have numbers below {PIECES_MAX}"), span));
    }
    let query = transform.definition()?;
    let (known, level) = match piece.before {
        [] => (Rc::default(), 0),
        before => match merged_levels(context, definitions, query, before, observer)? {
            Merged::Open(known, level) => (known, level),
            Merged::Complete(_) => {
                return Err(Error::invalid(
                    "these states are all that the definition needs: nothing is left to fit",
                    span,
                ));
            }
        },
    };
    let mut binder = Binder::new(context, definitions).observed(Some(observer));
    let relation = binder.query(piece.source)?;
    let columns = relation.columns();
    let inputs = fields(&columns);
    if let Some(before) = piece.before.first() {
        check_inputs(&before.header.inputs, &inputs, span)?;
    }
    let requests = match fit::next(&mut binder, context, query, &columns, &known)? {
        Next::Requests(requests, windows) => {
            check_windows(&windows, query.span)?;
            requests
        }
        Next::Complete(_) => {
            return Err(Error::invalid(
                "the definition has nothing to fit: FIT TRANSFORM finishes it at once",
                query.span,
            ));
        }
    };
    let makes = Makes::States { piece: piece.number };
    let pass = binder.fit_pass(relation, &requests, &[], level == 0, makes)?;
    let row = fit::run(pass.relation.clone(), &pass.result, context, Some(observer))
        .map_err(|error| Error::run(error, span))?;
    let header = StateHeader {
        level,
        inputs,
        requests: unknown_calls(&requests, level),
        is_ordered: pass.merges.iter().flatten().any(|call| is_ordered(call, context)),
        merges: pass.merges.clone(),
        parameters: digest(&known)?,
        pieces: vec![piece.number],
        time_zone: context.settings.time_zone.clone(),
        sources: vec![piece.text.to_owned()],
    };
    Ok(FitState { tables: tables(&row, &header.merges, level_has_values(&header))?, header })
}

/// Merges states of one level into one, which is as large as what is in all of them.
///
/// # Errors
/// No state, or states of different definitions, levels or releases.
pub fn merge_states(context: &Arc<Context>, states: &[FitState], observer: Observer<'_>) -> Result<FitState> {
    let header = united(&states.iter().collect::<Vec<_>>())?;
    let definitions = Definitions::default();
    let mut binder = Binder::new(context, &definitions);
    let (context, relations) = state_tables(&mut binder, context, &states.iter().collect::<Vec<_>>())?;
    let has_values = level_has_values(&header);
    let pass = binder.combine_pass(relations, &header.merges, has_values)?;
    let row =
        fit::run(pass.0, &pass.1, &context, Some(observer)).map_err(|error| Error::run(error, Span::NONE))?;
    Ok(FitState { tables: tables(&row, &header.merges, has_values)?, header })
}

/// What the states of all levels come to.
///
/// # Errors
/// A level without states, states of another definition or release, or pieces that are there twice.
pub fn finish_states(
    context: &Arc<Context>,
    definitions: &Definitions,
    transform: &Transform,
    states: &[FitState],
    observer: Observer<'_>,
) -> Result<Fitted> {
    let query = transform.definition()?;
    match merged_levels(context, definitions, query, states, observer)? {
        Merged::Complete(fitted) => Ok(*fitted),
        Merged::Open(_, level) => Err(Error::invalid(
            format!(
                "analyzers stand inside each other, and level {level} has no states yet: fit each piece again with the states of the levels before it"
            ),
            query.span,
        )),
    }
}

enum Merged {
    Complete(Box<Fitted>),
    /// What is known, and the level that has no states.
    Open(Rc<Vec<FittedCall>>, usize),
}

fn merged_levels(
    context: &Arc<Context>,
    definitions: &Definitions,
    query: &Query,
    states: &[FitState],
    observer: Observer<'_>,
) -> Result<Merged> {
    let Some(first) = states.first() else {
        return Err(Error::invalid("a fit is finished from at least one state", query.span));
    };
    let mut known: Rc<Vec<FittedCall>> = Rc::default();
    let mut provenance = Provenance { time_zone: first.header.time_zone.clone(), ..Provenance::default() };
    for level in 0..LEVELS_MAX {
        let mut binder = Binder::new(context, definitions);
        let columns: Vec<Column> = first
            .header
            .inputs
            .iter()
            .map(|field| binder.new_column(field.name.clone(), field.data_type.clone()))
            .collect();
        let own: Vec<&FitState> = states.iter().filter(|state| state.header.level == level).collect();
        let requests = match fit::next(&mut binder, context, query, &columns, &known)? {
            Next::Complete(complete) => {
                if let Some(state) = states.iter().find(|state| state.header.level >= level) {
                    let message = format!(
                        "a state of level {} is of another definition, which has more levels",
                        state.header.level
                    );
                    return Err(Error::invalid(message, query.span));
                }
                let calls = Rc::unwrap_or_clone(known);
                return Ok(Merged::Complete(Box::new(fit::fitted(&columns, complete, calls, provenance))));
            }
            Next::Requests(requests, windows) => {
                check_windows(&windows, query.span)?;
                requests
            }
        };
        if own.is_empty() {
            return Ok(Merged::Open(known, level));
        }
        let header = united(&own)?;
        check_inputs(&first.header.inputs, &header.inputs, query.span)?;
        check_known(&header, &known, query.span)?;
        let counted = (level == 0).then(|| counted_columns(&columns, &requests));
        let (run_context, relations) = state_tables(&mut binder, context, &own)?;
        let pass = binder.merge_pass(relations, &requests, counted)?;
        if header.requests != unknown_calls(&requests, level) || header.merges != pass.merges {
            let message = format!("the states of level {level} are of another definition or release");
            return Err(Error::invalid(message, query.span));
        }
        let row = fit::run(pass.relation.clone(), &pass.result, &run_context, Some(observer));
        let values = row.map_err(|error| Error::run(error, query.span))?;
        finish_pass(&pass, values, level, Rc::make_mut(&mut known), &mut provenance)?;
        provenance.passes += 1;
        if level == 0 {
            provenance.source = header.sources.join(", ");
        }
    }
    Err(too_many_levels(query.span))
}

/// Refuses to fit on windows over pieces: rows of a partition may be in others.
fn check_windows(windows: &[GroundWindow], span: Span) -> Result<()> {
    match windows.first() {
        None => Ok(()),
        Some(window) => Err(Error::invalid(
            format!(
                "an analyzer reads {}, whose partitions may have rows in several pieces: fit it in one run, or write the values of the window \
                 to the pieces first, with a transform or query of its own, and fit on these",
                window.text
            ),
            span,
        )),
    }
}

/// What all states of a level are of: one definition, level and release, and pieces that are there once where that matters.
fn united(states: &[&FitState]) -> Result<StateHeader> {
    let Some((first, others)) = states.split_first() else {
        return Err(Error::invalid("there is no state to merge", Span::NONE));
    };
    let mut header = first.header.clone();
    for state in others {
        let other = &state.header;
        check_inputs(&header.inputs, &other.inputs, Span::NONE)?;
        let problem = if (header.level, &header.requests, &header.merges)
            != (other.level, &other.requests, &other.merges)
        {
            "the states are of different definitions, levels or releases".to_owned()
        } else if header.parameters != other.parameters {
            "the states were made with different parameters of the levels before".to_owned()
        } else if header.time_zone != other.time_zone {
            format!("the states were made in the time zones {} and {}", header.time_zone, other.time_zone)
        } else if let Some(piece) = header.pieces.iter().find(|piece| other.pieces.contains(piece))
            && header.is_ordered
        {
            format!(
                "two states are of piece {piece}; where the order of rows matters, each piece has its own number"
            )
        } else {
            header.pieces.extend(&other.pieces);
            header.sources.extend(other.sources.iter().cloned());
            continue;
        };
        return Err(Error::invalid(problem, Span::NONE));
    }
    Ok(header)
}

fn check_known(header: &StateHeader, known: &Rc<Vec<FittedCall>>, span: Span) -> Result<()> {
    match header.parameters == digest(known)? {
        true => Ok(()),
        false => Err(Error::invalid(
            format!(
                "the states of level {} were made with other parameters of the levels before: fit its pieces again with the states that are merged here",
                header.level
            ),
            span,
        )),
    }
}

fn check_inputs(expected: &[Field], found: &[Field], span: Span) -> Result<()> {
    if expected == found {
        return Ok(());
    }
    let shown = |fields: &[Field]| {
        fields
            .iter()
            .map(|field| format!("{} {}", field.name, field.data_type))
            .collect::<Vec<_>>()
            .join(", ")
    };
    let message = format!(
        "the pieces of a fit have the same columns in the same order; one has ({}), another ({})",
        shown(expected),
        shown(found)
    );
    Err(Error::invalid(message, span))
}

fn fields(columns: &[Column]) -> Vec<Field> {
    columns.iter().map(|column| Field::new(column.name.clone(), column.data_type.clone())).collect()
}

fn unknown_calls(requests: &[Request], level: usize) -> Vec<FittedCall> {
    let call = |request: &Request| FittedCall {
        analyzer: request.analyzer.clone(),
        options: request.options.clone(),
        arguments: request.arguments.clone(),
        level,
        parameters: Vec::new(),
    };
    requests.iter().map(call).collect()
}

fn is_ordered(call: &AggregateCall, context: &Arc<Context>) -> bool {
    context.registry.aggregate(&call.function).is_some_and(|function| function.order_sensitive)
}

fn digest(known: &Rc<Vec<FittedCall>>) -> Result<u64> {
    let text = serde_json::to_vec(known.as_ref()).map_err(|error| Error::internal(error.to_string()))?;
    Ok(xxhash64(&text, 0))
}

/// The values of level 0 hold at least a count; those of others may be tables of categories alone, which have keys.
fn level_has_values(header: &StateHeader) -> bool {
    header.merges.len() > header.tables_count()
}

impl StateHeader {
    fn tables_count(&self) -> usize {
        self.merges.iter().filter(|merges| is_of_categories(merges)).count()
    }
}

/// Merges of a table of categories read their states behind the key.
fn is_of_categories(merges: &[AggregateCall]) -> bool {
    merges
        .first()
        .and_then(|call| call.arguments.first())
        .is_some_and(|first| first.columns().first() == Some(&1))
}

/// The tables of states, each with the rows of all pieces, and a context that has them.
fn state_tables(
    binder: &mut Binder<'_>,
    context: &Arc<Context>,
    states: &[&FitState],
) -> Result<(Arc<Context>, Vec<Relation>)> {
    let damaged = |problem: String| Error::invalid(format!("a state is damaged: {problem}"), Span::NONE);
    let merges = states.first().map_or(&[][..], |state| state.header.merges.as_slice());
    let count = merges.len();
    let catalog = Arc::new(Catalog::default());
    let mut relations = Vec::with_capacity(count);
    for number in 0..count {
        let mut schema: Option<Schema> = None;
        let mut batches = Vec::with_capacity(states.len());
        for state in states {
            let batch = state.tables.get(number).ok_or_else(|| damaged("a table is missing".into()))?;
            let own = Schema::from_arrow(&batch.schema())?;
            let expected = schema.get_or_insert_with(|| own.clone());
            if *expected != own {
                return Err(damaged("its tables have other types".into()));
            }
            batches.push(Batch::import(batch, &own).map_err(|error| damaged(error.to_string()))?);
        }
        let Some(schema) = schema else { continue };
        let of_merges = merges.iter().skip(number).take(1).flatten().flat_map(|call| &call.arguments);
        for argument in of_merges {
            let Expression::Column { index, data_type } = argument else {
                return Err(damaged("a merge reads no column".into()));
            };
            if schema.fields.get(*index).map(|field| &field.data_type) != Some(data_type) {
                return Err(damaged("a table does not have the columns that are merged".into()));
            }
        }
        let table = MemoryTable::new(schema, batches).map_err(|error| damaged(error.to_string()))?;
        let table: Arc<dyn TableProvider> = Arc::new(table);
        let name = format!("states_{number}");
        catalog.add_table(&name, Arc::clone(&table));
        relations.push(binder.scan(TableReference::Named(name), table));
    }
    let context = Context {
        registry: Arc::clone(&context.registry),
        catalog,
        settings: context.settings.clone(),
        configuration: context.configuration.clone(),
        memory: Arc::clone(&context.memory),
        found: FoundTables::default(),
    };
    Ok((Arc::new(context), relations))
}

/// The tables out of the one row that a pass gave: values are a row, tables of categories are lists.
fn tables(
    row: &[(ArrayRef, Type)],
    merges: &[Vec<AggregateCall>],
    has_values: bool,
) -> Result<Vec<RecordBatch>> {
    let mut columns = row.iter();
    let mut tables = Vec::with_capacity(merges.len());
    for (number, merges) in merges.iter().enumerate() {
        let is_values = has_values && number == 0;
        let width = merges.len() + usize::from(!is_values);
        let mut arrays = Vec::with_capacity(width);
        for (array, _) in columns.by_ref().take(width) {
            arrays.push(match is_values {
                true => Arc::clone(array),
                false => {
                    let list = array.as_list_opt::<i32>();
                    list.ok_or_else(|| Error::internal("the states of categories are no lists"))?.value(0)
                }
            });
        }
        let name = |position: usize| match (is_values, position) {
            (true, position) => format!("value_{position}"),
            (false, 0) => "key".to_owned(),
            (false, position) => format!("state_{position}"),
        };
        let fields = arrays
            .iter()
            .enumerate()
            .map(|(position, array)| ArrowField::new(name(position), array.data_type().clone(), true));
        let schema = Arc::new(ArrowSchema::new(fields.collect::<Vec<_>>()));
        let rows = arrays.first().map_or(0, |array| array.len());
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        let table = RecordBatch::try_new_with_options(schema, arrays, &options);
        tables.push(table.map_err(|error| Error::internal(error.to_string()))?);
    }
    Ok(tables)
}
