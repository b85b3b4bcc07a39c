//! Coordinates of a vector in given directions, in double precision.

/// Directions, element by element, so that the coordinates of one vector are summed side by side.
#[derive(Debug, Clone)]
pub struct Directions {
    /// Element `element` of direction `number` at `element * count + number`.
    elements: Vec<f64>,
    center: Vec<f64>,
    count: usize,
}

impl Directions {
    /// `count` directions that stand one behind the other, and the point from which vectors are measured. Numbers that are
    /// missing are 0.
    pub fn new(directions: &[f64], center: &[f64], count: usize) -> Self {
        let dimension = center.len();
        let mut elements = vec![0.0; dimension * count];
        for (number, direction) in directions.chunks(dimension.max(1)).enumerate().take(count) {
            for (place, &element) in direction.iter().enumerate() {
                elements[place * count + number] = element;
            }
        }
        Self { elements, center: center.to_vec(), count }
    }

    /// Writes the coordinates of a vector to `sums`: each is the sum of the elements, less the centre's, times those of its
    /// direction, added in their order.
    pub fn project(&self, vector: impl Iterator<Item = f64>, sums: &mut Vec<f64>) {
        sums.clear();
        sums.resize(self.count, 0.0);
        let centred = vector.zip(&self.center).map(|(element, center)| element - center);
        for (element, column) in centred.zip(self.elements.chunks(self.count.max(1))) {
            for (sum, direction) in sums.iter_mut().zip(column) {
                *sum += element * direction;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Directions;

    #[test]
    fn coordinates_are_sums_of_products() {
        let directions = Directions::new(&[1.0, 0.0, 2.0, 0.5, -1.0, 3.0], &[1.0, 1.0, 0.0], 2);
        let mut sums = vec![9.0; 7];
        directions.project([4.0, 5.0, 6.0].into_iter(), &mut sums);
        assert_eq!(sums, [15.0, 15.5]);
        Directions::new(&[], &[], 2).project(std::iter::empty(), &mut sums);
        assert_eq!(sums, [0.0, 0.0]);
    }
}
