//! Rough sizes of relations, from what tables tell of themselves. Only the order of joins and the display depend on them.

use std::collections::BTreeMap;

use hypostyle_engine::plan::{Expression, JoinKind, SampleSize};
use hypostyle_functions::Value;

use crate::bind::operator;
use crate::logical::{Computed, Join, Relation, Scan, conjuncts};

/// Rows of a table that does not tell.
const ROWS_UNKNOWN: f64 = 1_000_000.0;
/// Rounds of a recursion.
const ROUNDS: f64 = 10.0;
/// Rows of a round.
const ROWS_WORK_TABLE: f64 = 1_000.0;
/// Elements of a list.
const LIST_ELEMENTS: f64 = 4.0;
/// Share of rows that pass a condition of which nothing is known.
const SHARE_UNKNOWN: f64 = 0.25;
/// Share of rows that equal a constant, where the number of distinct values is unknown.
const SHARE_EQUAL: f64 = 0.1;
/// Share of rows on one side of a border.
const SHARE_RANGE: f64 = 0.3;
/// Least share of rows that a range between two borders is taken for.
const SHARE_LEAST: f64 = 0.001;
/// Share of rows that match a text pattern.
const SHARE_PATTERN: f64 = 0.1;

/// Rows of a relation, as the plan shows them; nothing where a table below does not tell.
pub fn known_rows(relation: &Relation) -> Option<u64> {
    let known = scans_known(relation);
    known.then(|| rows(relation).min(9e18) as u64)
}

fn scans_known(relation: &Relation) -> bool {
    match relation {
        Relation::Scan(scan) => scan.statistics.rows.is_some(),
        Relation::Recursive { .. } | Relation::WorkTable { .. } => false,
        _ => relation.inputs().into_iter().all(scans_known),
    }
}

/// Rows of a relation.
pub fn rows(relation: &Relation) -> f64 {
    stacker::maybe_grow(64 << 10, 1 << 20, || match relation {
        Relation::Scan(scan) => {
            let all = scan.statistics.rows.map_or(ROWS_UNKNOWN, |rows| rows as f64);
            let kept = all * conjunct_share(scan.filters.iter(), &|id| known_of_scan(id, scan));
            scan.limit.map_or(kept, |limit| kept.min(limit as f64))
        }
        Relation::Values { rows, .. } => rows.len() as f64,
        Relation::Filter { input, predicates } => {
            // What the scan has been told already is counted there.
            let told: &[Expression] = match &**input {
                Relation::Scan(scan) => &scan.filters,
                _ => &[],
            };
            let others = predicates.iter().filter(|predicate| !told.contains(predicate));
            rows(input) * conjunct_share(others, &|id| known_of(id, input))
        }
        Relation::Project { input, .. }
        | Relation::Window { input, .. }
        | Relation::Repeat { input, .. }
        | Relation::ComputedLimit { input, .. } => rows(input),
        Relation::Sample { input, size, .. } => match size {
            SampleSize::Percent(percent) => rows(input) * percent / 100.0,
            SampleSize::Rows(count) => rows(input).min(*count as f64),
        },
        Relation::Positional { left, right } => rows(left).max(rows(right)),
        Relation::Recursive { initial, .. } => rows(initial) * ROUNDS,
        Relation::WorkTable { .. } => ROWS_WORK_TABLE,
        Relation::Sort { input, limit, .. } => {
            limit.map_or(rows(input), |limit| rows(input).min(limit as f64))
        }
        Relation::Limit { input, count, .. } => {
            count.map_or(rows(input), |count| rows(input).min(count as f64))
        }
        Relation::Aggregate { input, keys, sets, .. } => {
            // As if every grouping set gave as many groups as all keys do.
            let count = sets.as_ref().map_or(1, |sets| sets.sets.len());
            count as f64 * groups(input, keys)
        }
        Relation::Join(join) => join_rows(join),
        Relation::AsOf(join) => match join.kind {
            JoinKind::Full => rows(&join.left) + rows(&join.right) * 0.5,
            JoinKind::Right => rows(&join.left).max(rows(&join.right)),
            JoinKind::LeftAnti => rows(&join.left) * 0.3,
            _ => rows(&join.left),
        },
        Relation::Union { inputs, .. } => inputs.iter().map(rows).sum(),
        Relation::Unnest { input, .. } => rows(input) * LIST_ELEMENTS,
        Relation::SingleRow { .. } | Relation::Write { .. } => 1.0,
        Relation::Shared { input, .. } => rows(input),
        Relation::SharedRows(shared) => shared.rows,
    })
}

fn groups(input: &Relation, keys: &[Computed]) -> f64 {
    if keys.is_empty() {
        return 1.0;
    }
    let input_rows = rows(input);
    let of_keys: f64 =
        keys.iter().map(|key| distinct(&key.expression, input).unwrap_or(input_rows.sqrt())).product();
    of_keys.min(input_rows)
}

