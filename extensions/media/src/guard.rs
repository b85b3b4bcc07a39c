//! Panics of decoders. They index by numbers that come from files; what goes wrong there is a damaged file.

use std::panic::{AssertUnwindSafe, catch_unwind};

/// Runs a decoder; a panic in it becomes its error.
pub(crate) fn guarded<T>(decode: impl FnOnce() -> Result<T, String>) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(decode))
        .unwrap_or_else(|_| Err("the decoder gave up; the file is damaged".into()))
}
