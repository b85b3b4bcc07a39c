//! Text to bytes: ASCII as it is, other bytes as `\xHH`.

use super::{Mode, refuse, text_error};
use crate::scalar::Bound;
use crate::types::Type;

pub(super) fn from_text(mode: Mode) -> Bound {
    Bound::strict(Type::Binary, move |arguments, rows, output, _| {
        let texts = arguments[0].text();
        rows.for_each(|row| {
            let text = texts.get(row);
            let bytes = output.bytes();
            let start = bytes.begin();
            match unescape(text.as_bytes(), bytes.block()) {
                Ok(()) => bytes.finish(row, start),
                Err(reason) => {
                    bytes.block().truncate(start);
                    refuse(output, row, mode.is_try, || text_error(text, &Type::Binary, reason));
                }
            }
        });
        Ok(())
    })
}

fn unescape(text: &[u8], bytes: &mut Vec<u8>) -> Result<(), &'static str> {
    let mut rest = text;
    while let Some((&first, tail)) = rest.split_first() {
        rest = tail;
        match (first, tail) {
            (b'\\', [b'x', high, low, after @ ..]) => {
                match (char::from(*high).to_digit(16), char::from(*low).to_digit(16)) {
                    (Some(high), Some(low)) => bytes.push((high * 16 + low) as u8),
                    _ => return Err("; expected two hexadecimal digits after \\x"),
                }
                rest = after;
            }
            (b'\\', _) => return Err("; expected \\x and two hexadecimal digits after a backslash"),
            (128.., _) => return Err("; bytes outside of ASCII are written as \\xHH"),
            _ => bytes.push(first),
        }
    }
    Ok(())
}
