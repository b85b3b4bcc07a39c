//! Runs of one value and runs of packed values, mixed: how Parquet writes levels and codes of a dictionary.

use bytes::Bytes;
use hypostyle_functions::column::Bits;
use hypostyle_functions::kernel::bit_pack::{GROUP, WIDTH_MAX, append_unpacked, unpack};

use super::fault::{Fault, Result};
use super::validity::Validity;

/// A reader of such runs. Rows after the one asked for are not looked at, so damage behind them is not met.
#[derive(Debug)]
pub struct Hybrid {
    bytes: Bytes,
    /// Start of the next run.
    at: usize,
    width: u32,
    run: Run,
}

#[derive(Debug)]
enum Run {
    Repeated {
        value: u32,
        left: usize,
    },
    /// `next` counts the values read of a run that starts at `start`.
    Packed {
        start: usize,
        next: usize,
        values: usize,
    },
}

impl Hybrid {
    /// Runs of values of `width` bits.
    ///
    /// # Errors
    /// A width above 32.
    pub fn new(bytes: Bytes, width: u32) -> Result<Self> {
        if width > WIDTH_MAX {
            return Err(Fault::damaged(format!("values of {width} bits; at most {WIDTH_MAX} are allowed")));
        }
        Ok(Self { bytes, at: 0, width, run: Run::Repeated { value: 0, left: 0 } })
    }

    /// Appends the next `count` values.
    ///
    /// # Errors
    /// The end of the bytes before all are read.
    pub fn read(&mut self, mut count: usize, values: &mut Vec<u32>) -> Result<()> {
        while count > 0 {
            self.begin_run()?;
            match &mut self.run {
                Run::Repeated { value, left } => {
                    let taken = count.min(*left);
                    values.resize(values.len() + taken, *value);
                    *left -= taken;
                    count -= taken;
                }
                Run::Packed { start, next, values: all } => {
                    let taken = count.min(*all - *next);
                    let packed = &self.bytes[*start..];
                    read_packed(self.width, packed, *next, taken, values)?;
                    *next += taken;
                    count -= taken;
                }
            }
        }
        Ok(())
    }

    /// Appends rows that are valid where the next `count` values, of one bit, are set; gives how many are.
    ///
    /// # Errors
    /// The end of the bytes before all are read.
    pub fn read_bits(&mut self, mut count: usize, valid: &mut Validity) -> Result<usize> {
        let mut set = 0;
        while count > 0 {
            self.begin_run()?;
            let taken = match &mut self.run {
                Run::Repeated { value, left } => {
                    let taken = count.min(*left);
                    valid.append_equal(taken, *value != 0);
                    set += if *value != 0 { taken } else { 0 };
                    *left -= taken;
                    taken
                }
                Run::Packed { start, next, values: all } => {
                    let taken = count.min(*all - *next);
                    let packed = &self.bytes[*start..];
                    if (*next + taken).div_ceil(8) > packed.len() {
                        return Err(cut_off());
                    }
                    set += valid.append_bits(Bits::of_bytes(packed, *next, taken));
                    *next += taken;
                    taken
                }
            };
            count -= taken;
        }
        Ok(set)
    }

    /// Passes over the next `count` values.
    ///
    /// # Errors
    /// The end of the bytes before all are passed.
    pub fn skip(&mut self, mut count: usize) -> Result<()> {
        while count > 0 {
            self.begin_run()?;
            match &mut self.run {
                Run::Repeated { left, .. } => {
                    let taken = count.min(*left);
                    *left -= taken;
                    count -= taken;
                }
                Run::Packed { next, values: all, .. } => {
                    let taken = count.min(*all - *next);
                    *next += taken;
                    count -= taken;
                }
            }
        }
        Ok(())
    }

    /// Opens runs until one has values left.
    fn begin_run(&mut self) -> Result<()> {
        loop {
            let left = match self.run {
                Run::Repeated { left, .. } => left,
                Run::Packed { next, values, .. } => values - next,
            };
            if left > 0 {
                return Ok(());
            }
            let header = self.variable_length()?;
            if header & 1 == 0 {
                let value = self.repeated_value()?;
                self.run = Run::Repeated { value, left: usize::try_from(header >> 1).unwrap_or(usize::MAX) };
                continue;
            }
            let groups = usize::try_from(header >> 1).unwrap_or(usize::MAX);
            let values = groups.saturating_mul(GROUP);
            let start = self.at;
            let bytes = groups.saturating_mul(self.width as usize);
            // Some writers leave out the bytes of the last group that hold no rows.
            self.at = start.saturating_add(bytes).min(self.bytes.len());
            self.run = Run::Packed { start, next: 0, values };
        }
    }

    fn repeated_value(&mut self) -> Result<u32> {
        let bytes = self.width.div_ceil(8) as usize;
        let Some(stored) = self.bytes.get(self.at..self.at + bytes) else { return Err(cut_off()) };
        self.at += bytes;
        let mut value = [0u8; 4];
        value[..bytes].copy_from_slice(stored);
        Ok(u32::from_le_bytes(value))
    }

