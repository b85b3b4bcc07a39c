//! Statements about transforms: what a session does with them.

use std::sync::Arc;

use hypostyle_engine::Context;
use hypostyle_planner::transform::{Fitted, Transform};
use hypostyle_planner::tree::Query;
use hypostyle_planner::{Definitions, transform};

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
    let fitted = transform::fit(context, definitions, transform, source, text, &mut |_| {})?;
    let fitted = Arc::new(fitted);
    if !session.definitions().set_fitted(&transform.name.text, Arc::clone(&fitted)) {
        return Err(Error::user(format!(
            "transform \"{}\" was dropped while it was fitted",
            transform.name.text
        )));
    }
    Ok(fitted)
}
