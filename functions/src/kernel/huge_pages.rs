//! An allocator for programs: the system's, with large blocks on large pages where the system offers them.
//!
//! A column of embeddings or a kept table is read from end to end; on pages of 4 KiB each page costs a walk of the page table, and
//! each first write a fault. Systems that give large pages only to those who ask are asked for blocks of [`LARGE_BYTES`]
//! and more, which can do with a page that is only partly used.
//!
//! The system's allocator keeps what threads free in arenas, and gives a thread that starts one that happens to be free.
//! So where workers come and go with every query, one arena after the other grows to what the largest query took, and
//! none shrinks: [`limit_arenas`] holds the program to as many as have work at one time.

use std::alloc::{GlobalAlloc, Layout, System};

/// Blocks from this size on ask for large pages.
const LARGE_BYTES: usize = 8 << 20;

/// The system's allocator, asking for large pages. To be named `#[global_allocator]` by a program.
#[derive(Debug, Default, Clone, Copy)]
pub struct HugePages;

// SAFETY: every call is handed to the system's allocator as it is; the advice given afterwards changes no content.
unsafe impl GlobalAlloc for HugePages {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promises are those that are asked for.
        let block = unsafe { System.alloc(layout) };
        advise(block, layout.size());
        block
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as above.
        let block = unsafe { System.alloc_zeroed(layout) };
        advise(block, layout.size());
        block
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: as above; the block came from the system's allocator.
        unsafe { System.dealloc(block, layout) };
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: as above.
        let block = unsafe { System.realloc(block, layout, size) };
        advise(block, size);
        block
    }
}

/// Lets threads share this many arenas, two at least; to be called before threads are started. True if the system's
/// allocator has arenas and has taken the limit.
pub fn limit_arenas(threads: usize) -> bool {
    set_arena_limit(threads.clamp(2, 1 << 10) as i32)
}

#[cfg(all(target_os = "linux", target_env = "gnu"))]
fn set_arena_limit(arenas: i32) -> bool {
    use std::ffi::c_int;

    /// `M_ARENA_MAX` of the GNU library.
    const ARENA_MAX: c_int = -8;

    unsafe extern "C" {
        fn mallopt(parameter: c_int, value: c_int) -> c_int;
    }

    // SAFETY: the function takes any values, guards its state itself, and says whether it has taken these.
    unsafe { mallopt(ARENA_MAX, arenas) == 1 }
}

#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
fn set_arena_limit(_: i32) -> bool {
    false
}

/// Asks for large pages under the part of a block that has whole ones.
#[inline]
fn advise(block: *mut u8, bytes: usize) {
    if bytes >= LARGE_BYTES && !block.is_null() {
        advise_large(block, bytes);
    }
}

#[cfg(target_os = "linux")]
#[cold]
fn advise_large(block: *mut u8, bytes: usize) {
    use std::ffi::{c_int, c_void};

    /// Size and alignment of a large page.
    const PAGE_BYTES: usize = 2 << 20;
    /// `MADV_HUGEPAGE` of Linux.
    const HUGE_PAGE: c_int = 14;

    unsafe extern "C" {
        fn madvise(start: *mut c_void, length: usize, advice: c_int) -> c_int;
    }

    let skipped = block.align_offset(PAGE_BYTES);
    let whole = bytes.saturating_sub(skipped) / PAGE_BYTES * PAGE_BYTES;
    if whole > 0 {
        // SAFETY: the range lies inside the block, which is allocated, and this advice changes no content. It may be
        // refused, after which pages are small.
        let _ = unsafe { madvise(block.wrapping_add(skipped).cast(), whole, HUGE_PAGE) };
    }
}

#[cfg(not(target_os = "linux"))]
fn advise_large(_: *mut u8, _: usize) {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    fn a_limit_of_arenas_is_taken_whatever_the_number_of_threads() {
        assert!([0, 1, 2, 64, usize::MAX].into_iter().all(limit_arenas));
    }

    #[test]
    fn blocks_keep_their_content_however_they_grow() {
        let allocator = HugePages;
        let layout = |bytes| Layout::from_size_align(bytes, 64).unwrap();
        // SAFETY: blocks are used within their size and freed with the layout they have.
        unsafe {
            let block = allocator.alloc_zeroed(layout(3 << 20));
            assert!(!block.is_null());
            assert_eq!(*block.add((3 << 20) - 1), 0);
            *block.add(5) = 7;
            let block = allocator.realloc(block, layout(3 << 20), 20 << 20);
            assert_eq!(*block.add(5), 7);
            *block.add((20 << 20) - 1) = 1;
            allocator.dealloc(block, layout(20 << 20));
            let block = allocator.alloc(layout(LARGE_BYTES));
            *block.add(LARGE_BYTES - 1) = 1;
            allocator.dealloc(block, layout(LARGE_BYTES));
        }
    }
}
