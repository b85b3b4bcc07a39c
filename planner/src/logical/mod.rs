//! The logical plan: relations over named columns, before physical choices.
//!
//! Columns have numbers that are unique in the whole plan, not positions: a filter or a join can move past a projection
//! without renumbering. Expressions are the engine's own, with [`Expression::Column`]'s index holding that number.
//! A number stands for the same values wherever it is seen, and no relation has it twice.

mod asof;
mod columns;
mod display;
mod numbering;

use std::fmt;
use std::sync::Arc;

use hypostyle_engine::plan::{
    AggregateCall, Expression, JoinKey, JoinKind, SampleMethod, SampleSize, SortKey, TableReference, Window,
    WriteTarget,
};
use hypostyle_engine::table::{Statistics, TableProvider};
use hypostyle_functions::Type;

pub use asof::AsOf;
pub use numbering::Numbering;

/// A column of a relation.
#[derive(Debug, Clone, PartialEq)]
pub struct Column {
    /// Number, unique in the plan.
    pub id: usize,
    /// Name, as the user wrote it.
    pub name: String,
    /// Type.
    pub data_type: Type,
}

impl Column {
    /// An expression that reads the column.
    pub fn read(&self) -> Expression {
        Expression::column(self.id, self.data_type.clone())
    }
}

/// A column and the expression that gives it.
#[derive(Debug, Clone)]
pub struct Computed {
    /// The column.
    pub column: Column,
    /// Its value.
    pub expression: Expression,
}

impl Computed {
    /// True if the column is one of the input, passed on.
    pub fn is_passed(&self) -> bool {
        matches!(&self.expression, Expression::Column { index, .. } if *index == self.column.id)
    }

    /// The column of the input, passed on.
    pub fn passed(column: Column) -> Self {
        let expression = column.read();
        Self { column, expression }
    }
}

/// A table that is read.
#[derive(Clone)]
pub struct Scan {
    /// The table, as the plan refers to it.
    pub table: TableReference,
    /// The table, as it is bound.
    pub provider: Arc<dyn TableProvider>,
    /// What the table tells of itself.
    pub statistics: Arc<Statistics>,
    /// Columns read, each with its position in the table.
    pub columns: Vec<(Column, usize)>,
    /// Conjuncts handed to the scan. They may read columns that are not read otherwise, in [`Scan::filter_columns`].
    pub filters: Vec<Expression>,
    /// Columns that only filters read, each with its position.
    pub filter_columns: Vec<(Column, usize)>,
    /// Rows after which nothing more is wanted.
    pub limit: Option<u64>,
}

impl fmt::Debug for Scan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scan").field("table", &self.table).finish_non_exhaustive()
    }
}

/// Several ways to group the same rows.
#[derive(Debug, Clone, PartialEq)]
pub struct GroupingSets {
    /// Positions of keys, one list for each set.
    pub sets: Vec<Vec<usize>>,
    /// The column that tells the set of a group: one bit for each key, the last key lowest, set where the set does
    /// not hold the key.
    pub id: Column,
}

/// Two relations joined.
#[derive(Debug, Clone)]
pub struct Join {
    /// Left side; its order is the order of the output.
    pub left: Box<Relation>,
    /// Right side.
    pub right: Box<Relation>,
    /// Which rows come out.
    pub kind: JoinKind,
    /// Pairs of keys.
    pub keys: Vec<JoinKey>,
    /// Further conjuncts over the columns of both sides.
    pub residual: Vec<Expression>,
    /// The column that a mark join adds.
    pub mark: Option<Column>,
}

/// Reads rows that several readers share.
#[derive(Debug, Clone)]
pub struct SharedRows {
    /// Number of the shared relation.
    pub table: u32,
    /// Columns read, each with its position among those of the shared relation.
    pub columns: Vec<(Column, usize)>,
    /// How many rows there may be.
    pub rows: f64,
}

