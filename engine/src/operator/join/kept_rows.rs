//! How rows are kept and spilled with their keys: the columns of a side, and behind them the keys that are no columns.

use hypostyle_functions::column::Column;

use super::JoinShape;
use crate::batch::Batch;

/// A side of a join.
#[derive(Debug, Clone, Copy)]
pub(super) enum Side {
    Left,
    Right,
}

impl JoinShape {
    /// Columns that are kept of a side, without keys that are computed.
    pub(super) fn kept_width(&self, side: Side) -> usize {
        match side {
            Side::Left => self.left_types.len(),
            Side::Right if self.needs_right_columns() => self.right_types.len(),
            Side::Right => 0,
        }
    }

    /// Per key, its column, if it is one that is kept.
    fn places(&self, side: Side) -> impl Iterator<Item = Option<usize>> {
        let (columns, width) = match side {
            Side::Left => (&self.left_key_columns, self.kept_width(side)),
            Side::Right => (&self.right_key_columns, self.kept_width(side)),
        };
        columns.iter().map(move |column| column.filter(|&column| column < width))
    }

    /// Number of keys that are kept behind the columns.
    pub(super) fn computed_keys(&self, side: Side) -> usize {
        self.places(side).filter(Option::is_none).count()
    }

    /// The columns to keep of rows with these keys.
    pub(super) fn with_keys(&self, side: Side, mut columns: Vec<Column>, keys: Vec<Column>) -> Vec<Column> {
        columns.truncate(self.kept_width(side));
        let computed = keys.into_iter().zip(self.places(side)).filter(|(_, place)| place.is_none());
        columns.extend(computed.map(|(key, _)| key));
        columns
    }

    /// Per key, its position among the columns that are kept.
    pub(super) fn key_positions(&self, side: Side) -> Vec<usize> {
        let mut computed = self.kept_width(side)..;
        let position = |place: Option<usize>| place.or_else(|| computed.next()).unwrap_or(0);
        self.places(side).map(position).collect()
    }

    /// The keys of rows that were kept.
    pub(super) fn keys_of(&self, side: Side, batch: &Batch) -> Vec<Column> {
        self.key_positions(side).into_iter().map(|position| batch.columns[position].clone()).collect()
    }

    /// The columns and the keys of probe rows that were kept.
    pub(super) fn without_keys(&self, mut batch: Batch) -> (Batch, Vec<Column>) {
        let keys = self.keys_of(Side::Left, &batch);
        batch.columns.truncate(self.kept_width(Side::Left));
        (batch, keys)
    }
}
