//! Plans as bytes: a header with the version, then JSON. Reading checks the form; what a plan means is
//! checked by [`super::verify`] before it runs.

use serde::de::DeserializeOwned;

use super::{PLAN_VERSION, Plan};
use crate::error::{Error, Result};

/// Start of every written plan; the version and a line end follow.
const MAGIC: &str = "hypostyle plan ";

/// Deepest nesting of the JSON text; a node takes three levels, an expression two or three.
const NESTING_MAX: usize = 3000;

/// Nesting up to which the caller's stack is enough.
const NESTING_SMALL: usize = 96;

/// Stack with which deeper plans are read.
const STACK_BYTES: usize = 256 << 20;

impl Plan {
    /// The plan as bytes that [`Plan::from_bytes`] reads, in this and in later releases.
    ///
    /// # Errors
    /// None that a plan made by this crate gives.
    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        let mut bytes = format!("{MAGIC}{PLAN_VERSION}\n").into_bytes();
        serde_json::to_writer(&mut bytes, self)
            .map_err(|error| Error::internal(format!("a plan was not written: {error}")))?;
        Ok(bytes)
    }

    /// Reads a plan that [`Plan::to_bytes`] wrote.
    ///
    /// # Errors
    /// Bytes that are no plan, damaged, of a later version, or nested too deep.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        let foreign = || Error::user("the bytes are not a plan of this engine");
        let rest = bytes.strip_prefix(MAGIC.as_bytes()).ok_or_else(foreign)?;
        let end = rest.iter().take(12).position(|&byte| byte == b'\n').ok_or_else(foreign)?;
        let version = std::str::from_utf8(&rest[..end])
            .ok()
            .and_then(|text| text.parse::<u32>().ok())
            .ok_or_else(foreign)?;
        if version != PLAN_VERSION {
            return Err(Error::user(format!(
                "the plan has version {version}; this release reads version {PLAN_VERSION}"
            )));
        }
        from_json(&rest[end + 1..], "the plan")
    }
}

/// Reads JSON that may hold expressions, however deep they are; `what` names it in messages.
///
/// # Errors
/// A text that is no such JSON, or that is nested too deep.
pub fn from_json<T: DeserializeOwned + Send>(json: &[u8], what: &str) -> Result<T> {
    match nesting(json) {
        depth if depth > NESTING_MAX => {
            Err(Error::user(format!("{what} is nested {depth} levels deep; at most {NESTING_MAX} are read")))
        }
        depth if depth > NESTING_SMALL => read_on_large_stack(json, what),
        _ => read(json, what),
    }
}

fn read<T: DeserializeOwned>(json: &[u8], what: &str) -> Result<T> {
    let mut reader = serde_json::Deserializer::from_slice(json);
    reader.disable_recursion_limit();
    let value = serde::Deserialize::deserialize(&mut reader);
    let value = value.and_then(|value| reader.end().map(|()| value));
    value.map_err(|error| Error::user(format!("{what} is damaged: {error}")))
}

/// Deep plans would overflow a stack of the usual size, in reading and in dropping what a damaged one left.
fn read_on_large_stack<T: DeserializeOwned + Send>(json: &[u8], what: &str) -> Result<T> {
    std::thread::scope(|scope| {
        let thread =
            std::thread::Builder::new().stack_size(STACK_BYTES).spawn_scoped(scope, || read(json, what));
        let thread =
            thread.map_err(|error| Error::Resource(format!("no thread to read a deep plan: {error}")))?;
        thread.join().unwrap_or_else(|_| Err(Error::internal("reading a plan panicked")))
    })
}

/// Deepest nesting of brackets outside of strings.
fn nesting(json: &[u8]) -> usize {
    let (mut depth, mut deepest, mut in_string, mut escaped) = (0usize, 0, false, false);
    for &byte in json {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b'{' | b'[' if !in_string => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b'}' | b']' if !in_string => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}
