//! Distances along great circles.

use super::CATEGORY;
use crate::kernel::transcendental::{asin_one, cos_one, sin_one};
use crate::lanes::parametric;
use crate::registry::Registry;
use crate::scalar::{Bound, ScalarFunction};
use crate::signature::exact;
use crate::types::Type;

/// Mean radius of the earth in metres, of the International Union of Geodesy and Geophysics.
const RADIUS_METRES: f64 = 6_371_008.8;

pub(super) fn register(registry: &mut Registry) {
    registry.register_scalar(
        haversine("haversine_km", "kilometres", RADIUS_METRES / 1000.0)
            .alias("earth_distance")
            .example("round(haversine_km(40, 73, 41, 74), 1)", "139.7"),
    );
    registry.register_scalar(
        haversine("haversine_m", "metres", RADIUS_METRES)
            .example("round(haversine_m(0, 0, 0, 1))", "111195.0"),
    );
}

fn haversine(name: &str, unit: &str, radius: f64) -> ScalarFunction {
    let degrees = ["latitude_a", "longitude_a", "latitude_b", "longitude_b"];
    ScalarFunction::new(
        name,
        CATEGORY,
        &format!("Distance of two places along the great circle between them, in {unit}."),
    )
    .note("Coordinates are degrees. The earth is a sphere of the mean radius 6,371.0088 km, which is off by at most 0.6 %.")
    .overload(degrees.map(|name| exact(name, Type::Float64)), move |_| {
        let distance = move |latitude_a: f64, [longitude_a, latitude_b, longitude_b]: [f64; 3]| {
            radius * central_angle(latitude_a, longitude_a, latitude_b, longitude_b)
        };
        Ok(Bound::lanes(Type::Float64, parametric(distance)))
    })
}

/// Angle between two places as seen from the centre, in radians, by the haversine formula.
#[inline(always)]
fn central_angle(latitude_a: f64, longitude_a: f64, latitude_b: f64, longitude_b: f64) -> f64 {
    const RADIANS: f64 = std::f64::consts::PI / 180.0;
    let half_sine = |degrees: f64| sin_one(degrees * RADIANS * 0.5);
    let cosine = |degrees: f64| cos_one(degrees * RADIANS);
    let (across, along) = (half_sine(latitude_b - latitude_a), half_sine(longitude_b - longitude_a));
    let haversine = across * across + cosine(latitude_a) * cosine(latitude_b) * along * along;
    // Rounding may leave a little more than 1 between opposite places; a comparison that is false for NaN keeps it.
    let root = haversine.sqrt();
    2.0 * asin_one(if root > 1.0 { 1.0 } else { root })
}
