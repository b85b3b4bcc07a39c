//! Bytes and integers as hexadecimal and binary digits, and back; integers in any base.

// Writing into a builder does not fail, so the results of `write!` carry nothing.
use std::fmt::Write;

use super::lift::{build_from_bytes, try_decode};
use crate::Registry;
use crate::column::{FixedWidth, TextBuilder};
use crate::error::{Error, Result};
use crate::scalar::{Bound, ScalarFunction};
use crate::signature::exact;
use crate::types::Type;
use crate::value::{Literal, Value};

/// Adds the family.
pub fn register(registry: &mut Registry) {
    registry.register_scalar(
        digits("hex", "Hexadecimal digits of bytes or of an integer.", 4, hex_bytes)
            .alias("to_hex")
            .overload([exact("bytes", Type::Binary)], |_| Ok(build_from_bytes(hex_bytes)))
            .note("Negative integers are shown as 64 bits (128 for HUGEINT) in two's complement.")
            .example("hex('abc')", "616263")
            .example("hex(255)", "FF"),
    );
    registry.register_scalar(
        digits("bin", "Binary digits of bytes or of an integer.", 1, binary_bytes)
            .alias("to_binary")
            .example("bin(5)", "101"),
    );
    registry.register_scalar(
        ScalarFunction::new("unhex", "text", "The bytes that hexadecimal digits stand for.")
            .alias("from_hex")
            .overload([exact("text", Type::Text)], |_| Ok(try_decode(|text, bytes| pack(text, 4, bytes))))
            .note("An odd digit at the start is a byte of its own; another character is an error of the row.")
            .example("unhex('616263')", "abc"),
    );
    registry.register_scalar(
        ScalarFunction::new("unbin", "text", "The bytes that binary digits stand for.")
            .alias("from_binary")
            .overload([exact("text", Type::Text)], |_| Ok(try_decode(|text, bytes| pack(text, 1, bytes))))
            .example("unbin('01100001')", "a"),
    );
    let width = || exact("width", Type::Int32).or(Literal::new(Value::Int32(0)));
    registry.register_scalar(
        ScalarFunction::new("to_base", "text", "Digits of an integer in a base from 2 to 36.")
            .overload([exact("number", Type::Int64), exact("base", Type::Int32), width()], |_| Ok(to_base()))
            .note("Padded with zeros to a width; a negative number or another base is an error of the row.")
            .example("to_base(255, 16)", "FF")
            .example("to_base(5, 2, 8)", "00000101"),
    );
}

fn hex_bytes(bytes: &[u8], builder: &mut TextBuilder<'_>) {
    for byte in bytes {
        let _ = write!(builder, "{byte:02X}");
    }
}

fn binary_bytes(bytes: &[u8], builder: &mut TextBuilder<'_>) {
    for byte in bytes {
        let _ = write!(builder, "{byte:08b}");
    }
}

fn digits(name: &str, summary: &str, bits: u32, text: fn(&[u8], &mut TextBuilder<'_>)) -> ScalarFunction {
    ScalarFunction::new(name, "text", summary)
        .overload([exact("text", Type::Text)], move |_| Ok(build_from_bytes(text)))
        .overload([exact("number", Type::Int64)], move |_| {
            Ok(integer(bits, |value: i64| u128::from(value as u64)))
        })
        .overload([exact("number", Type::UInt64)], move |_| Ok(integer(bits, |value: u64| u128::from(value))))
        .overload([exact("number", Type::HUGEINT)], move |_| Ok(integer(bits, |value: i128| value as u128)))
}

fn integer<T: FixedWidth>(bits: u32, widen: fn(T) -> u128) -> Bound {
    Bound::strict(Type::Text, move |arguments, rows, output, _| {
        let numbers = arguments[0].fixed::<T>();
        let mut writer = output.text();
        rows.for_each(|row| {
            let number = widen(numbers.get(row));
            writer.build(row, |builder| {
                let _ = if bits == 4 { write!(builder, "{number:X}") } else { write!(builder, "{number:b}") };
            });
        });
        Ok(())
    })
}

/// Packs digits of `bits` bits each into bytes, aligned at the end.
fn pack(text: &str, bits: u32, bytes: &mut Vec<u8>) -> Result<()> {
    let digits_per_byte = (8 / bits) as usize;
    let mut missing = text.len().div_ceil(digits_per_byte) * digits_per_byte - text.len();
    let mut byte = 0u8;
    for c in text.chars() {
        let Some(digit) = c.to_digit(1 << bits) else {
            let (function, kind) = if bits == 4 { ("unhex", "hexadecimal") } else { ("unbin", "binary") };
            return Err(Error::argument(
                function,
                1,
                format!("has the character '{c}'; expected {kind} digits"),
            ));
        };
        byte = byte << bits | digit as u8;
        missing += 1;
        if missing == digits_per_byte {
            bytes.push(byte);
            (byte, missing) = (0, 0);
        }
    }
    Ok(())
}

fn to_base() -> Bound {
    Bound::strict(Type::Text, |arguments, rows, output, _| {
        let numbers = arguments[0].fixed::<i64>();
        let (bases, widths) = (arguments[1].fixed::<i32>(), arguments[2].fixed::<i32>());
        rows.for_each(|row| {
            let (number, base, width) = (numbers.get(row), bases.get(row), widths.get(row));
            let problem = match () {
                () if number < 0 => Some((1, format!("is {number}; expected 0 or more"))),
                () if !(2..=36).contains(&base) => {
                    Some((2, format!("is {base}; expected a base from 2 to 36")))
                }
                () if !(0..=64).contains(&width) => {
                    Some((3, format!("is {width}; expected a width from 0 to 64")))
                }
                () => None,
            };
            match problem {
                Some((position, problem)) => {
                    output.fail(row, || Error::argument("to_base", position, problem))
                }
                None => {
                    let mut buffer = [b'0'; 64];
                    let written = write_digits(number as u64, base as u64, &mut buffer).max(width as usize);
                    output.text().set(row, std::str::from_utf8(&buffer[64 - written..]).unwrap_or_default());
                }
            }
        });
        Ok(())
    })
}

/// Writes the digits at the end of the buffer and tells how many.
fn write_digits(mut number: u64, base: u64, buffer: &mut [u8; 64]) -> usize {
    let mut written = 0;
    while number > 0 || written == 0 {
        let digit = (number % base) as u8;
        written += 1;
        buffer[64 - written] = if digit < 10 { b'0' + digit } else { b'A' + digit - 10 };
        number /= base;
    }
    written
}
