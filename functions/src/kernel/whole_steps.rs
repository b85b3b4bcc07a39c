//! Two steps of arithmetic on whole numbers in one loop, which says whether one of them overflowed.
//!
//! Each step wraps and leaves the words that tell of an overflow, as the loops of one step do.

use super::lane_loop;
use super::whole_arithmetic::{Step, Whole};

/// `results[i] = (first[i] A second[i]) B third[i]`, where the last two may be single lanes that stand for all; true if a step may
/// have overflowed in some lane.
pub fn two_steps<A: Step, B: Step, T: Whole>(lanes: [&[T]; 3], results: &mut [T]) -> bool {
    let of_lane = |a: T, b: T, c: T| {
        let (inner, [one, two]) = A::of(a, b);
        let (outer, [three, four]) = B::of(inner, c);
        (outer, [one, two, three, four])
    };
    let [one, two, three, four] = match lanes {
        [first, &[b], &[c]] => lane_loop::united_steps(&|a| of_lane(a, b, c), first, results),
        [first, second, third] => lane_loop::united_steps_of_three(&of_lane, [first, second, third], results),
    };
    A::is_doubted([one, two]) || B::is_doubted([three, four])
}

/// True if one of the steps overflows in this lane.
pub fn steps_overflow<A: Step, B: Step, T: Whole>(a: T, b: T, c: T) -> bool {
    A::overflows(a, b) || B::overflows(A::of(a, b).0, c)
}
