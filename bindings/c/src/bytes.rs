//! Bytes that the library hands out: snapshots and plans.

/// Bytes that belong to the caller.
pub struct HypostyleBytes(pub(crate) Vec<u8>);

/// The first byte; NULL for NULL. Any thread.
#[unsafe(no_mangle)]
pub extern "C" fn hypostyle_bytes_data(bytes: Option<&HypostyleBytes>) -> *const u8 {
    bytes.map_or(std::ptr::null(), |bytes| bytes.0.as_ptr())
}

/// The number of bytes. Any thread.
#[unsafe(no_mangle)]
pub extern "C" fn hypostyle_bytes_length(bytes: Option<&HypostyleBytes>) -> usize {
    bytes.map_or(0, |bytes| bytes.0.len())
}

/// Frees bytes. NULL is allowed.
#[unsafe(no_mangle)]
pub extern "C" fn hypostyle_bytes_free(bytes: Option<Box<HypostyleBytes>>) {
    drop(bytes);
}
