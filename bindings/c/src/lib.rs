//! The C interface: opaque handles, errors as objects, Arrow C data in and out.
//!
//! One Rust file per kind of handle; `include/hypostyle.h` is generated from their documentation, in this order. What holds for all
//! functions stands at the head of the header (`cbindgen.toml`): who owns what, what a null pointer does, which functions may be called from several
//! threads. A panic never leaves this crate: `border` catches it and makes it an error.
//!
//! This crate is one of the few where `unsafe` is allowed. Handles arrive as references and boxes, which puts the caller's side of the contract into
//! types; raw pointers are only texts and bytes (`border`) and Arrow data.
#![deny(unsafe_op_in_unsafe_fn)]
#![warn(missing_docs)]
// The contract of every unsafe function is that of all of them, and stands once, at the head of the header.
#![allow(clippy::missing_safety_doc)]

// The header follows this order.

mod error;

mod bytes;

mod session;

mod answer;

mod values;

mod prepared;

mod run;

mod row;
mod row_read;

mod transform;

mod scalar;

mod aggregate;

mod pulled_table;

// What they share at the border.

mod arrow_data;
mod border;
mod host_function;

use std::ffi::c_char;

/// The version of the library, such as "0.1.0". Any thread; the text lives as long as the library.
#[unsafe(no_mangle)]
pub extern "C" fn hypostyle_version() -> *const c_char {
    const VERSION: &str = concat!(env!("CARGO_PKG_VERSION"), "\0");
    VERSION.as_ptr().cast()
}
