//! Bins on an absolute grid: how one finite `f64` is cut into integers, and how they add up.
//!
//! Bin k counts multiples of 2^(32 k - 1074). A value is cut from the top: the multiple of bin k nearest to it, then the
//! multiple of bin k - 1 nearest to the rest, and so on; each is at most 2^31 in size. The cut starts at the lowest bin for
//! which the value is below 2^31 units, a property of the value alone: higher bins would get 0. A state keeps the highest
//! bin any value needed and the few below it. When a higher one is needed, all move up and the lowest are dropped, which
//! drops the same pieces that values coming later do not put in. So the bins depend on the set of values only.
//!
//! A piece is cut without branches: adding 1.5 * 2^52 units of a bin rounds to its multiple, and the bits of the
//! sum less the bits of that constant are the integer.

use std::num::NonZeroU8;

/// The highest bin of any finite `f64`.
const TOP_MAX: u8 = 65;
/// From this bin on, the rounding constants leave the range, and values are scaled by 2^-64, two bins, first.
const TOP_SCALED: u8 = 64;

/// All bits of an `f64` but the sign.
pub(super) const SIZE_BITS: u64 = u64::MAX >> 1;

/// The highest bin that a state keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Top(NonZeroU8);

impl Top {
    /// The top of an empty state with `bins` bins, which reaches down to bin 0.
    pub(super) const fn lowest(bins: usize) -> Top {
        match NonZeroU8::new(bins as u8 - 1) {
            Some(top) => Top(top),
            None => Top(NonZeroU8::MIN),
        }
    }

    /// The bin at which the cut of a finite value starts; higher for infinities and NaN than for any other.
    #[inline(always)]
    pub(super) fn needed(size_bits: u64) -> u8 {
        (((size_bits >> 52) + 52) >> 5) as u8
    }

    /// The top with this number, if it is one for `bins` bins.
    pub(super) fn from_number(number: u64, bins: usize) -> Option<Top> {
        let top = NonZeroU8::new(u8::try_from(number).ok()?)?;
        (top.get() <= TOP_MAX && Top(top) >= Top::lowest(bins)).then_some(Top(top))
    }

    /// The number of the bin.
    #[inline(always)]
    pub(super) fn number(self) -> u8 {
        self.0.get()
    }

    /// Whether values that need at most this bin are added as they are, without being scaled first.
    pub(super) fn holds_unscaled(self) -> bool {
        self.number() < TOP_SCALED
    }

    /// Whether a value is finite and [`add_absorbed`] may add it as it is.
    #[inline(always)]
    pub(super) fn absorbs(self, size_bits: u64) -> bool {
        let limit = (u64::from(self.number()) << 57).wrapping_sub(20 << 52);
        (self.number() < TOP_SCALED) & (size_bits < limit)
    }
}

/// The rounding constant of a bin below [`TOP_SCALED`].
#[inline(always)]
fn rounding_bits(bin: u64) -> u64 {
    (bin << 57) + (1 << 52) + (1 << 51)
}

/// The rounding constants of the bins from `top` down.
#[inline(always)]
fn rounding_constants<const BINS: usize>(top: u8) -> [u64; BINS] {
    std::array::from_fn(|index| rounding_bits(u64::from(top) - index as u64))
}

/// Cuts one value and adds the pieces.
#[inline(always)]
fn add_pieces<const BINS: usize>(bins: &mut [i64; BINS], constants: &[u64; BINS], value: f64) {
    let mut rest = value;
    for (bin, &constant) in bins.iter_mut().zip(constants) {
        let rounded = rest + f64::from_bits(constant);
        *bin = bin.wrapping_add(rounded.to_bits().wrapping_sub(constant) as i64);
        rest -= rounded - f64::from_bits(constant);
    }
}

/// Adds a value that `top` absorbs.
#[inline(always)]
pub(super) fn add_absorbed<const BINS: usize>(bins: &mut [i64; BINS], top: Top, value: f64) {
    add_pieces(bins, &rounding_constants(top.number()), value);
}

/// Adds any finite value, moving the bins up where it needs that.
#[cold]
pub(super) fn add_finite<const BINS: usize>(bins: &mut [i64; BINS], top: &mut Top, value: f64) {
    let size_bits = value.to_bits() & SIZE_BITS;
    raise_to(bins, top, Top::needed(size_bits));
    if top.number() < TOP_SCALED {
        add_absorbed(bins, *top, value);
    } else {
        const TWO_BINS: f64 = 1.0 / 18_446_744_073_709_551_616.0; // 2^-64
        add_pieces(bins, &rounding_constants(top.number() - 2), value * TWO_BINS);
    }
}

