//! Weighted sums of neighbouring rows and of neighbouring groups of lanes: both passes of a separable resampling.
//!
//! The vertical pass reads rows of bytes and keeps its sums in registers while it goes down the rows. The horizontal pass runs over several
//! rows side by side, one in each lane, so that it vectorizes whatever the number of channels and however few the weights. Products are added in
//! the order of the weights, without fused multiply-add, so every CPU level gives the same bits.

/// Sums that one sweep down the rows keeps in registers.
const BLOCK: usize = 64;

/// The weights of one axis: for each output, where its inputs begin and what each counts.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Weights {
    /// First input of each output.
    pub starts: Vec<u32>,
    /// Number of inputs of each output.
    pub counts: Vec<u32>,
    /// Weights of all outputs, [`Weights::taps`] each; those past the count are 0.
    pub values: Vec<f32>,
    /// Most inputs of an output.
    pub taps: usize,
}

impl Weights {
    /// First input and weights of an output.
    ///
    /// # Panics
    /// If there is no such output.
    #[inline(always)]
    pub fn of(&self, output: usize) -> (usize, &[f32]) {
        let start = output * self.taps;
        (self.starts[output] as usize, &self.values[start..start + self.counts[output] as usize])
    }
}

at_each_level! {
    /// `sums[i]` is the sum over `k` of `weights[k]` times `rows[k * stride + i]`.
    ///
    /// # Panics
    /// If the rows are fewer than the weights or shorter than the sums.
    pub fn weighted_rows / weighted_rows_at(rows: &[u8], stride: usize, weights: &[f32], sums: &mut [f32]) {
        let whole = sums.len() / BLOCK * BLOCK;
        for start in (0..whole).step_by(BLOCK) {
            let mut block = [0.0f32; BLOCK];
            for (k, weight) in weights.iter().enumerate() {
                let place = k * stride + start;
                let row: &[u8] = &rows[place..place + BLOCK];
                for (sum, value) in block.iter_mut().zip(row) {
                    *sum += weight * f32::from(*value);
                }
            }
            sums[start..start + BLOCK].copy_from_slice(&block);
        }
        for (i, sum) in sums.iter_mut().enumerate().skip(whole) {
            *sum = 0.0;
            for (k, weight) in weights.iter().enumerate() {
                *sum += weight * f32::from(rows[k * stride + i]);
            }
        }
    }

    /// For each output `x`, `sums[x * W + i]` is the sum over `k` of its weight `k` times `values[(start + k) * W + i]`, for groups of `W` lanes.
    ///
    /// # Panics
    /// If the values or sums are shorter than the weights ask for, or `W` is none of 8, 16, 24 and 32.
    pub fn weighted_lanes / weighted_lanes_at(values: &[f32], width: usize, weights: &Weights, sums: &mut [f32]) {
        match width {
            8 => lanes::<8>(values, weights, sums),
            16 => lanes::<16>(values, weights, sums),
            24 => lanes::<24>(values, weights, sums),
            _ => {
                assert_eq!(width, 32, "groups have 8, 16, 24 or 32 lanes");
                lanes::<32>(values, weights, sums);
            }
        }
    }
}

#[inline(always)]
fn lanes<const W: usize>(values: &[f32], weights: &Weights, sums: &mut [f32]) {
    for (output, sums) in sums.chunks_exact_mut(W).enumerate() {
        let (start, weights) = weights.of(output);
        let mut block = [0.0f32; W];
        for (group, weight) in values[start * W..].chunks_exact(W).zip(weights) {
            for (sum, value) in block.iter_mut().zip(group) {
                *sum += weight * value;
            }
        }
        sums.copy_from_slice(&block);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::level::Level;

    #[test]
    fn sums_of_rows_are_those_of_the_definition_at_every_level_and_length() {
        let weights = [0.25f32, -0.5, 1.25];
        for length in [0, 1, 63, 64, 65, 200] {
            let stride = length + 3;
            let rows: Vec<u8> = (0..3 * stride).map(|i| (i * 37 % 256) as u8).collect();
            let expected: Vec<f32> = (0..length)
                .map(|i| (0..3).fold(0.0, |sum, k| sum + weights[k] * f32::from(rows[k * stride + i])))
                .collect();
            for level in Level::available() {
                let mut sums = vec![f32::NAN; length];
                weighted_rows_at(level, &rows, stride, &weights, &mut sums);
                assert_eq!(sums, expected, "{level}, {length}");
            }
        }
    }

    #[test]
    fn sums_of_lanes_are_those_of_the_definition_at_every_level() {
        let weights = Weights {
            starts: vec![0, 1, 2],
            counts: vec![1, 2, 3],
            values: vec![1.0, 0.0, 0.0, 0.5, 0.5, 0.0, 0.25, 0.5, 0.75],
            taps: 3,
        };
        for width in [8, 16, 24, 32] {
            let values: Vec<f32> = (0..5 * width).map(|i| i as f32 * 0.37).collect();
            let at = |group: usize, i: usize| values[group * width + i];
            let expected: Vec<f32> = (0..3 * width)
                .map(|place| {
                    let (x, i) = (place / width, place % width);
                    let (start, weights) = weights.of(x);
                    weights.iter().enumerate().fold(0.0, |sum, (k, weight)| sum + weight * at(start + k, i))
                })
                .collect();
            for level in Level::available() {
                let mut sums = vec![f32::NAN; 3 * width];
                weighted_lanes_at(level, &values, width, &weights, &mut sums);
                assert_eq!(sums, expected, "{level}, {width}");
            }
        }
    }
}