/// Rows of the table behind a relation before conditions choose among them.
pub fn unfiltered_rows(relation: &Relation) -> f64 {
    match relation {
        Relation::Scan(scan) => scan.statistics.rows.map_or(ROWS_UNKNOWN, |rows| rows as f64),
        Relation::Filter { input, .. } | Relation::Project { input, .. } => unfiltered_rows(input),
        Relation::Join(join) if !matches!(join.kind, JoinKind::Inner | JoinKind::Right | JoinKind::Full) => {
            unfiltered_rows(&join.left)
        }
        other => rows(other),
    }
}

/// Rows of a join.
pub fn join_rows(join: &Join) -> f64 {
    let (left, right) = (rows(&join.left), rows(&join.right));
    let residual = SHARE_UNKNOWN.powi(i32::try_from(join.residual.len()).unwrap_or(i32::MAX));
    let pairs = matched_rows(left, right, join);
    match join.kind {
        JoinKind::Inner => pairs * residual,
        JoinKind::Left => (pairs * residual).max(left),
        JoinKind::Right => (pairs * residual).max(right),
        JoinKind::Full => (pairs * residual).max(left + right),
        JoinKind::LeftSemi => (pairs * residual).min(left) * 0.8,
        JoinKind::LeftAnti | JoinKind::LeftAntiNullAware => left * 0.3,
        JoinKind::RightSemi => (pairs * residual).min(right) * 0.8,
        JoinKind::RightAnti => right * 0.3,
        JoinKind::LeftMark | JoinKind::LeftSingle => left,
    }
}

fn matched_rows(left: f64, right: f64, join: &Join) -> f64 {
    let divisor = join.keys.iter().map(|key| {
        let left_distinct = distinct(&key.left, &join.left).unwrap_or(left);
        let right_distinct = distinct(&key.right, &join.right).unwrap_or(right);
        // The side with fewer rows is taken for the one whose keys are unique.
        left_distinct.min(left).max(right_distinct.min(right)).max(1.0)
    });
    match divisor
        .fold(None, |held: Option<f64>, divisor| Some(held.map_or(divisor, |held| held.max(divisor))))
    {
        Some(divisor) => left * right / divisor,
        None => left * right,
    }
}

/// Distinct values of an expression that is a column of a table below; `None` where nothing is known.
pub fn distinct(expression: &Expression, relation: &Relation) -> Option<f64> {
    let Expression::Column { index, .. } = expression else { return None };
    let (scan, position) = scan_of(*index, relation)?;
    let statistics = &scan.statistics;
    let column = statistics.columns.get(position)?;
    column.distinct.map(|distinct| distinct as f64).or_else(|| {
        let (low, high) = (column.minimum.as_ref()?.as_i64()?, column.maximum.as_ref()?.as_i64()?);
        let span = high.checked_sub(low)?.checked_add(1)? as f64;
        Some(statistics.rows.map_or(span, |rows| span.min(rows as f64)))
    })
}

/// The scan that a column comes from unchanged, and its position in the table.
fn scan_of(id: usize, relation: &Relation) -> Option<(&Scan, usize)> {
    match relation {
        Relation::Scan(scan) => {
            let mut columns = scan.columns.iter().chain(&scan.filter_columns);
            columns.find(|(column, _)| column.id == id).map(|(_, position)| (scan, *position))
        }
        Relation::Project { input, columns } => {
            let computed = columns.iter().find(|computed| computed.column.id == id)?;
            match &computed.expression {
                Expression::Column { index, .. } => scan_of(*index, input),
                _ => None,
            }
        }
        Relation::Aggregate { input, keys, .. } => {
            let key = keys.iter().find(|key| key.column.id == id)?;
            match &key.expression {
                Expression::Column { index, .. } => scan_of(*index, input),
                _ => None,
            }
        }
        other => other.inputs().into_iter().find_map(|input| scan_of(id, input)),
    }
}

fn known_of_scan(id: usize, scan: &Scan) -> Option<Known> {
    let mut columns = scan.columns.iter().chain(&scan.filter_columns);
    let (_, position) = columns.find(|(column, _)| column.id == id)?;
    known_at(scan, *position)
}

fn known_of(id: usize, relation: &Relation) -> Option<Known> {
    let (scan, position) = scan_of(id, relation)?;
    known_at(scan, position)
}

fn known_at(scan: &Scan, position: usize) -> Option<Known> {
    let column = scan.statistics.columns.get(position)?;
    Some(Known {
        distinct: column.distinct.map(|distinct| distinct as f64),
        bounds: column.minimum.as_ref().and_then(number).zip(column.maximum.as_ref().and_then(number)),
    })
}

