//! Drops columns that nothing above reads, from the result down to the tables.

use std::collections::{BTreeSet, HashSet};

use hypostyle_engine::plan::Expression;

use crate::logical::{Column, Computed, Join, Relation, Scan, one_row};

/// Keeps what the result reads.
pub fn rewrite(relation: &mut Relation, result: &[Column]) {
    let wanted: HashSet<usize> = result.iter().map(|column| column.id).collect();
    prune(relation, &wanted);
}

/// Drops from a relation what is not wanted of it; more than is wanted may stay where dropping it costs a step.
fn prune(relation: &mut Relation, wanted: &HashSet<usize>) {
    stacker::maybe_grow(128 << 10, 2 << 20, || match relation {
        Relation::Scan(scan) => prune_scan(scan, wanted),
        Relation::Values { columns, rows } => prune_values(columns, rows, wanted),
        Relation::Filter { input, predicates } => {
            prune(input, &with(wanted, predicates.iter()));
        }
        Relation::Project { input, columns } => {
            columns.retain(|computed| wanted.contains(&computed.column.id));
            prune(input, &with(&HashSet::new(), columns.iter().map(|computed| &computed.expression)));
        }
        Relation::Limit { input, .. } => prune(input, wanted),
        Relation::SingleRow { input } => exactly(input, wanted),
        Relation::Sample { input, .. } => exactly(input, wanted),
        Relation::ComputedLimit { input, amounts } => {
            exactly(input, wanted);
            keep_all(amounts);
        }
        Relation::Positional { left, right } => {
            exactly(left, wanted);
            exactly(right, wanted);
        }
        Relation::Recursive { initial, step, .. } => {
            // Every round reads what the one before gave, so all columns stay.
            keep_all(initial);
            keep_all(step);
        }
        Relation::WorkTable { .. } => {}
        Relation::Repeat { input, count } => exactly(input, &with(wanted, std::iter::once(&*count))),
        Relation::Sort { input, keys, .. } => {
            exactly(input, &with(wanted, keys.iter().map(|key| &key.expression)));
        }
        Relation::Aggregate { input, keys, aggregates, .. } => {
            aggregates.retain(|(column, _)| wanted.contains(&column.id));
            let calls = aggregates.iter().flat_map(|(_, call)| {
                call.arguments.iter().chain(&call.filter).chain(call.order.iter().map(|key| &key.expression))
            });
            let read = with(&HashSet::new(), keys.iter().map(|key| &key.expression).chain(calls));
            prune(input, &read);
        }
        Relation::Join(join) => prune_join(join, wanted),
        Relation::AsOf(join) => {
            join.last_not_null.retain(|column| column.columns().iter().all(|id| wanted.contains(id)));
            let (left, right) = join.read(wanted);
            exactly(&mut join.left, &left);
            exactly(&mut join.right, &right);
        }
        Relation::Union { inputs, columns } => prune_union(inputs, columns, wanted),
        Relation::Unnest { input, lists, .. } => {
            exactly(input, &with(wanted, lists.iter().map(|list| &list.expression)));
        }
        Relation::Window { input, window, columns } => {
            let calls = std::mem::take(&mut window.calls).into_iter().zip(std::mem::take(columns));
            (window.calls, *columns) = calls.filter(|(_, column)| wanted.contains(&column.id)).unzip();
            window.drop_unused_orders();
            match columns.is_empty() {
                true => {
                    let input = std::mem::replace(&mut **input, one_row());
                    *relation = input;
                    prune(relation, wanted);
                }
                false => exactly(input, &with(wanted, window.expressions().into_iter())),
            }
        }
        Relation::Shared { table, definition, input } => {
            prune(input, wanted);
            prune_shared(*table, definition, input);
        }
        Relation::SharedRows(shared) => shared.columns.retain(|(column, _)| wanted.contains(&column.id)),
        Relation::Write { input, columns, .. } => {
            let all = columns.iter().map(|column| column.id).collect();
            prune(input, &all);
        }
    });
}

