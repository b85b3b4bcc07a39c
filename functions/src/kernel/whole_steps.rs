//! Two steps of arithmetic on whole numbers in one loop, which says whether one of them overflowed.
//!
//! Each step wraps and leaves the words that tell of an overflow, as the loops of one step do.

use super::lane_loop;
use super::whole_arithmetic::Whole;

/// A step of arithmetic.
pub trait Step: Copy + Send + Sync + 'static {
    /// The result, which wraps, and words whose union over all lanes tells whether one of them may have overflowed.
    fn of<T: Whole>(left: T, right: T) -> (T, [T; 2]);
    /// True if a lane may have overflowed.
    fn is_doubted<T: Whole>(words: [T; 2]) -> bool;
    /// True if this lane overflowed.
    fn overflows<T: Whole>(left: T, right: T) -> bool;
}

/// The sum.
#[derive(Debug, Clone, Copy)]
pub struct Add;

/// The left less the right.
#[derive(Debug, Clone, Copy)]
pub struct Subtract;

/// The product.
#[derive(Debug, Clone, Copy)]
pub struct Multiply;

/// The step with its operands the other way around.
#[derive(Debug, Clone, Copy)]
pub struct Flipped<S>(std::marker::PhantomData<S>);

impl Step for Add {
    #[inline(always)]
    fn of<T: Whole>(left: T, right: T) -> (T, [T; 2]) {
        let (sum, doubt) = left.add(right);
        (sum, [doubt, T::ZERO])
    }

    fn is_doubted<T: Whole>([doubt, _]: [T; 2]) -> bool {
        doubt.highest()
    }

    fn overflows<T: Whole>(left: T, right: T) -> bool {
        left.add(right).1.highest()
    }
}

impl Step for Subtract {
    #[inline(always)]
    fn of<T: Whole>(left: T, right: T) -> (T, [T; 2]) {
        let (difference, doubt) = left.subtract(right);
        (difference, [doubt, T::ZERO])
    }

    fn is_doubted<T: Whole>([doubt, _]: [T; 2]) -> bool {
        doubt.highest()
    }

    fn overflows<T: Whole>(left: T, right: T) -> bool {
        left.subtract(right).1.highest()
    }
}

impl Step for Multiply {
    #[inline(always)]
    fn of<T: Whole>(left: T, right: T) -> (T, [T; 2]) {
        (left.multiply(right), [left.digits(), right.digits()])
    }

    /// As the most bits of either side tell.
    fn is_doubted<T: Whole>([left, right]: [T; 2]) -> bool {
        left.bits() + right.bits() > T::PRODUCT_BITS
    }

    fn overflows<T: Whole>(left: T, right: T) -> bool {
        left.product_overflows(right)
    }
}

impl<S: Step> Step for Flipped<S> {
    #[inline(always)]
    fn of<T: Whole>(left: T, right: T) -> (T, [T; 2]) {
        S::of(right, left)
    }

    fn is_doubted<T: Whole>(words: [T; 2]) -> bool {
        S::is_doubted(words)
    }

    fn overflows<T: Whole>(left: T, right: T) -> bool {
        S::overflows(right, left)
    }
}

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
