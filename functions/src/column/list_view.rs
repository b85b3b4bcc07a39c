//! Lists that lie anywhere in their elements, as Arrow's list views, and the same lists one after the other.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Int32Array, ListArray, ListViewArray, UInt32Array};
use arrow::buffer::{OffsetBuffer, ScalarBuffer};
use arrow::datatypes::{DataType, Int32Type};
use bumpalo::Bump;

use super::borrow::borrow;
use super::output::Output;
use crate::error::{Error, Result};
use crate::kernel::span::Span;
use crate::types::Type;

/// True for an array of list views.
pub(super) fn is_list_view(array: &dyn Array) -> bool {
    matches!(array.data_type(), DataType::ListView(_))
}

/// The lists of a view with elements of their own, one list after the other.
pub(super) fn to_list(view: &ListViewArray) -> Result<ArrayRef> {
    let (offsets, elements) = gather(view.values(), view.value_offsets(), view.value_sizes())?;
    let field = Arc::clone(view.value_field());
    Ok(Arc::new(ListArray::try_new(field, offsets, elements, view.nulls().cloned())?))
}

/// Other rows of a view, over the same elements: `choose` makes rows of numbers of other ones.
pub(super) fn chosen(
    view: &ListViewArray,
    choose: impl Fn(&ArrayRef) -> Result<ArrayRef>,
) -> Result<ArrayRef> {
    let column = |numbers: &ScalarBuffer<i32>| -> Result<Int32Array> {
        let numbers: ArrayRef = Arc::new(Int32Array::new(numbers.clone(), view.nulls().cloned()));
        Ok(choose(&numbers)?.as_primitive::<Int32Type>().clone())
    };
    let (offsets, sizes) = (column(view.offsets())?, column(view.sizes())?);
    // What a null position gives is a list of no elements, whatever stands there.
    let place = |numbers: &Int32Array| match numbers.nulls() {
        Some(nulls) => {
            numbers.values().iter().zip(nulls.iter()).map(|(&n, valid)| if valid { n } else { 0 }).collect()
        }
        None => numbers.values().clone(),
    };
    let nulls = sizes.nulls().cloned();
    let field = Arc::clone(view.value_field());
    let array =
        ListViewArray::try_new(field, place(&offsets), place(&sizes), Arc::clone(view.values()), nulls)?;
    Ok(Arc::new(array))
}

/// The elements of these lists, one list after the other, and where each ends.
pub(super) fn gather(
    elements: &ArrayRef,
    offsets: &[i32],
    sizes: &[i32],
) -> Result<(OffsetBuffer<i32>, ArrayRef)> {
    let mut ends = Vec::with_capacity(sizes.len() + 1);
    let mut end = 0i32;
    ends.push(end);
    for &size in sizes {
        end = end
            .checked_add(size)
            .ok_or_else(|| Error::Resource("a list column outgrew 2^31 elements".into()))?;
        ends.push(end);
    }
    let spans = || offsets.iter().zip(sizes).map(|(&start, &size)| (start as u32, (start + size) as u32));
    let gathered = match plain_type(elements) {
        Some(data_type) => {
            let bump = Bump::new();
            let spans: Vec<Span> = spans().collect();
            let mut output = Output::new(data_type.clone());
            output.push_spans(&borrow(elements, &data_type, &bump), &spans);
            output.freeze()?
        }
        None => {
            let places = UInt32Array::from_iter_values(spans().flat_map(|(start, end)| start..end));
            arrow_select::take::take(elements, &places, None)?
        }
    };
    Ok((OffsetBuffer::new(ScalarBuffer::from(ends)), gathered))
}

/// The type of values of fixed width without nulls, whose stretches are copied as they lie.
fn plain_type(elements: &ArrayRef) -> Option<Type> {
    let is_plain = elements.data_type().primitive_width().is_some() && elements.null_count() == 0;
    let data_type = Type::from_arrow(elements.data_type()).ok().filter(|_| is_plain)?;
    (&data_type.to_arrow() == elements.data_type()).then_some(data_type)
}

