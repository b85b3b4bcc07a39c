//! Values written as text in CSV, JSON and the names of partitions, read strictly.
//!
//! Every function takes one value without surrounding spaces and gives `None` if it is not wholly of its type.

mod calendar;
mod number;
mod pattern;
mod temporal;

pub use calendar::{date_of_days, days_of_date};
pub use number::{boolean, decimal, float, huge, signed, unsigned};
pub use pattern::Pattern;
pub use temporal::{Zone, iso_date, iso_timestamp, time};

/// Bytes without spaces and tabs at either end.
#[inline]
pub fn trimmed(mut bytes: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] = bytes {
        bytes = rest;
    }
    while let [rest @ .., b' ' | b'\t'] = bytes {
        bytes = rest;
    }
    bytes
}
