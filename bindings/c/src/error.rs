//! Errors as objects.

use std::ffi::{CString, c_char};

use hypostyle::{Error, ErrorClass};

/// What kind of error it is.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HypostyleCode {
    /// No error.
    Ok = 0,
    /// The query, the data or an argument is at fault.
    User = 1,
    /// Memory, disk or another resource ran out.
    Resource = 2,
    /// The host stopped the run.
    Cancelled = 3,
    /// A bug of the library, which asks for a report.
    Internal = 4,
}

/// What went wrong: a code and a message.
pub struct HypostyleError {
    code: HypostyleCode,
    message: CString,
}

/// The kind of an error; HYPOSTYLE_CODE_OK for NULL. Any thread.
#[unsafe(no_mangle)]
pub extern "C" fn hypostyle_error_code(error: Option<&HypostyleError>) -> HypostyleCode {
    error.map_or(HypostyleCode::Ok, |error| error.code)
}

/// The message: where, what was wrong, what would be right; below it, where that is known, the line of the query with carets under what is at
/// fault. Lives as long as the error; empty for NULL. Any thread.
#[unsafe(no_mangle)]
pub extern "C" fn hypostyle_error_message(error: Option<&HypostyleError>) -> *const c_char {
    error.map_or(c"".as_ptr(), |error| error.message.as_ptr())
}

/// Frees an error. NULL is allowed.
#[unsafe(no_mangle)]
pub extern "C" fn hypostyle_error_free(error: Option<Box<HypostyleError>>) {
    drop(error);
}

/// What a function of the interface reports, before it becomes an object.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) code: HypostyleCode,
    pub(crate) message: String,
}

pub(crate) type Result<T, E = Failure> = std::result::Result<T, E>;

impl Failure {
    /// A user error with this text.
    pub(crate) fn user(message: impl Into<String>) -> Self {
        Self { code: HypostyleCode::User, message: message.into() }
    }

    /// An internal error with this text.
    pub(crate) fn internal(message: impl Into<String>) -> Self {
        Self { code: HypostyleCode::Internal, message: message.into() }
    }

    /// An error of a text of SQL, with the place in it.
    pub(crate) fn in_text(error: &Error, sql: &str) -> Self {
        Self { code: code(error), message: error.render(sql) }
    }

    /// The object.
    pub(crate) fn into_object(self) -> HypostyleError {
        // A zero inside would end the message early.
        let text = self.message.replace('\0', "\u{fffd}");
        HypostyleError { code: self.code, message: CString::new(text).unwrap_or_default() }
    }
}

fn code(error: &Error) -> HypostyleCode {
    match error.class() {
        ErrorClass::User => HypostyleCode::User,
        ErrorClass::Resource => HypostyleCode::Resource,
        ErrorClass::Cancelled => HypostyleCode::Cancelled,
        ErrorClass::Internal => HypostyleCode::Internal,
    }
}

impl<E: Into<Error>> From<E> for Failure {
    fn from(error: E) -> Self {
        let error = error.into();
        Self { code: code(&error), message: error.to_string() }
    }
}
