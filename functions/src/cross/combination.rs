//! `combo`: combinations of features that have one value or several.

use super::CATEGORY;
use crate::column::{TextBuilder, View};
use crate::error::{Error, Result};
use crate::scalar::{Arguments, Bound, ScalarFunction};
use crate::signature::any;
use crate::text::append;
use crate::types::Type;

/// Most combinations of one row.
const COMBINATIONS_MAX: usize = 10_000;

pub(super) fn function() -> ScalarFunction {
    ScalarFunction::new("combo", CATEGORY, "All combinations of a value of each feature, as texts joined by '_'.")
        .note("A list is a feature with several values, anything else one with one value. The last feature varies fastest.")
        .note("Null values are left out, and a feature without values gives an empty list. More than 10,000 combinations are an error of the row.")
        .example("combo('x', ['a', 'b'], 7)", "[x_a_7, x_b_7]")
        .variadic([any("feature"), any("features")], bind)
}

fn bind(arguments: &Arguments<'_>) -> Result<Bound> {
    for (position, data_type) in arguments.types.iter().enumerate() {
        let value = data_type.element().unwrap_or(data_type);
        if value.is_nested() {
            let problem = format!("has type {data_type}; expected values, or lists of them");
            return Err(Error::argument(arguments.function, position + 1, problem));
        }
    }
    Ok(Bound::null_aware(Type::list(Type::Text), |arguments, rows, output, scratch| {
        let choices = scratch.slot::<Choices>();
        rows.for_each(|row| {
            choices.read(arguments, row);
            let Some(count) = choices.count() else {
                let problem = format!("combo: more than {COMBINATIONS_MAX} combinations in a row");
                return output.fail(row, || Error::user(problem));
            };
            let mut writer = output.list();
            let start = writer.child().grow(count);
            for place in 0..count {
                writer.child().text().build(start + place, |text| choices.write(arguments, row, place, text));
            }
            writer.finish(row, start);
        });
        output.check_capacity()
    }))
}

/// Places of the values of each feature in a row: elements of a list, or the row itself.
#[derive(Default)]
struct Choices {
    places: Vec<usize>,
    /// Where the places of each feature end.
    ends: Vec<usize>,
}

impl Choices {
    fn read(&mut self, arguments: &[View<'_>], row: usize) {
        self.places.clear();
        self.ends.clear();
        for view in arguments {
            if view.is_valid(row) {
                match view.data_type.element() {
                    Some(_) => {
                        let list = view.list();
                        self.places.extend(list.range(row).filter(|&at| list.child().is_valid(at)));
                    }
                    None => self.places.push(row),
                }
            }
            self.ends.push(self.places.len());
        }
    }

    /// The places of a feature.
    fn of(&self, feature: usize) -> &[usize] {
        let start = feature.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.places[start..self.ends[feature]]
    }

    /// Number of combinations; `None` if there are too many.
    fn count(&self) -> Option<usize> {
        let mut sizes = (0..self.ends.len()).map(|feature| self.of(feature).len());
        if sizes.clone().any(|size| size == 0) {
            return Some(0);
        }
        sizes
            .try_fold(1usize, |count, size| count.checked_mul(size))
            .filter(|count| *count <= COMBINATIONS_MAX)
    }

    fn write(&self, arguments: &[View<'_>], row: usize, combination: usize, text: &mut TextBuilder<'_>) {
        // How many combinations of the features behind there are for one value.
        let mut block: usize = (0..self.ends.len()).map(|feature| self.of(feature).len()).product();
        for (feature, view) in arguments.iter().enumerate() {
            let places = self.of(feature);
            block /= places.len();
            let place = places[combination / block % places.len()];
            if feature > 0 {
                text.push('_');
            }
            match view.data_type.element() {
                Some(_) => append(view.list().child(), place, text),
                None => append(view, row, text),
            }
        }
    }
}
