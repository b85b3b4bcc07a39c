//! One vector against many of its width, which are laid out element by element: neighbours are measured side by side in the lanes of
//! a register, however few elements a vector has.

use crate::kernel::lane_total::Line;

/// Vectors that are measured at once.
const LANES: usize = 16;
/// Lanes of the sum of one pair, as [`crate::kernel::embedding`] has them.
const SUM_LANES: usize = 32;

/// Vectors of one width: of each sixteen the first elements, then their second ones, and so on.
#[derive(Debug, Clone)]
pub struct Columns<T> {
    /// Element `i` of the vectors from `16 * block` on is `elements[block * width + i]`.
    elements: Vec<Line<[T; LANES]>>,
    width: usize,
    count: usize,
}

impl<T: Copy + Default> Columns<T> {
    /// The vectors that lie one behind the other in `vectors`.
    ///
    /// # Panics
    /// If they have no elements, or the last one is incomplete.
    pub fn new(vectors: &[T], width: usize) -> Self {
        assert!(width > 0 && vectors.len().is_multiple_of(width), "whole vectors");
        let count = vectors.len() / width;
        let mut elements = vec![Line([T::default(); LANES]); count.div_ceil(LANES) * width];
        for (number, vector) in vectors.chunks_exact(width).enumerate() {
            let block = &mut elements[number / LANES * width..][..width];
            block.iter_mut().zip(vector).for_each(|(lanes, &element)| lanes.0[number % LANES] = element);
        }
        Self { elements, width, count }
    }

    /// Room for the distances to all vectors.
    pub fn room(&self) -> Vec<T> {
        vec![T::default(); self.count.next_multiple_of(LANES)]
    }
}

/// The sums with the squares of the differences from sixteen elements.
///
/// The compiler is kept from seeing where the elements lie: else it takes several elements of each vector at once, from sixteen places.
#[inline(always)]
fn add_squares<N>(mut sums: [N; LANES], element: N, others: &Line<[N; LANES]>) -> [N; LANES]
where
    N: Copy + std::ops::Sub<Output = N> + std::ops::Mul<Output = N> + std::ops::AddAssign,
{
    let others = std::hint::black_box(others).0;
    for (sum, other) in sums.iter_mut().zip(others) {
        let difference = element - other;
        *sum += difference * difference;
    }
    sums
}

/// Sums, each with another one added.
#[inline(always)]
fn united(mut sums: [f32; LANES], others: &[f32; LANES]) -> [f32; LANES] {
    let others = *std::hint::black_box(others);
    sums.iter_mut().zip(others).for_each(|(sum, other)| *sum += other);
    sums
}

at_each_level! {
    /// Writes the squared distance of a vector to each of the others, in their order, with the bits of
    /// [`crate::kernel::embedding::l2_squared_f32`]. What lies behind the last is left open.
    ///
    /// # Panics
    /// If the vector has another width, or there is less room than [`Columns::room`] gives.
    pub fn distances_f32 / distances_f32_at(vector: &[f32], columns: &Columns<f32>, distances: &mut [f32]) {
        assert!(vector.len() == columns.width && distances.len() >= columns.count.next_multiple_of(LANES));
        let (distances, _) = distances.as_chunks_mut::<LANES>();
        // Lanes of a sum without elements are zero, and change nothing.
        let used = columns.width.next_power_of_two().min(SUM_LANES);
        let mut room = Line([[0.0; LANES]; SUM_LANES]);
        for (block, distances) in columns.elements.chunks_exact(columns.width).zip(distances) {
            let mut sums = &mut room.0[..used];
            sums.fill([0.0; LANES]);
            for (vector, block) in vector.chunks(SUM_LANES).zip(block.chunks(SUM_LANES)) {
                for ((&element, others), sums) in vector.iter().zip(block).zip(sums.iter_mut()) {
                    *sums = add_squares(*sums, element, others);
                }
            }
            while sums.len() > 1 {
                let (halves, others) = sums.split_at_mut(sums.len() / 2);
                halves.iter_mut().zip(others).for_each(|(sums, others)| *sums = united(*sums, others));
                sums = halves;
            }
            *distances = sums[0];
        }
    }

    /// As [`distances_f32`], each summed in double precision from the first element to the last.
    ///
    /// # Panics
    /// As [`distances_f32`].
    pub fn distances_f64 / distances_f64_at(vector: &[f32], columns: &Columns<f64>, distances: &mut [f64]) {
        assert!(vector.len() == columns.width && distances.len() >= columns.count.next_multiple_of(LANES));
        let (distances, _) = distances.as_chunks_mut::<LANES>();
        for (block, distances) in columns.elements.chunks_exact(columns.width).zip(distances) {
            let mut sums = [0.0; LANES];
            for (&element, others) in vector.iter().zip(block) {
                sums = add_squares(sums, f64::from(element), others);
            }
            *distances = sums;
        }
    }
}

