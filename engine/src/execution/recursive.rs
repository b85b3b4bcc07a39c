//! Assembles recursions: the plans of a recursion are runs of their own, stepped by whoever reads its rows.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use super::assemble::{Assembler, WorkTables, assemble_part, types};
use super::bindings::Bindings;
use super::pipeline::Phase;
use super::worker::{Progress, Worker};
use crate::batch::Batch;
use crate::error::{Error, Result};
use crate::metrics::MetricsRegistry;
use crate::operator::RunContext;
use crate::operator::recursive::{RecursiveSource, WorkTable, WorkTableSource};
use crate::plan::{Node, Plan};
use crate::table::Reader;

impl Assembler<'_> {
    /// A recursion, which `plan` has to be.
    pub(super) fn recursive(&mut self, plan: &Plan, id: usize) -> Result<Vec<Phase>> {
        let Node::Recursive { initial, step, table, distinct, keys } = &plan.node else {
            return Err(Error::internal("a node is assembled as the recursion that it is not"));
        };
        let (table, distinct) = (*table, *distinct);
        let work_table = Arc::new(WorkTable::new(reads_all(step, table)));
        let initial_start = self.start(initial, id + 1, self.work_tables.clone())?;
        let mut tables = self.work_tables.clone();
        tables.insert(table, Arc::clone(&work_table));
        let step_start = self.start(step, id + 1 + crate::plan::count_nodes(initial), tables)?;
        let source = RecursiveSource {
            initial: Box::new(initial_start),
            step: Arc::new(step_start),
            table: work_table,
            types: types(&plan.schema),
            distinct,
            keys: keys.clone(),
            run: Arc::clone(&self.run),
            account: self.run.memory.account("recursion"),
            claimed: AtomicBool::new(false),
        };
        Ok(vec![self.source(source, id)])
    }

    pub(super) fn work_table(&mut self, table: u32, all: bool, id: usize) -> Result<Vec<Phase>> {
        match self.work_tables.get(&table) {
            Some(work_table) => Ok(vec![self.source(WorkTableSource::new(work_table, all), id)]),
            None => {
                Err(Error::user(format!("plan node WorkTable: no recursion around it has number {table}")))
            }
        }
    }

    /// What starts a run of a plan inside this one. It is bound now, once.
    fn start(
        &mut self,
        plan: &Plan,
        id: usize,
        tables: WorkTables,
    ) -> Result<impl Fn() -> Result<Box<dyn Reader>> + Send + Sync + use<>> {
        let run = Arc::clone(&self.run);
        let nested = self.bindings.nested();
        let metrics = self.metrics.part(id, crate::plan::count_nodes(plan));
        let bound: Arc<Bindings> = self.bindings.part(|| {
            let mut bindings = nested;
            let schedule =
                assemble_part(plan, &run, &mut bindings, metrics.part(0, usize::MAX), tables.clone())?;
            if schedule.input.is_some() {
                return Err(Error::user("a recursion cannot read batches that a host pushes"));
            }
            Ok(bindings.rewound())
        })?;
        let plan = Arc::new(plan.clone());
        Ok(move || {
            let metrics: MetricsRegistry = metrics.part(0, usize::MAX);
            let bindings = &mut bound.as_ref().clone();
            let mut schedule = assemble_part(&plan, &run, bindings, metrics, tables.clone())?;
            schedule.is_nested = true;
            let worker = Worker::new(Arc::new(schedule), true);
            Ok(Box::new(NestedRun { worker, run: Arc::clone(&run) }) as Box<dyn Reader>)
        })
    }
}

/// A run inside another, on the thread of whoever reads it.
struct NestedRun {
    worker: Worker,
    run: Arc<RunContext>,
}

impl Reader for NestedRun {
    fn next(&mut self) -> Result<Option<Batch>> {
        loop {
            self.run.check_cancelled()?;
            match self.worker.step()? {
                Progress::Output(batch) => return Ok(Some(batch)),
                Progress::Finished => return Ok(None),
                Progress::Working | Progress::Idle => {}
            }
        }
    }
}

/// Whether a plan reads all rows of this work table, and not only those of the round before.
fn reads_all(plan: &Plan, wanted: u32) -> bool {
    matches!(plan.node, Node::WorkTable { table, all: true } if table == wanted)
        || plan.inputs().into_iter().any(|input| reads_all(input, wanted))
}
