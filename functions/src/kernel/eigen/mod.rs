//! Eigenvalues and eigenvectors of a symmetric matrix.
//!
//! Reflections make it tridiagonal ([`tridiagonal`], Householder 1958), rotations with shifts make that diagonal ([`rotations`], the
//! implicit QL method of Dubrulle 1970). Additions and products in a fixed order give equal bits everywhere.

mod rotations;
mod tridiagonal;

use rotations::diagonal_of;
use tridiagonal::{Tridiagonal, tridiagonal};

/// Eigenvalues, the greatest first, and the eigenvector of each as a row of a matrix.
#[derive(Debug, Clone, PartialEq)]
pub struct Eigen {
    /// The values.
    pub values: Vec<f64>,
    /// The vectors, of length 1, one behind the other; the greatest element of each, by magnitude, is positive.
    pub vectors: Vec<f64>,
}

/// The eigenvalues and eigenvectors of a symmetric matrix of `size` rows.
///
/// Errors are a few roundings of the greatest eigenvalue, also in those far below it. A matrix with NaN or infinities has some results.
///
/// # Panics
/// If the matrix is not square.
pub fn eigen(mut matrix: Vec<f64>, size: usize) -> Eigen {
    assert_eq!(matrix.len(), size * size, "a square matrix");
    let scale = scale_of(&matrix);
    matrix.iter_mut().for_each(|element| *element *= scale);
    let Tridiagonal { mut diagonal, mut beside, mut vectors } = tridiagonal(matrix, size);
    diagonal_of(&mut diagonal, &mut beside, &mut vectors);
    let mut order: Vec<usize> = (0..size).collect();
    order.sort_by(|&left, &right| diagonal[right].total_cmp(&diagonal[left]));
    let mut sorted = Vec::with_capacity(size * size);
    for &place in &order {
        let vector = &vectors[place * size..(place + 1) * size];
        let greatest = vector
            .iter()
            .fold(0.0f64, |held, &element| if element.abs() > held.abs() { element } else { held });
        sorted.extend(vector.iter().map(|&element| if greatest < 0.0 { -element } else { element }));
    }
    Eigen { values: order.iter().map(|&place| diagonal[place] / scale).collect(), vectors: sorted }
}

/// A power of two that brings the greatest magnitude near 1, so that no square is out of range; 1 where there is none such.
fn scale_of(values: &[f64]) -> f64 {
    let greatest = values.iter().fold(0.0f64, |held, value| held.max(value.abs()));
    if greatest == 0.0 || !greatest.is_finite() {
        return 1.0;
    }
    // Both ends of the exponents are kept away from, where powers of two have no reciprocals.
    let exponent = (greatest.to_bits() >> 52).clamp(2, 2044);
    f64::from_bits((2046 - exponent) << 52)
}

#[cfg(test)]
mod tests {
    use super::eigen;

    /// A symmetric matrix of numbers that look random.
    fn symmetric(size: usize) -> Vec<f64> {
        let mut matrix = vec![0.0; size * size];
        for row in 0..size {
            for column in 0..=row {
                let value = ((row * 7919 + column * 104_729) % 1009) as f64 / 100.0 - 5.0;
                matrix[row * size + column] = value;
                matrix[column * size + row] = value;
            }
        }
        matrix
    }

    /// Holds values and vectors against the definition, within so many roundings of the greatest value.
    fn check(matrix: &[f64], size: usize, scale: f64) {
        let found = eigen(matrix.to_vec(), size);
        let name = format!("{size} rows, scale {scale:e}");
        let most = f64::EPSILON * 8.0 * (size as f64 + 4.0);
        assert!(found.values.is_sorted_by(|left, right| left >= right), "{name}");
        let greatest = found.values.iter().fold(0.0f64, |held, value| held.max(value.abs()));
        for (number, vector) in found.vectors.chunks(size.max(1)).enumerate() {
            for (row, &element) in vector.iter().enumerate() {
                let product: f64 = (0..size).map(|place| matrix[row * size + place] * vector[place]).sum();
                let difference = (product - found.values[number] * element).abs();
                assert!(difference <= most * greatest, "{name}: value {number} is off by {difference:e}");
            }
            for (other, against) in found.vectors.chunks(size).enumerate() {
                let product: f64 = vector.iter().zip(against).map(|(left, right)| left * right).sum();
                let difference = (product - f64::from(u8::from(number == other))).abs();
                assert!(difference <= most, "{name}: vectors {number} and {other} are off by {difference:e}");
            }
        }
        let trace: f64 = (0..size).map(|place| matrix[place * size + place]).sum();
        let sum: f64 = found.values.iter().sum();
        assert!((trace - sum).abs() <= most * greatest * (size as f64 + 1.0), "{name}: trace");
    }

