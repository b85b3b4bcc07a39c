//! Sums, differences and products of whole numbers, which say whether one of them overflowed.
//!
//! Results wrap, and no lane is tested by itself: each leaves a word whose bits tell of an overflow, and the words of a slice are
//! united. So the loops are as wide as those that check nothing.

use super::lane_loop;

/// Whole numbers of one width.
pub trait Whole: Copy + PartialEq + 'static {
    /// No bits.
    const ZERO: Self;
    /// Bits of a product that cannot overflow, beside the sign.
    const PRODUCT_BITS: u32;
    /// The bits that are set in either.
    fn unite(self, other: Self) -> Self;
    /// The sum, and a word whose highest bit says that it overflowed.
    fn add(self, other: Self) -> (Self, Self);
    /// The difference, and a word whose highest bit says that it overflowed.
    fn subtract(self, other: Self) -> (Self, Self);
    /// The product, whether it overflowed or not.
    fn multiply(self, other: Self) -> Self;
    /// True if the product overflows.
    fn product_overflows(self, other: Self) -> bool;
    /// The bits that differ from the sign.
    fn digits(self) -> Self;
    /// Number of bits up to the highest that is set.
    fn bits(self) -> u32;
    /// The highest bit.
    fn highest(self) -> bool;
}

macro_rules! whole {
    ($($signed:ty, $unsigned:ty;)*) => {$(
        impl Whole for $signed {
            const ZERO: Self = 0;
            // The product of two least numbers of a width has one bit more than their bits together.
            const PRODUCT_BITS: u32 = Self::BITS - 2;
            #[inline(always)]
            fn unite(self, other: Self) -> Self { self | other }
            #[inline(always)]
            fn add(self, other: Self) -> (Self, Self) {
                let sum = self.wrapping_add(other);
                (sum, (self ^ sum) & (other ^ sum))
            }
            #[inline(always)]
            fn subtract(self, other: Self) -> (Self, Self) {
                let difference = self.wrapping_sub(other);
                (difference, (self ^ other) & (self ^ difference))
            }
            #[inline(always)]
            fn multiply(self, other: Self) -> Self { self.wrapping_mul(other) }
            fn product_overflows(self, other: Self) -> bool { self.overflowing_mul(other).1 }
            #[inline(always)]
            fn digits(self) -> Self { self ^ (self >> (Self::BITS - 1)) }
            #[inline(always)]
            fn bits(self) -> u32 { Self::BITS - self.leading_zeros() }
            #[inline(always)]
            fn highest(self) -> bool { self < 0 }
        }

        impl Whole for $unsigned {
            const ZERO: Self = 0;
            const PRODUCT_BITS: u32 = Self::BITS;
            #[inline(always)]
            fn unite(self, other: Self) -> Self { self | other }
            #[inline(always)]
            fn add(self, other: Self) -> (Self, Self) {
                let sum = self.wrapping_add(other);
                (sum, (self & other) | ((self | other) & !sum))
            }
            #[inline(always)]
            fn subtract(self, other: Self) -> (Self, Self) {
                let difference = self.wrapping_sub(other);
                (difference, (!self & other) | ((!self | other) & difference))
            }
            #[inline(always)]
            fn multiply(self, other: Self) -> Self { self.wrapping_mul(other) }
            fn product_overflows(self, other: Self) -> bool { self.overflowing_mul(other).1 }
            #[inline(always)]
            fn digits(self) -> Self { self }
            #[inline(always)]
            fn bits(self) -> u32 { Self::BITS - self.leading_zeros() }
            #[inline(always)]
            fn highest(self) -> bool { self >> (Self::BITS - 1) == 1 }
        }
    )*};
}
// One arm expands to the impls of a width, with the rules for the carry of either kind of number.
whole! {
    i8, u8;
    i16, u16;
    i32, u32;
    i64, u64;
}

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

