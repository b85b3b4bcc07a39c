//! Transforms: select lists with analyzers, fitted on one table and applied to others.
//!
//! A [`Transform`] is what CREATE TRANSFORM said; [`Fitted`] is plain data: expressions over input columns in
//! which every analyzer has become its scalar, with the fitted parameters as constants.

mod fit;
mod partial;
mod window;
mod zone;

use std::sync::Arc;

use hypostyle_engine::plan::Expression;
use hypostyle_functions::{Field, Literal, Schema};

use crate::error::{Error, Result};
use crate::span::Span;
use crate::tree::{Argument, ExpressionKind, GroupBy, Name, OrderBy, Query, QueryBody, TableKind};

/// Levels of analyzers inside analyzers.
pub(crate) const LEVELS_MAX: usize = 64;

pub(crate) fn too_many_levels(span: Span) -> Error {
    Error::invalid(format!("analyzers stand more than {LEVELS_MAX} levels inside each other"), span)
}

pub use fit::fit;
pub(crate) use fit::{finish_pass, run_pass};
pub use partial::{FitState, Piece, StateHeader, finish_states, fit_partial, merge_states};
pub use window::{FittedWindow, windowed};

/// What CREATE TRANSFORM defined, and what FIT TRANSFORM found.
#[derive(Debug, Clone)]
pub struct Transform {
    /// Name.
    pub name: Name,
    /// The definition as written; `None` for one that was loaded.
    pub query: Option<Query>,
    /// Its text.
    pub sql: String,
    /// What the last fit found.
    pub fitted: Option<Arc<Fitted>>,
}

/// A call of an analyzer with the parameters that were found for it.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct FittedCall {
    /// The analyzer.
    pub analyzer: String,
    /// Its options, constants included.
    pub options: Vec<(String, Literal)>,
    /// What it is applied to, over the columns of [`Fitted::read_schema`].
    pub arguments: Vec<Expression>,
    /// How many fits had to come before it.
    pub level: usize,
    /// Parameters by name.
    pub parameters: Vec<(String, Literal)>,
}

/// A column that a fitted transform gives.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct FittedOutput {
    /// Its name.
    pub name: String,
    /// Its definition as text.
    pub text: String,
    /// Its value, over the positions of [`Fitted::read_schema`].
    pub expression: Expression,
    /// Its value for rows of the fit, where an analyzer has another one for them.
    pub training: Option<Expression>,
}

/// A transform with everything that was fitted.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Fitted {
    /// Columns that are read, with the types they had.
    pub inputs: Vec<Field>,
    /// Windows over them that are read.
    pub windows: Vec<FittedWindow>,
    /// Columns that come out.
    pub outputs: Vec<FittedOutput>,
    /// The analyzers, each before those that read it.
    pub calls: Vec<FittedCall>,
    /// Where it was fitted.
    pub provenance: Provenance,
}

/// What a fit has read.
#[derive(Debug, Clone, Default, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Provenance {
    /// The source as it was named.
    pub source: String,
    /// Rows, where an analyzer asked for them.
    pub rows: Option<u64>,
    /// Nulls of each column that was read.
    pub nulls: Vec<(String, u64)>,
    /// Passes over the source.
    pub passes: usize,
    /// The session's time zone; empty where it was not recorded.
    #[serde(default)]
    pub time_zone: String,
}

impl Transform {
    /// What is fitted.
    ///
    /// # Errors
    /// A transform that was loaded.
    pub(crate) fn definition(&self) -> Result<&Query> {
        self.query.as_ref().ok_or_else(|| {
            let message = format!(
                "transform \"{}\" was imported: it is fitted already, and holds no definition to fit again",
                self.name.text
            );
            Error::invalid(message, self.name.span)
        })
    }
}

impl Fitted {
    /// Columns of the result.
    pub fn schema(&self) -> Schema {
        let fields =
            self.outputs.iter().map(|output| Field::new(output.name.clone(), output.expression.data_type()));
        Schema::new(fields.collect())
    }

    /// Columns that are read.
    pub fn input_schema(&self) -> Schema {
        Schema::new(self.inputs.clone())
    }
}

/// Refuses a definition that cannot be a transform whatever its input is.
///
/// # Errors
/// A query that is more than expressions over `input`.
pub fn check_definition(query: &Query) -> Result<()> {
    let QueryBody::Select(select) = &query.body else {
        return Err(Error::invalid("a transform is a SELECT of expressions FROM input", query.span));
    };
    let has_more = select.filter.is_some()
        || select.distinct
        || !select.distinct_on.is_empty()
        || !matches!(select.group_by, GroupBy::None)
        || select.having.is_some()
        || select.qualify.is_some()
        || select.sample.is_some()
        || !matches!(query.order_by, OrderBy::None)
        || query.limit.is_some()
        || query.offset.is_some();
    if has_more {
        let message = "a transform gives one row for each row of its input: it takes no WHERE, DISTINCT, GROUP BY, HAVING, \
                       QUALIFY, ORDER BY, LIMIT or sample; put them into the query that it is fitted on or applied to";
        return Err(Error::invalid(message, select.span));
    }
    let reads_input = match select.from.as_slice() {
        [table] => match &table.kind {
            // What another transform gives of the input.
            TableKind::Function { arguments, .. } => arguments.iter().any(is_input),
            TableKind::Named(names) => {
                matches!(names.as_slice(), [name] if name.is("input") || !query.with.is_empty())
            }
            TableKind::Query { .. } => true,
            _ => false,
        },
        _ => false,
    };
    match reads_input {
        true => Ok(()),
        false => Err(Error::invalid(
            "a transform reads FROM input, which stands for the table it is applied to",
            select.span,
        )),
    }
}

fn is_input(argument: &Argument) -> bool {
    matches!(&argument.value.kind, ExpressionKind::Column(names)
        if matches!(names.as_slice(), [name] if name.is("input")))
}
