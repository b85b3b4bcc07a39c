//! Turns plain functions over text into bound functions: reading, looping and writing are stated once.

use crate::column::{TextBuilder, WritableFixed};
use crate::error::{Error, Result};
use crate::scalar::Bound;
use crate::types::Type;

/// A number for each text.
pub fn measure<R: WritableFixed>(
    result: Type,
    function: impl Fn(&str) -> R + Send + Sync + 'static,
) -> Bound {
    Bound::strict(result, move |arguments, rows, output, _| {
        let text = arguments[0].text();
        let values = output.fixed::<R>();
        rows.for_each(|row| values[row] = function(text.get(row)));
        Ok(())
    })
}

/// A number for each pair of texts.
pub fn measure_pair<R: WritableFixed>(
    result: Type,
    function: impl Fn(&str, &str) -> R + Send + Sync + 'static,
) -> Bound {
    Bound::strict(result, move |arguments, rows, output, _| {
        let (left, right) = (arguments[0].text(), arguments[1].text());
        let values = output.fixed::<R>();
        rows.for_each(|row| values[row] = function(left.get(row), right.get(row)));
        Ok(())
    })
}

/// A number for each pair of texts, or an error of the row.
pub fn try_measure_pair<R: WritableFixed>(
    result: Type,
    function: impl Fn(&str, &str) -> Result<R> + Send + Sync + 'static,
) -> Bound {
    Bound::strict(result, move |arguments, rows, output, _| {
        let (left, right) = (arguments[0].text(), arguments[1].text());
        rows.for_each(|row| match function(left.get(row), right.get(row)) {
            Ok(value) => output.fixed::<R>()[row] = value,
            Err(error) => output.fail(row, || error),
        });
        Ok(())
    })
}

/// A truth value for each pair of texts.
pub fn test_pair(function: impl Fn(&str, &str) -> bool + Send + Sync + 'static) -> Bound {
    Bound::strict(Type::Boolean, move |arguments, rows, output, _| {
        let (left, right) = (arguments[0].text(), arguments[1].text());
        let bits = output.boolean();
        rows.for_each(|row| bits.set(row, function(left.get(row), right.get(row))));
        Ok(())
    })
}

/// A truth value for each text, where the rest was prepared.
pub fn test(function: impl Fn(&str) -> bool + Send + Sync + 'static) -> Bound {
    Bound::strict(Type::Boolean, move |arguments, rows, output, _| {
        let text = arguments[0].text();
        let bits = output.boolean();
        rows.for_each(|row| bits.set(row, function(text.get(row))));
        Ok(())
    })
}

/// A part of each text; its bytes are shared with the argument.
pub fn part(function: impl Fn(&str) -> &str + Send + Sync + 'static) -> Bound {
    Bound::strict(Type::Text, move |arguments, rows, output, _| {
        let text = arguments[0].text();
        let mut writer = output.text();
        rows.for_each(|row| writer.set_part(row, &text, row, function(text.get(row))));
        Ok(())
    })
}

/// A part of the first text that the second decides.
pub fn part_by_text(function: impl for<'a> Fn(&'a str, &str) -> &'a str + Send + Sync + 'static) -> Bound {
    Bound::strict(Type::Text, move |arguments, rows, output, _| {
        let (text, other) = (arguments[0].text(), arguments[1].text());
        let mut writer = output.text();
        rows.for_each(|row| writer.set_part(row, &text, row, function(text.get(row), other.get(row))));
        Ok(())
    })
}

/// A part of the text that a number decides.
pub fn part_by_number(function: impl Fn(&str, i64) -> &str + Send + Sync + 'static) -> Bound {
    Bound::strict(Type::Text, move |arguments, rows, output, _| {
        let (text, number) = (arguments[0].text(), arguments[1].fixed::<i64>());
        let mut writer = output.text();
        rows.for_each(|row| writer.set_part(row, &text, row, function(text.get(row), number.get(row))));
        Ok(())
    })
}

/// A new text for each text.
pub fn build(function: impl Fn(&str, &mut TextBuilder<'_>) + Send + Sync + 'static) -> Bound {
    Bound::strict(Type::Text, move |arguments, rows, output, _| {
        let text = arguments[0].text();
        let mut writer = output.text();
        rows.for_each(|row| writer.build(row, |builder| function(text.get(row), builder)));
        Ok(())
    })
}

/// A new text for each three texts.
pub fn build_from_three(
    function: impl Fn(&str, &str, &str, &mut TextBuilder<'_>) + Send + Sync + 'static,
) -> Bound {
    Bound::strict(Type::Text, move |arguments, rows, output, _| {
        let (first, second, third) = (arguments[0].text(), arguments[1].text(), arguments[2].text());
        let mut writer = output.text();
        rows.for_each(|row| {
            writer.build(row, |builder| function(first.get(row), second.get(row), third.get(row), builder));
        });
        Ok(())
    })
}

/// A new text for the bytes of each text or binary value.
pub fn build_from_bytes(function: impl Fn(&[u8], &mut TextBuilder<'_>) + Send + Sync + 'static) -> Bound {
    Bound::strict(Type::Text, move |arguments, rows, output, _| {
        let bytes = arguments[0].bytes();
        let mut writer = output.text();
        rows.for_each(|row| writer.build(row, |builder| function(bytes.get(row), builder)));
        Ok(())
    })
}

/// New bytes for each text, or an error of the row.
pub fn try_decode(
    function: impl Fn(&str, &mut Vec<u8>) -> Result<(), Error> + Send + Sync + 'static,
) -> Bound {
    Bound::strict(Type::Binary, move |arguments, rows, output, _| {
        let text = arguments[0].text();
        rows.for_each(|row| {
            let bytes = output.bytes();
            let start = bytes.begin();
            match function(text.get(row), bytes.block()) {
                Ok(()) => bytes.finish(row, start),
                Err(error) => {
                    bytes.block().truncate(start);
                    output.fail(row, || error);
                }
            }
        });
        Ok(())
    })
}
