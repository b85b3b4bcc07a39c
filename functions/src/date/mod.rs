//! Dates, times, timestamps and intervals.

pub mod calendar;
pub mod part;
pub mod zone;
