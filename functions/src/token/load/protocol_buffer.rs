//! The fields of a protocol buffer, as far as tokenizer files need them.

/// What a field holds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum FieldValue<'a> {
    /// A number or a truth value.
    Number(u64),
    /// A number with a fraction, of four bytes.
    Float(f32),
    /// Bytes, text or a message.
    Bytes(&'a [u8]),
    /// Eight bytes.
    Eight,
}

/// The fields of a message, in order, each with its number; an error where it is cut off or damaged.
pub fn fields(message: &[u8]) -> impl Iterator<Item = Result<(u32, FieldValue<'_>), String>> {
    let mut rest = message;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let field = next_field(&mut rest);
        if field.is_none() {
            rest = &[];
        }
        Some(field.ok_or_else(|| "a message is damaged or cut off".to_owned()))
    })
}

fn next_field<'a>(rest: &mut &'a [u8]) -> Option<(u32, FieldValue<'a>)> {
    let key = next_number(rest)?;
    let number = u32::try_from(key >> 3).ok()?;
    let value = match key & 7 {
        0 => FieldValue::Number(next_number(rest)?),
        1 => {
            *rest = rest.get(8..)?;
            FieldValue::Eight
        }
        2 => {
            let length = usize::try_from(next_number(rest)?).ok()?;
            let (bytes, behind) = rest.split_at_checked(length)?;
            *rest = behind;
            FieldValue::Bytes(bytes)
        }
        5 => {
            let (bytes, behind) = rest.split_first_chunk::<4>()?;
            *rest = behind;
            FieldValue::Float(f32::from_le_bytes(*bytes))
        }
        _ => return None,
    };
    Some((number, value))
}

/// A number in groups of seven bits, lowest first.
fn next_number(rest: &mut &[u8]) -> Option<u64> {
    let mut number = 0u64;
    for shift in (0..64).step_by(7) {
        let (&byte, behind) = rest.split_first()?;
        *rest = behind;
        number |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Some(number);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_told_by_their_kind() {
        let message =
            [0x08, 0x96, 0x01, 0x12, 2, b'h', b'i', 0x1d, 0, 0, 0x80, 0x3f, 0x21, 1, 2, 3, 4, 5, 6, 7, 8];
        let found: Vec<_> = fields(&message).map(Result::unwrap).collect();
        let expected = [
            (1, FieldValue::Number(150)),
            (2, FieldValue::Bytes(b"hi")),
            (3, FieldValue::Float(1.0)),
            (4, FieldValue::Eight),
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn a_damaged_message_is_told_once() {
        for message in [&[0x12, 5, b'a'][..], &[0x0b], &[0x80], &[0x1d, 0], &[0xff; 11]] {
            let found: Vec<_> = fields(message).collect();
            assert!(found.len() == 1 && found[0].is_err(), "{message:?}");
        }
    }
}
