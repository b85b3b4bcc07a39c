//! Dates, times, timestamps and intervals.
//!
//! The calendar is the proleptic Gregorian one; years before 1 count backwards. Timestamps with a zone
//! are instants, which are shown and taken apart in the zone of the session.

pub mod calendar;
mod construct;
mod current;
mod date_part;
mod difference;
mod fields;
pub mod part;
mod pattern;
mod strftime;
mod strptime;
mod time_bucket;
mod time_zone;
mod truncate;
pub mod zone;

use crate::registry::Registry;

const CATEGORY: &str = "date";

/// Adds the family.
pub(crate) fn register(registry: &mut Registry) {
    date_part::register(registry);
    truncate::register(registry);
    difference::register(registry);
    construct::register(registry);
    current::register(registry);
    time_bucket::register(registry);
    time_zone::register(registry);
    registry.register_scalar(strftime::function());
    strptime::register(registry);
}

#[cfg(test)]
mod tests;
