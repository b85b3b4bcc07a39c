//! Logical relations to the engine's plan: numbers of columns become positions, joins become operators.

mod asof;
mod range_join;

use std::collections::HashMap;

use hypostyle_engine::plan::{
    AggregateCall, Expression, JoinKey, Node, OrderCondition, Plan, RangeJoin, SortKey,
};
use hypostyle_functions::{Field, Schema};

use crate::error::{Error, Result};
use crate::logical::{Column, Computed, GroupingSets, Join, Relation, Scan, conjunction};
use crate::rewrite::estimate;

/// Lowers a whole plan, whose columns come out in this order under these names.
pub fn lower(relation: &Relation, result: &[Column]) -> Result<Plan> {
    let lowered = lower_relation(relation)?;
    let same = lowered.columns.len() == result.len()
        && lowered
            .columns
            .iter()
            .zip(result)
            .all(|(left, right)| left.id == right.id && left.name == right.name);
    if same {
        return Ok(lowered.plan);
    }
    let columns: Vec<Computed> = result.iter().cloned().map(Computed::passed).collect();
    Ok(project(lowered, &columns)?.plan)
}

/// A plan and the columns its output stands for, in order.
struct Lowered {
    plan: Plan,
    columns: Vec<Column>,
}

/// Positions of columns by number.
struct Positions(HashMap<usize, usize>);

impl Positions {
    fn of<'c>(columns: impl IntoIterator<Item = &'c Column>) -> Self {
        Self(columns.into_iter().enumerate().map(|(position, column)| (column.id, position)).collect())
    }

    fn expression(&self, expression: &Expression) -> Result<Expression> {
        let mut expression = expression.clone();
        self.place(&mut expression)?;
        Ok(expression)
    }

    fn place(&self, expression: &mut Expression) -> Result<()> {
        if let Expression::Column { index, .. } = expression {
            *index = match self.0.get(index) {
                Some(position) => *position,
                None => {
                    return Err(Error::internal(format!(
                        "column #{index} is not in the input of its reader"
                    )));
                }
            };
            return Ok(());
        }
        stacker::maybe_grow(64 << 10, 1 << 20, || {
            expression.children_mut().into_iter().try_for_each(|child| self.place(child))
        })
    }

    fn all(&self, expressions: &[Expression]) -> Result<Vec<Expression>> {
        expressions.iter().map(|expression| self.expression(expression)).collect()
    }

    fn sort_keys(&self, keys: &[SortKey]) -> Result<Vec<SortKey>> {
        keys.iter()
            .map(|key| Ok(SortKey { expression: self.expression(&key.expression)?, ..key.clone() }))
            .collect()
    }
}

fn lower_relation(relation: &Relation) -> Result<Lowered> {
    let mut lowered = stacker::maybe_grow(128 << 10, 2 << 20, || lower_node(relation))?;
    lowered.plan.estimated_rows = estimate::known_rows(relation);
    Ok(lowered)
}

