//! Keeps some rows of a fixed-width array: the values by the kernel, everything else by Arrow.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, ArrowPrimitiveType, BooleanArray, PrimitiveArray, downcast_primitive_array,
};
use arrow::buffer::{BooleanBuffer, Buffer, NullBuffer, ScalarBuffer};
use arrow::datatypes::ArrowNativeType;

use super::bits::Bits;
use crate::error::{Error, Result};
use crate::kernel::compact::{VECTOR_BYTES, compact, compact_u32_before, compact_u64_before};

/// The rows of `array` where `keep` is set, whose number is `kept`.
pub(super) fn filter(array: &ArrayRef, keep: &BooleanBuffer, kept: usize) -> Result<ArrayRef> {
    downcast_primitive_array! {
        array => filter_fixed(array, keep, kept),
        _ => Ok(arrow_select::filter::filter(array, &BooleanArray::new(keep.clone(), None))?)
    }
}

fn filter_fixed<T: ArrowPrimitiveType>(
    array: &PrimitiveArray<T>,
    keep: &BooleanBuffer,
    kept: usize,
) -> Result<ArrayRef> {
    if keep.len() != array.len() {
        let (bits, rows) = (keep.len(), array.len());
        return Err(Error::internal(format!("{rows} rows cannot be kept by {bits} bits")));
    }
    let bits = Bits::of_buffer(keep);
    let word = |index| bits.word(index);
    let mut words = Vec::new();
    let masks = bits.to_bytes(&mut words);
    let bytes = array.values().inner();
    let is_aligned = bytes.as_ptr().cast::<u64>().is_aligned();
    // The next batch, where this one is a slice of a longer array.
    let following = bytes_behind(bytes) / size_of::<T::Native>();
    let values = match size_of::<T::Native>() {
        4 => kept_values(kept, |output| compact_u32_before(bytes.typed_data(), masks, output, following)),
        8 if is_aligned => {
            kept_values(kept, |output| compact_u64_before(bytes.typed_data(), masks, output, following))
        }
        _ => kept_values(kept, |output| compact(&array.values()[..], word, output)),
    };
    let kept = values.len() / size_of::<T::Native>();
    let nulls = match array.nulls().filter(|nulls| nulls.null_count() > 0) {
        Some(nulls) => {
            let valid = BooleanArray::new(nulls.inner().clone(), None);
            let valid = arrow_select::filter::filter(&valid, &BooleanArray::new(keep.clone(), None))?;
            valid.as_any().downcast_ref::<BooleanArray>().map(|valid| NullBuffer::new(valid.values().clone()))
        }
        None => None,
    };
    let filtered = PrimitiveArray::<T>::try_new(ScalarBuffer::new(values, 0, kept), nulls)?;
    Ok(Arc::new(filtered.with_data_type(array.data_type().clone())))
}

/// Bytes of the same allocation behind a buffer.
fn bytes_behind(buffer: &Buffer) -> usize {
    buffer.capacity().saturating_sub(buffer.ptr_offset() + buffer.len())
}

/// What `compact` appends, `kept` values.
fn kept_values<T: ArrowNativeType>(kept: usize, compact: impl FnOnce(&mut Vec<T>)) -> Buffer {
    let mut output = Vec::with_capacity(kept + VECTOR_BYTES / size_of::<T>());
    compact(&mut output);
    Buffer::from_vec(output)
}

#[cfg(test)]
mod tests {
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
