//! Text to values. Each function answers `None` where the text is not of the form or out of range.

mod calendar;
mod interval;
mod number;

pub use calendar::{date, instant, time, timestamp};
pub use interval::interval;
pub use number::{decimal, float, integer};

/// A truth value: `true`, `t`, `yes`, `y`, `1` and their opposites, case ignored.
pub fn boolean(text: &str) -> Option<bool> {
    let is = |word: &&str| text.eq_ignore_ascii_case(word);
    if ["true", "t", "yes", "y", "1"].iter().any(is) {
        return Some(true);
    }
    ["false", "f", "no", "n", "0"].iter().any(is).then_some(false)
}
