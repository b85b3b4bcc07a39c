//! Centroids of weighted points: k-means in double precision, in one fixed order.
//!
//! The first centroids are drawn from a seed, each with a chance that grows with the squared distance of a point to those before it
//! (k-means++, Arthur and Vassilvitskii 2007); then points go to the nearest centroid and centroids to the mean of their points (Lloyd 1982)
//! until no point moves. Sums run in the order of the points, so equal points in equal order give equal bits.

use super::columns::{Columns, distances_f64, first_least_f64};

/// Rounds after which the centroids are taken as they are.
const ROUNDS_MAX: usize = 50;

/// Points of one width, one behind the other, with a weight each.
#[derive(Debug, Clone, Copy)]
pub struct Points<'a> {
    /// The elements of all points.
    pub elements: &'a [f32],
    /// Elements of a point, at least one.
    pub width: usize,
    /// How often each point counts.
    pub weights: &'a [u64],
}

impl<'a> Points<'a> {
    fn get(&self, point: usize) -> &'a [f32] {
        &self.elements[point * self.width..(point + 1) * self.width]
    }

    fn len(&self) -> usize {
        self.weights.len()
    }
}

/// Numbers drawn from a seed, by SplitMix64.
struct Draw(u64);

impl Draw {
    /// A number of 53 bits, at least 0 and below 1.
    fn share(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) >> 11) as f64 / (1u64 << 53) as f64
    }
}

/// `count` centroids of the points, one behind the other; zeros without points. Where there are fewer distinct points than centroids,
/// the first one is there several times.
pub fn centroids(points: Points<'_>, count: usize, seed: u64) -> Vec<f64> {
    let width = points.width;
    if points.len() == 0 {
        return vec![0.0; count * width];
    }
    let mut held = first_centroids(points, count, seed);
    let mut owners = vec![usize::MAX; points.len()];
    for _ in 0..ROUNDS_MAX {
        let mut is_done = true;
        let columns = Columns::new(&held, width);
        let mut distances = columns.room();
        for (point, owner) in owners.iter_mut().enumerate() {
            distances_f64(points.get(point), &columns, &mut distances);
            // Of equally near centroids the first.
            let nearest = first_least_f64(&distances[..count]);
            is_done &= nearest == *owner;
            *owner = nearest;
        }
        if is_done {
            break;
        }
        move_to_means(points, &owners, &mut held);
    }
    held
}

fn first_centroids(points: Points<'_>, count: usize, seed: u64) -> Vec<f64> {
    let mut draw = Draw(seed);
    let wide: Vec<f64> = points.elements.iter().map(|&element| f64::from(element)).collect();
    let columns = Columns::new(&wide, points.width);
    let (mut distances, mut to_chosen) = (vec![f64::INFINITY; points.len()], columns.room());
    let mut held: Vec<f64> = Vec::with_capacity(count * points.width);
    for number in 0..count {
        let weight = |point: usize| match number {
            0 => points.weights[point] as f64,
            _ => points.weights[point] as f64 * distances[point],
        };
        let total: f64 = (0..points.len()).map(weight).sum();
        let mut left = draw.share() * total;
        let mut chosen = None;
        for point in (0..points.len()).filter(|&point| weight(point) > 0.0) {
            chosen = Some(point);
            left -= weight(point);
            if left < 0.0 {
                break;
            }
        }
        // All points are centroids already.
        let chosen = chosen.unwrap_or(0);
        held.extend(points.get(chosen).iter().map(|&element| f64::from(element)));
        distances_f64(points.get(chosen), &columns, &mut to_chosen);
        for (distance, to_chosen) in distances.iter_mut().zip(&to_chosen) {
            *distance = distance.min(*to_chosen);
        }
    }
    held
}

/// Moves each centroid to the mean of its points; one without points stays.
fn move_to_means(points: Points<'_>, owners: &[usize], centroids: &mut [f64]) {
    let width = points.width;
    let mut sums = vec![0.0; centroids.len()];
    let mut weights = vec![0u64; centroids.len() / width];
    for (point, &owner) in owners.iter().enumerate() {
        let weight = points.weights[point];
        weights[owner] += weight;
        let sums = &mut sums[owner * width..(owner + 1) * width];
        for (sum, &element) in sums.iter_mut().zip(points.get(point)) {
            *sum += f64::from(element) * weight as f64;
        }
    }
    for (number, &weight) in weights.iter().enumerate().filter(|(_, weight)| **weight > 0) {
        let place = number * width..(number + 1) * width;
        for (centroid, sum) in centroids[place.clone()].iter_mut().zip(&sums[place]) {
            *centroid = sum / weight as f64;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Points, centroids};

    #[test]
    fn separate_heaps_have_their_means() {
        let elements: Vec<f32> =
            (0..300).flat_map(|point| [(point % 3) as f32 * 100.0 + (point / 3 % 5) as f32, 1.0]).collect();
        let weights: Vec<u64> = (0..300).map(|point| 1 + point / 150).collect();
        for seed in 0..20 {
            let found = centroids(Points { elements: &elements, width: 2, weights: &weights }, 3, seed);
            let mut heaps: Vec<i64> = found.chunks(2).map(|centroid| centroid[0].round() as i64).collect();
            heaps.sort_unstable();
            assert_eq!(heaps, [2, 102, 202]);
            assert!(found.chunks(2).all(|centroid| centroid[1] == 1.0));
        }
    }

    #[test]
    fn fewer_points_than_centroids_are_all_kept() {
        let points = Points { elements: &[5.0, 7.0, 5.0], width: 1, weights: &[1, 1, 1] };
        let mut found = centroids(points, 4, 1);
        found.sort_by(f64::total_cmp);
        found.dedup();
        assert_eq!(found, [5.0, 7.0]);
        assert_eq!(centroids(Points { elements: &[], width: 2, weights: &[] }, 2, 0), [0.0; 4]);
    }
}
