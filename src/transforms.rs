//! Statements about transforms: what a session does with them.

use std::path::Path;
use std::sync::Arc;

use hypostyle_engine::Context;
use hypostyle_planner::transform::{Fitted, Transform};
use hypostyle_planner::tree::Query;
use hypostyle_planner::{Definitions, Observer, transform};

use crate::artifact;
use crate::error::{Error, Result};
use crate::session::Session;

/// Fits a transform of the session.
pub(crate) fn fit(
    session: &Session,
    context: &Arc<Context>,
    definitions: &Definitions,
    transform: &Transform,
    source: &Query,
    text: &str,
) -> Result<Arc<Fitted>> {
    let observer = session.fit_observer();
    let fitted = transform::fit(context, definitions, transform, source, text, Observer(&observer))?;
    let fitted = Arc::new(fitted);
    if !session.definitions().set_fitted(transform, Arc::clone(&fitted)) {
        return Err(Error::user(format!(
            "transform \"{}\" was dropped or replaced while it was fitted",
            transform.name.text
        )));
    }
    Ok(fitted)
}

/// Writes a fitted transform of the session to a file.
pub(crate) fn export(session: &Session, transform: &Transform, path: &str) -> Result<()> {
    let name = &transform.name.text;
    let Some(fitted) = &transform.fitted else {
        return Err(Error::user(format!(
            "transform \"{name}\" is not fitted; run FIT TRANSFORM {name} FROM .. first"
        )));
    };
    artifact::write(Path::new(path), name, &transform.sql, fitted, &session.context())
}

/// Reads a fitted transform from a file.
pub(crate) fn import(session: &Session, name: Option<String>, path: &str, replace: bool) -> Result<()> {
    let transform = session.load_transform(path)?;
    let name = name.unwrap_or_else(|| transform.name().to_owned());
    if !replace && session.definitions().transform(&name).is_some() {
        return Err(Error::user(format!(
            "transform \"{name}\" is there already; use IMPORT OR REPLACE TRANSFORM, or give it another name"
        )));
    }
    session.register_transform(&name, &transform);
    Ok(())
}
