//! Steps of arithmetic, two of which run as one loop.
//!
//! A program whose steps are as short as one addition spends as much time between the loops as in them. A pair of floats reads three
//! operands and rounds after each step, as two loops would: the bits are the same, but for the sign and the payload of NaN, which
//! compilers and processors leave open.

use std::sync::Arc;

use super::float::{Float, Three, Two};
use super::{LaneKernel, LaneKind, Lanes, LanesMut, Marks, whole_pair};

/// An operator on two floats, by IEEE 754, or on two whole numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arithmetic {
    /// The sum.
    Add,
    /// The left less the right.
    Subtract,
    /// The product.
    Multiply,
    /// The left by the right.
    Divide,
}

struct Step<T, F>(Arithmetic, Two<T, T, F>);

impl<T: Float, F: Fn(T, T) -> T + Send + Sync> LaneKernel for Step<T, F> {
    fn run(&self, inputs: &[Lanes<'_>], output: &mut LanesMut<'_>, _: &mut Marks<'_>) {
        self.1.run(inputs, output);
    }

    fn accepts_splats(&self, given: &[bool]) -> bool {
        Two::<T, T, F>::accepts_splats(given)
    }

    fn arithmetic(&self) -> Option<(Arithmetic, LaneKind)> {
        Some((self.0, T::KIND))
    }
}

struct Pair<T, F>(Three<T, F>);

impl<T: Float, F: Fn(T, T, T) -> T + Send + Sync> LaneKernel for Pair<T, F> {
    fn run(&self, inputs: &[Lanes<'_>], output: &mut LanesMut<'_>, _: &mut Marks<'_>) {
        self.0.run(inputs, output);
    }

    fn accepts_splats(&self, given: &[bool]) -> bool {
        Three::<T, F>::accepts_splats(given)
    }
}

/// The kernel of an operator.
pub fn arithmetic<T: Float>(operator: Arithmetic) -> Arc<dyn LaneKernel> {
    fn step<T: Float>(
        operator: Arithmetic,
        function: impl Fn(T, T) -> T + Send + Sync + 'static,
    ) -> Arc<dyn LaneKernel> {
        Arc::new(Step(operator, Two::new(function)))
    }
    match operator {
        Arithmetic::Add => step(operator, |a: T, b: T| a + b),
        Arithmetic::Subtract => step(operator, |a: T, b: T| a - b),
        Arithmetic::Multiply => step(operator, |a: T, b: T| a * b),
        Arithmetic::Divide => step(operator, |a: T, b: T| a / b),
    }
}

/// The kernel of three operands that does two steps: `(a first b) second c`, or, unless `is_left`, `c second (a first b)`.
/// `None` if they are no operators of one kind, or a quotient is the first of them or the divisor.
///
/// A pair of whole numbers marks the lanes in which either step overflows.
pub fn paired(first: &dyn LaneKernel, second: &dyn LaneKernel, is_left: bool) -> Option<Arc<dyn LaneKernel>> {
    let ((first, kind), (second, other)) = (first.arithmetic()?, second.arithmetic()?);
    match (kind, other) {
        (LaneKind::Float32, LaneKind::Float32) => pair::<f32>(first, second, is_left),
        (LaneKind::Float64, LaneKind::Float64) => pair::<f64>(first, second, is_left),
        (LaneKind::Int32, LaneKind::Int32) => whole_pair::pair::<i32>(first, second, is_left),
        (LaneKind::Int64, LaneKind::Int64) => whole_pair::pair::<i64>(first, second, is_left),
        _ => None,
    }
}

fn three<T: Float>(function: impl Fn(T, T, T) -> T + Send + Sync + 'static) -> Arc<dyn LaneKernel> {
    Arc::new(Pair(Three::new(function)))
}

fn pair<T: Float>(first: Arithmetic, second: Arithmetic, is_left: bool) -> Option<Arc<dyn LaneKernel>> {
    // One loop for each second step over the first one given.
    macro_rules! then {
        ($a:ident, $b:ident, $first:expr) => {
            match (second, is_left) {
                (Arithmetic::Add, true) => three(|$a: T, $b: T, c: T| $first + c),
                (Arithmetic::Add, false) => three(|$a: T, $b: T, c: T| c + $first),
                (Arithmetic::Subtract, true) => three(|$a: T, $b: T, c: T| $first - c),
                (Arithmetic::Subtract, false) => three(|$a: T, $b: T, c: T| c - $first),
                (Arithmetic::Multiply, true) => three(|$a: T, $b: T, c: T| $first * c),
                (Arithmetic::Multiply, false) => three(|$a: T, $b: T, c: T| c * $first),
                (Arithmetic::Divide, true) => three(|$a: T, $b: T, c: T| $first / c),
                (Arithmetic::Divide, false) => return None,
            }
        };
    }
    Some(match first {
        Arithmetic::Add => then!(a, b, (a + b)),
        Arithmetic::Subtract => then!(a, b, (a - b)),
        Arithmetic::Multiply => then!(a, b, (a * b)),
        Arithmetic::Divide => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Arithmetic; 4] =
        [Arithmetic::Add, Arithmetic::Subtract, Arithmetic::Multiply, Arithmetic::Divide];

    fn run(kernel: &dyn LaneKernel, inputs: [&[f64]; 3]) -> Vec<u64> {
        let mut results = vec![0.0; inputs[0].len()];
        kernel.run(&inputs.map(Lanes::Float64), &mut LanesMut::Float64(&mut results), &mut Marks::none());
        results.into_iter().map(f64::to_bits).collect()
    }

    fn step(operator: Arithmetic, left: &[f64], right: &[f64]) -> Vec<f64> {
        let mut results = vec![0.0; left.len()];
        let inputs = [Lanes::Float64(left), Lanes::Float64(right)];
        arithmetic::<f64>(operator).run(&inputs, &mut LanesMut::Float64(&mut results), &mut Marks::none());
        results
    }

    #[test]
    fn a_pair_gives_the_bits_of_its_steps() {
        let edges = [0.0, -0.0, 0.1, 3.0, 1e308, -1e308, 5e-324, f64::INFINITY, f64::NEG_INFINITY, 1.0 / 3.0];
        let lane = |step: usize| (0..1000).map(|i| edges[i / step % edges.len()]).collect::<Vec<f64>>();
        let (a, b, c) = (lane(1), lane(10), lane(100));
        for first in ALL {
            for (second, is_left) in ALL.into_iter().flat_map(|second| [(second, true), (second, false)]) {
                let kernels = [arithmetic::<f64>(first), arithmetic::<f64>(second)];
                let Some(pair) = paired(&*kernels[0], &*kernels[1], is_left) else {
                    let is_excluded = first == Arithmetic::Divide || second == Arithmetic::Divide && !is_left;
                    assert!(is_excluded, "{first:?} and {second:?}");
                    continue;
                };
                let inner = step(first, &a, &b);
                let expected = if is_left { step(second, &inner, &c) } else { step(second, &c, &inner) };
                let expected: Vec<u64> = expected.into_iter().map(f64::to_bits).collect();
                assert_eq!(run(&*pair, [&a, &b, &c]), expected, "{first:?} then {second:?}, {is_left}");
            }
        }
    }

    #[test]
    fn kinds_do_not_mix() {
        assert!(
            paired(&*arithmetic::<f32>(Arithmetic::Add), &*arithmetic::<f64>(Arithmetic::Add), true)
                .is_none()
        );
        let other = super::super::binary(|a: f64, b: f64| a.max(b));
        assert!(paired(&*other, &*arithmetic::<f64>(Arithmetic::Add), true).is_none());
    }
}
