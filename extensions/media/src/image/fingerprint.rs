//! `image_phash` and `image_dhash`: 64 bits that change little where an image changes little.

use std::f64::consts::PI;

use hypostyle_functions::kernel::transcendental::cos_one;
use hypostyle_functions::scalar::{Bound, Cost, Exactness, ScalarFunction};
use hypostyle_functions::signature::exact;
use hypostyle_functions::{Registry, Type};

use super::decode::Converted;
use super::geometry::Fit;
use super::mode::Mode;
use super::pixels::{Pixels, image_type, refused};
use super::resize::Filter;
use super::resize_function::Resized;
use super::source::Source;
use super::{CATEGORY, EXACTNESS_NOTE};

/// Side of the hash: 8 x 8 bits.
const SIDE: usize = 8;

/// Side of the grey image whose low frequencies make the perceptual hash.
const WAVE_SIDE: usize = 32;

/// Below this a frequency is nothing: values up to 255 make sums of 1,024 terms in double precision.
const ROUNDING: f64 = 1e-7;

/// A hash of a grey image of a size.
#[derive(Clone, Copy)]
struct Hash {
    width: usize,
    height: usize,
    bits: fn(Pixels<'_>) -> u64,
}

pub(super) fn register(registry: &mut Registry) {
    let distance = "The number of different bits of two hashes, bit_count(xor(a, b)), says how different their images are: up to about 10 of 64 for copies.";
    let perceptual = ScalarFunction::new("image_phash", CATEGORY, "The perceptual hash of an image or its file: 64 bits of its low frequencies.")
        .note("Grey, 32 x 32 by Lanczos; of its cosine transform the 8 x 8 lowest frequencies, each bit whether one is above their median; first bit highest, as imagehash.phash orders them.")
        .note(distance)
        .note(EXACTNESS_NOTE)
        .example("image_phash({'width': 2, 'height': 2, 'channels': 1, 'pixels': '\\x00\\x00\\xFF\\xFF'::BLOB})", "9223372586618978304");
    register_hash(registry, perceptual, Hash { width: WAVE_SIDE, height: WAVE_SIDE, bits: wave_bits });
    let gradient = ScalarFunction::new("image_dhash", CATEGORY, "The gradient hash of an image or its file: 64 bits that say where it gets lighter.")
        .note("Grey, 9 x 8 by Lanczos; each bit whether a pixel is lighter than the one left of it; first bit highest, as imagehash.dhash orders them.")
        .note(distance)
        .note(EXACTNESS_NOTE)
        .example("image_dhash({'width': 2, 'height': 1, 'channels': 1, 'pixels': '\\x00\\xFF'::BLOB})", "9114861777597660798");
    register_hash(registry, gradient, Hash { width: SIDE + 1, height: SIDE, bits: gradient_bits });
}

fn register_hash(registry: &mut Registry, function: ScalarFunction, hash: Hash) {
    let function = function
        .overload([exact("file", Type::Binary)], move |arguments| Ok(bound(arguments.function, hash, true)))
        .overload([exact("image", image_type())], move |arguments| Ok(bound(arguments.function, hash, false)))
        .cost(Cost::Parse);
    registry.register_scalar(ScalarFunction { exactness: Exactness::Platform, ..function });
}

/// Images on their way.
#[derive(Default)]
struct Work {
    grey: Converted,
    resized: Resized,
}

fn bound(function: &str, hash: Hash, of_file: bool) -> Bound {
    let function = function.to_owned();
    Bound::strict(Type::UInt64, move |arguments, rows, output, scratch| {
        let Work { grey, resized: Resized { resizer, image: small } } = scratch.slot::<Work>();
        let source = Source::new(&arguments[0], of_file);
        rows.for_each(|row| {
            let bits = source.with(row, |image| {
                let image = Mode::L.converted(image, &mut grey.0);
                let axes = Fit::Stretch.axes(image, hash.width, hash.height);
                resizer.resize(image, axes, Filter::Lanczos, small);
                (hash.bits)(small.pixels())
            });
            match bits {
                Ok(bits) => output.fixed::<u64>()[row] = bits,
                Err(problem) => output.fail(row, || refused(&function, &problem)),
            }
        });
        Ok(())
    })
}

/// One bit after the other, the first highest.
fn packed(bits: impl Iterator<Item = bool>) -> u64 {
    bits.fold(0, |hash, bit| hash << 1 | u64::from(bit))
}

fn gradient_bits(grey: Pixels<'_>) -> u64 {
    packed((0..SIDE).flat_map(|y| grey.row(y).windows(2).map(|pair| pair[1] > pair[0])))
}

fn wave_bits(grey: Pixels<'_>) -> u64 {
    // waves[k][x] is the cosine of frequency k at pixel x.
    let wave = |k: usize, x: usize| cos_one(PI * (k * (2 * x + 1)) as f64 / (2 * WAVE_SIDE) as f64);
    let waves: [[f64; WAVE_SIDE]; SIDE] = std::array::from_fn(|k| std::array::from_fn(|x| wave(k, x)));
    let mut across = [[0.0f64; SIDE]; WAVE_SIDE];
    for (y, sums) in across.iter_mut().enumerate() {
        for (sum, wave) in sums.iter_mut().zip(&waves) {
            *sum = grey.row(y).iter().zip(wave).map(|(value, wave)| f64::from(*value) * wave).sum();
        }
    }
    let low =
        |k: usize, l: usize| -> f64 { across.iter().zip(&waves[k]).map(|(sums, wave)| sums[l] * wave).sum() };
    // Flat images have frequencies of nothing, and what little rounding makes of them is no picture.
    let low: [f64; SIDE * SIDE] = std::array::from_fn(|place| {
        let value = low(place / SIDE, place % SIDE);
        if value.abs() < ROUNDING { 0.0 } else { value }
    });
    let mut sorted = low;
    sorted.sort_by(f64::total_cmp);
    let median = (sorted[SIDE * SIDE / 2 - 1] + sorted[SIDE * SIDE / 2]) / 2.0;
    packed(low.iter().map(|value| *value > median))
}
