//! A batch of a sorted side with what is compared of it.

use bumpalo::Bump;
use hypostyle_functions::column::View;
use hypostyle_functions::types::Type;

use super::{AsofShape, views};
use crate::batch::Batch;
use crate::operator::sort::{KeyOrder, SortKeys};

/// Rows of one side, sorted, with their keys and order values as bytes that compare across sides.
pub(super) struct Window {
    pub batch: Batch,
    keys: SortKeys,
    orders: SortKeys,
    limits: Option<SortKeys>,
    /// Rows whose keys and order value can match at all.
    can_match: Vec<bool>,
    has_limit: Vec<bool>,
}

/// Bytes of the ordinal at the end of each encoded key, which here is always zero.
const ORDINAL_BYTES: usize = 8;

impl Window {
    /// A window of rows whose columns are followed by keys, order and, if `limited`, limit from column `first` on.
    pub fn new(shape: &AsofShape, batch: Batch, first: usize, limited: bool) -> Self {
        let bump = Bump::new();
        let count = shape.key_types.len();
        let key_views = views(&batch.columns[first..first + count], &shape.key_types, &bump);
        let order = batch.columns[first + count].view(&shape.order_type, &bump);
        let can_match = (0..batch.rows)
            .map(|row| {
                let has_keys = key_views
                    .iter()
                    .zip(&shape.nulls_match)
                    .all(|(key, &matches)| matches || key.is_valid(row));
                has_keys && order.is_valid(row)
            })
            .collect();
        let limit = limited.then(|| batch.columns[first + count + 1].view(&shape.order_type, &bump));
        let ascending = |data_type: &Type, descending| KeyOrder {
            data_type: data_type.clone(),
            descending,
            nulls_first: false,
        };
        let key_orders: Vec<KeyOrder> =
            shape.key_types.iter().map(|data_type| ascending(data_type, false)).collect();
        let order_order = [ascending(&shape.order_type, shape.is_inverted())];
        let has_limit =
            limit.map_or_else(Vec::new, |limit| (0..batch.rows).map(|row| limit.is_valid(row)).collect());
        let window = Self {
            keys: encoded(&key_orders, &key_views, batch.rows),
            orders: encoded(&order_order, &[order], batch.rows),
            limits: limit.map(|limit| encoded(&order_order, &[limit], batch.rows)),
            can_match,
            has_limit,
            batch: Batch::new(Vec::new(), 0),
        };
        drop((key_views, order));
        Self { batch, ..window }
    }

    pub fn rows(&self) -> usize {
        self.batch.rows
    }

    pub fn can_match(&self, row: usize) -> bool {
        self.can_match[row]
    }

    pub fn key(&self, row: usize) -> &[u8] {
        without_ordinal(self.keys.get(row))
    }

    pub fn order(&self, row: usize) -> &[u8] {
        without_ordinal(self.orders.get(row))
    }

    /// The least order value that counts for a row, if there is one.
    pub fn limit(&self, row: usize) -> Option<&[u8]> {
        let limits = self.limits.as_ref().filter(|_| self.has_limit[row])?;
        Some(without_ordinal(limits.get(row)))
    }
}

fn encoded(orders: &[KeyOrder], columns: &[View<'_>], rows: usize) -> SortKeys {
    let mut keys = SortKeys::new(orders);
    keys.extend(columns, rows, |_| 0);
    keys
}

fn without_ordinal(key: &[u8]) -> &[u8] {
    &key[..key.len() - ORDINAL_BYTES]
}
