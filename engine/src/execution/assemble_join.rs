//! The pipelines of a hash join: the build side, and the probe side that streams through it.

use std::sync::Arc;

use hypostyle_functions::types::Schema;

use super::assemble::{Assembler, types};
use super::key_columns::scans_of_column;
use super::pipeline::Phase;
use crate::error::Result;
use crate::key_filter::KeyCell;
use crate::operator::filter::Coalesce;
use crate::operator::join::{JoinBuild, JoinShape, Probe, SpilledSource, UnmatchedSource};
use crate::plan::{Expression, JoinKey, JoinKind, Plan};

impl Assembler<'_> {
    pub(super) fn join(
        &mut self,
        left: &Plan,
        right: &Plan,
        kind: JoinKind,
        keys: &[JoinKey],
        residual: Option<&Expression>,
        id: usize,
    ) -> Result<Vec<Phase>> {
        let (left_keys, right_keys): (Vec<_>, Vec<_>) =
            keys.iter().map(|key| (key.left.clone(), key.right.clone())).unzip();
        let left_set = if keys.is_empty() { None } else { Some(self.set(&left_keys, &left.schema)?) };
        let right_set = if keys.is_empty() { None } else { Some(self.set(&right_keys, &right.schema)?) };
        let fields = left.schema.fields.iter().chain(&right.schema.fields).cloned().collect();
        let both = Schema::new(fields);
        let residual =
            residual.map(|condition| self.set(std::slice::from_ref(condition), &both)).transpose()?;
        let shape = Arc::new(JoinShape {
            kind,
            left_types: types(&left.schema),
            right_types: types(&right.schema),
            key_types: left_keys.iter().map(Expression::data_type).collect(),
            nulls_match: keys.iter().map(|key| key.nulls_match).collect(),
            left_keys: left_set,
            right_keys: right_set,
            left_key_columns: left_keys.iter().map(column_of).collect(),
            right_key_columns: right_keys.iter().map(column_of).collect(),
            residual,
            has_ordinals: false,
        });
        let right_id = id + 1 + crate::plan::count_nodes(left);
        let order_of_right_shows = shape.gives_pairs() || shape.gives_right_rows();
        let build_phases = self.with_order(self.order_shows && order_of_right_shows, |assembler| {
            assembler.phases(right, right_id)
        })?;
        let key_cells = keys.iter().map(|key| self.key_cell(kind, key, left, id + 1)).collect();
        let build = JoinBuild::new(
            Arc::clone(&shape),
            self.order_shows,
            key_cells,
            Arc::clone(&self.run),
            self.metrics.of(id),
        );
        self.break_at(build_phases, Arc::clone(&build), id);
        let mut phases = self.phases(left, id + 1)?;
        self.push(&mut phases, id, Probe(Arc::clone(&build)));
        if shape.gives_right_later() {
            phases.push(self.source(UnmatchedSource::new(Arc::clone(&build)), id));
        }
        phases.push(self.source(SpilledSource::new(build), id));
        self.push_link(&mut phases, Arc::new(Coalesce { batch_rows: self.run.batch_rows() }), Arc::default());
        Ok(phases)
    }

    /// Where a join leaves the values of a key for the scans below its probe side, if one of them can use it: rows
    /// without a match must not come out.
    fn key_cell(
        &mut self,
        kind: JoinKind,
        key: &JoinKey,
        left: &Plan,
        left_id: usize,
    ) -> Option<Arc<KeyCell>> {
        let drops_unmatched = matches!(
            kind,
            JoinKind::Inner
                | JoinKind::Right
                | JoinKind::LeftSemi
                | JoinKind::RightSemi
                | JoinKind::RightAnti
        );
        let Expression::Column { index, .. } = &key.left else { return None };
        let mut scans = Vec::new();
        if drops_unmatched && !key.nulls_match {
            scans_of_column(left, left_id, *index, &mut scans);
        }
        let cell = (!scans.is_empty()).then(Arc::<KeyCell>::default)?;
        for (scan, column) in scans {
            self.key_cells.entry(scan).or_default().push((column, Arc::clone(&cell)));
        }
        Some(cell)
    }
}

/// The column that an expression is, if it is one.
fn column_of(expression: &Expression) -> Option<usize> {
    match expression {
        Expression::Column { index, .. } => Some(*index),
        _ => None,
    }
}
