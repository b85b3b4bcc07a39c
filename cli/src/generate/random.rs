//! Random numbers by position: the value of row `n` is a hash of `n`, so that parts of a table can be made in any
//! order, by any number of threads, on any machine, with the same bits. No transcendental function is involved.

/// The step of the splitmix64 sequence: 2^64 divided by the golden ratio, made odd.
const STEP: u64 = 0x9E37_79B9_7F4A_7C15;

/// One independent sequence of random numbers, such as one column of a table.
#[derive(Clone, Copy)]
pub(crate) struct Stream {
    key: u64,
}

impl Stream {
    /// The sequence of this name under a seed.
    pub(crate) fn new(seed: u64, name: &str) -> Self {
        let key = name.bytes().fold(mix(seed), |key, byte| mix(key ^ u64::from(byte)));
        Self { key }
    }

    /// A sequence that belongs to one position of this one, such as the elements of one list.
    pub(crate) fn inner(self, position: u64) -> Self {
        Self { key: self.bits(position) }
    }

    /// 64 random bits.
    pub(crate) fn bits(self, position: u64) -> u64 {
        mix(self.key.wrapping_add(position.wrapping_mul(STEP)))
    }

    /// A number from 0 up to `bound`, exclusive; 0 if `bound` is 0.
    pub(crate) fn below(self, position: u64, bound: u64) -> u64 {
        ((u128::from(self.bits(position)) * u128::from(bound)) >> 64) as u64
    }

    /// A number from 0 up to 1, exclusive, in steps of 2^-53.
    pub(crate) fn unit(self, position: u64) -> f64 {
        (self.bits(position) >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// True with this probability.
    pub(crate) fn chance(self, position: u64, probability: f64) -> bool {
        self.unit(position) < probability
    }

    /// A rank from 0 up to `count`, exclusive, where rank `r` is about `1 / (r + 1)` as frequent as rank 0.
    ///
    /// Under Zipf's law with exponent 1 each doubling of the rank is equally likely, so a doubling is drawn
    /// first, and then a rank inside it.
    pub(crate) fn zipf(self, position: u64, count: u64) -> u64 {
        let doublings = u64::from(64 - count.max(1).leading_zeros());
        let inner = self.inner(position);
        for attempt in 0.. {
            let start = 1_u64 << inner.below(2 * attempt, doublings);
            let rank = start - 1 + inner.below(2 * attempt + 1, start);
            if rank < count.max(1) {
                return rank;
            }
        }
        0
    }

    /// A count from 0 up to `maximum` with a long tail: each doubling is less likely than the one before by
    /// `decay`, a number between 0 and 1.
    pub(crate) fn long_tail(self, position: u64, maximum: u64, decay: f64) -> u64 {
        let inner = self.inner(position);
        let mut doubling = 0;
        while (1_u64 << doubling) <= maximum && inner.chance(doubling, decay) {
            doubling += 1;
        }
        if doubling == 0 {
            return 0;
        }
        let start = 1_u64 << (doubling - 1);
        (start + inner.below(64, start)).min(maximum)
    }
}

/// The finishing function of splitmix64 (Steele, Lea and Flood, 2014): a bijection in which each input bit
/// changes each output bit with probability one half.
pub(crate) fn mix(value: u64) -> u64 {
    let mut mixed = value.wrapping_add(STEP);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    mixed ^ (mixed >> 31)
}

#[cfg(test)]
mod tests {
    use super::Stream;

    #[test]
    fn a_stream_depends_on_seed_name_and_position_only() {
        let stream = Stream::new(1, "price");
        assert_eq!(stream.bits(7), Stream::new(1, "price").bits(7));
        assert_ne!(stream.bits(7), Stream::new(2, "price").bits(7));
        assert_ne!(stream.bits(7), Stream::new(1, "label").bits(7));
        assert_ne!(stream.bits(7), stream.bits(8));
    }

    #[test]
    fn zipf_prefers_low_ranks_and_stays_below_the_count() {
        let stream = Stream::new(3, "item");
        let mut seen = [0_u32; 100];
        (0..20_000).for_each(|row| seen[stream.zipf(row, 100) as usize] += 1);
        assert!(seen[0] > seen[10] && seen[10] > seen[90], "{seen:?}");
        assert_eq!(stream.zipf(0, 1), 0);
    }

    #[test]
    fn long_tail_reaches_but_never_passes_its_maximum() {
        let stream = Stream::new(4, "count");
        let values: Vec<u64> = (0..50_000).map(|row| stream.long_tail(row, 11, 0.7)).collect();
        assert_eq!(values.iter().max(), Some(&11));
        assert_eq!(values.iter().min(), Some(&0));
    }
}
