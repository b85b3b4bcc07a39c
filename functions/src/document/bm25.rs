//! `bm25`: how well a document answers a query.

use super::CATEGORY;
use crate::Registry;
use crate::error::{Error, Result};
use crate::kernel::transcendental::ln_one;
use crate::scalar::{Arguments, Bound, Cost, ScalarFunction};
use crate::signature::exact;
use crate::types::Type;
use crate::value::{Literal, Value};

/// Adds the function.
pub fn register(registry: &mut Registry) {
    let tokens = |name| exact(name, Type::list(Type::Text));
    let tuning = |name, value: f64| exact(name, Type::Float64).or(Literal::new(Value::from(value)));
    registry.register_scalar(
        ScalarFunction::new("bm25", CATEGORY, "The BM25 score of a document for a query, both lists of tokens.")
            .overload(
                [
                    tokens("query"),
                    tokens("document"),
                    exact("frequencies", Type::map(Type::Text, Type::Int64)),
                    exact("documents", Type::Int64),
                    exact("average_length", Type::Float64),
                    tuning("k1", 1.2),
                    tuning("b", 0.75),
                ],
                bind,
            )
            .cost(Cost::Parse)
            .note("frequencies gives the number of documents with a token, 0 where it has none; documents is their number and average_length their mean length in tokens. All but the lists are constant.")
            .note("The sum over the tokens of the query, each as often as it stands there, of ln(1 + (documents - df + 0.5) / (df + 0.5)) * tf * (k1 + 1) / (tf + k1 * (1 - b + b * length / average_length)). Null tokens are left out.")
            .example("round(bm25(['cat'], ['the', 'cat', 'sat'], MAP {'cat': 1}, 10, 4.0), 6)", "2.219416"),
    );
}

/// What is known of the documents.
struct Statistics {
    weights: hashbrown::HashMap<Box<str>, f64, ahash::RandomState>,
    /// Of tokens that no document has.
    weight_of_unknown: f64,
    average_length: f64,
    k1: f64,
    b: f64,
}

fn bind(arguments: &Arguments<'_>) -> Result<Bound> {
    let refused = |position, problem: &str| Error::argument(arguments.function, position, problem);
    let number = |index: usize, least: f64| {
        let number =
            arguments.constant(index)?.as_f64().filter(|number| *number >= least && number.is_finite());
        number.ok_or_else(|| refused(index + 1, &format!("is no number of at least {least}")))
    };
    let documents = number(3, 0.0)?;
    let weight = |frequency: f64| ln_one(1.0 + (documents - frequency + 0.5) / (frequency + 0.5));
    let Value::Map(_, _, entries) = arguments.constant(2)? else {
        return Err(refused(3, "must be a constant map, not NULL"));
    };
    let mut weights =
        hashbrown::HashMap::with_capacity_and_hasher(entries.len(), ahash::RandomState::default());
    for (token, frequency) in entries {
        let frequency = frequency.as_f64().filter(|frequency| (0.0..=documents).contains(frequency));
        let frequency = frequency.ok_or_else(|| {
            refused(3, "holds a frequency that is not between 0 and the number of documents")
        })?;
        if let Some(token) = token.as_text() {
            weights.insert(Box::from(token), weight(frequency));
        }
    }
    let average_length = number(4, 0.0)?;
    let statistics = Statistics {
        weights,
        weight_of_unknown: weight(0.0),
        average_length,
        k1: number(5, 0.0)?,
        b: number(6, 0.0)?,
    };
    Ok(Bound::strict(Type::Float64, move |arguments, rows, output, _| {
        let (query, document) = (arguments[0].list(), arguments[1].list());
        let (query_tokens, document_tokens) = (query.child().bytes(), document.child().bytes());
        let mut counts: hashbrown::HashMap<&[u8], u32, ahash::RandomState> = hashbrown::HashMap::default();
        rows.for_each(|row| {
            counts.clear();
            let mut length = 0;
            for place in document.range(row).filter(|&place| document.child().is_valid(place)) {
                *counts.entry(document_tokens.get(place)).or_default() += 1;
                length += 1;
            }
            let terms = query.range(row).filter(|&place| query.child().is_valid(place));
            let score = terms.map(|place| {
                let token = query_tokens.get(place);
                let count = counts.get(token).copied().unwrap_or(0);
                statistics.term(token, f64::from(count), f64::from(length))
            });
            output.fixed::<f64>()[row] = score.fold(0.0, |sum, term| sum + term);
        });
        Ok(())
    }))
}

impl Statistics {
    fn term(&self, token: &[u8], count: f64, length: f64) -> f64 {
        if count == 0.0 {
            return 0.0;
        }
        let known = std::str::from_utf8(token).ok().and_then(|token| self.weights.get(token));
        let weight = known.copied().unwrap_or(self.weight_of_unknown);
        let ratio = if self.average_length > 0.0 { length / self.average_length } else { 1.0 };
        weight * count * (self.k1 + 1.0) / (count + self.k1 * (1.0 - self.b + self.b * ratio))
    }
}
