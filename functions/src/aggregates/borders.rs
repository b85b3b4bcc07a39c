//! The form of `histogram` with borders: how many values lie up to each border.

use crate::aggregate::{Accumulator, AggregateFunction, BoundAggregate};
use crate::column::{Output, Rows, View, borrow, compare, literal_array};
use crate::error::{Error, Result};
use crate::scalar::Arguments;
use crate::signature::{list_of_variable, variable};
use crate::types::Type;
use crate::value::{DecimalDigits, Literal, Value};

/// Adds the form with borders.
pub(super) fn with_borders(function: AggregateFunction) -> AggregateFunction {
    function
        .overload([variable("value"), list_of_variable("borders")], bind)
        .note("With borders, a constant list: how many values are at most each border and above the one before, every border shown. Values above the last border, and NaN, stand at the greatest value of the type, where there are any.")
}

fn bind(arguments: &Arguments<'_>) -> Result<BoundAggregate> {
    let data_type = arguments.types[0].clone();
    let refused = |problem: &str| Error::argument(arguments.function, 2, problem);
    let Some(borders) = arguments.constant(1)?.as_list() else {
        return Err(refused("is NULL; expected a list of borders"));
    };
    if borders.iter().any(Value::is_null) {
        return Err(refused("holds a null border; expected values"));
    }
    let beyond = greatest(&data_type).ok_or_else(|| {
        let problem = format!("has type {data_type}; borders need numbers, dates, timestamps or text");
        Error::argument(arguments.function, 1, problem)
    })?;
    let borders = {
        let literal = Literal {
            data_type: Type::list(data_type.clone()),
            value: Value::List(data_type.clone(), borders.to_vec()),
        };
        sorted(&literal, &data_type)?
    };
    let result = Type::map(data_type.clone(), Type::UInt64);
    Ok(BoundAggregate::strict(result, vec![Type::list(Type::Int64)], move || Counts {
        borders: borders.clone(),
        data_type: data_type.clone(),
        beyond: beyond.clone(),
        counts: Vec::new(),
        seen: Vec::new(),
    }))
}

/// The border beyond all borders.
fn greatest(data_type: &Type) -> Option<Value> {
    Some(match data_type {
        Type::Int8 => Value::Int8(i8::MAX),
        Type::Int16 => Value::Int16(i16::MAX),
        Type::Int32 => Value::Int32(i32::MAX),
        Type::Int64 => Value::Int64(i64::MAX),
        Type::UInt8 => Value::UInt8(u8::MAX),
        Type::UInt16 => Value::UInt16(u16::MAX),
        Type::UInt32 => Value::UInt32(u32::MAX),
        Type::UInt64 => Value::UInt64(u64::MAX),
        Type::Float32 => Value::float32(f32::INFINITY),
        Type::Float64 => Value::float64(f64::INFINITY),
        Type::Decimal(precision, scale) => {
            Value::Decimal(DecimalDigits(10i128.pow(u32::from(*precision)) - 1), *precision, *scale)
        }
        Type::Date => Value::Date(i32::MAX),
        Type::Timestamp(unit) => Value::Timestamp(i64::MAX, *unit),
        Type::TimestampTz => Value::TimestampTz(i64::MAX),
        Type::Text => Value::text(""),
        _ => return None,
    })
}

/// The distinct borders, the least first.
fn sorted(list: &Literal, data_type: &Type) -> Result<Vec<Value>> {
    let array = literal_array(list)?;
    let bump = bumpalo::Bump::new();
    let view = borrow(&array, &list.data_type, &bump);
    let child = view.list().child();
    let mut places: Vec<usize> = view.list().range(0).collect();
    places.sort_by(|&a, &b| compare(child, a, child, b));
    places.dedup_by(|a, b| compare(child, *a, child, *b).is_eq());
    debug_assert_eq!(child.data_type, data_type);
    Ok(places.into_iter().map(|place| crate::column::value_at(child, place)).collect())
}

