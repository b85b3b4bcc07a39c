//! What every function of the interface does: pointers to values, errors to objects, panics to errors.

use std::any::Any;
use std::ffi::{CStr, c_char};
use std::mem::MaybeUninit;
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::error::{Failure, HypostyleCode, HypostyleError, Result};

/// Where an error goes: a place that the caller may leave out and need not have initialised.
pub(crate) type ErrorPlace<'a> = Option<&'a mut MaybeUninit<*mut HypostyleError>>;

/// Runs `body`; what goes wrong, a panic too, is written to `place`, and NULL where nothing does.
fn guarded<T>(
    place: ErrorPlace<'_>,
    body: impl FnOnce() -> Result<T>,
) -> std::result::Result<T, HypostyleCode> {
    // Handles hold locks that forgive poisoning, or are given up by a failed call, so none is seen half changed.
    let result = catch_unwind(AssertUnwindSafe(body)).unwrap_or_else(|panic| Err(of_panic(&*panic)));
    let (result, error) = match result {
        Ok(value) => (Ok(value), std::ptr::null_mut()),
        Err(failure) => (
            Err(failure.code),
            Some(failure)
                .filter(|_| place.is_some())
                .map_or(std::ptr::null_mut(), |failure| Box::into_raw(Box::new(failure.into_object()))),
        ),
    };
    if let Some(place) = place {
        place.write(error);
    }
    result
}

fn of_panic(panic: &(dyn Any + Send)) -> Failure {
    let text = panic.downcast_ref::<&str>().map(ToString::to_string);
    let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
    Failure::internal(format!(
        "internal error: {}; please report it",
        text.as_deref().unwrap_or("a function panicked")
    ))
}

/// A function that makes a handle: NULL where it fails.
pub(crate) fn make<T>(place: ErrorPlace<'_>, body: impl FnOnce() -> Result<T>) -> Option<Box<T>> {
    guarded(place, body).ok().map(Box::new)
}

/// A function that does something: the code of its error.
pub(crate) fn act(place: ErrorPlace<'_>, body: impl FnOnce() -> Result<()>) -> HypostyleCode {
    guarded(place, body).err().unwrap_or(HypostyleCode::Ok)
}

/// A function that cannot fail but by a panic, which gives the default.
pub(crate) fn ask<T: Default>(body: impl FnOnce() -> T) -> T {
    catch_unwind(AssertUnwindSafe(body)).unwrap_or_default()
}

/// An argument that must not be NULL.
pub(crate) fn given<T>(argument: Option<T>, name: &str) -> Result<T> {
    argument.ok_or_else(|| Failure::user(format!("argument \"{name}\" is NULL")))
}

/// A text that ends with a zero.
///
/// # Safety
/// NULL, or a text that ends with a zero and stays as it is for `'a`.
pub(crate) unsafe fn text<'a>(pointer: *const c_char, name: &str) -> Result<&'a str> {
    if pointer.is_null() {
        return Err(Failure::user(format!("argument \"{name}\" is NULL")));
    }
    // SAFETY: not NULL, and the caller promises the rest.
    let text = unsafe { CStr::from_ptr(pointer) };
    text.to_str().map_err(|_| Failure::user(format!("argument \"{name}\" is not UTF-8")))
}

/// A number of values; NULL is allowed where there are none.
///
/// # Safety
/// NULL, or `count` initialised values that stay as they are for `'a`.
pub(crate) unsafe fn slice<'a, T>(pointer: *const T, count: usize, name: &str) -> Result<&'a [T]> {
    if count == 0 {
        return Ok(&[]);
    }
    if pointer.is_null() {
        return Err(Failure::user(format!("argument \"{name}\" is NULL, and {count} values were promised")));
    }
    // SAFETY: not NULL, and the caller promises the rest.
    Ok(unsafe { std::slice::from_raw_parts(pointer, count) })
}

/// A text of a length.
///
/// # Safety
/// As [`slice`].
pub(crate) unsafe fn text_of_length<'a>(
    pointer: *const c_char,
    length: usize,
    name: &str,
) -> Result<&'a str> {
    // SAFETY: the same contract.
    let bytes = unsafe { slice(pointer.cast::<u8>(), length, name) }?;
    std::str::from_utf8(bytes).map_err(|_| Failure::user(format!("argument \"{name}\" is not UTF-8")))
}
