//! DLPack: numbers in memory as PyTorch, NumPy, JAX and others take them, without copying.

use std::ffi::{CStr, c_void};
use std::ptr::NonNull;

use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::PyCapsule;

use crate::array_view::{Kind, Values};

/// The kind of device that is a CPU.
pub const CPU: i32 = 1;
/// Nobody may write: the engine and others read the same memory.
const READ_ONLY: u64 = 1;

const LEGACY: &CStr = c"dltensor";
const VERSIONED: &CStr = c"dltensor_versioned";

/// `DLTensor` of dlpack.h.
#[repr(C)]
struct Tensor {
    data: *mut c_void,
    device_type: i32,
    device_id: i32,
    dimensions: i32,
    code: u8,
    bits: u8,
    lanes: u16,
    shape: *mut i64,
    strides: *mut i64,
    byte_offset: u64,
}

/// `DLManagedTensor` of dlpack.h.
#[repr(C)]
struct LegacyTensor {
    tensor: Tensor,
    owner: *mut Owner,
    delete: Option<unsafe extern "C" fn(*mut LegacyTensor)>,
}

/// `DLManagedTensorVersioned` of dlpack.h, version 1.0.
#[repr(C)]
struct VersionedTensor {
    major: u32,
    minor: u32,
    owner: *mut Owner,
    delete: Option<unsafe extern "C" fn(*mut VersionedTensor)>,
    flags: u64,
    tensor: Tensor,
}

/// What a tensor refers to.
struct Owner {
    _values: Values,
    shape: Vec<i64>,
    strides: Vec<i64>,
}

impl Owner {
    /// The owner, which lives until the tensor is deleted, and the tensor.
    fn tensor(values: Values) -> (*mut Owner, Tensor) {
        let code = match values.kind {
            Kind::Signed => 0,
            Kind::Unsigned => 1,
            Kind::Float => 2,
            Kind::Boolean => 6,
        };
        let bits = (values.width * 8) as u8;
        let data = values.address().cast_mut().cast();
        let shape: Vec<i64> = values.shape().into_iter().map(|length| length as i64).collect();
        let strides = vec![shape.get(1).copied().unwrap_or(1), 1];
        let mut owner = Box::new(Owner { _values: values, shape, strides });
        let strides = &mut owner.strides[2 - owner.shape.len()..];
        let tensor = Tensor {
            data,
            device_type: CPU,
            device_id: 0,
            dimensions: owner.shape.len() as i32,
            code,
            bits,
            lanes: 1,
            strides: strides.as_mut_ptr(),
            shape: owner.shape.as_mut_ptr(),
            byte_offset: 0,
        };
        (Box::into_raw(owner), tensor)
    }
}

/// # Safety
/// `tensor` is one that [`capsule`] made and that nobody has deleted; this is what consumers call once.
unsafe extern "C" fn delete_legacy(tensor: *mut LegacyTensor) {
    // SAFETY: by contract, the box that `capsule` let go of.
    let tensor = unsafe { Box::from_raw(tensor) };
    // SAFETY: as above, that of the owner.
    drop(unsafe { Box::from_raw(tensor.owner) });
}

/// # Safety
/// As for [`delete_legacy`].
unsafe extern "C" fn delete_versioned(tensor: *mut VersionedTensor) {
    // SAFETY: by contract, the box that `capsule` let go of.
    let tensor = unsafe { Box::from_raw(tensor) };
    // SAFETY: as above, that of the owner.
    drop(unsafe { Box::from_raw(tensor.owner) });
}

/// Deletes the tensor of a capsule that no consumer has taken: whoever takes it gives the capsule another name.
///
/// # Safety
/// Called by Python with a capsule of [`capsule`] while it goes away.
unsafe extern "C" fn destroy(capsule: *mut ffi::PyObject) {
    for name in [LEGACY, VERSIONED] {
        // SAFETY: the capsule is alive, and the name ends with a zero.
        if unsafe { ffi::PyCapsule_IsValid(capsule, name.as_ptr()) } == 0 {
            continue;
        }
        // SAFETY: the capsule has this name, so the pointer is there and is that of the struct of this name.
        let pointer = unsafe { ffi::PyCapsule_GetPointer(capsule, name.as_ptr()) };
        if name == LEGACY {
            // SAFETY: nobody has deleted the tensor, else the capsule would have another name.
            unsafe { delete_legacy(pointer.cast()) };
        } else {
            // SAFETY: as above.
            unsafe { delete_versioned(pointer.cast()) };
        }
        return;
    }
}

/// A capsule of a tensor: of the form that says that it is read-only, for consumers that know it.
pub fn capsule(py: Python<'_>, values: Values, versioned: bool) -> PyResult<Bound<'_, PyCapsule>> {
    let (owner, tensor) = Owner::tensor(values);
    let (pointer, name): (*mut c_void, _) = if versioned {
        let made = VersionedTensor {
            major: 1,
            minor: 0,
            owner,
            delete: Some(delete_versioned),
            flags: READ_ONLY,
            tensor,
        };
        (Box::into_raw(Box::new(made)).cast(), VERSIONED)
    } else {
        let made = LegacyTensor { tensor, owner, delete: Some(delete_legacy) };
        (Box::into_raw(Box::new(made)).cast(), LEGACY)
    };
    let Some(pointer) = NonNull::new(pointer) else { unreachable!("a box has an address") };
    // SAFETY: the pointer is to the struct that has this name in DLPack, and `destroy` frees it if nobody else does.
    unsafe { PyCapsule::new_with_pointer_and_destructor(py, pointer, name, Some(destroy)) }
}
