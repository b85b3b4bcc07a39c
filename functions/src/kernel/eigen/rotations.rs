//! A tridiagonal matrix brought to a diagonal by rotations.
//!
//! A sweep takes away a shift near an eigenvalue, and works from the end of a block to its beginning; after two sweeps or so the element
//! beside the diagonal there is nothing, and the block is one row shorter.

/// Sweeps for one value after which it is taken as it is; few need more than three.
const SWEEPS_MAX: usize = 60;

/// Leaves the eigenvalues on the diagonal and the eigenvectors in the rows of `vectors`, in no order.
pub(super) fn diagonal_of(diagonal: &mut [f64], beside: &mut [f64], vectors: &mut [f64]) {
    for first in 0..diagonal.len() {
        for _ in 0..SWEEPS_MAX {
            let last = end_of_block(diagonal, beside, first);
            if last == first {
                break;
            }
            sweep(diagonal, beside, vectors, first, last);
        }
    }
}

/// The last row of the block that begins at `first`: beside it is nothing, measured by its neighbours on the diagonal.
fn end_of_block(diagonal: &[f64], beside: &[f64], first: usize) -> usize {
    let is_nothing = |row: usize| {
        beside[row].abs() <= f64::EPSILON * 0.5 * (diagonal[row].abs() + diagonal[row + 1].abs())
    };
    (first..diagonal.len() - 1).find(|&row| is_nothing(row)).unwrap_or(diagonal.len() - 1)
}

/// One sweep over the rows `first ..= last`, with a shift by the eigenvalue of their first two that is nearer to the first.
fn sweep(diagonal: &mut [f64], beside: &mut [f64], vectors: &mut [f64], first: usize, last: usize) {
    let size = diagonal.len();
    let half = (diagonal[first + 1] - diagonal[first]) / (2.0 * beside[first]);
    let root = half.signum() * (half * half + 1.0).sqrt();
    let mut along = diagonal[last] - diagonal[first] + beside[first] / (half + root);
    let (mut cosine, mut sine, mut taken) = (1.0, 1.0, 0.0);
    for row in (first..last).rev() {
        // What the rotation before has put outside of the three diagonals, which this one removes.
        let outside = sine * beside[row];
        let across = cosine * beside[row];
        let length;
        (cosine, sine, length) = rotation(along, outside);
        beside[row + 1] = length;
        let kept = diagonal[row + 1] - taken;
        let turned = (diagonal[row] - kept) * sine + 2.0 * cosine * across;
        taken = sine * turned;
        diagonal[row + 1] = kept + taken;
        along = cosine * turned - across;
        let (upper, lower) = vectors[row * size..(row + 2) * size].split_at_mut(size);
        turn(upper, lower, cosine, sine);
    }
    diagonal[first] -= taken;
    beside[first] = along;
    beside[last] = 0.0;
}

/// Cosine and sine of the rotation that turns (x, y) to (length, 0), and the length.
fn rotation(x: f64, y: f64) -> (f64, f64, f64) {
    if y == 0.0 {
        return (1.0, 0.0, x);
    }
    // The greater of the two is divided by, so that no square is out of range.
    if x.abs() >= y.abs() {
        let slope = y / x;
        let root = (1.0 + slope * slope).sqrt();
        (1.0 / root, slope / root, x * root)
    } else {
        let slope = x / y;
        let root = (1.0 + slope * slope).sqrt();
        (slope / root, 1.0 / root, y * root)
    }
}

at_each_level! {
    /// Turns two rows into each other.
    fn turn / turn_at(upper: &mut [f64], lower: &mut [f64], cosine: f64, sine: f64) {
        for (upper, lower) in upper.iter_mut().zip(lower) {
            let (left, right) = (*upper, *lower);
            *upper = cosine * left - sine * right;
            *lower = sine * left + cosine * right;
        }
    }
}
