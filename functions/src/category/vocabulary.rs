//! `vocab_lookup`: the index of a value in a vocabulary, in the layouts of the systems that came before.

use std::sync::Arc;

use super::CATEGORY;
use super::index::Categories;
use crate::column::View;
use crate::error::{Error, Result};
use crate::feature::elements::with_element;
use crate::kernel::divisor::Divisor;
use crate::kernel::hash::xxhash64::{xxhash64, xxhash64_u64};
use crate::scalar::{Arguments, Bound, ScalarFunction};
use crate::signature::{Parameter, Pattern, exact, parameter};
use crate::types::Type;
use crate::value::{Literal, Value};

/// Where indexes of known, unknown and null values lie.
#[derive(Debug, Clone, Copy)]
struct Layout {
    /// Index of the first entry of the vocabulary.
    first: i64,
    /// Index of the first bucket of unknown values, if there are any.
    first_bucket: i64,
    /// Index of an unknown value without buckets.
    unknown: i64,
    /// Index of null; `None` gives null.
    null: Option<i64>,
}

impl Layout {
    fn of(arguments: &Arguments<'_>, entries: i64, buckets: i64) -> Result<Self> {
        let default = match arguments.constant(3)? {
            Value::Null => None,
            value => value.as_i64(),
        };
        let unknown = |otherwise| default.unwrap_or(otherwise);
        match arguments.constant_text(4)? {
            "tft" => Ok(Self { first: 0, first_bucket: entries, unknown: unknown(-1), null: None }),
            "sklearn" | "bigquery" => {
                let unknown = unknown(0);
                Ok(Self { first: 1, first_bucket: entries + 1, unknown, null: Some(0) })
            }
            "nvtabular" => {
                let known_buckets = buckets.max(1);
                Ok(Self { first: 2 + known_buckets, first_bucket: 2, unknown: unknown(2), null: Some(1) })
            }
            other => {
                let problem = format!("is \"{other}\"; expected 'tft', 'bigquery', 'sklearn' or 'nvtabular'");
                Err(Error::argument(arguments.function, 5, problem))
            }
        }
    }
}

/// A vocabulary with all that a lookup needs.
struct Vocabulary {
    entries: Categories,
    layout: Layout,
    buckets: Option<Divisor>,
}

pub(super) fn function() -> ScalarFunction {
    let list = |element| parameter("value", Pattern::AnyList(Box::new(Pattern::Exact(element))));
    let function = ScalarFunction::new("vocab_lookup", CATEGORY, "The index of a value, or of each element of a list, in a vocabulary.")
        .note("layout => 'tft' (the default): entries from 0, unknown values in `oov_buckets` buckets behind them, or `unknown` (-1) without buckets; null gives null.")
        .note("layout => 'bigquery' or 'sklearn': entries from 1, buckets behind them; null and, without buckets, unknown values give 0.")
        .note("layout => 'nvtabular': 0 is padding, 1 null, then the buckets (at least one), then the entries.")
        .note("The bucket is the remainder of XXH64 of the text, or of the eight bytes of an integer. The vocabulary must be constant, without nulls or repetitions.")
        .example("vocab_lookup('b', ['a', 'b'])", "1")
        .example("vocab_lookup('z', ['a', 'b'])", "-1")
        .example("vocab_lookup(['b', 'z'], ['a', 'b'], layout => 'nvtabular')", "[4, 2]");
    [exact("value", Type::Text), list(Type::Text)]
        .into_iter()
        .fold(function, |function, value| function.overload(parameters(value, Type::Text), bind_text))
        .overload(parameters(exact("value", Type::Int64), Type::Int64), bind_integer)
        .overload(parameters(list(Type::Int64), Type::Int64), bind_integer)
}

fn parameters(value: Parameter, element: Type) -> [Parameter; 5] {
    [
        value,
        exact("vocabulary", Type::list(element)),
        exact("oov_buckets", Type::Int64).or(Literal::new(Value::Int64(0))),
        exact("unknown", Type::Int64).or(Literal::null(Type::Int64)),
        exact("layout", Type::Text).or(Literal::new(Value::from("tft"))),
    ]
}

