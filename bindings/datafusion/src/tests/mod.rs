//! Tests of the whole: DataFusion plans with the engine inside, held against the engine by itself.

mod aggregates;
mod digest;
mod events;
mod feature_plans;
mod functions;
mod limits;
mod native;
