//! The part of a filter that bounds can refute.

use std::cmp::Ordering;

use super::{Bound, ColumnRange};

/// A column, or a field inside of one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ColumnPlace {
    /// Position of the column.
    pub column: usize,
    /// Names of the fields that lead to the place, from the outermost on; none for the column itself.
    pub fields: Vec<String>,
}

impl From<usize> for ColumnPlace {
    fn from(column: usize) -> Self {
        Self { column, fields: Vec::new() }
    }
}

/// A condition on columns of a file, by their position in the file's schema.
///
/// Only what can be refuted by bounds is kept of a filter; the engine evaluates the whole of it on the
/// rows that are left, so an answer of "may match" is never wrong.
#[derive(Debug, Clone, PartialEq)]
pub enum Predicate {
    /// `column <comparison> value`.
    Compare {
        /// The column.
        column: ColumnPlace,
        /// The comparison.
        comparison: Comparison,
        /// The constant, in the order of the column's type.
        value: Bound,
    },
    /// `column IN (values)`, without nulls among the values.
    In {
        /// The column.
        column: ColumnPlace,
        /// The constants.
        values: Vec<Bound>,
    },
    /// `column IS NULL`.
    IsNull(ColumnPlace),
    /// `column IS NOT NULL`.
    IsNotNull(ColumnPlace),
    /// All of them.
    And(Vec<Predicate>),
    /// At least one of them.
    Or(Vec<Predicate>),
}

/// A comparison of a column with a constant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    /// `=`
    Equal,
    /// `<>`
    NotEqual,
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
}

impl Comparison {
    /// The comparison with its sides swapped: `1 < x` is `x > 1`.
    pub fn swapped(self) -> Self {
        match self {
            Self::Less => Self::Greater,
            Self::LessOrEqual => Self::GreaterOrEqual,
            Self::Greater => Self::Less,
            Self::GreaterOrEqual => Self::LessOrEqual,
            same => same,
        }
    }
}

impl Predicate {
    /// False only if no row can fulfil the predicate. `range` tells what is known of a column.
    pub fn may_match(&self, range: &dyn Fn(&ColumnPlace) -> Option<ColumnRange>) -> bool {
        match self {
            Self::Compare { column, comparison, value } => {
                range(column).is_none_or(|known| compare_may_match(&known, *comparison, value))
            }
            Self::In { column, values } => range(column).is_none_or(|known| {
                values.iter().any(|value| compare_may_match(&known, Comparison::Equal, value))
            }),
            Self::IsNull(column) => range(column).is_none_or(|known| known.nulls != Some(0)),
            Self::IsNotNull(column) => range(column).is_none_or(|known| !known.all_null()),
            Self::And(parts) => parts.iter().all(|part| part.may_match(range)),
            Self::Or(parts) => parts.iter().any(|part| part.may_match(range)),
        }
    }

    /// Adds the columns it reads to `columns`.
    pub fn collect_columns(&self, columns: &mut Vec<ColumnPlace>) {
        match self {
            Self::Compare { column, .. }
            | Self::In { column, .. }
            | Self::IsNull(column)
            | Self::IsNotNull(column) => {
                if !columns.contains(column) {
                    columns.push(column.clone());
                }
            }
            Self::And(parts) | Self::Or(parts) => parts.iter().for_each(|part| part.collect_columns(columns)),
        }
    }

    /// The same predicate over other column positions; a part whose column has none is dropped.
    ///
    /// A dropped part of an `AND` only weakens it; one of an `OR` drops the whole `OR`.
    pub fn remapped(&self, position: &dyn Fn(&ColumnPlace) -> Option<ColumnPlace>) -> Option<Self> {
        Some(match self {
            Self::Compare { column, comparison, value } => {
                Self::Compare { column: position(column)?, comparison: *comparison, value: value.clone() }
            }
            Self::In { column, values } => Self::In { column: position(column)?, values: values.clone() },
            Self::IsNull(column) => Self::IsNull(position(column)?),
            Self::IsNotNull(column) => Self::IsNotNull(position(column)?),
            Self::And(parts) => Self::And(parts.iter().filter_map(|part| part.remapped(position)).collect()),
            Self::Or(parts) => {
                Self::Or(parts.iter().map(|part| part.remapped(position)).collect::<Option<_>>()?)
            }
        })
    }
}

