//! Files as a table of the engine: one schema over all of them, scanned by morsels.

mod bind;
mod condition;
mod filter;
mod opened;
mod reader;
mod scan;
mod unify;

pub use bind::{FileTable, TableOptions};
pub use filter::predicate_of;
pub use opened::Source;
