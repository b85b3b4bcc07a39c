//! CRC-32C (Castagnoli), eight bytes a step with eight tables. Source: RFC 3720, appendix B.4.

use super::read_u64;

/// The polynomial, bits reversed.
const POLYNOMIAL: u32 = 0x82f6_3b78;

/// `TABLES[k][b]`: what byte `b` contributes with `k` bytes after it.
static TABLES: [[u32; 256]; 8] = tables();

const fn tables() -> [[u32; 256]; 8] {
    let mut tables = [[0u32; 256]; 8];
    let mut byte = 0;
    while byte < 256 {
        let mut value = byte as u32;
        let mut bit = 0;
        while bit < 8 {
            value = if value & 1 == 1 { (value >> 1) ^ POLYNOMIAL } else { value >> 1 };
            bit += 1;
        }
        tables[0][byte] = value;
        byte += 1;
    }
    let mut after = 1;
    while after < 8 {
        let mut byte = 0;
        while byte < 256 {
            let previous = tables[after - 1][byte];
            tables[after][byte] = (previous >> 8) ^ tables[0][(previous & 0xff) as usize];
            byte += 1;
        }
        after += 1;
    }
    tables
}

/// The checksum of `bytes`.
pub fn crc32c(bytes: &[u8]) -> u32 {
    crc32c_continued(0, bytes)
}

/// The checksum of what `checksum` covers, followed by `bytes`.
pub fn crc32c_continued(checksum: u32, bytes: &[u8]) -> u32 {
    let mut words = bytes.chunks_exact(8);
    let state = words.by_ref().fold(!checksum, |state, word| {
        let mixed = read_u64(word, 0) ^ u64::from(state);
        (0..8).fold(0, |state, index| state ^ TABLES[7 - index][((mixed >> (8 * index)) & 0xff) as usize])
    });
    !words
        .remainder()
        .iter()
        .fold(state, |state, &byte| (state >> 8) ^ TABLES[0][((state ^ u32::from(byte)) & 0xff) as usize])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn published_values_are_reproduced() {
        assert_eq!(crc32c(b"123456789"), 0xe306_9283);
        assert_eq!(crc32c(&[0; 32]), 0x8a91_36aa);
        assert_eq!(crc32c(b""), 0);
    }

    #[test]
    fn all_lengths_agree_with_the_reference_implementation() {
        assert_eq!(
            crate::kernel::hash::digest_of_all_lengths(300, |bytes| crc32c(bytes).into()),
            7_536_832_401_246_182_518
        );
    }

    #[test]
    fn a_checksum_continues_where_it_stopped() {
        let bytes = crate::kernel::hash::test_bytes(100);
        for cut in 0..=100 {
            assert_eq!(crc32c_continued(crc32c(&bytes[..cut]), &bytes[cut..]), crc32c(&bytes));
        }
    }
}