fn lower_node(relation: &Relation) -> Result<Lowered> {
    match relation {
        Relation::Scan(scan) => lower_scan(scan),
        Relation::Values { columns, rows } => {
            Ok(finish(Node::Values { rows: rows.clone() }, columns.clone()))
        }
        Relation::Filter { input, predicates } => {
            let input = lower_relation(input)?;
            let positions = Positions::of(&input.columns);
            let Some(predicate) = conjunction(positions.all(predicates)?) else { return Ok(input) };
            Ok(finish(Node::Filter { input: Box::new(input.plan), predicate }, input.columns))
        }
        Relation::Project { input, columns } => {
            let input = lower_relation(input)?;
            project(input, columns)
        }
        Relation::Limit { input, offset, count } => {
            let input = lower_relation(input)?;
            let node = Node::Limit { input: Box::new(input.plan), offset: *offset, count: *count };
            Ok(finish(node, input.columns))
        }
        Relation::Sort { input, keys, limit } => {
            let input = lower_relation(input)?;
            let keys = Positions::of(&input.columns).sort_keys(keys)?;
            Ok(finish(Node::Sort { input: Box::new(input.plan), keys, limit: *limit }, input.columns))
        }
        Relation::Aggregate { input, keys, sets, aggregates } => {
            lower_aggregate(relation, input, keys, sets.as_ref(), aggregates)
        }
        Relation::Join(join) => lower_join(relation, join),
        Relation::AsOf(join) => asof::lower(relation, join),
        Relation::Union { inputs, columns } => {
            let inputs = inputs.iter().map(|input| lower_relation(input).map(|lowered| lowered.plan));
            Ok(finish(Node::Union { inputs: inputs.collect::<Result<_>>()? }, columns.clone()))
        }
        Relation::Unnest { input, lists, outer } => {
            let input = lower_relation(input)?;
            let positions = Positions::of(&input.columns);
            let expressions: Vec<Expression> = lists.iter().map(|list| list.expression.clone()).collect();
            let lists = positions.all(&expressions)?;
            let node = Node::Unnest { input: Box::new(input.plan), lists, outer: *outer };
            Ok(finish(node, relation.columns()))
        }
        Relation::Window { input, window, .. } => {
            let input = lower_relation(input)?;
            let positions = Positions::of(&input.columns);
            let mut window = window.clone();
            window.expressions_mut().into_iter().try_for_each(|expression| positions.place(expression))?;
            Ok(finish(Node::Window { input: Box::new(input.plan), window }, relation.columns()))
        }
        Relation::Sample { input, method, size, seed } => {
            let input = lower_relation(input)?;
            let (method, size, seed) = (*method, *size, *seed);
            Ok(finish(Node::Sample { input: Box::new(input.plan), method, size, seed }, input.columns))
        }
        Relation::ComputedLimit { input, amounts } => {
            let input = lower_relation(input)?;
            let amounts = Box::new(lower_relation(amounts)?.plan);
            Ok(finish(Node::ComputedLimit { input: Box::new(input.plan), amounts }, input.columns))
        }
        Relation::Positional { left, right } => {
            let (left, right) = (lower_relation(left)?, lower_relation(right)?);
            let columns = left.columns.into_iter().chain(right.columns).collect();
            let (left, right) = (Box::new(left.plan), Box::new(right.plan));
            Ok(finish(Node::PositionalJoin { left, right }, columns))
        }
        Relation::Recursive { initial, step, table, distinct, keys, columns } => {
            let initial = Box::new(lower_relation(initial)?.plan);
            let step = Box::new(lower_relation(step)?.plan);
            let (table, distinct) = (*table, *distinct);
            let keys = keys.clone();
            Ok(finish(Node::Recursive { initial, step, table, distinct, keys }, columns.clone()))
        }
        Relation::WorkTable { table, all, columns } => {
            Ok(finish(Node::WorkTable { table: *table, all: *all }, columns.clone()))
        }
        Relation::Repeat { input, count } => {
            let input = lower_relation(input)?;
            let count = Positions::of(&input.columns).expression(count)?;
            Ok(finish(Node::Repeat { input: Box::new(input.plan), count }, input.columns))
        }
        Relation::SingleRow { input } => {
            let input = lower_relation(input)?;
            Ok(finish(Node::SingleRow { input: Box::new(input.plan) }, input.columns))
        }
        Relation::Shared { table, definition, input } => {
            let definition = Box::new(lower_relation(definition)?.plan);
            let input = lower_relation(input)?;
            let node = Node::Shared { table: *table, definition, input: Box::new(input.plan) };
            Ok(finish(node, input.columns))
        }
        Relation::SharedRows(shared) => {
            let projection = shared.columns.iter().map(|(_, position)| *position).collect();
            Ok(finish(Node::SharedRows { table: shared.table, projection }, relation.columns()))
        }
        Relation::Write { input, columns, target, count } => {
            let input = lower_relation(input)?;
            let columns: Vec<Computed> = columns.iter().cloned().map(Computed::passed).collect();
            let input = project(input, &columns)?;
            let node = Node::Write { input: Box::new(input.plan), target: target.clone() };
            Ok(finish(node, vec![count.clone()]))
        }
    }
}

