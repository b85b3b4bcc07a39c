//! Takes rows from many arrays into one.

use arrow::array::ArrayRef;
use bumpalo::Bump;
use hypostyle_functions::column::{Output, borrow};
use hypostyle_functions::types::Type;

use crate::error::Result;
use crate::operator::take_rows::{Place, take_fixed};

/// Stands for a row of nulls.
pub(super) const NOWHERE: Place = (usize::MAX, 0);

/// The values at these places (array, row); [`NOWHERE`] gives a null. Text gets bytes of its own.
pub(super) fn gather(arrays: &[ArrayRef], places: &[Place], data_type: &Type) -> Result<ArrayRef> {
    let bump = Bump::new();
    let views: Vec<_> = arrays.iter().map(|array| Some(borrow(array, data_type, &bump))).collect();
    let mut output = Output::copying(data_type.clone());
    output.prepare(places.len());
    let has_every_place = !places.contains(&NOWHERE);
    if !take_fixed(&mut output, &views, places.iter().copied(), has_every_place) {
        for (to, &(array, row)) in places.iter().enumerate() {
            match views.get(array).and_then(Option::as_ref) {
                Some(view) => output.copy(to, view, row),
                None => output.set_null(to),
            }
        }
    }
    Ok(output.freeze()?)
}
