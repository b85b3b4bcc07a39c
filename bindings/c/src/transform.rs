//! Fitted transforms.

use std::ffi::c_char;
use std::mem::MaybeUninit;

use hypostyle::Transform;
use hypostyle::arrow::datatypes::Schema as ArrowSchema;
use hypostyle::arrow::ffi::{FFI_ArrowArray, FFI_ArrowSchema};

use crate::answer::HypostyleAnswer;
use crate::arrow_data::{give_batch, give_schema, taken_batch};
use crate::border::{act, ask, given, make, slice, text};
use crate::error::{Failure, HypostyleCode, HypostyleError};
use crate::prepared::HypostylePrepared;
use crate::row::HypostyleRow;
use crate::session::HypostyleSession;

/// A transform whose analyzers have their parameters. It never changes: any number of threads may use it at the same time.
pub struct HypostyleTransform {
    transform: Transform,
}

/// Frees a transform. NULL is allowed.
#[unsafe(no_mangle)]
pub extern "C" fn hypostyle_transform_free(transform: Option<Box<HypostyleTransform>>) {
    ask(|| drop(transform));
}

/// Fits a definition, `CREATE TRANSFORM name AS SELECT .. FROM input` or its query alone, on a source: a table, a path in quotes or a query. Any
/// thread; blocks, and hypostyle_session_cancel stops it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hypostyle_session_fit(
    session: Option<&HypostyleSession>,
    definition: *const c_char,
    source: *const c_char,
    error: Option<&mut MaybeUninit<*mut HypostyleError>>,
) -> Option<Box<HypostyleTransform>> {
    make(error, || {
        // SAFETY: by the contract of the header both are texts that end with a zero.
        let (definition, source) = unsafe { (text(definition, "definition")?, text(source, "source")?) };
        let session = given(session, "session")?;
        let transform = session.blocking(|| {
            session.session.fit(definition, source).map_err(|error| Failure::in_text(&error, definition))
        })?;
        Ok(HypostyleTransform { transform })
    })
}

/// Reads a transform from a file that hypostyle_transform_save or EXPORT TRANSFORM wrote, and verifies it. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hypostyle_session_load_transform(
    session: Option<&HypostyleSession>,
    path: *const c_char,
    error: Option<&mut MaybeUninit<*mut HypostyleError>>,
) -> Option<Box<HypostyleTransform>> {
    make(error, || {
        // SAFETY: by the contract of the header it is a text that ends with a zero.
        let path = unsafe { text(path, "path") }?;
        Ok(HypostyleTransform { transform: given(session, "session")?.session.load_transform(path)? })
    })
}

/// The fitted transform of this name, as CREATE TRANSFORM and FIT TRANSFORM made it. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hypostyle_session_transform(
    session: Option<&HypostyleSession>,
    name: *const c_char,
    error: Option<&mut MaybeUninit<*mut HypostyleError>>,
) -> Option<Box<HypostyleTransform>> {
    make(error, || {
        // SAFETY: by the contract of the header it is a text that ends with a zero.
        let name = unsafe { text(name, "name") }?;
        Ok(HypostyleTransform { transform: given(session, "session")?.session.transform(name)? })
    })
}

/// Gives a transform a name in a session, under which SQL applies it; replaces one of that name. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hypostyle_session_register_transform(
    session: Option<&HypostyleSession>,
    name: *const c_char,
    transform: Option<&HypostyleTransform>,
    error: Option<&mut MaybeUninit<*mut HypostyleError>>,
) -> HypostyleCode {
    act(error, || {
        // SAFETY: by the contract of the header it is a text that ends with a zero.
        let name = unsafe { text(name, "name") }?;
        let transform = &given(transform, "transform")?.transform;
        given(session, "session")?.session.register_transform(name, transform);
        Ok(())
    })
}

/// Writes a transform to a file, which has its name once it is whole. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hypostyle_transform_save(
    transform: Option<&HypostyleTransform>,
    path: *const c_char,
    error: Option<&mut MaybeUninit<*mut HypostyleError>>,
) -> HypostyleCode {
    act(error, || {
        // SAFETY: by the contract of the header it is a text that ends with a zero.
        let path = unsafe { text(path, "path") }?;
        Ok(given(transform, "transform")?.transform.save(path)?)
    })
}