fn finish(node: Node, columns: Vec<Column>) -> Lowered {
    let fields =
        columns.iter().map(|column| Field::new(column.name.clone(), column.data_type.clone())).collect();
    Lowered { plan: Plan::new(node, Schema::new(fields)), columns }
}

fn lower_scan(scan: &Scan) -> Result<Lowered> {
    let projection = scan.columns.iter().map(|(_, position)| *position).collect();
    let table = scan.columns.iter().chain(&scan.filter_columns);
    let positions = Positions(table.map(|(column, position)| (column.id, *position)).collect());
    let filters = positions.all(&scan.filters)?;
    let node = Node::Scan { table: scan.table.clone(), projection, filters, limit: scan.limit };
    Ok(finish(node, scan.columns.iter().map(|(column, _)| column.clone()).collect()))
}

/// A projection; one that changes nothing, not even a name, is left out.
fn project(input: Lowered, columns: &[Computed]) -> Result<Lowered> {
    let unchanged = input.columns.len() == columns.len()
        && input.columns.iter().zip(columns).all(|(column, computed)| {
            computed.is_passed() && column.id == computed.column.id && column.name == computed.column.name
        });
    if unchanged {
        return Ok(input);
    }
    let positions = Positions::of(&input.columns);
    let expressions = columns.iter().map(|computed| positions.expression(&computed.expression));
    let expressions = expressions.collect::<Result<_>>()?;
    let node = Node::Project { input: Box::new(input.plan), expressions };
    Ok(finish(node, columns.iter().map(|computed| computed.column.clone()).collect()))
}

fn lower_aggregate(
    relation: &Relation,
    input: &Relation,
    keys: &[Computed],
    sets: Option<&GroupingSets>,
    aggregates: &[(Column, AggregateCall)],
) -> Result<Lowered> {
    let input = lower_relation(input)?;
    let positions = Positions::of(&input.columns);
    let keys = keys.iter().map(|key| positions.expression(&key.expression)).collect::<Result<_>>()?;
    let calls = aggregates.iter().map(|(_, call)| {
        Ok(AggregateCall {
            arguments: positions.all(&call.arguments)?,
            filter: call.filter.as_ref().map(|filter| positions.expression(filter)).transpose()?,
            order: positions.sort_keys(&call.order)?,
            ..call.clone()
        })
    });
    let aggregates = calls.collect::<Result<_>>()?;
    let sets = sets.map(|sets| sets.sets.clone()).unwrap_or_default();
    Ok(finish(Node::Aggregate { input: Box::new(input.plan), keys, sets, aggregates }, relation.columns()))
}

fn lower_join(relation: &Relation, join: &Join) -> Result<Lowered> {
    let left = lower_relation(&join.left)?;
    let right = lower_relation(&join.right)?;
    let (left_positions, right_positions) = (Positions::of(&left.columns), Positions::of(&right.columns));
    let both = Positions::of(left.columns.iter().chain(&right.columns));
    if let Some((conditions, residual)) = range_join::split(join) {
        let conditions = conditions.into_iter().map(|condition| {
            Ok(OrderCondition {
                left: left_positions.expression(&condition.left)?,
                right: right_positions.expression(&condition.right)?,
                ..condition
            })
        });
        let (conditions, residual) = (conditions.collect::<Result<_>>()?, conjunction(both.all(&residual)?));
        let node = RangeJoin { left: left.plan, right: right.plan, kind: join.kind, conditions, residual };
        return Ok(finish(Node::RangeJoin(Box::new(node)), relation.columns()));
    }
    let residual = conjunction(both.all(&join.residual)?);
    let keys = join.keys.iter().map(|key| {
        Ok(JoinKey {
            left: left_positions.expression(&key.left)?,
            right: right_positions.expression(&key.right)?,
            nulls_match: key.nulls_match,
        })
    });
    let keys: Vec<JoinKey> = keys.collect::<Result<_>>()?;
    let (left, right) = (Box::new(left.plan), Box::new(right.plan));
    let node = match keys.is_empty() {
        true => Node::CrossJoin { left, right, kind: join.kind, condition: residual },
        false => Node::HashJoin { left, right, kind: join.kind, keys, residual },
    };
    Ok(finish(node, relation.columns()))
}
