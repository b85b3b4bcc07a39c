//! Statements about transforms: what a session does with them.

use std::path::Path;
use std::sync::Arc;

use hypostyle_engine::Context;
use hypostyle_planner::transform::Transform;
use hypostyle_planner::tree::FitTransform;
use hypostyle_planner::{Definitions, Observer, transform};

use crate::artifact;
use crate::error::{Error, Result};
use crate::fit_state::FitState;
use crate::session::Session;

/// Fits a transform of the session, or a piece of its rows.
pub(crate) fn fit(
    session: &Session,
    context: &Arc<Context>,
    definitions: &Definitions,
    transform: &Transform,
    fit: &FitTransform,
) -> Result<()> {
    let states = fit.states.iter().map(FitState::load).collect::<Result<Vec<_>>>()?;
    let fitted = match (&fit.partial, &fit.source) {
        (Some(partial), Some(source)) => {
            let state = session.fit_piece(transform, source, &fit.text, partial.piece, &states)?;
            return state.save(&partial.path);
        }
        (Some(partial), None) => return session.merge_fits(&states)?.save(&partial.path),
        (None, Some(source)) => {
            let observer = session.fit_observer();
            transform::fit(context, definitions, transform, source, &fit.text, Observer(&observer))?
        }
        (None, None) => session.finish_states(transform, &states)?,
    };
    match session.definitions().set_fitted(transform, Arc::new(fitted)) {
        true => Ok(()),
        false => Err(Error::user(format!(
            "transform \"{}\" was dropped or replaced while it was fitted",
            transform.name.text
        ))),
    }
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