/// Moves the bins up to at least `needed`.
pub(super) fn raise_to<I: Copy + Default, const BINS: usize>(
    bins: &mut [I; BINS],
    top: &mut Top,
    needed: u8,
) {
    let steps = usize::from(needed.saturating_sub(top.number()));
    if steps > 0 {
        let kept = BINS.saturating_sub(steps);
        bins.copy_within(0..kept, BINS - kept);
        bins[..BINS - kept].fill(I::default());
        *top = NonZeroU8::new(needed).map_or(*top, Top);
    }
}

/// Adds the bins of another state.
pub(super) fn merge<const BINS: usize>(
    bins: &mut [i64; BINS],
    top: &mut Top,
    others: &[i64; BINS],
    other_top: Top,
) {
    let (mut others, mut other_top) = (*others, other_top);
    raise_to(bins, top, other_top.number());
    raise_to(&mut others, &mut other_top, top.number());
    for (bin, other) in bins.iter_mut().zip(others) {
        *bin = bin.wrapping_add(other);
    }
}

/// Values of one block of [`add_slice`]: they are read twice, so they should stay in the first-level cache.
const BLOCK: usize = 512;

/// Adds every value; infinities and NaN are given to `special` instead.
pub(super) fn add_slice<const BINS: usize>(
    bins: &mut [i64; BINS],
    top: &mut Top,
    values: &[f64],
    mut special: impl FnMut(f64),
) {
    for block in values.chunks(BLOCK) {
        add_sized(bins, top, block, largest_size(block), &mut special);
    }
}

/// The same for values of which the largest has this size, or none is larger and one that was added before has it.
pub(super) fn add_sized<const BINS: usize>(
    bins: &mut [i64; BINS],
    top: &mut Top,
    values: &[f64],
    largest: f64,
    mut special: impl FnMut(f64),
) {
    let largest = largest.to_bits();
    if largest < f64::INFINITY.to_bits() {
        raise_to(bins, top, Top::needed(largest));
    }
    if top.absorbs(largest) {
        return add_block(bins, &rounding_constants(top.number()), values);
    }
    for &value in values {
        if value.is_finite() { add_finite(bins, top, value) } else { special(value) }
    }
}

/// Adds a block of values that the top of the constants absorbs.
#[inline]
fn add_block<const BINS: usize>(bins: &mut [i64; BINS], constants: &[u64; BINS], values: &[f64]) {
    match (bins.as_mut_slice(), constants.as_slice()) {
        ([a, b, c], &[first, second, third]) => {
            let sums = add_three(values, [first, second, third]);
            [a, b, c].into_iter().zip(sums).for_each(|(bin, sum)| *bin = bin.wrapping_add(sum));
        }
        ([a, b, c, d], &[first, second, third, fourth]) => {
            let sums = add_four(values, [first, second, third, fourth]);
            [a, b, c, d].into_iter().zip(sums).for_each(|(bin, sum)| *bin = bin.wrapping_add(sum));
        }
        _ => values.iter().for_each(|&value| add_pieces(bins, constants, value)),
    }
}

/// What is left of a value after its piece in a bin, and the bits that hold the piece.
#[inline(always)]
fn cut(value: f64, constant: f64) -> (f64, u64) {
    let rounded = value + constant;
    (value - (rounded - constant), rounded.to_bits())
}

/// The sum of pieces from the sum of the bits that hold them.
#[inline(always)]
fn sum_of_pieces(bits: u64, constant: u64, count: usize) -> i64 {
    bits.wrapping_sub(constant.wrapping_mul(count as u64)) as i64
}

