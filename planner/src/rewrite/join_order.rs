//! The order of inner joins, by estimated sizes: few tables by dynamic programming over their sets, many greedily. Then
//! the smaller side of each join becomes the one that is built.

use std::collections::{BTreeMap, HashMap};

use hypostyle_engine::plan::{Expression, JoinKey, JoinKind};

use crate::bind::{operator, split_keys};
use crate::logical::{Join, Relation};
use crate::rewrite::equal_columns::{self, EqualColumns};
use crate::rewrite::estimate;

/// Tables up to which all orders are weighed.
const EXHAUSTIVE_TABLES_MAX: usize = 10;
/// Rows of the right side from which a left join may exchange its sides: below, the written order costs nothing.
const EXCHANGE_ROWS_MIN: f64 = 10_000.0;
/// Share of rows that a condition other than an equality keeps.
const SHARE_CONDITION: f64 = 0.3;

/// Reorders every group of inner joins.
pub fn rewrite(relation: Relation) -> Relation {
    stacker::maybe_grow(128 << 10, 2 << 20, || match relation {
        Relation::Join(join) if join.kind == JoinKind::Inner => {
            let mut tables = Vec::new();
            let mut conditions = Vec::new();
            gather(Relation::Join(join), &mut tables, &mut conditions);
            let tables: Vec<Relation> = tables.into_iter().map(rewrite).collect();
            ordered(tables, conditions)
        }
        mut other => {
            for input in other.inputs_mut() {
                let taken = std::mem::replace(input, crate::logical::one_row());
                *input = rewrite(taken);
            }
            exchange_outer(other)
        }
    })
}

/// Takes a group of inner joins apart into tables and conditions.
fn gather(relation: Relation, tables: &mut Vec<Relation>, conditions: &mut Vec<Expression>) {
    match relation {
        Relation::Join(join) if join.kind == JoinKind::Inner => {
            gather(*join.left, tables, conditions);
            gather(*join.right, tables, conditions);
            conditions.extend(join.keys.into_iter().map(equality));
            conditions.extend(join.residual);
        }
        other => tables.push(other),
    }
}

fn equality(key: JoinKey) -> Expression {
    let function = if key.nulls_match { operator::IS_NOT_DISTINCT } else { operator::EQUAL };
    Expression::call(function, vec![key.left, key.right], hypostyle_functions::Type::Boolean)
}

fn equal(left: Expression, right: Expression) -> Expression {
    equality(JoinKey { left, right, nulls_match: false })
}

/// A condition between tables, as the search sees it.
struct Condition {
    /// Bits of the tables it reads.
    tables: u64,
    /// Share of pairs it keeps.
    share: f64,
    /// True for an equality of two sides: a key.
    is_key: bool,
}

/// A way to join a set of tables.
#[derive(Clone)]
struct Way {
    /// Rows of the intermediate results, summed.
    cost: f64,
    rows: f64,
    /// The two sets joined; none for a single table.
    sides: Option<(u64, u64)>,
}

struct Search {
    rows: Vec<f64>,
    /// Rows of the tables before conditions choose among them.
    unfiltered: Vec<f64>,
    /// Columns that are equal.
    classes: Vec<EqualColumns>,
    /// All other conditions.
    conditions: Vec<Condition>,
}

fn ordered(tables: Vec<Relation>, mut conditions: Vec<Expression>) -> Relation {
    if tables.len() > 63 {
        return as_written(tables, conditions);
    }
    let written = conditions.clone();
    let classes = equal_columns::gather(&mut conditions, &tables);
    let tables = with_own_equalities(tables, &classes);
    let search = Search {
        rows: tables.iter().map(|table| estimate::rows(table).max(1.0)).collect(),
        unfiltered: tables.iter().map(estimate::unfiltered_rows).collect(),
        classes,
        conditions: conditions.iter().map(|condition| describe(condition, &tables)).collect(),
    };
    let ways = match tables.len() <= EXHAUSTIVE_TABLES_MAX {
        true => search.exhaustive(),
        false => search.greedy(),
    };
    let all = (1u64 << tables.len()) - 1;
    let mut tables: Vec<Option<Relation>> = tables.into_iter().map(Some).collect();
    let mut conditions: Vec<Option<Expression>> = conditions.into_iter().map(Some).collect();
    match build(all, &ways, &search, &mut tables, &mut conditions) {
        Some(relation) => relation,
        // Every set has a way, so this cannot be; what is left is joined as it was written.
        None => as_written(tables.into_iter().flatten().collect(), written),
    }
}

/// The tables, each with the equalities between columns of its own that follow from the others.
fn with_own_equalities(tables: Vec<Relation>, classes: &[EqualColumns]) -> Vec<Relation> {
    let with_own = |(position, table): (usize, Relation)| {
        let mut predicates = Vec::new();
        for class in classes {
            let mut columns = class.columns_of(position);
            if let Some(first) = columns.next() {
                predicates.extend(columns.map(|other| equal(first.clone(), other.clone())));
            }
        }
        match predicates.is_empty() {
            true => table,
            false => Relation::Filter { input: Box::new(table), predicates },
        }
    };
    tables.into_iter().enumerate().map(with_own).collect()
}

