//! Grouping sets that depend on the outer row: the outer values become keys of every set.

use hypostyle_engine::plan::{AggregateCall, Expression, GROUPING_KEYS_MAX};
use hypostyle_functions::{Literal, Type, Value};

use super::aggregate::parts;
use super::pulled::Pulled;
use super::{Decorrelator, equality};
use crate::error::{Error, Result};
use crate::logical::{Column, Computed, GroupingSets, Relation};
use crate::rewrite::substitute::substitute;
use crate::span::Span;

impl Decorrelator<'_> {
    pub(super) fn pull_grouping_sets(
        &mut self,
        input: Relation,
        mut keys: Vec<Computed>,
        mut sets: GroupingSets,
        mut aggregates: Vec<(Column, AggregateCall)>,
    ) -> Result<Pulled> {
        if sets.sets.iter().any(Vec::is_empty) {
            let union = self.with_totals_apart(input, keys, sets, aggregates);
            return self.pull(union);
        }
        let mut pulled = self.pull(input)?;
        {
            let values = pulled.values();
            for expression in parts(&mut keys, &mut aggregates) {
                let taken = std::mem::replace(expression, Expression::Literal(Literal::null(Type::Null)));
                *expression = substitute(taken, &values);
            }
        }
        let further = self.outer_of(parts(&mut keys, &mut aggregates).iter().map(|part| &**part));
        pulled = self.ground(pulled, further)?;
        let ties: Vec<_> = pulled.conditions.iter().filter_map(|tie| self.key_pair(tie)).collect();
        for expression in parts(&mut keys, &mut aggregates) {
            expression.walk_mut(&mut |part| {
                if let Some((_, inner, _)) = ties.iter().find(|(outer, _, _)| outer == part) {
                    *part = inner.clone();
                }
            });
        }
        let added = ties.len();
        if added + keys.len() > GROUPING_KEYS_MAX {
            let message = format!("{} grouping keys; at most {GROUPING_KEYS_MAX} are", added + keys.len());
            return Err(Error::unsupported(message, Span::NONE));
        }
        let mut conditions = Vec::with_capacity(added);
        let mut all_keys = Vec::with_capacity(added + keys.len());
        for (outer, inner, nulls_match) in ties {
            let column = self.numbering.column("outer", inner.data_type());
            conditions.push(equality(outer, column.read(), nulls_match));
            all_keys.push(Computed { column, expression: inner });
        }
        // Keys before the others that every set has leave the number of a set as it is.
        all_keys.extend(keys);
        for set in &mut sets.sets {
            *set = (0..added).chain(set.iter().map(|key| key + added)).collect();
        }
        let input = Box::new(pulled.relation);
        let relation = Relation::Aggregate { input, keys: all_keys, sets: Some(sets), aggregates };
        Ok(Pulled { conditions, ..Pulled::independent(relation) })
    }

    /// The set without keys has a row even where there is nothing to group, which no set with keys has: it is a grouping
    /// of its own beside the others.
    fn with_totals_apart(
        &mut self,
        input: Relation,
        keys: Vec<Computed>,
        sets: GroupingSets,
        aggregates: Vec<(Column, AggregateCall)>,
    ) -> Relation {
        let GroupingSets { sets, id } = sets;
        let mut columns: Vec<Column> = keys.iter().map(|key| key.column.clone()).collect();
        columns.extend(aggregates.iter().map(|(column, _)| column.clone()));
        columns.push(id.clone());
        let (totals, others): (Vec<_>, Vec<_>) = sets.into_iter().partition(Vec::is_empty);
        let mut inputs = Vec::with_capacity(1 + totals.len());
        for _ in totals {
            let total = Relation::Aggregate {
                input: Box::new(input.clone()),
                keys: Vec::new(),
                sets: None,
                aggregates: aggregates.clone(),
            };
            let (total, _) = self.numbering.copy(&total);
            inputs.push(self.beside_nulls(total, &keys));
        }
        if !others.is_empty() {
            let sets = Some(GroupingSets { sets: others, id });
            let grouped = Relation::Aggregate { input: Box::new(input), keys, sets, aggregates };
            inputs.insert(0, self.numbering.copy(&grouped).0);
        }
        Relation::Union { inputs, columns }
    }

    /// A total with nulls for the keys before it and the number of the set that lacks them all behind it.
    fn beside_nulls(&mut self, total: Relation, keys: &[Computed]) -> Relation {
        let mut computed = Vec::with_capacity(keys.len() + 1);
        for key in keys {
            let data_type = key.column.data_type.clone();
            let column = self.numbering.column(key.column.name.clone(), data_type.clone());
            computed.push(Computed { column, expression: Expression::Literal(Literal::null(data_type)) });
        }
        computed.extend(total.columns().into_iter().map(Computed::passed));
        let number = Expression::Literal(Literal::new(Value::Int64((1i64 << keys.len()) - 1)));
        computed
            .push(Computed { column: self.numbering.column("grouping", Type::Int64), expression: number });
        Relation::Project { input: Box::new(total), columns: computed }
    }
}
