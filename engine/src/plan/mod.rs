//! The physical plan: plain data that can be displayed, verified, written and read back.
//!
//! A plan owns no state and knows no operator; `crate::execution` makes one runnable.

mod bytes;
mod display;
mod expression;
mod frame_reach;
mod ordered_join;
mod page;
mod scanned;
mod verify;
mod walk;
mod window;

use hypostyle_functions::types::Schema;
use hypostyle_functions::value::Literal;
use serde::{Deserialize, Serialize};

pub use bytes::from_json;
pub use expression::Expression;
pub use frame_reach::Reach;
pub use ordered_join::{AsofIndex, AsofJoin, Inequality, OrderCondition, RangeJoin, is_word_ordered};
pub(crate) use scanned::ScannedTable;
pub use verify::verify;
pub(crate) use verify::verify_over;
pub use walk::{count_nodes, first_breaker, parameters, visit_expressions};
pub use window::{
    Exclusion, FrameBound, FrameUnits, RowLimit, Window, WindowCall, WindowFrame, WindowFunction,
};

/// Version of the plan's serialized form.
pub const PLAN_VERSION: u32 = 1;

/// A node with the schema of its output.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// What it does.
    pub node: Node,
    /// Columns of the output.
    pub schema: Schema,
    /// Rows the planner expects, for display and sizing.
    pub estimated_rows: Option<u64>,
}

/// A table by name or by the function that makes it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum TableReference {
    /// A table of the session's catalog.
    Named(String),
    /// A table function with constant arguments: `read_csv('x.csv', delim => ';')`.
    Function {
        /// Name of the function.
        name: String,
        /// Positional arguments.
        arguments: Vec<Literal>,
        /// Named arguments.
        options: Vec<(String, Literal)>,
    },
}

/// Most keys of an aggregation with grouping sets: one bit each of the grouping id.
pub const GROUPING_KEYS_MAX: usize = 63;

/// Most grouping sets of an aggregation.
pub const GROUPING_SETS_MAX: usize = 65_535;

