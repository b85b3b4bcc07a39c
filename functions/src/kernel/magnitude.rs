//! How large the numbers of a slice are.

at_each_level! {
    /// True if every value is at least `-2^bits` and below `2^bits`; `bits` is at most 63.
    pub fn are_within / are_within_at(values: &[i64], bits: u32) -> bool {
        // A value and its complement have their highest unlike bit at one place, so the bits of all can be united.
        let united = values.iter().fold(0i64, |united, &value| united | (value ^ (value >> 63)));
        (united as u64) >> bits == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::level::Level;

    #[test]
    fn both_ends_of_the_range_are_known() {
        for level in Level::available() {
            for bits in [0u32, 1, 38, 62] {
                let limit = 1i64 << bits;
                let mut values = vec![0; 37];
                assert!(are_within_at(level, &values, bits));
                (values[3], values[36]) = (limit - 1, -limit);
                assert!(are_within_at(level, &values, bits), "{bits} bits, {level}");
                values[17] = limit;
                assert!(!are_within_at(level, &values, bits), "{bits} bits, {level}");
                values[17] = -limit - 1;
                assert!(!are_within_at(level, &values, bits), "{bits} bits, {level}");
            }
            assert!(are_within_at(level, &[i64::MIN, i64::MAX], 63));
            assert!(are_within_at(level, &[], 0));
        }
    }
}