/// Declares what finds the first of the least numbers.
macro_rules! least {
    ($($name:ident / $name_at:ident: $number:ty;)+) => {
        at_each_level! {$(
            /// The place of the first of the least numbers; 0 where none lies below infinity.
            pub fn $name / $name_at(numbers: &[$number]) -> usize {
                let mut lanes = [<$number>::INFINITY; LANES];
                let (blocks, rest) = numbers.as_chunks::<LANES>();
                for block in blocks {
                    for (least, &number) in lanes.iter_mut().zip(block) {
                        *least = if number < *least { number } else { *least };
                    }
                }
                let lanes = lanes.iter().chain(rest);
                let least = lanes.fold(<$number>::INFINITY, |least, &number| if number < least { number } else { least });
                if least < <$number>::INFINITY {
                    numbers.iter().position(|&number| number == least).unwrap_or(0)
                } else {
                    0
                }
            }
        )+}
    };
}
least! {
    first_least_f32 / first_least_f32_at: f32;
    first_least_f64 / first_least_f64_at: f64;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::embedding::l2_squared_f32;
    use crate::kernel::level::Level;

    fn values(count: usize, seed: usize) -> Vec<f32> {
        (0..count).map(|index| ((index * 7919 + seed) % 2003) as f32 / 500.0 - 2.0).collect()
    }

    #[test]
    fn distances_have_the_bits_of_single_pairs_at_every_level() {
        for width in [1, 2, 3, 8, 15, 31, 32, 33, 48, 64, 100] {
            for count in [1, 2, 15, 16, 17, 256] {
                let (vector, mut others) = (values(width, 3), values(width * count, 11));
                others[0] = f32::NAN;
                others[width * count - 1] = f32::INFINITY;
                let wide: Vec<f64> = others.iter().map(|&element| f64::from(element)).collect();
                let (columns, wide) = (Columns::new(&others, width), Columns::new(&wide, width));
                for level in Level::available() {
                    let (mut distances, mut exact) = (columns.room(), wide.room());
                    distances_f32_at(level, &vector, &columns, &mut distances);
                    distances_f64_at(level, &vector, &wide, &mut exact);
                    for (number, other) in others.chunks(width).enumerate() {
                        assert_eq!(distances[number].to_bits(), l2_squared_f32(&vector, other).to_bits());
                        let terms = vector.iter().zip(other).map(|(&a, &b)| f64::from(a) - f64::from(b));
                        let expected = terms.fold(0.0, |sum, term| sum + term * term);
                        assert_eq!(exact[number].to_bits(), expected.to_bits());
                    }
                }
            }
        }
    }

    #[test]
    fn the_first_of_equally_little_numbers_is_found() {
        for level in Level::available() {
            for length in [1, 5, 16, 17, 40, 64] {
                for place in 0..length {
                    let mut numbers = vec![7.0; length];
                    numbers[place..].fill(2.0);
                    assert_eq!(first_least_f64_at(level, &numbers), place);
                    numbers[0] = f64::NAN;
                    assert_eq!(
                        first_least_f64_at(level, &numbers),
                        place.max(usize::from(length > 1)) % length
                    );
                }
            }
            assert_eq!(first_least_f32_at(level, &[f32::NAN, f32::INFINITY]), 0);
            assert_eq!(first_least_f32_at(level, &[]), 0);
        }
    }
}
