//! Columns: borrowed for reading ([`View`]), writable and reused ([`Output`]), and owned ([`Column`]).

mod bits;
mod borrow;
mod byte_views;
mod bytes_output;
mod copy;
mod encoded;
mod filter;
mod freeze;
mod import;
mod list_view;
mod literal;
mod look_up;
mod nested_output;
mod order;
mod output;
mod recycled;
mod rows;
#[cfg(test)]
mod tests;
mod trusted;
mod view;

pub use bits::{Bits, BitsMut};
pub use borrow::borrow;
pub use byte_views::{ViewBlock, ViewBuilder};
pub use bytes_output::{BytesOutput, TextBuilder, TextWriter};
pub use encoded::{Column, flatten};
pub use import::{export, import};
pub use literal::{literal_array, value_at};
pub use nested_output::ListWriter;
pub use order::{compare, compare_floats, equal, hash};
pub use output::{Output, OutputData, WritableFixed};
pub use recycled::Recycled;
pub use rows::{Rows, RowsIter};
pub use view::{Boolean, Bytes, BytesData, Data, Encoding, Fixed, FixedWidth, List, ListData, Text, View};
