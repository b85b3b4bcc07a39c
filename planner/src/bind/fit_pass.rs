//! The passes of a fit: what a definition asks for next, and the plan that finds it.
//!
//! A pass is one row. All values of its level come from one aggregation; each table of categories is a grouping whose
//! groups are ordered and gathered into lists. Where the rows are dear to come by, or are texts that would be parsed
//! anew, all of them read rows that are gathered once; else each scan reads the columns that it alone needs.

use std::collections::HashMap;
use std::rc::Rc;

use hypostyle_engine::plan::{AggregateCall, Expression, SortKey, TableReference};
use hypostyle_functions::analyzer::{CategoryTable, Order, Source as Categories};
use hypostyle_functions::{Literal, Type, Value};

use crate::bind::analyzer::{Fitting, Request, RequestedTable};
use crate::bind::scope::Bound;
use crate::bind::{Binder, operator};
use crate::error::{Error, ErrorKind, Result};
use crate::logical::{Column, Computed, Relation, SharedRows};
use crate::rewrite::estimate;
use crate::span::Span;
use crate::transform::{FittedCall, FittedOutput};
use crate::tree::{Query, QueryBody};

/// What binding a definition gave.
#[derive(Debug)]
pub(crate) enum Discovered {
    /// Its columns, over the columns of the input: nothing is left to fit. And whether they are others for the rows of the fit.
    Complete(Vec<FittedOutput>, bool),
    /// What is to be found next.
    Requests(Vec<Request>),
}

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

fn replace(expression: &mut Expression, columns: &HashMap<usize, Expression>) {
    expression.walk_mut(&mut |part| {
        if let Expression::Column { index, .. } = part
            && let Some(value) = columns.get(index)
        {
            *part = value.clone();
        }
    });
}

