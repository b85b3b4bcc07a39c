//! FULL JOIN whose condition holds a subquery over both sides: the left join, and the right rows without a match.

use std::collections::HashMap;

use hypostyle_engine::plan::{Expression, JoinKind};
use hypostyle_functions::Literal;

use crate::bind::Binder;
use crate::bind::frame::Pending;
use crate::error::Result;
use crate::logical::{Column, Computed, Join, Relation};
use crate::span::Span;

impl Binder<'_> {
    /// Each part filters the one side for each row of the other, as a lateral table is, and has its own copy of both.
    pub(super) fn full_join_by_subquery(
        &mut self,
        left: Relation,
        right: Relation,
        condition: Expression,
        pending: Vec<Pending>,
        span: Span,
    ) -> Result<Relation> {
        let (left_columns, right_columns) = (left.columns(), right.columns());
        let partners = self.attach_and_filter(right.clone(), Some(condition.clone()), pending.clone())?;
        let pairs = self.dependent_join(plain(left.clone(), partners, JoinKind::Left), span)?;
        let partners = self.attach_and_filter(left, Some(condition), pending)?;
        let lonely = self.dependent_join(plain(right, partners, JoinKind::LeftAnti), span)?;
        let (pairs, numbers) = self.numbering.copy(&pairs);
        let all = left_columns.iter().chain(&right_columns);
        let pairs = projected(pairs, all.clone().map(|column| copied(column, &numbers)).collect());
        let (lonely, numbers) = self.numbering.copy(&lonely);
        let nulls = left_columns.iter().map(|column| Computed {
            column: self.numbering.column(column.name.clone(), column.data_type.clone()),
            expression: Expression::Literal(Literal::null(column.data_type.clone())),
        });
        let mut computed: Vec<Computed> = nulls.collect();
        computed.extend(right_columns.iter().map(|column| copied(column, &numbers)));
        let inputs = vec![pairs, projected(lonely, computed)];
        Ok(Relation::Union { inputs, columns: all.cloned().collect() })
    }
}

fn plain(left: Relation, right: Relation, kind: JoinKind) -> Join {
    let (left, right) = (Box::new(left), Box::new(right));
    Join { left, right, kind, keys: Vec::new(), residual: Vec::new(), mark: None }
}

fn projected(input: Relation, columns: Vec<Computed>) -> Relation {
    Relation::Project { input: Box::new(input), columns }
}

/// A column under the number that a copy has it.
fn copied(column: &Column, numbers: &HashMap<usize, usize>) -> Computed {
    let id = numbers.get(&column.id).copied().unwrap_or(column.id);
    Computed::passed(Column { id, ..column.clone() })
}
