//! Where written bytes go: a file that appears whole or not at all, a pipe, or standard output.

mod target;

pub use target::{Encoded, Target};
