//! Values of Arrow columns as SQL text: what `CAST(value AS VARCHAR)` gives, for people and for text files.

mod calendar;
mod number;

use std::fmt::Write;

use arrow::array::{
    Array, ArrayRef, AsArray, BinaryArray, BinaryViewArray, BooleanArray, Date32Array, Decimal128Array,
    FixedSizeBinaryArray, FixedSizeListArray, Float32Array, Float64Array, IntervalMonthDayNanoArray,
    LargeBinaryArray, LargeListArray, LargeStringArray, ListArray, MapArray, StringArray, StringViewArray,
    StructArray, Time64MicrosecondArray,
};
use arrow::compute::cast;
use arrow::datatypes::{
    DataType, DurationMicrosecondType, DurationMillisecondType, DurationNanosecondType, DurationSecondType,
    Float16Type, Int8Type, Int16Type, Int32Type, Int64Type, IntervalUnit, TimeUnit, TimestampMicrosecondType,
    TimestampMillisecondType, TimestampNanosecondType, TimestampSecondType, UInt8Type, UInt16Type,
    UInt32Type, UInt64Type,
};
use arrow::error::ArrowError;

/// Writes the values of one column as text; made once per column of a batch.
///
/// - Text is written as it is; inside lists, structs and maps it is quoted where it could be misread.
/// - Nulls inside nested values are `NULL`; a null of the column itself is the caller's to show.
pub struct ValueText {
    column: Column,
    nulls: Option<arrow::buffer::NullBuffer>,
    zoned: bool,
}

/// The column's values, reached without a look at the type for each row.
enum Column {
    Null,
    Boolean(BooleanArray),
    Signed(Vec<i64>),
    Unsigned(Vec<u64>),
    Float32(Float32Array),
    Float64(Float64Array),
    Decimal(Decimal128Array, usize),
    Text(StringArray),
    LargeText(LargeStringArray),
    TextView(StringViewArray),
    Bytes(BinaryArray),
    LargeBytes(LargeBinaryArray),
    BytesView(BinaryViewArray),
    FixedBytes(FixedSizeBinaryArray),
    Date(Date32Array),
    Time(Time64MicrosecondArray),
    Timestamp(Vec<i64>, i64),
    Interval(IntervalMonthDayNanoArray),
    List(ListArray, Box<ValueText>),
    LargeList(LargeListArray, Box<ValueText>),
    FixedList(FixedSizeListArray, Box<ValueText>),
    Struct(Vec<(String, ValueText)>),
    Map(MapArray, Box<ValueText>, Box<ValueText>),
    /// Types without a text form of their own, through Arrow's cast to text.
    Other(StringArray),
}

impl ValueText {
    /// Prepares the values of `array`.
    ///
    /// # Errors
    /// A type that has no text form.
    pub fn new(array: &ArrayRef) -> Result<Self, ArrowError> {
        if let DataType::Dictionary(_, value) = array.data_type() {
            return Self::new(&cast(array, value)?);
        }
        if let DataType::RunEndEncoded(_, value) = array.data_type() {
            return Self::new(&cast(array, value.data_type())?);
        }
        let zoned = matches!(array.data_type(), DataType::Timestamp(_, Some(_)));
        Ok(Self { column: Column::new(array)?, nulls: array.logical_nulls(), zoned })
    }

    /// Whether the value of this row is null.
    pub fn is_null(&self, row: usize) -> bool {
        matches!(self.column, Column::Null) || self.nulls.as_ref().is_some_and(|nulls| nulls.is_null(row))
    }

    /// Appends the text of this row's value; nothing if it is null.
    pub fn write(&self, row: usize, text: &mut String) {
        if !self.is_null(row) {
            self.write_value(row, text);
        }
    }

    /// The text of this row's value, or `None` for null.
    pub fn text(&self, row: usize) -> Option<String> {
        (!self.is_null(row)).then(|| {
            let mut text = String::new();
            self.write_value(row, &mut text);
            text
        })
    }

    fn write_value(&self, row: usize, text: &mut String) {
        match &self.column {
            Column::Null => {}
            Column::Boolean(values) => text.push_str(if values.value(row) { "true" } else { "false" }),
            Column::Signed(values) => number::write_integer(values[row], text),
            Column::Unsigned(values) => number::write_integer(values[row], text),
            Column::Float32(values) => number::write_f32(values.value(row), text),
            Column::Float64(values) => number::write_f64(values.value(row), text),
            Column::Decimal(values, scale) => number::write_decimal(values.value(row), *scale, text),
            Column::Text(values) => text.push_str(values.value(row)),
            Column::LargeText(values) => text.push_str(values.value(row)),
            Column::TextView(values) => text.push_str(values.value(row)),
            Column::Bytes(values) => write_bytes(values.value(row), text),
            Column::LargeBytes(values) => write_bytes(values.value(row), text),
            Column::BytesView(values) => write_bytes(values.value(row), text),
            Column::FixedBytes(values) => write_bytes(values.value(row), text),
            Column::Date(values) => calendar::write_date(values.value(row), text),
            Column::Time(values) => calendar::write_time(values.value(row) * 1_000, text),
            Column::Timestamp(values, per_second) => {
                calendar::write_timestamp(values[row], *per_second, self.zoned, text);
            }
            Column::Interval(values) => {
                let value = values.value(row);
                calendar::write_interval(value.months, value.days, value.nanoseconds, text);
            }
            Column::List(list, values) => values.write_elements(range(list.value_offsets(), row), text),
            Column::LargeList(list, values) => values.write_elements(range(list.value_offsets(), row), text),
            Column::FixedList(list, values) => {
                let start = list.value_offset_at(row) as usize;
                values.write_elements(start..start + list.value_length() as usize, text);
            }
            Column::Struct(fields) => write_struct(fields, row, text),
            Column::Map(map, keys, values) => {
                write_map(keys, values, range(map.value_offsets(), row), text);
            }
            Column::Other(values) => text.push_str(values.value(row)),
        }
    }

