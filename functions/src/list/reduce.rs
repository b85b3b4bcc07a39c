//! Reduction of lists: all rows take their next element in one call of the lambda.

use bumpalo::Bump;

use super::elements::{chosen, integers, raise};
use super::extract::element_of;
use crate::column::{Data, Output, Rows, View};
use crate::error::{Error, Result};
use crate::scalar::{Arguments, Bound, Lambda, Nulls};
use crate::scratch::Scratch;
use crate::types::Type;

/// Types of accumulator, element and position.
pub fn parameter_types(types: &[Type], _: usize, count: usize) -> Result<Vec<Type>> {
    let mut parameters = vec![accumulator_type(types), element_of(types, 0), Type::Int64];
    parameters.truncate(count);
    Ok(parameters)
}

/// The type of the initial value or of the elements, wide enough to be added up: a lambda's result is
/// not cast, so the sum of two accumulators must be of their type.
fn accumulator_type(types: &[Type]) -> Type {
    let start = types.get(2).cloned().unwrap_or_else(|| element_of(types, 0));
    match start {
        narrow if narrow.is_integer() && narrow != Type::UInt64 => Type::Int64,
        Type::Decimal(_, scale) => Type::Decimal(38, scale),
        other => other,
    }
}

/// Binds both forms; the lambda is argument 2.
pub fn bind(arguments: &Arguments<'_>) -> Result<Bound> {
    let wanted = accumulator_type(arguments.types);
    let given = &arguments.types[1];
    let fits = match (&wanted, given) {
        (_, Type::Null) => true,
        (Type::Int64, narrow) => narrow.is_integer() && *narrow != Type::UInt64,
        (Type::Decimal(_, scale), Type::Decimal(_, given)) => scale == given,
        (wanted, given) => wanted == given,
    };
    if !fits {
        let problem = format!(
            "gives {given}; expected {wanted}, the type of the accumulator; cast the result or the initial value"
        );
        return Err(Error::argument("list_reduce", 2, problem));
    }
    let result_type = given.clone();
    Ok(Bound::higher_order(
        wanted,
        Nulls::Aware,
        move |arguments: &[View<'_>],
              lambdas: &mut [&mut dyn Lambda],
              rows: Rows<'_>,
              output: &mut Output,
              scratch: &mut Scratch| {
            let Some(body) = lambdas.first_mut() else {
                return Err(Error::internal("list_reduce was called without its lambda"));
            };
            let mut reduction = Reduction::start(arguments, rows, output);
            let mut results = Output::new(result_type.clone());
            while reduction.step(*body, &mut results, output, &scratch.arena)? {}
            reduction.finish(output, &scratch.arena);
            Ok(())
        },
    ))
}

/// Rows that still have elements, and the accumulators of all rows.
struct Reduction<'a> {
    lists: &'a View<'a>,
    /// Accumulators; the place of one is called its slot.
    accumulators: Output,
    /// Row of each slot.
    rows: Vec<u32>,
    /// Slots whose lists have more elements.
    active: Vec<u32>,
    /// Place in the list of the element that is taken next.
    next: usize,
}

impl<'a> Reduction<'a> {
    fn start(arguments: &'a [View<'a>], rows: Rows<'_>, output: &mut Output) -> Self {
        let lists = &arguments[0];
        let initial = arguments.get(1);
        let list = lists.list();
        let mut kept = Vec::with_capacity(rows.count());
        rows.for_each(|row| {
            if lists.is_null(row) {
                output.set_null(row);
            } else if initial.is_none() && list.length(row) == 0 {
                output.fail(row, || {
                    Error::argument("list_reduce", 1, "is empty; an empty list needs an initial value")
                });
            } else {
                kept.push(row as u32);
            }
        });
        let mut accumulators = Output::new(output.data_type().clone());
        accumulators.prepare(kept.len());
        for (slot, &row) in kept.iter().enumerate() {
            match initial {
                Some(initial) => copy_widened(&mut accumulators, slot, initial, row as usize),
                None => copy_widened(&mut accumulators, slot, list.child(), list.range(row as usize).start),
            }
        }
        let active = (0..kept.len() as u32).collect();
        Self { lists, accumulators, rows: kept, active, next: usize::from(initial.is_none()) }
    }

    /// Takes one element of each list that has one; false if none has.
    fn step(
        &mut self,
        body: &mut dyn Lambda,
        results: &mut Output,
        output: &mut Output,
        bump: &Bump,
    ) -> Result<bool> {
        let list = self.lists.list();
        let (rows, next) = (&self.rows, self.next);
        self.active.retain(|&slot| {
            let row = rows[slot as usize] as usize;
            list.length(row) > next && !output.has_failed(row)
        });
        if self.active.is_empty() {
            return Ok(false);
        }
        let outer_rows: Vec<u32> = self.active.iter().map(|&slot| rows[slot as usize]).collect();
        let places: Vec<u32> =
            outer_rows.iter().map(|&row| (list.range(row as usize).start + next) as u32).collect();
        let positions = vec![next as i64 + 1; places.len()];
        let accumulators = self.accumulators.view(bump);
        let parameters =
            [chosen(&accumulators, &self.active), chosen(list.child(), &places), integers(&positions)];
        body.call(&parameters, &outer_rows, results)?;
        raise(results.errors(), &outer_rows, output);
        let results = results.view(bump);
        for (element, &slot) in self.active.iter().enumerate() {
            let slot = slot as usize;
            self.accumulators.set_valid(slot);
            copy_widened(&mut self.accumulators, slot, &results, element);
        }
        self.next += 1;
        Ok(true)
    }

    fn finish(&self, output: &mut Output, bump: &Bump) {
        let accumulators = self.accumulators.view(bump);
        for (slot, &row) in self.rows.iter().enumerate() {
            if !output.has_failed(row as usize) {
                output.copy(row as usize, &accumulators, slot);
            }
        }
    }
}

/// Copies a value; a narrower integer becomes a BIGINT.
fn copy_widened(output: &mut Output, row: usize, source: &View<'_>, source_row: usize) {
    if *output.data_type() != Type::Int64 || source.is_null(source_row) {
        output.copy(row, source, source_row);
        return;
    }
    let index = source.value_index(source_row);
    let widened = match source.data {
        Data::Int8(values) => i64::from(values[index]),
        Data::Int16(values) => i64::from(values[index]),
        Data::Int32(values) => i64::from(values[index]),
        Data::UInt8(values) => i64::from(values[index]),
        Data::UInt16(values) => i64::from(values[index]),
        Data::UInt32(values) => i64::from(values[index]),
        _ => return output.copy(row, source, source_row),
    };
    output.fixed::<i64>()[row] = widened;
}
