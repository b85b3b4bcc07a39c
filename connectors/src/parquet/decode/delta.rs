//! Whole numbers as differences to the one before, packed in blocks with the bits that each block needs.

use bytes::Bytes;

use super::fault::{Fault, Result};

/// Reads such numbers one after the other; what is not read is not looked at.
#[derive(Debug)]
pub struct Deltas {
    bytes: Bytes,
    at: usize,
    block_values: usize,
    blocks_per_header: usize,
    /// Numbers not read yet.
    left: usize,
    next: i64,
    least: i64,
    /// Bits of the miniblocks of the open block that follow.
    widths: std::vec::IntoIter<u8>,
    width: u32,
    mini_start: usize,
    mini_read: usize,
    mini_left: usize,
}

impl Deltas {
    /// Numbers behind their header.
    ///
    /// # Errors
    /// A header that is not valid.
    pub fn new(bytes: Bytes) -> Result<Self> {
        let mut deltas = Self {
            bytes,
            at: 0,
            block_values: 0,
            blocks_per_header: 0,
            left: 0,
            next: 0,
            least: 0,
            widths: Vec::new().into_iter(),
            width: 0,
            mini_start: 0,
            mini_read: 0,
            mini_left: 0,
        };
        let block = deltas.unsigned()?;
        let minis = deltas.unsigned()?;
        let count = deltas.unsigned()?;
        deltas.next = deltas.signed()?;
        let bad = || Fault::damaged(format!("a block of {block} differences in {minis} parts"));
        if minis == 0 || block % minis != 0 || (block / minis) % 8 != 0 || block == 0 {
            return Err(bad());
        }
        deltas.blocks_per_header = usize::try_from(minis).map_err(|_| bad())?;
        deltas.block_values = usize::try_from(block / minis).map_err(|_| bad())?;
        deltas.left = usize::try_from(count).unwrap_or(usize::MAX);
        Ok(deltas)
    }

    /// Hands the next `count` numbers to `take`.
    ///
    /// # Errors
    /// The end before all are read.
    pub fn read(&mut self, count: usize, mut take: impl FnMut(i64)) -> Result<()> {
        if count > self.left {
            return Err(Fault::damaged(format!("{count} numbers where the page has {} more", self.left)));
        }
        for _ in 0..count {
            take(self.next);
            self.left -= 1;
            if self.left > 0 {
                self.advance()?;
            }
        }
        Ok(())
    }

    fn advance(&mut self) -> Result<()> {
        if self.mini_left == 0 {
            self.begin_mini()?;
        }
        let bit = self.mini_read * self.width as usize;
        let delta = self.bits(bit)?;
        self.mini_read += 1;
        self.mini_left -= 1;
        self.next = self.next.wrapping_add(self.least).wrapping_add(delta as i64);
        Ok(())
    }

    fn begin_mini(&mut self) -> Result<()> {
        let width = match self.widths.next() {
            Some(width) => width,
            None => {
                self.least = self.signed()?;
                let end = self.at.saturating_add(self.blocks_per_header);
                let widths = self.bytes.get(self.at..end).ok_or_else(cut_off)?.to_vec();
                self.at = end;
                self.widths = widths.into_iter();
                self.widths.next().ok_or_else(cut_off)?
            }
        };
        if width > 64 {
            return Err(Fault::damaged(format!("differences of {width} bits; at most 64 are allowed")));
        }
        self.width = u32::from(width);
        self.mini_start = self.at;
        // The bytes of values past the last may be missing.
        let bytes = (self.block_values / 8).saturating_mul(usize::from(width));
        self.at = self.at.saturating_add(bytes).min(self.bytes.len());
        (self.mini_read, self.mini_left) = (0, self.block_values);
        Ok(())
    }

    /// The value whose bits start at `bit` of the open miniblock.
    fn bits(&self, bit: usize) -> Result<u64> {
        if self.width == 0 {
            return Ok(0);
        }
        let start = self.mini_start + bit / 8;
        let shift = bit % 8;
        let rest = self.bytes.get(start..).unwrap_or_default();
        if (shift + self.width as usize).div_ceil(8) > rest.len() {
            return Err(cut_off());
        }
        let mut word = [0u8; 16];
        let taken = rest.len().min(16);
        word[..taken].copy_from_slice(&rest[..taken]);
        let mask = u64::MAX >> (64 - self.width);
        Ok((u128::from_le_bytes(word) >> shift) as u64 & mask)
    }

    fn unsigned(&mut self) -> Result<u64> {
        let mut value = 0u64;
        for shift in (0..64).step_by(7) {
            let &byte = self.bytes.get(self.at).ok_or_else(cut_off)?;
            self.at += 1;
            value |= u64::from(byte & 0x7F) << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(Fault::damaged("a number of more than 64 bits"))
    }

    /// Zigzag: 0, -1, 1, -2 are 0, 1, 2, 3.
    fn signed(&mut self) -> Result<i64> {
        let value = self.unsigned()?;
        Ok((value >> 1) as i64 ^ -((value & 1) as i64))
    }
}

fn cut_off() -> Fault {
    Fault::damaged("a page of differences ends before its last number")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 7, 5, 3, 1, 2, 3, 4, 5 as in the format's own example: blocks of 128 in 4 parts.
    fn example() -> Vec<u8> {
        let mut bytes = vec![0x80, 0x01, 4, 8, 14];
        // Least difference -2; widths 2, 0, 0, 0; differences above it: 0 0 0 3 3 3 3.
        bytes.extend([3, 2, 0, 0, 0, 0b1100_0000, 0b0011_1111]);
        bytes
    }

    #[test]
    fn numbers_of_the_formats_example_come_back() {
        let mut deltas = Deltas::new(example().into()).unwrap();
        let mut numbers = Vec::new();
        deltas.read(3, |number| numbers.push(number)).unwrap();
        deltas.read(5, |number| numbers.push(number)).unwrap();
        assert_eq!(numbers, [7, 5, 3, 1, 2, 3, 4, 5]);
        assert!(deltas.read(1, |_| ()).is_err());
    }

    #[test]
    fn damaged_headers_and_ends_are_refused() {
        assert!(Deltas::new(vec![0x80, 0x01, 0, 8, 14].into()).is_err());
        assert!(Deltas::new(vec![0x80].into()).is_err());
        let mut cut = Deltas::new(example()[..11].to_vec().into()).unwrap();
        assert!(cut.read(8, |_| ()).is_err());
    }
}
