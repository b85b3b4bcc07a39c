//! Keeps some rows of a fixed-width array: the values by the kernel, everything else by Arrow.

use arrow::array::{Array, ArrayRef, BooleanArray, make_array};
use arrow::buffer::{BooleanBuffer, Buffer, NullBuffer};
use arrow::datatypes::ArrowNativeType;

use super::bits::Bits;
use crate::error::Result;
use crate::kernel::compact::{compact, compact_u32, compact_u64};

/// The rows of `array` where `keep` is set, whose number is `kept`.
pub(super) fn filter(array: &ArrayRef, keep: &BooleanBuffer, kept: usize) -> Result<ArrayRef> {
    let predicate = BooleanArray::new(keep.clone(), None);
    let data = array.to_data();
    let (offset, bits) = (data.offset(), Bits::of_buffer(keep));
    let word = |index| bits.word(index);
    let values = match (array.data_type().primitive_width(), data.buffers()) {
        (Some(1), [values]) => kept_values::<u8>(values, offset, bits, kept, |v, o| compact(v, word, o)),
        (Some(2), [values]) => kept_values::<u16>(values, offset, bits, kept, |v, o| compact(v, word, o)),
        (Some(4), [values]) => kept_values::<u32>(values, offset, bits, kept, |v, o| compact_u32(v, word, o)),
        (Some(8), [values]) => kept_values::<u64>(values, offset, bits, kept, |v, o| compact_u64(v, word, o)),
        (Some(16), [values]) => kept_values::<i128>(values, offset, bits, kept, |v, o| compact(v, word, o)),
        _ => return Ok(arrow_select::filter::filter(array, &predicate)?),
    };
    let nulls = match array.nulls().filter(|nulls| nulls.null_count() > 0) {
        Some(nulls) => {
            let valid = BooleanArray::new(nulls.inner().clone(), None);
            let valid = arrow_select::filter::filter(&valid, &predicate)?;
            valid.as_any().downcast_ref::<BooleanArray>().map(|valid| NullBuffer::new(valid.values().clone()))
        }
        None => None,
    };
    let builder = arrow::array::ArrayData::builder(array.data_type().clone());
    Ok(make_array(builder.len(kept).add_buffer(values).nulls(nulls).build()?))
}

/// The values that `compact` keeps of those from `offset` on.
fn kept_values<T: ArrowNativeType>(
    values: &Buffer,
    offset: usize,
    bits: Bits<'_>,
    kept: usize,
    compact: impl Fn(&[T], &mut Vec<T>),
) -> Buffer {
    let mut output = Vec::with_capacity(kept);
    compact(&values.typed_data::<T>()[offset..offset + bits.len()], &mut output);
    Buffer::from_vec(output)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{Float32Array, Int64Array};

    use super::*;

    #[test]
    fn the_kernel_keeps_what_arrow_keeps() {
        let rows = 1000;
        let floats: ArrayRef =
            Arc::new(Float32Array::from_iter((0..rows).map(|i| (i % 7 != 0).then_some(i as f32))));
        let integers: ArrayRef = Arc::new(Int64Array::from_iter_values(0..rows));
        let decimals: ArrayRef =
            Arc::new(arrow::array::Decimal128Array::from_iter_values((0..1000).map(i128::from)));
        for step in [1, 2, 3, 40] {
            let keep = BooleanBuffer::from_iter((0..990).map(|i| i % step == 0));
            for array in [&floats, &integers, &decimals] {
                let array = array.slice(5, 990);
                let expected =
                    arrow_select::filter::filter(&array, &BooleanArray::new(keep.clone(), None)).unwrap();
                assert_eq!(&filter(&array, &keep, keep.count_set_bits()).unwrap(), &expected);
            }
        }
    }
}
