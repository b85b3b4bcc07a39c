//! An owned column: flat, constant or dictionary-encoded. The encoding may differ from batch to batch.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, UInt32Array, new_null_array};
use arrow::buffer::{BooleanBuffer, NullBuffer, ScalarBuffer};
use arrow::datatypes::DataType;
use bumpalo::Bump;

use super::bits::Bits;
use super::borrow::borrow;
use super::filter::filter;
use super::list_view::{chosen, is_list_view, to_list};
use super::look_up::look_up;
use super::recycled::Recycled;
use super::view::{Encoding, View};
use crate::error::Result;
use crate::types::Type;

/// A column of a batch. Arrays are in the engine's layout, [`Type::to_arrow`].
#[derive(Debug, Clone)]
pub enum Column {
    /// One value per row.
    Flat(ArrayRef),
    /// One value for all rows.
    Constant {
        /// An array of one value.
        value: ArrayRef,
        /// Number of rows.
        length: usize,
    },
    /// Rows that point to values. Values are shared between batches of one row group.
    Dictionary {
        /// Value of each row; 0 where the row is null. Every index is inside the values.
        indices: ScalarBuffer<u32>,
        /// Nulls on top of those of the values.
        validity: Option<NullBuffer>,
        /// The values; at least one if there is a row.
        values: ArrayRef,
    },
    /// Lists that lie anywhere in elements which they share with another column: an Arrow list view.
    Spans(ArrayRef),
}

impl Column {
    /// Nulls of this type.
    pub fn nulls(data_type: &Type, length: usize) -> Self {
        Self::Constant { value: new_null_array(&data_type.to_arrow(), 1), length }
    }

    /// The column of an array that was made as [`Output::freeze_shared`] makes it.
    ///
    /// [`Output::freeze_shared`]: super::Output::freeze_shared
    pub fn of_array(array: ArrayRef) -> Self {
        if is_list_view(&array) { Self::Spans(array) } else { Self::Flat(array) }
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        match self {
            Self::Flat(array) | Self::Spans(array) => array.len(),
            Self::Constant { length, .. } => *length,
            Self::Dictionary { indices, .. } => indices.len(),
        }
    }