/// What a plan node does. Column indexes in expressions are positions in the input's schema.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Node {
    /// Reads columns of a table.
    Scan {
        /// The table.
        table: TableReference,
        /// Columns of the table, in output order.
        projection: Vec<usize>,
        /// Conjuncts that the table may use to read less; over the table's own columns.
        filters: Vec<Expression>,
        /// Rows after which nothing more is wanted.
        limit: Option<u64>,
    },
    /// Rows of expressions without columns.
    Values {
        /// One list of expressions per row, as many as the schema has columns.
        rows: Vec<Vec<Expression>>,
    },
    /// Keeps rows whose predicate is true.
    Filter {
        /// Input.
        input: Box<Plan>,
        /// A truth value per row.
        predicate: Expression,
    },
    /// Computes one column per expression.
    Project {
        /// Input.
        input: Box<Plan>,
        /// One expression per output column.
        expressions: Vec<Expression>,
    },
    /// Keeps `count` rows after the first `offset`, in order.
    Limit {
        /// Input.
        input: Box<Plan>,
        /// Rows to skip.
        offset: u64,
        /// Rows to keep; all if `None`.
        count: Option<u64>,
    },
    /// Orders rows; ties keep the input's order.
    Sort {
        /// Input.
        input: Box<Plan>,
        /// Keys, most significant first.
        keys: Vec<SortKey>,
        /// Only this many first rows are wanted: top-n.
        limit: Option<u64>,
    },
    /// Groups rows; output columns are the keys and then the aggregates. Without keys there is one group, always.
    ///
    /// With grouping sets every row is grouped once per set, by the keys of that set; the other keys of such a
    /// group are null. A set that is written twice gives its groups twice, and the set without keys gives one
    /// group also over no rows. One more column, the last, is the grouping id: a BIGINT with one bit per key,
    /// the last key lowest, set where the set does not have the key. So it equals `GROUPING(k1, ..., kn)` over
    /// all keys in their order, and bit `n - 1 - i` is `GROUPING(ki)` with `i` from 0.
    Aggregate {
        /// Input.
        input: Box<Plan>,
        /// Grouping keys; nulls group together.
        keys: Vec<Expression>,
        /// Grouping sets, each as positions in `keys`; none for the plain form, without the grouping id.
        #[serde(default)]
        sets: Vec<Vec<usize>>,
        /// Aggregates.
        aggregates: Vec<AggregateCall>,
    },
    /// Joins by equality of keys; output columns are the left's and then the right's
    /// (only those of the side whose rows come out for semi and anti). The right side is built into a table, the left probes it.
    HashJoin {
        /// Probe side, whose order the output keeps.
        left: Box<Plan>,
        /// Build side.
        right: Box<Plan>,
        /// Which rows come out.
        kind: JoinKind,
        /// Pairs of keys, of equal types.
        keys: Vec<JoinKey>,
        /// A further condition over the columns of both sides, left first.
        residual: Option<Expression>,
    },
    /// Every pair of rows that satisfies the condition, if there is one. The kinds mean the same as for equal keys.
    CrossJoin {
        /// Outer side, whose order the output keeps.
        left: Box<Plan>,
        /// Inner side, held in memory or, where it does not fit, in spill files.
        right: Box<Plan>,
        /// Which rows come out.
        kind: JoinKind,
        /// A condition over the columns of both sides, left first.
        condition: Option<Expression>,
    },
    /// Each left row with the nearest right row.
    AsofJoin(Box<AsofJoin>),
    /// Pairs of rows by inequalities.
    RangeJoin(Box<RangeJoin>),
    /// The rows of all inputs, in order; schemas agree.
    Union {
        /// Inputs.
        inputs: Vec<Plan>,
    },
    /// One row per list element; lists of one row run in parallel and short ones end in nulls.
    /// Output columns are the input's and then one per list.
    Unnest {
        /// Input.
        input: Box<Plan>,
        /// Expressions that give lists.
        lists: Vec<Expression>,
        /// Whether a row whose lists are all empty or null still gives one row.
        outer: bool,
    },
    /// Adds columns that are computed over other rows of the same partition. Output columns are the input's and then
    /// one per call; rows come out in the order of the input.
    Window {
        /// Input.
        input: Box<Plan>,
        /// What is computed.
        window: Window,
    },
    /// Each row as often as a number says; none where it is null or not above zero.
    Repeat {
        /// Input, whose columns come out.
        input: Box<Plan>,
        /// The number, a BIGINT.
        count: Expression,
    },
    /// Keeps a part of the rows, chosen at random; their order stays.
    Sample {
        /// Input.
        input: Box<Plan>,
        /// How rows are chosen.
        method: SampleMethod,
        /// How many.
        size: SampleSize,
        /// A number that gives the same rows each time; every run chooses anew if `None`.
        seed: Option<u64>,
    },
    /// Keeps rows in order, of a number that another plan gives or that is a percentage of all.
    ComputedLimit {
        /// Input.
        input: Box<Plan>,
        /// One row of two columns: the rows to keep, all if null (a DOUBLE from 0 to 100 is a percentage, a BIGINT a
        /// number), and the rows to skip (a BIGINT).
        amounts: Box<Plan>,
    },
    /// Pairs rows by their position; the shorter side ends in nulls. Output columns are the left's and then the
    /// right's.
    PositionalJoin {
        /// Left side.
        left: Box<Plan>,
        /// Right side.
        right: Box<Plan>,
    },
    /// The rows of a plan, then those of a second one over them, then those of the second one over these, until it
    /// gives none. Schemas agree.
    Recursive {
        /// The first plan.
        initial: Box<Plan>,
        /// The second plan, which reads the rows of the round before from the work table.
        step: Box<Plan>,
        /// Number of the work table; a recursion inside this one has another.
        table: u32,
        /// Whether a row that was given before is dropped; of a recursion with keys, one that its key holds already.
        distinct: bool,
        /// Columns by position, of which each combination of values has one row: the last one given. The rows come out at
        /// the end. None for all rows.
        #[serde(default)]
        keys: Vec<usize>,
    },
    /// The rows of the round before, inside the second plan of a recursion.
    WorkTable {
        /// Its number.
        table: u32,
        /// All rows that the recursion holds before the round instead.
        #[serde(default)]
        all: bool,
    },
    /// Passes the one row of its input; no row becomes a row of nulls, several are an error.
    SingleRow {
        /// Input.
        input: Box<Plan>,
    },
    /// Gathers the rows of a plan once, for all nodes of the input that read them; the output is the input's.
    Shared {
        /// Number under which they are read.
        table: u32,
        /// The plan whose rows are shared.
        definition: Box<Plan>,
        /// The plan that reads them.
        input: Box<Plan>,
    },
    /// Reads shared rows.
    SharedRows {
        /// Their number.
        table: u32,
        /// Columns, by position.
        projection: Vec<usize>,
    },
    /// Writes the input; the output is one row with the number of rows written.
    Write {
        /// Input.
        input: Box<Plan>,
        /// Where to.
        target: WriteTarget,
    },
}

/// Where a write goes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum WriteTarget {
    /// A file.
    File {
        /// Path; `/dev/stdout` streams.
        path: String,
        /// Format, in lower case.
        format: String,
        /// Options of the format.
        options: Vec<(String, Literal)>,
    },
    /// A table of the session, held in memory.
    Table {
        /// Name.
        name: String,
        /// Whether an existing table of that name is replaced.
        replace: bool,
    },
}

/// One key of an order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SortKey {
    /// What is ordered by.
    pub expression: Expression,
    /// Greatest first.
    pub descending: bool,
    /// Nulls before everything else.
    pub nulls_first: bool,
}

/// Ways to choose rows at random.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum SampleMethod {
    /// Each row for itself.
    Bernoulli,
    /// Blocks of rows that stand together.
    System,
    /// An exact number of rows.
    Reservoir,
}

