//! Lets kernels over 128-bit lanes take integers of other widths.

use std::sync::Arc;

use crate::error::Error;
use crate::lanes::{LANES_MAX, LaneKernel, Lanes, LanesMut, Marks};

struct Widened(Arc<dyn LaneKernel>);

/// `kernel`, which takes two inputs of 128 bits, over inputs that may also be narrower integers.
pub(super) fn widened(kernel: Arc<dyn LaneKernel>) -> Arc<dyn LaneKernel> {
    Arc::new(Widened(kernel))
}

impl LaneKernel for Widened {
    fn run(&self, inputs: &[Lanes<'_>], output: &mut LanesMut<'_>, marks: &mut Marks<'_>) {
        let (mut left, mut right) = ([0; LANES_MAX], [0; LANES_MAX]);
        let inputs = [widen(&inputs[0], &mut left), widen(&inputs[1], &mut right)];
        self.0.run(&inputs, output, marks);
    }

    fn makes_nulls(&self) -> bool {
        self.0.makes_nulls()
    }

    fn can_fail(&self) -> bool {
        self.0.can_fail()
    }

    fn error(&self, inputs: &[Lanes<'_>], lane: usize) -> Error {
        let (mut left, mut right) = ([0; LANES_MAX], [0; LANES_MAX]);
        let inputs = [widen(&inputs[0], &mut left), widen(&inputs[1], &mut right)];
        self.0.error(&inputs, lane)
    }
}

fn widen<'a>(lanes: &Lanes<'a>, buffer: &'a mut [i128; LANES_MAX]) -> Lanes<'a> {
    fn fill<'a, T: Copy + Into<i128>>(values: &[T], buffer: &'a mut [i128; LANES_MAX]) -> Lanes<'a> {
        for (wide, &value) in buffer.iter_mut().zip(values) {
            *wide = value.into();
        }
        Lanes::Int128(&buffer[..values.len()])
    }
    match lanes {
        Lanes::Int8(values) => fill(values, buffer),
        Lanes::Int16(values) => fill(values, buffer),
        Lanes::Int32(values) => fill(values, buffer),
        Lanes::Int64(values) => fill(values, buffer),
        Lanes::UInt8(values) => fill(values, buffer),
        Lanes::UInt16(values) => fill(values, buffer),
        Lanes::UInt32(values) => fill(values, buffer),
        Lanes::UInt64(values) => fill(values, buffer),
        other => *other,
    }
}
