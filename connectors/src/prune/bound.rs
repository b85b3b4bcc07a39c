//! Values as far as pruning orders them.

use std::cmp::Ordering;

/// A value in the order of its column's logical type.
///
/// Booleans, dates, times, timestamps (in the unit of the column's type) and decimals (unscaled, at the
/// scale of the column's type) are integers here; text and binary compare byte by byte.
#[derive(Debug, Clone, PartialEq)]
pub enum Bound {
    /// Everything that is a whole number of something.
    Integer(i128),
    /// Half, single and double.
    Float(f64),
    /// Text and binary.
    Bytes(Vec<u8>),
}

impl Bound {
    /// The order of two values of one column; `None` where there is none: NaN, or different kinds.
    pub fn compare(&self, other: &Self) -> Option<Ordering> {
        match (self, other) {
            (Self::Integer(left), Self::Integer(right)) => Some(left.cmp(right)),
            (Self::Float(left), Self::Float(right)) => left.partial_cmp(right),
            (Self::Bytes(left), Self::Bytes(right)) => Some(left.cmp(right)),
            _ => None,
        }
    }
}

/// What is known of one column over a range of rows.
#[derive(Debug, Clone, Default)]
pub struct ColumnRange {
    /// No value that is not null is below this.
    pub lower: Option<Bound>,
    /// No value that is not null is above this; NaN is not counted, see `nan_possible`.
    pub upper: Option<Bound>,
    /// True if `lower` and `upper` are values of the column and not only bounds of them.
    pub exact: bool,
    /// True if a float may be NaN, which is greater than every `upper`.
    pub nan_possible: bool,
    /// Number of nulls.
    pub nulls: Option<u64>,
    /// Number of rows.
    pub rows: u64,
}

impl ColumnRange {
    /// A column that has one value in every row, as a partition column has; `None` is null.
    pub fn constant(value: Option<Bound>, rows: u64) -> Self {
        let nulls = if value.is_none() { rows } else { 0 };
        let nan_possible = matches!(value, Some(Bound::Float(value)) if value.is_nan());
        Self { lower: value.clone(), upper: value, exact: true, nan_possible, nulls: Some(nulls), rows }
    }

    /// True if every row is null.
    pub fn all_null(&self) -> bool {
        self.nulls == Some(self.rows)
    }
}
