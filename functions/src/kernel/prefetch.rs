//! Asks the memory system for a place that will be read or written soon.
//!
//! A hint without effect on results: random access to a table larger than the caches is bound by the latency of
//! one load at a time, and asking some elements ahead overlaps them.

use std::sync::OnceLock;

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
/// one.
const AHEAD_BYTES: usize = 12 << 10;
const LINE_BYTES: usize = 64;

/// Asks for the first pages of a column, from a place on, which [`look_ahead`] takes for asked.
#[inline(always)]
pub fn look_at<T>(values: &[T], place: usize) {
    let end = values.len().min(place.saturating_add(AHEAD_BYTES / size_of::<T>().max(1)));
    (place..end)
        .step_by(LINE_BYTES / size_of::<T>().clamp(1, LINE_BYTES))
        .for_each(|place| prefetch(values, place));
}

/// True if this machine foresees too little of what loops over lists read, so that these [`look_ahead`].
///
/// They read what follows a list along with it, and then go back. Processors of family 1Ah by AMD (Zen 5) take three times as long over
/// lists beyond the caches unless they are asked. Another machine was slower by a third and more when it was asked; its family was not written
/// down, so those of AMD before Zen 5 are not asked, and other makes, of which none was measured, are.
pub fn helps_over_lists() -> bool {
    static HELPS: OnceLock<bool> = OnceLock::new();
    *HELPS.get_or_init(|| amd_family().is_none_or(|family| family >= 0x1a))
}

/// The family of a processor by AMD.
fn amd_family() -> Option<u32> {
    #[cfg(target_arch = "x86_64")]
    {
        use std::arch::x86_64::__cpuid;
        let vendor = __cpuid(0);
        let name = [vendor.ebx, vendor.edx, vendor.ecx].map(u32::to_le_bytes);
        let signature = __cpuid(1).eax;
        // Families from 15 on are counted in bits of their own.
        (name.as_flattened() == b"AuthenticAMD").then_some((signature >> 8 & 0xf) + (signature >> 20 & 0xff))
    }
    #[cfg(not(target_arch = "x86_64"))]
    None
}

/// Asks, while `count` values from a place on are read, for as many some pages further on, and at the end for the last ones.
///
/// For loops of which the machine foresees too little; one that only reads on and on needs none.
#[inline(always)]
pub fn look_ahead<T>(values: &[T], place: usize, count: usize) {
    let ahead =
        place.wrapping_add(AHEAD_BYTES / size_of::<T>().max(1)).min(values.len().saturating_sub(count));
    prefetch_lines(values.as_ptr().wrapping_add(ahead), count * size_of::<T>());
}

/// As [`look_ahead`], while a block is read, whatever lies further on: loops of the shortest steps have no time to look where the
/// column ends.
#[inline(always)]
pub fn look_ahead_of<T>(block: &[T]) {
    prefetch_lines(block.as_ptr().wrapping_byte_add(AHEAD_BYTES), size_of_val(block));
}

#[inline(always)]
fn prefetch_lines<T>(start: *const T, bytes: usize) {
    for line in (0..bytes).step_by(LINE_BYTES) {
        prefetch_line(start.wrapping_byte_add(line));
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
        for place in [0, 2, 3, 100, usize::MAX] {
            look_at(&values, place);
            look_ahead(&values, place, 2);
            look_ahead(&values, place, 100);
        }
        look_at::<i32>(&[], 0);
        look_ahead::<i32>(&[], 0, 8);
        look_ahead_of(&values);
    }
}
