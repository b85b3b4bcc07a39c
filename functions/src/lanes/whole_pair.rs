//! Two steps of arithmetic on whole numbers, which run as one loop.

use std::marker::PhantomData;
use std::sync::Arc;

use super::{Arithmetic, Lane, LaneKernel, Lanes, LanesMut, Marks, mark};
use crate::kernel::whole_arithmetic::{Add, Flipped, Multiply, Step, Subtract, Whole};
use crate::kernel::whole_steps::{steps_overflow, two_steps};

struct Pair<A, B, T>(PhantomData<fn(A, B, T)>);

impl<A: Step, B: Step, T: Lane + Whole> LaneKernel for Pair<A, B, T> {
    fn run(&self, inputs: &[Lanes<'_>], output: &mut LanesMut<'_>, marks: &mut Marks<'_>) {
        let lanes = [0, 1, 2].map(|position| T::read(&inputs[position]));
        let results = T::write(output);
        if !two_steps::<A, B, T>(lanes, results) {
            return;
        }
        // Rare: each lane is looked at by itself.
        for lane in 0..results.len() {
            let [a, b, c] = lanes.map(|lanes| lanes[if lanes.len() == 1 { 0 } else { lane }]);
            if steps_overflow::<A, B, T>(a, b, c) {
                mark(marks.failed, lane);
            }
        }
    }

    fn accepts_splats(&self, given: &[bool]) -> bool {
        matches!(given, [false, true, true])
    }

    fn can_fail(&self) -> bool {
        true
    }
}

/// The kernel of three operands that does both steps; see [`super::paired`].
pub(super) fn pair<T: Lane + Whole>(
    first: Arithmetic,
    second: Arithmetic,
    is_left: bool,
) -> Option<Arc<dyn LaneKernel>> {
    match first {
        Arithmetic::Add => then::<Add, T>(second, is_left),
        Arithmetic::Subtract => then::<Subtract, T>(second, is_left),
        Arithmetic::Multiply => then::<Multiply, T>(second, is_left),
        Arithmetic::Divide => None,
    }
}

fn then<A: Step, T: Lane + Whole>(second: Arithmetic, is_left: bool) -> Option<Arc<dyn LaneKernel>> {
    Some(match (second, is_left) {
        (Arithmetic::Add, _) => Arc::new(Pair::<A, Add, T>(PhantomData)),
        (Arithmetic::Subtract, true) => Arc::new(Pair::<A, Subtract, T>(PhantomData)),
        (Arithmetic::Subtract, false) => Arc::new(Pair::<A, Flipped<Subtract>, T>(PhantomData)),
        (Arithmetic::Multiply, _) => Arc::new(Pair::<A, Multiply, T>(PhantomData)),
        (Arithmetic::Divide, _) => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const STEPS: [Arithmetic; 3] = [Arithmetic::Add, Arithmetic::Subtract, Arithmetic::Multiply];

    fn step(operator: Arithmetic, left: i64, right: i64) -> (i64, bool) {
        match operator {
            Arithmetic::Add => left.overflowing_add(right),
            Arithmetic::Subtract => left.overflowing_sub(right),
            _ => left.overflowing_mul(right),
        }
    }

    /// The results and the lanes that are marked.
    fn run(kernel: &dyn LaneKernel, inputs: [&[i64]; 3]) -> (Vec<i64>, Vec<bool>) {
        let mut results = vec![0; inputs[0].len()];
        let words = || vec![0; results.len().div_ceil(64)];
        let (mut null, mut failed) = (words(), words());
        let mut marks = Marks { null: &mut null, failed: &mut failed };
        kernel.run(&inputs.map(Lanes::Int64), &mut LanesMut::Int64(&mut results), &mut marks);
        let failed = (0..results.len()).map(|lane| failed[lane / 64] >> (lane % 64) & 1 == 1).collect();
        (results, failed)
    }

    #[test]
    fn a_pair_gives_what_its_steps_give_and_marks_what_overflows() {
        let edges = [0, 1, -1, 2, 7, 1 << 31, -(1 << 33), 1 << 62, i64::MAX, i64::MIN];
        let lane = |step: usize| (0..1000).map(|i| edges[i / step % edges.len()]).collect::<Vec<i64>>();
        let (a, b, c) = (lane(1), lane(10), lane(100));
        for first in STEPS {
            for (second, is_left) in STEPS.into_iter().flat_map(|second| [(second, true), (second, false)]) {
                let pair = pair::<i64>(first, second, is_left).unwrap();
                let of_lane = |a, b, c| {
                    let (inner, one) = step(first, a, b);
                    let (outer, two) = if is_left { step(second, inner, c) } else { step(second, c, inner) };
                    (outer, one || two)
                };
                let expected = (0..1000).map(|i| of_lane(a[i], b[i], c[i])).unzip();
                assert_eq!(run(&*pair, [&a, &b, &c]), expected, "{first:?} then {second:?}, {is_left}");
                for (b, c) in [(2, 1), (i64::MAX, -1), (-3, i64::MIN), (0, 0)] {
                    let expected = a.iter().map(|&a| of_lane(a, b, c)).unzip();
                    let given = run(&*pair, [&a, &[b], &[c]]);
                    assert_eq!(given, expected, "{first:?} {b} then {second:?} {c}, {is_left}");
                }
            }
        }
    }

    #[test]
    fn quotients_are_in_no_pair() {
        assert!(pair::<i64>(Arithmetic::Divide, Arithmetic::Add, true).is_none());
        assert!(pair::<i64>(Arithmetic::Add, Arithmetic::Divide, true).is_none());
    }
}
