//! JSON: one value per line, an array of values, or values one after the other; nested columns; and written.

mod build;
mod file;
mod layout;
mod leaf;
mod shape;
mod text;
mod writer;

pub use file::{JsonFile, JsonOptions, JsonReader, JsonScan};
pub use layout::JsonLayout;
pub use writer::{JsonWriteOptions, JsonWriter};