/// `results[i] = first[i] S second[i]`, either of which may be one lane that stands for all; true if a lane may have overflowed:
/// exact for sums and differences, while products go by the most bits of either side.
pub fn run<S: Step, T: Whole>(first: &[T], second: &[T], results: &mut [T]) -> bool {
    let words = match (first, second) {
        (first, &[b]) => lane_loop::united_unary(&|a| S::of(a, b), first, results),
        (&[a], second) => lane_loop::united_unary(&|b| S::of(a, b), second, results),
        (first, second) => lane_loop::united_binary(&S::of, first, second, results),
    };
    S::is_doubted(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    type Loop<T> = fn(&[T], &[T], &mut [T]) -> bool;
    type Rule<T> = fn(T, T) -> (T, bool);

    /// Holds a loop against the rule for one pair, over slices of many lengths and over numbers on either side.
    fn check<T: Whole + std::fmt::Debug>(values: &[T], run: Loop<T>, rule: Rule<T>, is_exact: bool) {
        for (place, &a) in values.iter().enumerate() {
            for &b in &values[place..] {
                let (expected, overflowed) = rule(a, b);
                for length in [1, 2, 127, 128, 300] {
                    // All lanes but one are zeros, which overflow with nothing.
                    let (mut left, mut right) = (vec![T::ZERO; length], vec![T::ZERO; length]);
                    (left[length / 2], right[length / 2]) = (a, b);
                    let mut results = vec![T::ZERO; length];
                    let doubted = run(&left, &right, &mut results);
                    assert_eq!(results[length / 2], expected, "{a:?} and {b:?}");
                    assert!(doubted == overflowed || (doubted && !is_exact), "{a:?} and {b:?} of {length}");
                    let both = [(&vec![a; length][..], &[b][..]), (&[a], &vec![b; length])];
                    for (left, right) in both {
                        let doubted = run(left, right, &mut results);
                        assert_eq!(results, vec![expected; length], "{a:?} and {b:?}");
                        assert!(doubted == overflowed || (doubted && !is_exact), "{a:?} and {b:?}");
                    }
                }
            }
        }
    }

    #[test]
    fn overflow_of_signed_numbers_is_seen_at_every_edge() {
        let near = [-3i64, -2, -1, 0, 1, 2, 3];
        let edges = [0, 1 << 31, -(1 << 31), 1 << 32, i64::MAX, i64::MIN, 1 << 62, -(1 << 62)];
        let values: Vec<i64> =
            edges.iter().flat_map(|&edge| near.map(|step| step.wrapping_add(edge))).collect();
        check(&values, run::<Add, _>, i64::overflowing_add, true);
        check(&values, run::<Subtract, _>, i64::overflowing_sub, true);
        check(&values, run::<Multiply, _>, i64::overflowing_mul, false);
        check(&(i8::MIN..=i8::MAX).step_by(3).collect::<Vec<_>>(), run::<Add, _>, i8::overflowing_add, true);
        check(&[i8::MIN, -1, 1, 11, 12, i8::MAX], run::<Multiply, _>, i8::overflowing_mul, false);
    }

    #[test]
    fn overflow_of_unsigned_numbers_is_seen_at_every_edge() {
        let values = [0, 1, 2, 3, (1 << 32) - 1, 1 << 32, 1 << 63, (1 << 63) - 1, u64::MAX - 1, u64::MAX];
        check(&values, run::<Add, _>, u64::overflowing_add, true);
        check(&values, run::<Subtract, _>, u64::overflowing_sub, true);
        check(&values, run::<Multiply, _>, u64::overflowing_mul, false);
        check(&(0..=u8::MAX).step_by(5).collect::<Vec<_>>(), run::<Subtract, _>, u8::overflowing_sub, true);
    }

    #[test]
    fn products_of_few_bits_are_not_doubted() {
        let mut results = [0i64; 4];
        assert!(!run::<Multiply, _>(&[1 << 30, -(1 << 31), 7, 0], &[-(1 << 31)], &mut results));
        assert!(!run::<Multiply, _>(&[1 << 40, -5, 7, 0], &[3, 1 << 20, -1, 0], &mut results));
        assert!(run::<Multiply, _>(&[i64::MIN, 0, 0, 0], &[-1], &mut results));
    }
}
