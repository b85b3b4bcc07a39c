//! Asks the memory system for a place that will be read or written soon.
//!
//! A hint without effect on results: random access to a table larger than the caches is bound by the latency of
//! one load at a time, and asking some elements ahead overlaps them.

/// Elements to look ahead in a loop that does a few nanoseconds of work an element.
pub const DISTANCE: usize = 16;

/// Asks for `values[index]`; an index beyond the end is ignored.
#[inline(always)]
pub fn prefetch<T>(values: &[T], index: usize) {
    if let Some(value) = values.get(index) {
        prefetch_line(std::ptr::from_ref(value));
    }
}

/// Asks for the line of the caches around an address, which may be any.
#[inline(always)]
fn prefetch_line<T>(address: *const T) {
    #[cfg(target_arch = "x86_64")]
    {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        // SAFETY: prefetching reads nothing and faults on no address; SSE is part of the target.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(address.cast::<i8>()) };
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = address;
}

/// Asks for the line of the caches around an address, which may be any, for the second level: what will be read only after more
/// than the first level holds.
#[inline(always)]
pub fn prefetch_line_far<T>(address: *const T) {
    #[cfg(target_arch = "x86_64")]
    {
        use std::arch::x86_64::{_MM_HINT_T1, _mm_prefetch};
        // SAFETY: prefetching reads nothing and faults on no address; SSE is part of the target.
        unsafe { _mm_prefetch::<_MM_HINT_T1>(address.cast::<i8>()) };
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = address;
}

/// How far a loop looks ahead that reads a column from end to end: three pages, since the machine by itself goes on to the end of
/// one. What lies there is the rest of the column, or the next one of the batch.
const AHEAD_BYTES: usize = 12 << 10;
const LINE_BYTES: usize = 64;

/// Asks, while `bytes` from an address on are read, for as many some pages further on.
///
/// For loops that read one column and write another: of these the machine foresees too little, and a third of their time is spent
/// waiting. Loops that only read, as sums and searches, take up to half as long again with it.
#[inline(always)]
pub fn look_ahead<T>(start: *const T, bytes: usize) {
    for line in (0..bytes).step_by(LINE_BYTES) {
        prefetch_line_far(start.wrapping_byte_add(AHEAD_BYTES + line));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_index_is_accepted() {
        let values = [1u64, 2, 3];
        for index in [0, 2, 3, usize::MAX] {
            prefetch(&values, index);
        }
        prefetch::<u8>(&[], 0);
    }
}
