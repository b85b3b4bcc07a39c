//! Moves conditions towards the tables: through projections, joins, groupings and unions, and into scans.

use std::collections::HashSet;
use std::sync::Arc;

use hypostyle_engine::Context;
use hypostyle_engine::plan::{Expression, JoinKey, JoinKind};
use hypostyle_engine::table::FilterSupport;

use crate::bind::{fold, operator, split_keys};
use crate::logical::{AsOf, Computed, Join, Relation, Scan, conjunction, conjuncts, one_row};
use crate::rewrite::substitute::{Values, substitute, values};

/// Parts of an expression beyond which a condition is not moved below the projection that computes it.
const PARTS_MAX: usize = 12;

/// Moves all conditions down; one that may differ from call to call stays where it is.
pub fn rewrite(relation: Relation, context: &Arc<Context>) -> Relation {
    push(relation, Vec::new(), context)
}

/// The relation with these conditions as far down as they go.
fn push(relation: Relation, predicates: Vec<Expression>, context: &Arc<Context>) -> Relation {
    stacker::maybe_grow(128 << 10, 2 << 20, || match relation {
        Relation::Filter { input, predicates: own } => {
            let (stay, mut moved): (Vec<_>, Vec<_>) =
                own.into_iter().partition(|predicate| fold::is_volatile(predicate, context));
            moved.extend(predicates);
            filter(push(*input, moved, context), stay)
        }
        Relation::Project { input, columns } => push_project(*input, columns, predicates, context),
        Relation::Aggregate { input, keys, sets, aggregates } => {
            // A group of everything is there without rows, and a key of a grouping set is null in other sets.
            let (below, above) = match keys.is_empty() || sets.is_some() {
                true => (Vec::new(), predicates),
                false => split(predicates, &keys.iter().map(|key| key.column.id).collect()),
            };
            let computed = values(&keys);
            let below = below.into_iter().map(|predicate| substitute(predicate, &computed)).collect();
            let input = Box::new(push(*input, below, context));
            filter(Relation::Aggregate { input, keys, sets, aggregates }, above)
        }
        Relation::Sort { input, keys, limit: None } => {
            Relation::Sort { input: Box::new(push(*input, predicates, context)), keys, limit: None }
        }
        Relation::Union { inputs, columns } => {
            let inputs = inputs.into_iter().map(|input| {
                let own: Vec<Expression> = input.columns().iter().map(|column| column.read()).collect();
                let mapped: Values<'_> = columns.iter().map(|column| column.id).zip(&own).collect();
                let predicates =
                    predicates.iter().map(|predicate| substitute(predicate.clone(), &mapped)).collect();
                push(input, predicates, context)
            });
            Relation::Union { inputs: inputs.collect(), columns }
        }
        Relation::Unnest { input, lists, outer } => {
            let (below, above) = split(predicates, &ids(&input));
            let input = Box::new(push(*input, below, context));
            filter(Relation::Unnest { input, lists, outer }, above)
        }
        Relation::Window { input, window, columns } => {
            // A condition on partition keys alone keeps or drops whole partitions.
            let keys = window.partition.iter().filter_map(column_of).collect();
            let (below, above) = match window.partition.is_empty() {
                true => (Vec::new(), predicates),
                false => split(predicates, &keys),
            };
            let (stay, below): (Vec<_>, Vec<_>) =
                below.into_iter().partition(|predicate| predicate.columns().is_empty());
            let input = Box::new(push(*input, below, context));
            filter(Relation::Window { input, window, columns }, above.into_iter().chain(stay).collect())
        }
        Relation::Repeat { input, count } => {
            Relation::Repeat { input: Box::new(push(*input, predicates, context)), count }
        }
        Relation::Join(join) => push_join(join, predicates, context),
        Relation::AsOf(join) => push_as_of(*join, predicates, context),
        Relation::SingleRow { input } => {
            filter(Relation::SingleRow { input: Box::new(push(*input, Vec::new(), context)) }, predicates)
        }
        Relation::Limit { input, offset, count } => filter(
            Relation::Limit { input: Box::new(push(*input, Vec::new(), context)), offset, count },
            predicates,
        ),
        Relation::Sort { input, keys, limit } => filter(
            Relation::Sort { input: Box::new(push(*input, Vec::new(), context)), keys, limit },
            predicates,
        ),
        Relation::Write { input, columns, target, count } => {
            Relation::Write { input: Box::new(push(*input, Vec::new(), context)), columns, target, count }
        }
        Relation::Shared { table, definition, input } => Relation::Shared {
            table,
            definition: Box::new(push(*definition, Vec::new(), context)),
            input: Box::new(push(*input, predicates, context)),
        },
        // What these give depends on all their rows, so conditions stay above them.
        mut whole @ (Relation::Sample { .. }
        | Relation::ComputedLimit { .. }
        | Relation::Positional { .. }
        | Relation::Recursive { .. }) => {
            for input in whole.inputs_mut() {
                *input = push(std::mem::replace(input, one_row()), Vec::new(), context);
            }
            filter(whole, predicates)
        }
        leaf @ (Relation::Scan(_)
        | Relation::Values { .. }
        | Relation::WorkTable { .. }
        | Relation::SharedRows(_)) => filter(leaf, predicates),
    })
}

