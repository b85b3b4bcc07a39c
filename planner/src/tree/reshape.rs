//! Tables made of other tables: PIVOT, UNPIVOT and samples.

use crate::span::Span;
use crate::tree::{Expression, Name, SelectItem, Table};

/// Values of columns become columns.
#[derive(Debug, Clone)]
pub struct Pivot {
    /// The table.
    pub table: Table,
    /// ON: whose values become columns. Of several the combinations do.
    pub columns: Vec<PivotColumn>,
    /// USING: what the new columns hold; a count of rows if empty.
    pub aggregates: Vec<SelectItem>,
    /// GROUP BY; all columns that are not used otherwise if `None`.
    pub group_by: Option<Vec<Name>>,
}

/// One part of ON: `year`, `year IN (2000, 2010)`, `(a, b) IN ((1, 2), (3, 4))`.
#[derive(Debug, Clone)]
pub struct PivotColumn {
    /// What is looked at.
    pub keys: Vec<Expression>,
    /// The values that become columns; those in the data if `None`.
    pub values: Option<Vec<PivotValue>>,
}

/// One value of a pivot's IN list.
#[derive(Debug, Clone)]
pub struct PivotValue {
    /// A constant for each key.
    pub values: Vec<Expression>,
    /// Its name.
    pub alias: Option<Name>,
}

/// Columns become rows.
#[derive(Debug, Clone)]
pub struct Unpivot {
    /// The table.
    pub table: Table,
    /// Whether rows with nulls are kept.
    pub include_nulls: bool,
    /// The column of names.
    pub name: Name,
    /// The columns of values.
    pub values: Vec<Name>,
    /// The columns, or lists of as many columns as there are columns of values.
    pub entries: Vec<SelectItem>,
}

/// A part of the rows, chosen at random.
#[derive(Debug, Clone)]
pub struct Sample {
    /// How; `None` is SYSTEM for a percentage and RESERVOIR for a number of rows.
    pub method: Option<SampleMethod>,
    /// How much.
    pub size: SampleSize,
    /// REPEATABLE.
    pub seed: Option<u64>,
    /// Where it is.
    pub span: Span,
}

/// Ways to sample.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SampleMethod {
    /// Each row for itself.
    Bernoulli,
    /// Rows that stand together.
    System,
    /// An exact number of rows.
    Reservoir,
}

/// The size of a sample.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum SampleSize {
    /// From 0 to 100.
    Percent(f64),
    /// A number of rows.
    Rows(u64),
}