/// Joins from left to right; more tables than the search can number.
fn as_written(tables: Vec<Relation>, mut conditions: Vec<Expression>) -> Relation {
    let mut tables = tables.into_iter();
    let Some(mut joined) = tables.next() else { return crate::logical::one_row() };
    for table in tables {
        let (usable, later): (Vec<_>, Vec<_>) = conditions.into_iter().partition(|condition| {
            condition.columns().iter().all(|id| joined.has_column(*id) || table.has_column(*id))
        });
        conditions = later;
        joined = inner(joined, table, usable);
    }
    joined
}

fn inner(left: Relation, right: Relation, conditions: Vec<Expression>) -> Relation {
    let (keys, residual) = split_keys(conditions, &left, &right);
    let (left, right) = (Box::new(left), Box::new(right));
    Relation::Join(Join { left, right, kind: JoinKind::Inner, keys, residual, mark: None })
}

/// Which tables a condition reads, and how many pairs it keeps.
fn describe(condition: &Expression, tables: &[Relation]) -> Condition {
    let set_of = |expression: &Expression| {
        expression.columns().into_iter().fold(0u64, |set, id| {
            let table = tables.iter().position(|table| table.has_column(id));
            table.map_or(set, |position| set | 1 << position)
        })
    };
    let set = set_of(condition);
    let sides = crate::bind::equality_of(condition).map(|(left, right, _)| (left, right));
    let Some((left, right)) = sides else {
        return Condition { tables: set, share: SHARE_CONDITION, is_key: false };
    };
    let (left_set, right_set) = (set_of(left), set_of(right));
    if left_set == 0 || right_set == 0 || left_set & right_set != 0 {
        return Condition { tables: set, share: SHARE_CONDITION, is_key: false };
    }
    let distinct = |expression: &Expression, set: u64| {
        let table =
            tables.iter().enumerate().find(|(position, _)| set == 1 << position).map(|(_, table)| table);
        let rows = table.map_or(1_000.0, estimate::rows);
        table
            .and_then(|table| estimate::distinct(expression, table))
            .map_or(rows, |distinct| distinct.min(rows))
    };
    let share = 1.0 / distinct(left, left_set).max(distinct(right, right_set)).max(1.0);
    Condition { tables: set, share, is_key: true }
}

impl Search {
    /// Rows of a set of tables, whatever the order. Several conditions between the same tables are rarely independent, so
    /// each counts less than the one before, and all keys together find at least one row of the smaller table.
    fn rows_of(&self, set: u64) -> f64 {
        let mut rows: f64 = self
            .rows
            .iter()
            .enumerate()
            .filter(|(table, _)| set >> table & 1 == 1)
            .map(|(_, rows)| rows)
            .product();
        let mut keys: BTreeMap<(usize, usize), Vec<f64>> = BTreeMap::new();
        for (pair, share) in equal_columns::shares(&self.classes, set) {
            keys.entry(pair).or_default().push(share);
        }
        for ((first, second), mut shares) in keys {
            let least = 1.0 / self.unfiltered[first].min(self.unfiltered[second]).max(1.0);
            let single = shares.len() == 1;
            rows *= if single { shares[0] } else { damped(&mut shares).max(least) };
        }
        let mut by_tables: BTreeMap<u64, Vec<f64>> = BTreeMap::new();
        for condition in self.conditions.iter().filter(|condition| condition.tables & !set == 0) {
            by_tables.entry(condition.tables).or_default().push(condition.share);
        }
        rows *= by_tables.values_mut().map(|shares| damped(shares)).product::<f64>();
        rows.max(1.0)
    }

    /// True if a key links two sets.
    fn linked(&self, left: u64, right: u64) -> bool {
        let by_class = |class: &EqualColumns| class.tables & left != 0 && class.tables & right != 0;
        self.classes.iter().any(by_class)
            || self.conditions.iter().any(|condition| {
                let both = left | right;
                condition.is_key
                    && condition.tables & !both == 0
                    && condition.tables & left != 0
                    && condition.tables & right != 0
            })
    }

    fn singles(&self) -> HashMap<u64, Way> {
        let single =
            |(table, rows): (usize, &f64)| (1u64 << table, Way { cost: 0.0, rows: *rows, sides: None });
        self.rows.iter().enumerate().map(single).collect()
    }

    /// The cost of joining two ways: the rows that come out, and those that are held to find them.
    fn join(&self, left: &Way, right: &Way, sets: (u64, u64), rows: f64) -> Way {
        let linked = self.linked(sets.0, sets.1);
        let held = left.rows.min(right.rows);
        // Without a key every pair is looked at.
        let work = if linked { left.rows.max(right.rows) * 0.1 + held } else { left.rows * right.rows };
        Way { cost: left.cost + right.cost + rows + work, rows, sides: Some(sets) }
    }

