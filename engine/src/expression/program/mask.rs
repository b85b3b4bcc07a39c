//! Which lanes of a block hold a value, and which have failed.

use hypostyle_functions::lanes::LANES_MAX;

/// Words that hold one bit for each lane of the longest block.
pub(super) const WORDS: usize = LANES_MAX / 64;

/// One bit per lane, lowest first.
pub(super) type Words = [u64; WORDS];

/// Validity and failure of one location's lanes. The words count only where their flag is set, and only
/// up to the length of the block. A failed lane is never valid.
#[derive(Clone)]
pub(super) struct Mask {
    /// True if some lane may be null.
    pub has_nulls: bool,
    /// True if some lane may have failed.
    pub has_failed: bool,
    /// Set where the lane holds a value.
    pub valid: Words,
    /// Set where the lane failed.
    pub failed: Words,
}

impl Default for Mask {
    fn default() -> Self {
        Self { has_nulls: false, has_failed: false, valid: [0; WORDS], failed: [0; WORDS] }
    }
}

impl Mask {
    /// All lanes hold values.
    pub fn clear(&mut self) {
        self.has_nulls = false;
        self.has_failed = false;
    }

    /// The lanes `index * 64 ..` that hold values.
    #[inline]
    pub fn valid(&self, index: usize) -> u64 {
        if self.has_nulls { self.valid[index] } else { u64::MAX }
    }

    /// The lanes `index * 64 ..` that failed.
    #[inline]
    pub fn failed(&self, index: usize) -> u64 {
        if self.has_failed { self.failed[index] } else { 0 }
    }

    /// True if every lane holds a value.
    #[inline]
    pub fn is_clear(&self) -> bool {
        !self.has_nulls && !self.has_failed
    }
}
