//! The container, written from front to back: a zip of members that are stored as they are and begin at multiples of 64 bytes.

use std::io::{self, Write};

use arrow::buffer::Buffer;

use super::{BLOCK_BYTES, Member, checksum, digest};

/// Members begin at multiples of this, as Arrow wants its buffers and caches their lines.
const ALIGNMENT_BYTES: u64 = 64;

/// Length of the header of a member without its name and its extra fields.
const HEADER_BYTES: u64 = 30;

/// The number of an extra field that is there for its length, which aligns what follows, and its least length.
const PADDING: (u16, u64) = (0xa11e, 6);

/// The number of an extra field with lengths and places of 64 bits, which 32 bits of ones stand for elsewhere.
const LONG: u16 = 1;

/// The version of the format that has 64 bits.
const FORMAT_VERSION: u16 = 45;

/// Names are UTF-8.
const FLAGS: u16 = 1 << 11;

/// The first of January 1980, the earliest date that the format knows: equal transforms are equal files.
const DATE: u16 = 1 << 5 | 1;

/// A plain file that its owner may write and all may read.
const ATTRIBUTES: u32 = 0o100_644 << 16;

/// A member that will not change, with its checksums.
pub(super) struct Sealed {
    pub name: String,
    pub bytes: Buffer,
    sha256: String,
    blocks: Vec<String>,
    crc: u32,
}

impl Sealed {
    /// Computes the checksums of a member.
    pub fn new(name: String, bytes: Buffer) -> Self {
        let blocks = match bytes.len() > BLOCK_BYTES {
            true => bytes.chunks(BLOCK_BYTES).map(checksum).collect(),
            false => Vec::new(),
        };
        let (sha256, crc) = (digest(&bytes), crc32fast::hash(&bytes));
        Self { name, bytes, sha256, blocks, crc }
    }

    /// What the list of members says of it.
    pub fn listed(&self) -> Member {
        Member {
            name: self.name.clone(),
            bytes: self.length(),
            sha256: self.sha256.clone(),
            blocks: self.blocks.clone(),
        }
    }

    fn length(&self) -> u64 {
        self.bytes.len() as u64
    }
}

/// Writes a file with these members.
///
/// # Errors
/// What the writer answers.
pub(super) fn pack(members: &[Sealed], output: &mut impl Write) -> io::Result<()> {
    let mut place = 0u64;
    let mut places = Vec::with_capacity(members.len());
    for member in members {
        places.push(place);
        let header = header_of(member, place);
        output.write_all(&header)?;
        output.write_all(&member.bytes)?;
        place += header.len() as u64 + member.length();
    }
    let mut listing = Vec::new();
    for (member, place) in members.iter().zip(places) {
        list(member, place, &mut listing);
    }
    end(members.len() as u64, listing.len() as u64, place, &mut listing);
    output.write_all(&listing)
}

/// The bytes of a file with these members.
///
/// # Errors
/// None that memory has.
pub(super) fn packed(members: &[Sealed]) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::with_capacity(members.iter().map(|member| member.bytes.len() + 1024).sum());
    pack(members, &mut bytes)?;
    Ok(bytes)
}

/// The number in 32 bits, or all ones where it has more.
fn short(number: u64) -> [u8; 4] {
    u32::try_from(number).unwrap_or(u32::MAX).to_le_bytes()
}

fn is_long(number: u64) -> bool {
    number >= u64::from(u32::MAX)
}

/// An extra field of numbers of 64 bits.
fn long_field(numbers: &[u64]) -> Vec<u8> {
    if numbers.is_empty() {
        return Vec::new();
    }
    let mut field = Vec::with_capacity(4 + numbers.len() * 8);
    field.extend(LONG.to_le_bytes());
    field.extend((numbers.len() as u16 * 8).to_le_bytes());
    numbers.iter().for_each(|number| field.extend(number.to_le_bytes()));
    field
}

/// What header and listing say alike, behind the versions: flags to the length of the name.
fn describe(member: &Sealed, into: &mut Vec<u8>) {
    into.extend(FLAGS.to_le_bytes());
    // Stored as it is, at midnight.
    into.extend([0; 4]);
    into.extend(DATE.to_le_bytes());
    into.extend(member.crc.to_le_bytes());
    into.extend(short(member.length()));
    into.extend(short(member.length()));
    into.extend((member.name.len() as u16).to_le_bytes());
}

