//! Cryptographic digests as hexadecimal text.

use md5::Md5;
use sha2::{Digest, Sha256};

use super::lift::build_from_bytes;
use super::sha1::sha1;
use crate::Registry;
use crate::column::TextBuilder;
use crate::scalar::{Bound, Cost, ScalarFunction};
use crate::signature::exact;
use crate::types::Type;

/// Adds the family.
pub fn register(registry: &mut Registry) {
    registry.register_scalar(
        digest("md5", "MD5 digest (RFC 1321) as 32 hexadecimal digits.", |bytes| Md5::digest(bytes).into())
            .example("md5('abc')", "900150983cd24fb0d6963f7d28e17f72"),
    );
    registry.register_scalar(
        md5_half("md5_number_lower", "The last 8 bytes of the MD5 digest as an integer, lowest first.", 8)
            .example("md5_number_lower('a')", "7000413967451013937"),
    );
    registry.register_scalar(
        md5_half("md5_number_upper", "The first 8 bytes of the MD5 digest as an integer, lowest first.", 0)
            .example("md5_number_upper('a')", "12157170054180749580"),
    );
    registry.register_scalar(
        digest("sha1", "SHA-1 digest (FIPS 180-4) as 40 hexadecimal digits.", sha1)
            .example("sha1('abc')", "a9993e364706816aba3e25717850c26c9cd0d89d"),
    );
    registry.register_scalar(
        digest("sha256", "SHA-256 digest (FIPS 180-4) as 64 hexadecimal digits.", |bytes| {
            Sha256::digest(bytes).into()
        })
        .example("sha256('abc')", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
    );
}

fn digest<const N: usize>(name: &str, summary: &str, function: fn(&[u8]) -> [u8; N]) -> ScalarFunction {
    let bound = move |bytes: &[u8], builder: &mut TextBuilder<'_>| write_hex(&function(bytes), builder);
    ScalarFunction::new(name, "text", summary)
        .overload([exact("text", Type::Text)], move |_| Ok(build_from_bytes(bound)))
        .overload([exact("bytes", Type::Binary)], move |_| Ok(build_from_bytes(bound)))
        .cost(Cost::Parse)
        .note("Of a text, its bytes in UTF-8 are digested.")
}

/// Eight bytes of a digest from `start` on.
fn md5_half(name: &str, summary: &str, start: usize) -> ScalarFunction {
    let function = ScalarFunction::new(name, "text", summary)
        .cost(Cost::Parse)
        .note("Of a text, its bytes in UTF-8 are digested.");
    [("text", Type::Text), ("bytes", Type::Binary)].into_iter().fold(
        function,
        |function, (name, data_type)| {
            function.overload([exact(name, data_type)], move |_| {
                Ok(Bound::strict(Type::UInt64, move |arguments, rows, output, _| {
                    let bytes = arguments[0].bytes();
                    let numbers = output.fixed::<u64>();
                    rows.for_each(|row| {
                        let digest: [u8; 16] = Md5::digest(bytes.get(row)).into();
                        let mut half = [0; 8];
                        half.copy_from_slice(&digest[start..start + 8]);
                        numbers[row] = u64::from_le_bytes(half);
                    });
                    Ok(())
                }))
            })
        },
    )
}

/// Appends two lower-case digits a byte.
pub fn write_hex(bytes: &[u8], builder: &mut TextBuilder<'_>) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    for byte in bytes {
        builder.push(char::from(DIGITS[usize::from(byte >> 4)]));
        builder.push(char::from(DIGITS[usize::from(byte & 15)]));
    }
}