    /// True without rows.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The column for reading; child views are made in `bump`.
    pub fn view<'a>(&'a self, data_type: &'a Type, bump: &'a Bump) -> View<'a> {
        match self {
            Self::Flat(array) | Self::Spans(array) => borrow(array, data_type, bump),
            Self::Constant { value, length } => {
                View { length: *length, encoding: Encoding::Constant, ..borrow(value, data_type, bump) }
            }
            Self::Dictionary { indices, validity, values } => {
                let validity = validity.as_ref().map(|nulls| &*bump.alloc(Bits::of_nulls(nulls)));
                let encoding = Encoding::Dictionary { indices, validity };
                View { length: indices.len(), encoding, ..borrow(values, data_type, bump) }
            }
        }
    }

    /// Rows `start .. start + length`, without copying.
    pub fn slice(&self, start: usize, length: usize) -> Self {
        match self {
            Self::Flat(array) => Self::Flat(array.slice(start, length)),
            Self::Spans(array) => Self::Spans(array.slice(start, length)),
            Self::Constant { value, .. } => Self::Constant { value: Arc::clone(value), length },
            Self::Dictionary { indices, validity, values } => Self::Dictionary {
                indices: indices.slice(start, length),
                validity: validity.as_ref().map(|nulls| nulls.slice(start, length)),
                values: Arc::clone(values),
            },
        }
    }

    /// The rows where `keep` is set, whose number is `kept`.
    ///
    /// # Errors
    /// What Arrow reports.
    pub fn filter(&self, keep: &BooleanBuffer, kept: usize) -> Result<Self> {
        Ok(match self {
            Self::Flat(array) => Self::Flat(filter(array, keep, kept)?),
            Self::Spans(array) => {
                Self::Spans(chosen(array.as_list_view(), |numbers| filter(numbers, keep, kept))?)
            }
            Self::Constant { value, .. } => Self::Constant { value: Arc::clone(value), length: kept },
            Self::Dictionary { indices, validity, values } => {
                let codes: ArrayRef = Arc::new(UInt32Array::new(indices.clone(), validity.clone()));
                let codes = filter(&codes, keep, kept)?;
                Self::of_codes(&codes, Arc::clone(values))
            }
        })
    }

    /// The rows at these positions, in this order; a null position gives a null row.
    ///
    /// # Errors
    /// What Arrow reports.
    pub fn take(&self, rows: &UInt32Array) -> Result<Self> {
        Ok(match self {
            Self::Flat(array) => Self::Flat(arrow_select::take::take(array, rows, None)?),
            Self::Spans(array) => {
                let taken = |numbers: &ArrayRef| Ok(arrow_select::take::take(numbers, rows, None)?);
                Self::Spans(chosen(array.as_list_view(), taken)?)
            }
            Self::Constant { value, .. } if rows.null_count() == 0 => {
                Self::Constant { value: Arc::clone(value), length: rows.len() }
            }
            Self::Constant { value, .. } => Self::Dictionary {
                indices: ScalarBuffer::from(vec![0; rows.len()]),
                validity: rows.nulls().cloned(),
                values: Arc::clone(value),
            },
            Self::Dictionary { indices, validity, values } => {
                let codes = UInt32Array::new(indices.clone(), validity.clone());
                let codes = arrow_select::take::take(&codes, rows, None)?;
                Self::of_codes(&codes, Arc::clone(values))
            }
        })
    }

    fn of_codes(codes: &ArrayRef, values: ArrayRef) -> Self {
        use arrow::array::AsArray;
        let codes = codes.as_primitive::<arrow::datatypes::UInt32Type>();
        Self::Dictionary { indices: codes.values().clone(), validity: codes.nulls().cloned(), values }
    }

    /// The column as one flat array of the engine's layout.
    ///
    /// # Errors
    /// What Arrow reports.
    pub fn to_array(&self) -> Result<ArrayRef> {
        match self {
            Self::Flat(array) => Ok(Arc::clone(array)),
            Self::Spans(array) => to_list(array.as_list_view()),
            Self::Constant { value, length } => {
                let rows = UInt32Array::from(vec![0u32; *length]);
                Ok(arrow_select::take::take(value, &rows, None)?)
            }
            Self::Dictionary { indices, validity, values } => {
                look_up(values, indices, validity.as_ref(), &mut Recycled::default())
            }
        }
    }

    /// The column with a value for each row, numbers of a dictionary in `recycled` room; lists stay where they lie.
    ///
    /// # Errors
    /// What Arrow reports.
    pub fn decoded(&self, recycled: &mut Recycled) -> Result<Self> {
        match self {
            Self::Flat(_) | Self::Spans(_) => Ok(self.clone()),
            Self::Constant { .. } => self.to_array().map(Self::Flat),
            Self::Dictionary { indices, validity, values } => {
                look_up(values, indices, validity.as_ref(), recycled).map(Self::Flat)
            }
        }
    }

    /// Bytes of the buffers this column refers to; shared buffers are counted in full.
    pub fn memory_bytes(&self) -> usize {
        match self {
            Self::Flat(array) | Self::Spans(array) | Self::Constant { value: array, .. } => {
                array.get_array_memory_size()
            }
            Self::Dictionary { indices, values, .. } => indices.len() * 4 + values.get_array_memory_size(),
        }
    }

    /// Bytes that the rows take by themselves: what lies in shared buffers (text beyond its sixteen bytes of view,
    /// values of a dictionary) is not counted, so the figure can be added up over batches.
    pub fn row_bytes(&self) -> usize {
        match self {
            Self::Flat(array) => array_row_bytes(array.as_ref()),
            Self::Spans(array) => 8 * array.len(),
            Self::Constant { .. } => 0,
            Self::Dictionary { indices, .. } => indices.len() * 4,
        }
    }
}

fn array_row_bytes(array: &dyn Array) -> usize {
    let rows = array.len();
    let validity = array.nulls().map_or(0, |_| rows.div_ceil(8));
    let values = match array.data_type() {
        DataType::Boolean => rows.div_ceil(8),
        DataType::Utf8View | DataType::BinaryView => 16 * rows,
        DataType::List(_) => {
            let list = array.as_list::<i32>();
            let offsets = list.value_offsets();
            let (start, end) = (offsets.first().copied(), offsets.last().copied());
            let (start, end) = (start.unwrap_or(0) as usize, end.unwrap_or(0) as usize);
            4 * rows + array_row_bytes(list.values().slice(start, end - start).as_ref())
        }
        // A slice of such an array holds the slice of its values.
        DataType::FixedSizeList(..) => array_row_bytes(array.as_fixed_size_list().values().as_ref()),
        DataType::Struct(_) => {
            array.as_struct().columns().iter().map(|child| array_row_bytes(child.as_ref())).sum()
        }
        other => other.primitive_width().unwrap_or(16) * rows,
    };
    validity + values
}

/// Makes each column flat.
///
/// # Errors
/// What Arrow reports.
pub fn flatten(columns: &[Column]) -> Result<Vec<ArrayRef>> {
    columns.iter().map(Column::to_array).collect()
}