fn filter(input: Relation, mut predicates: Vec<Expression>) -> Relation {
    let mut seen = HashSet::new();
    predicates.retain(|predicate| seen.insert(predicate.clone()));
    match predicates.is_empty() {
        true => input,
        false => Relation::Filter { input: Box::new(input), predicates },
    }
}

fn ids(relation: &Relation) -> HashSet<usize> {
    relation.columns().into_iter().map(|column| column.id).collect()
}

/// Conditions over these columns only, and the others.
fn split(predicates: Vec<Expression>, ids: &HashSet<usize>) -> (Vec<Expression>, Vec<Expression>) {
    predicates.into_iter().partition(|predicate| reads_only(predicate, ids))
}

fn reads_only(predicate: &Expression, ids: &HashSet<usize>) -> bool {
    predicate.columns().iter().all(|id| ids.contains(id))
}

/// A condition moves below a projection unless that would compute something dear twice.
fn push_project(
    input: Relation,
    columns: Vec<Computed>,
    predicates: Vec<Expression>,
    context: &Arc<Context>,
) -> Relation {
    let computed = values(&columns);
    let is_cheap = |predicate: &Expression| {
        let value_is_cheap =
            |value: &&Expression| parts(value) <= PARTS_MAX && !fold::is_volatile(value, context);
        predicate.columns().iter().all(|id| computed.get(id).is_none_or(value_is_cheap))
    };
    let (below, above): (Vec<_>, Vec<_>) = predicates.into_iter().partition(|predicate| is_cheap(predicate));
    let below = below.into_iter().map(|predicate| substitute(predicate, &computed)).collect();
    let input = Box::new(push(input, below, context));
    filter(Relation::Project { input, columns }, above)
}

fn parts(expression: &Expression) -> usize {
    let mut parts = 0;
    expression.walk(&mut |part| {
        // A lambda runs once per element: it is never cheap.
        parts += if matches!(part, Expression::Lambda { .. }) { PARTS_MAX } else { 1 };
    });
    parts
}

fn push_join(mut join: Join, predicates: Vec<Expression>, context: &Arc<Context>) -> Relation {
    let (left_ids, right_ids) = (ids(&join.left), ids(&join.right));
    simplify_outer(&mut join, &predicates, &left_ids, &right_ids);
    let mut above = Vec::new();
    let (mut to_left, mut to_right) = (Vec::new(), Vec::new());
    match join.kind {
        JoinKind::Inner => {
            let mut terms = std::mem::take(&mut join.residual);
            terms.extend(predicates);
            let mut between = Vec::new();
            for term in terms {
                place(term, &left_ids, &right_ids, &mut to_left, &mut to_right, &mut between);
            }
            let (keys, residual) = split_keys(between, &join.left, &join.right);
            let new_keys: Vec<JoinKey> = keys.into_iter().filter(|key| !join.keys.contains(key)).collect();
            join.keys.extend(new_keys);
            join.residual = residual;
        }
        JoinKind::Left
        | JoinKind::LeftSingle
        | JoinKind::LeftSemi
        | JoinKind::LeftMark
        | JoinKind::LeftAnti
        | JoinKind::LeftAntiNullAware => {
            (to_left, above) = split(predicates, &left_ids);
            // A condition of the join on the right side alone decides which right rows can match. Where unknown counts,
            // it would hide that the condition is null.
            if !matches!(join.kind, JoinKind::LeftAntiNullAware | JoinKind::LeftMark) {
                (to_right, join.residual) = split(std::mem::take(&mut join.residual), &right_ids);
            }
        }
        JoinKind::Right => {
            (to_right, above) = split(predicates, &right_ids);
            (to_left, join.residual) = split(std::mem::take(&mut join.residual), &left_ids);
        }
        JoinKind::RightSemi | JoinKind::RightAnti => {
            (to_right, above) = split(predicates, &right_ids);
            (to_left, join.residual) = split(std::mem::take(&mut join.residual), &left_ids);
        }
        JoinKind::Full => above = predicates,
    }
    copy_across(&join, &mut to_left, &mut to_right);
    join.left = Box::new(push(*join.left, to_left, context));
    join.right = Box::new(push(*join.right, to_right, context));
    filter(Relation::Join(join), above)
}

