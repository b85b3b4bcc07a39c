//! The error of this crate.

use hypostyle_planner as planner;

/// Result with this crate's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What can be wrong with a plan.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The bytes are not a plan of the format.
    #[error("the bytes are not a Substrait plan: {0}")]
    Damaged(String),
    /// A part of the format, or of this engine, that has no counterpart on the other side.
    #[error("{what} is not supported{}", standing_in(.place.as_deref()))]
    Unsupported {
        /// The part, by its name.
        what: String,
        /// The relation that it stands in.
        place: Option<String>,
    },
    /// A plan that contradicts itself or the tables it reads.
    #[error("{problem}{}", standing_in(.place.as_deref()))]
    Invalid {
        /// What is wrong, and what would be right.
        problem: String,
        /// The relation that it stands in.
        place: Option<String>,
    },
}

fn standing_in(place: Option<&str>) -> String {
    place.map_or(String::new(), |place| format!(", in a Substrait {place} relation"))
}

impl Error {
    /// A part without a counterpart.
    pub(crate) fn unsupported(what: impl Into<String>) -> Self {
        Self::Unsupported { what: what.into(), place: None }
    }

    /// A contradiction.
    pub(crate) fn invalid(problem: impl Into<String>) -> Self {
        Self::Invalid { problem: problem.into(), place: None }
    }

    /// A message without a field that it must have.
    pub(crate) fn missing(what: &str) -> Self {
        Self::invalid(format!("the plan has no {what}"))
    }

    /// The same error, in this relation unless it is in one already.
    pub(crate) fn within(mut self, relation: &str) -> Self {
        match &mut self {
            Self::Unsupported { place, .. } | Self::Invalid { place, .. } if place.is_none() => {
                *place = Some(relation.to_owned());
            }
            _ => {}
        }
        self
    }
}

impl From<planner::Error> for Error {
    fn from(error: planner::Error) -> Self {
        Self::invalid(error.message())
    }
}
