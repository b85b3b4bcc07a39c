//! The schema of the batch before: producers say it anew with each batch, and it is read once.

use std::sync::{Mutex, PoisonError};

use hypostyle::arrow::datatypes::{Field, SchemaRef};
use hypostyle::arrow::error::ArrowError;
use hypostyle::arrow::ffi::FFI_ArrowSchema;

use super::schema_of;

/// The type of arrays, and the schema of their rows.
#[derive(Clone)]
pub struct Known {
    pub field: Field,
    pub rows: SchemaRef,
}

/// What the schema of the batch before was read as. One that says the same is compared in place; any other is read.
///
/// The lock is taken by threads that hold the interpreter, and for nothing that wants it.
#[derive(Default)]
pub struct LastSchema {
    last: Mutex<Option<(FFI_ArrowSchema, Known)>>,
}

impl LastSchema {
    /// What a schema says.
    pub fn read(&self, schema: &FFI_ArrowSchema) -> Result<Known, ArrowError> {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((said, known)) = &*last
            && says_the_same(said, schema)
        {
            return Ok(known.clone());
        }
        let field = Field::try_from(schema)?;
        let known = Known { rows: schema_of(&field), field };
        // A copy of our own, since the producer's is the producer's to free. Where the copy is said in other words than the original, each
        // schema is read.
        *last = FFI_ArrowSchema::try_from(&known.field).ok().map(|said| (said, known.clone()));
        Ok(known)
    }
}

/// True if two schemas have the same words for everything; those with metadata are not compared.
fn says_the_same(one: &FFI_ArrowSchema, other: &FFI_ArrowSchema) -> bool {
    let dictionaries = match (one.dictionary(), other.dictionary()) {
        (Some(one), Some(other)) => says_the_same(one, other),
        (None, None) => true,
        _ => false,
    };
    let flags = |schema: &FFI_ArrowSchema| schema.flags().map(|flags| flags.bits());
    let bare = |schema: &FFI_ArrowSchema| schema.metadata().is_ok_and(|metadata| metadata.is_empty());
    dictionaries
        && one.format() == other.format()
        && one.name().unwrap_or_default() == other.name().unwrap_or_default()
        && flags(one) == flags(other)
        && bare(one)
        && bare(other)
        && one.children().count() == other.children().count()
        && one.children().zip(other.children()).all(|(one, other)| says_the_same(one, other))
}