    #[test]
    fn vectors_are_orthonormal_and_are_scaled_by_their_values() {
        for size in [0, 1, 2, 3, 4, 5, 8, 17, 33, 64, 130] {
            let matrix = symmetric(size);
            for scale in [1.0, 1e-12, 1e140, 1e-140, 1e290] {
                let scaled: Vec<f64> = matrix.iter().map(|element| element * scale).collect();
                check(&scaled, size, scale);
            }
        }
    }

    #[test]
    fn equal_values_and_missing_ranks_are_no_obstacle() {
        for size in [2, 5, 40] {
            let of = |element: fn(usize, usize) -> f64| -> Vec<f64> {
                (0..size * size).map(|place| element(place / size, place % size)).collect()
            };
            // All ones: one value is the size, all others are 0.
            check(&of(|_, _| 1.0), size, 1.0);
            check(&of(|row, column| f64::from(u8::from(row == column)) * 3.0), size, 3.0);
            // Magnitudes over a wide range, the least first and the greatest first.
            check(&of(|row, column| 10f64.powi((row + column) as i32)), size, 10.0);
            check(&of(|row, column| 10f64.powi(-((row + column) as i32))), size, 0.1);
            // Blocks with nothing between them.
            check(&of(|row, column| f64::from(u8::from(row / 2 == column / 2))), size, 2.0);
        }
    }

    #[test]
    fn known_matrices_have_known_values() {
        let found = eigen(vec![2.0, 1.0, 1.0, 2.0], 2);
        assert!((found.values[0] - 3.0).abs() < 1e-15 && (found.values[1] - 1.0).abs() < 1e-15);
        assert!(found.vectors[0] > 0.0 && (found.vectors[0] - 0.5f64.sqrt()).abs() < 1e-15);
        assert_eq!(eigen(vec![0.0; 9], 3).values, [0.0; 3]);
        assert_eq!(eigen(vec![1.0, 0.0, 0.0, 4.0], 2).vectors, [0.0, 1.0, 1.0, 0.0]);
        let huge = eigen(vec![1e300, 1e-300, 1e-300, -1e300], 2);
        assert_eq!(huge.values, [1e300, -1e300]);
        assert_eq!(eigen(vec![f64::MAX], 1).values, [f64::MAX]);
        assert_eq!(eigen(vec![5e-324], 1).values, [5e-324]);
        // The path of n points has the values 2 - 2 cos(pi k / (n + 1)).
        let size = 50usize;
        let path: Vec<f64> = (0..size * size)
            .map(|place| match (place / size).abs_diff(place % size) {
                0 => 2.0,
                1 => -1.0,
                _ => 0.0,
            })
            .collect();
        for (number, value) in eigen(path, size).values.into_iter().rev().enumerate() {
            let angle = std::f64::consts::PI * (number + 1) as f64 / (size + 1) as f64;
            assert!((value - (2.0 - 2.0 * angle.cos())).abs() < 1e-14, "{number}: {value}");
        }
    }

    #[test]
    fn what_has_no_eigenvalues_ends() {
        for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            let mut matrix = symmetric(9);
            matrix[3 * 9 + 5] = value;
            matrix[5 * 9 + 3] = value;
            assert_eq!(eigen(matrix, 9).values.len(), 9);
        }
    }
}
