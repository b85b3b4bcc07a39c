//! Which lanes of a block hold a value, and which have failed.

use hypostyle_functions::lanes::LANES_MAX;

use super::block::Block;
use super::machine::Source;
use super::{Location, Operation};

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

/// What a kernel says about its lanes.
pub(super) struct MarkWords {
    /// Set where a lane has no value.
    pub null: Words,
    /// Set where a lane failed.
    pub failed: Words,
}

impl MarkWords {
    /// The words that matter for a block, if one of them has a bit set.
    fn set(&self, block: &Block<'_>) -> Option<&Self> {
        let words = self.null[..block.words()].iter().zip(&self.failed[..block.words()]);
        let any = words.fold(0, |any, (null, failed)| any | null | failed);
        (any != 0).then_some(self)
    }
}

impl Default for MarkWords {
    fn default() -> Self {
        Self { null: [0; WORDS], failed: [0; WORDS] }
    }
}

/// Reads which lanes of an input hold values into a mask without flags.
pub(super) fn load_mask(mask: &mut Mask, source: &Source<'_>, block: &Block<'_>) {
    let view = source.view;
    if view.is_constant() {
        // All lanes are as row 0 is.
        if view.is_null(0) {
            mask.has_nulls = true;
            mask.valid[..block.words()].fill(0);
        }
        if source.failed.as_ref().is_some_and(|failed| failed.contains(0)) {
            mask.has_failed = true;
            mask.failed[..block.words()].fill(u64::MAX);
        }
        return;
    }
    if view.may_be_null() {
        mask.has_nulls = true;
        match (view.is_flat() && block.rows.is_none(), &view.validity) {
            (true, Some(validity)) => {
                for index in 0..block.words() {
                    mask.valid[index] = validity.word(block.start / 64 + index);
                }
            }
            _ => collect_bits(&mut mask.valid, block, |row| view.is_valid(row)),
        }
    }
    if let Some(failed) = &source.failed {
        mask.has_failed = true;
        collect_bits(&mut mask.failed, block, |row| failed.contains(row));
    }
}

fn collect_bits(words: &mut Words, block: &Block<'_>, holds: impl Fn(usize) -> bool) {
    words[..block.words()].fill(0);
    for lane in 0..block.length {
        words[lane / 64] |= u64::from(holds(block.row(lane))) << (lane % 64);
    }
}

/// Null in, null out, even where another operand failed; what a kernel reports for lanes with a null input is ignored.
pub(super) fn strict_mask(
    masks: &mut [Mask],
    operation: &Operation,
    block: &Block<'_>,
    marks: Option<&MarkWords>,
) {
    let marks = marks.and_then(|marks| marks.set(block));
    if marks.is_none() && operation.operands.iter().all(|&operand| masks[operand].is_clear()) {
        return masks[operation.result].clear();
    }
    set_mask(masks, operation, block, |masks, index| {
        let (mut valid, mut failed) = strict_words(masks, &operation.operands, index);
        if let Some(marks) = marks {
            failed |= marks.failed[index] & valid;
            valid &= !marks.null[index];
        }
        (valid & !failed, failed)
    });
}

/// The lanes `index * 64 ..` where all operands hold values, and those that failed because one did while none was null.
pub(super) fn strict_words(masks: &[Mask], operands: &[Location], index: usize) -> (u64, u64) {
    let (mut valid, mut failed, mut null) = (u64::MAX, 0, 0);
    for &operand in operands {
        let mask = &masks[operand];
        valid &= mask.valid(index);
        failed |= mask.failed(index);
        null |= !(mask.valid(index) | mask.failed(index));
    }
    (valid, failed & !null)
}

/// Sets the result's mask word by word, and its flags by what the words hold.
pub(super) fn set_mask(
    masks: &mut [Mask],
    operation: &Operation,
    block: &Block<'_>,
    word: impl Fn(&[Mask], usize) -> (u64, u64),
) {
    let (mut any_null, mut any_failed) = (0, 0);
    for index in 0..block.words() {
        let (valid, failed) = word(masks, index);
        let result = &mut masks[operation.result];
        result.valid[index] = valid;
        result.failed[index] = failed;
        any_null |= !valid & block.lanes_of_word(index);
        any_failed |= failed & block.lanes_of_word(index);
    }
    let result = &mut masks[operation.result];
    result.has_nulls = any_null != 0;
    result.has_failed = any_failed != 0;
}
