//! Columns of fixed width as memory that NumPy and others read in place.

use std::sync::Arc;

use hypostyle::arrow::array::{Array, ArrayRef, AsArray, UInt8Array};
use hypostyle::arrow::buffer::Buffer;
use hypostyle::arrow::datatypes::DataType;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};

/// Kind of numbers, as NumPy and DLPack both tell them apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Signed,
    Unsigned,
    Float,
    Boolean,
}

/// Numbers in memory that stay there as long as this is referred to: one number a row, or rows of `columns` numbers.
#[pyclass(frozen, module = "hypostyle._native")]
pub struct Values {
    /// What holds the memory.
    _owner: ArrayRef,
    buffer: Buffer,
    pub rows: usize,
    pub columns: Option<usize>,
    pub kind: Kind,
    /// Bytes of a number.
    pub width: usize,
}

impl Values {
    /// The values of a column of numbers, dates, timestamps or embeddings; what a null hides is any number. `None` for
    /// other columns and for embeddings with a null element.
    pub fn of(array: &ArrayRef) -> Option<Self> {
        if let DataType::FixedSizeList(_, size) = array.data_type() {
            let list = array.as_fixed_size_list();
            let size = usize::try_from(*size).ok()?;
            let whole = list.values().null_count() == 0
                || (0..list.len()).all(|row| list.is_null(row) || list.value(row).null_count() == 0);
            let elements = if whole { Self::of(list.values())? } else { return None };
            return elements.columns.is_none().then_some(Self {
                rows: array.len(),
                columns: Some(size),
                ..elements
            });
        }
        let (kind, width) = layout(array.data_type())?;
        let data = array.to_data();
        let buffer = data.buffers().first()?.slice_with_length(data.offset() * width, data.len() * width);
        Some(Self { _owner: Arc::clone(array), buffer, rows: array.len(), columns: None, kind, width })
    }

    /// One byte a row: 1 where the column holds a value.
    pub fn validity(array: &ArrayRef) -> Self {
        let valid = UInt8Array::from_iter_values((0..array.len()).map(|row| u8::from(array.is_valid(row))));
        let buffer = valid.values().inner().clone();
        Self {
            rows: valid.len(),
            _owner: Arc::new(valid),
            buffer,
            columns: None,
            kind: Kind::Boolean,
            width: 1,
        }
    }

    /// Where the numbers lie.
    pub fn address(&self) -> *const u8 {
        self.buffer.as_ptr()
    }

    /// Rows, and numbers of a row.
    pub fn shape(&self) -> Vec<usize> {
        std::iter::once(self.rows).chain(self.columns).collect()
    }
}

fn layout(data_type: &DataType) -> Option<(Kind, usize)> {
    use DataType as D;
    Some(match data_type {
        D::Int8 => (Kind::Signed, 1),
        D::Int16 => (Kind::Signed, 2),
        D::Int32 | D::Date32 => (Kind::Signed, 4),
        D::Int64 | D::Timestamp(..) => (Kind::Signed, 8),
        D::UInt8 => (Kind::Unsigned, 1),
        D::UInt16 => (Kind::Unsigned, 2),
        D::UInt32 => (Kind::Unsigned, 4),
        D::UInt64 => (Kind::Unsigned, 8),
        D::Float16 => (Kind::Float, 2),
        D::Float32 => (Kind::Float, 4),
        D::Float64 => (Kind::Float, 8),
        _ => return None,
    })
}

#[pymethods]
impl Values {
    /// The memory as NumPy reads it, read-only.
    #[getter]
    fn __array_interface__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let kind = match self.kind {
            Kind::Signed => 'i',
            Kind::Unsigned => 'u',
            Kind::Float => 'f',
            Kind::Boolean => 'b',
        };
        let order = match (self.width, cfg!(target_endian = "big")) {
            (1, _) => '|',
            (_, false) => '<',
            (_, true) => '>',
        };
        let interface = PyDict::new(py);
        interface.set_item("version", 3)?;
        interface.set_item("typestr", format!("{order}{kind}{}", self.width))?;
        interface.set_item("shape", PyTuple::new(py, self.shape())?)?;
        interface.set_item("data", (self.address() as usize, true))?;
        Ok(interface)
    }

    fn __len__(&self) -> usize {
        self.rows
    }
}
