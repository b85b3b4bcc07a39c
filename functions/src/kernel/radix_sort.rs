//! Sorting of many numbers by digits, from the lowest to the highest: a few passes over memory, and no comparison that is guessed wrong.

/// Bits of a digit: counters and open lines of so many buckets stay in the second-level cache.
const DIGIT_BITS: u32 = 10;

/// Fewer numbers are compared: the counters of all digits would cost more.
const COUNT_MIN: usize = 1 << 11;

/// Sorts numbers by their bits from `lowest` on. Numbers that are equal there may come in any order.
///
/// Bits in which no two numbers differ belong to no digit, so that keys of few values, and texts of few letters, take few passes.
pub fn sort_by_high_bits(numbers: &mut Vec<u128>, lowest: u32) {
    if numbers.len() < COUNT_MIN {
        return numbers.sort_unstable();
    }
    let mut spare = vec![0; numbers.len()];
    for shift in digits(numbers, lowest) {
        distribute(numbers, &mut spare, shift);
        std::mem::swap(numbers, &mut spare);
    }
}

/// Where the digits begin that tell numbers apart, the lowest first.
fn digits(numbers: &[u128], lowest: u32) -> Vec<u32> {
    let first = numbers.first().copied().unwrap_or_default();
    let mut varying = numbers.iter().fold(0, |varying, number| varying | number ^ first);
    let mut shifts = Vec::new();
    varying = varying.checked_shr(lowest).map_or(0, |high| high << lowest);
    while varying != 0 {
        let shift = varying.trailing_zeros();
        shifts.push(shift);
        varying = varying.checked_shr(shift + DIGIT_BITS).map_or(0, |high| high << (shift + DIGIT_BITS));
    }
    shifts
}

/// Copies numbers in the order of one digit; equal ones keep theirs.
fn distribute(numbers: &[u128], sorted: &mut [u128], shift: u32) {
    const BUCKETS: usize = 1 << DIGIT_BITS;
    let digit = |number: u128| (number >> shift) as usize & (BUCKETS - 1);
    let mut places = [0usize; BUCKETS];
    numbers.iter().for_each(|&number| places[digit(number)] += 1);
    let mut next = 0;
    for place in &mut places {
        next += std::mem::replace(place, next);
    }
    for &number in numbers {
        let place = &mut places[digit(number)];
        sorted[*place] = number;
        *place += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Numbers that look random, one after another.
    fn numbers(count: usize, mask: u128) -> Vec<u128> {
        let mut state = 1u128;
        let next = |_| {
            state = state.wrapping_mul(0x2360_ed05_1fc6_5da4_4385_df64_9fcc_f645).wrapping_add(11);
            (state ^ state >> 64) & mask
        };
        (0..count).map(next).collect()
    }

    proptest! {
        #[test]
        fn numbers_are_sorted_whatever_bits_tell_them_apart(count in 0usize..6_000, mask: u128, lowest in 0u32..128) {
            let mut sorted = numbers(count, mask);
            let mut expected = sorted.clone();
            expected.sort_unstable();
            sort_by_high_bits(&mut sorted, lowest);
            let high = |numbers: &[u128]| numbers.iter().map(|number| number >> lowest).collect::<Vec<_>>();
            prop_assert_eq!(high(&sorted), high(&expected));
            sorted.sort_unstable();
            prop_assert_eq!(sorted, expected);
        }
    }

    #[test]
    fn the_highest_bits_are_a_digit_too() {
        let mut sorted: Vec<u128> =
            (0..4_000).map(|number| (number * 7_919 % 4_000) << 116 | number).collect();
        sort_by_high_bits(&mut sorted, 32);
        assert!(sorted.is_sorted_by_key(|number| number >> 32));
        assert_eq!(digits(&[0, 1 << 127], 32), [127]);
        assert_eq!(digits(&[5, 5], 0), [0u32; 0]);
    }
}
