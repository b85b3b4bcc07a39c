//! Angles between places on a sphere, by the haversine formula.

use super::lane_loop;
use super::transcendental::{asin, cos, sin};

/// Radians of a degree.
const RADIANS: f64 = std::f64::consts::PI / 180.0;

/// Places that are computed at once, step by step, so that each step is a loop over whole vectors.
const BLOCK: usize = 256;

/// Angles between places as seen from the centre, in radians; the coordinates are those of the one place and of the other, in
/// degrees. The angle of a NaN is NaN.
///
/// # Panics
/// If the lengths differ.
pub fn central_angle(latitudes: [&[f64]; 2], longitudes: [&[f64]; 2], output: &mut [f64]) {
    let length = output.len();
    assert!(latitudes.iter().chain(&longitudes).all(|values| values.len() == length));
    for (position, output) in output.chunks_mut(BLOCK).enumerate() {
        let range = position * BLOCK..position * BLOCK + output.len();
        let [latitudes, longitudes] =
            [latitudes, longitudes].map(|pair| pair.map(|values| &values[range.clone()]));
        block(latitudes, longitudes, output);
    }
}

fn block(latitudes: [&[f64]; 2], longitudes: [&[f64]; 2], output: &mut [f64]) {
    let length = output.len();
    let (mut angles, mut across, mut along) = ([0.0; BLOCK], [0.0; BLOCK], [0.0; BLOCK]);
    let (mut cosines, mut other_cosines) = ([0.0; BLOCK], [0.0; BLOCK]);
    let angles = &mut angles[..length];
    for (pair, sines) in [(latitudes, &mut across), (longitudes, &mut along)] {
        let half_difference = |a: f64, b: f64| (b - a) * RADIANS * 0.5;
        lane_loop::binary(&half_difference, pair[0], pair[1], angles);
        sin(angles, &mut sines[..length]);
    }
    for (degrees, cosines) in latitudes.into_iter().zip([&mut cosines, &mut other_cosines]) {
        lane_loop::unary(&|degrees: f64| degrees * RADIANS, degrees, angles);
        cos(angles, &mut cosines[..length]);
    }
    let root = |across: f64, along: f64, cosine: f64, other_cosine: f64| {
        let root = (across * across + cosine * other_cosine * along * along).sqrt();
        // Rounding may leave a little more than 1 between opposite places; the comparison is false for NaN, which stays.
        std::hint::select_unpredictable(root > 1.0, 1.0, root)
    };
    lane_loop::quaternary(&root, &across, &along, &cosines, &other_cosines, angles);
    asin(angles, output);
    output.iter_mut().for_each(|angle| *angle *= 2.0);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn angle(a: (f64, f64), b: (f64, f64)) -> f64 {
        let mut output = [0.0];
        central_angle([&[a.0], &[b.0]], [&[a.1], &[b.1]], &mut output);
        output[0]
    }

    #[test]
    fn angles_are_those_of_the_sphere() {
        assert_eq!(angle((10.0, 20.0), (10.0, 20.0)), 0.0);
        assert!((angle((0.0, 0.0), (0.0, 180.0)) - std::f64::consts::PI).abs() < 1e-15);
        assert!((angle((0.0, 30.0), (0.0, 31.0)) - RADIANS).abs() < 1e-15);
        assert!(angle((f64::NAN, 0.0), (0.0, 0.0)).is_nan());
    }

    #[test]
    fn blocks_do_not_show() {
        let count = 3 * BLOCK + 17;
        let line = |factor: f64| (0..count).map(|at| at as f64 * factor - 80.0).collect::<Vec<f64>>();
        let (a, b, c, d) = (line(0.2), line(0.1), line(0.3), line(0.05));
        let mut output = vec![0.0; count];
        central_angle([&a, &b], [&c, &d], &mut output);
        for (at, found) in output.iter().enumerate() {
            assert_eq!(found.to_bits(), angle((a[at], c[at]), (b[at], d[at])).to_bits(), "place {at}");
        }
    }
}
