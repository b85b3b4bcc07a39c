//! The discrete Fourier transform of any length, in doubles and a fixed order of operations.
//!
//! A length is taken apart into factors of 4 and then primes; each stage combines as many transforms as its factor says by sums of products
//! with weights that are laid out in the order in which they are read.

use std::f64::consts::PI;

use hypostyle_functions::kernel::transcendental::{cos_one, sin_one};

/// A complex number.
pub(super) type Complex = (f64, f64);

/// A transform of one length.
#[derive(Debug, Default)]
pub(super) struct Fourier {
    length: usize,
    stages: Vec<Stage>,
}

/// Combines `factor` transforms of length `part` to one.
#[derive(Debug)]
struct Stage {
    factor: usize,
    part: usize,
    /// For each place in a part, each output and each of the transforms: the weight.
    weights: Vec<Complex>,
}

impl Fourier {
    /// The transform of a length above 0.
    pub(super) fn new(length: usize) -> Self {
        let mut stages = Vec::new();
        let mut left = length;
        while left > 1 {
            let factor = factor_of(left);
            let part = left / factor;
            let unit = |turn: usize| {
                let angle = -2.0 * PI * (turn % left) as f64 / left as f64;
                (cos_one(angle), sin_one(angle))
            };
            let places = (0..part).flat_map(|place| (0..factor).map(move |output| place + output * part));
            let weights = places.flat_map(|k| (0..factor).map(move |q| unit(k * q))).collect();
            stages.push(Stage { factor, part, weights });
            left = part;
        }
        Self { length, stages }
    }

    /// The transform of `input` in `output`; both have its length.
    pub(super) fn transform(&self, input: &[Complex], output: &mut [Complex]) {
        debug_assert!(input.len() == self.length && output.len() == self.length);
        transform(&self.stages, input, 1, output);
    }
}

fn factor_of(length: usize) -> usize {
    if length.is_multiple_of(4) {
        return 4;
    }
    (2..)
        .take_while(|factor| factor * factor <= length)
        .find(|factor| length.is_multiple_of(*factor))
        .unwrap_or(length)
}

/// The transform of every `stride`-th value.
fn transform(stages: &[Stage], input: &[Complex], stride: usize, output: &mut [Complex]) {
    let Some((stage, below)) = stages.split_first() else {
        output[0] = input[0];
        return;
    };
    for (q, part) in output.chunks_exact_mut(stage.part).enumerate() {
        transform(below, &input[q * stride..], stride * stage.factor, part);
    }
    match stage.factor {
        2 => combine::<2>(stage, output),
        3 => combine::<3>(stage, output),
        4 => combine::<4>(stage, output),
        5 => combine::<5>(stage, output),
        _ => combine_any(stage, output),
    }
}

fn combine<const F: usize>(stage: &Stage, output: &mut [Complex]) {
    for (place, weights) in stage.weights.chunks_exact(F * F).enumerate() {
        let values: [Complex; F] = std::array::from_fn(|q| output[place + q * stage.part]);
        for (k, weights) in weights.chunks_exact(F).enumerate() {
            output[place + k * stage.part] = weighted(&values, weights);
        }
    }
}

fn combine_any(stage: &Stage, output: &mut [Complex]) {
    let mut values = vec![(0.0, 0.0); stage.factor];
    for (place, weights) in stage.weights.chunks_exact(stage.factor * stage.factor).enumerate() {
        values.iter_mut().enumerate().for_each(|(q, value)| *value = output[place + q * stage.part]);
        for (k, weights) in weights.chunks_exact(stage.factor).enumerate() {
            output[place + k * stage.part] = weighted(&values, weights);
        }
    }
}

#[inline(always)]
fn weighted(values: &[Complex], weights: &[Complex]) -> Complex {
    values.iter().zip(weights).fold((0.0, 0.0), |sum, (value, weight)| {
        (sum.0 + (value.0 * weight.0 - value.1 * weight.1), sum.1 + (value.0 * weight.1 + value.1 * weight.0))
    })
}