/// A node of the logical plan.
#[derive(Debug, Clone)]
pub enum Relation {
    /// Reads a table.
    Scan(Scan),
    /// Rows of expressions without columns.
    Values {
        /// Columns.
        columns: Vec<Column>,
        /// One expression per column and row.
        rows: Vec<Vec<Expression>>,
    },
    /// Keeps rows for which all predicates are true.
    Filter {
        /// Input.
        input: Box<Relation>,
        /// Conjuncts.
        predicates: Vec<Expression>,
    },
    /// Computes columns; only these come out.
    Project {
        /// Input.
        input: Box<Relation>,
        /// Columns.
        columns: Vec<Computed>,
    },
    /// Skips rows, then keeps some.
    Limit {
        /// Input.
        input: Box<Relation>,
        /// Rows skipped.
        offset: u64,
        /// Rows kept; all if `None`.
        count: Option<u64>,
    },
    /// Orders rows.
    Sort {
        /// Input.
        input: Box<Relation>,
        /// Keys, most significant first.
        keys: Vec<SortKey>,
        /// Only this many first rows are wanted.
        limit: Option<u64>,
    },
    /// Groups rows; the keys come out, then the aggregates, then the number of the grouping set.
    Aggregate {
        /// Input.
        input: Box<Relation>,
        /// Keys; with grouping sets their columns are not those of the input, since a set may leave them null.
        keys: Vec<Computed>,
        /// Grouping sets, if there is more than the one set of all keys.
        sets: Option<GroupingSets>,
        /// Aggregates.
        aggregates: Vec<(Column, AggregateCall)>,
    },
    /// Joins two relations.
    Join(Join),
    /// Joins each left row with the nearest right row.
    AsOf(Box<AsOf>),
    /// Rows of all inputs, columns paired by position.
    Union {
        /// Inputs, with as many columns as the output, of the same types.
        inputs: Vec<Relation>,
        /// Columns of the output.
        columns: Vec<Column>,
    },
    /// One row for each element of lists.
    Unnest {
        /// Input, whose columns come out first.
        input: Box<Relation>,
        /// Columns of elements, with the lists they come from.
        lists: Vec<Computed>,
        /// Whether a row without elements still gives one row.
        outer: bool,
    },
    /// Adds columns computed over other rows.
    Window {
        /// Input, whose columns come out first.
        input: Box<Relation>,
        /// What is computed.
        window: Window,
        /// The column of each call.
        columns: Vec<Column>,
    },
    /// Each row as often as a number says; none where it is null or not above zero.
    Repeat {
        /// Input, whose columns come out.
        input: Box<Relation>,
        /// The number, a BIGINT.
        count: Expression,
    },
    /// A part of the rows, chosen at random.
    Sample {
        /// Input.
        input: Box<Relation>,
        /// How rows are chosen.
        method: SampleMethod,
        /// How many.
        size: SampleSize,
        /// What makes the choice repeatable.
        seed: Option<u64>,
    },
    /// Skips rows, then keeps some, as many as another relation says.
    ComputedLimit {
        /// Input, whose columns come out.
        input: Box<Relation>,
        /// One row: the rows kept, as a BIGINT or, as a percentage, a DOUBLE; and the rows skipped, as a BIGINT.
        amounts: Box<Relation>,
    },
    /// Rows of two relations at the same position.
    Positional {
        /// Left side.
        left: Box<Relation>,
        /// Right side.
        right: Box<Relation>,
    },
    /// The rows of a relation, and those of another over them, again and again.
    Recursive {
        /// The first rows.
        initial: Box<Relation>,
        /// The next rows; columns are paired by position.
        step: Box<Relation>,
        /// Number of the work table that the step reads.
        table: u32,
        /// Whether a row that was given before is dropped.
        distinct: bool,
        /// Columns by position, of which each combination of values has one row, the last given; none for all rows.
        keys: Vec<usize>,
        /// Columns of the output.
        columns: Vec<Column>,
    },
    /// The rows of the round before, inside the step of a recursion.
    WorkTable {
        /// Number of the work table.
        table: u32,
        /// All rows that the recursion holds before the round instead.
        all: bool,
        /// Its columns.
        columns: Vec<Column>,
    },
    /// Exactly one row: nulls if the input is empty, an error if it has several.
    SingleRow {
        /// Input.
        input: Box<Relation>,
    },
    /// Gathers the rows of a relation once, for all readers in the input; the rows that come out are the input's.
    Shared {
        /// Number under which they are read.
        table: u32,
        /// The relation whose rows are shared.
        definition: Box<Relation>,
        /// The relation that reads them.
        input: Box<Relation>,
    },
    /// Reads shared rows.
    SharedRows(SharedRows),
    /// Writes the input; comes out as one row that counts the rows written.
    Write {
        /// Input.
        input: Box<Relation>,
        /// Columns as they are written: rewrites may lose the names of an input.
        columns: Vec<Column>,
        /// Where to.
        target: WriteTarget,
        /// The count.
        count: Column,
    },
}

/// A relation of one row without columns: what SELECT without FROM reads.
pub fn one_row() -> Relation {
    Relation::Values { columns: Vec::new(), rows: vec![Vec::new()] }
}

/// Splits a condition into conjuncts.
pub fn conjuncts(condition: Expression, into: &mut Vec<Expression>) {
    match condition {
        Expression::And(terms) => terms.into_iter().for_each(|term| conjuncts(term, into)),
        other => into.push(other),
    }
}

/// All of these as one condition; true if there are none.
pub fn conjunction(mut terms: Vec<Expression>) -> Option<Expression> {
    match terms.len() {
        0 => None,
        1 => terms.pop(),
        _ => Some(Expression::And(terms)),
    }
}
