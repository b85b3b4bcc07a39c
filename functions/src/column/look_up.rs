//! Rows that point to values as rows with values of their own.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, ArrowPrimitiveType, PrimitiveArray, UInt32Array, downcast_primitive_array,
};
use arrow::buffer::{BooleanBuffer, Buffer, NullBuffer, ScalarBuffer};

use super::recycled::Recycled;
use crate::error::Result;
use crate::kernel::look_up::append_values;

/// The value of each code, null where `validity` says so or the value is; codes are in range under nulls too.
pub(super) fn look_up(
    values: &ArrayRef,
    codes: &ScalarBuffer<u32>,
    validity: Option<&NullBuffer>,
    recycled: &mut Recycled,
) -> Result<ArrayRef> {
    downcast_primitive_array! {
        values => fixed(values, codes, validity, recycled),
        _ => taken(values, codes, validity)
    }
}

fn taken(values: &ArrayRef, codes: &ScalarBuffer<u32>, validity: Option<&NullBuffer>) -> Result<ArrayRef> {
    let rows = UInt32Array::new(codes.clone(), validity.cloned());
    Ok(arrow_select::take::take(values, &rows, None)?)
}

fn fixed<T: ArrowPrimitiveType>(
    values: &PrimitiveArray<T>,
    codes: &[u32],
    validity: Option<&NullBuffer>,
    recycled: &mut Recycled,
) -> Result<ArrayRef> {
    let mut rows = recycled.room(codes.len());
    append_values(values.values(), codes, &mut rows);
    let of_values = values.nulls().filter(|nulls| nulls.null_count() > 0).map(|nulls| {
        NullBuffer::new(BooleanBuffer::collect_bool(codes.len(), |row| nulls.is_valid(codes[row] as usize)))
    });
    let nulls = NullBuffer::union(validity, of_values.as_ref()).filter(|nulls| nulls.null_count() > 0);
    let (length, buffer) = (rows.len(), Buffer::from_vec(rows));
    recycled.keep(buffer.clone());
    let array = PrimitiveArray::<T>::try_new(ScalarBuffer::new(buffer, 0, length), nulls)?;
    Ok(Arc::new(array.with_data_type(values.data_type().clone())))
}

#[cfg(test)]
mod tests {
    use arrow::array::{Decimal128Array, Float32Array, Int64Array, StringViewArray};

    use super::*;

    fn check(values: ArrayRef) {
        let codes: ScalarBuffer<u32> = (0..1000u32).map(|row| row * 7 % values.len() as u32).collect();
        let nulls: NullBuffer = (0..1000).map(|row| row % 3 != 0).collect();
        for validity in [None, Some(&nulls)] {
            let (ours, arrows) = (
                look_up(&values, &codes, validity, &mut Recycled::default()),
                taken(&values, &codes, validity),
            );
            assert_eq!(&ours.unwrap(), &arrows.unwrap());
            let (codes, validity) = (codes.slice(77, 130), validity.map(|nulls| nulls.slice(77, 130)));
            let ours = look_up(&values, &codes, validity.as_ref(), &mut Recycled::default());
            assert_eq!(&ours.unwrap(), &taken(&values, &codes, validity.as_ref()).unwrap());
        }
    }

    #[test]
    fn rows_get_what_arrow_takes() {
        check(Arc::new(Int64Array::from_iter_values(0..50)));
        check(Arc::new((0..50).map(|value| (value % 4 != 1).then_some(value)).collect::<Int64Array>()));
        let floats = Float32Array::from_iter_values((0..70).map(|value| value as f32));
        check(Arc::new(floats.slice(13, 40)));
        let decimals = Decimal128Array::from_iter_values((0..50).map(|value| value * 1_000_000_007));
        check(Arc::new(decimals.with_precision_and_scale(30, 4).unwrap()));
        check(Arc::new(StringViewArray::from_iter_values((0..50).map(|value| format!("text {value}")))));
    }

    #[test]
    fn no_rows_need_no_values() {
        let none: ArrayRef = Arc::new(Int64Array::from(Vec::<i64>::new()));
        assert_eq!(
            look_up(&none, &ScalarBuffer::from(vec![]), None, &mut Recycled::default()).unwrap().len(),
            0
        );
    }
}
