//! Unpacks whole numbers of 0 to 32 bits each, packed without gaps, lowest bit first.

use std::mem::MaybeUninit;

use super::level::Level;
#[cfg(target_arch = "x86_64")]
use super::level::Tier;

/// Values of one group: eight values of `w` bits fill `w` bytes, so that every group starts at a byte.
pub const GROUP: usize = 8;

/// Widest value.
pub const WIDTH_MAX: u32 = 32;

/// Bytes of a word.
const WORD: usize = 8;
/// Bytes of a vector.
#[cfg(target_arch = "x86_64")]
const VECTOR: usize = 16;

/// `values[i]` becomes bits `i * width ..` of `packed`.
///
/// # Panics
/// If `width` is above [`WIDTH_MAX`], the number of values is not whole groups of [`GROUP`], or `packed` is shorter
/// than they are.
pub fn unpack(width: u32, packed: &[u8], values: &mut [u32]) {
    unpack_at(Level::current(), width, packed, values);
}

/// Appends `count` values; as [`unpack`].
///
/// # Panics
/// As [`unpack`].
pub fn append_unpacked(width: u32, packed: &[u8], count: usize, values: &mut Vec<u32>) {
    values.reserve(count);
    write_at(Level::current(), width, packed, &mut values.spare_capacity_mut()[..count]);
    // SAFETY: room for this many was made above, and all of them have been written.
    unsafe { values.set_len(values.len() + count) };
}

// One arm expands to `3 => f::<3>(..)`: shifts and offsets are constants of the loop.
macro_rules! with_width {
    ($width:expr, $function:ident $arguments:tt, [$($literal:literal)+], $other:expr) => {
        match $width {
            $($literal => $function::<$literal> $arguments,)+
            _ => $other,
        }
    };
}

at_each_level! {
    /// The greatest of some values; 0 if there are none.
    pub fn greatest / greatest_at(values: &[u32]) -> u32 {
        values.iter().fold(0, |greatest, &value| greatest.max(value))
    }
}

/// [`unpack`] at the level given.
///
/// # Panics
/// As [`unpack`].
pub fn unpack_at(level: Level, width: u32, packed: &[u8], values: &mut [u32]) {
    // SAFETY: what is written as possibly uninitialized is always a value.
    let values = unsafe { &mut *(std::ptr::from_mut(values) as *mut [MaybeUninit<u32>]) };
    write_at(level, width, packed, values);
}

/// A group that is written.
type Group = [MaybeUninit<u32>; GROUP];

/// Writes every value.
fn write_at(level: Level, width: u32, packed: &[u8], values: &mut [MaybeUninit<u32>]) {
    assert!(values.len().is_multiple_of(GROUP), "{} values are not whole groups", values.len());
    assert!(
        packed.len() >= values.len() / GROUP * width as usize,
        "{} bytes do not hold {} values of {width} bits",
        packed.len(),
        values.len()
    );
    let (groups, _) = values.as_chunks_mut::<GROUP>();
    let done = match level.tier() {
        // SAFETY: a `Level` of this tier exists only where the machine was found to have AVX2.
        #[cfg(target_arch = "x86_64")]
        Tier::Avx2 | Tier::Avx512 => unsafe { shuffled(width, packed, groups) },
        _ => 0,
    };
    let (packed, groups) = (&packed[done * width as usize..], &mut groups[done..]);
    with_width!(
        width, by_words(packed, groups),
        [1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31 32],
        match width {
            0 => groups.as_flattened_mut().fill(MaybeUninit::new(0)),
            _ => unreachable!("values of {width} bits; at most {WIDTH_MAX} are unpacked"),
        }
    );
}

/// Reads eight bytes for each value, then takes its bits from them.
fn by_words<const WIDTH: usize>(packed: &[u8], groups: &mut [Group]) {
    let mask = ((1u64 << WIDTH) - 1) as u32;
    let unpack_group = |bytes: &[u8], output: &mut Group| {
        for (index, value) in output.iter_mut().enumerate() {
            let word = bytes[index * WIDTH / 8..].first_chunk().map_or(0, |word| u64::from_le_bytes(*word));
            value.write((word >> (index * WIDTH % 8)) as u32 & mask);
        }
    };
    for (group, output) in groups.iter_mut().enumerate() {
        let bytes = &packed[group * WIDTH..];
        if bytes.len() >= WIDTH + WORD {
            unpack_group(&bytes[..WIDTH + WORD], output);
        } else {
            let mut last = [0u8; WIDTH_MAX as usize + WORD];
            last[..WIDTH].copy_from_slice(&bytes[..WIDTH]);
            unpack_group(&last[..WIDTH + WORD], output);
        }
    }
}

