//! The lazy forms: AND, OR, CASE and COALESCE evaluate each operand on the rows that still need it.

use std::time::Instant;

use hypostyle_functions::column::{Output, Rows};

use super::graph::NodeId;
use super::operand_order::OperandOrder;
use super::slot::Domain;
use super::state::{Run, State};
use crate::error::Result;

impl State {
    /// AND and OR in SQL's three-valued logic. A row that an operand decides takes no further operand,
    /// and its nulls and errors do not count: the result does not depend on the order of evaluation, so that
    /// the order is learnt from what operands cost and decide ([`OperandOrder`]).
    #[allow(clippy::too_many_arguments)] // The parts of one node's evaluation, borrowed apart.
    pub fn logic(
        &mut self,
        run: &Run<'_>,
        id: NodeId,
        operands: &[NodeId],
        is_and: bool,
        rows: Rows<'_>,
        output: &mut Output,
        domain: Domain,
    ) -> Result<()> {
        let mut order = self.orders.get_mut(id).and_then(Option::take);
        let open = self.decide(run, order.as_deref_mut(), operands, is_and, rows, domain);
        if let Some(known) = self.orders.get_mut(id) {
            *known = order;
        }
        let open = open?;
        self.settle(run, operands, is_and, rows, &open, output, domain);
        self.give(open);
        Ok(())
    }

    /// Evaluates operands on the rows that none has decided, and gives those that stay open.
    fn decide(
        &mut self,
        run: &Run<'_>,
        mut order: Option<&mut OperandOrder>,
        operands: &[NodeId],
        is_and: bool,
        rows: Rows<'_>,
        domain: Domain,
    ) -> Result<Vec<u32>> {
        let mut open = self.take();
        let mut next = self.take();
        open.extend(rows.iter().map(|row| row as u32));
        let is_measured = order.as_mut().is_some_and(|order| order.is_measured(open.len()));
        for position in 0..operands.len() {
            if open.is_empty() {
                break;
            }
            let index = order.as_ref().map_or(position, |order| order.at(position));
            let operand = operands[index];
            let start = is_measured.then(Instant::now);
            self.demand(run, operand, self.selected(&open, domain, run, rows), domain)?;
            let columns = self.columns(run);
            let view = columns.view(operand, domain);
            let values = view.boolean();
            next.clear();
            next.extend(open.iter().filter(|&&row| {
                let row = row as usize;
                !view.is_valid(row) || values.get(row) == is_and
            }));
            std::mem::swap(&mut open, &mut next);
            if let (Some(order), Some(start)) = (&mut order, start) {
                order.note(index, next.len(), next.len() - open.len(), start.elapsed());
            }
        }
        if let Some(order) = order.filter(|_| is_measured) {
            order.improve();
        }
        self.give(next);
        Ok(open)
    }

    /// Writes decided rows, and for the open ones (for which every operand was evaluated) the first
    /// error in the order of the operands, else null if one is null.
    #[allow(clippy::too_many_arguments)] // The parts of one node's evaluation, borrowed apart.
    fn settle(
        &self,
        run: &Run<'_>,
        operands: &[NodeId],
        is_and: bool,
        rows: Rows<'_>,
        open: &[u32],
        output: &mut Output,
        domain: Domain,
    ) {
        let bits = output.boolean();
        rows.for_each(|row| bits.set(row, !is_and));
        open.iter().for_each(|&row| bits.set(row as usize, is_and));
        let columns = self.columns(run);
        for &operand in operands {
            let view = columns.view(operand, domain);
            let failed = columns.failed(operand, domain);
            if !view.may_be_null() && failed.is_none() {
                continue;
            }
            for row in open.iter().map(|&row| row as usize) {
                if let Some(failed) = failed.as_ref().filter(|failed| failed.contains(row)) {
                    if !output.has_failed(row) {
                        output.fail(row, || failed.error(row));
                    }
                } else if view.is_null(row) {
                    output.set_null(row);
                }
            }
        }
    }

    /// Rows as a list, or all of them where the list holds them all.
    fn selected<'r>(&self, list: &'r [u32], domain: Domain, run: &Run<'_>, rows: Rows<'r>) -> Rows<'r> {
        let all = match domain {
            Domain::Base => run.rows,
            _ => usize::MAX,
        };
        match rows {
            Rows::All(_) if list.len() == rows.count() => rows,
            _ if list.len() == all => Rows::All(all),
            _ => Rows::Selected(list),
        }
    }

    /// CASE: conditions in order, each on the rows that no earlier one took.
    pub fn case(
        &mut self,
        run: &Run<'_>,
        branches: &[(NodeId, NodeId)],
        otherwise: Option<NodeId>,
        rows: Rows<'_>,
        output: &mut Output,
        domain: Domain,
    ) -> Result<()> {
        let (mut open, mut taken, mut next) = (self.take(), self.take(), self.take());
        open.extend(rows.iter().map(|row| row as u32));
        for &(when, then) in branches {
            if open.is_empty() {
                break;
            }
            self.demand(run, when, self.selected(&open, domain, run, rows), domain)?;
            let columns = self.columns(run);
            let (view, failed) = (columns.view(when, domain), columns.failed(when, domain));
            let values = view.boolean();
            taken.clear();
            next.clear();
            for &row in &open {
                let position = row as usize;
                if let Some(failed) = failed.as_ref().filter(|failed| failed.contains(position)) {
                    output.fail(position, || failed.error(position));
                } else if view.is_valid(position) && values.get(position) {
                    taken.push(row);
                } else {
                    next.push(row);
                }
            }
            std::mem::swap(&mut open, &mut next);
            if !taken.is_empty() {
                self.write(run, then, self.selected(&taken, domain, run, rows), output, domain)?;
            }
        }
        match otherwise {
            Some(value) if !open.is_empty() => {
                self.write(run, value, self.selected(&open, domain, run, rows), output, domain)?;
            }
            Some(_) => {}
            None => open.iter().for_each(|&row| output.set_null(row as usize)),
        }
        [open, taken, next].into_iter().for_each(|list| self.give(list));
        Ok(())
    }

    /// COALESCE: arguments in order, each on the rows that are null so far. An error ends a row's search.
    pub fn coalesce(
        &mut self,
        run: &Run<'_>,
        arguments: &[NodeId],
        rows: Rows<'_>,
        output: &mut Output,
        domain: Domain,
    ) -> Result<()> {
        let (mut open, mut next) = (self.take(), self.take());
        open.extend(rows.iter().map(|row| row as u32));
        for &argument in arguments {
            if open.is_empty() {
                break;
            }
            self.demand(run, argument, self.selected(&open, domain, run, rows), domain)?;
            let columns = self.columns(run);
            let (view, failed) = (columns.view(argument, domain), columns.failed(argument, domain));
            next.clear();
            for &row in &open {
                let position = row as usize;
                if let Some(failed) = failed.as_ref().filter(|failed| failed.contains(position)) {
                    output.fail(position, || failed.error(position));
                } else if view.is_valid(position) {
                    output.copy(position, &view, position);
                } else {
                    next.push(row);
                }
            }
            std::mem::swap(&mut open, &mut next);
        }
        open.iter().for_each(|&row| output.set_null(row as usize));
        self.give(open);
        self.give(next);
        Ok(())
    }
}
