//! The pipelines of joins by order.

use std::collections::HashSet;
use std::sync::Arc;

use super::assemble::{Assembler, types};
use super::pipeline::Phase;
use crate::error::Result;
use crate::operator::asof::{
    AnswerSource, AsofShape, Lookup, LookupProbe, MergeSource, Nearest, Side, Spine, UnmatchedSource,
};
use crate::operator::filter::Coalesce;
use crate::operator::range_join::{self, RangeBuild, RangeProbe, RangeShape};
use crate::operator::sort::KeyOrder;
use crate::plan::{AsofIndex, AsofJoin, Expression, JoinKind, Node, OrderCondition, RangeJoin};
use hypostyle_functions::types::Schema;

impl Assembler<'_> {
    /// The phases of an as-of join of whose columns only those in `read` are read, all if there is none.
    pub(super) fn as_of(
        &mut self,
        join: &AsofJoin,
        read: Option<&HashSet<usize>>,
        id: usize,
    ) -> Result<Vec<Phase>> {
        let shape = Arc::new(self.as_of_shape(join, read)?);
        let left = self.side(&shape, false, id);
        let right = self.side(&shape, true, id);
        if !shape.is_word_ordered() {
            left.begin_sort();
            right.begin_sort();
        }
        let right_id = id + 1 + crate::plan::count_nodes(&join.left);
        let merge =
            MergeSource::new(Arc::clone(&shape), Arc::clone(&left), Arc::clone(&right), self.order_shows);
        // Ties break by position, so the order of the right side shows.
        if join.index == AsofIndex::Left && shape.is_word_ordered() {
            let phases = self.phases(&join.left, id + 1)?;
            let spine = Spine::new(shape, left, right, self.spine_below(join, id));
            self.spines.insert(id, Arc::clone(&spine));
            self.break_at(phases, Arc::clone(&spine), id);
            let phases = self.with_order(true, |assembler| assembler.phases(&join.right, right_id))?;
            self.break_at(phases, Nearest(Arc::clone(&spine)), id);
            return Ok(vec![self.source(AnswerSource::new(spine), id), self.source(merge, id)]);
        }
        let lookup = Lookup::new(Arc::clone(&shape), left, right);
        let phases = self.with_order(true, |assembler| assembler.phases(&join.right, right_id))?;
        self.break_at(phases, Arc::clone(&lookup), id);
        let mut phases = self.phases(&join.left, id + 1)?;
        self.push(&mut phases, id, LookupProbe(Arc::clone(&lookup)));
        if shape.keeps_right() {
            phases.push(self.source(UnmatchedSource::new(lookup), id));
        }
        phases.push(self.source(merge, id));
        self.push_link(&mut phases, Arc::new(Coalesce { batch_rows: self.run.batch_rows() }), Arc::default());
        Ok(phases)
    }

    /// The phases of a range join.
    pub(super) fn range_join(&mut self, join: &RangeJoin, id: usize) -> Result<Vec<Phase>> {
        let (left, right) = (&join.left.schema, &join.right.schema);
        let both = Schema::new(left.fields.iter().chain(&right.fields).cloned().collect());
        let of = |side: fn(&OrderCondition) -> &Expression| -> Vec<Expression> {
            join.conditions.iter().map(side).cloned().collect()
        };
        let residual = join.residual.as_ref();
        let shape = Arc::new(RangeShape {
            kind: join.kind,
            left_types: types(left),
            right_types: types(right),
            conditions: join
                .conditions
                .iter()
                .map(|condition| (condition.left.data_type(), condition.comparison))
                .collect(),
            left_values: self.set(&of(|condition| &condition.left), left)?,
            right_values: self.set(&of(|condition| &condition.right), right)?,
            residual: residual
                .map(|condition| self.set(std::slice::from_ref(condition), &both))
                .transpose()?,
        });
        let right_id = id + 1 + crate::plan::count_nodes(&join.left);
        let phases = self.with_order(true, |assembler| assembler.phases(&join.right, right_id))?;
        let build = RangeBuild::new(Arc::clone(&shape), self.order_shows, &self.run, self.metrics.of(id));
        self.break_at(phases, Arc::clone(&build), id);
        let mut phases = self.phases(&join.left, id + 1)?;
        self.push(&mut phases, id, RangeProbe(Arc::clone(&build)));
        if shape.keeps_right() {
            phases.push(self.source(range_join::UnmatchedSource::new(Arc::clone(&build)), id));
        }
        phases.push(self.source(range_join::SpilledSource::new(build), id));
        self.push_link(&mut phases, Arc::new(Coalesce { batch_rows: self.run.batch_rows() }), Arc::default());
        Ok(phases)
    }

    fn as_of_shape(&mut self, join: &AsofJoin, read: Option<&HashSet<usize>>) -> Result<AsofShape> {
        let (left, right) = (&join.left.schema, &join.right.schema);
        let keys = join.keys.iter();
        let left_values: Vec<Expression> = keys
            .clone()
            .map(|key| key.left.clone())
            .chain([join.order.left.clone()])
            .chain(join.limit.clone())
            .collect();
        let right_values: Vec<Expression> = keys
            .map(|key| key.right.clone())
            .chain([join.order.right.clone()])
            .chain(join.ties.iter().map(|key| key.expression.clone()))
            .collect();
        let width = left.fields.len();
        let both = Schema::new(left.fields.iter().chain(&right.fields).cloned().collect());
        let in_residual = join.residual.as_ref().map(Expression::columns).unwrap_or_default();
        let gives_pairs = join.kind.gives_pairs();
        let is_read = |column: usize| {
            let comes_out = gives_pairs && read.is_none_or(|read| read.contains(&(width + column)));
            comes_out || in_residual.contains(&(width + column))
        };
        let right_read: Vec<bool> = (0..right.fields.len()).map(is_read).collect();
        let residual = join.residual.as_ref();
        Ok(AsofShape {
            kind: join.kind,
            left_types: types(left),
            right_types: types(right),
            last_not_null: join.last_not_null.iter().copied().filter(|&column| right_read[column]).collect(),
            right_read,
            key_types: join.keys.iter().map(|key| key.left.data_type()).collect(),
            nulls_match: join.keys.iter().map(|key| key.nulls_match).collect(),
            order_type: join.order.left.data_type(),
            comparison: join.order.comparison,
            has_limit: join.limit.is_some(),
            ties: join.ties.iter().map(KeyOrder::of).collect(),
            left_values: self.set(&left_values, left)?,
            right_values: self.set(&right_values, right)?,
            residual: residual
                .map(|condition| self.set(std::slice::from_ref(condition), &both))
                .transpose()?,
        })
    }

    /// The join below that has indexed the same left rows by the same values: then nothing is sorted again for this one.
    /// A left join passes all of its left rows on, in their order, and so do projections.
    fn spine_below(&self, join: &AsofJoin, id: usize) -> Option<Arc<Spine>> {
        let (mut below, mut number) = (&join.left, id + 1);
        let values = join.keys.iter().map(|key| &key.left).chain([&join.order.left]);
        let mut values: Vec<Expression> = values.cloned().collect();
        while let Node::Project { input, expressions } = &below.node {
            for value in &mut values {
                value.walk_mut(&mut |part| {
                    if let Expression::Column { index, .. } = part
                        && let Some(computed) = expressions.get(*index)
                    {
                        *part = computed.clone();
                    }
                });
            }
            (below, number) = (input, number + 1);
        }
        let Node::AsofJoin(below) = &below.node else { return None };
        let same_values = below.keys.iter().map(|key| &key.left).chain([&below.order.left]).eq(values.iter());
        let same_nulls =
            below.keys.iter().map(|key| key.nulls_match).eq(join.keys.iter().map(|key| key.nulls_match));
        let same_direction = below.order.comparison.is_greater() == join.order.comparison.is_greater();
        let is_same = below.kind == JoinKind::Left && same_values && same_nulls && same_direction;
        self.spines.get(&number).filter(|_| is_same).cloned()
    }

    fn side(&self, shape: &AsofShape, is_right: bool, id: usize) -> Arc<Side> {
        Arc::new(shape.side(is_right, &self.run, &self.metrics.of(id)))
    }
}
