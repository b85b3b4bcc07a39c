//! Joins.

use hypostyle_engine::plan::{Expression as Bound, JoinKey, JoinKind};
use hypostyle_functions::Type;
use hypostyle_planner::logical::Join;

use crate::error::{Error, Result};
use crate::message::relation::{Join as Message, RelKind};

use super::expression::Scope;
use super::relation::truth;
use super::{Writer, Written};

/// `JOIN_TYPE_LEFT_SINGLE`.
pub(super) const LEFT_SINGLE: i32 = 7;
/// `JOIN_TYPE_LEFT_MARK`.
const LEFT_MARK: i32 = 11;

/// A kind as the format numbers it.
fn kind_number(kind: JoinKind) -> i32 {
    match kind {
        JoinKind::Inner => 1,
        JoinKind::Full => 2,
        JoinKind::Left => 3,
        JoinKind::Right => 4,
        JoinKind::LeftSemi => 5,
        JoinKind::LeftAnti => 6,
        JoinKind::LeftSingle => LEFT_SINGLE,
        JoinKind::RightSemi => 8,
        JoinKind::RightAnti => 9,
        // A null-aware join keeps the rows whose mark is false.
        JoinKind::LeftMark | JoinKind::LeftAntiNullAware => LEFT_MARK,
    }
}

impl<'a> Writer<'a> {
    pub(super) fn join(&mut self, join: &'a Join) -> Result<Written> {
        let (left, right) = (self.relation(&join.left)?, self.relation(&join.right)?);
        let mut terms: Vec<Bound> = join.keys.iter().map(equality).collect();
        terms.extend(join.residual.iter().cloned());
        if terms.is_empty() && join.kind == JoinKind::Inner {
            return Ok(self.cross(left, right));
        }
        let mut both = left.columns.clone();
        both.extend(&right.columns);
        let scope = Scope::new(super::positions(&both));
        let condition = self.conjunction(&terms, &scope)?.unwrap_or_else(truth);
        let columns = match join.kind {
            JoinKind::LeftSemi | JoinKind::LeftAnti => left.columns,
            JoinKind::RightSemi | JoinKind::RightAnti => right.columns,
            JoinKind::LeftMark | JoinKind::LeftAntiNullAware => {
                let mut columns = left.columns;
                // The mark of a null-aware join has no number: nobody but its filter reads it.
                columns.push(join.mark.as_ref().map_or(usize::MAX, |mark| mark.id));
                columns
            }
            _ => both,
        };
        let message = Message {
            common: None,
            left: Some(Box::new(left.rel)),
            right: Some(Box::new(right.rel)),
            expression: Some(Box::new(condition)),
            post_join_filter: None,
            kind: kind_number(join.kind),
        };
        let written = Written::new(RelKind::Join(Box::new(message)), columns);
        match join.kind {
            JoinKind::LeftAntiNullAware => self.without_match(written),
            _ => Ok(written),
        }
    }

    /// The rows whose mark, the last column, is false, without the mark.
    fn without_match(&mut self, mut marked: Written) -> Result<Written> {
        let mark = marked.columns.pop().ok_or_else(|| Error::missing("mark of a join"))?;
        let kept = marked.columns.clone();
        marked.columns.push(mark);
        let read = Bound::column(mark, Type::Boolean);
        let kept_rows = self.filter(marked, &[Bound::call("not", vec![read], Type::Boolean)])?;
        kept_rows.with_columns(&kept)
    }
}

/// A pair of keys as a condition.
fn equality(key: &JoinKey) -> Bound {
    let function = if key.nulls_match { "is_not_distinct_from" } else { "=" };
    Bound::call(function, vec![key.left.clone(), key.right.clone()], Type::Boolean)
}
