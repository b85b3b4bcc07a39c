//! The pipelines of a scan, with the filters that its table leaves to the engine.

use std::sync::Arc;

use hypostyle_functions::types::Schema;

use super::assemble::Assembler;
use super::pipeline::Phase;
use super::schedule::LargestReader;
use crate::error::{Error, Result};
use crate::operator::filter::Filter;
use crate::operator::scan::{HostInput, HostSource, ScanSource};
use crate::plan::{Expression, Node, Plan, ScannedTable};
use crate::table::{FilterSupport, ScanRequest};

impl Assembler<'_> {
    /// A scan below a projection whose rows leave the plan: columns that its expressions read alone may come as codes.
    pub(super) fn scan_projected(
        &mut self,
        plan: &Plan,
        expressions: &[Expression],
        id: usize,
    ) -> Result<Vec<Phase>> {
        self.scan_coded(plan, id, &[], &read_alone(expressions))
    }

    /// A scan. Filters that the table does not apply in full are applied here, unless the plan does so above (`checked`).
    pub(super) fn scan(&mut self, plan: &Plan, id: usize, checked: &[&Expression]) -> Result<Vec<Phase>> {
        self.scan_coded(plan, id, checked, &[])
    }

    fn scan_coded(
        &mut self,
        plan: &Plan,
        id: usize,
        checked: &[&Expression],
        coded: &[usize],
    ) -> Result<Vec<Phase>> {
        let Node::Scan { table, projection, filters, limit } = &plan.node else {
            return self.phases(plan, id);
        };
        let context = Arc::clone(&self.run.context);
        let provider = self.bindings.table(table, &context)?;
        let scanned = ScannedTable::of(plan, provider.as_ref()).map_err(Error::internal)?;
        let residual: Vec<&Expression> = filters
            .iter()
            .filter(|filter| {
                provider.filter_support(filter) != FilterSupport::Exact && !checked.contains(filter)
            })
            .collect();
        let mut columns = projection.clone();
        for column in residual.iter().flat_map(|filter| filter.columns()) {
            if !columns.contains(&column) {
                columns.push(column);
            }
        }
        let phase = if provider.is_host_driven() {
            let (width, projection) = (provider.schema().fields.len(), columns.clone());
            let input = Arc::clone(self.input.get_or_insert_with(|| Arc::new(HostInput::new(width))));
            self.source(HostSource { input, projection }, id)
        } else {
            let request = ScanRequest {
                projection: columns.clone(),
                narrowed: scanned.narrowed.clone(),
                coded: coded.iter().filter_map(|&place| projection.get(place).copied()).collect(),
                filters: filters.clone(),
                key_filters: Vec::new(),
                limit: limit.filter(|_| residual.is_empty()),
                batch_rows: self.run.batch_rows(),
                read_bytes: self.metrics.of(id).read_bytes(),
            };
            let bytes = provider.reader_bytes(&request);
            if bytes > self.largest_reader.bytes {
                let what = format!("reading {} of {}", columns_text(columns.len()), provider.description());
                self.largest_reader = LargestReader { bytes, what };
            }
            let key_cells = self.key_cells.remove(&id).unwrap_or_default();
            let run = Arc::clone(&self.run);
            self.source(ScanSource::new(Arc::clone(&provider), request, key_cells, run), id)
        };
        let mut phases = vec![phase];
        if !residual.is_empty() {
            self.residual_filter(&mut phases, scanned.schema(), &residual, &columns, projection.len())?;
        }
        Ok(phases)
    }

    fn residual_filter(
        &mut self,
        phases: &mut [Phase],
        table: &Schema,
        residual: &[&Expression],
        columns: &[usize],
        kept: usize,
    ) -> Result<()> {
        let read = Schema::new(columns.iter().map(|&column| table.fields[column].clone()).collect());
        let moved = |filter: &&Expression| {
            let mut filter = (*filter).clone();
            filter.walk_mut(&mut |expression| {
                if let Expression::Column { index, .. } = expression {
                    *index = columns.iter().position(|column| column == index).unwrap_or(0);
                }
            });
            filter
        };
        let predicate = self.set(&[Expression::And(residual.iter().map(moved).collect())], &read)?;
        let columns = Some((0..kept).collect());
        let filter = Filter { predicate, columns, blanks: Vec::new(), run: Arc::clone(&self.run) };
        self.push_link(phases, Arc::new(filter), Arc::default());
        Ok(())
    }
}

/// Columns that are read by expressions alone which read no other column; those that leave as they are do not count.
fn read_alone(expressions: &[Expression]) -> Vec<usize> {
    let mut alone = Vec::new();
    let mut others = Vec::new();
    for expression in expressions {
        let columns = expression.columns();
        let is_computed = !matches!(expression, Expression::Column { .. });
        match columns[..] {
            [column] if is_computed => alone.push(column),
            _ => others.extend(columns),
        }
    }
    alone.retain(|column| !others.contains(column));
    alone
}

fn columns_text(columns: usize) -> String {
    if columns == 1 { "one column".into() } else { format!("{columns} columns") }
}
