//! EXPLAIN LEAKAGE and EXPLAIN CONSISTENCY: what a query can see that it will not see when it is served, and how
//! repeatable each of its expressions is.
//!
//! The checks look at the bound relation and at no data: a finding is what can happen. `leak` is told where rows after the current one
//! are seen, or statistics of the rows that they are applied to; `check` where rows of the same time are, or values that
//! change from one time to the next.

use hypostyle_engine::plan::{
    AggregateCall, Exclusion, Expression, FrameBound, FrameUnits, Inequality, Window, WindowCall,
    WindowFunction,
};
use hypostyle_functions::scalar::Exactness;

use crate::bind::Binder;
use crate::bind::fold;
use crate::error::Result;
use crate::logical::Relation;
use crate::tree::Statement;

/// Aggregates whose results are estimates.
const ESTIMATES: [&str; 3] = ["approx_count_distinct", "approx_quantile", "count_min"];

/// One line of an answer.
type Line = [String; 3];

impl Binder<'_> {
    /// What a statement can see that a served row will not.
    ///
    /// # Errors
    /// What binding the statement reports.
    pub(crate) fn leakage(&mut self, statement: &Statement) -> Result<Relation> {
        self.findings.clear();
        let relation = self.statement_rows(statement)?;
        let relation = self.with_shared(relation);
        let mut lines: Vec<Line> = std::mem::take(&mut self.findings);
        if self.fits_data {
            lines.push(line("leak", "OVER ()", "analyzers are fitted on the rows that they are applied to; fit a transform on the training rows"));
        }
        self.look(&relation, &mut lines);
        lines.sort();
        lines.dedup();
        if lines.is_empty() {
            lines.push(line("none", "", "nothing that leaks was found"));
        }
        Ok(self.answer(["severity", "subject", "finding"], lines))
    }

    /// How repeatable each expression and aggregate of a statement is.
    ///
    /// # Errors
    /// What binding the statement reports.
    pub(crate) fn consistency(&mut self, statement: &Statement) -> Result<Relation> {
        let relation = self.statement_rows(statement)?;
        let relation = self.with_shared(relation);
        let mut lines = Vec::new();
        self.classify(&relation, &mut lines);
        Ok(self.answer(["expression", "class", "reason"], lines))
    }

    fn answer(&mut self, names: [&str; 3], lines: Vec<Line>) -> Relation {
        let rows = lines.into_iter().map(|line| line.into_iter().map(Some).collect()).collect();
        self.text_table(&names, rows)
    }

    fn look(&self, relation: &Relation, lines: &mut Vec<Line>) {
        for expression in relation.expressions() {
            if let Some((function, _)) = fold::first_changing(expression, self.context) {
                let finding =
                    "gives another value at another time: what is served differs from what was trained on";
                lines.push(line("check", &function, finding));
            }
        }
        match relation {
            Relation::Window { window, .. } => {
                window
                    .calls
                    .iter()
                    .filter_map(|call| of_window(window, call))
                    .for_each(|found| lines.push(found));
            }
            Relation::AsOf(join) => match join.order.comparison {
                Inequality::Less | Inequality::LessOrEqual => {
                    lines.push(line(
                        "leak",
                        "ASOF JOIN",
                        "takes the nearest row after the left one; compare with >= or >",
                    ));
                }
                Inequality::GreaterOrEqual => {
                    lines.push(line("check", "ASOF JOIN", "takes a row of the same time too; compare with > where that can be the label's own event"));
                }
                Inequality::Greater => {}
            },
            Relation::Sample { seed: None, .. } => {
                lines.push(line(
                    "check",
                    "SAMPLE",
                    "chooses other rows each time; give it a seed with REPEATABLE",
                ));
            }
            _ => {}
        }
        stacker::maybe_grow(64 << 10, 1 << 20, || {
            relation.inputs().into_iter().for_each(|input| self.look(input, lines));
        });
    }

    fn classify(&self, relation: &Relation, lines: &mut Vec<Line>) {
        // Inputs first: in the order in which values are made.
        stacker::maybe_grow(64 << 10, 1 << 20, || {
            relation.inputs().into_iter().for_each(|input| self.classify(input, lines));
        });
        match relation {
            Relation::Project { columns, .. } => {
                for computed in columns
                    .iter()
                    .filter(|computed| !matches!(computed.expression, Expression::Column { .. }))
                {
                    let (class, reason) = self.class_of(&computed.expression);
                    lines.push(line(&computed.column.name, class, &reason));
                }
            }
            Relation::Aggregate { aggregates, .. } => {
                for (column, call) in aggregates {
                    let (class, reason) = self.class_of_aggregate(call);
                    lines.push(line(&column.name, class, &reason));
                }
            }
            Relation::Window { window, columns, .. } => {
                for (column, call) in columns.iter().zip(&window.calls) {
                    let (class, reason) = match &call.function {
                        WindowFunction::Aggregate(call) => self.class_of_aggregate(call),
                        WindowFunction::Positional { .. } => {
                            ("fixed-order", "ties are broken by the position of rows".to_owned())
                        }
                    };
                    lines.push(line(&column.name, class, &reason));
                }
            }
            _ => {}
        }
    }

    fn class_of(&self, expression: &Expression) -> (&'static str, String) {
        if let Some((function, _)) = fold::first_changing(expression, self.context) {
            return ("varying", format!("{function} gives another value at another time"));
        }
        let mut platform = None;
        expression.walk(&mut |part| {
            if let Expression::Call { function, .. } = part
                && self
                    .context
                    .registry
                    .scalar(function)
                    .is_some_and(|known| known.exactness == Exactness::Platform)
            {
                platform = Some(function.clone());
            }
        });
        match platform {
            Some(function) => ("platform", format!("{function} may differ from one platform to another")),
            None => {
                ("exact", "the same bits for batches, pushed batches and rows on every platform".to_owned())
            }
        }
    }

    fn class_of_aggregate(&self, call: &AggregateCall) -> (&'static str, String) {
        if ESTIMATES.contains(&call.function.as_str()) {
            return (
                "approximate",
                format!("{} is an estimate, the same for any order of rows", call.function),
            );
        }
        let is_ordered =
            self.context.registry.aggregate(&call.function).is_some_and(|known| known.order_sensitive);
        match is_ordered {
            true => {
                ("fixed-order", format!("{} goes by the order of its input, not by threads", call.function))
            }
            false => ("exact", "the same bits for any order of rows and any number of threads".to_owned()),
        }
    }
}