/// What holds for a left row decides on it alone, and so does what holds for its keys on both sides. What the right side
/// is asked for would change which of its rows is the nearest: it stays above.
fn push_as_of(mut join: AsOf, predicates: Vec<Expression>, context: &Arc<Context>) -> Relation {
    let (left_ids, right_ids) = (ids(&join.left), ids(&join.right));
    if join.kind == JoinKind::Left && predicates.iter().any(|predicate| refuses_null(predicate, &right_ids)) {
        join.kind = JoinKind::Inner;
    }
    let (to_left, above) = match join.kind {
        JoinKind::Right | JoinKind::Full => (Vec::new(), predicates),
        _ => split(predicates, &left_ids),
    };
    let keys: Vec<&JoinKey> = join.keys.iter().collect();
    let to_right = copies(&to_left, &partners(&keys, true));
    join.left = Box::new(push(*join.left, to_left, context));
    join.right = Box::new(push(*join.right, to_right, context));
    filter(Relation::AsOf(Box::new(join)), above)
}

/// A condition on one side goes there. An OR over both sides also leaves on each side what its branches say of it.
fn place(
    term: Expression,
    left_ids: &HashSet<usize>,
    right_ids: &HashSet<usize>,
    to_left: &mut Vec<Expression>,
    to_right: &mut Vec<Expression>,
    between: &mut Vec<Expression>,
) {
    if reads_only(&term, left_ids) {
        to_left.push(term);
    } else if reads_only(&term, right_ids) {
        to_right.push(term);
    } else {
        to_left.extend(implied(&term, left_ids));
        to_right.extend(implied(&term, right_ids));
        between.push(term);
    }
}

/// What an OR says of these columns alone, if every branch says something.
fn implied(term: &Expression, ids: &HashSet<usize>) -> Option<Expression> {
    let Expression::Or(branches) = term else { return None };
    let mut alternatives = Vec::with_capacity(branches.len());
    for branch in branches {
        let mut terms = Vec::new();
        conjuncts(branch.clone(), &mut terms);
        terms.retain(|term| !term.columns().is_empty() && reads_only(term, ids));
        alternatives.push(conjunction(terms)?);
    }
    Some(Expression::Or(alternatives))
}

/// A condition on a key holds for its partner on the other side too.
fn copy_across(join: &Join, to_left: &mut Vec<Expression>, to_right: &mut Vec<Expression>) {
    let both = matches!(join.kind, JoinKind::Inner | JoinKind::LeftSemi);
    let to_the_right =
        both || matches!(join.kind, JoinKind::Left | JoinKind::LeftSingle | JoinKind::LeftAnti);
    let keys: Vec<&JoinKey> = join.keys.iter().collect();
    let (left, right) = (partners(&keys, true), partners(&keys, false));
    let for_right = if to_the_right { copies(to_left, &left) } else { Vec::new() };
    let for_left = if both || join.kind == JoinKind::Right { copies(to_right, &right) } else { Vec::new() };
    to_right.extend(for_right);
    to_left.extend(for_left);
}

