//! Takes rows of fixed width from many columns into one.

use hypostyle_functions::column::{Bits, Data, Output, View};

/// Column and row; a row that no column has is null.
pub(crate) type Place = (usize, usize);

/// Writes the values at these places, and which of them are null; false where values have no loop of their own, and
/// then nothing is written. `output` is prepared for the rows.
pub(crate) fn take_fixed(
    output: &mut Output,
    views: &[Option<View<'_>>],
    places: impl Iterator<Item = Place> + Clone,
    has_every_place: bool,
) -> bool {
    if !take_values(output, views, places.clone()) {
        return false;
    }
    if !has_every_place || views.iter().flatten().any(View::may_be_null) {
        take_validity(output, views, places);
    }
    true
}

/// Writes which rows are null, a word of rows at a time.
fn take_validity(output: &mut Output, views: &[Option<View<'_>>], mut places: impl Iterator<Item = Place>) {
    let validity: Vec<Option<Bits<'_>>> =
        views.iter().map(|view| view.and_then(|view| view.validity)).collect();
    for word in output.validity_words() {
        let is_valid = |(column, row): Place| {
            validity.get(column).is_some_and(|bits| bits.is_none_or(|bits| bits.get(row)))
        };
        let bits = places.by_ref().take(64).map(is_valid).enumerate();
        *word = bits.fold(0, |word, (at, is_valid)| word | u64::from(is_valid) << at);
    }
}

/// Writes the values of all rows, also of nulls.
fn take_values(output: &mut Output, views: &[Option<View<'_>>], places: impl Iterator<Item = Place>) -> bool {
    macro_rules! fixed {
        ($variant:ident, $kind:ty) => {{
            let values: Vec<&[$kind]> = views
                .iter()
                .map(|view| match view.map(|view| view.data) {
                    Some(Data::$variant(values)) => values,
                    _ => &[],
                })
                .collect();
            for (value, (column, row)) in output.fixed::<$kind>().iter_mut().zip(places) {
                *value = values.get(column).and_then(|values| values.get(row)).copied().unwrap_or_default();
            }
            true
        }};
    }
    // One arm expands to the loop over values of one Rust type.
    match views.iter().flatten().next().map(|view| view.data) {
        Some(Data::Int32(_)) => fixed!(Int32, i32),
        Some(Data::Int64(_)) => fixed!(Int64, i64),
        Some(Data::Float32(_)) => fixed!(Float32, f32),
        Some(Data::Float64(_)) => fixed!(Float64, f64),
        Some(Data::Int128(_)) => fixed!(Int128, i128),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{Array, ArrayRef, AsArray, Int64Array};
    use arrow::datatypes::Int64Type;
    use bumpalo::Bump;
    use hypostyle_functions::column::borrow;
    use hypostyle_functions::types::Type;

    use super::*;

    fn taken(arrays: &[Option<ArrayRef>], places: &[Place], has_every_place: bool) -> Vec<Option<i64>> {
        let bump = Bump::new();
        let views: Vec<_> = arrays
            .iter()
            .map(|array| array.as_ref().map(|array| borrow(array, &Type::Int64, &bump)))
            .collect();
        let mut output = Output::new(Type::Int64);
        output.prepare(places.len());
        assert!(take_fixed(&mut output, &views, places.iter().copied(), has_every_place));
        output.freeze().unwrap().as_primitive::<Int64Type>().iter().collect()
    }

    #[test]
    fn rows_of_sliced_columns_and_nulls_come_from_their_places() {
        let first: ArrayRef = Arc::new(Int64Array::from(vec![Some(9), Some(1), None, Some(3)]));
        let second: ArrayRef = Arc::new(Int64Array::from(vec![7, 8]));
        let arrays = [Some(first.slice(1, 3)), None, Some(second)];
        let places: Vec<Place> =
            (0..200).map(|at| if at % 2 == 0 { (0, at % 3) } else { (2, at % 2) }).collect();
        let expected: Vec<Option<i64>> =
            (0..200).map(|at| if at % 2 == 0 { [Some(1), None, Some(3)][at % 3] } else { Some(8) }).collect();
        assert_eq!(taken(&arrays, &places, true), expected);
    }

    #[test]
    fn a_place_that_no_column_has_is_null() {
        let values: ArrayRef = Arc::new(Int64Array::from(vec![5]));
        let mut places = vec![(0, 0); 70];
        places[66] = (usize::MAX, 0);
        let mut expected = vec![Some(5); 70];
        expected[66] = None;
        assert_eq!(taken(&[Some(values)], &places, false), expected);
    }

    #[test]
    fn values_without_a_loop_are_left_to_the_caller() {
        let texts: ArrayRef = Arc::new(arrow::array::BooleanArray::from(vec![true]));
        let bump = Bump::new();
        let view = borrow(&texts, &Type::Boolean, &bump);
        let mut output = Output::new(Type::Boolean);
        output.prepare(1);
        assert!(!take_fixed(&mut output, &[Some(view)], [(0, 0)].into_iter(), true));
    }
}
