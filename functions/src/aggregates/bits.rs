//! bool_and, bool_or, bit_and, bit_or, bit_xor: folds of truth values and bits.

use crate::aggregate::{Accumulator, AggregateFunction, BoundAggregate};
use crate::column::{Output, Rows, View, WritableFixed};
use crate::error::{Error, Result};
use crate::signature::{Pattern, exact, parameter};
use crate::types::Type;

pub(super) fn functions() -> Vec<AggregateFunction> {
    vec![
        truth::<true>("bool_and", "True if every value is true.").example("bool_and(true)", "true"),
        truth::<false>("bool_or", "True if some value is true.").example("bool_or(true)", "true"),
        bits("bit_and", "Bits set in every value.", Fold::And)
            .ignores_duplicates()
            .example("bit_and(6)", "6"),
        bits("bit_or", "Bits set in some value.", Fold::Or).ignores_duplicates().example("bit_or(6)", "6"),
        bits("bit_xor", "Bits set in an odd number of values.", Fold::Xor).example("bit_xor(6)", "6"),
    ]
}

fn truth<const ALL: bool>(name: &str, summary: &str) -> AggregateFunction {
    AggregateFunction::new(name, "aggregate", summary)
        .overload([exact("value", Type::Boolean)], |_| {
            Ok(BoundAggregate::strict(Type::Boolean, vec![Type::Boolean], Truth::<ALL>::default))
        })
        .ignores_duplicates()
        .note("Nulls are skipped; a group without values gives null.")
}

#[derive(Debug, Clone, Copy)]
enum Fold {
    And,
    Or,
    Xor,
}

fn bits(name: &str, summary: &str, fold: Fold) -> AggregateFunction {
    AggregateFunction::new(name, "aggregate", summary)
        .overload([parameter("value", Pattern::Integer)], move |arguments| {
            let data_type = arguments.types[0].clone();
            Ok(match &data_type {
                Type::Int8 => folding::<i8>(data_type, fold),
                Type::Int16 => folding::<i16>(data_type, fold),
                Type::Int32 => folding::<i32>(data_type, fold),
                Type::Int64 => folding::<i64>(data_type, fold),
                Type::UInt8 => folding::<u8>(data_type, fold),
                Type::UInt16 => folding::<u16>(data_type, fold),
                Type::UInt32 => folding::<u32>(data_type, fold),
                Type::UInt64 => folding::<u64>(data_type, fold),
                Type::Decimal(_, 0) if data_type.is_narrow_decimal() => folding::<i64>(data_type, fold),
                Type::Decimal(_, 0) => folding::<i128>(data_type, fold),
                other => {
                    return Err(Error::argument(
                        arguments.function,
                        1,
                        format!("has type {other}; expected an integer"),
                    ));
                }
            })
        })
        .note("Nulls are skipped; a group without values gives null.")
}

fn folding<T: Bits>(data_type: Type, fold: Fold) -> BoundAggregate {
    BoundAggregate::strict(data_type.clone(), vec![data_type], move || Folded::<T> {
        values: Vec::new(),
        seen: Vec::new(),
        fold,
    })
}

trait Bits:
    WritableFixed
    + std::ops::BitAnd<Output = Self>
    + std::ops::BitOr<Output = Self>
    + std::ops::BitXor<Output = Self>
{
}

impl<T> Bits for T where
    T: WritableFixed
        + std::ops::BitAnd<Output = Self>
        + std::ops::BitOr<Output = Self>
        + std::ops::BitXor<Output = Self>
{
}

struct Folded<T> {
    values: Vec<T>,
    seen: Vec<bool>,
    fold: Fold,
}

impl<T: Bits> Folded<T> {
    #[inline(always)]
    fn offer(&mut self, group: usize, value: T) {
        let held = self.values[group];
        self.values[group] = match (self.seen[group], self.fold) {
            (false, _) => value,
            (true, Fold::And) => held & value,
            (true, Fold::Or) => held | value,
            (true, Fold::Xor) => held ^ value,
        };
        self.seen[group] = true;
    }
}

impl<T: Bits> Accumulator for Folded<T> {
    fn resize(&mut self, groups: usize) {
        self.values.resize(groups, T::default());
        self.seen.resize(groups, false);
    }

    fn clear(&mut self) -> bool {
        self.values.clear();
        self.seen.clear();
        true
    }

    fn update(&mut self, arguments: &[View<'_>], rows: Rows<'_>, groups: &[u32], _: u64) -> Result<()> {
        let values = arguments[0].fixed::<T>();
        rows.for_each(|row| self.offer(groups[row] as usize, values.get(row)));
        Ok(())
    }

    fn merge(&mut self, states: &[View<'_>], groups: &[u32]) -> Result<()> {
        let values = states[0].fixed::<T>();
        for (row, &group) in groups.iter().enumerate().filter(|(row, _)| states[0].is_valid(*row)) {
            self.offer(group as usize, values.get(row));
        }
        Ok(())
    }

    fn state(&mut self, groups: &[u32], output: &mut [Output]) -> Result<()> {
        self.finish(groups, &mut output[0])
    }

    fn finish(&mut self, groups: &[u32], output: &mut Output) -> Result<()> {
        for (row, &group) in groups.iter().enumerate() {
            if self.seen[group as usize] {
                output.fixed::<T>()[row] = self.values[group as usize];
            } else {
                output.set_null(row);
            }
        }
        Ok(())
    }

    fn memory_bytes(&self) -> usize {
        self.values.capacity() * (size_of::<T>() + 1)
    }
}

/// Truth of each group: 2 while no value was seen.
#[derive(Debug, Default)]
struct Truth<const ALL: bool> {
    values: Vec<u8>,
}

const UNSEEN: u8 = 2;

impl<const ALL: bool> Truth<ALL> {
    fn offer(&mut self, group: usize, value: bool) {
        let held = self.values[group];
        self.values[group] = match held {
            UNSEEN => u8::from(value),
            _ if ALL => held & u8::from(value),
            _ => held | u8::from(value),
        };
    }
}

impl<const ALL: bool> Accumulator for Truth<ALL> {
    fn resize(&mut self, groups: usize) {
        self.values.resize(groups, UNSEEN);
    }

    fn clear(&mut self) -> bool {
        self.values.clear();
        true
    }

    fn update(&mut self, arguments: &[View<'_>], rows: Rows<'_>, groups: &[u32], _: u64) -> Result<()> {
        let values = arguments[0].boolean();
        rows.for_each(|row| self.offer(groups[row] as usize, values.get(row)));
        Ok(())
    }

    fn merge(&mut self, states: &[View<'_>], groups: &[u32]) -> Result<()> {
        let values = states[0].boolean();
        for (row, &group) in groups.iter().enumerate().filter(|(row, _)| states[0].is_valid(*row)) {
            self.offer(group as usize, values.get(row));
        }
        Ok(())
    }

    fn state(&mut self, groups: &[u32], output: &mut [Output]) -> Result<()> {
        self.finish(groups, &mut output[0])
    }

    fn finish(&mut self, groups: &[u32], output: &mut Output) -> Result<()> {
        for (row, &group) in groups.iter().enumerate() {
            match self.values[group as usize] {
                UNSEEN => output.set_null(row),
                value => output.boolean().set(row, value == 1),
            }
        }
        Ok(())
    }

    fn memory_bytes(&self) -> usize {
        self.values.capacity()
    }
}