    fn variable_length(&mut self) -> Result<u64> {
        let mut value = 0u64;
        for shift in (0..64).step_by(7) {
            let Some(&byte) = self.bytes.get(self.at) else { return Err(cut_off()) };
            self.at += 1;
            value |= u64::from(byte & 0x7F) << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(Fault::damaged("the length of a run has more than 64 bits"))
    }
}

/// Appends values `next .. next + count` of a packed run.
fn read_packed(width: u32, packed: &[u8], next: usize, count: usize, values: &mut Vec<u32>) -> Result<()> {
    let bits = (next + count).saturating_mul(width as usize);
    if bits.div_ceil(8) > packed.len() {
        return Err(cut_off());
    }
    let (mut next, mut count) = (next, count);
    let inside = next % GROUP;
    if inside != 0 {
        let taken = count.min(GROUP - inside);
        let group = group_of(width, packed, next / GROUP);
        values.extend_from_slice(&group[inside..inside + taken]);
        next += taken;
        count -= taken;
    }
    let whole = count / GROUP * GROUP;
    if whole > 0 {
        append_unpacked(width, &packed[next / GROUP * width as usize..], whole, values);
        next += whole;
        count -= whole;
    }
    if count > 0 {
        values.extend_from_slice(&group_of(width, packed, next / GROUP)[..count]);
    }
    Ok(())
}

/// One group, whose last bytes may be missing.
fn group_of(width: u32, packed: &[u8], group: usize) -> [u32; GROUP] {
    let mut bytes = [0u8; WIDTH_MAX as usize];
    let start = (group * width as usize).min(packed.len());
    let end = (start + width as usize).min(packed.len());
    bytes[..end - start].copy_from_slice(&packed[start..end]);
    let mut values = [0; GROUP];
    unpack(width, &bytes, &mut values);
    values
}

fn cut_off() -> Fault {
    Fault::damaged("a page ends before its last row")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 5 times 3, then the packed values 0 to 15, then once 7, in four bits.
    fn runs() -> Hybrid {
        let mut bytes = vec![5 << 1, 3, 2 << 1 | 1];
        bytes.extend((0..8u8).map(|i| (2 * i) | ((2 * i + 1) << 4)));
        bytes.extend([1 << 1, 7]);
        Hybrid::new(bytes.into(), 4).unwrap()
    }

    fn expected() -> Vec<u32> {
        [vec![3; 5], (0..16).collect(), vec![7]].concat()
    }

    #[test]
    fn runs_read_in_pieces_of_every_size_are_equal() {
        for piece in 1..23 {
            let (mut runs, mut values) = (runs(), Vec::new());
            while values.len() < 22 {
                runs.read(piece.min(22 - values.len()), &mut values).unwrap();
            }
            assert_eq!(values, expected());
            assert!(runs.read(1, &mut values).is_err());
        }
    }

    #[test]
    fn bits_read_in_pieces_of_every_size_are_equal() {
        // 5 times 1, then 16 packed bits, then 3 times 0.
        let bytes = vec![5 << 1, 1, 2 << 1 | 1, 0b0110_0101, 0b1111_0000, 3 << 1, 0];
        let expected: Vec<bool> = "111111010011000001111000".chars().map(|bit| bit == '1').collect();
        for piece in 1..25 {
            let (mut runs, mut valid, mut set) =
                (Hybrid::new(bytes.clone().into(), 1).unwrap(), Validity::default(), 0);
            while valid.rows() < 24 {
                set += runs.read_bits(piece.min(24 - valid.rows()), &mut valid).unwrap();
            }
            let bits = valid.bits().unwrap();
            assert!((0..24).map(|row| bits.get(row)).eq(expected.iter().copied()), "pieces of {piece}");
            assert_eq!(set, expected.iter().filter(|&&bit| bit).count());
            assert!(runs.read_bits(1, &mut valid).is_err());
        }
        assert!(
            Hybrid::new(vec![2 << 1 | 1, 7].into(), 1)
                .unwrap()
                .read_bits(9, &mut Validity::default())
                .is_err()
        );
    }

    #[test]
    fn skipping_leads_to_the_same_place_as_reading() {
        for start in 0..22 {
            let (mut runs, mut values) = (runs(), Vec::new());
            runs.skip(start).unwrap();
            runs.read(22 - start, &mut values).unwrap();
            assert_eq!(values, expected()[start..]);
        }
    }

    #[test]
    fn a_packed_run_may_end_with_its_last_row() {
        let mut runs = Hybrid::new(vec![1 << 1 | 1, 0x21, 0x03].into(), 4).unwrap();
        let mut values = Vec::new();
        runs.read(3, &mut values).unwrap();
        assert_eq!(values, [1, 2, 3]);
        assert!(runs.read(2, &mut values).is_err());
    }

    #[test]
    fn values_without_bits_need_no_bytes() {
        let mut runs = Hybrid::new(vec![100 << 1, 200, 1].into(), 0);
        let mut values = Vec::new();
        runs.as_mut().unwrap().read(100, &mut values).unwrap();
        assert_eq!(values, [0; 100]);
        assert!(Hybrid::new(Bytes::new(), 33).is_err());
    }

    #[test]
    fn endless_empty_runs_end() {
        let mut runs = Hybrid::new(vec![0; 50].into(), 0).unwrap();
        assert!(runs.read(1, &mut Vec::new()).is_err());
    }
}
