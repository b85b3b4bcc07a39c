//! Loops over the bytes of texts: ASCII, counts of characters, distances and similarities.
//!
//! Everything here compares bytes; a text in UTF-8 counts each byte of a character.

pub mod ascii;
pub mod edit_distance;
pub mod similarity;