#[cfg(test)]
mod tests {
    use arrow::array::Int64Array;
    use arrow::buffer::BooleanBuffer;

    use super::super::{Column, View, value_at};
    use super::*;
    use crate::value::Value;

    /// Lists of a column, row by row.
    fn lists(view: &View<'_>) -> Vec<Value> {
        (0..view.length).map(|row| value_at(view, row)).collect()
    }

    /// A column of parts of the elements 0 to 9: of all, of some, of none, and a null.
    fn parts(data_type: &Type, elements: &ArrayRef) -> Output {
        let mut output = Output::new(data_type.clone());
        output.prepare(5);
        let (starts, sizes) = output.list().share(elements).expect("nothing is there yet");
        starts.copy_from_slice(&[0, 7, 3, 10, 2]);
        sizes.copy_from_slice(&[10, 2, 4, 0, 1]);
        output.set_null(4);
        output
    }

    #[test]
    fn shared_lists_are_the_same_lists_in_every_form() {
        let numbers: ArrayRef = Arc::new(Int64Array::from_iter_values(0..10));
        let with_null: ArrayRef =
            Arc::new(Int64Array::from_iter((0..10).map(|number| (number != 4).then_some(number))));
        let data_type = Type::list(Type::Int64);
        for elements in [numbers, with_null] {
            let (bump, mut output) = (Bump::new(), parts(&data_type, &elements));
            let expected = lists(&output.view(&bump));
            let column = Column::of_array(output.freeze_shared().unwrap());
            assert!(matches!(column, Column::Spans(_)));
            assert_eq!(lists(&column.view(&data_type, &bump)), expected);
            assert_eq!(
                lists(&column.decoded(&mut Default::default()).unwrap().view(&data_type, &bump)),
                expected
            );
            let plain = Column::Flat(column.to_array().unwrap());
            assert_eq!(plain.to_array().unwrap().data_type(), &data_type.to_arrow());
            assert_eq!(lists(&plain.view(&data_type, &bump)), expected);
            assert_eq!(lists(&column.slice(1, 3).view(&data_type, &bump)), expected[1..4]);
            let keep = BooleanBuffer::from(vec![true, false, true, false, true]);
            let kept = column.filter(&keep, 3).unwrap();
            assert_eq!(
                lists(&kept.view(&data_type, &bump)),
                lists(&plain.filter(&keep, 3).unwrap().view(&data_type, &bump))
            );
            let rows = UInt32Array::from(vec![Some(2), None, Some(0), Some(4), Some(2)]);
            let taken = column.take(&rows).unwrap();
            assert_eq!(
                lists(&taken.view(&data_type, &bump)),
                lists(&plain.take(&rows).unwrap().view(&data_type, &bump))
            );
            assert_eq!(&parts(&data_type, &elements).freeze().unwrap(), &plain.to_array().unwrap());
        }
    }

    #[test]
    fn a_row_that_is_written_behind_shared_ones_leaves_them_as_they_are() {
        let elements: ArrayRef = Arc::new(Int64Array::from_iter_values(0..10));
        let data_type = Type::list(Type::Int64);
        let (bump, mut output) = (Bump::new(), parts(&data_type, &elements));
        let mut expected = lists(&output.view(&bump));
        let other = parts(&data_type, &elements);
        output.copy(3, &other.view(&bump), 1);
        expected[3] = expected[1].clone();
        assert_eq!(lists(&output.view(&bump)), expected);
        assert!(output.list().share(&elements).is_none(), "elements are there");
        output.prepare(2);
        assert!(output.list().share(&elements).is_some());
        let mut kept = Output::copying(data_type);
        kept.prepare(2);
        assert!(kept.list().share(&elements).is_none(), "what is kept shares nothing");
    }
}