    fn write_elements(&self, rows: std::ops::Range<usize>, text: &mut String) {
        text.push('[');
        for (position, row) in rows.enumerate() {
            if position > 0 {
                text.push_str(", ");
            }
            self.write_nested(row, text);
        }
        text.push(']');
    }

    /// A value inside a list, struct or map: nested values as they are, everything else quoted if needed.
    fn write_nested(&self, row: usize, text: &mut String) {
        if self.is_null(row) {
            return text.push_str("NULL");
        }
        let start = text.len();
        self.write_value(row, text);
        if !self.is_nested() && needs_quotes(&text[start..]) {
            let value = text.split_off(start);
            write_quoted(&value, text);
        }
    }

    fn is_nested(&self) -> bool {
        use Column::{FixedList, LargeList, List, Map, Struct};
        matches!(self.column, List(..) | LargeList(..) | FixedList(..) | Struct(..) | Map(..))
    }
}

impl Column {
    fn new(array: &ArrayRef) -> Result<Self, ArrowError> {
        let nested = |values: &ArrayRef| ValueText::new(values).map(Box::new);
        Ok(match array.data_type() {
            DataType::Null => Self::Null,
            DataType::Boolean => Self::Boolean(array.as_boolean().clone()),
            DataType::Float32 => Self::Float32(array.as_primitive().clone()),
            DataType::Float64 => Self::Float64(array.as_primitive().clone()),
            DataType::Float16 => Self::Float32(
                array.as_primitive::<Float16Type>().unary::<_, arrow::datatypes::Float32Type>(f32::from),
            ),
            DataType::Decimal128(_, scale) if *scale >= 0 => {
                Self::Decimal(array.as_primitive().clone(), *scale as usize)
            }
            DataType::Decimal32(precision, scale) | DataType::Decimal64(precision, scale) => {
                return Self::new(&cast(array, &DataType::Decimal128(*precision, *scale))?);
            }
            DataType::Utf8 => Self::Text(array.as_string().clone()),
            DataType::LargeUtf8 => Self::LargeText(array.as_string().clone()),
            DataType::Utf8View => Self::TextView(array.as_string_view().clone()),
            DataType::Binary => Self::Bytes(array.as_binary().clone()),
            DataType::LargeBinary => Self::LargeBytes(array.as_binary().clone()),
            DataType::BinaryView => Self::BytesView(array.as_binary_view().clone()),
            DataType::FixedSizeBinary(_) => Self::FixedBytes(array.as_fixed_size_binary().clone()),
            DataType::Date32 => Self::Date(array.as_primitive().clone()),
            DataType::Date64 => Self::Date(cast(array, &DataType::Date32)?.as_primitive().clone()),
            DataType::Time32(_) | DataType::Time64(_) => {
                let micros = cast(array, &DataType::Time64(TimeUnit::Microsecond))?;
                Self::Time(micros.as_primitive().clone())
            }
            DataType::Interval(IntervalUnit::MonthDayNano) => Self::Interval(array.as_primitive().clone()),
            DataType::Interval(_) => {
                let full = cast(array, &DataType::Interval(IntervalUnit::MonthDayNano))?;
                Self::Interval(full.as_primitive().clone())
            }
            DataType::Duration(unit) => Self::Interval(duration_as_interval(array, *unit)),
            DataType::List(_) => {
                Self::List(array.as_list().clone(), nested(array.as_list::<i32>().values())?)
            }
            DataType::LargeList(_) => {
                Self::LargeList(array.as_list().clone(), nested(array.as_list::<i64>().values())?)
            }
            DataType::ListView(field) | DataType::LargeListView(field) => {
                return Self::new(&cast(array, &DataType::LargeList(field.clone()))?);
            }
            DataType::FixedSizeList(..) => {
                let list = array.as_fixed_size_list();
                Self::FixedList(list.clone(), nested(list.values())?)
            }
            DataType::Struct(_) => Self::Struct(struct_fields(array.as_struct())?),
            DataType::Map(..) => {
                let map = array.as_map();
                Self::Map(map.clone(), nested(map.keys())?, nested(map.values())?)
            }
            DataType::Timestamp(unit, _) => timestamps(array, *unit),
            data_type if data_type.is_integer() => integers(array),
            _ => Self::Other(cast(array, &DataType::Utf8)?.as_string().clone()),
        })
    }
}

