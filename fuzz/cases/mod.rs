//! What must hold for any bytes. Shared by the fuzz targets and by `tests/fuzz_replay.rs`, which needs no nightly
//! compiler. A case returns where it holds and panics where it does not.

#![allow(dead_code)] // Each target runs one case.

pub mod arrow_ipc;
pub mod csv;
pub mod expression;
pub mod ndjson;
pub mod parquet;
pub mod plan;
pub mod sql_text;
pub mod substrait;
pub mod transform;

mod file;

/// For fuzzers, which end at every panic: lets through those of decoders of other crates, which the engine catches and
/// reports as a corrupt file. One that nobody catches still ends the fuzzer, and so does every panic of our own.
pub fn let_decoders_give_up() {
    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(|| {
        let end = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            let is_foreign =
                panic.location().is_some_and(|location| location.file().contains("/registry/src/"));
            if !is_foreign {
                end(panic);
            }
        }));
    });
}
