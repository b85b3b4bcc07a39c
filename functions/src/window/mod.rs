//! The contract of window functions: what has a meaning only over rows in order.
//!
//! A window function that is no aggregate is declared here by name, forms and [`WindowKind`]; the engine evaluates it
//! over positions. Aggregates over frames are the accumulators of [`crate::aggregate`], which may know a faster way
//! over all frames at once ([`crate::aggregate::Accumulator::frames`]), for which [`Frames`] and its loops are.

mod frames;

use serde::{Deserialize, Serialize};

use crate::documentation::Documentation;
use crate::registry::Registry;
use crate::signature::{Parameter, Signature, any, exact};
use crate::types::Type;
use crate::value::{Literal, Value};

pub use frames::{Frames, extreme_of_frames, merge_of_frames};

/// What a window function gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum WindowKind {
    /// Number of the row in its partition, from 1.
    RowNumber,
    /// One more than the rows before the row's peers.
    Rank,
    /// Number of the row's peers among all groups of peers, from 1.
    DenseRank,
    /// Rank less one over the other rows of the partition.
    PercentRank,
    /// Share of rows up to the last peer.
    CumeDist,
    /// Number of the row's bucket, from 1.
    Ntile,
    /// Value of a row before this one.
    Lag,
    /// Value of a row after this one.
    Lead,
    /// Value of the first row of the frame.
    FirstValue,
    /// Value of the last row of the frame.
    LastValue,
    /// Value of a row of the frame by number.
    NthValue,
}

impl WindowKind {
    /// True if the frame decides the value, also without an order among the arguments.
    pub fn reads_frame(self) -> bool {
        matches!(self, Self::FirstValue | Self::LastValue | Self::NthValue)
    }

    /// True if rows with a null argument can be left out.
    pub fn takes_null_treatment(self) -> bool {
        matches!(self, Self::Lag | Self::Lead | Self::FirstValue | Self::LastValue | Self::NthValue)
    }

    /// True if ORDER BY may stand among the arguments.
    pub fn takes_order(self) -> bool {
        self != Self::DenseRank
    }

    /// Type of the result for arguments of these types.
    pub fn result(self, arguments: &[Type]) -> Type {
        match self {
            Self::RowNumber | Self::Rank | Self::DenseRank | Self::Ntile => Type::Int64,
            Self::PercentRank | Self::CumeDist => Type::Float64,
            _ => arguments.first().cloned().unwrap_or(Type::Null),
        }
    }
}

/// A window function as the registry holds it.
#[derive(Debug, Clone)]
pub struct WindowFunction {
    /// Lower-case SQL name.
    pub name: String,
    /// Other names.
    pub aliases: Vec<String>,
    /// What it gives.
    pub kind: WindowKind,
    /// Forms.
    pub signature: Signature,
    /// What the reference says.
    pub documentation: Documentation,
}

impl WindowFunction {
    fn new(
        name: &str,
        kind: WindowKind,
        parameters: impl IntoIterator<Item = Parameter>,
        summary: &str,
    ) -> Self {
        Self {
            name: name.into(),
            aliases: Vec::new(),
            kind,
            signature: Signature::new(parameters),
            documentation: Documentation::new("window", summary),
        }
    }

    fn alias(mut self, name: &str) -> Self {
        self.aliases.push(name.into());
        self
    }

    fn note(mut self, note: &str) -> Self {
        self.documentation = self.documentation.note(note);
        self
    }

    fn example(mut self, sql: &str, result: &str) -> Self {
        self.documentation = self.documentation.example(sql, result);
        self
    }
}

/// Adds the built-in window functions.
pub(crate) fn register(registry: &mut Registry) {
    ranking().into_iter().chain(values()).for_each(|function| registry.register_window(function));
}

fn ranking() -> Vec<WindowFunction> {
    use WindowKind as Kind;
    let in_frame = "With ORDER BY among the arguments it is told within the frame, in that order.";
    vec![
        WindowFunction::new("row_number", Kind::RowNumber, [], "Number of the row in its partition, from 1.")
            .note("Rows that tie are numbered in the order of the input.")
            .note(in_frame)
            .example("row_number() OVER ()", "1"),
        WindowFunction::new(
            "rank",
            Kind::Rank,
            [],
            "One more than the number of rows before the peers of the row.",
        )
        .note(in_frame)
        .example("rank() OVER ()", "1"),
        WindowFunction::new(
            "dense_rank",
            Kind::DenseRank,
            [],
            "Number of the row's peers among all groups of peers, from 1.",
        )
        .alias("rank_dense")
        .example("dense_rank() OVER ()", "1"),
        WindowFunction::new(
            "percent_rank",
            Kind::PercentRank,
            [],
            "Rank less one over the number of rows less one; 0 for a single row.",
        )
        .note(in_frame)
        .example("percent_rank() OVER ()", "0.0"),
        WindowFunction::new(
            "cume_dist",
            Kind::CumeDist,
            [],
            "Share of the rows that come before or are peers of the row.",
        )
        .note(in_frame)
        .example("cume_dist() OVER ()", "1.0"),
        WindowFunction::new(
            "ntile",
            Kind::Ntile,
            [exact("buckets", Type::Int64)],
            "Number of the bucket, from 1, where the rows are cut into so many of equal size.",
        )
        .note("Larger buckets come first. A null number of buckets gives null; one below 1 is an error.")
        .note(in_frame)
        .example("ntile(4) OVER ()", "1"),
    ]
}

fn values() -> Vec<WindowFunction> {
    use WindowKind as Kind;
    let offset = || exact("offset", Type::Int64).or(Literal::new(Value::Int64(1)));
    let default = || any("default").or(Literal::null(Type::Null));
    let nulls = "IGNORE NULLS behind the arguments leaves rows out whose value is null.";
    vec![
        WindowFunction::new(
            "lag",
            Kind::Lag,
            [any("value"), offset(), default()],
            "Value of the row `offset` rows before this one; the default where there is none.",
        )
        .note("A null offset gives null; a negative one looks ahead.")
        .note(nulls)
        .example("lag(42) OVER ()", "NULL"),
        WindowFunction::new(
            "lead",
            Kind::Lead,
            [any("value"), offset(), default()],
            "Value of the row `offset` rows after this one; the default where there is none.",
        )
        .note("A null offset gives null; a negative one looks back.")
        .note(nulls)
        .example("lead(42, 1, 7) OVER ()", "7"),
        WindowFunction::new(
            "first_value",
            Kind::FirstValue,
            [any("value")],
            "Value of the first row of the frame; null of an empty one.",
        )
        .alias("first")
        .note(nulls)
        .example("first_value(42) OVER ()", "42"),
        WindowFunction::new(
            "last_value",
            Kind::LastValue,
            [any("value")],
            "Value of the last row of the frame; null of an empty one.",
        )
        .alias("last")
        .note(nulls)
        .example("last_value(42) OVER ()", "42"),
        WindowFunction::new(
            "nth_value",
            Kind::NthValue,
            [any("value"), exact("n", Type::Int64)],
            "Value of row `n` of the frame, counted from 1; null where there is none.",
        )
        .note(nulls)
        .example("nth_value(42, 1) OVER ()", "42"),
    ]
}
