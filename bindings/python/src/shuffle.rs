//! A random order of rows that a seed decides alone: it is stored in states of training, so it must stay what it is.

use hypostyle::{Error, Result};

/// The positions of `rows` rows in random order: the shuffle of Fisher and Yates with numbers of SplitMix64.
///
/// # Errors
/// More rows than positions of 32 bits tell apart.
pub fn order(rows: usize, seed: u64) -> Result<Vec<u32>> {
    let count = u32::try_from(rows).map_err(|_| {
        Error::user(format!("{rows} rows are too many to shuffle at once; 2^32 are the most"))
    })?;
    let mut order: Vec<u32> = (0..count).collect();
    let mut state = seed;
    for last in (1..rows).rev() {
        // The high half of a product of 64 bits is a number up to `last`; its bias, of one in 2^32, does not matter here.
        let other = ((u128::from(next(&mut state)) * (last as u128 + 1)) >> 64) as usize;
        order.swap(last, other);
    }
    Ok(order)
}

/// The next number of SplitMix64 (Steele, Lea and Flood, 2014).
fn next(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut mixed = *state;
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}
