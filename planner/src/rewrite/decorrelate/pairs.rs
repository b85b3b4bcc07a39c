//! Inner, left and single joins with a dependent right side: the columns of both sides come out.

use hypostyle_engine::plan::{Expression, JoinKind};
use hypostyle_functions::{Literal, Type, Value};

use super::domain::with_computed;
use super::pulled::{Pulled, is_one_row};
use super::{Decorrelator, filtered, joined, terms};
use crate::error::Result;
use crate::logical::{Column, Computed, Join, Relation};
use crate::rewrite::substitute::substitute;

impl Decorrelator<'_> {
    /// Joins a pulled right side to the left one.
    pub(super) fn pairs(&mut self, join: Join, pulled: Pulled) -> Result<Relation> {
        let own = terms(join.keys, join.residual);
        let pulled = match pulled.always_one && !own.is_empty() && join.kind != JoinKind::Inner {
            // The row that stands for nothing found may fail the join's own condition.
            true => self.ground(pulled, Default::default())?,
            false => pulled,
        };
        let values = pulled.values();
        let own: Vec<Expression> = own.into_iter().map(|term| substitute(term, &values)).collect();
        let left = *join.left;
        if is_one_row(&pulled.relation) && pulled.conditions.is_empty() {
            let is_inner = join.kind == JoinKind::Inner;
            if is_inner || own.is_empty() {
                return Ok(filtered(with_computed(left, pulled.computed), own));
            }
        }
        if pulled.always_one {
            let relation = joined(left, pulled.relation, JoinKind::Left, pulled.conditions);
            let relation = with_computed(relation, pulled.computed);
            return Ok(filtered(relation, own));
        }
        let kind = match join.kind {
            JoinKind::LeftSingle if pulled.at_most_one => JoinKind::Left,
            kind => kind,
        };
        let (mut right, mut computed) = (pulled.relation, pulled.computed);
        if kind != JoinKind::Inner && !computed.is_empty() {
            let marker = self.add_marker(&mut right);
            computed.iter_mut().for_each(|computed| null_without(&marker, computed));
        }
        let conditions = pulled.conditions.into_iter().chain(own).collect();
        Ok(with_computed(joined(left, right, kind, conditions), computed))
    }

    /// Adds a column that is true in every row, and so null where an outer join found none.
    fn add_marker(&mut self, relation: &mut Relation) -> Column {
        let column = self.numbering.column("found", Type::Boolean);
        let input = std::mem::replace(relation, crate::logical::one_row());
        let expression = Expression::Literal(Literal::new(Value::Boolean(true)));
        *relation = with_computed(input, vec![Computed { column: column.clone(), expression }]);
        column
    }
}

fn null_without(marker: &Column, computed: &mut Computed) {
    let data_type = computed.column.data_type.clone();
    let value = std::mem::replace(&mut computed.expression, Expression::Literal(Literal::null(Type::Null)));
    computed.expression =
        Expression::Case { branches: vec![(marker.read(), value)], otherwise: None, data_type };
}
