//! The passes of a fit: what a definition asks for next, and the plan that finds it.
//!
//! A pass is one row. All values of its level come from one aggregation; each table of categories is a grouping whose
//! groups are ordered and gathered into lists. Where the rows are dear to come by, or are texts that would be parsed
//! anew, all of them read rows that are gathered once; else each scan reads the columns that it alone needs.

use std::collections::HashMap;

use hypostyle_engine::plan::{AggregateCall, Expression, TableReference};

use crate::bind::Binder;
use crate::bind::analyzer::{Request, RequestedTable};
use crate::bind::definition::GroundWindow;
use crate::error::{Error, Result};
use crate::logical::{Column, Computed, Relation, SharedRows};
use crate::rewrite::estimate;
use crate::span::Span;

/// A plan of one row and what its values are.
#[derive(Debug)]
pub(crate) struct Pass {
    pub relation: Relation,
    /// Its columns: the parameters of each request in order, then the counts.
    pub result: Vec<Column>,
    pub requests: Vec<Request>,
    /// Columns whose values are counted, behind the number of rows.
    pub counted: Option<Vec<String>>,
    /// How the states of the values, if there are any, and of each table of categories are merged: over the columns of their
    /// tables, of which a table of categories has its key first.
    pub merges: Vec<Vec<AggregateCall>>,
}

/// What a pass makes of its aggregates.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Makes {
    /// What they give.
    Results,
    /// Their states, to be merged with those of other pieces.
    States {
        /// Which piece the rows are.
        piece: u32,
    },
}

/// The aggregates that the values of a level are computed of.
#[derive(Debug, Default)]
struct ValueCalls {
    calls: Vec<AggregateCall>,
    /// The column under which a request knows a call, and the place of the call.
    places: Vec<(usize, usize)>,
    /// The place of the call of each vocabulary.
    vocabularies: Vec<usize>,
    /// How many calls requests ask for; counts come behind them.
    asked: usize,
}

/// Rows that a part of a pass reads, and what the columns of the source are there.
struct Reader {
    relation: Relation,
    columns: HashMap<usize, Expression>,
}

impl Reader {
    fn expression(&self, expression: &Expression) -> Expression {
        let mut expression = expression.clone();
        replace(&mut expression, &self.columns);
        expression
    }

    fn call(&self, call: &AggregateCall) -> AggregateCall {
        let mut call = call.clone();
        let order = call.order.iter_mut().map(|key| &mut key.expression);
        call.arguments
            .iter_mut()
            .chain(&mut call.filter)
            .chain(order)
            .for_each(|part| replace(part, &self.columns));
        call
    }
}

pub(super) fn replace(expression: &mut Expression, columns: &HashMap<usize, Expression>) {
    expression.walk_mut(&mut |part| {
        if let Expression::Column { index, .. } = part
            && let Some(value) = columns.get(index)
        {
            *part = value.clone();
        }
    });
}

