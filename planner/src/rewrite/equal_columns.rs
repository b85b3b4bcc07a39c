//! Columns that the equalities of a group of inner joins make the same: `a = b AND b = c` also says `a = c`, so tables
//! may be joined in orders that were not written.

use hypostyle_engine::plan::Expression;

use crate::bind::equality_of;
use crate::logical::Relation;
use crate::rewrite::estimate;

/// Share of a table's rows from which its distinct values look like those of a key.
const SHARE_OF_KEY: f64 = 0.9;

/// A column of one of the tables.
struct Member {
    column: Expression,
    table: usize,
    /// Rows of the table before conditions choose among them.
    rows: f64,
    /// At most so many values.
    distinct: f64,
}

/// Columns that are equal in every row that comes out.
pub struct EqualColumns {
    members: Vec<Member>,
    /// The pairs that were written.
    written: Vec<(Expression, Expression)>,
    /// Bits of the tables that have a column in it.
    pub tables: u64,
}

/// Takes the equalities between columns of different tables out of the conditions.
pub fn gather(conditions: &mut Vec<Expression>, tables: &[Relation]) -> Vec<EqualColumns> {
    let mut classes: Vec<EqualColumns> = Vec::new();
    conditions.retain(|condition| {
        let Some((left, right)) = pair(condition, tables) else { return true };
        let mut merged = EqualColumns { members: Vec::new(), written: Vec::new(), tables: 0 };
        let touches = |class: &EqualColumns| {
            class.members.iter().any(|member| member.column == left.column || member.column == right.column)
        };
        let (touched, others): (Vec<_>, Vec<_>) = classes.drain(..).partition(touches);
        classes = others;
        merged.written.push((left.column.clone(), right.column.clone()));
        for class in touched {
            merged.members.extend(class.members);
            merged.written.extend(class.written);
        }
        for member in [left, right] {
            if merged.members.iter().all(|held| held.column != member.column) {
                merged.members.push(member);
            }
        }
        merged.tables = merged.members.iter().fold(0, |set, member| set | 1 << member.table);
        classes.push(merged);
        false
    });
    classes
}

/// The two sides of an equality between columns of different tables.
fn pair(condition: &Expression, tables: &[Relation]) -> Option<(Member, Member)> {
    let (left, right, nulls_match) = equality_of(condition)?;
    let member = |side: &Expression| {
        let Expression::Column { index, .. } = side else { return None };
        let table = tables.iter().position(|table| table.has_column(*index))?;
        let rows = estimate::unfiltered_rows(&tables[table]);
        let distinct = estimate::distinct(side, &tables[table]).map_or(rows, |distinct| distinct.min(rows));
        Some(Member { column: side.clone(), table, rows, distinct: distinct.max(1.0) })
    };
    let (left, right) = (member(left)?, member(right)?);
    (!nulls_match && left.table != right.table).then_some((left, right))
}

impl EqualColumns {
    /// The columns of this table.
    pub fn columns_of(&self, table: usize) -> impl Iterator<Item = &Expression> {
        self.members.iter().filter(move |member| member.table == table).map(|member| &member.column)
    }

    /// A pair of columns that links two sets of tables, one that was written if there is one.
    pub fn link(&self, left: u64, right: u64) -> Option<(Expression, Expression)> {
        let of = |set: u64| self.members.iter().filter(move |member| set >> member.table & 1 == 1);
        let is_written = |a: &Expression, b: &Expression| {
            self.written.iter().any(|(x, y)| (x == a && y == b) || (x == b && y == a))
        };
        let pairs = || of(left).flat_map(|a| of(right).map(move |b| (&a.column, &b.column)));
        let chosen = pairs().find(|(a, b)| is_written(a, b)).or_else(|| pairs().next());
        chosen.map(|(a, b)| (a.clone(), b.clone()))
    }

    /// Share of the pairs of two tables that have equal values. A column of the smaller table that may be unique is
    /// taken for its key, of which each row of the other finds one.
    fn share(&self, first: usize, second: usize) -> f64 {
        let of = |table: usize| {
            let own = self.members.iter().filter(move |member| member.table == table);
            own.fold((1.0, 1.0f64), |(_, distinct), member| (member.rows, distinct.max(member.distinct)))
        };
        let ((first_rows, first), (second_rows, second)) = (of(first), of(second));
        let (rows, distinct) =
            if first_rows <= second_rows { (first_rows, first) } else { (second_rows, second) };
        1.0 / if distinct >= rows * SHARE_OF_KEY { distinct } else { first.max(second) }
    }
}

/// The shares of all equalities inside a set of tables, by pair of tables. Of the pairs that a class allows, those are
/// taken that other classes share, since keys of several columns belong together.
pub fn shares(classes: &[EqualColumns], set: u64) -> Vec<((usize, usize), f64)> {
    let linked = |class: &EqualColumns, first: usize, second: usize| {
        let pair = 1u64 << first | 1 << second;
        class.tables & pair == pair
    };
    let mut shares = Vec::new();
    for class in classes {
        let present: Vec<usize> = (0..64).filter(|table| (class.tables & set) >> table & 1 == 1).collect();
        if present.len() < 2 {
            continue;
        }
        let mut pairs = Vec::new();
        for (position, &first) in present.iter().enumerate() {
            for &second in &present[position + 1..] {
                let common = classes.iter().filter(|other| linked(other, first, second)).count();
                pairs.push((std::cmp::Reverse(common), first, second));
            }
        }
        pairs.sort_unstable();
        // A tree over the tables: one equality less than there are tables.
        let mut parts: Vec<u64> = present.iter().map(|table| 1u64 << table).collect();
        for (_, first, second) in pairs {
            let part_of = |table: usize| parts.iter().position(|part| part >> table & 1 == 1);
            if let (Some(a), Some(b)) = (part_of(first), part_of(second))
                && a != b
            {
                parts[a] |= parts[b];
                parts.swap_remove(b);
                shares.push(((first, second), class.share(first, second)));
            }
        }
    }
    shares
}
