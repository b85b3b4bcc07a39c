//! The domain: the distinct values of outer columns, as a relation that can stand inside a subquery.

use std::collections::BTreeMap;

use hypostyle_engine::plan::{Expression, JoinKind};
use hypostyle_functions::Type;

use super::pulled::Pulled;
use super::{Decorrelator, equality, joined};
use crate::error::{Error, Result};
use crate::logical::{Column, Computed, Join, Relation};
use crate::rewrite::substitute::{Values, substitute};

/// Distinct outer values, and the column that stands for each outer one.
pub(super) struct Domain {
    pub relation: Relation,
    /// Outer columns as they are read, and the columns of the domain.
    pub columns: Vec<(Expression, Column)>,
}

impl Domain {
    /// What outer columns stand for where the domain is joined in.
    pub fn reads(&self) -> Vec<(usize, Expression)> {
        let pairs = self.columns.iter();
        pairs
            .filter_map(|(outer, column)| match outer {
                Expression::Column { index, .. } => Some((*index, column.read())),
                _ => None,
            })
            .collect()
    }

    /// Equalities, where null equals null, that tie the domain to the outer row.
    pub fn conditions(&self) -> Vec<Expression> {
        self.columns.iter().map(|(outer, column)| equality(outer.clone(), column.read(), true)).collect()
    }
}

impl Decorrelator<'_> {
    /// The distinct values that these outer columns have together.
    pub(super) fn domain(&mut self, outer: &BTreeMap<usize, Type>) -> Result<Domain> {
        let Some(left) = self.outer.last() else {
            return Err(Error::internal("a domain without an outer row"));
        };
        let source = holder(&left.relation, outer);
        let (copy, numbers) = self.numbering.copy(source);
        let mut columns = Vec::with_capacity(outer.len());
        let mut keys = Vec::with_capacity(outer.len());
        for (id, data_type) in outer {
            let Some(number) = numbers.get(id).copied() else {
                return Err(Error::internal(format!("outer column #{id} has no copy")));
            };
            let held = copy.columns().into_iter().find(|column| column.id == number);
            let Some(column) = held else {
                return Err(Error::internal(format!("outer column #{id} is not in its relation")));
            };
            columns.push((Expression::column(*id, data_type.clone()), column.clone()));
            keys.push(Computed::passed(column));
        }
        let relation =
            Relation::Aggregate { input: Box::new(copy), keys, sets: None, aggregates: Vec::new() };
        Ok(Domain { relation, columns })
    }

    /// The same rows with the outer values among them: only equalities with these are left as conditions, and nothing is
    /// left to be computed. Outer columns of `further` are there too.
    pub(super) fn ground(&mut self, pulled: Pulled, further: BTreeMap<usize, Type>) -> Result<Pulled> {
        let computed = pulled.computed.iter().map(|computed| &computed.expression);
        let mut outer = self.outer_of(pulled.conditions.iter().chain(computed));
        outer.extend(further);
        if outer.is_empty() {
            let relation = with_computed(pulled.relation, pulled.computed);
            return Ok(Pulled { at_most_one: pulled.at_most_one, ..Pulled::independent(relation) });
        }
        let domain = self.domain(&outer)?;
        let reads = domain.reads();
        let values: Values<'_> = reads.iter().map(|(id, read)| (*id, read)).collect();
        let inside = |expression: Expression| substitute(expression, &values);
        let conditions = domain.conditions();
        let ties = pulled.conditions.into_iter().map(inside).collect();
        let relation = match pulled.always_one {
            true => joined(domain.relation, pulled.relation, JoinKind::Left, ties),
            // The subquery's rows stay on the left, since their order may matter above.
            false => joined(pulled.relation, domain.relation, JoinKind::Inner, ties),
        };
        let computed = pulled.computed.into_iter();
        let computed = computed
            .map(|computed| Computed { expression: substitute(computed.expression, &values), ..computed })
            .collect();
        Ok(Pulled {
            relation: with_computed(relation, computed),
            conditions,
            computed: Vec::new(),
            always_one: false,
            at_most_one: pulled.at_most_one,
        })
    }
}

/// Adds computed columns to a relation.
pub(super) fn with_computed(relation: Relation, computed: Vec<Computed>) -> Relation {
    if computed.is_empty() {
        return relation;
    }
    let is_computed = |column: &Column| computed.iter().any(|other| other.column.id == column.id);
    let passed = relation.columns().into_iter().filter(|column| !is_computed(column));
    let columns: Vec<Computed> = passed.map(Computed::passed).collect();
    let columns = columns.into_iter().chain(computed).collect();
    Relation::Project { input: Box::new(relation), columns }
}

/// The smallest part of a relation that still has exactly the values of these columns: joins that only add columns to
/// the rows of their left side are left out.
fn holder<'r>(relation: &'r Relation, outer: &BTreeMap<usize, Type>) -> &'r Relation {
    let below = match relation {
        Relation::Join(Join {
            left,
            kind: JoinKind::Left | JoinKind::LeftMark | JoinKind::LeftSingle,
            ..
        }) => left,
        Relation::Project { input, .. } | Relation::Sort { input, limit: None, .. } => input,
        _ => return relation,
    };
    match outer.keys().all(|id| below.has_column(*id)) {
        true => holder(below, outer),
        false => relation,
    }
}