/// False only if no value in the range compares so with `value`.
fn compare_may_match(range: &ColumnRange, comparison: Comparison, value: &Bound) -> bool {
    if range.all_null() {
        return false;
    }
    // NaN is equal to itself and greater than all other floats, and bounds do not say where it is.
    if matches!(value, Bound::Float(value) if value.is_nan()) {
        return true;
    }
    let lower = range.lower.as_ref().and_then(|lower| lower.compare(value));
    let upper = range.upper.as_ref().and_then(|upper| upper.compare(value));
    let upper_holds = !range.nan_possible;
    match comparison {
        Comparison::Equal => lower != Some(Ordering::Greater) && upper != Some(Ordering::Less),
        Comparison::NotEqual => {
            let constant = lower == Some(Ordering::Equal) && upper == Some(Ordering::Equal);
            !(constant && range.exact && upper_holds)
        }
        Comparison::Less => !matches!(lower, Some(Ordering::Greater | Ordering::Equal)),
        Comparison::LessOrEqual => lower != Some(Ordering::Greater),
        Comparison::Greater => !(upper_holds && matches!(upper, Some(Ordering::Less | Ordering::Equal))),
        Comparison::GreaterOrEqual => !(upper_holds && upper == Some(Ordering::Less)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(lower: f64, upper: f64, nan_possible: bool) -> ColumnRange {
        ColumnRange {
            lower: Some(Bound::Float(lower)),
            upper: Some(Bound::Float(upper)),
            exact: true,
            nan_possible,
            nulls: Some(0),
            rows: 10,
        }
    }

    fn may(comparison: Comparison, value: f64, range: &ColumnRange) -> bool {
        let predicate = Predicate::Compare { column: 0.into(), comparison, value: Bound::Float(value) };
        predicate.may_match(&|_| Some(range.clone()))
    }

    #[test]
    fn upper_bound_of_floats_does_not_refute_where_nan_is_possible() {
        assert!(!may(Comparison::Greater, 5.0, &known(1.0, 5.0, false)));
        assert!(may(Comparison::Greater, 5.0, &known(1.0, 5.0, true)));
        assert!(!may(Comparison::Less, 1.0, &known(1.0, 5.0, true)));
        assert!(!may(Comparison::Equal, 6.0, &known(1.0, 5.0, true)));
        assert!(may(Comparison::Equal, f64::NAN, &known(1.0, 5.0, true)));
    }

    #[test]
    fn negative_zero_and_zero_are_one_value() {
        assert!(may(Comparison::Equal, -0.0, &known(0.0, 0.0, false)));
        assert!(may(Comparison::LessOrEqual, -0.0, &known(0.0, 5.0, false)));
    }

    #[test]
    fn all_null_refutes_comparisons_and_not_is_null() {
        let range = ColumnRange { nulls: Some(10), rows: 10, ..ColumnRange::default() };
        assert!(!may(Comparison::NotEqual, 1.0, &range));
        assert!(Predicate::IsNull(0.into()).may_match(&|_| Some(range.clone())));
        assert!(!Predicate::IsNotNull(0.into()).may_match(&|_| Some(range.clone())));
    }

    #[test]
    fn unknown_columns_match() {
        assert!(Predicate::IsNull(0.into()).may_match(&|_| None));
    }

    #[test]
    fn inexact_bounds_do_not_refute_inequality() {
        let mut range = known(1.0, 1.0, false);
        assert!(!may(Comparison::NotEqual, 1.0, &range));
        range.exact = false;
        assert!(may(Comparison::NotEqual, 1.0, &range));
    }
}