struct Counts {
    borders: Vec<Value>,
    data_type: Type,
    beyond: Value,
    /// A count for each border and one beyond, group by group.
    counts: Vec<i64>,
    seen: Vec<bool>,
}

impl Counts {
    fn width(&self) -> usize {
        self.borders.len() + 1
    }

    /// The borders as a column.
    fn column(&self) -> Result<Output> {
        let mut output = Output::new(self.data_type.clone());
        output.prepare(self.width());
        let borders = self.borders.iter().chain([&self.beyond]);
        borders.enumerate().try_for_each(|(row, border)| output.set_value(row, border))?;
        Ok(output)
    }
}

impl Accumulator for Counts {
    fn resize(&mut self, groups: usize) {
        self.counts.resize(groups * self.width(), 0);
        self.seen.resize(groups, false);
    }

    fn update(&mut self, arguments: &[View<'_>], rows: Rows<'_>, groups: &[u32], _: u64) -> Result<()> {
        let (bump, column, width) = (bumpalo::Bump::new(), self.column()?, self.width());
        let (borders, values) = (column.view(&bump), &arguments[0]);
        let is_nan = |row: usize| match values.data {
            crate::column::Data::Float64(numbers) => numbers[values.value_index(row)].is_nan(),
            crate::column::Data::Float32(numbers) => numbers[values.value_index(row)].is_nan(),
            _ => false,
        };
        rows.for_each(|row| {
            let (mut low, mut high) = (0, width - 1);
            while low < high {
                let middle = (low + high) / 2;
                match compare(&borders, middle, values, row).is_lt() {
                    true => low = middle + 1,
                    false => high = middle,
                }
            }
            let place = if is_nan(row) { width - 1 } else { low };
            self.counts[groups[row] as usize * width + place] += 1;
            self.seen[groups[row] as usize] = true;
        });
        Ok(())
    }

    fn merge(&mut self, states: &[View<'_>], groups: &[u32]) -> Result<()> {
        let (list, width) = (states[0].list(), self.width());
        let counts = list.child().fixed::<i64>();
        for (row, &group) in groups.iter().enumerate().filter(|(row, _)| states[0].is_valid(*row)) {
            let own = &mut self.counts[group as usize * width..];
            own.iter_mut().zip(list.range(row)).for_each(|(count, at)| *count += counts.get(at));
            self.seen[group as usize] = true;
        }
        Ok(())
    }

    fn state(&mut self, groups: &[u32], output: &mut [Output]) -> Result<()> {
        let width = self.width();
        for (row, &group) in groups.iter().enumerate() {
            if !self.seen[group as usize] {
                output[0].set_null(row);
                continue;
            }
            let mut writer = output[0].list();
            let start = writer.child().grow(width);
            let own = &self.counts[group as usize * width..(group as usize + 1) * width];
            writer.child().fixed::<i64>()[start..].copy_from_slice(own);
            writer.finish(row, start);
        }
        Ok(())
    }

    fn finish(&mut self, groups: &[u32], output: &mut Output) -> Result<()> {
        let (bump, column, width) = (bumpalo::Bump::new(), self.column()?, self.width());
        let borders = column.view(&bump);
        for (row, &group) in groups.iter().enumerate() {
            if !self.seen[group as usize] {
                output.set_null(row);
                continue;
            }
            let own = &self.counts[group as usize * width..(group as usize + 1) * width];
            let shown = if own[width - 1] > 0 { width } else { width - 1 };
            let mut writer = output.list();
            let start = writer.child().grow(shown);
            for (place, &count) in own[..shown].iter().enumerate() {
                writer.child().field(0).copy(start + place, &borders, place);
                writer.child().field(1).fixed::<u64>()[start + place] = count as u64;
            }
            writer.finish(row, start);
        }
        Ok(())
    }

    fn memory_bytes(&self) -> usize {
        self.counts.capacity() * 8 + self.seen.capacity()
    }
}
