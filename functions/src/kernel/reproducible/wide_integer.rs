//! Signed integers of 512 bits, for the few exact operations that finish a sum.

/// Words of 64 bits, the lowest first, in two's complement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct WideInteger([u64; WORDS]);

const WORDS: usize = 8;

impl WideInteger {
    pub(super) const ZERO: WideInteger = WideInteger([0; WORDS]);

    /// `value * 2^shift`; bits beyond 512 are lost.
    pub(super) fn shifted(value: i128, shift: u32) -> WideInteger {
        let fill = if value < 0 { u64::MAX } else { 0 };
        let mut words = [fill; WORDS];
        words[0] = value as u64;
        words[1] = (value >> 64) as u64;
        WideInteger(words).shift_left(shift)
    }

    pub(super) fn is_negative(&self) -> bool {
        self.0[WORDS - 1] >> 63 == 1
    }

    pub(super) fn add(&self, other: &WideInteger) -> WideInteger {
        let mut carry = false;
        WideInteger(std::array::from_fn(|index| {
            let (sum, first) = self.0[index].overflowing_add(other.0[index]);
            let (sum, second) = sum.overflowing_add(u64::from(carry));
            carry = first | second;
            sum
        }))
    }

    pub(super) fn negate(&self) -> WideInteger {
        let mut one = WideInteger::ZERO;
        one.0[0] = 1;
        WideInteger(self.0.map(|word| !word)).add(&one)
    }

    pub(super) fn subtract(&self, other: &WideInteger) -> WideInteger {
        self.add(&other.negate())
    }

    fn magnitude(&self) -> WideInteger {
        if self.is_negative() { self.negate() } else { *self }
    }

    /// The product, modulo 2^512.
    pub(super) fn multiply(&self, other: &WideInteger) -> WideInteger {
        let (left, right) = (self.magnitude(), other.magnitude());
        let mut words = [0u64; WORDS];
        for (position, &factor) in left.0.iter().enumerate().filter(|(_, factor)| **factor != 0) {
            let mut carry = 0u128;
            for index in 0..WORDS - position {
                let sum = u128::from(factor) * u128::from(right.0[index])
                    + u128::from(words[position + index])
                    + carry;
                words[position + index] = sum as u64;
                carry = sum >> 64;
            }
        }
        let product = WideInteger(words);
        if self.is_negative() != other.is_negative() { product.negate() } else { product }
    }

    pub(super) fn shift_left(&self, shift: u32) -> WideInteger {
        let (skip, bits) = ((shift / 64) as usize, shift % 64);
        let word = |index: usize| if index < WORDS { self.0[index] } else { 0 };
        WideInteger(std::array::from_fn(|index| {
            let Some(from) = index.checked_sub(skip) else { return 0 };
            let below = if bits > 0 && from > 0 { word(from - 1) >> (64 - bits) } else { 0 };
            (word(from) << bits) | below
        }))
    }

    /// The number of bits up to the highest one of a number that is not negative.
    fn bit_length(&self) -> u32 {
        let highest = self.0.iter().rposition(|&word| word != 0);
        highest.map_or(0, |index| 64 * (index as u32 + 1) - self.0[index].leading_zeros())
    }

    /// Bits `from .. from + 64`.
    fn bits_from(&self, from: u32) -> u64 {
        let (index, bits) = ((from / 64) as usize, from % 64);
        let word = |index: usize| self.0.get(index).copied().unwrap_or(0);
        if bits == 0 { word(index) } else { (word(index) >> bits) | (word(index + 1) << (64 - bits)) }
    }

    fn any_bit_below(&self, limit: u32) -> bool {
        let (index, bits) = ((limit / 64) as usize, limit % 64);
        let partial = self.0.get(index).is_some_and(|word| bits > 0 && word << (64 - bits) != 0);
        partial || self.0.iter().take(index).any(|&word| word != 0)
    }

    /// `self * 2^exponent`, rounded once to the nearest `f64`, ties to even; beyond the range, infinite.
    pub(super) fn to_f64(self, exponent: i32) -> f64 {
        let magnitude = self.magnitude();
        let length = magnitude.bit_length();
        if length == 0 {
            return 0.0;
        }
        // The weight of the last bit that the result can hold.
        let last = (length as i32 + exponent - 53).max(-1074);
        let dropped = last - exponent;
        if dropped <= 0 {
            return signed(scale(magnitude.bits_from(0) as f64, exponent), self.is_negative());
        }
        let dropped = dropped as u32;
        let mut kept = magnitude.bits_from(dropped);
        let half = magnitude.bits_from(dropped - 1) & 1 == 1;
        let more = magnitude.any_bit_below(dropped - 1);
        kept += u64::from(half && (more || kept & 1 == 1));
        signed(scale(kept as f64, last), self.is_negative())
    }
}

fn signed(value: f64, negative: bool) -> f64 {
    if negative { -value } else { value }
}

/// `value * 2^exponent`, exact where the result is a float, infinite beyond.
fn scale(value: f64, exponent: i32) -> f64 {
    let power = |exponent: i32| f64::from_bits(((exponent + 1023) as u64) << 52);
    let exponent = exponent.clamp(-1200, 1200);
    let third = exponent / 3;
    value * power(third) * power(third) * power(exponent - 2 * third)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn products_and_differences_equal_those_of_128_bits() {
        let values = [0i128, 1, -1, 7, -12_345_678_901_234_567_890, 1 << 62, -(1 << 63), (1 << 63) - 1];
        for left in values {
            for right in values {
                let (wide_left, wide_right) = (WideInteger::shifted(left, 0), WideInteger::shifted(right, 0));
                if let Some(product) = left.checked_mul(right) {
                    assert_eq!(wide_left.multiply(&wide_right), WideInteger::shifted(product, 0));
                }
                assert_eq!(wide_left.subtract(&wide_right), WideInteger::shifted(left - right, 0));
                assert_eq!(
                    wide_left.shift_left(130).subtract(&WideInteger::shifted(left, 130)),
                    WideInteger::ZERO
                );
            }
        }
    }

    #[test]
    fn conversion_rounds_once_to_even() {
        let convert = |value: i128, exponent| WideInteger::shifted(value, 0).to_f64(exponent);
        for value in
            [1i128, 3, -5, (1 << 53) + 1, (1 << 53) + 3, (1 << 60) + 12_345, i128::MAX, -(1 << 100) - 1]
        {
            assert_eq!(convert(value, 0), value as f64, "{value}");
        }
        assert_eq!(convert(1, -1074), 5e-324);
        assert_eq!(convert(3, -1075), 1e-323); // 1.5 units: to even
        assert_eq!(convert(5, -1076), 5e-324); // 1.25 units
        assert_eq!(convert(1, -1075), 0.0);
        assert_eq!(convert((1 << 53) - 1, 971), f64::MAX);
        assert_eq!(convert(1, 1024), f64::INFINITY);
        assert_eq!(convert(-1, 1023), -(2f64.powi(1023)));
        assert_eq!(WideInteger::shifted(-3, 400).to_f64(-400), -3.0);
        assert_eq!(convert(0, 0).to_bits(), 0);
    }
}
