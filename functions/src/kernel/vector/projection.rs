//! Random projection by signs: each result is a sum of the elements with random signs, over the root of the dimension
//! of the result (Achlioptas 2003). Distances keep their expected square.

use crate::kernel::hash::row::hash_u64;

/// The signs of a projection as floats, one row of the result's dimension for each element.
#[derive(Debug, Clone)]
pub struct Projection {
    signs: Vec<f32>,
    dimension: usize,
}

impl Projection {
    /// Signs for vectors of `source` elements projected to `dimension`; they depend on nothing but these and the seed.
    pub fn new(source: usize, dimension: usize, seed: u64) -> Self {
        let mut signs = Vec::with_capacity(source * dimension);
        for element in 0..source as u64 {
            for word in 0..dimension.div_ceil(64) as u64 {
                let bits = hash_u64(word, hash_u64(element, seed));
                let left = (dimension - word as usize * 64).min(64);
                signs.extend((0..left).map(|bit| if bits >> bit & 1 == 0 { 1.0f32 } else { -1.0 }));
            }
        }
        Self { signs, dimension }
    }

    /// Dimension of the result.
    pub fn dimension(&self) -> usize {
        self.dimension
    }

    /// Writes the projection of a vector; sums run in the order of its elements.
    ///
    /// # Panics
    /// If vector or output have another length.
    pub fn project(&self, vector: &[f32], output: &mut [f32]) {
        assert!(output.len() == self.dimension && vector.len() * self.dimension == self.signs.len());
        if self.dimension > 0 {
            add_signed(vector, &self.signs, output, 1.0 / (self.dimension as f32).sqrt());
        }
    }
}

at_each_level! {
    fn add_signed / add_signed_at(vector: &[f32], signs: &[f32], output: &mut [f32], factor: f32) {
        output.fill(0.0);
        for (&value, signs) in vector.iter().zip(signs.chunks_exact(output.len())) {
            output.iter_mut().zip(signs).for_each(|(sum, &sign)| *sum += value * sign);
        }
        output.iter_mut().for_each(|sum| *sum *= factor);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::level::Level;

    #[test]
    fn projections_have_the_bits_of_the_definition_at_every_level() {
        let projection = Projection::new(33, 70, 7);
        let vector: Vec<f32> = (0..33).map(|index| index as f32 * 0.3 - 4.0).collect();
        let mut expected = vec![0.0f32; 70];
        for (element, &value) in vector.iter().enumerate() {
            for (place, sum) in expected.iter_mut().enumerate() {
                *sum += value * projection.signs[element * 70 + place];
            }
        }
        let factor = 1.0 / 70f32.sqrt();
        expected.iter_mut().for_each(|sum| *sum *= factor);
        for level in Level::available() {
            let mut output = vec![9.0; 70];
            add_signed_at(level, &vector, &projection.signs, &mut output, factor);
            assert_eq!(output, expected);
        }
    }

    #[test]
    fn lengths_are_kept_on_average() {
        let projection = Projection::new(64, 256, 1);
        let vector = [1.0f32; 64];
        let mut output = vec![0.0; 256];
        projection.project(&vector, &mut output);
        let square: f32 = output.iter().map(|value| value * value).sum();
        assert!((square / 64.0 - 1.0).abs() < 0.25, "{square}");
        let ones = projection.signs.iter().filter(|&&sign| sign > 0.0).count();
        assert!((ones as f64 / (64.0 * 256.0) - 0.5).abs() < 0.02);
    }

    #[test]
    fn other_seeds_give_other_signs() {
        assert_ne!(Projection::new(8, 8, 1).signs, Projection::new(8, 8, 2).signs);
        assert_eq!(Projection::new(8, 8, 1).signs, Projection::new(8, 8, 1).signs);
    }
}
