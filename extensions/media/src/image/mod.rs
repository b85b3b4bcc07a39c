//! Images: decoding, metadata, resizing, cropping, tensors and perceptual hashes.

mod crop;
mod decode;
mod fingerprint;
mod geometry;
mod metadata;
mod mode;
mod pixels;
mod resize;
mod resize_function;
mod source;
mod tensor;
#[cfg(test)]
mod tests;

use hypostyle_functions::Registry;

/// Heading in the reference.
const CATEGORY: &str = "image";

/// Why values may differ between machines.
const EXACTNESS_NOTE: &str = "Lossy formats are decoded by code that may choose other instructions on other machines, so values may differ by one there.";

pub(crate) fn register(registry: &mut Registry) {
    metadata::register(registry);
    decode::register(registry);
    crop::register(registry);
    resize_function::register(registry);
    tensor::register(registry);
    fingerprint::register(registry);
}