/// What stands before the bytes of a member, whose header begins at this place.
fn header_of(member: &Sealed, place: u64) -> Vec<u8> {
    let lengths = [member.length(); 2];
    let mut extra = long_field(if is_long(member.length()) { &lengths } else { &[] });
    let (number, least) = PADDING;
    let end = place + HEADER_BYTES + member.name.len() as u64 + extra.len() as u64 + least;
    let zeros = end.next_multiple_of(ALIGNMENT_BYTES) - end;
    extra.extend(number.to_le_bytes());
    extra.extend((zeros as u16 + 2).to_le_bytes());
    extra.extend((ALIGNMENT_BYTES as u16).to_le_bytes());
    extra.resize(extra.len() + zeros as usize, 0);
    let mut header = Vec::with_capacity(128);
    header.extend(b"PK\x03\x04");
    header.extend(FORMAT_VERSION.to_le_bytes());
    describe(member, &mut header);
    header.extend((extra.len() as u16).to_le_bytes());
    header.extend(member.name.as_bytes());
    header.extend(extra);
    header
}

/// What the listing at the end says of a member.
fn list(member: &Sealed, place: u64, into: &mut Vec<u8>) {
    let mut long = Vec::new();
    if is_long(member.length()) {
        long.extend([member.length(); 2]);
    }
    if is_long(place) {
        long.push(place);
    }
    let extra = long_field(&long);
    into.extend(b"PK\x01\x02");
    // Made on a system of the family of Unix, which is 3.
    into.extend((3 << 8 | FORMAT_VERSION).to_le_bytes());
    into.extend(FORMAT_VERSION.to_le_bytes());
    describe(member, into);
    into.extend((extra.len() as u16).to_le_bytes());
    // No comment, the first disk, no text.
    into.extend([0; 6]);
    into.extend(ATTRIBUTES.to_le_bytes());
    into.extend(short(place));
    into.extend(member.name.as_bytes());
    into.extend(extra);
}

/// The end of a file: how many members there are, and where their listing stands.
fn end(members: u64, bytes: u64, place: u64, into: &mut Vec<u8>) {
    let entries = u16::try_from(members).unwrap_or(u16::MAX);
    if entries == u16::MAX || is_long(bytes) || is_long(place) {
        into.extend(b"PK\x06\x06");
        // Bytes of this record behind this number.
        into.extend(44u64.to_le_bytes());
        into.extend((3 << 8 | FORMAT_VERSION).to_le_bytes());
        into.extend(FORMAT_VERSION.to_le_bytes());
        into.extend([0; 8]);
        [members, members, bytes, place].iter().for_each(|number| into.extend(number.to_le_bytes()));
        into.extend(b"PK\x06\x07");
        into.extend([0; 4]);
        into.extend((place + bytes).to_le_bytes());
        into.extend(1u32.to_le_bytes());
    }
    into.extend(b"PK\x05\x06");
    into.extend([0; 4]);
    into.extend(entries.to_le_bytes());
    into.extend(entries.to_le_bytes());
    into.extend(short(bytes));
    into.extend(short(place));
    into.extend([0; 2]);
}

#[cfg(test)]
mod tests {
    use super::super::members::Members;
    use super::*;

    fn sealed(name: &str, bytes: Vec<u8>) -> Sealed {
        Sealed::new(name.to_owned(), Buffer::from_vec(bytes))
    }

    #[test]
    fn members_are_stored_at_multiples_of_64() {
        for length in 0..200 {
            let members = [
                sealed("a", vec![1; length]),
                sealed(&"é".repeat(length), vec![2; 100]),
                sealed("c", vec![]),
            ];
            let bytes = packed(&members).unwrap();
            let mut read = Members::open(&bytes).unwrap();
            for member in members.iter().filter(|member| !member.name.is_empty()) {
                let place = read.place(&member.name).unwrap();
                assert_eq!(place.start % 64, 0);
                assert_eq!(bytes[place], *member.bytes);
                assert_eq!(read.read(&member.name).unwrap(), *member.bytes);
            }
            assert!(read.read("b").is_err());
        }
    }

    #[test]
    fn more_members_than_16_bits_can_count_are_listed() {
        let members: Vec<Sealed> =
            (0..70_000u32).map(|number| sealed(&number.to_string(), vec![7])).collect();
        let bytes = packed(&members).unwrap();
        let mut read = Members::open(&bytes).unwrap();
        assert_eq!(read.names().unwrap().len(), members.len());
        assert_eq!(read.read("69999").unwrap(), [7]);
    }

    #[test]
    fn a_changed_byte_of_a_member_is_told() {
        let mut bytes = packed(&[sealed("a", vec![1; 300])]).unwrap();
        bytes[200] ^= 1;
        assert!(Members::open(&bytes).unwrap().read("a").is_err());
    }
}
