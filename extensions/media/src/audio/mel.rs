//! Spectrograms on the mel scale, as librosa defines them: frames in the middle of a reflected signal, a periodic Hann window, power, and Slaney's
//! triangles of equal area.

use std::f64::consts::PI;
use std::ops::Range;

use hypostyle_functions::kernel::transcendental::{cos_one, exp_one, ln_one};

use super::fourier::{Complex, Fourier};

/// The sizes of a spectrogram.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Shape {
    pub(super) sample_rate: usize,
    /// Samples of a frame.
    pub(super) window: usize,
    /// Samples from one frame to the next.
    pub(super) hop: usize,
    pub(super) bands: usize,
    /// The lowest and highest frequency in hertz.
    pub(super) lowest: f64,
    pub(super) highest: f64,
}

/// The weights of one band over the frequencies of a frame.
#[derive(Debug)]
pub(super) struct Band {
    pub(super) bins: Range<usize>,
    pub(super) weights: Vec<f64>,
}

/// What spectrograms of one shape share. Immutable; any number of threads use it.
#[derive(Debug)]
pub(super) struct Mel {
    shape: Shape,
    window: Vec<f64>,
    fourier: Fourier,
    pub(super) bands: Vec<Band>,
}

/// The frames on their way, two at a time.
#[derive(Default)]
pub(super) struct Frames {
    input: Vec<Complex>,
    output: Vec<Complex>,
}

impl Mel {
    pub(super) fn new(shape: Shape) -> Self {
        let hann = |sample: usize| 0.5 - 0.5 * cos_one(2.0 * PI * sample as f64 / shape.window as f64);
        Self {
            shape,
            window: (0..shape.window).map(hann).collect(),
            fourier: Fourier::new(shape.window),
            bands: bands(shape),
        }
    }

    /// Frames of so many samples.
    pub(super) fn frames(&self, samples: usize) -> usize {
        if samples == 0 { 0 } else { 1 + samples / self.shape.hop }
    }

    /// The power in each band of each frame, frame after frame, which `put` is given as it comes.
    pub(super) fn power(&self, samples: &[f32], work: &mut Frames, mut put: impl FnMut(usize, usize, f64)) {
        let length = self.shape.window;
        work.input.resize(length, (0.0, 0.0));
        work.output.resize(length, (0.0, 0.0));
        let frames = self.frames(samples.len());
        // Two real signals are transformed as one complex one.
        for first in (0..frames).step_by(2) {
            let second = (first + 1 < frames).then_some(first + 1);
            for (k, (value, weight)) in work.input.iter_mut().zip(&self.window).enumerate() {
                let at = |frame: usize| weight * self.sample(samples, frame, k);
                *value = (at(first), second.map_or(0.0, at));
            }
            self.fourier.transform(&work.input, &mut work.output);
            let bins = &work.output;
            // |a|^2 of bin k of both signals, by the symmetry of real ones.
            let both = |k: usize| {
                let ((re, im), (other_re, other_im)) = (bins[k], bins[(length - k) % length]);
                let (a, b) = ((re + other_re, im - other_im), (im + other_im, other_re - re));
                ((a.0 * a.0 + a.1 * a.1) * 0.25, (b.0 * b.0 + b.1 * b.1) * 0.25)
            };
            for (number, band) in self.bands.iter().enumerate() {
                let weighted = band.bins.clone().zip(&band.weights).fold((0.0, 0.0), |sum, (k, weight)| {
                    let power = both(k);
                    (sum.0 + weight * power.0, sum.1 + weight * power.1)
                });
                put(first, number, weighted.0);
                if let Some(second) = second {
                    put(second, number, weighted.1);
                }
            }
        }
    }

    /// Sample `k` of a frame: the signal is mirrored at its ends, as often as it takes.
    #[inline(always)]
    fn sample(&self, samples: &[f32], frame: usize, k: usize) -> f64 {
        let (place, before) = (frame * self.shape.hop + k, self.shape.window / 2);
        if place >= before && place - before < samples.len() {
            return f64::from(samples[place - before]);
        }
        let period = 2 * (samples.len() - 1);
        if period == 0 {
            return f64::from(samples[0]);
        }
        // `place - before` modulo the period, without going below zero.
        let turn = (place + period - before % period) % period;
        f64::from(samples[turn.min(period - turn)])
    }
}

/// Slaney's mel scale: linear up to 1000 Hz, logarithmic above.
const LINEAR_HERTZ: f64 = 200.0 / 3.0;
const LOGARITHMIC_FROM_HERTZ: f64 = 1000.0;
const LOGARITHMIC_FROM_MEL: f64 = 15.0;

/// Mels of a factor of 6.4 above 1000 Hz.
const LOGARITHMIC_STEPS: f64 = 27.0;

fn mel_of(hertz: f64) -> f64 {
    if hertz < LOGARITHMIC_FROM_HERTZ {
        return hertz / LINEAR_HERTZ;
    }
    LOGARITHMIC_FROM_MEL + ln_one(hertz / LOGARITHMIC_FROM_HERTZ) * LOGARITHMIC_STEPS / ln_one(6.4)
}

fn hertz_of(mel: f64) -> f64 {
    if mel < LOGARITHMIC_FROM_MEL {
        return mel * LINEAR_HERTZ;
    }
    LOGARITHMIC_FROM_HERTZ * exp_one((mel - LOGARITHMIC_FROM_MEL) * ln_one(6.4) / LOGARITHMIC_STEPS)
}

fn bands(shape: Shape) -> Vec<Band> {
    let (low, high) = (mel_of(shape.lowest), mel_of(shape.highest));
    let step = (high - low) / (shape.bands + 1) as f64;
    let corners: Vec<f64> = (0..shape.bands + 2).map(|corner| hertz_of(low + corner as f64 * step)).collect();
    let hertz = |bin: usize| bin as f64 * shape.sample_rate as f64 / shape.window as f64;
    let triangle = |corners: &[f64]| {
        let (left, middle, right) = (corners[0], corners[1], corners[2]);
        let weight = |bin: usize| {
            let (rising, falling) =
                ((hertz(bin) - left) / (middle - left), (right - hertz(bin)) / (right - middle));
            rising.min(falling).max(0.0) * 2.0 / (right - left)
        };
        let first = (0..=shape.window / 2).find(|bin| hertz(*bin) > left).unwrap_or(0);
        let end = (first..=shape.window / 2).find(|bin| hertz(*bin) >= right).unwrap_or(shape.window / 2 + 1);
        Band { bins: first..end, weights: (first..end).map(weight).collect() }
    };
    corners.windows(3).map(triangle).collect()
}