fn integers(array: &ArrayRef) -> Column {
    macro_rules! widened {
        ($type:ty, $variant:path) => {
            $variant(array.as_primitive::<$type>().values().iter().map(|value| (*value).into()).collect())
        };
    }
    match array.data_type() {
        DataType::Int8 => widened!(Int8Type, Column::Signed),
        DataType::Int16 => widened!(Int16Type, Column::Signed),
        DataType::Int32 => widened!(Int32Type, Column::Signed),
        DataType::UInt8 => widened!(UInt8Type, Column::Unsigned),
        DataType::UInt16 => widened!(UInt16Type, Column::Unsigned),
        DataType::UInt32 => widened!(UInt32Type, Column::Unsigned),
        DataType::UInt64 => widened!(UInt64Type, Column::Unsigned),
        _ => widened!(Int64Type, Column::Signed),
    }
}

fn timestamps(array: &ArrayRef, unit: TimeUnit) -> Column {
    let (values, per_second) = match unit {
        TimeUnit::Second => (array.as_primitive::<TimestampSecondType>().values(), 1),
        TimeUnit::Millisecond => (array.as_primitive::<TimestampMillisecondType>().values(), 1_000),
        TimeUnit::Microsecond => (array.as_primitive::<TimestampMicrosecondType>().values(), 1_000_000),
        TimeUnit::Nanosecond => (array.as_primitive::<TimestampNanosecondType>().values(), 1_000_000_000),
    };
    Column::Timestamp(values.to_vec(), per_second)
}

fn duration_as_interval(array: &ArrayRef, unit: TimeUnit) -> IntervalMonthDayNanoArray {
    let interval = |ticks: i64, nanoseconds: i64| {
        arrow::datatypes::IntervalMonthDayNano::new(0, 0, ticks.saturating_mul(nanoseconds))
    };
    match unit {
        TimeUnit::Second => {
            array.as_primitive::<DurationSecondType>().unary(|ticks| interval(ticks, 1_000_000_000))
        }
        TimeUnit::Millisecond => {
            array.as_primitive::<DurationMillisecondType>().unary(|ticks| interval(ticks, 1_000_000))
        }
        TimeUnit::Microsecond => {
            array.as_primitive::<DurationMicrosecondType>().unary(|ticks| interval(ticks, 1_000))
        }
        TimeUnit::Nanosecond => {
            array.as_primitive::<DurationNanosecondType>().unary(|ticks| interval(ticks, 1))
        }
    }
}

fn struct_fields(array: &StructArray) -> Result<Vec<(String, ValueText)>, ArrowError> {
    let columns = array.columns().iter().map(ValueText::new);
    array
        .column_names()
        .into_iter()
        .zip(columns)
        .map(|(name, column)| Ok((name.to_owned(), column?)))
        .collect()
}

fn range<O: Copy + TryInto<usize>>(offsets: &[O], row: usize) -> std::ops::Range<usize> {
    // Offsets of a valid list are never negative.
    let at = |index: usize| offsets[index].try_into().unwrap_or(0);
    at(row)..at(row + 1)
}

fn write_struct(fields: &[(String, ValueText)], row: usize, text: &mut String) {
    text.push('{');
    for (position, (name, values)) in fields.iter().enumerate() {
        if position > 0 {
            text.push_str(", ");
        }
        write_quoted(name, text);
        text.push_str(": ");
        values.write_nested(row, text);
    }
    text.push('}');
}

fn write_map(keys: &ValueText, values: &ValueText, rows: std::ops::Range<usize>, text: &mut String) {
    text.push('{');
    for (position, row) in rows.enumerate() {
        if position > 0 {
            text.push_str(", ");
        }
        keys.write_nested(row, text);
        text.push('=');
        values.write_nested(row, text);
    }
    text.push('}');
}

/// Printable ASCII as it is, everything else as `\xHH`.
fn write_bytes(bytes: &[u8], text: &mut String) {
    for byte in bytes {
        match byte {
            b'\\' | b'\'' | b'"' | 0..=31 | 127..=255 => {
                // Writing to a String cannot fail.
                let _ = write!(text, "\\x{byte:02X}");
            }
            printable => text.push(char::from(*printable)),
        }
    }
}

/// Whether text inside a nested value could be read as something else.
fn needs_quotes(value: &str) -> bool {
    let blank = |character: Option<char>| character.is_some_and(|character| character.is_ascii_whitespace());
    value.is_empty()
        || value.eq_ignore_ascii_case("null")
        || blank(value.chars().next())
        || blank(value.chars().next_back())
        || value.contains(['"', '\'', '(', ')', ',', ':', '=', '[', '\\', ']', '{', '}'])
}

fn write_quoted(value: &str, text: &mut String) {
    text.push('\'');
    for character in value.chars() {
        if matches!(character, '\'' | '\\') {
            text.push('\\');
        }
        text.push(character);
    }
    text.push('\'');
}

#[cfg(test)]
mod tests;
