//! Reproducible summation: the same bits for any order, cut and merge of the addends.
//!
//! Every finite `f64` is an integer times a power of two. The number line of bit positions is cut on
//! an absolute grid into bins of 32 bits, and an addend is cut at the same places. A [`BinnedSum`] keeps
//! a few bins from the one that holds the leading bit of the largest addend downwards, each as an
//! integer sum of slices without carries between bins; when a larger addend comes, bins move down
//! and the lowest fall away whole. What is kept is therefore a function of the set of addends alone.
//!
//! Bound: with three bins each addend loses less than 2^-64 of the largest addend's magnitude, so `n`
//! addends err by less than `n * 2^-64 * max|x|` before the one final rounding; with four bins 2^-96.
//! Source: Demmel and Nguyen, "Parallel Reproducible Summation" (2015), with integer instead of
//! floating-point bins.

/// Bits of a bin.
const BIN_BITS: i32 = 32;
/// Adds after which a 64-bit bin of 32-bit slices may overflow.
const ADDS_MAX: u32 = 1 << 31;
/// Weight of bit position 0: below the last bit of any product of two doubles.
const LOWEST_EXPONENT: i32 = -2200;

const SAW_NAN: u8 = 1;
const SAW_POSITIVE_INFINITY: u8 = 2;
const SAW_NEGATIVE_INFINITY: u8 = 4;

/// Number of words of a serialized [`BinnedSum`].
pub const SUM_WORDS: usize = 9;

/// Sum of plain values.
pub type FloatSum = BinnedSum<3>;

/// Sum of products that are subtracted from one another later, which costs leading bits: moments.
pub type MomentSum = BinnedSum<4>;

/// An order-independent sum of `f64` values or products, in three or four bins.
#[derive(Debug, Clone, PartialEq)]
pub struct BinnedSum<const BINS: usize> {
    /// Sums of slices, lowest bin first.
    bins: [i64; BINS],
    /// What was moved out of `bins` before they could overflow.
    wide: Option<Box<[i128; BINS]>>,
    /// Adds since bins were last moved out.
    adds: u32,
    /// Number of the highest bin, plus 1; 0 while nothing but zero was added.
    top: u16,
    /// Values that are not finite.
    specials: u8,
}

impl<const BINS: usize> Default for BinnedSum<BINS> {
    fn default() -> Self {
        const { assert!(BINS == 3 || BINS == 4, "a window of slices fits 128 bits") };
        Self { bins: [0; BINS], wide: None, adds: 0, top: 0, specials: 0 }
    }
}

impl<const BINS: usize> BinnedSum<BINS> {
    /// An empty sum, which is 0.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a value.
    #[inline]
    pub fn add(&mut self, value: f64) {
        let bits = value.to_bits();
        let exponent = (bits >> 52 & 0x7ff) as i32;
        if exponent == 0x7ff {
            return self.add_special(value);
        }
        let fraction = bits & ((1 << 52) - 1);
        let mantissa = if exponent == 0 { fraction } else { fraction | 1 << 52 };
        if mantissa == 0 {
            return;
        }
        let position = exponent.max(1) - 1075 - LOWEST_EXPONENT;
        let top = ((position + 52) / BIN_BITS + 1) as u16;
        if top > self.top {
            self.raise(top);
        }
        // As `add_scaled`, but in 64-bit arithmetic: 53 bits touch at most three bins.
        let (bin, offset) = (position / BIN_BITS, position as u32 % 32);
        let (low, high) = (mantissa << offset, (mantissa >> 1) >> (63 - offset));
        let sign = (bits as i64) >> 63;
        let first = bin - (i32::from(self.top) - BINS as i32);
        for (slice, digit) in [low as u32, (low >> 32) as u32, high as u32].into_iter().enumerate() {
            // A negative place wraps past the end: that bin has fallen away.
            if let Some(held) = self.bins.get_mut((first + slice as i32) as usize) {
                *held += (i64::from(digit) ^ sign) - sign;
            }
        }
        self.adds += 1;
        if self.adds == ADDS_MAX {
            self.widen();
        }
    }

    /// Adds every value of a slice.
    pub fn add_slice(&mut self, values: &[f64]) {
        values.iter().for_each(|&value| self.add(value));
    }

    /// Adds the exact product of two values.
    #[inline]
    pub fn add_product(&mut self, left: f64, right: f64) {
        let (a, b) = (left.to_bits(), right.to_bits());
        let (ea, eb) = ((a >> 52 & 0x7ff) as i32, (b >> 52 & 0x7ff) as i32);
        if ea == 0x7ff || eb == 0x7ff {
            return self.add_special(left * right);
        }
        let mantissa = |bits: u64, exponent: i32| {
            let fraction = bits & ((1 << 52) - 1);
            u128::from(if exponent == 0 { fraction } else { fraction | 1 << 52 })
        };
        let position = ea.max(1) + eb.max(1) - 2150 - LOWEST_EXPONENT;
        self.add_scaled(mantissa(a, ea) * mantissa(b, eb), position, 106, (a ^ b) >> 63 == 1);
    }

