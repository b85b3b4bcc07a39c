//! Hypostyle: a vectorized columnar execution engine for machine-learning transforms.

pub mod value_text;
pub use hypostyle_functions::Type;
