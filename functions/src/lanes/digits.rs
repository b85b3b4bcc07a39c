//! Decimals of up to 18 digits lie in lanes of 64 bits, others in 128. Kernels over digits are written once for a
//! width, and take lanes of other integers by widening a block of them first.

use std::sync::Arc;

use super::{LANES_MAX, Lane, LaneKernel, Lanes, LanesMut, Marks};
use crate::error::Error;

/// Digits of one width.
pub(crate) trait Digits: Lane {
    /// Lanes of this width, and room for a block of them.
    fn widen<'a>(lanes: &Lanes<'a>, block: &'a mut [Self]) -> Lanes<'a>;
}

fn fill<'a, T: Copy + Into<D>, D>(values: &[T], block: &'a mut [D]) -> &'a [D] {
    for (wide, &value) in block.iter_mut().zip(values) {
        *wide = value.into();
    }
    &block[..values.len()]
}

impl Digits for i64 {
    fn widen<'a>(lanes: &Lanes<'a>, block: &'a mut [Self]) -> Lanes<'a> {
        Lanes::Int64(match lanes {
            Lanes::Int8(values) => fill(values, block),
            Lanes::Int16(values) => fill(values, block),
            Lanes::Int32(values) => fill(values, block),
            Lanes::UInt8(values) => fill(values, block),
            Lanes::UInt16(values) => fill(values, block),
            Lanes::UInt32(values) => fill(values, block),
            other => return *other,
        })
    }
}

impl Digits for i128 {
    fn widen<'a>(lanes: &Lanes<'a>, block: &'a mut [Self]) -> Lanes<'a> {
        Lanes::Int128(match lanes {
            Lanes::Int8(values) => fill(values, block),
            Lanes::Int16(values) => fill(values, block),
            Lanes::Int32(values) => fill(values, block),
            Lanes::Int64(values) => fill(values, block),
            Lanes::UInt8(values) => fill(values, block),
            Lanes::UInt16(values) => fill(values, block),
            Lanes::UInt32(values) => fill(values, block),
            Lanes::UInt64(values) => fill(values, block),
            other => return *other,
        })
    }
}

struct OverDigits<D> {
    kernel: Arc<dyn LaneKernel>,
    widens: [bool; 2],
    narrows: bool,
    digits: std::marker::PhantomData<fn(D)>,
}

/// `kernel`, which works on `D`, over one or two inputs of integers and decimals of other widths: `widens` says which inputs are
/// to be made `D`; with `narrows`, what the kernel writes in 128 bits goes to lanes of 64, which hold it.
pub(crate) fn over_digits<D: Digits>(
    kernel: Arc<dyn LaneKernel>,
    widens: [bool; 2],
    narrows: bool,
) -> Arc<dyn LaneKernel> {
    Arc::new(OverDigits::<D> { kernel, widens, narrows, digits: std::marker::PhantomData })
}

/// Most lanes of a short run, as of a single row, whose blocks cost little to make.
const LANES_SHORT: usize = 16;
/// Most lanes of a run inside a program of several operations.
const LANES_INSIDE: usize = 512;

impl<D: Digits> OverDigits<D> {
    /// Runs `body` over the inputs in the width of the kernel, of which there are at most `LANES` lanes.
    fn widened<const LANES: usize, R>(
        &self,
        inputs: &[Lanes<'_>],
        body: impl FnOnce(&[Lanes<'_>]) -> R,
    ) -> R {
        let mut blocks = [[D::default(); LANES], [D::default(); LANES]];
        let [left, right] = &mut blocks;
        let widened = |position: usize, block| match self.widens[position] {
            true => D::widen(&inputs[position], block),
            false => inputs[position],
        };
        match inputs.len() {
            1 => body(&[widened(0, left)]),
            _ => body(&[widened(0, left), widened(1, right)]),
        }
    }

    fn run_in<const LANES: usize>(
        &self,
        inputs: &[Lanes<'_>],
        output: &mut LanesMut<'_>,
        marks: &mut Marks<'_>,
    ) {
        self.widened::<LANES, _>(inputs, |inputs| match output {
            LanesMut::Int64(results) if self.narrows => {
                let mut block = [0i128; LANES];
                let wide = &mut block[..results.len()];
                self.kernel.run(inputs, &mut LanesMut::Int128(wide), marks);
                results.iter_mut().zip(wide).for_each(|(result, wide)| *result = *wide as i64);
            }
            output => self.kernel.run(inputs, output, marks),
        });
    }
}

impl<D: Digits> LaneKernel for OverDigits<D> {
    fn run(&self, inputs: &[Lanes<'_>], output: &mut LanesMut<'_>, marks: &mut Marks<'_>) {
        match inputs.iter().map(Lanes::len).max() {
            None | Some(..=LANES_SHORT) => self.run_in::<LANES_SHORT>(inputs, output, marks),
            Some(..=LANES_INSIDE) => self.run_in::<LANES_INSIDE>(inputs, output, marks),
            Some(_) => self.run_in::<LANES_MAX>(inputs, output, marks),
        }
    }

    fn makes_nulls(&self) -> bool {
        self.kernel.makes_nulls()
    }

    fn can_fail(&self) -> bool {
        self.kernel.can_fail()
    }

    fn error(&self, inputs: &[Lanes<'_>], lane: usize) -> Error {
        match inputs.iter().map(Lanes::len).max() {
            None | Some(..=LANES_SHORT) => {
                self.widened::<LANES_SHORT, _>(inputs, |inputs| self.kernel.error(inputs, lane))
            }
            Some(_) => self.widened::<LANES_MAX, _>(inputs, |inputs| self.kernel.error(inputs, lane)),
        }
    }
}