/// Unpacks groups while whole vectors can be read; gives their number: none where a value and the bits before it may need
/// more than the 32 bits of a lane.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn shuffled(width: u32, packed: &[u8], groups: &mut [Group]) -> usize {
    with_width!(
        width, shuffled_width(packed, groups),
        [1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25],
        0
    )
}

/// Four values start in one byte and fit a vector of 16 bytes: those bytes of it that hold a value are moved to its lane,
/// the bits before it are shifted out, those behind it cleared.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn shuffled_width<const WIDTH: usize>(packed: &[u8], groups: &mut [Group]) -> usize {
    use std::arch::x86_64::*;
    let places = const { Places::of(WIDTH) };
    // SAFETY: the table has 32 bytes.
    let bytes = unsafe { _mm256_loadu_si256(places.bytes.as_ptr().cast()) };
    // SAFETY: as above.
    let shifts = unsafe { _mm256_loadu_si256(places.shifts.as_ptr().cast()) };
    let mask = _mm256_set1_epi32(((1u64 << WIDTH) - 1) as i32);
    let readable = (packed.len() + WIDTH).saturating_sub(WIDTH / 2 + VECTOR) / WIDTH;
    let count = groups.len().min(readable);
    for (group, output) in groups[..count].iter_mut().enumerate() {
        let start = &packed[group * WIDTH..group * WIDTH + WIDTH / 2 + VECTOR];
        // SAFETY: the slice holds a vector from its first byte and one from byte `WIDTH / 2`.
        let low = unsafe { _mm_loadu_si128(start.as_ptr().cast()) };
        // SAFETY: as above.
        let high = unsafe { _mm_loadu_si128(start.as_ptr().add(WIDTH / 2).cast()) };
        let lanes = _mm256_shuffle_epi8(_mm256_set_m128i(high, low), bytes);
        let lanes = _mm256_and_si256(_mm256_srlv_epi32(lanes, shifts), mask);
        // SAFETY: a group is eight lanes.
        unsafe { _mm256_storeu_si256(output.as_mut_ptr().cast(), lanes) };
    }
    count
}

/// Where the values of a group lie in two vectors, the second of which starts at byte `width / 2`.
#[cfg(target_arch = "x86_64")]
struct Places {
    /// The four bytes of each value, by vector.
    bytes: [u8; 32],
    /// Bits before it in the first of them.
    shifts: [u32; GROUP],
}

#[cfg(target_arch = "x86_64")]
impl Places {
    const fn of(width: usize) -> Self {
        let mut places = Self { bytes: [0; 32], shifts: [0; GROUP] };
        let mut value = 0;
        while value < GROUP {
            let bit = if value < GROUP / 2 { value * width } else { value * width - width / 2 * 8 };
            let mut byte = 0;
            while byte < 4 {
                places.bytes[value * 4 + byte] = (bit / 8 + byte) as u8;
                byte += 1;
            }
            places.shifts[value] = (bit % 8) as u32;
            value += 1;
        }
        places
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unpacking_gives_what_was_packed_at_every_width() {
        for width in 0..=WIDTH_MAX {
            let mask = ((1u64 << width) - 1) as u32;
            for groups in [0, 1, 2, 9] {
                let expected: Vec<u32> =
                    (0..groups * GROUP as u32).map(|i| i.wrapping_mul(0x9E37_79B9) & mask).collect();
                let mut packed = vec![0u8; groups as usize * width as usize + 3];
                for (index, value) in expected.iter().enumerate() {
                    for bit in 0..width as usize {
                        let at = index * width as usize + bit;
                        packed[at / 8] |= ((value >> bit & 1) as u8) << (at % 8);
                    }
                }
                for level in crate::kernel::level::Level::available() {
                    let mut values = vec![u32::MAX; expected.len()];
                    unpack_at(level, width, &packed, &mut values);
                    assert_eq!(values, expected, "{width} bits, {level}");
                }
                let mut values = vec![5];
                append_unpacked(width, &packed, expected.len(), &mut values);
                assert_eq!((values[0], &values[1..]), (5, &expected[..]), "{width} bits");
            }
        }
    }

    #[test]
    fn the_greatest_value_is_found_at_every_place() {
        for length in 0..70 {
            for place in 0..length {
                let mut values = vec![7; length];
                values[place] = u32::MAX - 1;
                for level in Level::available() {
                    assert_eq!(greatest_at(level, &values), u32::MAX - 1, "{place} of {length} at {level}");
                }
            }
        }
        assert_eq!(greatest(&[]), 0);
    }
}
