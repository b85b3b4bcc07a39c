//! Separable resampling with filters that widen with the scale, so that shrinking does not alias.
//!
//! Rows first: for each row of the result the rows of the input under its filter are summed by weights, which reads the input once or twice
//! from the first byte to the last. Eight such rows then lie side by side, lane by lane, and the horizontal pass sums groups of lanes. Sums are
//! `f32`, in the order of the weights, and are rounded once at the end.

use hypostyle_functions::kernel::transcendental::sin_one;
use hypostyle_functions::kernel::weighted_rows::{Weights, weighted_lanes, weighted_rows};

use super::pixels::{Image, Pixels};

/// Rows of the result that lie side by side.
const LANES: usize = 8;

/// A filter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Filter {
    /// The pixel under the middle.
    Nearest,
    /// The mean over the width of a pixel.
    Box,
    /// A triangle.
    Bilinear,
    /// Cubic convolution with a = -0.5.
    Bicubic,
    /// A windowed sinc of three lobes.
    Lanczos,
}

impl Filter {
    /// The filter of a name.
    pub(super) fn named(name: &str) -> Option<Self> {
        Some(match name.to_ascii_lowercase().as_str() {
            "nearest" => Self::Nearest,
            "box" => Self::Box,
            "bilinear" => Self::Bilinear,
            "bicubic" => Self::Bicubic,
            "lanczos" => Self::Lanczos,
            _ => return None,
        })
    }

    /// Half its width, in pixels of the result where it shrinks.
    fn support(self) -> f64 {
        match self {
            Self::Nearest | Self::Box => 0.5,
            Self::Bilinear => 1.0,
            Self::Bicubic => 2.0,
            Self::Lanczos => 3.0,
        }
    }

    fn value(self, x: f64) -> f64 {
        let distance = x.abs();
        match self {
            Self::Nearest | Self::Box => f64::from(u8::from(x > -0.5 && x <= 0.5)),
            Self::Bilinear => (1.0 - distance).max(0.0),
            Self::Bicubic if distance < 1.0 => (1.5 * distance - 2.5) * distance * distance + 1.0,
            Self::Bicubic if distance < 2.0 => ((-0.5 * distance + 2.5) * distance - 4.0) * distance + 2.0,
            Self::Lanczos if distance < 3.0 => sinc(x) * sinc(x / 3.0),
            Self::Bicubic | Self::Lanczos => 0.0,
        }
    }
}

fn sinc(x: f64) -> f64 {
    if x == 0.0 {
        return 1.0;
    }
    let angle = x * std::f64::consts::PI;
    sin_one(angle) / angle
}

/// One direction of a resizing: `input` pixels become `whole`, of which `wanted` from `start` on are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Axis {
    pub(super) input: usize,
    pub(super) whole: usize,
    pub(super) start: usize,
    pub(super) wanted: usize,
}

impl Axis {
    /// The weights of the wanted outputs.
    fn weights(&self, filter: Filter) -> Weights {
        let scale = self.input as f64 / self.whole as f64;
        let widened = scale.max(1.0);
        let support = filter.support() * widened;
        let mut weights = Weights { taps: support.ceil() as usize * 2 + 1, ..Weights::default() };
        weights.values.reserve(self.wanted * weights.taps);
        for output in self.start..self.start + self.wanted {
            let middle = (output as f64 + 0.5) * scale;
            let (first, end) = if filter == Filter::Nearest {
                let pixel = (middle as usize).min(self.input - 1);
                (pixel, pixel + 1)
            } else {
                let first = (middle - support + 0.5).max(0.0) as usize;
                (first, ((middle + support + 0.5) as usize).min(self.input))
            };
            let values = (first..end).map(|pixel| match filter {
                Filter::Nearest => 1.0,
                _ => filter.value((pixel as f64 - middle + 0.5) / widened),
            });
            let sum: f64 = values.clone().sum();
            let place = weights.values.len();
            weights.values.extend(values.map(|value| if sum == 0.0 { value } else { value / sum } as f32));
            weights.values.resize(place + weights.taps, 0.0);
            weights.starts.push(first as u32);
            weights.counts.push((end - first) as u32);
        }
        weights
    }
}

/// Buffers, and the weights of the last sizes, which are those of the next image more often than not.
#[derive(Default)]
pub(super) struct Resizer {
    weights: [Option<(Axis, Filter, Weights)>; 2],
    /// One row of sums.
    row: Vec<f32>,
    /// Eight such rows, lane by lane.
    block: Vec<f32>,
    /// What the horizontal pass makes of them.
    sums: Vec<f32>,
}

impl Resizer {
    /// Makes the wanted part of a resized image in `place`.
    pub(super) fn resize(&mut self, image: Pixels<'_>, axes: [Axis; 2], filter: Filter, place: &mut Image) {
        for (held, axis) in self.weights.iter_mut().zip(axes) {
            if !held.as_ref().is_some_and(|(known, with, _)| *known == axis && *with == filter) {
                *held = Some((axis, filter, axis.weights(filter)));
            }
        }
        let [Some((_, _, across)), Some((_, _, down))] = &self.weights else { return };
        let [width, height] = axes.map(|axis| axis.wanted);
        let channels = image.channels;
        let stride = image.width * channels;
        let group = channels * LANES;
        place.values.resize(width * height * channels, 0);
        (place.width, place.height, place.channels) = (width, height, channels);
        // Only the columns under the filters of the wanted ones are summed.
        let first = across.starts.iter().min().map_or(0, |&start| start as usize);
        let ends = across.starts.iter().zip(&across.counts).map(|(start, count)| (start + count) as usize);
        let needed = (ends.max().unwrap_or(first) - first) * channels;
        self.row.resize(needed, 0.0);
        self.block.resize((first * channels + needed) * LANES, 0.0);
        self.sums.resize(width * group, 0.0);
        for top in (0..height).step_by(LANES) {
            let lanes = LANES.min(height - top);
            for lane in 0..lanes {
                let (start, weights) = down.of(top + lane);
                let rows = &image.values[start * stride + first * channels..];
                weighted_rows(rows, stride, weights, &mut self.row);
                let places = self.block[first * group + lane..].iter_mut().step_by(LANES);
                places.zip(&self.row).for_each(|(place, sum)| *place = *sum);
            }
            weighted_lanes(&self.block, group, across, &mut self.sums);
            for lane in 0..lanes {
                let row = &mut place.values[(top + lane) * width * channels..][..width * channels];
                let sums = self.sums[lane..].iter().step_by(LANES);
                row.iter_mut().zip(sums).for_each(|(value, sum)| *value = rounded(*sum));
            }
        }
    }
}

/// To the nearest of 0 to 255, halves up.
fn rounded(sum: f32) -> u8 {
    // The conversion cuts off and saturates.
    (sum + 0.5) as u8
}
