//! Eigenvalues and eigenvectors of a symmetric matrix, by rotations in one fixed order.
//!
//! Each rotation makes one element beside the diagonal zero (Jacobi 1846); sweeps over all of them end once what is left is nothing
//! beside the diagonal. Additions and products in a fixed order give equal bits everywhere.

/// Sweeps after which a matrix is taken as it is; few need more than ten.
const SWEEPS_MAX: usize = 60;

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
/// # Panics
/// If the matrix is not square.
pub fn eigen(mut matrix: Vec<f64>, size: usize) -> Eigen {
    assert_eq!(matrix.len(), size * size, "a square matrix");
    let mut vectors = vec![0.0; size * size];
    (0..size).for_each(|place| vectors[place * size + place] = 1.0);
    for _ in 0..SWEEPS_MAX {
        let mut is_done = true;
        for row in 0..size {
            for column in row + 1..size {
                is_done &= !rotate(&mut matrix, &mut vectors, size, row, column);
            }
        }
        if is_done {
            break;
        }
    }
    let mut order: Vec<usize> = (0..size).collect();
    let value = |place: usize| matrix[place * size + place];
    order.sort_by(|&left, &right| value(right).total_cmp(&value(left)));
    let mut sorted = Vec::with_capacity(size * size);
    for &place in &order {
        let vector = &vectors[place * size..(place + 1) * size];
        let greatest = vector
            .iter()
            .fold(0.0f64, |held, &element| if element.abs() > held.abs() { element } else { held });
        sorted.extend(vector.iter().map(|&element| if greatest < 0.0 { -element } else { element }));
    }
    Eigen { values: order.iter().map(|&place| value(place)).collect(), vectors: sorted }
}

/// Rotates one element beside the diagonal to zero; false if it is nothing beside the diagonal. Eigenvectors are rows of `vectors`.
fn rotate(matrix: &mut [f64], vectors: &mut [f64], size: usize, row: usize, column: usize) -> bool {
    let element = matrix[row * size + column];
    let (first, second) = (matrix[row * size + row], matrix[column * size + column]);
    if element == 0.0 || element.abs() <= f64::EPSILON * 0.25 * (first.abs() * second.abs()).sqrt() {
        return false;
    }
    let slope = (second - first) / (2.0 * element);
    let tangent = slope.signum() / (slope.abs() + (slope * slope + 1.0).sqrt());
    // A slope beyond the range of its square leaves nothing to rotate.
    let tangent = if tangent.is_finite() { tangent } else { 0.0 };
    if tangent == 0.0 {
        return false;
    }
    let cosine = 1.0 / (tangent * tangent + 1.0).sqrt();
    let sine = tangent * cosine;
    for place in (0..size).filter(|&place| place != row && place != column) {
        let (left, right) = (matrix[row * size + place], matrix[column * size + place]);
        let (left, right) = (cosine * left - sine * right, sine * left + cosine * right);
        matrix[row * size + place] = left;
        matrix[column * size + place] = right;
        matrix[place * size + row] = left;
        matrix[place * size + column] = right;
    }
    matrix[row * size + row] = first - tangent * element;
    matrix[column * size + column] = second + tangent * element;
    matrix[row * size + column] = 0.0;
    matrix[column * size + row] = 0.0;
    for place in 0..size {
        let (left, right) = (vectors[row * size + place], vectors[column * size + place]);
        vectors[row * size + place] = cosine * left - sine * right;
        vectors[column * size + place] = sine * left + cosine * right;
    }
    true
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

    #[test]
    fn vectors_are_orthonormal_and_are_scaled_by_their_values() {
        for size in [0, 1, 2, 3, 8, 33] {
            let matrix = symmetric(size);
            let found = eigen(matrix.clone(), size);
            assert!(found.values.is_sorted_by(|left, right| left >= right));
            for (number, vector) in found.vectors.chunks(size.max(1)).enumerate() {
                for (row, &element) in vector.iter().enumerate() {
                    let product: f64 =
                        (0..size).map(|place| matrix[row * size + place] * vector[place]).sum();
                    assert!((product - found.values[number] * element).abs() < 1e-11);
                }
                for (other, against) in found.vectors.chunks(size).enumerate() {
                    let product: f64 = vector.iter().zip(against).map(|(left, right)| left * right).sum();
                    assert!((product - f64::from(u8::from(number == other))).abs() < 1e-12);
                }
            }
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
    }
}
