//! An allocator for programs: the system's, with large blocks on large pages where the system offers them.
//!
//! A column of embeddings or a kept table is read from end to end; on pages of 4 KiB each page costs a walk of the page table, and
//! each first write a fault. Systems that give large pages only to those who ask are asked for blocks of [`LARGE_BYTES`]
//! and more, which can do with a page that is only partly used.

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
