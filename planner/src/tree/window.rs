//! Windows as written.

use crate::tree::{Expression, Name, OrderTerm};

/// What stands behind OVER.
#[derive(Debug, Clone)]
pub enum Over {
    /// `OVER name`, a window of the WINDOW clause.
    Named(Name),
    /// `OVER (..)`.
    Window(WindowSpec),
}

/// `[name] [PARTITION BY ..] [ORDER BY ..] [frame]`.
#[derive(Debug, Clone, Default)]
pub struct WindowSpec {
    /// The window of the WINDOW clause that this one goes on from.
    pub base: Option<Name>,
    /// PARTITION BY.
    pub partition_by: Vec<Expression>,
    /// ORDER BY.
    pub order_by: Vec<OrderTerm>,
    /// The frame.
    pub frame: Option<Frame>,
}

impl WindowSpec {
    /// True for `()`: all rows, in no order.
    pub fn is_empty(&self) -> bool {
        self.base.is_none()
            && self.partition_by.is_empty()
            && self.order_by.is_empty()
            && self.frame.is_none()
    }
}

/// `name AS (..)` of the WINDOW clause.
#[derive(Debug, Clone)]
pub struct NamedWindow {
    /// The name.
    pub name: Name,
    /// The window.
    pub window: WindowSpec,
}

/// A frame.
#[derive(Debug, Clone)]
pub struct Frame {
    /// What its bounds count.
    pub units: FrameUnits,
    /// Where it starts.
    pub start: FrameBound,
    /// Where it ends.
    pub end: FrameBound,
    /// What is left out.
    pub exclude: FrameExclusion,
}

impl Frame {
    /// True for the frame that is meant where none is written.
    pub fn is_default(&self) -> bool {
        self.units == FrameUnits::Range
            && self.exclude == FrameExclusion::NoOthers
            && matches!((&self.start, &self.end), (FrameBound::Preceding(None), FrameBound::CurrentRow))
    }
}

/// ROWS, RANGE or GROUPS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FrameUnits {
    /// Rows.
    Rows,
    /// Values of the order.
    Range,
    /// Groups of peers.
    Groups,
}

/// One end of a frame; without a value it is unbounded.
#[derive(Debug, Clone)]
pub enum FrameBound {
    /// `.. PRECEDING`
    Preceding(Option<Box<Expression>>),
    /// `CURRENT ROW`
    CurrentRow,
    /// `.. FOLLOWING`
    Following(Option<Box<Expression>>),
}

impl FrameBound {
    /// Its value.
    pub fn value(&self) -> Option<&Expression> {
        match self {
            Self::Preceding(value) | Self::Following(value) => value.as_deref(),
            Self::CurrentRow => None,
        }
    }

    /// Its value, for rewriting.
    pub fn value_mut(&mut self) -> Option<&mut Expression> {
        match self {
            Self::Preceding(value) | Self::Following(value) => value.as_deref_mut(),
            Self::CurrentRow => None,
        }
    }
}

/// EXCLUDE of a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FrameExclusion {
    /// `NO OTHERS`, which is also what is meant without EXCLUDE.
    NoOthers,
    /// `CURRENT ROW`
    CurrentRow,
    /// `GROUP`
    Group,
    /// `TIES`
    Ties,
}

macro_rules! operands {
    ($name:ident, $value:ident, $iter:ident, $($mutability:tt)?) => {
        /// The expressions, in order.
        pub fn $name(&$($mutability)? self) -> Vec<&$($mutability)? Expression> {
            let mut operands: Vec<&$($mutability)? Expression> = self.partition_by.$iter().collect();
            operands.extend(self.order_by.$iter().map(|term| &$($mutability)? term.expression));
            if let Some(Frame { start, end, .. }) = &$($mutability)? self.frame {
                operands.extend(start.$value().into_iter().chain(end.$value()));
            }
            operands
        }
    };
}

impl WindowSpec {
    // The macro expands to one function over shared and one over exclusive references, of the same body.
    operands!(children, value, iter,);
    operands!(children_mut, value_mut, iter_mut, mut);
}
