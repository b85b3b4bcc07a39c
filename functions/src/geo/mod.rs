//! Places on the earth: distances, and cells whose ids are categories.
//!
//! Coordinates are degrees, latitude first. Cells are geohashes and the cells of S2, whose ids nest: a cell's id tells all
//! that hold it.

mod distance;
mod geohash;
mod s2;

use crate::error::Error;
use crate::registry::Registry;

const CATEGORY: &str = "geography";

/// Adds the family.
pub(crate) fn register(registry: &mut Registry) {
    distance::register(registry);
    geohash::register(registry);
    s2::register(registry);
}

/// Why these coordinates are no place on the earth; `None` if they are.
fn refused(function: &str, latitude: f64, longitude: f64) -> Option<Error> {
    if !(-90.0..=90.0).contains(&latitude) {
        let problem = format!("is {latitude}; expected a latitude from -90 to 90");
        return Some(Error::argument(function, 1, problem));
    }
    if !(-180.0..=180.0).contains(&longitude) {
        let problem = format!("is {longitude}; expected a longitude from -180 to 180");
        return Some(Error::argument(function, 2, problem));
    }
    None
}

#[cfg(test)]
mod tests;
