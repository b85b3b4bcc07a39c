//! Distances along great circles.

use super::CATEGORY;
use crate::feature::number_forms::block_lanes;
use crate::kernel::great_circle::central_angle;
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
        let distance = move |latitudes: &[f64], others: [&[f64]; 3], distances: &mut [f64]| {
            let [longitudes, other_latitudes, other_longitudes] = others;
            central_angle([latitudes, other_latitudes], [longitudes, other_longitudes], distances);
            distances.iter_mut().for_each(|distance| *distance *= radius);
        };
        Ok(Bound::lanes(Type::Float64, block_lanes::<f64, 3, _>(distance)))
    })
}
