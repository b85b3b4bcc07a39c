//! Functions of a list and a lambda: transform, filter and reduce.

use bumpalo::Bump;

use super::elements::{Elements, raise};
use super::extract::{any_list, element_of};
use super::reduce;
use super::whole::set_lengths;
use crate::Registry;
use crate::cast::bind_cast;
use crate::cast::invoke::invoke;
use crate::column::{Bits, Output, Rows, View};
use crate::error::{Error, Result};
use crate::scalar::{Arguments, Bound, Lambda, Nulls, ScalarFunction};
use crate::scratch::Scratch;
use crate::signature::{any, lambda};
use crate::types::Type;

/// Adds the family.
pub fn register(registry: &mut Registry) {
    registry.register_scalar(
        ScalarFunction::new("list_transform", "list", "A list of what a lambda makes of each element.")
            .alias("array_transform")
            .alias("list_apply")
            .alias("array_apply")
            .alias("apply")
            .higher_order([any_list("list"), lambda("lambda", 1..=2)], element_and_position, |arguments| {
                let result = Type::list(arguments.types[1].clone());
                Ok(Bound::higher_order(result, Nulls::Strict, transform))
            })
            .note("A second parameter of the lambda is the position, from 1. Null elements reach the lambda; an element that fails makes the row fail.")
            .example("list_transform([1, 2], lambda x: x + 1)", "[2, 3]"),
    );
    registry.register_scalar(
        ScalarFunction::new("list_filter", "list", "The elements of a list for which a lambda is true.")
            .alias("array_filter")
            .alias("filter")
            .higher_order([any_list("list"), lambda("lambda", 1..=2)], element_and_position, |arguments| {
                let test = Test::bind(arguments)?;
                let result = Type::list(element_of(arguments.types, 0));
                Ok(Bound::higher_order(
                    result,
                    Nulls::Strict,
                    move |arguments: &[View<'_>],
                          lambdas: &mut [&mut dyn Lambda],
                          rows: Rows<'_>,
                          output: &mut Output,
                          scratch: &mut Scratch| {
                        test.filter(arguments, lambdas, rows, output, scratch)
                    },
                ))
            })
            .note("Elements for which the lambda gives null are left out.")
            .example("list_filter([1, 2, 3], lambda x: x > 1)", "[2, 3]"),
    );
    registry.register_scalar(
        ScalarFunction::new("list_reduce", "list", "One value made of all elements, from the left, by a lambda of accumulator and element.")
            .alias("array_reduce")
            .alias("reduce")
            .higher_order([any_list("list"), lambda("lambda", 2..=3)], reduce::parameter_types, reduce::bind)
            .higher_order([any_list("list"), lambda("lambda", 2..=3), any("initial")], reduce::parameter_types, reduce::bind)
            .note("The accumulator starts as the first element, or as an initial value of any type; the lambda must give its type. Integer accumulators are BIGINT, decimal ones have 38 digits.")
            .note("A third parameter is the position of the element, from 1. An empty list without an initial value is an error of the row.")
            .example("list_reduce([1, 2, 3], lambda x, y: x + y)", "6"),
    );
}

fn element_and_position(types: &[Type], _: usize, count: usize) -> Result<Vec<Type>> {
    let mut parameters = vec![element_of(types, 0)];
    if count == 2 {
        parameters.push(Type::Int64);
    }
    Ok(parameters)
}

/// Calls the body once per element; positions are made only where the body reads them.
fn call_body(lambdas: &mut [&mut dyn Lambda], elements: &Elements<'_>, results: &mut Output) -> Result<()> {
    let Some(body) = lambdas.first_mut() else {
        return Err(Error::internal("a higher-order function was called without its lambda"));
    };
    if body.parameter_count() > 1 {
        body.call(&[elements.values, elements.positions()], elements, results)
    } else {
        body.call(&[elements.values], elements, results)
    }
}

fn transform(
    arguments: &[View<'_>],
    lambdas: &mut [&mut dyn Lambda],
    rows: Rows<'_>,
    output: &mut Output,
    scratch: &mut Scratch,
) -> Result<()> {
    let elements = Elements::of(&arguments[0], rows, &scratch.arena);
    let mut list = output.list();
    let start = list.start();
    let errors = if start == 0 {
        // Nothing is there yet, so the body writes its results where they stay.
        let child = list.child();
        call_body(lambdas, &elements, child)?;
        let errors = child.errors().to_vec();
        child.clear_errors();
        errors
    } else {
        let mut results = Output::new(list.child().data_type().clone());
        call_body(lambdas, &elements, &mut results)?;
        list.child().push_range(&results.view(&scratch.arena), 0..elements.len());
        results.errors().to_vec()
    };
    let lists = arguments[0].list();
    match (rows, lists.offsets()) {
        (Rows::All(_), Some(offsets)) => list.set_lengths_of(start, offsets),
        _ => set_lengths(&mut list, rows, start, rows.iter().map(|row| lists.length(row))),
    }
    raise(&errors, &elements, output);
    Ok(())
}

/// What the lambda of a filter gives, and how it becomes a truth value.
struct Test {
    result: Type,
    cast: Option<Bound>,
}

impl Test {
    fn bind(arguments: &Arguments<'_>) -> Result<Self> {
        let result = arguments.types[1].clone();
        let cast = match result {
            Type::Boolean => None,
            _ => Some(bind_cast(&result, &Type::Boolean, false, arguments.settings).map_err(|_| {
                Error::argument(arguments.function, 2, format!("gives {result}; expected a truth value"))
            })?),
        };
        Ok(Self { result, cast })
    }

    fn filter(
        &self,
        arguments: &[View<'_>],
        lambdas: &mut [&mut dyn Lambda],
        rows: Rows<'_>,
        output: &mut Output,
        scratch: &mut Scratch,
    ) -> Result<()> {
        let bump = &scratch.arena;
        let elements = Elements::of(&arguments[0], rows, bump);
        let mut results = Output::new(self.result.clone());
        call_body(lambdas, &elements, &mut results)?;
        let mut truths = Output::new(Type::Boolean);
        if let Some(cast) = &self.cast {
            truths.prepare(elements.len());
            let all = Rows::All(elements.len());
            invoke(cast, &[results.view(bump)], all, &mut truths, &mut Scratch::new())?;
        } else {
            std::mem::swap(&mut results, &mut truths);
        }
        let keep = true_words(&truths.view(bump), elements.len(), bump);
        let mut rank = 0;
        let ranks = bump.alloc_slice_fill_iter(keep.iter().map(|word| {
            rank += word.count_ones();
            rank - word.count_ones()
        }));
        // Number of elements that are kept of those before one.
        let kept_before = |element: usize| match keep.get(element / 64) {
            Some(word) => (ranks[element / 64] + (word & ((1 << (element % 64)) - 1)).count_ones()) as usize,
            None => {
                ranks.last().zip(keep.last()).map_or(0, |(rank, word)| (rank + word.count_ones()) as usize)
            }
        };
        let lists = arguments[0].list();
        let mut list = output.list();
        let start = list.start();
        list.child().push_kept(&elements.values, &Bits::of_words(keep, elements.len()));
        let (mut element, mut first) = (0, 0);
        rows.for_each(|row| {
            element += lists.length(row);
            let next = kept_before(element);
            list.set(row, start + first, next - first);
            first = next;
        });
        raise(results.errors(), &elements, output);
        raise(truths.errors(), &elements, output);
        Ok(())
    }
}

/// A bit for each row, set where the truth value of a flat column is true.
fn true_words<'b>(truths: &View<'_>, rows: usize, bump: &'b Bump) -> &'b [u64] {
    let bits = truths.boolean().bits;
    let word = |index| bits.word(index) & truths.validity.map_or(u64::MAX, |validity| validity.word(index));
    bump.alloc_slice_fill_iter((0..rows.div_ceil(64)).map(word))
}
