//! Joins subqueries to the rows that need their values.

use hypostyle_engine::plan::{Expression, JoinKind};

use crate::bind::frame::{Meeting, Pending};
use crate::bind::{Binder, operator};
use crate::error::Result;
use crate::logical::{Join, Relation, conjuncts};
use crate::rewrite::decorrelate::Decorrelator;
use crate::span::Span;

impl Binder<'_> {
    /// Joins subqueries to a relation whose rows need their values.
    pub(super) fn attach(&mut self, relation: Relation, pending: Vec<Pending>) -> Result<Relation> {
        pending.into_iter().try_fold(relation, |left, pending| self.attach_one(left, pending, Use::Value))
    }

    /// Joins subqueries and keeps the rows for which the condition is true. What needs no subquery is asked first; a
    /// subquery that is a condition itself only keeps or drops rows.
    pub(super) fn attach_and_filter(
        &mut self,
        relation: Relation,
        condition: Option<Expression>,
        pending: Vec<Pending>,
    ) -> Result<Relation> {
        let mut terms = Vec::new();
        if let Some(condition) = condition {
            conjuncts(condition, &mut terms);
        }
        let given: Vec<usize> = pending.iter().flat_map(Pending::columns).collect();
        let (mut later, first): (Vec<_>, Vec<_>) =
            terms.into_iter().partition(|term| term.columns().iter().any(|id| given.contains(id)));
        let mut relation = filtered(relation, first);
        let read_by_others: Vec<usize> = pending.iter().flat_map(Pending::outer_columns).collect();
        for pending in pending {
            let used = match &pending.meeting {
                Meeting::Mark { mark, .. } if !read_by_others.contains(&mark.id) => {
                    take_use(&mut later, mark.id)
                }
                _ => Use::Value,
            };
            relation = self.attach_one(relation, pending, used)?;
        }
        Ok(filtered(relation, later))
    }

    fn attach_one(&mut self, left: Relation, pending: Pending, used: Use) -> Result<Relation> {
        let depends = pending.is_correlated && reads_columns_of(&pending.relation, &left);
        let (left, right) = (Box::new(left), Box::new(pending.relation));
        let join = match pending.meeting {
            Meeting::Scalar => {
                let (keys, residual) = (Vec::new(), Vec::new());
                Join { left, right, kind: JoinKind::Inner, keys, residual, mark: None }
            }
            Meeting::Mark { keys, residual, mark, can_be_unknown } => {
                let (kind, mark) = match used {
                    Use::Value => (JoinKind::LeftMark, Some(mark)),
                    Use::Keeps => (JoinKind::LeftSemi, None),
                    Use::Drops if can_be_unknown => (JoinKind::LeftAntiNullAware, None),
                    Use::Drops => (JoinKind::LeftAnti, None),
                };
                Join { left, right, kind, keys, residual, mark }
            }
        };
        match depends {
            true => self.dependent_join(join, pending.span),
            false => Ok(Relation::Join(join)),
        }
    }

    /// The ordinary relation for a join whose right side reads columns of the left one.
    pub(super) fn dependent_join(&mut self, join: Join, span: Span) -> Result<Relation> {
        let mut decorrelator = Decorrelator::new(&mut self.numbering, self.context);
        decorrelator.dependent_join(join).map_err(|error| error.at(span))
    }
}

/// What is made of a mark.
#[derive(Clone, Copy)]
enum Use {
    /// It is a value among others.
    Value,
    /// Rows with a match are kept, and it is not looked at otherwise.
    Keeps,
    /// Rows with a match are dropped.
    Drops,
}

/// Takes out the condition that is nothing but this mark or its negation, if no other reads it.
fn take_use(terms: &mut Vec<Expression>, mark: usize) -> Use {
    let mut readers = terms.iter().enumerate().filter(|(_, term)| term.columns().contains(&mark));
    let (Some((position, term)), None) = (readers.next(), readers.next()) else { return Use::Value };
    let is_mark =
        |expression: &Expression| matches!(expression, Expression::Column { index, .. } if *index == mark);
    let used = match term {
        term if is_mark(term) => Use::Keeps,
        Expression::Call { function, arguments, .. }
            if function == operator::NOT && arguments.iter().all(is_mark) =>
        {
            Use::Drops
        }
        _ => return Use::Value,
    };
    terms.remove(position);
    used
}

/// True if the right relation reads a column that the left one gives.
pub(super) fn reads_columns_of(right: &Relation, left: &Relation) -> bool {
    let given: Vec<usize> = left.columns().iter().map(|column| column.id).collect();
    right.outer_columns().keys().any(|id| given.contains(id))
}

pub(super) fn filtered(relation: Relation, predicates: Vec<Expression>) -> Relation {
    match predicates.is_empty() {
        true => relation,
        false => Relation::Filter { input: Box::new(relation), predicates },
    }
}
