//! Plans over tables in memory, run at several batch sizes and numbers of workers.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod aggregate;
mod control;
mod given_up;
mod join;
mod ordered_join;
mod plans;
mod setting;
mod shared;
mod sort;
mod spill;
mod streaming;
mod window;