    /// The cheapest way for every set of tables.
    fn exhaustive(&self) -> HashMap<u64, Way> {
        let mut ways = self.singles();
        let all = (1u64 << self.rows.len()) - 1;
        for set in 1..=all {
            if set.count_ones() < 2 {
                continue;
            }
            let rows = self.rows_of(set);
            let mut best: Option<Way> = None;
            let mut left = (set - 1) & set;
            while left > 0 {
                let right = set & !left;
                // Each pair once: the side with the lowest table is the left one.
                if left & set & set.wrapping_neg() != 0
                    && let (Some(left_way), Some(right_way)) = (ways.get(&left), ways.get(&right))
                {
                    let way = self.join(left_way, right_way, (left, right), rows);
                    if best.as_ref().is_none_or(|held| way.cost < held.cost) {
                        best = Some(way);
                    }
                }
                left = (left - 1) & set;
            }
            if let Some(best) = best {
                ways.insert(set, best);
            }
        }
        ways
    }

    /// Joins the pair that costs least, again and again.
    fn greedy(&self) -> HashMap<u64, Way> {
        let mut ways = self.singles();
        let mut open: Vec<u64> = (0..self.rows.len()).map(|table| 1u64 << table).collect();
        while open.len() > 1 {
            let mut best: Option<(usize, usize, Way)> = None;
            for (i, left) in open.iter().enumerate() {
                for (j, right) in open.iter().enumerate().skip(i + 1) {
                    let (Some(left_way), Some(right_way)) = (ways.get(left), ways.get(right)) else {
                        continue;
                    };
                    let rows = self.rows_of(left | right);
                    let way = self.join(left_way, right_way, (*left, *right), rows);
                    let better = best
                        .as_ref()
                        .is_none_or(|(_, _, held)| way.cost - left_way.cost - right_way.cost < held.cost);
                    if better {
                        let cost = way.cost - left_way.cost - right_way.cost;
                        best = Some((i, j, Way { cost, ..way }));
                    }
                }
            }
            let Some((i, j, way)) = best else { break };
            let right = open.remove(j);
            let left = open.remove(i);
            ways.insert(left | right, way);
            open.push(left | right);
        }
        ways
    }
}

/// The share that several conditions keep together: the most selective in full, each further one less.
fn damped(shares: &mut [f64]) -> f64 {
    shares.sort_by(f64::total_cmp);
    let weight = |rank: usize| 0.5f64.powi(i32::try_from(rank).unwrap_or(i32::MAX));
    shares.iter().enumerate().map(|(rank, share)| share.powf(weight(rank))).product()
}

/// Builds the relation of a set from the way chosen for it; the larger side probes, the smaller one is built.
fn build(
    set: u64,
    ways: &HashMap<u64, Way>,
    search: &Search,
    tables: &mut [Option<Relation>],
    conditions: &mut [Option<Expression>],
) -> Option<Relation> {
    let way = ways.get(&set)?;
    let Some((left, right)) = way.sides else {
        let position = usize::try_from(set.trailing_zeros()).ok()?;
        return tables.get_mut(position)?.take();
    };
    let (left, right) = match ways.get(&left)?.rows < ways.get(&right)?.rows {
        true => (right, left),
        false => (left, right),
    };
    let links = search.classes.iter().filter_map(|class| class.link(left, right));
    let links: Vec<Expression> = links.map(|(left, right)| equal(left, right)).collect();
    let left = build(left, ways, search, tables, conditions)?;
    let right = build(right, ways, search, tables, conditions)?;
    let usable = conditions
        .iter_mut()
        .zip(&search.conditions)
        .filter(|(_, condition)| condition.tables & !set == 0)
        .filter_map(|(expression, _)| expression.take());
    let usable = links.into_iter().chain(usable).collect();
    Some(inner(left, right, usable))
}

/// A left join whose right side is much larger is a right join with exchanged sides, which builds the smaller one.
fn exchange_outer(relation: Relation) -> Relation {
    let Relation::Join(join) = relation else { return relation };
    let kind = match join.kind {
        JoinKind::Left => JoinKind::Right,
        JoinKind::Right => JoinKind::Left,
        _ => return Relation::Join(join),
    };
    let (left, right) = (estimate::rows(&join.left), estimate::rows(&join.right));
    let known = estimate::known_rows(&join.right).is_some() && estimate::known_rows(&join.left).is_some();
    if !known || join.keys.is_empty() || right < EXCHANGE_ROWS_MIN || left * 2.0 > right {
        return Relation::Join(join);
    }
    let keys = join.keys.into_iter();
    let keys =
        keys.map(|key| JoinKey { left: key.right, right: key.left, nulls_match: key.nulls_match }).collect();
    let (left, right, residual, mark) = (join.right, join.left, join.residual, join.mark);
    Relation::Join(Join { left, right, kind, keys, residual, mark })
}
