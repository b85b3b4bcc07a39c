//! A definition bound over the columns of its input: its outputs as expressions over them, or what is to be found first.
//!
//! Columns of the input and values of windows over them are what a definition stands on. What queries inside it, tables of
//! WITH and other transforms compute of one row is put in the place of their columns ([`Ground`]), so that analyzers and windows may read it.

use std::collections::HashMap;
use std::rc::Rc;

use hypostyle_engine::plan::Expression;

use crate::bind::Binder;
use crate::bind::analyzer::{Fitting, Request};
use crate::bind::fit_pass::replace;
use crate::bind::window::BoundWindow;
use crate::error::{Error, ErrorKind, Result};
use crate::logical::{Column, Relation};
use crate::span::Span;
use crate::transform::{FittedCall, FittedOutput};
use crate::tree::{Query, QueryBody};

/// What binding a definition gave.
#[derive(Debug)]
pub(crate) enum Discovered {
    /// Nothing is left to fit.
    Complete {
        /// Its columns, over those of the input and of windows.
        outputs: Vec<FittedOutput>,
        /// The windows that there are.
        windows: Vec<GroundWindow>,
        /// Whether they are others for the rows of the fit.
        has_training: bool,
    },
    /// What is to be found next.
    Requests(Vec<Request>, Vec<GroundWindow>),
}

/// A window over the columns of the input.
#[derive(Debug, Clone)]
pub(crate) struct GroundWindow {
    /// Which of the calls over windows it is, in the order in which they are bound: the same whenever a definition is bound anew.
    pub number: usize,
    /// The column with its value.
    pub column: Column,
    /// The window.
    pub window: BoundWindow,
    /// Its text.
    pub text: String,
    /// Whether it reads what an analyzer gives whose parameters were made up.
    pub is_open: bool,
}

/// What a definition stands on.
#[derive(Debug, Default)]
pub(crate) struct Ground {
    /// Windows met.
    pub windows: Vec<GroundWindow>,
    /// Calls over windows met, those that are equal to another one included.
    pub window_calls: usize,
    /// Columns that are computed of one row, over columns of the input and of windows.
    computed: HashMap<usize, Expression>,
}

impl Ground {
    /// Puts what columns stand for in their place.
    pub fn resolve(&self, expression: &mut Expression) {
        replace(expression, &self.computed);
    }

    /// The windows that these expressions read.
    pub fn read_by<'e>(
        windows: &[GroundWindow],
        expressions: impl IntoIterator<Item = &'e Expression>,
    ) -> Vec<GroundWindow> {
        let read: Vec<usize> = expressions.into_iter().flat_map(Expression::columns).collect();
        windows.iter().filter(|window| read.contains(&window.column.id)).cloned().collect()
    }
}

