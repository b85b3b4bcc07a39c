//! Product quantization: a vector cut into parts, each written as the number of its nearest centroid.

use super::columns::{Columns, distances_f32, first_least_f32};

/// Centroids of each part of a vector, in one block: part by part, centroid by centroid.
#[derive(Debug, Clone)]
pub struct Codebook {
    centroids: Vec<f32>,
    /// The centroids of each part, to be measured side by side.
    columns: Vec<Columns<f32>>,
    /// Elements of a part.
    width: usize,
    /// Centroids of a part.
    count: usize,
}

impl Codebook {
    /// Most centroids of a part: their numbers fit a byte.
    pub const COUNT_MAX: usize = 256;

    /// The codebook of `centroids`, each `width` elements long and `count` of them to a part; `None` if that does not
    /// come out even, or a byte does not count them.
    pub fn new(centroids: Vec<f32>, width: usize, count: usize) -> Option<Self> {
        let part = width.checked_mul(count).filter(|&part| part > 0)?;
        let fits = count <= Self::COUNT_MAX && centroids.len().is_multiple_of(part) && !centroids.is_empty();
        fits.then(|| {
            let columns = centroids.chunks(part).map(|part| Columns::new(part, width)).collect();
            Self { centroids, columns, width, count }
        })
    }

    /// Number of parts, which is the number of codes of a vector.
    pub fn parts(&self) -> usize {
        self.centroids.len() / (self.width * self.count)
    }

    /// Dimension of a vector.
    pub fn dimension(&self) -> usize {
        self.parts() * self.width
    }

    /// Number of centroids of a part.
    pub fn count(&self) -> usize {
        self.count
    }

    fn part(&self, part: usize) -> &[f32] {
        &self.centroids[part * self.width * self.count..(part + 1) * self.width * self.count]
    }

    /// Writes the number of the nearest centroid of each part, the first of equally near ones.
    ///
    /// # Panics
    /// If vector or codes have another length.
    pub fn encode(&self, vector: &[f32], codes: &mut [u8]) {
        assert!(vector.len() == self.dimension() && codes.len() == self.parts());
        let mut distances = [0.0; Self::COUNT_MAX];
        for ((values, code), columns) in vector.chunks_exact(self.width).zip(codes).zip(&self.columns) {
            distances_f32(values, columns, &mut distances);
            *code = first_least_f32(&distances[..self.count]) as u8;
        }
    }

    /// Writes the centroids that codes stand for; false if a code has none.
    ///
    /// # Panics
    /// If vector or codes have another length.
    pub fn decode(&self, codes: &[u8], vector: &mut [f32]) -> bool {
        assert!(vector.len() == self.dimension() && codes.len() == self.parts());
        for (part, (values, &code)) in vector.chunks_exact_mut(self.width).zip(codes).enumerate() {
            match self.part(part).chunks_exact(self.width).nth(usize::from(code)) {
                Some(centroid) => values.copy_from_slice(centroid),
                None => return false,
            }
        }
        true
    }

    /// Writes the squared distance of each part of a query to each centroid of the part.
    ///
    /// # Panics
    /// If the query has another length.
    pub fn distances(&self, query: &[f32], table: &mut Vec<f32>) {
        assert_eq!(query.len(), self.dimension());
        table.clear();
        let mut distances = [0.0; Self::COUNT_MAX];
        for (values, columns) in query.chunks_exact(self.width).zip(&self.columns) {
            distances_f32(values, columns, &mut distances);
            table.extend_from_slice(&distances[..self.count]);
        }
    }

    /// The squared distance of the query of `table` to the vector that codes stand for, part by part; `None` if a
    /// code has no centroid.
    pub fn distance(&self, table: &[f32], codes: &[u8]) -> Option<f32> {
        let mut sum = 0.0;
        for (part, &code) in table.chunks_exact(self.count).zip(codes) {
            sum += part.get(usize::from(code))?;
        }
        Some(sum)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::embedding::l2_squared_f32;

    fn codebook() -> Codebook {
        // Two parts of two elements with three centroids each.
        let centroids = vec![0.0, 0.0, 1.0, 1.0, 5.0, 5.0, 0.0, 0.0, -1.0, -1.0, 9.0, 0.0];
        Codebook::new(centroids, 2, 3).unwrap()
    }

    #[test]
    fn a_vector_is_the_nearest_centroid_of_each_part() {
        let (book, mut codes, mut back) = (codebook(), [0; 2], [0.0; 4]);
        assert_eq!((book.parts(), book.dimension()), (2, 4));
        book.encode(&[4.0, 4.5, -0.6, -0.7], &mut codes);
        assert_eq!(codes, [2, 1]);
        assert!(book.decode(&codes, &mut back));
        assert_eq!(back, [5.0, 5.0, -1.0, -1.0]);
        assert!(!book.decode(&[3, 0], &mut back));
    }

    #[test]
    fn of_equally_near_centroids_the_first_is_taken() {
        let (book, mut codes) = (codebook(), [9; 2]);
        book.encode(&[0.5, 0.5, -0.5, -0.5], &mut codes);
        assert_eq!(codes, [0, 0]);
    }

    #[test]
    fn distances_of_a_table_are_those_to_the_decoded_vector() {
        let (book, mut table, mut back) = (codebook(), Vec::new(), [0.0; 4]);
        let query = [1.0, 2.0, 3.0, 4.0];
        book.distances(&query, &mut table);
        for codes in [[0, 0], [1, 2], [2, 1]] {
            assert!(book.decode(&codes, &mut back));
            assert_eq!(book.distance(&table, &codes), Some(l2_squared_f32(&query, &back)));
        }
        assert_eq!(book.distance(&table, &[3, 0]), None);
    }

    #[test]
    fn uneven_codebooks_are_refused() {
        assert!(Codebook::new(vec![0.0; 5], 2, 1).is_none());
        assert!(Codebook::new(Vec::new(), 2, 1).is_none());
        assert!(Codebook::new(vec![0.0; 514], 1, 257).is_none());
        assert!(Codebook::new(vec![0.0; 4], 0, 4).is_none());
    }
}
