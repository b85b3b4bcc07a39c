//! Assembles nodes that take all their rows in order before they give any: samples, computed limits, positional joins.

use std::sync::Arc;

use super::assemble::{Assembler, types};
use super::pipeline::Phase;
use crate::error::Result;
use crate::operator::computed_limit::{AmountsCell, LimitedRows, LimitedSource, TakeAmounts};
use crate::operator::gather::{Gather, Gathered, GatheredSource};
use crate::operator::ordered::{Consumer, OrderedSink};
use crate::operator::positional::PositionalSource;
use crate::operator::sample::Sample;
use crate::plan::{Plan, SampleMethod, SampleSize};
use crate::spill::RowStore;
use hypostyle_functions::types::Type;

impl Assembler<'_> {
    pub(super) fn sample(
        &mut self,
        input: &Plan,
        method: SampleMethod,
        size: SampleSize,
        seed: Option<u64>,
        id: usize,
    ) -> Result<Vec<Phase>> {
        let rows = Arc::new(Gathered::default());
        let reservation = self.run.memory.account("sample").reserve();
        let store = self.row_store("sample", id);
        let sample = Sample::new(method, size, seed, (store, reservation), &rows);
        self.take_in_order(input, id + 1, id, Box::new(sample))?;
        Ok(vec![self.source(GatheredSource { rows, batch_rows: self.run.batch_rows() }, id)])
    }

    pub(super) fn computed_limit(&mut self, input: &Plan, amounts: &Plan, id: usize) -> Result<Vec<Phase>> {
        let amounts_id = id + 1 + crate::plan::count_nodes(input);
        let cell = Arc::new(AmountsCell::default());
        let data_type = types(&amounts.schema).into_iter().next().unwrap_or(Type::Int64);
        let take = TakeAmounts { cell: Arc::clone(&cell), data_type };
        self.take_in_order(amounts, amounts_id, id, Box::new(take))?;
        let rows = Arc::new(Gathered::default());
        let store = self.row_store("limit", id);
        self.take_in_order(input, id + 1, id, Box::new(LimitedRows::new(&cell, store, &rows)))?;
        Ok(vec![self.source(LimitedSource { cell, rows }, id)])
    }

    pub(super) fn positional_join(&mut self, left: &Plan, right: &Plan, id: usize) -> Result<Vec<Phase>> {
        let right_id = id + 1 + crate::plan::count_nodes(left);
        let mut sides = Vec::with_capacity(2);
        for (side, side_id) in [(left, id + 1), (right, right_id)] {
            let rows = Arc::new(Gathered::default());
            let store = self.row_store("positional join", id);
            self.take_in_order(side, side_id, id, Box::new(Gather::new(store, &rows)))?;
            sides.push(rows);
        }
        let [left_rows, right_rows] = <[Arc<Gathered>; 2]>::try_from(sides)
            .map_err(|_| crate::error::Error::internal("a join of other than two sides"))?;
        let source = PositionalSource {
            left: left_rows,
            right: right_rows,
            left_types: types(&left.schema),
            right_types: types(&right.schema),
        };
        Ok(vec![self.source(source, id)])
    }

    /// Ends a pipeline in a consumer of all rows of a plan, in their order.
    fn take_in_order(
        &mut self,
        plan: &Plan,
        plan_id: usize,
        id: usize,
        consumer: Box<dyn Consumer>,
    ) -> Result<()> {
        let (phases, window) = self.with_order(true, |assembler| assembler.ordered(plan, plan_id))?;
        let account = self.run.memory.account("ordered rows");
        self.break_at(phases, OrderedSink::new(window, &account, consumer), id);
        Ok(())
    }

    fn row_store(&self, operator: &'static str, id: usize) -> RowStore {
        RowStore::new(&self.run, &self.run.memory.account(operator), &self.metrics.of(id), operator)
    }
}
