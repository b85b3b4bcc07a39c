//! Windows: computations over the rows of a row's partition, in some order, inside some frame.

use hypostyle_functions::Type;
use hypostyle_functions::window::WindowKind;
use serde::{Deserialize, Serialize};

use super::{AggregateCall, Expression, SortKey};

/// Everything that is computed over one partitioning of the rows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Window {
    /// Rows with equal keys are one partition; nulls are equal. Without keys all rows are.
    pub partition: Vec<Expression>,
    /// The orders that calls stand over. One that another begins with comes before it, so that its sort is used again.
    pub orders: Vec<Vec<SortKey>>,
    /// What is computed, one column each.
    pub calls: Vec<WindowCall>,
    /// The first rows of each partition, in the only order, that are wanted: more may come.
    pub limit: Option<RowLimit>,
}

/// How many rows of a partition are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct RowLimit {
    /// So many.
    pub rows: u64,
    /// And the peers of the last one.
    pub with_ties: bool,
}

/// One column that is computed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WindowCall {
    /// What it gives.
    pub function: WindowFunction,
    /// Position of its order in [`Window::orders`].
    pub order: usize,
    /// Its frame.
    pub frame: WindowFrame,
    /// Type of the result.
    pub data_type: Type,
}

/// A function over a window.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum WindowFunction {
    /// An aggregate over the frame.
    Aggregate(AggregateCall),
    /// A function of positions.
    Positional {
        /// Name, for display.
        name: String,
        /// What it gives.
        kind: WindowKind,
        /// Arguments, already coerced; those with a default are all there.
        arguments: Vec<Expression>,
        /// Whether rows whose first argument is null are left out.
        ignore_nulls: bool,
        /// Order among the arguments: the value is told within the frame, in this order.
        order: Vec<SortKey>,
    },
}

/// The rows that a call sees of a row's partition.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WindowFrame {
    /// What the bounds count.
    pub units: FrameUnits,
    /// Where it starts.
    pub start: FrameBound,
    /// Where it ends.
    pub end: FrameBound,
    /// What is left out of it.
    pub exclude: Exclusion,
    /// With [`FrameUnits::Range`] and bounds that have values: the order's key in the type of those values.
    pub key: Option<Expression>,
}

impl Default for WindowFrame {
    /// From the start of the partition to the last peer of the row.
    fn default() -> Self {
        Self {
            units: FrameUnits::Range,
            start: FrameBound::UnboundedPreceding,
            end: FrameBound::CurrentRow,
            exclude: Exclusion::None,
            key: None,
        }
    }
}

/// What the bounds of a frame count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum FrameUnits {
    /// Rows.
    Rows,
    /// Values of the order's key.
    Range,
    /// Groups of peers.
    Groups,
}

/// One end of a frame.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum FrameBound {
    /// The start of the partition.
    UnboundedPreceding,
    /// So many rows or groups before this one. Of a range it is the value itself that the bound lies at.
    Preceding(Expression),
    /// This row; with peers where peers are counted.
    CurrentRow,
    /// So many rows or groups after this one. Of a range it is the value itself that the bound lies at.
    Following(Expression),
    /// The end of the partition.
    UnboundedFollowing,
}

impl FrameBound {
    /// The expression of a bound that has one.
    pub fn value(&self) -> Option<&Expression> {
        match self {
            Self::Preceding(value) | Self::Following(value) => Some(value),
            _ => None,
        }
    }

    /// As [`FrameBound::value`], for rewriting.
    pub fn value_mut(&mut self) -> Option<&mut Expression> {
        match self {
            Self::Preceding(value) | Self::Following(value) => Some(value),
            _ => None,
        }
    }
}

/// What is left out of a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Exclusion {
    /// Nothing.
    None,
    /// The row itself.
    CurrentRow,
    /// The row and its peers.
    Group,
    /// The peers of the row.
    Ties,
}

impl WindowCall {
    /// The expressions of this call, for rewriting.
    pub fn expressions_mut(&mut self) -> Vec<&mut Expression> {
        let mut all: Vec<&mut Expression> = match &mut self.function {
            WindowFunction::Aggregate(call) => {
                let order = call.order.iter_mut().map(|key| &mut key.expression);
                call.arguments.iter_mut().chain(call.filter.as_mut()).chain(order).collect()
            }
            WindowFunction::Positional { arguments, order, .. } => {
                arguments.iter_mut().chain(order.iter_mut().map(|key| &mut key.expression)).collect()
            }
        };
        let WindowFrame { start, end, key, .. } = &mut self.frame;
        all.extend(start.value_mut().into_iter().chain(end.value_mut()).chain(key));
        all
    }