at_each_level! {
    /// The largest size in a block; NaN if there is a NaN.
    pub(super) fn largest_size / largest_size_at(values: &[f64]) -> f64 {
        // As integers, sizes order as floats do, with NaN above all.
        let mut lanes = [0i64; 16];
        let mut blocks = values.chunks_exact(16);
        for block in blocks.by_ref() {
            for lane in 0..16 {
                lanes[lane] = lanes[lane].max((block[lane].to_bits() & SIZE_BITS) as i64);
            }
        }
        let rest = blocks.remainder().iter().map(|value| (value.to_bits() & SIZE_BITS) as i64);
        let largest = lanes.into_iter().chain(rest).fold(0, i64::max);
        f64::from_bits(largest as u64)
    }

    /// The sums of the pieces of every value in three bins.
    fn add_three / add_three_at(values: &[f64], constants: [u64; 3]) -> [i64; 3] {
        let [first, second, third] = constants.map(f64::from_bits);
        let (mut high, mut middle, mut low) = (0u64, 0u64, 0u64);
        for &value in values {
            let (rest, bits) = cut(value, first);
            high = high.wrapping_add(bits);
            let (rest, bits) = cut(rest, second);
            middle = middle.wrapping_add(bits);
            low = low.wrapping_add((rest + third).to_bits());
        }
        let bits = [high, middle, low];
        std::array::from_fn(|index| sum_of_pieces(bits[index], constants[index], values.len()))
    }

    /// The sums of the pieces of every value in four bins.
    fn add_four / add_four_at(values: &[f64], constants: [u64; 4]) -> [i64; 4] {
        let [first, second, third, fourth] = constants.map(f64::from_bits);
        let (mut high, mut middle, mut low, mut lowest) = (0u64, 0u64, 0u64, 0u64);
        for &value in values {
            let (rest, bits) = cut(value, first);
            high = high.wrapping_add(bits);
            let (rest, bits) = cut(rest, second);
            middle = middle.wrapping_add(bits);
            let (rest, bits) = cut(rest, third);
            low = low.wrapping_add(bits);
            lowest = lowest.wrapping_add((rest + fourth).to_bits());
        }
        let bits = [high, middle, low, lowest];
        std::array::from_fn(|index| sum_of_pieces(bits[index], constants[index], values.len()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::level::Level;

    #[test]
    fn the_top_needed_is_the_lowest_that_holds_the_value() {
        for exponent in -1074..1024i32 {
            let value =
                if exponent < -1022 { f64::from_bits(1 << (exponent + 1074)) } else { 2f64.powi(exponent) };
            let top = i32::from(Top::needed(value.to_bits()));
            // Below 2^31 units of this bin, and (bin 1 holds all subnormal numbers) not of the one below.
            assert!(exponent < 32 * top + 31 - 1074, "2^{exponent}");
            assert!(top <= 2 || exponent >= 32 * (top - 1) + 31 - 1074, "2^{exponent}");
        }
        assert_eq!(Top::needed(f64::MAX.to_bits()), TOP_MAX);
    }

    #[test]
    fn pieces_of_a_value_add_up_to_it() {
        for value in
            [1.0, -1.0, 0.1, 1e300, 1.7e308, 5e-324, 1e-300, 123_456_789.123, 2f64.powi(973), 2f64.powi(1005)]
        {
            let (mut bins, mut top) = ([0i64; 3], Top::lowest(3));
            add_finite(&mut bins, &mut top, value);
            let weight = |index: i32| 32 * (i32::from(top.number()) - index) - 1074;
            let piece = |index: i32| {
                bins[index as usize] as f64
                    * 2f64.powi(weight(index) / 2)
                    * 2f64.powi(weight(index) - weight(index) / 2)
            };
            assert_eq!((piece(2) + piece(1)) + piece(0), value, "{bins:?}");
        }
    }

    #[test]
    fn blocks_add_the_pieces_of_their_values_at_every_level() {
        let values: Vec<f64> = (0..1003).map(|index| f64::from(index - 500) * 0.1234567).collect();
        let top =
            Top::needed(values.iter().fold(0.0, |largest: f64, value| largest.max(value.abs())).to_bits());
        let (three, four) = (rounding_constants(top), rounding_constants(top));
        let (mut expected_three, mut expected_four) = ([0; 3], [0; 4]);
        values.iter().for_each(|&value| add_pieces(&mut expected_three, &three, value));
        values.iter().for_each(|&value| add_pieces(&mut expected_four, &four, value));
        for level in Level::available() {
            assert_eq!(add_three_at(level, &values, three), expected_three);
            assert_eq!(add_four_at(level, &values, four), expected_four);
            assert_eq!(largest_size_at(level, &values), 502.0 * 0.1234567);
            assert!(largest_size_at(level, &[1.0, f64::NAN, 2.0]).is_nan());
        }
    }
}
