//! Semi, anti and mark joins with a dependent right side: `EXISTS`, `IN` and their negations.

use hypostyle_engine::plan::{Expression, JoinKey, JoinKind};
use hypostyle_functions::{Literal, Type, Value};

use super::domain::with_computed;
use super::pulled::Pulled;
use super::{Decorrelator, filtered, terms};
use crate::bind::{operator, split_keys};
use crate::error::Result;
use crate::logical::{Computed, Join, Relation, conjunction, one_row};
use crate::rewrite::substitute::substitute;

/// Takes away what does not decide whether there is a row.
pub(super) fn reduce(relation: &mut Relation) {
    loop {
        let input = match relation {
            Relation::Project { input, .. } | Relation::Sort { input, .. } => input,
            Relation::Limit { input, offset: 0, count: Some(1..) | None } => input,
            Relation::Aggregate { input, keys, sets: None, .. } if !keys.is_empty() => input,
            _ => return,
        };
        let input = std::mem::replace(&mut **input, one_row());
        *relation = input;
    }
}

impl Decorrelator<'_> {
    /// Joins a pulled right side to the left one.
    ///
    /// What ties the right side to the outer row only chooses its rows: for the kinds that also ask what is unknown, it
    /// is true or false and never unknown.
    pub(super) fn existence(&mut self, join: Join, pulled: Pulled) -> Result<Relation> {
        if pulled.always_one {
            return self.compare_one(join, pulled);
        }
        let Join { left, kind, keys, residual, mark, .. } = join;
        let values = pulled.values();
        let own = terms(keys, residual).into_iter().map(|term| substitute(term, &values)).collect();
        let mut right = pulled.relation;
        let (keys, residual) = match kind {
            JoinKind::LeftSemi | JoinKind::LeftAnti => {
                let all = pulled.conditions.into_iter().chain::<Vec<_>>(own).collect();
                split_keys(all, &left, &right)
            }
            _ => {
                let (mut keys, mut residual) = split_keys(own, &left, &right);
                let mut present = Vec::new();
                for condition in pulled.conditions {
                    match self.key_pair(&condition) {
                        Some((outer, inner, nulls_match)) => {
                            if !nulls_match {
                                present.push(is_present(&inner));
                            }
                            keys.push(JoinKey { left: outer, right: inner, nulls_match: true });
                        }
                        None => residual.push(or_else(condition, false)),
                    }
                }
                right = filtered(right, present);
                (keys, residual)
            }
        };
        Ok(Relation::Join(Join { left, right: Box::new(right), kind, keys, residual, mark }))
    }

    /// A right side of exactly one row is compared with the left row directly.
    fn compare_one(&mut self, join: Join, pulled: Pulled) -> Result<Relation> {
        let Join { left, right, kind, keys, residual, mark } = join;
        let condition = conjunction(terms(keys, residual));
        let single = Join {
            left,
            right,
            kind: JoinKind::LeftSingle,
            keys: Vec::new(),
            residual: Vec::new(),
            mark: None,
        };
        let relation = self.pairs(single, pulled)?;
        let condition = condition.unwrap_or_else(|| truth(true));
        let not = |condition| Expression::call(operator::NOT, vec![condition], Type::Boolean);
        Ok(match (kind, mark) {
            (JoinKind::LeftMark, Some(column)) => {
                with_computed(relation, vec![Computed { column, expression: condition }])
            }
            (JoinKind::LeftAnti, _) => filtered(relation, vec![or_else(not(condition), true)]),
            (JoinKind::LeftAntiNullAware, _) => filtered(relation, vec![not(condition)]),
            _ => filtered(relation, vec![condition]),
        })
    }
}

fn truth(value: bool) -> Expression {
    Expression::Literal(Literal::new(Value::Boolean(value)))
}

/// The condition, with this value where it is null.
fn or_else(condition: Expression, value: bool) -> Expression {
    Expression::Coalesce { arguments: vec![condition, truth(value)], data_type: Type::Boolean }
}

fn is_present(expression: &Expression) -> Expression {
    Expression::call(operator::IS_NOT_NULL, vec![expression.clone()], Type::Boolean)
}