    /// The expressions of this call.
    pub fn expressions(&self) -> Vec<&Expression> {
        let mut all: Vec<&Expression> = match &self.function {
            WindowFunction::Aggregate(call) => {
                let order = call.order.iter().map(|key| &key.expression);
                call.arguments.iter().chain(&call.filter).chain(order).collect()
            }
            WindowFunction::Positional { arguments, order, .. } => {
                arguments.iter().chain(order.iter().map(|key| &key.expression)).collect()
            }
        };
        let WindowFrame { start, end, key, .. } = &self.frame;
        all.extend(start.value().into_iter().chain(end.value()).chain(key));
        all
    }
}

impl Window {
    /// All expressions.
    pub fn expressions(&self) -> Vec<&Expression> {
        let orders = self.orders.iter().flatten().map(|key| &key.expression);
        self.partition
            .iter()
            .chain(orders)
            .chain(self.calls.iter().flat_map(WindowCall::expressions))
            .collect()
    }

    /// All expressions, for rewriting.
    pub fn expressions_mut(&mut self) -> Vec<&mut Expression> {
        let orders = self.orders.iter_mut().flatten().map(|key| &mut key.expression);
        let calls = self.calls.iter_mut().flat_map(WindowCall::expressions_mut);
        self.partition.iter_mut().chain(orders).chain(calls).collect()
    }

    /// Leaves out the orders that no call stands over.
    pub fn drop_unused_orders(&mut self) {
        let used: Vec<bool> =
            (0..self.orders.len()).map(|order| self.calls.iter().any(|call| call.order == order)).collect();
        for call in &mut self.calls {
            call.order = used[..call.order].iter().filter(|&&used| used).count();
        }
        let mut used = used.into_iter();
        self.orders.retain(|_| used.next().unwrap_or(true));
    }

    /// Checks what the operator relies on.
    pub(super) fn verify(&self) -> Result<(), String> {
        if self.limit.is_some() && self.orders.len() != 1 {
            return Err(format!("a limit over {} orders; expected one", self.orders.len()));
        }
        self.calls.iter().try_for_each(|call| self.verify_call(call))
    }

    fn verify_call(&self, call: &WindowCall) -> Result<(), String> {
        let Some(order) = self.orders.get(call.order) else {
            return Err(format!("a call stands over order {}; there are {}", call.order, self.orders.len()));
        };
        let WindowFrame { units, start, end, key, .. } = &call.frame;
        let values: Vec<&Expression> = start.value().into_iter().chain(end.value()).collect();
        match units {
            FrameUnits::Rows | FrameUnits::Groups => {
                if let Some(other) = values.iter().find(|value| value.data_type() != Type::Int64) {
                    return Err(format!("a bound has type {}; expected BIGINT", other.data_type()));
                }
            }
            FrameUnits::Range if values.is_empty() => {}
            FrameUnits::Range => {
                let Some(key) = key else { return Err("a range without a key".into()) };
                if order.len() != 1 {
                    return Err(format!("a range over {} keys; expected one", order.len()));
                }
                if let Some(other) = values.iter().find(|value| value.data_type() != key.data_type()) {
                    return Err(format!(
                        "a bound has type {}; the key has type {}",
                        other.data_type(),
                        key.data_type()
                    ));
                }
            }
        }
        match (start, end) {
            (FrameBound::UnboundedFollowing, _) | (_, FrameBound::UnboundedPreceding) => {
                Err("a frame starts behind its partition or ends before it".into())
            }
            _ => Self::verify_function(call),
        }
    }

    fn verify_function(call: &WindowCall) -> Result<(), String> {
        let WindowFunction::Positional { name, kind, arguments, order, ignore_nulls } = &call.function else {
            return Ok(());
        };
        let types: Vec<Type> = arguments.iter().map(Expression::data_type).collect();
        let fits = match kind {
            WindowKind::Ntile => types == [Type::Int64],
            WindowKind::Lag | WindowKind::Lead => {
                matches!(types.as_slice(), [value, Type::Int64, default] if value == default)
            }
            WindowKind::FirstValue | WindowKind::LastValue => types.len() == 1,
            WindowKind::NthValue => matches!(types.as_slice(), [_, Type::Int64]),
            _ => types.is_empty(),
        };
        if !fits || kind.result(&types) != call.data_type {
            return Err(format!("{name} does not take these arguments or give {}", call.data_type));
        }
        if (!order.is_empty() && !kind.takes_order()) || (*ignore_nulls && !kind.takes_null_treatment()) {
            return Err(format!("{name} takes no ORDER BY or no IGNORE NULLS"));
        }
        Ok(())
    }
}
