//! Values by their codes: how the rows of a dictionary become values.
//!
//! Codes are held against the number of values once, by whole vectors; the loop that follows has no branch, so the machine has many
//! loads under way at once. Its own gathering instruction is no faster than the loads it is made of.

use std::mem::MaybeUninit;

use super::bit_pack::greatest;

/// Values that are looked up together.
const BLOCK: usize = 8;
/// Codes that are checked together.
const STRETCH: usize = 1024;

/// The value of each code.
///
/// # Panics
/// If a code is not below the number of values.
pub fn look_up<T: Copy>(values: &[T], codes: &[u32]) -> Vec<T> {
    let mut results = Vec::new();
    append_values(values, codes, &mut results);
    results
}

/// Appends the value of each code.
///
/// # Panics
/// As [`look_up`].
pub fn append_values<T: Copy>(values: &[T], codes: &[u32], results: &mut Vec<T>) {
    results.reserve(codes.len());
    write(values, codes, &mut results.spare_capacity_mut()[..codes.len()]);
    // SAFETY: room for this many was made above, and all of them have been written.
    unsafe { results.set_len(results.len() + codes.len()) };
}

/// Writes the value of each code.
///
/// # Panics
/// As [`look_up`]; if there are fewer results than codes.
pub fn write_values<T: Copy>(values: &[T], codes: &[u32], results: &mut [T]) {
    let results = &mut results[..codes.len()];
    // SAFETY: what is written as possibly uninitialized is always a value.
    let results = unsafe { &mut *(std::ptr::from_mut(results) as *mut [MaybeUninit<T>]) };
    write(values, codes, results);
}

/// Writes every result, a stretch of codes after the other: they are checked and looked up while they are in the first cache.
fn write<T: Copy>(values: &[T], codes: &[u32], results: &mut [MaybeUninit<T>]) {
    assert_eq!(codes.len(), results.len(), "results for another number of codes");
    for (codes, results) in codes.chunks(STRETCH).zip(results.chunks_mut(STRETCH)) {
        let highest = greatest(codes) as usize;
        assert!(highest < values.len(), "code {highest} of {} values", values.len());
        // SAFETY: no code of the stretch is beyond the values.
        unsafe { write_stretch(values, codes, results) };
    }
}

/// Whole blocks first, each of which is put together in registers and written at once.
///
/// # Safety
/// No code may be beyond the values.
#[inline(always)]
unsafe fn write_stretch<T: Copy>(values: &[T], codes: &[u32], results: &mut [MaybeUninit<T>]) {
    // SAFETY: the caller holds this.
    let value = |code: u32| MaybeUninit::new(unsafe { *values.get_unchecked(code as usize) });
    let (blocks, rest) = codes.as_chunks::<BLOCK>();
    let (targets, last) = results.as_chunks_mut::<BLOCK>();
    targets.iter_mut().zip(blocks).for_each(|(target, codes)| *target = codes.map(value));
    last.iter_mut().zip(rest).for_each(|(target, &code)| *target = value(code));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_becomes_its_value_at_every_length() {
        let values: Vec<u64> = (0..100).map(|value| value * value + 7).collect();
        for length in 0..70 {
            let codes: Vec<u32> = (0..length).map(|row| (row * 37 + 11) % 100).collect();
            let expected: Vec<u64> = codes.iter().map(|&code| values[code as usize]).collect();
            assert_eq!(look_up(&values, &codes), expected);
            let mut appended = vec![1, 2];
            append_values(&values, &codes, &mut appended);
            assert_eq!(appended[2..], expected);
            let mut written = vec![0; length as usize + 3];
            write_values(&values, &codes, &mut written);
            assert_eq!(written[..length as usize], expected);
            assert_eq!(written[length as usize..], [0; 3]);
        }
    }

    #[test]
    fn no_codes_need_no_values() {
        assert!(look_up::<u8>(&[], &[]).is_empty());
    }

    #[test]
    #[should_panic(expected = "code 3 of 3 values")]
    fn a_code_beyond_the_values_is_refused() {
        look_up(&[1, 2, 3], &[0, 1, 2, 0, 1, 2, 0, 1, 2, 3]);
    }
}