impl Binder<'_> {
    /// The plan that finds what is asked for, which may read these windows over the source; `counts` adds the number of rows
    /// and of values.
    pub(crate) fn fit_pass(
        &mut self,
        source: Relation,
        requests: &[Request],
        windows: &[GroundWindow],
        counts: bool,
        makes: Makes,
    ) -> Result<Pass> {
        let tables: Vec<&RequestedTable> = requests.iter().flat_map(|request| &request.tables).collect();
        let counted = counts.then(|| counted_columns(&source.columns(), requests));
        let windows = windows.iter().map(|window| (window.column.clone(), window.window.clone()));
        let source = self.windowed(source, windows.collect());
        let vocabularies = self.vocabularies(&source, &tables, makes)?;
        let values = self.value_calls(requests, counted.as_deref(), &vocabularies)?;
        let grouped = vocabularies.iter().filter(|call| call.is_none()).count();
        let parts = grouped + usize::from(!values.calls.is_empty());
        let mut readers = self.readers(source.clone(), parts)?;
        let mut next = || readers.relations.pop().ok_or_else(|| Error::internal("a fit has too few readers"));
        let mut relations = Vec::with_capacity(parts);
        if !values.calls.is_empty() {
            let reader = next()?;
            let mut calls = Vec::with_capacity(values.calls.len());
            for call in &values.calls {
                calls.push(self.made(reader.call(call), makes)?);
            }
            relations.push(self.values_part(reader.relation, calls, &values, requests, makes)?);
        }
        for (table, vocabulary) in tables.into_iter().zip(&vocabularies) {
            if vocabulary.is_some() {
                continue;
            }
            let reader = next()?;
            let key = reader.expression(&table.key);
            let (relation, key) = self.categories(reader.relation, key, table.table.source)?;
            let reader = Reader { relation, columns: reader.columns };
            let mut calls = Vec::with_capacity(table.columns.calls.len() + 1);
            for (_, call) in table.columns.calls.iter() {
                calls.push(self.made(reader.call(call), makes)?);
            }
            calls.push(self.made(reader.call(&table.count), makes)?);
            relations.push(self.table_part(reader.relation, key, calls, table, makes)?);
        }
        let counted = counted.map(|columns| columns.into_iter().map(|column| column.name).collect());
        let is_value: Vec<bool> = vocabularies.iter().map(Option::is_some).collect();
        let mut pass = self.pass_of(relations, requests, counted, makes, &is_value)?;
        if let Makes::States { .. } = makes {
            pass.merges = self.merges(&values, requests)?;
        }
        if let Some(table) = readers.shared {
            let input = Box::new(pass.relation);
            pass.relation = Relation::Shared { table, definition: Box::new(source), input };
        }
        pass.relation = self.with_shared(pass.relation);
        Ok(pass)
    }

    /// The plan that merges states of a level: a table of the values, if there are any, and one of each table of categories, as passes
    /// that make states gave them.
    pub(crate) fn merge_pass(
        &mut self,
        states: Vec<Relation>,
        requests: &[Request],
        counted: Option<Vec<Column>>,
    ) -> Result<Pass> {
        let makes = Makes::Results;
        let values = self.value_calls(requests, counted.as_deref(), &[])?;
        let mut states = states.into_iter();
        let mut next = || states.next().ok_or_else(|| Error::internal("a table of states is missing"));
        let merged =
            |calls: &mut dyn Iterator<Item = &AggregateCall>, columns: &[Column]| -> Vec<AggregateCall> {
                calls.zip(columns).map(|(call, column)| call.of_states(column.read(), false)).collect()
            };
        let mut relations = Vec::new();
        if !values.calls.is_empty() {
            let relation = next()?;
            let calls = merged(&mut values.calls.iter(), &relation.columns());
            relations.push(self.values_part(relation, calls, &values, requests, makes)?);
        }
        for table in requests.iter().flat_map(|request| &request.tables) {
            let relation = next()?;
            let columns = relation.columns();
            let Some((key, columns)) = columns.split_first() else {
                return Err(Error::internal("a table of states has no key"));
            };
            let own = table.columns.calls.iter().map(|(_, call)| call);
            let calls = merged(&mut own.chain([&table.count]), columns);
            relations.push(self.table_part(relation, key.read(), calls, table, makes)?);
        }
        let counted = counted.map(|columns| columns.into_iter().map(|column| column.name).collect());
        let merges = self.merges(&values, requests)?;
        let is_value = vec![false; requests.iter().map(|request| request.tables.len()).sum()];
        Ok(Pass { merges, ..self.pass_of(relations, requests, counted, makes, &is_value)? })
    }

    /// How states are merged into states, over the columns of their tables.
    fn merges(&self, values: &ValueCalls, requests: &[Request]) -> Result<Vec<Vec<AggregateCall>>> {
        let merge = |call: &AggregateCall, place: usize| -> Result<AggregateCall> {
            let state = self.made(call.clone(), Makes::States { piece: 0 })?.data_type;
            Ok(call.of_states(Expression::column(place, state), true))
        };
        let mut merges = Vec::new();
        if !values.calls.is_empty() {
            let calls = values.calls.iter().enumerate().map(|(place, call)| merge(call, place));
            merges.push(calls.collect::<Result<_>>()?);
        }
        for table in requests.iter().flat_map(|request| &request.tables) {
            let own = table.columns.calls.iter().map(|(_, call)| call).chain([&table.count]);
            merges.push(own.enumerate().map(|(place, call)| merge(call, place + 1)).collect::<Result<_>>()?);
        }
        Ok(merges)
    }

    /// The plan that merges states into states, and its columns.
    pub(crate) fn combine_pass(
        &mut self,
        states: Vec<Relation>,
        merges: &[Vec<AggregateCall>],
        has_values: bool,
    ) -> Result<(Relation, Vec<Column>)> {
        let mut relations = Vec::with_capacity(states.len());
        for (number, (relation, merges)) in states.into_iter().zip(merges).enumerate() {
            let own = relation.columns();
            let columns: HashMap<usize, Expression> =
                own.iter().enumerate().map(|(place, column)| (place, column.read())).collect();
            let reader = Reader { relation, columns };
            let aggregates: Vec<(Column, AggregateCall)> = merges
                .iter()
                .map(|call| (self.new_column("state", call.data_type.clone()), reader.call(call)))
                .collect();
            let mut columns: Vec<Column> = aggregates.iter().map(|(column, _)| column.clone()).collect();
            let input = Box::new(reader.relation);
            let is_values = has_values && number == 0;
            let key = own.first().filter(|_| !is_values).map(|key| Computed {
                column: self.new_column("key", key.data_type.clone()),
                expression: key.read(),
            });
            columns.splice(0..0, key.iter().map(|key| key.column.clone()));
            let keys = key.into_iter().collect();
            let relation = Relation::Aggregate { input, keys, sets: None, aggregates };
            relations.push(if is_values { relation } else { self.gathered(relation, columns)? });
        }
        let columns = relations.iter().flat_map(Relation::columns).collect();
        let relation = relations
            .into_iter()
            .reduce(|left, right| Relation::Positional { left: Box::new(left), right: Box::new(right) });
        Ok((relation.ok_or_else(|| Error::internal("a merge of nothing"))?, columns))
    }

    /// One row of all parts, in the order in which they are asked for; which tables are values is said.
    fn pass_of(
        &mut self,
        relations: Vec<Relation>,
        requests: &[Request],
        counted: Option<Vec<String>>,
        makes: Makes,
        is_value: &[bool],
    ) -> Result<Pass> {
        let mut parts: Vec<Vec<Column>> = relations.iter().map(Relation::columns).collect();
        let grouped = is_value.iter().filter(|is_value| !**is_value).count();
        let mut values = if parts.len() > grouped { parts.remove(0) } else { Vec::new() };
        let mut of_tables = parts.into_iter();
        let mut result = Vec::new();
        let mut vocabularies = Vec::new().into_iter();
        if grouped < is_value.len() {
            let named = requests.iter().map(|request| request.values.values.len()).sum::<usize>();
            let end = (named + is_value.len() - grouped).min(values.len());
            vocabularies = values.drain(named.min(end)..end).collect::<Vec<_>>().into_iter();
        }
        let mut values = values.into_iter();
        let mut is_value = is_value.iter();
        if let Makes::Results = makes {
            for request in requests {
                result.extend(values.by_ref().take(request.values.values.len()));
                for _ in &request.tables {
                    match is_value.next() {
                        Some(true) => result.extend(vocabularies.next()),
                        _ => result.extend(of_tables.next().into_iter().flatten()),
                    }
                }
            }
        }
        result.extend(values);
        result.extend(of_tables.flatten());
        let relation = relations
            .into_iter()
            .reduce(|left, right| Relation::Positional { left: Box::new(left), right: Box::new(right) });
        let relation = relation.ok_or_else(|| Error::internal("a fit of nothing"))?;
        Ok(Pass { relation, result, requests: requests.to_vec(), counted, merges: Vec::new() })
    }

    fn made(&self, call: AggregateCall, makes: Makes) -> Result<AggregateCall> {
        match makes {
            Makes::Results => Ok(call),
            Makes::States { piece } => {
                call.giving_state(piece, self.context).map_err(|error| Error::run(error, Span::NONE))
            }
        }
    }

    /// As many ways to read the rows as there are parts.
    fn readers(&mut self, source: Relation, parts: usize) -> Result<Readers> {
        let columns = source.columns();
        if parts <= 1 {
            let reader = Reader { relation: source, columns: HashMap::new() };
            return Ok(Readers { relations: vec![reader], shared: None });
        }
        if !self.is_dear(&source) && !reads_text(&source) {
            let mut relations = Vec::with_capacity(parts);
            for _ in 0..parts {
                let (relation, numbers) = self.numbering.copy(&source);
                let renumbered = columns.iter().map(|column| {
                    let index = numbers.get(&column.id).copied().unwrap_or(column.id);
                    (column.id, Expression::column(index, column.data_type.clone()))
                });
                relations.push(Reader { columns: renumbered.collect(), relation });
            }
            return Ok(Readers { relations, shared: None });
        }
        let table =
            u32::try_from(self.shared.len()).map_err(|_| Error::internal("too many tables of WITH"))?;
        let rows = estimate::rows(&source);
        let relations = (0..parts).map(|_| {
            let read: Vec<(Column, usize)> = columns
                .iter()
                .enumerate()
                .map(|(place, column)| {
                    (self.numbering.column(column.name.clone(), column.data_type.clone()), place)
                })
                .collect();
            let numbers = columns.iter().zip(&read).map(|(old, (new, _))| (old.id, new.read()));
            let columns = numbers.collect();
            Reader { relation: Relation::SharedRows(SharedRows { table, columns: read, rows }), columns }
        });
        Ok(Readers { relations: relations.collect(), shared: Some(table) })
    }

    /// The aggregates of a level, each once, and the counts behind them.
    fn value_calls(
        &mut self,
        requests: &[Request],
        counted: Option<&[Column]>,
        vocabularies: &[Option<AggregateCall>],
    ) -> Result<ValueCalls> {
        let mut values = ValueCalls::default();
        for (column, call) in requests.iter().flat_map(|request| &request.values.calls) {
            // What several analyzers ask for is computed once.
            let held = values.calls.iter().position(|held| held == call);
            let place = held.unwrap_or_else(|| {
                values.calls.push(call.clone());
                values.calls.len() - 1
            });
            values.places.push((column.id, place));
        }
        for call in vocabularies.iter().flatten() {
            let held = values.calls.iter().position(|held| held == call);
            values.vocabularies.push(held.unwrap_or(values.calls.len()));
            if held.is_none() {
                values.calls.push(call.clone());
            }
        }
        if values.calls.is_empty() && requests.iter().any(|request| !request.values.values.is_empty()) {
            // Values of constants alone still need the one row of an aggregation.
            values.calls.push(self.plain_aggregate("count", Vec::new())?);
        }
        values.asked = values.calls.len();
        if let Some(counted) = counted {
            values.calls.push(self.plain_aggregate("count", Vec::new())?);
            for column in counted {
                values.calls.push(self.plain_aggregate("count", vec![column.read()])?);
            }
        }
        Ok(values)
    }

    /// All values of a level, and the counts behind them; or the states of their aggregates.
    fn values_part(
        &mut self,
        input: Relation,
        calls: Vec<AggregateCall>,
        values: &ValueCalls,
        requests: &[Request],
        makes: Makes,
    ) -> Result<Relation> {
        let aggregates: Vec<(Column, AggregateCall)> =
            calls.into_iter().map(|call| (self.new_column("value", call.data_type.clone()), call)).collect();
        let columns: Vec<Column> = aggregates.iter().map(|(column, _)| column.clone()).collect();
        let relation =
            Relation::Aggregate { input: Box::new(input), keys: Vec::new(), sets: None, aggregates };
        let mut computed: Vec<Computed> = Vec::new();
        let mut plain = columns.as_slice();
        if let Makes::Results = makes {
            plain = columns.get(values.asked..).unwrap_or_default();
            let given: HashMap<usize, Expression> = values
                .places
                .iter()
                .filter_map(|(id, place)| Some((*id, columns.get(*place)?.read())))
                .collect();
            for (name, expression) in requests.iter().flat_map(|request| &request.values.values) {
                let mut expression = expression.clone();
                replace(&mut expression, &given);
                let column = self.new_column(name.clone(), expression.data_type());
                computed.push(Computed { column, expression });
            }
            for found in values.vocabularies.iter().filter_map(|place| columns.get(*place)) {
                let column = self.new_column("keys", found.data_type.clone());
                computed.push(Computed { column, expression: found.read() });
            }
        }
        for column in plain {
            let expression = column.read();
            computed.push(Computed {
                column: self.new_column(column.name.clone(), column.data_type.clone()),
                expression,
            });
        }
        Ok(Relation::Project { input: Box::new(relation), columns: computed })
    }
}

struct Readers {
    relations: Vec<Reader>,
    /// The number of the rows that are gathered once for all.
    shared: Option<u32>,
}

/// The columns of the source that analyzers of this level read, of all of its columns.
pub(crate) fn counted_columns(columns: &[Column], requests: &[Request]) -> Vec<Column> {
    let read: Vec<usize> =
        requests.iter().flat_map(|request| &request.arguments).flat_map(Expression::columns).collect();
    let positions = columns.iter().enumerate().filter(|(position, _)| read.contains(position));
    positions.map(|(_, column)| column.clone()).collect()
}

/// True if rows are parsed out of text, which is dear and gives all columns at once, or are pushed in.
fn reads_text(relation: &Relation) -> bool {
    let is_text = match relation {
        Relation::Scan(scan) => match &scan.table {
            TableReference::Function { name, .. } => !matches!(name.as_str(), "read_parquet" | "read_arrow"),
            TableReference::Named(_) => scan.provider.is_host_driven(),
        },
        _ => false,
    };
    is_text || relation.inputs().into_iter().any(reads_text)
}
