//! Subqueries: joins to the rows that the expression is computed over.

use hypostyle_engine::plan::{Expression as Bound, JoinKind};
use hypostyle_functions::Type;
use hypostyle_planner::logical::{Column, Relation, one_row};

use crate::error::{Error, Result};
use crate::message::expression::{
    InPredicate, ScalarQuery, SetComparison, SetPredicate, Subquery, SubqueryKind,
};
use crate::message::relation::Rel;

use super::expression::Scope;
use super::{Reader, Rows};

/// `PREDICATE_OP_EXISTS`.
const EXISTS: i32 = 1;
/// `REDUCTION_OP_ANY` and `REDUCTION_OP_ALL`.
const ANY: i32 = 1;
const ALL: i32 = 2;

/// Comparisons by their number, each with its opposite.
const COMPARISONS: [(&str, &str); 6] =
    [("=", "<>"), ("<>", "="), ("<", ">="), (">", "<="), ("<=", ">"), (">=", "<")];

impl Reader<'_> {
    pub(super) fn subquery(&mut self, subquery: &Subquery, scope: &mut Scope<'_>) -> Result<Bound> {
        match subquery.kind.as_ref().ok_or_else(|| Error::missing("kind of a subquery"))? {
            SubqueryKind::Scalar(query) => self.scalar_query(query, scope),
            SubqueryKind::InPredicate(predicate) => self.in_predicate(predicate, scope),
            SubqueryKind::SetPredicate(predicate) => self.set_predicate(predicate, scope),
            SubqueryKind::SetComparison(comparison) => self.set_comparison(comparison, scope),
        }
    }

    /// The rows of a subquery, which may read the columns around it.
    fn inner(&mut self, query: Option<&Rel>, scope: &Scope<'_>) -> Result<Rows> {
        let query = query.ok_or_else(|| Error::missing("query of a subquery"))?;
        self.outer.push(scope.columns.clone());
        let rows = self.rel(query);
        self.outer.pop();
        rows
    }

    /// Joins a subquery to the rows of the scope.
    fn attach(
        &mut self,
        scope: &mut Scope<'_>,
        right: Relation,
        condition: Option<Bound>,
        mark: Option<Column>,
    ) -> Result<()> {
        let Some(input) = scope.input.as_deref_mut() else {
            return Err(Error::unsupported("a subquery in this place"));
        };
        let kind = if mark.is_some() { JoinKind::LeftMark } else { JoinKind::Inner };
        let left = std::mem::replace(input, one_row());
        *input = self.builder.join(left, right, kind, condition, mark)?;
        Ok(())
    }

    fn marked(&mut self, scope: &mut Scope<'_>, right: Relation, condition: Option<Bound>) -> Result<Bound> {
        let mark = self.builder.column("mark", Type::Boolean);
        let read = mark.read();
        self.attach(scope, right, condition, Some(mark))?;
        Ok(read)
    }

    fn scalar_query(&mut self, query: &ScalarQuery, scope: &mut Scope<'_>) -> Result<Bound> {
        let rows = self.inner(query.input.as_deref(), scope)?;
        let [column] = rows.columns.as_slice() else {
            let width = rows.columns.len();
            return Err(Error::invalid(format!("a scalar subquery has {width} columns; expected 1")));
        };
        let read = column.read();
        let relation = self.exact(rows);
        self.attach(scope, Relation::SingleRow { input: Box::new(relation) }, None, None)?;
        Ok(read)
    }

    fn in_predicate(&mut self, predicate: &InPredicate, scope: &mut Scope<'_>) -> Result<Bound> {
        let rows = self.inner(predicate.haystack.as_deref(), scope)?;
        if rows.columns.len() != predicate.needles.len() || predicate.needles.is_empty() {
            let (needles, width) = (predicate.needles.len(), rows.columns.len());
            return Err(Error::invalid(format!(
                "{needles} values are looked for among rows of {width} columns"
            )));
        }
        let mut terms = Vec::with_capacity(predicate.needles.len());
        for (needle, column) in predicate.needles.iter().zip(&rows.columns) {
            let needle = self.expression(needle, scope)?;
            terms.push(self.builder.call("=", vec![needle, column.read()])?);
        }
        let relation = self.exact(rows);
        let condition = if terms.len() == 1 { terms.pop() } else { Some(Bound::And(terms)) };
        self.marked(scope, relation, condition)
    }

    fn set_predicate(&mut self, predicate: &SetPredicate, scope: &mut Scope<'_>) -> Result<Bound> {
        if predicate.operation != EXISTS {
            return Err(Error::unsupported("UNIQUE of a subquery"));
        }
        let rows = self.inner(predicate.tuples.as_deref(), scope)?;
        self.marked(scope, rows.relation, None)
    }

    /// `x > ALL (..)` is that no row makes `x <= ..` true, with null where one leaves it open.
    fn set_comparison(&mut self, comparison: &SetComparison, scope: &mut Scope<'_>) -> Result<Bound> {
        let number = usize::try_from(comparison.comparison).ok().and_then(|number| number.checked_sub(1));
        let (function, opposite) = *number.and_then(|number| COMPARISONS.get(number)).ok_or_else(|| {
            Error::invalid(format!("comparison {} is none; expected 1 to 6", comparison.comparison))
        })?;
        let left = comparison.left.as_deref().ok_or_else(|| Error::missing("left side of a comparison"))?;
        let left = self.expression(left, scope)?;
        let rows = self.inner(comparison.right.as_deref(), scope)?;
        let [column] = rows.columns.as_slice() else {
            let width = rows.columns.len();
            return Err(Error::invalid(format!("a comparison with rows of {width} columns; expected 1")));
        };
        let right = column.read();
        let relation = self.exact(rows);
        match comparison.reduction {
            ANY => {
                let condition = self.builder.call(function, vec![left, right])?;
                self.marked(scope, relation, Some(condition))
            }
            ALL => {
                let condition = self.builder.call(opposite, vec![left, right])?;
                let mark = self.marked(scope, relation, Some(condition))?;
                Ok(self.builder.call("not", vec![mark])?)
            }
            other => Err(Error::invalid(format!("reduction {other} is none; expected 1 or 2"))),
        }
    }
}
