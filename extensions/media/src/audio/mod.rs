//! Sound: decoding, metadata, resampling and mel spectrograms.

mod decode;
mod fourier;
mod log_mel;
mod mel;
mod resample;
mod resample_function;
mod samples;
#[cfg(test)]
mod tests;

use hypostyle_functions::Registry;

/// Heading in the reference.
const CATEGORY: &str = "audio";

pub(crate) fn register(registry: &mut Registry) {
    decode::register(registry);
    resample_function::register(registry);
    log_mel::register(registry);
}
