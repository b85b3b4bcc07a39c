//! Calls a bound function over views outside of a fused program: the elements of nested casts, and tests.

use arrow::datatypes::IntervalMonthDayNano;
use half::f16;

use crate::column::{Data, Output, Rows, View};
use crate::error::{Error, Result};
use crate::lanes::{LANES_MAX, LaneKernel, Lanes, LanesMut, Marks};
use crate::scalar::{Body, Bound, Nulls};
use crate::scratch::Scratch;
use crate::types::Type;

/// Computes `rows` of `output`: rows with a null argument of a strict function become null, and the
/// function sees the others, or all rows where it covers nulls.
pub(crate) fn invoke(
    bound: &Bound,
    arguments: &[View<'_>],
    rows: Rows<'_>,
    output: &mut Output,
    scratch: &mut Scratch,
) -> Result<()> {
    let mut selected = Vec::new();
    let rows = if bound.nulls.is_strict() && arguments.iter().any(View::may_be_null) {
        rows.for_each(|row| {
            if arguments.iter().all(|argument| argument.is_valid(row)) {
                selected.push(row as u32);
            } else {
                output.set_null(row);
            }
        });
        match (bound.nulls, rows) {
            (Nulls::Covered, Rows::All(_)) => rows,
            _ => Rows::Selected(&selected),
        }
    } else {
        rows
    };
    match &bound.body {
        Body::Call(call) => call.call(arguments, rows, output, scratch),
        Body::Lanes(kernel) if bound.nulls == Nulls::PassedOver => {
            combine(kernel.as_ref(), arguments, rows, output)
        }
        Body::Lanes(kernel) => run_lanes(kernel.as_ref(), arguments, rows, output),
        Body::HigherOrder(_) => Err(Error::internal("a function with lambdas called without them")),
    }
}

/// Combines arguments from the left; a row takes no part in a step whose argument is null there.
fn combine(
    kernel: &dyn LaneKernel,
    arguments: &[View<'_>],
    rows: Rows<'_>,
    output: &mut Output,
) -> Result<()> {
    let bump = bumpalo::Bump::new();
    let mut held = Output::new(output.data_type().clone());
    held.prepare(output.len());
    rows.for_each(|row| held.set_null(row));
    for argument in arguments {
        let mut next = Output::new(output.data_type().clone());
        next.prepare(output.len());
        let before = held.view(&bump);
        let (both, one): (Vec<u32>, Vec<u32>) = rows
            .iter()
            .map(|row| row as u32)
            .partition(|&row| before.is_valid(row as usize) && argument.is_valid(row as usize));
        for row in one.into_iter().map(|row| row as usize) {
            next.copy(row, if before.is_valid(row) { &before } else { argument }, row);
        }
        run_lanes(kernel, &[before, *argument], Rows::Selected(&both), &mut next)?;
        held = next;
    }
    output.copy_rows(&held.view(&bump), &rows);
    Ok(())
}

fn run_lanes(
    kernel: &dyn LaneKernel,
    arguments: &[View<'_>],
    rows: Rows<'_>,
    output: &mut Output,
) -> Result<()> {
    let mut inputs: Vec<Register> =
        fixed_arguments(arguments).map(|view| Register::new(view.data_type)).collect();
    let mut result = Register::new(output.data_type());
    let mut block = Vec::with_capacity(LANES_MAX);
    let mut rows = rows.iter().peekable();
    while rows.peek().is_some() {
        block.clear();
        block.extend(rows.by_ref().take(LANES_MAX));
        for (register, view) in inputs.iter_mut().zip(fixed_arguments(arguments)) {
            register.load(view, &block)?;
        }
        result.resize(block.len());
        let (mut null, mut failed) = ([0; LANES_MAX / 64], [0; LANES_MAX / 64]);
        let lanes: Vec<Lanes<'_>> = inputs.iter().map(Register::lanes).collect();
        kernel.run(&lanes, &mut result.lanes_mut(), &mut Marks { null: &mut null, failed: &mut failed });
        result.store(output, &block);
        for (lane, &row) in block.iter().enumerate() {
            if failed[lane / 64] >> (lane % 64) & 1 == 1 {
                output.fail(row, || kernel.error(&lanes, lane));
            } else if null[lane / 64] >> (lane % 64) & 1 == 1 {
                output.set_null(row);
            }
        }
    }
    Ok(())
}

/// Lists and text among the arguments of a lane kernel are constants that it was bound with.
fn fixed_arguments<'a, 'v>(arguments: &'a [View<'v>]) -> impl Iterator<Item = &'a View<'v>> {
    arguments.iter().filter(|view| view.data_type.is_fixed_width())
}

macro_rules! registers {
    ($($variant:ident($rust:ty)),*) => {
        /// Owned lanes.
        enum Register { Boolean(Vec<bool>), $($variant(Vec<$rust>)),* }

        impl Register {
            fn resize(&mut self, length: usize) {
                match self {
                    Self::Boolean(lanes) => lanes.resize(length, false),
                    $(Self::$variant(lanes) => lanes.resize(length, <$rust>::default()),)*
                }
            }

            fn load(&mut self, view: &View<'_>, rows: &[usize]) -> Result<()> {
                match (self, view.data) {
                    (Self::Boolean(lanes), Data::Boolean(bits)) => {
                        lanes.clear();
                        lanes.extend(rows.iter().map(|&row| bits.get(view.value_index(row))));
                    }
                    $((Self::$variant(lanes), Data::$variant(values)) => {
                        lanes.clear();
                        lanes.extend(rows.iter().map(|&row| values[view.value_index(row)]));
                    })*
                    _ => return Err(Error::internal(format!("lanes of {} from another form", view.data_type))),
                }
                Ok(())
            }

            fn store(&self, output: &mut Output, rows: &[usize]) {
                match self {
                    Self::Boolean(lanes) => {
                        let bits = output.boolean();
                        rows.iter().zip(lanes).for_each(|(&row, &lane)| bits.set(row, lane));
                    }
                    $(Self::$variant(lanes) => {
                        let values = output.fixed::<$rust>();
                        rows.iter().zip(lanes).for_each(|(&row, &lane)| values[row] = lane);
                    })*
                }
            }

            fn lanes(&self) -> Lanes<'_> {
                match self {
                    Self::Boolean(lanes) => Lanes::Boolean(lanes),
                    $(Self::$variant(lanes) => Lanes::$variant(lanes),)*
                }
            }

            fn lanes_mut(&mut self) -> LanesMut<'_> {
                match self {
                    Self::Boolean(lanes) => LanesMut::Boolean(lanes),
                    $(Self::$variant(lanes) => LanesMut::$variant(lanes),)*
                }
            }
        }
    };
}
// Each entry makes one variant of `Register`, with the arms that load, store and lend it.
registers!(
    Int8(i8),
    Int16(i16),
    Int32(i32),
    Int64(i64),
    UInt8(u8),
    UInt16(u16),
    UInt32(u32),
    UInt64(u64),
    Float16(f16),
    Float32(f32),
    Float64(f64),
    Int128(i128),
    Interval(IntervalMonthDayNano)
);

impl Register {
    fn new(data_type: &Type) -> Self {
        match data_type {
            Type::Int8 => Self::Int8(Vec::new()),
            Type::Int16 => Self::Int16(Vec::new()),
            Type::Int32 | Type::Date => Self::Int32(Vec::new()),
            Type::Int64 | Type::Time | Type::Timestamp(_) | Type::TimestampTz => Self::Int64(Vec::new()),
            Type::UInt8 => Self::UInt8(Vec::new()),
            Type::UInt16 => Self::UInt16(Vec::new()),
            Type::UInt32 => Self::UInt32(Vec::new()),
            Type::UInt64 => Self::UInt64(Vec::new()),
            Type::Float16 => Self::Float16(Vec::new()),
            Type::Float32 => Self::Float32(Vec::new()),
            Type::Float64 => Self::Float64(Vec::new()),
            Type::Decimal(..) if data_type.is_narrow_decimal() => Self::Int64(Vec::new()),
            Type::Decimal(..) => Self::Int128(Vec::new()),
            Type::Interval => Self::Interval(Vec::new()),
            // Other types have no lanes; loading refuses them.
            _ => Self::Boolean(Vec::new()),
        }
    }
}
