//! Numbers shown to people: sizes in bytes and bars.

use std::fmt::Write;

use crate::Registry;
use crate::column::TextBuilder;
use crate::scalar::{Bound, ScalarFunction};
use crate::signature::exact;
use crate::types::Type;
use crate::value::{Literal, Value};

const BINARY_UNITS: [&str; 6] = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
const DECIMAL_UNITS: [&str; 6] = ["kB", "MB", "GB", "TB", "PB", "EB"];

/// Adds the family.
pub fn register(registry: &mut Registry) {
    registry.register_scalar(
        ScalarFunction::new("format_bytes", "text", "A number of bytes in units of 1024.")
            .alias("formatreadablesize")
            .overload([exact("bytes", Type::Int64)], |_| Ok(sizes(1024, BINARY_UNITS)))
            .example("format_bytes(16384)", "16.0 KiB"),
    );
    registry.register_scalar(
        ScalarFunction::new("formatreadabledecimalsize", "text", "A number of bytes in units of 1000.")
            .overload([exact("bytes", Type::Int64)], |_| Ok(sizes(1000, DECIMAL_UNITS)))
            .example("formatReadableDecimalSize(16000)", "16.0 kB"),
    );
    let number = |name: &'static str| exact(name, Type::Float64);
    let width = number("width").or(Literal::new(Value::float64(80.0)));
    registry.register_scalar(
        ScalarFunction::new(
            "bar",
            "text",
            "A bar whose length shows where a number lies between two others.",
        )
        .overload([number("x"), number("least"), number("most"), width], |_| Ok(bars()))
        .note(
            "The bar is as wide as the given number of characters, 80 by default, in eighths of a character.",
        )
        .example("replace(bar(5, 0, 20, 8), ' ', '.')", "██......"),
    );
}

fn sizes(base: u64, units: [&'static str; 6]) -> Bound {
    Bound::strict(Type::Text, move |arguments, rows, output, _| {
        let bytes = arguments[0].fixed::<i64>();
        let mut writer = output.text();
        rows.for_each(|row| writer.build(row, |builder| write_size(bytes.get(row), base, units, builder)));
        Ok(())
    })
}

/// One digit after the point, which is cut and not rounded.
fn write_size(bytes: i64, base: u64, units: [&'static str; 6], builder: &mut TextBuilder<'_>) {
    let magnitude = bytes.unsigned_abs();
    let sign = if bytes < 0 { "-" } else { "" };
    let (mut unit, mut exponent) = (1u64, 0);
    while magnitude / unit >= base && exponent < units.len() {
        unit = unit.saturating_mul(base);
        exponent += 1;
    }
    // Writing into a builder does not fail.
    let _ = match exponent {
        0 => write!(builder, "{sign}{magnitude} {}", if magnitude == 1 { "byte" } else { "bytes" }),
        _ => {
            let tenths = u128::from(magnitude) * 10 / u128::from(unit);
            write!(builder, "{sign}{}.{} {}", tenths / 10, tenths % 10, units[exponent - 1])
        }
    };
}

fn bars() -> Bound {
    /// Widest bar.
    const WIDTH_MAX: f64 = 1000.0;
    const PARTS: [char; 7] = ['▏', '▎', '▍', '▌', '▋', '▊', '▉'];
    Bound::strict(Type::Text, |arguments, rows, output, _| {
        let number = |position: usize, row: usize| arguments[position].fixed::<f64>().get(row);
        let mut writer = output.text();
        rows.for_each(|row| {
            let (least, most) = (number(1, row), number(2, row));
            let width = number(3, row).clamp(0.0, WIDTH_MAX) as usize;
            let share = ((number(0, row) - least) / (most - least)).clamp(0.0, 1.0);
            let share = if most > least && !share.is_nan() { share } else { 0.0 };
            let eighths = (share * width as f64 * 8.0) as usize;
            writer.build(row, |builder| {
                (0..eighths / 8).for_each(|_| builder.push('█'));
                let part = eighths % 8;
                if part > 0 {
                    builder.push(PARTS[part - 1]);
                }
                (eighths.div_ceil(8)..width).for_each(|_| builder.push(' '));
            });
        });
        Ok(())
    })
}
