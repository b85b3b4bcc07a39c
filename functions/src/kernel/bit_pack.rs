//! Unpacks whole numbers of 0 to 32 bits each, packed without gaps, lowest bit first.

/// Values of one group: eight values of `w` bits fill `w` bytes, so that every group starts at a byte.
pub const GROUP: usize = 8;

/// Widest value.
pub const WIDTH_MAX: u32 = 32;

at_each_level! {
    /// `values[i]` becomes bits `i * width ..` of `packed`.
    ///
    /// # Panics
    /// If `width` is above [`WIDTH_MAX`], the number of values is not whole groups of [`GROUP`], or `packed` is shorter
    /// than they are.
    pub fn unpack / unpack_at(width: u32, packed: &[u8], values: &mut [u32]) {
        assert!(values.len().is_multiple_of(GROUP), "{} values are not whole groups", values.len());
        assert!(
            packed.len() >= values.len() / GROUP * width as usize,
            "{} bytes do not hold {} values of {width} bits",
            packed.len(),
            values.len()
        );
        // One arm expands to `3 => unpack_width::<3>(packed, values)`: shifts and offsets are constants of the loop.
        macro_rules! widths {
            ($($width:literal)+) => {
                match width {
                    0 => values.fill(0),
                    $($width => unpack_width::<$width>(packed, values),)+
                    _ => panic!("values of {width} bits; at most {WIDTH_MAX} are unpacked"),
                }
            };
        }
        widths!(1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31 32);
    }
}

#[inline(always)]
fn unpack_width<const WIDTH: usize>(packed: &[u8], values: &mut [u32]) {
    let (groups, _) = packed.as_chunks::<WIDTH>();
    let (outputs, _) = values.as_chunks_mut::<GROUP>();
    for (bytes, output) in groups.iter().zip(outputs) {
        // Written out, so that every offset and shift is a constant.
        *output = [
            value::<WIDTH, 0>(bytes),
            value::<WIDTH, 1>(bytes),
            value::<WIDTH, 2>(bytes),
            value::<WIDTH, 3>(bytes),
            value::<WIDTH, 4>(bytes),
            value::<WIDTH, 5>(bytes),
            value::<WIDTH, 6>(bytes),
            value::<WIDTH, 7>(bytes),
        ];
    }
}

/// The value at a place of a group.
#[inline(always)]
fn value<const WIDTH: usize, const INDEX: usize>(bytes: &[u8; WIDTH]) -> u32 {
    let mask = (1u64 << WIDTH) - 1;
    if WIDTH <= 8 {
        let mut word = [0u8; 8];
        word[..WIDTH].copy_from_slice(bytes);
        return (u64::from_le_bytes(word) >> (INDEX * WIDTH) & mask) as u32;
    }
    // Eight bytes that hold the value and end inside the group.
    let start = (INDEX * WIDTH / 8).min(WIDTH - 8);
    let word = bytes[start..].first_chunk().map_or(0, |word| u64::from_le_bytes(*word));
    (word >> (INDEX * WIDTH - start * 8) & mask) as u32
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
            }
        }
    }
}
