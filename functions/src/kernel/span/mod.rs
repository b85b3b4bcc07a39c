//! Stretches of one slice, such as the elements of the lists of a column: sums, extremes, membership, order.
//!
//! A span is a start and an end in the slice. Loops over spans stand inside the code for a CPU level, since spans are short.

pub mod distinct;
pub mod equal;
pub mod filled;
pub mod gather;
pub mod keyed;
pub mod masked;
pub mod order;
pub mod part;
pub mod recall;
pub mod sought;
mod stretches;
pub mod total;

pub use stretches::Stretches;

/// Start and end of a stretch.
pub type Span = (u32, u32);

/// The elements of a span.
///
/// # Panics
/// If it does not lie inside the values.
#[inline(always)]
fn elements<T>(values: &[T], (start, end): Span) -> &[T] {
    &values[start as usize..end as usize]
}