/// Shared rows have the columns that any of their readers wants.
fn prune_shared(table: u32, definition: &mut Relation, readers: &mut Relation) {
    let mut used: BTreeSet<usize> = BTreeSet::new();
    readers.walk_mut(&mut |part| {
        if let Relation::SharedRows(shared) = part
            && shared.table == table
        {
            used.extend(shared.columns.iter().map(|(_, position)| *position));
        }
    });
    let columns = definition.columns();
    let kept: Vec<Column> = used.iter().filter_map(|position| columns.get(*position).cloned()).collect();
    exactly_in_order(definition, kept);
    readers.walk_mut(&mut |part| {
        if let Relation::SharedRows(shared) = part
            && shared.table == table
        {
            for (_, position) in &mut shared.columns {
                *position = used.range(..*position).count();
            }
        }
    });
}

/// Prunes an input to these columns and puts them in this order.
fn exactly_in_order(relation: &mut Relation, kept: Vec<Column>) {
    let ids: HashSet<usize> = kept.iter().map(|column| column.id).collect();
    prune(relation, &ids);
    restore(relation, kept);
}

/// Prunes an input and projects away what is left over: its consumer would copy or hold it.
fn exactly(relation: &mut Relation, wanted: &HashSet<usize>) {
    prune(relation, wanted);
    let columns = relation.columns();
    if columns.iter().all(|column| wanted.contains(&column.id)) {
        return;
    }
    let kept =
        columns.into_iter().filter(|column| wanted.contains(&column.id)).map(Computed::passed).collect();
    let input = Box::new(std::mem::replace(relation, one_row()));
    *relation = Relation::Project { input, columns: kept };
}

fn with<'e>(wanted: &HashSet<usize>, expressions: impl Iterator<Item = &'e Expression>) -> HashSet<usize> {
    let mut wanted = wanted.clone();
    expressions.for_each(|expression| wanted.extend(expression.columns()));
    wanted
}

/// A column that only filters of the scan read is known to it, but does not come out.
fn prune_scan(scan: &mut Scan, wanted: &HashSet<usize>) {
    let filtered = with(&HashSet::new(), scan.filters.iter());
    let columns = std::mem::take(&mut scan.columns);
    for (column, position) in columns {
        if wanted.contains(&column.id) {
            scan.columns.push((column, position));
        } else if filtered.contains(&column.id) {
            scan.filter_columns.push((column, position));
        }
    }
}

fn prune_values(columns: &mut Vec<Column>, rows: &mut [Vec<Expression>], wanted: &HashSet<usize>) {
    let keep: Vec<bool> = columns.iter().map(|column| wanted.contains(&column.id)).collect();
    let mut position = 0;
    columns.retain(|_| {
        position += 1;
        keep.get(position - 1).copied().unwrap_or(true)
    });
    for row in rows {
        let mut position = 0;
        row.retain(|_| {
            position += 1;
            keep.get(position - 1).copied().unwrap_or(true)
        });
    }
}

fn prune_join(join: &mut Join, wanted: &HashSet<usize>) {
    let read = with(wanted, join.residual.iter());
    exactly(&mut join.left, &with(&read, join.keys.iter().map(|key| &key.left)));
    exactly(&mut join.right, &with(&read, join.keys.iter().map(|key| &key.right)));
}

/// Prunes below a relation whose columns all stay, in their order.
fn keep_all(relation: &mut Relation) {
    let kept = relation.columns();
    let ids: HashSet<usize> = kept.iter().map(|column| column.id).collect();
    prune(relation, &ids);
    restore(relation, kept);
}

/// Projects to these columns, unless they are all that comes out.
fn restore(relation: &mut Relation, kept: Vec<Column>) {
    let now = relation.columns();
    let same = now.len() == kept.len() && now.iter().zip(&kept).all(|(left, right)| left.id == right.id);
    if !same {
        let taken = Box::new(std::mem::replace(relation, one_row()));
        *relation =
            Relation::Project { input: taken, columns: kept.into_iter().map(Computed::passed).collect() };
    }
}

/// Columns of a union are paired by position, so each input gives the same ones in the same order.
fn prune_union(inputs: &mut [Relation], columns: &mut Vec<Column>, wanted: &HashSet<usize>) {
    let positions: Vec<usize> = columns
        .iter()
        .enumerate()
        .filter(|(_, column)| wanted.contains(&column.id))
        .map(|(position, _)| position)
        .collect();
    for input in inputs.iter_mut() {
        let own = input.columns();
        let kept: Vec<Column> = positions.iter().filter_map(|position| own.get(*position)).cloned().collect();
        exactly_in_order(input, kept);
    }
    let mut position = 0;
    columns.retain(|_| {
        position += 1;
        positions.contains(&(position - 1))
    });
}
