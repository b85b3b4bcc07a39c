//! Our own decoder of columns without nesting: pages are walked by the page reader, values decoded straight into
//! reused buffers, and only for the rows that are wanted.
//!
//! Rows are taken in *windows*. A column loads the rows of a window (codes of a dictionary, or values), may be tested
//! by a predicate while they are loaded, and then appends the rows that all predicates keep to its output.

mod bytes;
mod column;
mod cursor;
mod decompress;
mod delta;
mod fault;
mod fixed;
mod hybrid;
mod pages;
mod plain;
mod predicate;
mod shared;
mod validity;

pub(super) use column::{ColumnDecoder, Layout, Make, decoder_of};
pub(super) use fault::{Fault, Result};
pub(super) use pages::PageSource;
pub(super) use predicate::ColumnTest;
pub use predicate::Wanted;
pub(super) use shared::{PartGuard, SharedDictionaries};
