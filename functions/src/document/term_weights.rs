//! `bag_of_words` and `tf_idf`: tokens of a vocabulary, counted or weighed.

use std::sync::Arc;

use super::CATEGORY;
use super::sparse_output::{Norm, sparse_type, sum_up, write};
use crate::Registry;
use crate::category::index::Categories;
use crate::column::View;
use crate::error::{Error, Result};
use crate::kernel::hash::xxhash64::xxhash64;
use crate::scalar::{Arguments, Bound, Cost, ScalarFunction};
use crate::signature::{Parameter, exact};
use crate::types::Type;
use crate::value::{Literal, Value};

/// Adds the functions.
pub fn register(registry: &mut Registry) {
    registry.register_scalar(
        ScalarFunction::new("bag_of_words", CATEGORY, "How often each token of a vocabulary stands in a list, as a sparse vector.")
            .alias("count_vectorizer")
            .overload(tokens_and_vocabulary(), |arguments| {
                let vocabulary = Vocabulary::of(arguments)?;
                Ok(Bound::strict(sparse_type(), move |arguments, rows, output, scratch| {
                    let entries = scratch.slot::<Vec<(i32, f64)>>();
                    rows.for_each(|row| {
                        vocabulary.count(&arguments[0], row, entries);
                        write(output, row, entries);
                    });
                    vocabulary.0.check()?;
                    output.check_capacity()
                })
                .holding(&[1]))
            })
            .cost(Cost::Parse)
            .note("Entries are in order of their index, which is the place in the vocabulary from 0. The vocabulary is constant; other tokens and nulls do not count.")
            .example("bag_of_words(['b', 'x', 'b', 'a'], ['a', 'b', 'c'])", "[{'index': 0, 'value': 1.0}, {'index': 1, 'value': 2.0}]"),
    );
    registry.register_scalar(
        ScalarFunction::new("tf_idf", CATEGORY, "The weight of each token of a vocabulary in a list, by how often it stands there and in how many documents, as a sparse vector.")
            .overload(
                tokens_and_vocabulary().into_iter().chain([
                    exact("frequencies", Type::list(Type::Int64)),
                    exact("documents", Type::Int64),
                    exact("compat", Type::Text).or(Literal::new(Value::from("tft"))),
                ]),
                bind_tf_idf,
            )
            .cost(Cost::Parse)
            .note("frequencies holds the number of documents with each token of the vocabulary, documents their number; all are constant.")
            .note("compat => 'tft' (the default): the share of the list times 1 + ln((1 + documents) / (1 + frequency)). 'sklearn': the count times the same, and the vector scaled to length 1. 'spark', IDF of Spark: the count times ln((1 + documents) / (1 + frequency)).")
            .example("tf_idf(['yum', 'yum', 'pie'], ['I', 'pie', 'yum'], [1, 2, 1], 2)", "[{'index': 1, 'value': 0.3333333333333333}, {'index': 2, 'value': 0.9369767387387762}]"),
    );
}

fn tokens_and_vocabulary() -> [Parameter; 2] {
    [exact("tokens", Type::list(Type::Text)), exact("vocabulary", Type::list(Type::Text))]
}

/// The places of tokens.
struct Vocabulary(Categories);

impl Vocabulary {
    fn of(arguments: &Arguments<'_>) -> Result<Vocabulary> {
        Categories::of(arguments, 1, "tokens").map(Vocabulary)
    }

    /// The number of times that each token stands in the list of a row, and the length of the list without nulls.
    fn count(&self, view: &View<'_>, row: usize, entries: &mut Vec<(i32, f64)>) -> usize {
        let list = view.list();
        let tokens = list.child().text();
        entries.clear();
        let mut length = 0;
        for place in list.range(row).filter(|&place| list.child().is_valid(place)) {
            length += 1;
            let token = tokens.get(place).as_bytes();
            if let Some(index) = self.0.place_of_bytes(token, xxhash64(token, 0)) {
                entries.push((index as i32, 1.0));
            }
        }
        sum_up(entries);
        length
    }
}

fn bind_tf_idf(arguments: &Arguments<'_>) -> Result<Bound> {
    let refused = |position, problem: String| Error::argument(arguments.function, position, problem);
    let system = arguments.constant_text(4)?;
    let (is_share, norm) = match system {
        "tft" => (true, Norm::None),
        "sklearn" => (false, Norm::L2),
        "spark" => (false, Norm::None),
        other => return Err(refused(5, format!("is '{other}'; expected 'tft', 'sklearn' or 'spark'"))),
    };
    let vocabulary = Vocabulary::of(arguments)?;
    let documents = arguments.constant(3)?.as_f64().filter(|count| *count >= 0.0);
    let documents =
        documents.ok_or_else(|| refused(4, "is no number of documents; expected at least 0".into()))?;
    let Some(frequencies) = arguments.constant(2)?.as_list() else {
        return Err(refused(3, "must be a constant list, not NULL".into()));
    };
    if frequencies.len() != vocabulary.0.len() {
        let problem = format!("has {} frequencies for {} tokens", frequencies.len(), vocabulary.0.len());
        return Err(refused(3, problem));
    }
    let weight = |value: &Value| {
        let frequency = value.as_f64().filter(|frequency| *frequency >= 0.0);
        let frequency = frequency.ok_or_else(|| refused(3, "holds what is no number of documents".into()))?;
        let rarity = crate::kernel::transcendental::ln_one((1.0 + documents) / (1.0 + frequency));
        Ok(if system == "spark" { rarity } else { 1.0 + rarity })
    };
    let weights: Arc<[f64]> = frequencies.iter().map(weight).collect::<Result<_>>()?;
    Ok(Bound::strict(sparse_type(), move |arguments, rows, output, scratch| {
        let entries = scratch.slot::<Vec<(i32, f64)>>();
        rows.for_each(|row| {
            let length = vocabulary.count(&arguments[0], row, entries);
            let divisor = if is_share { length as f64 } else { 1.0 };
            for (index, value) in entries.iter_mut() {
                *value = *value / divisor * weights[*index as usize];
            }
            norm.scale(entries);
            write(output, row, entries);
        });
        vocabulary.0.check()?;
        output.check_capacity()
    })
    .holding(&[1, 2]))
}
