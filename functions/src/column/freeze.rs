//! An output becomes an Arrow array where a batch leaves the expression set.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, BooleanArray, FixedSizeListArray, ListArray, MapArray, NullArray, PrimitiveArray,
    StructArray,
};
use arrow::buffer::{Buffer, NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow::datatypes::*;

use super::list_view::gather;
use super::output::{Output, OutputData};
use super::recycled::Recycled;
use super::trusted;
use crate::error::{Error, Result};
use crate::kernel::span::part;
use crate::types::Type;

impl Output {
    /// Takes what was written as an Arrow array of [`Type::to_arrow`] and leaves the output empty.
    /// Buffers come back on a later [`Output::prepare`] once their readers have dropped them.
    ///
    /// # Errors
    /// [`Error::Resource`] if a list column outgrew 32-bit offsets.
    pub fn freeze(&mut self) -> Result<ArrayRef> {
        if let Some(array) = self.lent.take() {
            self.length = 0;
            return Ok(array);
        }
        self.check_capacity()?;
        self.resize(self.length);
        let length = std::mem::take(&mut self.length);
        let nulls = self.take_nulls(length);
        let target = self.data_type.to_arrow();
        let array: ArrayRef = match &mut self.data {
            OutputData::Null => Arc::new(NullArray::new(length)),
            OutputData::Boolean(bits) => Arc::new(BooleanArray::new(bits.freeze(), nulls)),
            OutputData::Int8(values) => primitive::<Int8Type>(values, nulls, &mut self.retained),
            OutputData::Int16(values) => primitive::<Int16Type>(values, nulls, &mut self.retained),
            OutputData::Int32(values) => primitive::<Int32Type>(values, nulls, &mut self.retained),
            OutputData::Int64(values) => primitive::<Int64Type>(values, nulls, &mut self.retained),
            OutputData::UInt8(values) => primitive::<UInt8Type>(values, nulls, &mut self.retained),
            OutputData::UInt16(values) => primitive::<UInt16Type>(values, nulls, &mut self.retained),
            OutputData::UInt32(values) => primitive::<UInt32Type>(values, nulls, &mut self.retained),
            OutputData::UInt64(values) => primitive::<UInt64Type>(values, nulls, &mut self.retained),
            OutputData::Float16(values) => primitive::<Float16Type>(values, nulls, &mut self.retained),
            OutputData::Float32(values) => primitive::<Float32Type>(values, nulls, &mut self.retained),
            OutputData::Float64(values) => primitive::<Float64Type>(values, nulls, &mut self.retained),
            OutputData::Int128(values) => primitive::<Decimal128Type>(values, nulls, &mut self.retained),
            OutputData::Interval(values) => {
                primitive::<IntervalMonthDayNanoType>(values, nulls, &mut self.retained)
            }
            OutputData::Bytes(bytes) => {
                let views = ScalarBuffer::from(std::mem::take(&mut bytes.views));
                let mut buffers = vec![Buffer::from_vec(std::mem::take(&mut bytes.own))];
                buffers.append(&mut bytes.shared);
                if self.data_type == Type::Text {
                    trusted::text_array(views, buffers, nulls)?
                } else {
                    trusted::binary_array(views, buffers, nulls)?
                }
            }
            OutputData::List { offsets, sizes, child } => {
                let (offsets, child) = freeze_list(offsets, sizes, child)?;
                list_or_map(&target, offsets, child, nulls)?
            }
            OutputData::FixedList { size, child } => {
                let DataType::FixedSizeList(field, _) = &target else {
                    return Err(mismatch(&self.data_type));
                };
                let size = i32::try_from(*size).map_err(|_| mismatch(&self.data_type))?;
                let child = child.freeze()?;
                Arc::new(FixedSizeListArray::try_new_with_length(
                    Arc::clone(field),
                    size,
                    child,
                    nulls,
                    length,
                )?)
            }
            OutputData::Struct(fields) => {
                let DataType::Struct(names) = &target else { return Err(mismatch(&self.data_type)) };
                let arrays = fields.iter_mut().map(Output::freeze).collect::<Result<Vec<_>>>()?;
                Arc::new(StructArray::try_new_with_length(names.clone(), arrays, nulls, length)?)
            }
        };
        if array.data_type() == &target { Ok(array) } else { trusted::retyped(&array, target) }
    }

    /// As [`Output::freeze`], but lists that lie in elements of another column become a list view of these.
    ///
    /// # Errors
    /// As [`Output::freeze`].
    pub fn freeze_shared(&mut self) -> Result<ArrayRef> {
        let field = match self.data_type.to_arrow() {
            DataType::List(field) => field,
            _ => return self.freeze(),
        };
        let length = self.length;
        let nulls = match &self.data {
            OutputData::List { child, .. } if child.lent.is_some() => self.take_nulls(length),
            _ => return self.freeze(),
        };
        let OutputData::List { offsets, sizes, child } = &mut self.data else {
            return Err(mismatch(&self.data_type));
        };
        let places = [offsets, sizes].map(|places| {
            let buffer = Buffer::from_vec(std::mem::take(places));
            self.retained.keep(buffer.clone());
            ScalarBuffer::new(buffer, 0, length)
        });
        self.length = 0;
        trusted::list_view_array(field, places, child.freeze()?, nulls)
    }

    fn take_nulls(&mut self, length: usize) -> Option<NullBuffer> {
        if !std::mem::take(&mut self.has_nulls) || matches!(self.data, OutputData::Null) {
            return None;
        }
        self.validity.length = length;
        let nulls = NullBuffer::new(self.validity.freeze());
        (nulls.null_count() > 0).then_some(nulls)
    }
}

fn primitive<T: ArrowPrimitiveType>(
    values: &mut Vec<T::Native>,
    nulls: Option<NullBuffer>,
    retained: &mut Recycled,
) -> ArrayRef {
    let length = values.len();
    let buffer = Buffer::from_vec(std::mem::take(values));
    retained.keep(buffer.clone());
    Arc::new(PrimitiveArray::<T>::new(ScalarBuffer::new(buffer, 0, length), nulls))
}

/// Lists that follow one another without gaps keep their child; otherwise the child is put in order.
fn freeze_list(
    offsets: &mut Vec<i32>,
    sizes: &mut Vec<i32>,
    child: &mut Output,
) -> Result<(OffsetBuffer<i32>, ArrayRef)> {
    let elements = child.freeze()?;
    if let Some(ends) = take_ends(offsets, sizes) {
        let end = ends.last().map_or(0, |&end| end as usize);
        return Ok((OffsetBuffer::new(ScalarBuffer::from(ends)), elements.slice(0, end)));
    }
    let gathered = gather(&elements, offsets, sizes);
    offsets.clear();
    sizes.clear();
    gathered
}

/// The offsets of lists of which each starts where the one before it ends.
fn take_ends(offsets: &mut Vec<i32>, sizes: &mut Vec<i32>) -> Option<Vec<i32>> {
    if !part::follow_from_zero(offsets, sizes) {
        return None;
    }
    let end = offsets.last().zip(sizes.last()).map_or(0, |(start, size)| start + size);
    sizes.clear();
    let mut ends = std::mem::take(offsets);
    ends.push(end);
    Some(ends)
}

fn list_or_map(
    target: &DataType,
    offsets: OffsetBuffer<i32>,
    child: ArrayRef,
    nulls: Option<NullBuffer>,
) -> Result<ArrayRef> {
    match target {
        DataType::List(field) => Ok(Arc::new(ListArray::try_new(Arc::clone(field), offsets, child, nulls)?)),
        DataType::Map(field, ordered) => {
            let DataType::Struct(names) = field.data_type() else {
                return Err(Error::internal("map without entries"));
            };
            let entries = child
                .as_any()
                .downcast_ref::<StructArray>()
                .ok_or_else(|| Error::internal("map without entries"))?;
            let entries = StructArray::try_new(names.clone(), entries.columns().to_vec(), None)?;
            Ok(Arc::new(MapArray::try_new(Arc::clone(field), offsets, entries, nulls, *ordered)?))
        }
        other => Err(Error::internal(format!("list output of type {other}"))),
    }
}

fn mismatch(data_type: &Type) -> Error {
    Error::internal(format!("output of type {data_type} with values of another form"))
}