    /// Adds `±mantissa * 2^(position + LOWEST_EXPONENT)`, where the mantissa has at most `width` bits. The
    /// bin of the leading bit follows from position and width alone, whether or not that bit is set.
    #[inline(always)]
    fn add_scaled(&mut self, mantissa: u128, position: i32, width: i32, negative: bool) {
        if mantissa == 0 {
            return;
        }
        let top = ((position + width - 1) / BIN_BITS + 1) as u16;
        if top > self.top {
            self.raise(top);
        }
        let lowest = (i32::from(self.top) - BINS as i32) * BIN_BITS;
        let shift = position - lowest;
        let window = if shift >= 0 {
            mantissa << shift
        } else if shift > -128 {
            mantissa >> -shift
        } else {
            0
        };
        let sign = if negative { -1 } else { 1 };
        for (bin, held) in self.bins.iter_mut().enumerate() {
            *held += sign * i64::from((window >> (32 * bin)) as u32);
        }
        self.adds += 1;
        if self.adds == ADDS_MAX {
            self.widen();
        }
    }

    #[cold]
    fn add_special(&mut self, value: f64) {
        self.specials |= if value.is_nan() {
            SAW_NAN
        } else if value > 0.0 {
            SAW_POSITIVE_INFINITY
        } else {
            SAW_NEGATIVE_INFINITY
        };
    }

    /// Makes `top` the highest bin: bins move down, the lowest fall away.
    #[cold]
    fn raise(&mut self, top: u16) {
        let by = if self.top == 0 { BINS } else { usize::from(top - self.top).min(BINS) };
        shift_down(&mut self.bins, by);
        if let Some(wide) = &mut self.wide {
            shift_down(wide, by);
        }
        self.top = top;
    }

    #[cold]
    fn widen(&mut self) {
        let wide = self.wide.get_or_insert_with(|| Box::new([0; BINS]));
        for (wide, bin) in wide.iter_mut().zip(&mut self.bins) {
            *wide += i128::from(std::mem::take(bin));
        }
        self.adds = 0;
    }

    /// Adds another sum.
    pub fn merge(&mut self, other: &Self) {
        self.specials |= other.specials;
        if other.top == 0 {
            return;
        }
        if other.top > self.top {
            self.raise(other.top);
        }
        let down = usize::from(self.top - other.top).min(BINS);
        let (mut bins, mut wide) = (other.bins, other.wide.clone());
        shift_down(&mut bins, down);
        if let Some(wide) = &mut wide {
            shift_down(wide, down);
        }
        if self.adds.checked_add(other.adds).is_none_or(|adds| adds >= ADDS_MAX) {
            self.widen();
        }
        for (bin, added) in self.bins.iter_mut().zip(bins) {
            *bin += added;
        }
        self.adds += other.adds;
        if let Some(wide) = wide {
            let own = self.wide.get_or_insert_with(|| Box::new([0; BINS]));
            own.iter_mut().zip(wide.iter()).for_each(|(own, added)| *own += added);
        }
        if self.adds >= ADDS_MAX {
            self.widen();
        }
    }

    /// The sum, rounded once to nearest, ties to even. NaN if a NaN or infinities of both signs were
    /// added; an infinity if one was; an empty sum and a sum of zeros of either sign are +0.
    pub fn finish(&self) -> f64 {
        let (high, low) = self.finish_pair();
        high + low
    }

    /// The sum as an unevaluated pair `high + low`, where `high` is the sum rounded to nearest.
    pub fn finish_pair(&self) -> (f64, f64) {
        match self.specials {
            0 => {}
            SAW_POSITIVE_INFINITY => return (f64::INFINITY, 0.0),
            SAW_NEGATIVE_INFINITY => return (f64::NEG_INFINITY, 0.0),
            _ => return (f64::NAN, 0.0),
        }
        let mut bins = self.bins.map(i128::from);
        if let Some(wide) = &self.wide {
            bins.iter_mut().zip(wide.iter()).for_each(|(bin, wide)| *bin += wide);
        }
        let (digits, negative) = digits(&bins);
        let Some(highest) = digits.iter().rposition(|&digit| digit != 0) else { return (0.0, 0.0) };
        // Four digits hold at least 97 significant bits; what lies below only breaks ties.
        let first = highest.saturating_sub(3);
        let magnitude = digits[first..=highest].iter().rev().fold(0u128, |held, &digit| held << 32 | u128::from(digit));
        let sticky = u128::from(digits[..first].iter().any(|&digit| digit != 0));
        let exponent = (i32::from(self.top) - BINS as i32 + first as i32) * BIN_BITS + LOWEST_EXPONENT;
        let (high, low) = split(magnitude | sticky, exponent);
        if negative { (-high, -low) } else { (high, low) }
    }