/// How many rows a sample has.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub enum SampleSize {
    /// A percentage of the rows, from 0 to 100.
    Percent(f64),
    /// A number of rows, whatever the method.
    Rows(u64),
}

/// Which rows of a join come out.
///
/// A pair *matches* if all keys are equal (two nulls only where [`JoinKey::nulls_match`] says so) and the residual
/// condition is true. Two kinds also ask what is *unknown*, by the logic of three values: a key without
/// [`JoinKey::nulls_match`] is unknown if either side is null, and so is a condition that is null; a pair is unknown if
/// no part of it is false and one is unknown. With it a join says what `x IN (..)`, `x > ANY (..)` and their negations
/// say. A condition that only chooses the rows of a subquery must not be unknown there: wrap it as
/// `coalesce(condition, false)`, and use `IS NOT DISTINCT FROM` for keys that tie a subquery to its outer row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum JoinKind {
    /// Matching pairs.
    Inner,
    /// Matching pairs, and left rows without a match.
    Left,
    /// Matching pairs, and right rows without a match.
    Right,
    /// Matching pairs, and rows of either side without a match.
    Full,
    /// Left rows with a match, once.
    LeftSemi,
    /// Left rows without a match.
    LeftAnti,
    /// Right rows with a match, once: a left semi join with exchanged sides, whose smaller side is built.
    RightSemi,
    /// Right rows without a match.
    RightAnti,
    /// Left rows of which no pair matches or is unknown: what `NOT IN` keeps.
    LeftAntiNullAware,
    /// Left rows with one more column: true if a pair matches; null if none does and one is unknown; else false.
    LeftMark,
    /// Each left row once, with the one right row that matches it, or nulls. A second match is an error: the right side
    /// is a subquery that is used as a value.
    LeftSingle,
}

/// A pair of join keys.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct JoinKey {
    /// Over the left side's columns.
    pub left: Expression,
    /// Over the right side's columns.
    pub right: Expression,
    /// Whether null matches null: `IS NOT DISTINCT FROM`.
    pub nulls_match: bool,
}

/// A call of an aggregate function.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AggregateCall {
    /// Name in the registry.
    pub function: String,
    /// Semantic version of the function.
    pub version: u32,
    /// Arguments, already coerced.
    pub arguments: Vec<Expression>,
    /// Whether equal argument rows count once.
    pub distinct: bool,
    /// Rows that count; all if `None`.
    pub filter: Option<Expression>,
    /// Order in which an order-sensitive aggregate sees the rows.
    pub order: Vec<SortKey>,
    /// Which part of an aggregation it is.
    #[serde(default, skip_serializing_if = "CallPhase::is_whole")]
    pub phase: CallPhase,
    /// Type of the result.
    pub data_type: hypostyle_functions::Type,
}

/// Which part of an aggregation a call is, where its rows are divided between runs.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub enum CallPhase {
    /// Rows in, result out.
    #[default]
    Whole,
    /// Rows in, state out: a struct of the columns that hold a state.
    State {
        /// Which piece of all rows these are: where the order of rows matters, those of lesser pieces come first.
        piece: u32,
    },
    /// States in, which are the one argument; result or, again, state out.
    Merge {
        /// Types of the arguments that the states were made of.
        types: Vec<hypostyle_functions::Type>,
        /// Their constants.
        constants: Vec<Option<Literal>>,
        /// Whether a state comes out.
        keeps_state: bool,
    },
}

impl CallPhase {
    /// True for [`CallPhase::Whole`].
    pub fn is_whole(&self) -> bool {
        matches!(self, Self::Whole)
    }
}

impl Plan {
    /// A node with this schema and no estimate.
    pub fn new(node: Node, schema: Schema) -> Self {
        Self { node, schema, estimated_rows: None }
    }

    /// The inputs, in order.
    pub fn inputs(&self) -> Vec<&Plan> {
        match &self.node {
            Node::Scan { .. } | Node::Values { .. } | Node::WorkTable { .. } | Node::SharedRows { .. } => {
                Vec::new()
            }
            Node::Filter { input, .. }
            | Node::Project { input, .. }
            | Node::Limit { input, .. }
            | Node::Sort { input, .. }
            | Node::Aggregate { input, .. }
            | Node::Unnest { input, .. }
            | Node::Window { input, .. }
            | Node::Repeat { input, .. }
            | Node::Sample { input, .. }
            | Node::SingleRow { input }
            | Node::Write { input, .. } => vec![input],
            Node::HashJoin { left, right, .. } | Node::CrossJoin { left, right, .. } => vec![left, right],
            Node::PositionalJoin { left, right } => vec![left, right],
            Node::ComputedLimit { input, amounts } => vec![input, amounts],
            Node::Recursive { initial, step, .. } => vec![initial, step],
            Node::AsofJoin(join) => vec![&join.left, &join.right],
            Node::RangeJoin(join) => vec![&join.left, &join.right],
            Node::Union { inputs } => inputs.iter().collect(),
            Node::Shared { definition, input, .. } => vec![definition, input],
        }
    }
}
