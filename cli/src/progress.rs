//! Progress on standard error, for people only: hidden unless it is a terminal, and for the first second.

use std::io::IsTerminal;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// Times a second the bar is drawn.
const DRAWS_PER_SECOND: u8 = 10;

/// A bar that counts rows.
pub(crate) fn rows(name: &str, rows: u64) -> ProgressBar {
    bar(rows, "{prefix:>12} {wide_bar} {human_pos}/{human_len} rows {eta}").with_prefix(name.to_owned())
}

/// A bar that shows a fraction in thousandths, for a query.
pub(crate) fn fraction() -> ProgressBar {
    bar(1_000, "{wide_bar} {percent}% {elapsed}")
}

fn bar(length: u64, template: &str) -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar =
        ProgressBar::with_draw_target(Some(length), ProgressDrawTarget::stderr_with_hz(DRAWS_PER_SECOND));
    // A template that does not parse would be seen in the first run; the plain bar is the fallback.
    bar.with_style(ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar()))
        .with_elapsed(Duration::ZERO)
}

/// A number with commas between groups of three digits.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (position, digit) in digits.chars().enumerate() {
        if position > 0 && (digits.len() - position).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    #[test]
    fn digits_are_grouped_from_the_right() {
        assert_eq!(super::grouped(0), "0");
        assert_eq!(super::grouped(999), "999");
        assert_eq!(super::grouped(1_234_567), "1,234,567");
    }
}
