//! Copies past the caches, for what is too large to be found there again.
//!
//! An ordinary store first reads the line it falls in; these write whole lines straight to memory, which takes a third of
//! the traffic of a one-column expression away. What is written is the same.

/// Copies `source` to the front of `target`, which other threads may read only after [`settle`].
///
/// # Panics
/// If the target is shorter.
pub fn copy_past_caches<T: Copy>(source: &[T], target: &mut [T]) {
    let target = &mut target[..source.len()];
    #[cfg(target_arch = "x86_64")]
    {
        use std::arch::x86_64::{__m128i, _mm_loadu_si128, _mm_stream_si128};
        const VECTOR: usize = size_of::<__m128i>();
        let lanes = VECTOR / size_of::<T>().max(1);
        let head = target.as_ptr().align_offset(VECTOR);
        if lanes * size_of::<T>() == VECTOR && head < source.len() {
            let vectors = (source.len() - head) / lanes;
            target[..head].copy_from_slice(&source[..head]);
            for index in 0..vectors {
                let place = head + index * lanes;
                // SAFETY: `place + lanes` is at most the length of both slices, and `target + head` is aligned to a vector.
                unsafe {
                    let vector = _mm_loadu_si128(source.as_ptr().add(place).cast());
                    _mm_stream_si128(target.as_mut_ptr().add(place).cast(), vector);
                }
            }
            let rest = head + vectors * lanes;
            target[rest..].copy_from_slice(&source[rest..]);
            return;
        }
    }
    target.copy_from_slice(source);
}

/// Lets everything that [`copy_past_caches`] wrote be seen by other threads.
pub fn settle() {
    #[cfg(target_arch = "x86_64")]
    {
        // SAFETY: a fence has no operands; SSE is part of the target.
        unsafe { std::arch::x86_64::_mm_sfence() };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check<T: Copy + PartialEq + std::fmt::Debug + Default>(values: &[T]) {
        for start in [0, 1, 3] {
            for length in [0, 1, 2, 15, 17, 64, values.len() - start] {
                let mut target = vec![T::default(); values.len() + 3];
                copy_past_caches(&values[start..start + length], &mut target[2..]);
                settle();
                assert_eq!(target[2..length + 2], values[start..start + length]);
                assert!(target[length + 2..].iter().all(|&value| value == T::default()));
            }
        }
    }

    #[test]
    fn any_length_from_any_place_is_copied() {
        check(&(1..=200).collect::<Vec<u8>>());
        check(&(1..=500).collect::<Vec<u16>>());
        check(&(1..=500).map(|i| i as f32).collect::<Vec<f32>>());
        check(&(1..=500).map(f64::from).collect::<Vec<f64>>());
        check(&(1..=500).collect::<Vec<i128>>());
        check(&(1..=100).map(|i| [i, i, i]).collect::<Vec<[u8; 3]>>());
    }
}
