//! The passes of a fit: what a definition asks for next, and the plan that finds it.
//!
//! A pass is one row. All values of its level come from one aggregation; each table of categories is a grouping whose
//! groups are ordered and gathered into lists. Where the rows are dear to come by, or are texts that would be parsed
//! anew, all of them read rows that are gathered once; else each scan reads the columns that it alone needs.

use std::collections::HashMap;
use std::rc::Rc;

use hypostyle_engine::plan::{AggregateCall, Expression, SortKey, TableReference};
use hypostyle_functions::analyzer::{Order, Source as Categories};
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
        let is_input = |id: usize| columns.iter().any(|column| column.id == id);
        let mut read =
            fitting.requests.iter().flat_map(|request| &request.arguments).flat_map(Expression::columns);
        if !read.all(is_input) {
            let message = "an analyzer over a column that the definition computes in a subquery, in WITH or by another transform is";
            return Err(Error::unsupported(message, query.span));
        }
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
    pub(crate) fn fit_pass(&mut self, source: Relation, requests: &[Request], counts: bool) -> Result<Pass> {
        let tables: Vec<&RequestedTable> = requests.iter().flat_map(|request| &request.tables).collect();
        let has_values = counts || requests.iter().any(|request| !request.values.values.is_empty());
        let parts = tables.len() + usize::from(has_values);
        let mut readers = self.readers(source.clone(), parts)?;
        let mut next = || readers.relations.pop().ok_or_else(|| Error::internal("a fit has too few readers"));
        let mut counted = None;
        let mut values: Vec<Column> = Vec::new();
        let mut relations = Vec::with_capacity(parts);
        if has_values {
            if counts {
                counted = Some(read_columns(&source, requests));
            }
            let relation = self.values_part(next()?, requests, counted.as_deref())?;
            values = relation.columns();
            relations.push(relation);
        }
        let mut of_tables = Vec::with_capacity(tables.len());
        for table in tables {
            let relation = self.table_part(next()?, table)?;
            of_tables.push(relation.columns());
            relations.push(relation);
        }
        let mut values = values.into_iter();
        let mut of_tables = of_tables.into_iter();
        let mut result = Vec::new();
        for request in requests {
            result.extend(values.by_ref().take(request.values.values.len()));
            result.extend(of_tables.by_ref().take(request.tables.len()).flatten());
        }
        result.extend(values);
        let relation = relations
            .into_iter()
            .reduce(|left, right| Relation::Positional { left: Box::new(left), right: Box::new(right) });
        let relation = relation.ok_or_else(|| Error::internal("a fit of nothing"))?;
        let relation = match readers.shared {
            Some(table) => {
                Relation::Shared { table, definition: Box::new(source), input: Box::new(relation) }
            }
            None => relation,
        };
        let relation = self.with_shared(relation);
        let counted = counted.map(|columns| columns.into_iter().map(|column| column.name).collect());
        Ok(Pass { relation, result, requests: requests.to_vec(), counted })
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

    /// All values of a level, and the counts behind them.
    fn values_part(
        &mut self,
        reader: Reader,
        requests: &[Request],
        counted: Option<&[Column]>,
    ) -> Result<Relation> {
        let mut aggregates: Vec<(Column, AggregateCall)> = Vec::new();
        let mut computed: Vec<Computed> = Vec::new();
        for request in requests {
            let mut given: HashMap<usize, Expression> = HashMap::new();
            for (column, call) in &request.values.calls {
                let call = reader.call(call);
                // What several analyzers ask for is computed once.
                let held =
                    aggregates.iter().find(|(_, held)| *held == call).map(|(column, _)| column.clone());
                let held = match held {
                    Some(held) => held,
                    None => {
                        let new = self.new_column(column.name.clone(), column.data_type.clone());
                        aggregates.push((new.clone(), call));
                        new
                    }
                };
                given.insert(column.id, held.read());
            }
            for (name, expression) in &request.values.values {
                let mut expression = expression.clone();
                replace(&mut expression, &given);
                let column = self.new_column(name.clone(), expression.data_type());
                computed.push(Computed { column, expression });
            }
        }
        if let Some(counted) = counted {
            let mut calls = vec![self.plain_aggregate("count", Vec::new())?];
            for column in counted {
                calls.push(self.plain_aggregate("count", vec![reader.expression(&column.read())])?);
            }
            for call in calls {
                let column = self.new_column("count", call.data_type.clone());
                computed.push(Computed {
                    column: self.new_column("count", call.data_type.clone()),
                    expression: column.read(),
                });
                aggregates.push((column, call));
            }
        }
        let input = Box::new(reader.relation);
        let input = Box::new(Relation::Aggregate { input, keys: Vec::new(), sets: None, aggregates });
        Ok(Relation::Project { input, columns: computed })
    }

    /// The lists of a table of categories.
    fn table_part(&mut self, reader: Reader, requested: &RequestedTable) -> Result<Relation> {
        let table = &requested.table;
        let (relation, key) =
            self.categories(reader.relation, reader_key(&reader.columns, requested), table.source)?;
        let key_column = self.new_column("key", key.data_type());
        let reader = Reader { relation, columns: reader.columns };
        let count = reader.call(&requested.count);
        let count_column = self.new_column("count", count.data_type.clone());
        let calls = requested.columns.calls.iter().map(|(column, call)| (column.clone(), reader.call(call)));
        let aggregates = calls.chain([(count_column.clone(), count)]).collect();
        let keys = vec![Computed { column: key_column.clone(), expression: key }];
        let input = Box::new(reader.relation);
        let mut relation = Relation::Aggregate { input, keys, sets: None, aggregates };
        let mut columns = vec![Computed::passed(key_column.clone()), Computed::passed(count_column.clone())];
        for (name, expression) in &requested.columns.values {
            let column = self.new_column(name.clone(), expression.data_type());
            columns.push(Computed { column, expression: expression.clone() });
        }
        if table.min_count > 1 {
            let least = Expression::Literal(Literal::new(Value::Int64(table.min_count)));
            let operands =
                vec![(Bound::typed(count_column.read()), Span::NONE), (Bound::typed(least), Span::NONE)];
            let predicate = self.apply(operator::GREATER_OR_EQUAL, operands, Span::NONE)?.expression;
            relation = Relation::Filter { input: Box::new(relation), predicates: vec![predicate] };
        }
        let gathered: Vec<Column> = columns.iter().map(|computed| computed.column.clone()).collect();
        relation = Relation::Project { input: Box::new(relation), columns };
        relation = ordered(relation, &key_column, &count_column, table.order, table.top_k);
        self.gathered(relation, gathered)
    }

    /// One row of lists; the count that only orders is left out.
    fn gathered(&mut self, relation: Relation, columns: Vec<Column>) -> Result<Relation> {
        let (mut aggregates, mut computed) = (Vec::new(), Vec::new());
        for (position, column) in columns.into_iter().enumerate() {
            if position == 1 {
                continue;
            }
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

fn reader_key(columns: &HashMap<usize, Expression>, requested: &RequestedTable) -> Expression {
    let mut key = requested.key.clone();
    replace(&mut key, columns);
    key
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

/// The columns of the source that analyzers of this level read.
fn read_columns(source: &Relation, requests: &[Request]) -> Vec<Column> {
    let read: Vec<usize> =
        requests.iter().flat_map(|request| &request.arguments).flat_map(Expression::columns).collect();
    source.columns().into_iter().filter(|column| read.contains(&column.id)).collect()
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
