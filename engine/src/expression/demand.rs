//! Evaluates nodes on demand: a node computes the rows that are asked of it and not there yet.

use hypostyle_functions::column::{Encoding, Output, Rows, View};
use hypostyle_functions::lanes::{LaneKernel, Register};
use hypostyle_functions::scalar::Cost;
use hypostyle_functions::{self as functions};

use super::graph::{Explain, Kind, NodeId};
use super::program::{Program, Source};
use super::slot::{Computed, Domain};
use super::state::{Columns, Run, State};
use crate::error::{Error, Result};

/// Values of fixed width that are computed together in the time that one takes which is looked for among others.
const FIXED_GAIN: usize = 32;

impl State {
    /// Makes `rows` of domain `from` available in the column of a node.
    pub fn demand(&mut self, run: &Run<'_>, id: NodeId, rows: Rows<'_>, from: Domain) -> Result<()> {
        let (id, _) = run.graph.resolve(id);
        if rows.is_empty()
            || matches!(run.graph.nodes[id].kind, Kind::Input(_) | Kind::Constant(_) | Kind::Parameter(_))
        {
            return Ok(());
        }
        match (self.domains[id], from) {
            (own, from) if own == from => self.ensure(run, id, rows),
            (Domain::Constant, _) => self.ensure(run, id, Rows::All(1)),
            (Domain::Dictionary(group), _) => self.ensure_values(run, id, rows, group),
            (Domain::Base, _) => Err(Error::internal("a node of all rows was read by one of fewer")),
        }
    }

    /// Makes rows of the node's own domain available.
    pub fn ensure(&mut self, run: &Run<'_>, id: NodeId, rows: Rows<'_>) -> Result<()> {
        self.start(run, id);
        let slot = &self.slots[id];
        match slot.computed {
            Computed::All => Ok(()),
            Computed::Nothing if rows.count() == slot.length => self.fill(run, id, Rows::All(slot.length)),
            Computed::Nothing => self.fill(run, id, rows),
            Computed::Some => {
                let mut missing = self.take();
                let slot = &self.slots[id];
                rows.for_each(|row| {
                    if !slot.is_computed(row) {
                        missing.push(row as u32);
                    }
                });
                let result = self.fill(run, id, Rows::Selected(&missing));
                self.give(missing);
                result
            }
        }
    }

    /// Makes the values available that `rows` of the batch refer to.
    fn ensure_values(&mut self, run: &Run<'_>, id: NodeId, rows: Rows<'_>, group: usize) -> Result<()> {
        self.start(run, id);
        if self.slots[id].computed == Computed::All {
            return Ok(());
        }
        let Encoding::Dictionary { indices, validity } = run.inputs[self.groups[group]].encoding else {
            return Err(Error::internal("a dictionary input lost its indices"));
        };
        let length = self.slots[id].length;
        self.slots[id].asked += rows.count();
        if self.is_due(run, id) {
            return self.ensure(run, id, Rows::All(length));
        }
        let mut missing = self.take();
        let Self { slots, wanted, .. } = self;
        wanted.clear();
        wanted.resize(length.div_ceil(64), 0);
        let mut want = |row: usize| wanted[indices[row] as usize / 64] |= 1 << (indices[row] % 64);
        match validity {
            None => rows.for_each(want),
            Some(validity) => rows.for_each(|row| {
                if validity.get(row) {
                    want(row);
                }
            }),
        }
        slots[id].append_missing(wanted, &mut missing);
        let values = if missing.len() == length { Rows::All(length) } else { Rows::Selected(&missing) };
        let result = self.fill(run, id, values);
        self.give(missing);
        result
    }

    /// True if all values of a dictionary are to be computed, although the rows at hand refer to some of them.
    ///
    /// All at once cost a fraction of what they cost one by one, are never looked for again, and leave as one dictionary: worth
    /// it as soon as rows have asked for a good part of them.
    fn is_due(&self, run: &Run<'_>, id: NodeId) -> bool {
        let slot = &self.slots[id];
        let is_fixed = run.graph.nodes[id].data_type.is_fixed_width();
        let gain = if is_fixed { FIXED_GAIN } else { 1 };
        run.graph.nodes[id].cost == Cost::Cheap && slot.asked.saturating_mul(gain) >= slot.length
    }

    fn start(&mut self, run: &Run<'_>, id: NodeId) {
        if !self.is_current(run.graph, id) {
            let length = self.length(run, id);
            self.slots[id].start(length, self.epoch, run.graph.nodes[id].is_quiet);
        }
    }

    /// Computes rows that are not there.
    fn fill(&mut self, run: &Run<'_>, id: NodeId, rows: Rows<'_>) -> Result<()> {
        if rows.is_empty() {
            return Ok(());
        }
        let Some(mut output) = self.slots[id].output.take() else {
            return Err(Error::internal("an expression reads itself"));
        };
        let result = self.compute(run, id, rows, &mut output, self.domains[id]);
        self.slots[id].output = Some(output);
        result?;
        self.slots[id].add(rows);
        Ok(())
    }

