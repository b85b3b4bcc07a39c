//! What a loop asks the memory system for while it runs.
//!
//! A processor keeps track of ten to sixteen lines that are on their way and stands still when it is asked for more at once; a few
//! lines between every few steps of a loop come for free.

use super::prefetch::{LINE_BYTES, prefetch_line};

/// Most ranges that are asked for together; what more columns bring, the machine must find by itself.
const RANGES: usize = 4;

/// Ranges of memory that will be read soon: an address and the bytes behind it. None at first.
#[derive(Debug)]
pub struct Ahead {
    ranges: [(*const u8, usize); RANGES],
    count: usize,
}

impl Default for Ahead {
    #[inline]
    fn default() -> Self {
        Self { ranges: [(std::ptr::null(), 0); RANGES], count: 0 }
    }
}

impl Ahead {
    /// Adds elements `start .. start + count`, which may lie behind the slice: what follows it in memory is often read next.
    #[inline]
    pub fn add<T>(&mut self, values: &[T], start: usize, count: usize) {
        if let Some(free) = self.ranges.get_mut(self.count) {
            *free = (values.as_ptr().wrapping_add(start).cast(), count * size_of::<T>());
            self.count += 1;
        }
    }

    /// Asks for everything at once.
    #[inline]
    pub fn ask(&self) {
        self.steps(1).ask();
    }

    /// Asks in this many steps.
    #[inline(always)]
    pub fn steps(&self, steps: usize) -> Steps {
        let mut next = self.ranges;
        for range in &mut next[..self.count] {
            range.1 = range.1.div_ceil(LINE_BYTES * steps.max(1));
        }
        Steps { next, count: self.count }
    }
}

/// Where each range has been asked for up to, and the lines of a step.
pub struct Steps {
    next: [(*const u8, usize); RANGES],
    count: usize,
}

impl Steps {
    /// Asks for one step.
    #[inline(always)]
    pub fn ask(&mut self) {
        for (address, lines) in &mut self.next[..self.count] {
            for _ in 0..*lines {
                prefetch_line(*address);
                *address = address.wrapping_add(LINE_BYTES);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_range_is_accepted() {
        let mut ahead = Ahead::default();
        ahead.ask();
        for start in [0, 5, 1 << 40, usize::MAX / 8, 3] {
            ahead.add(&[1u64, 2, 3], start, 100);
        }
        assert_eq!(ahead.count, RANGES);
        ahead.ask();
        let mut steps = ahead.steps(7);
        assert_eq!(steps.next[0].1, 2);
        (0..9).for_each(|_| steps.ask());
        ahead.steps(0).ask();
    }
}