impl Binder<'_> {
    /// Binds a definition over the columns of its input, with the parameters that are known.
    pub(crate) fn discover(
        &mut self,
        query: &Query,
        columns: &[Column],
        known: &Rc<Vec<FittedCall>>,
        training: bool,
    ) -> Result<Discovered> {
        self.fitting = Some(Fitting { known: Rc::clone(known), training, ..Fitting::default() });
        self.transform_input = Some(columns.to_vec());
        // The tables of WITH of the source are its own.
        let shared = std::mem::take(&mut self.shared);
        let relation = self.query(query).map(|relation| self.with_shared(relation));
        self.shared = shared;
        self.transform_input = None;
        let Some(fitting) = self.fitting.take() else { return Err(Error::internal("a fit lost its state")) };
        let windows = fitting.ground.windows;
        if fitting.made_up > 0 {
            // What made-up parameters broke is told once they are known; names mean what they mean before anything is read.
            if let Err(error) = &relation
                && is_of_names(error)
            {
                return Err(error.clone());
            }
            return match (fitting.requests.is_empty(), relation) {
                (false, _) => Ok(Discovered::Requests(fitting.requests, windows)),
                (true, Err(error)) => Err(error),
                (true, Ok(_)) => Err(Error::internal("a fit asks for nothing and is not complete")),
            };
        }
        let outputs = self.over_input(&relation?, columns, query.span)?;
        let texts: Vec<String> = match &query.body {
            QueryBody::Select(select) if select.items.len() == outputs.len() => {
                select.items.iter().map(|item| item.expression.to_string()).collect()
            }
            _ => outputs.iter().map(|(name, _)| name.clone()).collect(),
        };
        let outputs = outputs.into_iter().zip(texts);
        let output = |((name, expression), text)| FittedOutput { name, text, expression, training: None };
        Ok(Discovered::Complete {
            outputs: outputs.map(output).collect(),
            windows,
            has_training: fitting.has_training,
        })
    }

    /// Notes what the columns of FROM are in a definition, where each is computed of one row of its input.
    pub(super) fn note_computed(&mut self, relation: &Relation) {
        let Some(input) = &self.transform_input else { return };
        if self.fitting.as_ref().is_none_or(|fitting| fitting.is_inline) {
            return;
        }
        let Ok(values) = self.over_input(relation, input, Span::NONE) else { return };
        let Some(fitting) = &mut self.fitting else { return };
        for (column, (_, value)) in relation.columns().into_iter().zip(values) {
            if value != column.read() {
                fitting.ground.computed.insert(column.id, value);
            }
        }
    }

    /// Notes a window of a definition, over what stands for its columns.
    ///
    /// # Errors
    /// A window over the value of another one.
    pub(super) fn note_window(
        &mut self,
        (column, window): (&Column, &BoundWindow),
        number: usize,
        text: String,
        is_open: bool,
        span: Span,
    ) -> Result<()> {
        let Some(fitting) = self.fitting.as_mut().filter(|fitting| !fitting.is_inline) else { return Ok(()) };
        let mut window = window.clone();
        window.expressions_mut().into_iter().for_each(|part| fitting.ground.resolve(part));
        let read: Vec<usize> = window.expressions().into_iter().flat_map(Expression::columns).collect();
        if let Some(inner) = fitting.ground.windows.iter().find(|inner| read.contains(&inner.column.id)) {
            let message = format!(
                "a transform has no window over the value of another window, as a served row brings the rows before it as they came: {text} reads {}; \
                 make two transforms: one that gives {} and the columns that {text} needs, and one that is fitted on and applied to what the first gives",
                inner.text, inner.text
            );
            return Err(Error::invalid(message, span));
        }
        fitting.ground.windows.push(GroundWindow { number, column: column.clone(), window, text, is_open });
        Ok(())
    }

    /// The columns of a bound definition as expressions over the input and over windows.
    fn over_input(
        &self,
        relation: &Relation,
        input: &[Column],
        span: Span,
    ) -> Result<Vec<(String, Expression)>> {
        let read = |column: &Column| (column.name.clone(), column.read());
        match relation {
            Relation::Values { columns, .. }
                if columns.iter().map(|column| column.id).eq(input.iter().map(|column| column.id)) =>
            {
                Ok(columns.iter().map(read).collect())
            }
            Relation::Window { input: below, columns, .. } => {
                let mut values = self.over_input(below, input, span)?;
                values.extend(columns.iter().map(read));
                Ok(values)
            }
            Relation::SharedRows(shared) => {
                let table = self.shared_table(shared.table);
                let table = table.ok_or_else(|| Error::internal("a shared table vanished"))?;
                let below = self.over_input(table, input, span)?;
                let value = |(column, position): &(Column, usize)| {
                    Some((column.name.clone(), below.get(*position)?.1.clone()))
                };
                Ok(shared.columns.iter().filter_map(value).collect())
            }
            Relation::Project { input: below, columns } => {
                let below_columns = below.columns();
                let below = self.over_input(below, input, span)?;
                let values = below.into_iter().map(|(_, value)| value);
                let given: HashMap<usize, Expression> =
                    below_columns.into_iter().map(|column| column.id).zip(values).collect();
                let value = |(name, expression): (&String, &Expression)| {
                    let mut expression = expression.clone();
                    replace(&mut expression, &given);
                    (name.clone(), expression)
                };
                let computed = columns.iter().map(|computed| (&computed.column.name, &computed.expression));
                Ok(computed.map(value).collect())
            }
            _ => {
                let message = "a transform gives one row for each row of its input: SELECT expressions FROM input, without \
                               filter, join, grouping, order or other tables";
                Err(Error::invalid(message, span))
            }
        }
    }
}

/// True for errors that no value of a parameter brings about.
pub(super) fn is_of_names(error: &Error) -> bool {
    let of_functions = |error: &hypostyle_functions::Error| {
        matches!(error, hypostyle_functions::Error::UnknownFunction { .. })
    };
    match error.kind() {
        ErrorKind::Syntax(_)
        | ErrorKind::Unsupported(_)
        | ErrorKind::Unknown { .. }
        | ErrorKind::Ambiguous { .. }
        | ErrorKind::TooDeep { .. } => true,
        ErrorKind::Function(error) => of_functions(error),
        _ => false,
    }
}