    /// The state as words, for files and exchange.
    pub fn to_words(&self) -> [u64; SUM_WORDS] {
        let mut words = [0; SUM_WORDS];
        let mut bins = self.bins.map(i128::from);
        if let Some(wide) = &self.wide {
            bins.iter_mut().zip(wide.iter()).for_each(|(bin, wide)| *bin += wide);
        }
        for (bin, value) in bins.iter().enumerate() {
            words[2 * bin] = *value as u64;
            words[2 * bin + 1] = (*value >> 64) as u64;
        }
        words[8] = u64::from(self.top) | u64::from(self.specials) << 16 | u64::from(self.adds) << 32;
        words
    }

    /// The state that [`BinnedSum::to_words`] wrote. Any words give some state, never a panic.
    pub fn from_words(words: &[u64; SUM_WORDS]) -> Self {
        let highest = ((2200 + 2048) / BIN_BITS + 2) as u16;
        let bin = |bin: usize| (i128::from(words[2 * bin + 1] as i64) << 64) | i128::from(words[2 * bin]);
        let bins: [i128; BINS] = std::array::from_fn(bin);
        let mut state = Self {
            top: (words[8] as u16).min(highest),
            specials: (words[8] >> 16) as u8 & 7,
            adds: ((words[8] >> 32) as u32).min(ADDS_MAX - 1),
            ..Self::default()
        };
        match bins.map(i64::try_from) {
            narrow if narrow.iter().all(Result::is_ok) => state.bins = narrow.map(|bin| bin.unwrap_or(0)),
            // The range is cut, so that damaged words cannot overflow on a later merge.
            _ => state.wide = Some(Box::new(bins.map(|bin| bin % (1 << 120)))),
        }
        state
    }
}

/// The number that the bins stand for as digits of 32 bits, lowest first, and its sign.
fn digits<const BINS: usize>(bins: &[i128; BINS]) -> ([u32; 9], bool) {
    let carried = |sign: i128| {
        let (mut digits, mut carry) = ([0u32; 9], 0i128);
        for (place, digit) in digits.iter_mut().enumerate() {
            let total = carry + bins.get(place).map_or(0, |bin| sign * bin);
            *digit = total as u32;
            carry = total >> BIN_BITS;
        }
        (digits, carry)
    };
    let (digits, carry) = carried(1);
    // Bins are below 2^127 and there are five digits above them, so what is carried out is the sign.
    if carry < 0 { (carried(-1).0, true) } else { (digits, false) }
}

/// Moves bins down by `by` places; the lowest fall away and the highest become zero.
fn shift_down<T: Copy + Default, const BINS: usize>(bins: &mut [T; BINS], by: usize) {
    for bin in 0..BINS {
        bins[bin] = if bin + by < BINS { bins[bin + by] } else { T::default() };
    }
}

/// `magnitude * 2^exponent` as the nearest double and the double nearest to what is left.
fn split(magnitude: u128, exponent: i32) -> (f64, f64) {
    let high = scale(magnitude, exponent);
    let bits = high.to_bits();
    let raised = ((bits >> 52 & 0x7ff) as i32).max(1) - 1075 - exponent;
    if high == 0.0 || high.is_infinite() || !(0..=75).contains(&raised) {
        return (high, 0.0);
    }
    let fraction = bits & ((1 << 52) - 1);
    let mantissa = u128::from(if bits >> 52 & 0x7ff == 0 { fraction } else { fraction | 1 << 52 });
    match mantissa << raised {
        // Rounding up past 128 bits leaves zero, which stands for 2^128.
        0 => (high, -scale(magnitude.wrapping_neg(), exponent)),
        held if held <= magnitude => (high, scale(magnitude - held, exponent)),
        held => (high, -scale(held - magnitude, exponent)),
    }
}

/// `magnitude * 2^exponent`, rounded once to nearest, ties to even.
fn scale(magnitude: u128, exponent: i32) -> f64 {
    if magnitude == 0 {
        return 0.0;
    }
    let width = 128 - magnitude.leading_zeros() as i32;
    // Bits below the last place of the result: at a subnormal the last place is fixed.
    let last = (width + exponent - 53).max(-1074);
    let drop = last - exponent;
    let rounded = if drop <= 0 {
        magnitude << -drop
    } else if drop > 127 {
        0
    } else {
        let kept = magnitude >> drop;
        let rest = magnitude & ((1 << drop) - 1);
        let half = 1u128 << (drop - 1);
        kept + u128::from(rest > half || (rest == half && kept & 1 == 1))
    };
    times_power_of_two(rounded as f64, last)
}

