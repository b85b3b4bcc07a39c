//! [Substrait](https://substrait.io) plans: how other planners drive this engine, and how others run its plans.
//!
//! [`write`] makes bytes of a rewritten query, [`read`] makes a query of the bytes of any producer, which is then rewritten,
//! lowered and verified like one that was written in SQL. The format names columns by position and functions by the names of
//! its extensions; [`mod@function`] holds which of ours these are. Functions that no extension has stand under a name of our
//! own ([`function::OWN_URN`]), so that every function survives the way there and back.
//!
//! | relation | written | read |
//! |---|---|---|
//! | read | tables by name, Parquet and Arrow files, rows; other table functions as an extension table | these, and text files |
//! | filter, project, sort, fetch, cross | yes | yes, also top-n |
//! | aggregate | with grouping sets, DISTINCT, FILTER and order | yes |
//! | join | all kinds | all kinds but right single and right mark |
//! | set | union all; the other operations as the joins and groupings that they are | all |
//! | window | as window functions of a project | the same |
//! | reference | rows that are shared and differ each time they are made | yes |
//! | subquery | never: they are joins by then | scalar, IN, EXISTS, ANY and ALL, correlated or not |
//!
//! Everything else is refused by name. Types that the format lacks (unsigned integers, half floats, embeddings) are type
//! variations or types of our own; field names of structs, which it does not keep in types, travel as arguments of our own
//! functions.
#![forbid(unsafe_code)]
#![warn(missing_docs)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod data_type;
mod error;
pub mod function;
mod literal;
mod message;
mod read;
mod write;

pub use error::{Error, Result};
pub use read::{Query, read};
pub use write::write;

/// Most relations of a plan, tables that are read several times counted as often.
const RELATIONS_MAX: usize = 20_000;
