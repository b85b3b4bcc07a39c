//! The messages of the format, as far as this engine writes or reads them.
//!
//! Fields that were replaced in later versions of the format (up to 0.102) stand beside their successors: a reader that
//! does not know a field passes over it, so a plan that still uses the old one would silently mean something else. Messages
//! of which nothing is read are [`relation::Unread`]; that they are there is enough to refuse them by name.

pub mod data_type;
pub mod expression;
pub mod literal;
pub mod plan;
pub mod relation;