/// Share of the rows that pass all of these. Borders of one column belong together: `x >= 10 AND x < 20` keeps what lies
/// between, not the product of both shares.
fn conjunct_share<'e>(
    predicates: impl Iterator<Item = &'e Expression>,
    known: &dyn Fn(usize) -> Option<Known>,
) -> f64 {
    let mut total = 1.0;
    // Per column, the shares of its lower and its upper border.
    let mut borders: BTreeMap<usize, (f64, f64)> = BTreeMap::new();
    let mut terms = Vec::new();
    predicates.for_each(|predicate| conjuncts(predicate.clone(), &mut terms));
    for term in &terms {
        match border(term) {
            Some((column, is_upper)) => {
                let (lower, upper) = borders.entry(column).or_insert((1.0, 1.0));
                let held = if is_upper { upper } else { lower };
                *held = held.min(share(term, known));
            }
            None => total *= share(term, known),
        }
    }
    for (column, (lower, upper)) in borders {
        let has_bounds = known(column).is_some_and(|known| known.bounds.is_some());
        total *= match lower < 1.0 && upper < 1.0 && has_bounds {
            true => (lower + upper - 1.0).max(SHARE_LEAST),
            false => lower * upper,
        };
    }
    total
}

/// The column that a comparison with a constant bounds, and whether from above.
fn border(term: &Expression) -> Option<(usize, bool)> {
    let Expression::Call { function, arguments, .. } = term else { return None };
    let is_less = match function.as_str() {
        operator::LESS | operator::LESS_OR_EQUAL => true,
        operator::GREATER | operator::GREATER_OR_EQUAL => false,
        _ => return None,
    };
    match arguments.as_slice() {
        [Expression::Column { index, .. }, Expression::Literal(_)] => Some((*index, is_less)),
        [Expression::Literal(_), Expression::Column { index, .. }] => Some((*index, !is_less)),
        _ => None,
    }
}

/// What is known of a column.
struct Known {
    distinct: Option<f64>,
    bounds: Option<(f64, f64)>,
}

fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Date(days) => Some(f64::from(*days)),
        Value::Timestamp(ticks, _) | Value::TimestampTz(ticks) => Some(*ticks as f64),
        other => other.as_f64(),
    }
}

fn share(predicate: &Expression, known: &dyn Fn(usize) -> Option<Known>) -> f64 {
    match predicate {
        Expression::Literal(literal) => match literal.value.as_bool() {
            Some(true) => 1.0,
            _ => 0.0,
        },
        Expression::And(terms) => conjunct_share(terms.iter(), known),
        Expression::Or(terms) => terms.iter().map(|term| share(term, known)).sum::<f64>().min(1.0),
        Expression::Call { function, arguments, .. } => call_share(function, arguments, known),
        _ => SHARE_UNKNOWN,
    }
}

fn call_share(function: &str, arguments: &[Expression], known: &dyn Fn(usize) -> Option<Known>) -> f64 {
    let column = arguments.iter().find_map(|argument| match argument {
        Expression::Column { index, .. } => known(*index),
        _ => None,
    });
    let equal = || {
        column
            .as_ref()
            .and_then(|column| column.distinct)
            .map_or(SHARE_EQUAL, |distinct| 1.0 / distinct.max(1.0))
    };
    match function {
        operator::EQUAL | operator::IS_NOT_DISTINCT => equal(),
        operator::NOT_EQUAL | operator::IS_DISTINCT => 1.0 - equal(),
        operator::IN => (equal() * arguments.len().saturating_sub(1) as f64).min(1.0),
        operator::LESS | operator::LESS_OR_EQUAL | operator::GREATER | operator::GREATER_OR_EQUAL => {
            range_share(function, arguments, column.as_ref())
        }
        operator::IS_NULL => 0.05,
        operator::IS_NOT_NULL => 0.95,
        operator::NOT => match arguments {
            [operand] => 1.0 - share(operand, known),
            _ => SHARE_UNKNOWN,
        },
        "like" | "ilike" | "contains" | "starts_with" | "prefix" | "suffix" => SHARE_PATTERN,
        _ => SHARE_UNKNOWN,
    }
}

/// The part of a column's range that lies on the kept side of a constant.
fn range_share(function: &str, arguments: &[Expression], column: Option<&Known>) -> f64 {
    let Some((low, high)) = column.and_then(|column| column.bounds) else { return SHARE_RANGE };
    let (constant, mirrored) = match arguments {
        [Expression::Column { .. }, Expression::Literal(literal)] => (number(&literal.value), false),
        [Expression::Literal(literal), Expression::Column { .. }] => (number(&literal.value), true),
        _ => (None, false),
    };
    let Some(constant) = constant else { return SHARE_RANGE };
    if high <= low {
        return SHARE_RANGE;
    }
    let below = ((constant - low) / (high - low)).clamp(0.0, 1.0);
    let keeps_below = matches!(function, operator::LESS | operator::LESS_OR_EQUAL) != mirrored;
    if keeps_below { below } else { 1.0 - below }
}