impl Binder<'_> {
    /// Binds a definition over the columns of its input, with the parameters that are known.
    pub(crate) fn discover(
        &mut self,
        query: &Query,
        columns: &[Column],
        known: &Rc<Vec<FittedCall>>,
        training: bool,
    ) -> Result<Discovered> {
        self.fitting = Some(Fitting { known: Rc::clone(known), training, ..Fitting::default() });
        self.transform_input = Some(columns.to_vec());
        // The tables of WITH of the source are its own.
        let shared = std::mem::take(&mut self.shared);
        let relation = self.query(query).map(|relation| self.with_shared(relation));
        self.shared = shared;
        self.transform_input = None;
        let Some(fitting) = self.fitting.take() else { return Err(Error::internal("a fit lost its state")) };
        if fitting.made_up > 0 {
            // What made-up parameters broke is told once they are known; names mean what they mean before anything is read.
            if let Err(error) = &relation
                && is_of_names(error)
            {
                return Err(error.clone());
            }
            return match (fitting.requests.is_empty(), relation) {
                (false, _) => Ok(Discovered::Requests(fitting.requests)),
                (true, Err(error)) => Err(error),
                (true, Ok(_)) => Err(Error::internal("a fit asks for nothing and is not complete")),
            };
        }
        let outputs = flattened(&relation?, columns, query.span)?;
        let texts: Vec<String> = match &query.body {
            QueryBody::Select(select) if select.items.len() == outputs.len() => {
                select.items.iter().map(|item| item.expression.to_string()).collect()
            }
            _ => outputs.iter().map(|(name, _)| name.clone()).collect(),
        };
        let outputs = outputs.into_iter().zip(texts);
        let output = |((name, expression), text)| FittedOutput { name, text, expression, training: None };
        Ok(Discovered::Complete(outputs.map(output).collect(), fitting.has_training))
    }

    /// The plan that finds what is asked for; `counts` adds the number of rows and of values.
    pub(crate) fn fit_pass(
        &mut self,
        source: Relation,
        requests: &[Request],
        counts: bool,
        makes: Makes,
    ) -> Result<Pass> {
        let tables: Vec<&RequestedTable> = requests.iter().flat_map(|request| &request.tables).collect();
        let counted = counts.then(|| read_columns(&source, requests));
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

    /// The tables that are lists of categories alone, as one aggregate each of the scan that finds the values: where all of
    /// them surely fit into memory. Others are groupings, which can spill.
    fn vocabularies(
        &mut self,
        source: &Relation,
        tables: &[&RequestedTable],
        makes: Makes,
    ) -> Result<Vec<Option<AggregateCall>>> {
        let bytes =
            rows_at_most(source).map(|rows| rows as f64 * (tables.len() * VOCABULARY_ROW_BYTES) as f64);
        let fits = bytes.is_some_and(|bytes| bytes < self.context.memory.free_bytes() as f64 / 2.0);
        if !fits || matches!(makes, Makes::States { .. }) {
            return Ok(vec![None; tables.len()]);
        }
        let mut calls = Vec::with_capacity(tables.len());
        for table in tables {
            let CategoryTable { source, columns, count, order, min_count, top_k, .. } = &table.table;
            let is_plain = *source == Categories::Value && columns.is_empty() && *count == "count(*)";
            let key = table.key.clone();
            if !is_plain || !matches!(key.data_type(), Type::Text | Type::Int64) {
                calls.push(None);
                continue;
            }
            let literal = |value| Expression::Literal(Literal::new(value));
            let order = if *order == Order::Value { "value" } else { "frequency" };
            let top_k =
                top_k.map_or(Expression::Literal(Literal::null(Type::Int64)), |count| literal(count.into()));
            let arguments = vec![key, literal(order.into()), literal((*min_count).into()), top_k];
            calls.push(Some(self.plain_aggregate("vocabulary", arguments)?));
        }
        Ok(calls)
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

    /// The lists of a table of categories, by these calls of its aggregates and, last, of its count; or of their states.
    fn table_part(
        &mut self,
        input: Relation,
        key: Expression,
        calls: Vec<AggregateCall>,
        requested: &RequestedTable,
        makes: Makes,
    ) -> Result<Relation> {
        let table = &requested.table;
        let key_column = self.new_column("key", key.data_type());
        let aggregates: Vec<(Column, AggregateCall)> =
            calls.into_iter().map(|call| (self.new_column("state", call.data_type.clone()), call)).collect();
        let columns: Vec<Column> = aggregates.iter().map(|(column, _)| column.clone()).collect();
        let keys = vec![Computed { column: key_column.clone(), expression: key }];
        let mut relation = Relation::Aggregate { input: Box::new(input), keys, sets: None, aggregates };
        if let Makes::States { .. } = makes {
            return self.gathered(relation, [key_column].into_iter().chain(columns).collect());
        }
        let Some((count_column, columns)) = columns.split_last() else {
            return Err(Error::internal("a table of categories has no count"));
        };
        let own = requested.columns.calls.iter().zip(columns);
        let given: HashMap<usize, Expression> =
            own.map(|((column, _), new)| (column.id, new.read())).collect();
        let mut computed = vec![Computed::passed(key_column.clone()), Computed::passed(count_column.clone())];
        for (name, expression) in &requested.columns.values {
            let mut expression = expression.clone();
            replace(&mut expression, &given);
            let column = self.new_column(name.clone(), expression.data_type());
            computed.push(Computed { column, expression });
        }
        if table.min_count > 1 {
            let least = Expression::Literal(Literal::new(Value::Int64(table.min_count)));
            let operands =
                vec![(Bound::typed(count_column.read()), Span::NONE), (Bound::typed(least), Span::NONE)];
            let predicate = self.apply(operator::GREATER_OR_EQUAL, operands, Span::NONE)?.expression;
            relation = Relation::Filter { input: Box::new(relation), predicates: vec![predicate] };
        }
        let lists = computed.iter().map(|computed| computed.column.clone());
        let lists = lists.filter(|column| column.id != count_column.id).collect();
        relation = Relation::Project { input: Box::new(relation), columns: computed };
        relation = ordered(relation, &key_column, count_column, table.order, table.top_k);
        self.gathered(relation, lists)
    }

    /// One row of lists of these columns.
    fn gathered(&mut self, relation: Relation, columns: Vec<Column>) -> Result<Relation> {
        let (mut aggregates, mut computed) = (Vec::new(), Vec::new());
        for column in columns {
            let call = self.plain_aggregate("list", vec![column.read()])?;
            let list = self.new_column("list", call.data_type.clone());
            let empty = Literal::new(Value::List(column.data_type, Vec::new()));
            let expression = Expression::Coalesce {
                arguments: vec![list.read(), Expression::Literal(empty)],
                data_type: call.data_type.clone(),
            };
            computed
                .push(Computed { column: self.new_column(column.name, call.data_type.clone()), expression });
            aggregates.push((list, call));
        }
        let input = Box::new(relation);
        let input = Box::new(Relation::Aggregate { input, keys: Vec::new(), sets: None, aggregates });
        Ok(Relation::Project { input, columns: computed })
    }

    /// Rows with one category each that is not null, and the category.
    fn categories(
        &mut self,
        relation: Relation,
        key: Expression,
        source: Categories,
    ) -> Result<(Relation, Expression)> {
        let (relation, key) = match source {
            Categories::Value => (relation, key),
            Categories::Elements | Categories::DistinctElements => {
                let list = match source {
                    Categories::DistinctElements => {
                        self.apply("list_distinct", vec![(Bound::typed(key), Span::NONE)], Span::NONE)?
                            .expression
                    }
                    _ => key,
                };
                let element = list.data_type().element().cloned().unwrap_or(Type::Null);
                let column = self.new_column("element", element);
                let lists = vec![Computed { column: column.clone(), expression: list }];
                (Relation::Unnest { input: Box::new(relation), lists, outer: false }, column.read())
            }
        };
        let known =
            self.apply(operator::IS_NOT_NULL, vec![(Bound::typed(key.clone()), Span::NONE)], Span::NONE)?;
        let relation = Relation::Filter { input: Box::new(relation), predicates: vec![known.expression] };
        Ok((relation, key))
    }
}

struct Readers {
    relations: Vec<Reader>,
    /// The number of the rows that are gathered once for all.
    shared: Option<u32>,
}

/// The entries in their order, and no more than are kept.
fn ordered(relation: Relation, key: &Column, count: &Column, order: Order, top_k: Option<i64>) -> Relation {
    let by =
        |column: &Column, descending| SortKey { expression: column.read(), descending, nulls_first: false };
    let by_frequency = vec![by(count, true), by(key, false)];
    let limit = top_k.and_then(|count| u64::try_from(count).ok());
    let sort = |input, keys, limit| Relation::Sort { input: Box::new(input), keys, limit };
    let kept = |relation: Relation| match limit {
        Some(_) => {
            let sorted = sort(relation, by_frequency.clone(), limit);
            Relation::Limit { input: Box::new(sorted), offset: 0, count: limit }
        }
        None => relation,
    };
    match (order, limit) {
        (Order::Frequency, None) => sort(relation, by_frequency, None),
        (Order::Frequency, Some(_)) => kept(relation),
        (Order::Value, _) => sort(kept(relation), vec![by(key, false)], None),
    }
}

/// Bytes that a row can add to a vocabulary: a value of its own with its view, count and slots, on each of two workers.
const VOCABULARY_ROW_BYTES: usize = 128;

/// Rows of a table that knows their number, or of a part of them.
fn rows_at_most(relation: &Relation) -> Option<u64> {
    match relation {
        Relation::Scan(scan) => scan.statistics.rows,
        Relation::Filter { input, .. } | Relation::Project { input, .. } => rows_at_most(input),
        Relation::Values { rows, .. } => Some(rows.len() as u64),
        _ => None,
    }
}

/// The columns of the source that analyzers of this level read.
fn read_columns(source: &Relation, requests: &[Request]) -> Vec<Column> {
    counted_columns(&source.columns(), requests)
}

/// As [`read_columns`], of these columns.
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

/// True for errors that no value of a parameter brings about.
pub(super) fn is_of_names(error: &Error) -> bool {
    let of_functions = |error: &hypostyle_functions::Error| {
        matches!(error, hypostyle_functions::Error::UnknownFunction { .. })
    };
    match error.kind() {
        ErrorKind::Syntax(_)
        | ErrorKind::Unsupported(_)
        | ErrorKind::Unknown { .. }
        | ErrorKind::Ambiguous { .. }
        | ErrorKind::TooDeep { .. } => true,
        ErrorKind::Function(error) => of_functions(error),
        _ => false,
    }
}

/// The columns of a bound definition as expressions over the input.
fn flattened(relation: &Relation, input: &[Column], span: Span) -> Result<Vec<(String, Expression)>> {
    match relation {
        Relation::Values { columns, .. }
            if columns.iter().map(|column| column.id).eq(input.iter().map(|column| column.id)) =>
        {
            Ok(columns.iter().map(|column| (column.name.clone(), column.read())).collect())
        }
        Relation::Project { input: below, columns } => {
            let below_columns = below.columns();
            let below = flattened(below, input, span)?;
            let given: HashMap<usize, Expression> =
                below_columns.into_iter().zip(below).map(|(column, (_, value))| (column.id, value)).collect();
            let value = |computed: &Computed| {
                let mut expression = computed.expression.clone();
                replace(&mut expression, &given);
                (computed.column.name.clone(), expression)
            };
            Ok(columns.iter().map(value).collect())
        }
        _ => {
            let message = "a transform gives one row for each row of its input: SELECT expressions FROM input, without \
                           filter, join, grouping, window, order or other tables";
            Err(Error::invalid(message, span))
        }
    }
}
