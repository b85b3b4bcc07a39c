//! Functions of images and sound.
//!
//! A pack that a host adds to its registry; the core stays free of decoders:
//!
//! ```
//! use hypostyle::Session;
//! let session = Session::new();
//! session.extend(hypostyle_media::register);
//! let answer = session.sql("SELECT image_metadata('no image'::BLOB) AS m")?.collect_all();
//! assert!(answer.is_err());
//! let batches = session.sql("SELECT TRY(image_metadata('no image'::BLOB)) AS m")?.collect_all()?;
//! assert_eq!(batches[0].column(0).null_count(), 1);
//! # Ok::<(), hypostyle::Error>(())
//! ```
//!
//! Files are BLOBs, decoded in pure Rust. A decoded image is `STRUCT(width INTEGER, height INTEGER, channels INTEGER, pixels BLOB)`, 8 bits a value, row by row,
//! channels together; decoded sound is `STRUCT(sample_rate INTEGER, channels INTEGER, samples FLOAT[])`. What is damaged or of another
//! format is the error of its row: NULL under TRY.
#![forbid(unsafe_code)]
#![warn(missing_docs)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod audio;
mod guard;
mod image;

use hypostyle_functions::Registry;

/// Adds every function of the pack.
pub fn register(registry: &mut Registry) {
    image::register(registry);
    audio::register(registry);
}
