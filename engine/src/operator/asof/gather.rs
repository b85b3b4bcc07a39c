//! Takes rows from many arrays into one.

use arrow::array::{Array, ArrayRef, new_null_array};
use arrow_select::interleave::interleave;
use bumpalo::Bump;
use hypostyle_functions::column::{Output, borrow};
use hypostyle_functions::types::Type;

use crate::error::Result;

/// Stands for a row of nulls.
pub(super) const NOWHERE: (usize, usize) = (usize::MAX, 0);

/// The values at these places (array, row); [`NOWHERE`] gives a null. Text gets bytes of its own.
pub(super) fn gather(arrays: &[ArrayRef], places: &[(usize, usize)], data_type: &Type) -> Result<ArrayRef> {
    let has_nulls = places.contains(&NOWHERE);
    if data_type.is_fixed_width() {
        let mut arrays: Vec<&dyn Array> = arrays.iter().map(AsRef::as_ref).collect();
        if !has_nulls && !arrays.is_empty() {
            return Ok(interleave(&arrays, places)?);
        }
        let null = new_null_array(&data_type.to_arrow(), 1);
        arrays.push(null.as_ref());
        let last = arrays.len() - 1;
        let place = |&place: &(usize, usize)| if place == NOWHERE { (last, 0) } else { place };
        return Ok(interleave(&arrays, &places.iter().map(place).collect::<Vec<_>>())?);
    }
    let bump = Bump::new();
    let views: Vec<_> = arrays.iter().map(|array| borrow(array, data_type, &bump)).collect();
    let mut output = Output::copying(data_type.clone());
    output.prepare(places.len());
    for (to, &(array, row)) in places.iter().enumerate() {
        match views.get(array) {
            Some(view) => output.copy(to, view, row),
            None => output.set_null(to),
        }
    }
    Ok(output.freeze()?)
}
