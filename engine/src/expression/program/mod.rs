//! Register programs: chains of fixed-width operations over blocks of lanes that stay in the first-level cache.
//!
//! A program computes one column. Its locations are its inputs, in order, and then its values; each
//! has a register of its kind, which several locations share when their lives do not overlap. Inputs that
//! are flat are read where they lie, and the last operation writes where the column is wanted.

mod bank;
mod block;
mod build;
mod machine;
mod mask;
mod merge;

use std::sync::Arc;

use hypostyle_functions::lanes::{LANES_MAX, LaneKernel, LaneKind};

pub(super) use build::{Builder, Value};
pub(super) use machine::{Machine, Source};

/// Bytes of a register: eleven of them fill the smallest first-level cache in use, 48 KiB, less its inputs.
const REGISTER_BYTES: usize = 4096;

/// Position of an input or value of a program.
pub(super) type Location = usize;

/// Where a location's lanes are kept.
#[derive(Clone, Copy)]
pub(super) struct Place {
    /// Their kind.
    pub kind: LaneKind,
    /// Number of the register among those of its kind.
    pub register: usize,
}

/// What one operation does.
#[derive(Clone)]
pub(super) enum Code {
    /// A strict function.
    Kernel(Arc<dyn LaneKernel>),
    /// A function of two operands that passes over the null one, if one is.
    Combine(Arc<dyn LaneKernel>),
    /// AND of two truth values.
    And,
    /// OR of two truth values.
    Or,
    /// The second operand where the first is true, else the third.
    Select,
    /// The third operand where a comparison of the first two holds, else the fourth.
    Choose {
        /// The comparison.
        comparison: Arc<dyn LaneKernel>,
        /// Both in one loop, where no lane is null or failed.
        choice: Arc<dyn LaneKernel>,
    },
    /// The first operand where it is not null, else the second.
    Coalesce,
}

impl Code {
    /// True if lanes that hold values give lanes that hold values.
    fn is_total(&self) -> bool {
        match self {
            Self::Kernel(kernel) => !kernel.makes_nulls() && !kernel.can_fail(),
            _ => true,
        }
    }
}

/// One operation.
#[derive(Clone)]
pub(super) struct Operation {
    /// What it does.
    pub code: Code,
    /// What it reads.
    pub operands: Box<[Location]>,
    /// What it writes.
    pub result: Location,
}

/// A program. See the module.
pub(super) struct Program {
    /// Kinds and registers; the inputs come first.
    pub places: Box<[Place]>,
    /// Number of inputs.
    pub inputs: usize,
    /// Operations in order; the last one writes the result.
    pub operations: Box<[Operation]>,
    /// Lanes of a block.
    pub lanes: usize,
    /// True if no operation makes nulls or fails.
    pub is_total: bool,
}

impl Program {
    /// Where the result stands.
    fn result(&self) -> Location {
        self.places.len() - 1
    }

    /// Lanes of a block whose widest register is this wide.
    fn lanes_for(width_bytes: usize) -> usize {
        (REGISTER_BYTES / width_bytes.max(1)).min(LANES_MAX)
    }

    /// Lanes of a block of so many operations: one alone has no register between its operands and its result, so that long
    /// blocks cost no cache, and what memory looks ahead by itself is not lost where a block ends.
    fn block_lanes(operations: usize, widest_bytes: usize) -> usize {
        if operations == 1 { LANES_MAX } else { Self::lanes_for(widest_bytes) }
    }
}