/// Exact scaling of an integer of at most 53 bits whose last place is `2^exponent >= 2^-1074`.
fn times_power_of_two(value: f64, exponent: i32) -> f64 {
    if exponent > 971 {
        return if value == 0.0 { 0.0 } else { f64::INFINITY };
    }
    let power = |exponent: i32| f64::from_bits(((exponent + 1023) as u64) << 52);
    // Two factors, since 2^-1074 is no normal double.
    let first = exponent.clamp(-1000, 971);
    value * power(first) * power(exponent - first)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sum(values: &[f64]) -> f64 {
        let mut state = FloatSum::new();
        state.add_slice(values);
        state.finish()
    }

    struct Stream(u64);

    impl Stream {
        fn next(&mut self) -> u64 {
            self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut z = self.0;
            z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            z ^ (z >> 31)
        }

        fn float(&mut self, exponents: std::ops::Range<u64>) -> f64 {
            let exponent = exponents.start + self.next() % (exponents.end - exponents.start);
            f64::from_bits(self.next() & 0x800f_ffff_ffff_ffff | exponent << 52)
        }
    }

    #[test]
    fn small_sums_are_exact() {
        assert_eq!(sum(&[]).to_bits(), 0);
        assert_eq!(sum(&[-0.0, -0.0]).to_bits(), 0);
        assert_eq!(sum(&[1.0, 2.0, 3.5]), 6.5);
        assert_eq!(sum(&[1e16, 1.0, -1e16]), 1.0);
        assert_eq!(sum(&[0.1; 10]), 1.0);
        assert_eq!(sum(&[5e-324, 5e-324]), 1e-323);
        assert_eq!(sum(&[f64::MIN_POSITIVE, -5e-324]), f64::MIN_POSITIVE - 5e-324);
        assert_eq!(sum(&[f64::MAX, f64::MAX]), f64::INFINITY);
        assert_eq!(sum(&[f64::MAX, f64::MAX, -f64::MAX]), f64::MAX);
    }

    #[test]
    fn specials_follow_the_stated_rules() {
        assert!(sum(&[1.0, f64::NAN]).is_nan());
        assert!(sum(&[f64::INFINITY, f64::NEG_INFINITY]).is_nan());
        assert_eq!(sum(&[1.0, f64::INFINITY]), f64::INFINITY);
        assert_eq!(sum(&[1.0, f64::NEG_INFINITY]), f64::NEG_INFINITY);
    }

    #[test]
    fn any_order_cut_and_merge_gives_the_same_state() {
        let mut stream = Stream(7);
        for round in 0..200 {
            let exponents = if round % 2 == 0 { 1000..1060 } else { 1..2046 };
            let values: Vec<f64> = (0..100).map(|_| stream.float(exponents.clone())).collect();
            let mut whole = FloatSum::new();
            whole.add_slice(&values);
            let mut shuffled = values.clone();
            for i in (1..shuffled.len()).rev() {
                shuffled.swap(i, (stream.next() % (i as u64 + 1)) as usize);
            }
            let (left, right) = shuffled.split_at((stream.next() % 100) as usize);
            let (mut a, mut b) = (FloatSum::new(), FloatSum::new());
            a.add_slice(left);
            b.add_slice(right);
            b.merge(&FloatSum::from_words(&a.to_words()));
            assert_eq!(b, whole);
            assert_eq!(b.finish().to_bits(), whole.finish().to_bits());
        }
    }

    #[test]
    fn sums_of_one_magnitude_equal_exact_integer_sums() {
        let mut stream = Stream(11);
        let values: Vec<f64> = (0..10_000).map(|_| ((stream.next() >> 12) as i64 - (1 << 51)) as f64).collect();
        let exact: i128 = values.iter().map(|&value| value as i128).sum();
        assert_eq!(sum(&values), exact as f64);
    }

    #[test]
    fn products_are_added_exactly() {
        let mut state = FloatSum::new();
        let small = (-30f64).exp2();
        state.add_product(1.0 + small, 1.0 - small);
        state.add(-1.0);
        assert_eq!(state.finish(), -small * small);
    }

    #[test]
    fn more_adds_than_a_bin_holds_are_widened() {
        let mut state = FloatSum::new();
        (0..1000).for_each(|_| state.add(3.0));
        state.adds = ADDS_MAX - 1;
        state.add(3.0);
        assert!(state.wide.is_some());
        state.add(-1.0);
        let copy = FloatSum::from_words(&state.to_words());
        assert_eq!((state.finish(), copy.finish()), (3002.0, 3002.0));
    }

    #[test]
    fn the_pair_holds_what_rounding_lost() {
        let mut state = FloatSum::new();
        state.add_slice(&[1e16, 0.5, 0.25]);
        assert_eq!(state.finish_pair(), (1e16, 0.75));
    }
}