fn line(first: &str, second: &str, third: &str) -> Line {
    [first.to_owned(), second.to_owned(), third.to_owned()]
}

/// What a call over a window sees at or after the time of its row.
fn of_window(window: &Window, call: &WindowCall) -> Option<Line> {
    let (name, is_positional) = match &call.function {
        WindowFunction::Aggregate(call) => (call.function.as_str(), false),
        WindowFunction::Positional { name, .. } => (name.as_str(), true),
    };
    let subject = format!("{name} OVER");
    if let Some(finding) = window.looks_ahead(call) {
        return Some(line("leak", &subject, finding));
    }
    // Ranks and rows before look back whatever the frame is.
    if is_positional && !matches!(name, "first_value" | "last_value" | "nth_value") {
        return None;
    }
    let frame = &call.frame;
    let sees_itself = matches!(frame.end, FrameBound::CurrentRow)
        && (frame.exclude == Exclusion::None
            || (frame.units != FrameUnits::Rows && frame.exclude != Exclusion::Group));
    sees_itself.then(|| {
        let peers = if frame.units == FrameUnits::Rows {
            "the current row"
        } else {
            "the current row and all of the same time"
        };
        line(
            "check",
            &subject,
            &format!("sees {peers}; end the frame before it where that can be the label's own event"),
        )
    })
}
