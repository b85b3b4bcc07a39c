//! Which rows around a row a call over a window looks at.

use hypostyle_functions::value::Value;
use hypostyle_functions::window::WindowKind;

use super::{Expression, FrameBound, FrameUnits, Window, WindowCall, WindowFunction};

/// How far back a call looks from a row.
#[derive(Debug, Clone, PartialEq)]
pub enum Reach {
    /// So many rows before it.
    Rows(u64),
    /// So many groups of peers before its own.
    Groups(u64),
    /// Rows whose key of the order is at this value or nearer.
    Value(Expression),
    /// All rows before it.
    All,
}

impl Window {
    /// What a call sees of rows after the current one, which are not there yet when a row is served.
    pub fn looks_ahead(&self, call: &WindowCall) -> Option<&'static str> {
        const AHEAD: &str = "looks at rows after the current one";
        if let WindowFunction::Positional { kind, arguments, order, .. } = &call.function
            && order.is_empty()
            && !kind.reads_frame()
        {
            return match (kind, arguments.get(1)) {
                (WindowKind::RowNumber | WindowKind::Rank | WindowKind::DenseRank, _) => None,
                (WindowKind::Lag, Some(Expression::Literal(offset))) => {
                    offset.value.as_i64().filter(|offset| *offset < 0).map(|_| AHEAD)
                }
                (WindowKind::Lag, _) => Some(
                    "looks back by an offset that is no constant, and so may look at rows after the current one",
                ),
                _ => Some(AHEAD),
            };
        }
        let is_ordered = self.orders.get(call.order).is_some_and(|order| !order.is_empty());
        match (&call.frame.end, call.frame.units) {
            (FrameBound::Following(_) | FrameBound::UnboundedFollowing, _) => {
                Some("has a frame that ends after the current row")
            }
            (FrameBound::CurrentRow, FrameUnits::Range | FrameUnits::Groups) if !is_ordered => {
                Some("sees all rows of its partition, since it has no ORDER BY")
            }
            _ => None,
        }
    }
}

impl WindowCall {
    /// How far back the call looks, where it looks at no row after its own.
    pub fn reach(&self) -> Reach {
        if let WindowFunction::Positional { kind, arguments, order, ignore_nulls, .. } = &self.function
            && order.is_empty()
            && !kind.reads_frame()
        {
            return match (kind, arguments.get(1), ignore_nulls) {
                (WindowKind::Lag, Some(offset), false) => whole(offset).map_or(Reach::All, Reach::Rows),
                _ => Reach::All,
            };
        }
        match (&self.frame.start, self.frame.units) {
            (FrameBound::Preceding(rows), FrameUnits::Rows) => whole(rows).map_or(Reach::All, Reach::Rows),
            (FrameBound::Preceding(groups), FrameUnits::Groups) => {
                whole(groups).map_or(Reach::All, Reach::Groups)
            }
            (FrameBound::Preceding(value), FrameUnits::Range) => Reach::Value(value.clone()),
            (FrameBound::CurrentRow, FrameUnits::Rows) => Reach::Rows(0),
            (FrameBound::CurrentRow, _) => Reach::Groups(0),
            _ => Reach::All,
        }
    }
}

/// A constant number of rows; a null one is none.
fn whole(value: &Expression) -> Option<u64> {
    match value {
        Expression::Literal(literal) if literal.value == Value::Null => Some(0),
        Expression::Literal(literal) => literal.value.as_i64().and_then(|rows| u64::try_from(rows).ok()),
        _ => None,
    }
}