    /// Computes `rows` of a node into `output`, which belongs to it or to a reader in the same domain.
    pub fn compute(
        &mut self,
        run: &Run<'_>,
        id: NodeId,
        rows: Rows<'_>,
        output: &mut Output,
        domain: Domain,
    ) -> Result<()> {
        match &run.graph.nodes[id].kind {
            Kind::Input(_) | Kind::Constant(_) | Kind::Parameter(_) | Kind::Try(_) => {
                self.copy(run, id, rows, output, domain)
            }
            Kind::Call(call) => {
                let (place, errors) = (run.graph.nodes[id].place, output.errors().len());
                let called = self.call(run, id, call, rows, output, domain);
                output.place_errors(errors, place);
                called.map_err(|error| error.at(place))
            }
            Kind::Program { program, inputs, explain } => {
                for &input in inputs {
                    self.demand(run, input, rows, domain)?;
                }
                let mut failed = self.take();
                self.run_program(run, program, inputs, rows, output, domain, &mut failed);
                let result = self.explain(run, id, inputs, explain, &failed, output, domain);
                self.give(failed);
                result
            }
            Kind::Logic { operands, is_and } => self.logic(run, id, operands, *is_and, rows, output, domain),
            Kind::Case { branches, otherwise } => self.case(run, branches, *otherwise, rows, output, domain),
            Kind::Coalesce(arguments) => self.coalesce(run, arguments, rows, output, domain),
        }
    }

    /// Writes `rows` of a node to a reader's column: straight into it where the reader is the only one.
    pub fn write(
        &mut self,
        run: &Run<'_>,
        id: NodeId,
        rows: Rows<'_>,
        output: &mut Output,
        domain: Domain,
    ) -> Result<()> {
        let node = &run.graph.nodes[id];
        let is_computed =
            !matches!(node.kind, Kind::Input(_) | Kind::Constant(_) | Kind::Parameter(_) | Kind::Try(_));
        if is_computed && node.consumers == 1 && self.domains[id] == domain {
            return self.compute(run, id, rows, output, domain);
        }
        self.copy(run, id, rows, output, domain)
    }

    fn copy(
        &mut self,
        run: &Run<'_>,
        id: NodeId,
        rows: Rows<'_>,
        output: &mut Output,
        domain: Domain,
    ) -> Result<()> {
        self.demand(run, id, rows, domain)?;
        let columns = self.columns(run);
        output.copy_rows(&columns.view(id, domain), &rows);
        if let Some(failed) = columns.failed(id, domain) {
            rows.for_each(|row| {
                if failed.contains(row) {
                    output.fail(row, || failed.error(row));
                }
            });
        }
        Ok(())
    }

    /// What views are made from.
    pub fn columns<'a>(&'a self, run: &'a Run<'a>) -> Columns<'a> {
        Columns {
            run,
            slots: &self.slots,
            domains: &self.domains,
            input_domains: &self.input_domains,
            groups: &self.groups,
            bump: &self.bump,
        }
    }

    #[allow(clippy::too_many_arguments)] // The parts of one node's evaluation, borrowed apart.
    fn run_program(
        &mut self,
        run: &Run<'_>,
        program: &Program,
        inputs: &[NodeId],
        rows: Rows<'_>,
        output: &mut Output,
        domain: Domain,
        failed: &mut Vec<u32>,
    ) {
        let Self { slots, domains, input_domains, groups, bump, machine, epoch, .. } = self;
        let columns = Columns { run, slots, domains, input_domains, groups, bump };
        let sources = bump.alloc_slice_fill_iter(inputs.iter().map(|&input| {
            let view: &View<'_> = bump.alloc(columns.view(input, domain));
            let node = &run.graph.nodes[input];
            let kind = node.lane_kind().filter(|_| view.is_constant());
            let splat = kind.map(|kind| {
                let made = if node.is_fixed() { u64::MAX } else { *epoch };
                machine.splat(input, kind, view, made);
                input
            });
            Source { view, failed: columns.failed(input, domain), splat }
        }));
        machine.run(program, sources, rows, output, failed);
    }

    /// Records why rows failed; a TRY that asked does not want to know.
    #[allow(clippy::too_many_arguments)] // As above.
    fn explain(
        &mut self,
        run: &Run<'_>,
        id: NodeId,
        inputs: &[NodeId],
        explain: &Explain,
        failed: &[u32],
        output: &mut Output,
        domain: Domain,
    ) -> Result<()> {
        if failed.is_empty() {
            return Ok(());
        }
        if run.graph.nodes[id].is_quiet {
            failed.iter().for_each(|&row| output.fail(row as usize, unread));
            return Ok(());
        }
        match explain {
            Explain::Kernel(kernel, _) => {
                let place = run.graph.nodes[id].place;
                let columns = self.columns(run);
                for &row in failed {
                    output.fail(row as usize, || {
                        kernel_error(&columns, &**kernel, inputs, row as usize, domain).at(place)
                    });
                }
                Ok(())
            }
            Explain::Node(plain) => {
                self.demand(run, *plain, Rows::Selected(failed), domain)?;
                for &row in failed {
                    output.validity_words()[row as usize / 64] |= 1 << (row % 64);
                }
                self.copy(run, *plain, Rows::Selected(failed), output, domain)
            }
        }
    }
}

/// The text of an error that a TRY swallows.
fn unread() -> functions::Error {
    functions::Error::internal("the error of a quiet expression was read")
}

/// The error of an operand at this row, else that of the kernel.
fn kernel_error(
    columns: &Columns<'_>,
    kernel: &dyn LaneKernel,
    inputs: &[NodeId],
    row: usize,
    domain: Domain,
) -> functions::Error {
    let operand =
        inputs.iter().filter_map(|&input| columns.failed(input, domain)).find(|failed| failed.contains(row));
    if let Some(failed) = operand {
        return failed.error(row);
    }
    let registers: Vec<Register> = inputs
        .iter()
        .filter_map(|&input| {
            let mut register = Register::new(columns.run.graph.nodes[input].lane_kind()?, 1);
            register.load(&columns.view(input, domain), std::iter::once(row));
            Some(register)
        })
        .collect();
    let lanes: Vec<_> = registers.iter().map(|register| register.lanes(1)).collect();
    kernel.error(&lanes, 0)
}