/// The columns that a row of the transform brings, as a struct schema; for windows, behind the others, lists of the rows before it. Any thread.
#[unsafe(no_mangle)]
pub extern "C" fn hypostyle_transform_inputs(
    transform: Option<&HypostyleTransform>,
    schema: Option<&mut MaybeUninit<FFI_ArrowSchema>>,
    error: Option<&mut MaybeUninit<*mut HypostyleError>>,
) -> HypostyleCode {
    act(error, || {
        let columns = given(transform, "transform")?.transform.inputs().to_arrow();
        give_schema(&columns, given(schema, "schema")?)
    })
}

/// The columns that the transform gives, as a struct schema. Any thread.
#[unsafe(no_mangle)]
pub extern "C" fn hypostyle_transform_outputs(
    transform: Option<&HypostyleTransform>,
    schema: Option<&mut MaybeUninit<FFI_ArrowSchema>>,
    error: Option<&mut MaybeUninit<*mut HypostyleError>>,
) -> HypostyleCode {
    act(error, || {
        let columns = given(transform, "transform")?.transform.outputs().to_arrow();
        give_schema(&columns, given(schema, "schema")?)
    })
}

/// Applies a transform to a table, a path in quotes or a query of its session. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hypostyle_transform_apply(
    transform: Option<&HypostyleTransform>,
    source: *const c_char,
    error: Option<&mut MaybeUninit<*mut HypostyleError>>,
) -> Option<Box<HypostyleAnswer>> {
    make(error, || {
        // SAFETY: by the contract of the header it is a text that ends with a zero.
        let source = unsafe { text(source, "source") }?;
        let answer = given(transform, "transform")?.transform.apply(source);
        Ok(HypostyleAnswer::new(answer.map_err(|error| Failure::in_text(&error, source))?, source))
    })
}

/// Applies a transform to one batch, a struct array whose columns are found by name; without a schema it has the columns of
/// hypostyle_transform_inputs; of a transform with windows, of the tables that it is applied to, and the batch is such a table.
/// Takes array and schema over. The result has the columns of hypostyle_transform_outputs. Any thread.
#[unsafe(no_mangle)]
pub extern "C" fn hypostyle_transform_apply_array(
    transform: Option<&HypostyleTransform>,
    array: Option<&mut FFI_ArrowArray>,
    schema: Option<&mut FFI_ArrowSchema>,
    result: Option<&mut MaybeUninit<FFI_ArrowArray>>,
    error: Option<&mut MaybeUninit<*mut HypostyleError>>,
) -> HypostyleCode {
    act(error, || {
        let transform = &given(transform, "transform")?.transform;
        let (array, result) = (given(array, "array")?, given(result, "result")?);
        give_batch(None, result);
        let inputs: ArrowSchema = transform.table_inputs().to_arrow();
        let batch = taken_batch(array, schema, Some(&inputs))?;
        let outputs = transform.apply_batches(&[batch])?;
        let columns = std::sync::Arc::new(transform.outputs().to_arrow());
        give_batch(Some(hypostyle::arrow::compute::concat_batches(&columns, &outputs)?), result);
        Ok(())
    })
}

/// The transform as a statement over an input with the columns of hypostyle_transform_inputs, to be started and pushed into. Any thread.
#[unsafe(no_mangle)]
pub extern "C" fn hypostyle_transform_prepare(
    transform: Option<&HypostyleTransform>,
    error: Option<&mut MaybeUninit<*mut HypostyleError>>,
) -> Option<Box<HypostylePrepared>> {
    make(error, || Ok(HypostylePrepared::new(given(transform, "transform")?.transform.prepare()?, "")))
}

/// Makes an evaluator for single rows of all outputs, or, with `count` above 0, of the outputs of these names. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hypostyle_transform_row(
    transform: Option<&HypostyleTransform>,
    outputs: *const *const c_char,
    count: usize,
    error: Option<&mut MaybeUninit<*mut HypostyleError>>,
) -> Option<Box<HypostyleRow>> {
    make(error, || {
        let transform = &given(transform, "transform")?.transform;
        // SAFETY: by the contract of the header `outputs` has `count` pointers.
        let outputs = unsafe { slice(outputs, count, "outputs") }?;
        if outputs.is_empty() {
            return Ok(HypostyleRow::new(transform.row()?, ""));
        }
        let mut names = Vec::with_capacity(outputs.len());
        for &name in outputs {
            // SAFETY: by the contract of the header each is a text that ends with a zero.
            names.push(unsafe { text(name, "outputs") }?);
        }
        Ok(HypostyleRow::new(transform.row_of(&names)?, ""))
    })
}