/// The keys of one side that are columns, and what equals them on the other.
fn partners<'j>(keys: &[&'j JoinKey], of_left: bool) -> Vec<(usize, &'j Expression)> {
    let pair = |key: &&'j JoinKey| match of_left {
        true => Some((column_of(&key.left)?, &key.right)),
        false => Some((column_of(&key.right)?, &key.left)),
    };
    keys.iter().filter(|key| !key.nulls_match).filter_map(pair).collect()
}

/// The conditions over these columns alone, said of their partners.
fn copies(predicates: &[Expression], partners: &[(usize, &Expression)]) -> Vec<Expression> {
    let values: Values<'_> = partners.iter().copied().collect();
    let usable = predicates.iter().filter(|predicate| {
        let columns = predicate.columns();
        !columns.is_empty() && columns.iter().all(|id| values.contains_key(id))
    });
    usable.map(|predicate| substitute(predicate.clone(), &values)).collect()
}

fn column_of(expression: &Expression) -> Option<usize> {
    match expression {
        Expression::Column { index, .. } => Some(*index),
        _ => None,
    }
}

/// A condition above that is never true for nulls of one side makes an outer join keep nothing extra for it.
fn simplify_outer(join: &mut Join, predicates: &[Expression], left: &HashSet<usize>, right: &HashSet<usize>) {
    let refuses_left = predicates.iter().any(|predicate| refuses_null(predicate, left));
    let refuses_right = predicates.iter().any(|predicate| refuses_null(predicate, right));
    join.kind = match join.kind {
        JoinKind::Left if refuses_right => JoinKind::Inner,
        JoinKind::Right if refuses_left => JoinKind::Inner,
        JoinKind::Full => match (refuses_left, refuses_right) {
            (true, true) => JoinKind::Inner,
            (true, false) => JoinKind::Left,
            (false, true) => JoinKind::Right,
            (false, false) => JoinKind::Full,
        },
        kind => kind,
    };
}

/// True if the condition is false or null wherever all of these columns are null, by its outermost forms alone.
fn refuses_null(predicate: &Expression, ids: &HashSet<usize>) -> bool {
    let Expression::Call { function, arguments, .. } = predicate else { return false };
    let is_null = |argument: &Expression| is_null_for(argument, ids);
    match function.as_str() {
        name if operator::is_comparison(name) => arguments.iter().any(is_null),
        operator::IS_NOT_NULL | operator::IN | "like" | "ilike" => arguments.first().is_some_and(is_null),
        _ => false,
    }
}

/// True if the expression is null wherever these columns are: one of them, or arithmetic with one.
fn is_null_for(expression: &Expression, ids: &HashSet<usize>) -> bool {
    match expression {
        Expression::Column { index, .. } => ids.contains(index),
        Expression::Cast { input, .. } => is_null_for(input, ids),
        Expression::Call { function, arguments, .. } => {
            matches!(function.as_str(), "+" | "-" | "*" | "/" | "//" | "%" | operator::NEGATE)
                && arguments.iter().any(|argument| is_null_for(argument, ids))
        }
        _ => false,
    }
}

/// Hands conditions directly above a scan to the table; those that it applies exactly are done with.
pub fn into_scans(relation: &mut Relation) {
    relation.walk_mut(&mut |relation| {
        let Relation::Filter { input, predicates } = relation else { return };
        let Relation::Scan(scan) = &mut **input else { return };
        predicates.retain(|predicate| match support(predicate, scan) {
            FilterSupport::None => true,
            FilterSupport::Inexact => {
                scan.filters.push(predicate.clone());
                true
            }
            FilterSupport::Exact => {
                scan.filters.push(predicate.clone());
                false
            }
        });
        if predicates.is_empty() {
            let scan = std::mem::replace(&mut **input, crate::logical::one_row());
            *relation = scan;
        }
    });
}

/// Whether the table applies the condition; it sees its own positions instead of numbers.
fn support(predicate: &Expression, scan: &Scan) -> FilterSupport {
    let mut placed = predicate.clone();
    placed.walk_mut(&mut |part| {
        if let Expression::Column { index, .. } = part
            && let Some((_, position)) = scan.columns.iter().find(|(column, _)| column.id == *index)
        {
            *index = *position;
        }
    });
    scan.provider.filter_support(&placed)
}
