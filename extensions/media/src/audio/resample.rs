//! Resampling by a windowed sinc, one filter for each phase.
//!
//! The definition is that of torchaudio's `resample` with its defaults: a Hann window of six zero crossings a side, the cut-off at 0.99 of the
//! lower rate. Of rates reduced by their common divisor to `from` and `to`, output `n` has phase `n % to` and reads the inputs around
//! `n / to * from`.

use hypostyle_functions::kernel::transcendental::{cos_one, sin_one};

/// Zero crossings of the sinc on each side.
const CROSSINGS: f64 = 6.0;

/// The cut-off, as a share of half the lower rate.
const ROLL_OFF: f64 = 0.99;

/// The filters of the last rates, which are those of the next sound more often than not.
#[derive(Default)]
pub(super) struct Resampler {
    rates: (usize, usize),
    from: usize,
    to: usize,
    /// Inputs before the first of a step that a filter reads.
    width: usize,
    /// A filter of `2 * width + from` weights for each of `to` phases.
    filters: Vec<f32>,
}

impl Resampler {
    /// Makes the filters of two rates, both above 0.
    pub(super) fn prepare(&mut self, from: usize, to: usize) {
        if self.rates == (from, to) {
            return;
        }
        self.rates = (from, to);
        let divisor = common_divisor(from, to);
        (self.from, self.to) = (from / divisor, to / divisor);
        let (from, to) = (self.from as f64, self.to as f64);
        let cut_off = from.min(to) * ROLL_OFF;
        self.width = (CROSSINGS * from / cut_off).ceil() as usize;
        let taps = 2 * self.width + self.from;
        self.filters.clear();
        self.filters.reserve(taps * self.to);
        for phase in 0..self.to {
            for tap in 0..taps {
                let place = (tap as f64 - self.width as f64) / from - phase as f64 / to;
                let time = (place * cut_off).clamp(-CROSSINGS, CROSSINGS);
                let window = cos_one(time * std::f64::consts::PI / CROSSINGS / 2.0);
                let angle = time * std::f64::consts::PI;
                let sinc = if angle == 0.0 { 1.0 } else { sin_one(angle) / angle };
                self.filters.push((sinc * window * window * cut_off / from) as f32);
            }
        }
    }

    /// Samples that come of so many.
    pub(super) fn length(&self, samples: usize) -> usize {
        (samples * self.to).div_ceil(self.from.max(1))
    }

    /// Fills `output`, of [`Resampler::length`] samples. What lies outside the input is silence.
    pub(super) fn resample(&self, input: &[f32], output: &mut [f32]) {
        let taps = 2 * self.width + self.from;
        for (n, value) in output.iter_mut().enumerate() {
            let (step, phase) = (n / self.to, n % self.to);
            let filter = &self.filters[phase * taps..(phase + 1) * taps];
            // The filter begins this many samples before the input, or so far inside it.
            let start = step * self.from;
            let before = self.width.saturating_sub(start);
            let first = (start + before) - self.width.min(start + before);
            let filter = filter.get(before..).unwrap_or_default();
            let inside = input.get(first..).unwrap_or_default();
            *value = filter.iter().zip(inside).map(|(weight, sample)| weight * sample).sum();
        }
    }
}

fn common_divisor(a: usize, b: usize) -> usize {
    if b == 0 { a } else { common_divisor(b, a % b) }
}
