//! An allocator for programs: the system's, with large blocks on large pages where the system offers them.
//!
//! A column of embeddings or a kept table is read from end to end; on pages of 4 KiB each page costs a walk of the page table, and
//! each first write a fault. Systems that give large pages only to those who ask are asked for blocks of [`LARGE_BYTES`]
//! and more, which can do with a page that is only partly used.
//!
//! The allocator of the GNU library gives large pages to blocks of its first arena alone, and only to those that do not get pages of their
//! own, as blocks of 128 KiB do at first: [`settle`] lets few threads share that arena, and keeps all but the largest blocks in it.

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

/// Threads that share one arena. More would wait for each other, and have an arena each: such an arena is given to whichever thread starts
/// while it is free, so without a limit one after the other would grow to what the largest query takes.
const SHARING_MAX: usize = 5;

/// Settles where the system's allocator gets blocks from; to be called before threads are started, of which there will be this many. True
/// if the allocator knows these settings and has taken them.
pub fn settle(threads: usize) -> bool {
    let arenas = if threads <= SHARING_MAX { 1 } else { threads.min(1 << 10) };
    gnu_settle(arenas as i32)
}

#[cfg(all(target_os = "linux", target_env = "gnu"))]
fn gnu_settle(arenas: i32) -> bool {
    use std::ffi::c_int;

    /// `M_ARENA_MAX` of the GNU library, the number of arenas.
    const ARENA_MAX: c_int = -8;
    /// `M_MMAP_THRESHOLD`, the bytes from which a block gets pages of its own, and the most that can be asked for.
    const OWN_PAGES: (c_int, c_int) = (-3, 32 << 20);
    /// `M_TRIM_THRESHOLD`, the bytes at the end of an arena that are given back. What a query frees is taken by the next one.
    const GIVEN_BACK: (c_int, c_int) = (-1, 64 << 20);

    unsafe extern "C" {
        fn mallopt(parameter: c_int, value: c_int) -> c_int;
    }

    [(ARENA_MAX, arenas), OWN_PAGES, GIVEN_BACK].into_iter().all(|(parameter, value)| {
        // SAFETY: the function takes any values, guards its state itself, and says whether it has taken these.
        unsafe { mallopt(parameter, value) == 1 }
    })
}

#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
fn gnu_settle(_: i32) -> bool {
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
    fn settings_are_taken_whatever_the_number_of_threads() {
        assert!([0, 1, 2, 64, usize::MAX].into_iter().all(settle));
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
