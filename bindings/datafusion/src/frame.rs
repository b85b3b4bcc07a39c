//! Features of a DataFrame.

use datafusion::error::Result;
use datafusion::prelude::DataFrame;

use crate::features::Features;
use crate::node::FeaturesNode;

/// Adds features to what a `DataFrame` can do. The context of the frame is one that [`crate::register_all`] was called with.
pub trait FeatureFrame: Sized {
    /// The features of each row: those of a query whose table `input` is this frame, or of a fitted transform.
    ///
    /// # Errors
    /// A query that does not bind to the columns of the frame, or a transform that was fitted on others.
    fn features(self, features: impl Into<Features>) -> Result<Self>;
}

impl FeatureFrame for DataFrame {
    fn features(self, features: impl Into<Features>) -> Result<Self> {
        let (state, plan) = self.into_parts();
        let plan = FeaturesNode::try_new(plan, features)?.into_plan();
        Ok(DataFrame::new(state, plan))
    }
}
