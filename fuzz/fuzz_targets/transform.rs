//! See the case for what must hold.

#![no_main]

#[path = "../cases/mod.rs"]
mod cases;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    cases::let_decoders_give_up();
    cases::transform::run(bytes);
});
