//! A symmetric matrix brought to tridiagonal form by reflections from both sides.
//!
//! All long loops add multiples of whole rows, so that none of them is a sum whose order vectors would change.

use super::scale_of;

/// A matrix is `transposed vectors * tridiagonal * vectors`.
pub(super) struct Tridiagonal {
    pub(super) diagonal: Vec<f64>,
    /// What lies beside the diagonal, one less, and a zero.
    pub(super) beside: Vec<f64>,
    /// Rows of length 1, orthogonal to each other.
    pub(super) vectors: Vec<f64>,
}

/// A reflection `1 - weight * normal * transposed normal` of the elements behind the `row`-th.
struct Reflection {
    row: usize,
    normal: Vec<f64>,
    weight: f64,
}

/// The tridiagonal form of a symmetric matrix whose greatest magnitude is near 1.
pub(super) fn tridiagonal(mut matrix: Vec<f64>, size: usize) -> Tridiagonal {
    let mut beside = vec![0.0; size];
    let mut reflections = Vec::new();
    let mut room = vec![0.0; size];
    for row in 0..size.saturating_sub(1) {
        let behind = row + 1..size;
        let (normal, weight, left) = normal_of(&matrix[row * size..][behind.clone()]);
        beside[row] = left;
        if weight != 0.0 {
            reflect_both_sides(&mut matrix, size, &normal, weight, &mut room[behind]);
            reflections.push(Reflection { row, normal, weight });
        }
    }
    let diagonal = (0..size).map(|place| matrix[place * size + place]).collect();
    // The matrix has given all it held; its place becomes that of the product of the reflections.
    matrix.fill(0.0);
    (0..size).for_each(|place| matrix[place * size + place] = 1.0);
    for Reflection { row, normal, weight } in reflections.iter().rev() {
        reflect(&mut matrix, size, normal, *weight, &mut room[row + 1..]);
    }
    transpose(&mut matrix, size);
    Tridiagonal { diagonal, beside, vectors: matrix }
}

/// The normal and the weight of the reflection that leaves nothing of `values` but the first, and what that becomes.
///
/// The weight is 0 where nothing but the first is there already.
fn normal_of(values: &[f64]) -> (Vec<f64>, f64, f64) {
    let (first, rest) = (values[0], &values[1..]);
    if rest.iter().all(|&value| value == 0.0) {
        return (Vec::new(), 0.0, first);
    }
    let scale = scale_of(values);
    let mut normal: Vec<f64> = values.iter().map(|value| value * scale).collect();
    let length = normal.iter().map(|value| value * value).sum::<f64>().sqrt();
    let opposite = if first < 0.0 { length } else { -length };
    let weight = 1.0 / (length * (length + normal[0].abs()));
    normal[0] -= opposite;
    (normal, weight, opposite / scale)
}

/// Reflects the last rows and columns of a symmetric matrix, as many as the normal has elements.
fn reflect_both_sides(matrix: &mut [f64], size: usize, normal: &[f64], weight: f64, room: &mut [f64]) {
    add_rows(matrix, size, normal, room);
    room.iter_mut().for_each(|product| *product *= weight);
    let along: f64 = room.iter().zip(normal).map(|(product, element)| product * element).sum();
    let half = 0.5 * weight * along;
    room.iter_mut().zip(normal).for_each(|(product, element)| *product -= half * element);
    subtract_both(matrix, size, normal, room);
}

/// Reflects the last rows of a matrix, which are zero before the last columns, from the left.
fn reflect(matrix: &mut [f64], size: usize, normal: &[f64], weight: f64, room: &mut [f64]) {
    add_rows(matrix, size, normal, room);
    room.iter_mut().for_each(|product| *product *= weight);
    subtract_rows(matrix, size, normal, room);
}

at_each_level! {
    /// The sum of the last rows, each by its factor, in their last columns; there are as many of both as factors.
    fn add_rows / add_rows_at(matrix: &[f64], size: usize, factors: &[f64], sums: &mut [f64]) {
        let first = size - factors.len();
        sums.fill(0.0);
        // Four rows at a time, since a sum that is written is read again.
        let mut rows = matrix.chunks_exact(size).skip(first).map(|row| &row[first..]);
        let (fours, rest) = factors.as_chunks::<4>();
        for four in fours {
            let (Some(a), Some(b), Some(c), Some(d)) = (rows.next(), rows.next(), rows.next(), rows.next()) else { return };
            for ((((sum, a), b), c), d) in sums.iter_mut().zip(a).zip(b).zip(c).zip(d) {
                *sum = ((*sum + four[0] * a) + four[1] * b) + (four[2] * c + four[3] * d);
            }
        }
        for (row, factor) in rows.zip(rest) {
            sums.iter_mut().zip(row).for_each(|(sum, value)| *sum += factor * value);
        }
    }

    /// Takes `left * transposed right + right * transposed left` from the last rows and columns.
    fn subtract_both / subtract_both_at(matrix: &mut [f64], size: usize, left: &[f64], right: &[f64]) {
        let first = size - left.len();
        for ((row, by_left), by_right) in matrix.chunks_exact_mut(size).skip(first).zip(left).zip(right) {
            for ((value, left), right) in row[first..].iter_mut().zip(left).zip(right) {
                *value -= by_left * right + by_right * left;
            }
        }
    }

    /// Takes `normal * transposed products` from the last rows and columns.
    fn subtract_rows / subtract_rows_at(matrix: &mut [f64], size: usize, normal: &[f64], products: &[f64]) {
        let first = size - normal.len();
        for (row, factor) in matrix.chunks_exact_mut(size).skip(first).zip(normal) {
            row[first..].iter_mut().zip(products).for_each(|(value, product)| *value -= factor * product);
        }
    }
}

fn transpose(matrix: &mut [f64], size: usize) {
    for row in 0..size {
        for column in row + 1..size {
            matrix.swap(row * size + column, column * size + row);
        }
    }
}