fn prepared(arguments: &Arguments<'_>) -> Result<Arc<Vocabulary>> {
    let buckets = match arguments.constant(2)?.as_i64() {
        Some(buckets) if buckets >= 0 => buckets,
        _ => {
            let problem = "is not a number of buckets; expected a constant of at least 0";
            return Err(Error::argument(arguments.function, 3, problem));
        }
    };
    let entries = Categories::of(arguments, 1, "values")?;
    let layout = Layout::of(arguments, entries.len() as i64, buckets)?;
    Ok(Arc::new(Vocabulary { entries, layout, buckets: Divisor::new(buckets) }))
}

impl Vocabulary {
    /// The index of a value that is not null, found or not.
    fn index(&self, found: Option<usize>, hash: u64) -> i64 {
        match (found, &self.buckets) {
            (Some(place), _) => self.layout.first + place as i64,
            (None, Some(buckets)) => self.layout.first_bucket + buckets.remainder(hash) as i64,
            (None, None) => self.layout.unknown,
        }
    }
}

fn bind_text(arguments: &Arguments<'_>) -> Result<Bound> {
    let vocabulary = prepared(arguments)?;
    Ok(lookup(&arguments.types[0], Arc::clone(&vocabulary), move |view, at| {
        let bytes = view.bytes().get(at);
        let hash = xxhash64(bytes, 0);
        vocabulary.index(vocabulary.entries.place_of_bytes(bytes, hash), hash)
    })
    .holding(&[1, 2, 3, 4]))
}

fn bind_integer(arguments: &Arguments<'_>) -> Result<Bound> {
    let vocabulary = prepared(arguments)?;
    Ok(lookup(&arguments.types[0], Arc::clone(&vocabulary), move |view, at| {
        let id = view.fixed::<i64>().get(at);
        let hash = xxhash64_u64(id as u64, 0);
        vocabulary.index(vocabulary.entries.place_of_integer(id, hash), hash)
    })
    .holding(&[1, 2, 3, 4]))
}

/// The form for one value or for a list of them.
fn lookup(
    data_type: &Type,
    vocabulary: Arc<Vocabulary>,
    find: impl Fn(&View<'_>, usize) -> i64 + Send + Sync + 'static,
) -> Bound {
    let null = vocabulary.layout.null;
    if data_type.element().is_none() {
        return Bound::null_aware(Type::Int64, move |arguments, rows, output, _| {
            let view = &arguments[0];
            rows.for_each(|row| match (view.is_valid(row), null) {
                (true, _) => output.fixed::<i64>()[row] = find(view, row),
                (false, Some(index)) => output.fixed::<i64>()[row] = index,
                (false, None) => output.set_null(row),
            });
            vocabulary.entries.check()
        });
    }
    let result = with_element(data_type, Type::Int64);
    // Not strict: an index of unknown values that is left out is a null argument.
    Bound::null_aware(result, move |arguments, rows, output, _| {
        let is_fixed = matches!(output.data_type(), Type::FixedList(..));
        rows.for_each(|row| {
            if arguments[0].is_null(row) {
                return output.set_null(row);
            }
            let list = arguments[0].list();
            let child = list.child();
            let range = list.range(row);
            let length = range.len();
            let mut writer;
            let (target, start) = if is_fixed {
                (output.fixed_list_child(), row * length)
            } else {
                writer = output.list();
                let start = writer.child().grow(length);
                writer.set(row, start, length);
                (writer.child(), start)
            };
            for (position, at) in range.enumerate() {
                match (child.is_valid(at), null) {
                    (true, _) => target.fixed::<i64>()[start + position] = find(child, at),
                    (false, Some(index)) => target.fixed::<i64>()[start + position] = index,
                    (false, None) => target.set_null(start + position),
                }
            }
        });
        vocabulary.entries.check()?;
        output.check_capacity()
    })
}
