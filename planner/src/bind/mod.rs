//! Binding: every name gets a meaning, every expression a type, and types meet in one place ([`coerce`]).
//!
//! A query becomes a [`crate::logical::Relation`]. Aggregates and subqueries leave the expressions they stand in: their
//! values are columns of the relation below. Expressions come out typed and coerced, in the engine's own form.

mod access;
mod aggregate;
mod analyzer;
mod asof_join;
mod call;
mod category_table;
mod coerce;
mod collation;
mod constant;
mod definition;
mod describe;
mod describe_transform;
mod expression;
mod fit_pass;
pub(crate) mod fold;
mod frame;
mod from;
mod full_join;
mod group;
mod inline_fit;
mod join;
mod leakage;
mod limit;
mod literal;
pub mod operator;
mod pivot;
mod query;
mod recursive;
mod sample;
mod scope;
mod select;
mod set_operation;
mod shared;
mod special;
mod star;
mod subquery;
mod subquery_attach;
mod table_function;
mod transform_table;
mod type_name;
mod unnest;
mod unpivot;
mod window;
mod written_analyzer;

use std::rc::Rc;
use std::sync::Arc;

use hypostyle_engine::Context;
use hypostyle_engine::plan::{AggregateCall, Expression as HypostyleExpression};
use hypostyle_functions::{Literal, Place, Type};

use crate::definitions::Definitions;
use crate::error::{Error, ErrorKind, Result};
use crate::logical::{Column, Numbering, Relation};
use crate::planner::Observer;
use crate::span::Span;
use crate::tree::{CommonTable, Expression};

pub(crate) use analyzer::Request;
pub(crate) use asof_join::inequality;
pub(crate) use call::equality_of;
pub(crate) use constant::folded;
pub(crate) use definition::{Discovered, Ground, GroundWindow};
pub(crate) use fit_pass::{Makes, Pass, counted_columns};
pub(crate) use join::split_keys;
pub(crate) use literal::{adapt_integer, as_integer};
pub(crate) use select::distinct_rows;
pub use type_name::resolve as resolve_type;

use scope::Scope;

/// Expressions bound in one statement, aliases and macros counted as often as they are used.
const EXPRESSIONS_MAX: usize = 2_000_000;

/// Views and macros inside each other, and queries inside each other.
const EXPANSION_MAX: usize = 64;

/// A parameter of a statement.
#[derive(Debug, Clone, PartialEq)]
pub struct Parameter {
    /// Its name: `1` for `$1` and the first `?`.
    pub name: String,
    /// Its type, as its places ask for it; VARCHAR if none does.
    pub data_type: Type,
}

/// An aggregate of outer columns alone: the query that these belong to computes it.
struct OuterCall {
    /// Scopes around the query that computes it.
    scopes: usize,
    column: Column,
    call: AggregateCall,
    span: Span,
}

/// Binds one statement.
pub struct Binder<'a> {
    context: &'a Arc<Context>,
    definitions: &'a Definitions,
    /// Values of parameters, where the statement is bound for one execution.
    values: Option<&'a [(String, Literal)]>,
    parameters: Vec<Parameter>,
    numbering: Numbering,
    next_variable: u32,
    expressions: usize,
    expansions: usize,
    /// Where the view, macro or prepared statement stands whose text is being bound: that text is not the one of the statement.
    expanded_at: Option<Span>,
    /// Scopes of the queries around this one, innermost last: names found there make a query correlated.
    outer: Vec<Rc<Scope>>,
    /// Times that a name was found there.
    outer_reads: usize,
    /// Aggregates met in subqueries that belong to a query around them.
    outer_calls: Vec<OuterCall>,
    /// Tables of WITH, innermost last, each with the number of scopes that it sees.
    common: Vec<(Rc<CommonTable>, usize)>,
    /// Recursive tables of WITH whose step is being bound, innermost last.
    recursions: Vec<recursive::Recursion>,
    next_work_table: u32,
    /// Whether the plan depends on the data of its tables: a PIVOT without a list of values.
    reads_data: bool,
    /// Whether analyzers were fitted while the statement was bound.
    fits_data: bool,
    /// Tables of WITH that are bound, each before those that read it.
    shared: Vec<shared::Shared>,
    /// Arguments of the macros being expanded, innermost last.
    macro_arguments: Vec<Vec<(String, Rc<Expression>)>>,
    /// Values that the names of an analyzer's text stand for, innermost last.
    named_values: Vec<Rc<Vec<(String, scope::Bound)>>>,
    /// What analyzers know and ask for, while a transform is fitted.
    fitting: Option<analyzer::Fitting>,
    /// The columns of `input`, while a transform is bound.
    transform_input: Option<Vec<Column>>,
    /// What EXPLAIN LEAKAGE tells of transforms that were met.
    findings: Vec<[String; 3]>,
    /// Columns of transforms whose inputs are not there.
    absent: Vec<transform_table::Absent>,
    /// Sees the runs that binding needs.
    observer: Option<Observer<'a>>,
}

impl<'a> Binder<'a> {
    /// A binder over a session's tables, functions and definitions.
    pub fn new(context: &'a Arc<Context>, definitions: &'a Definitions) -> Self {
        Self {
            context,
            definitions,
            values: None,
            parameters: Vec::new(),
            numbering: Numbering::default(),
            next_variable: 0,
            expressions: 0,
            expansions: 0,
            expanded_at: None,
            outer: Vec::new(),
            outer_reads: 0,
            outer_calls: Vec::new(),
            common: Vec::new(),
            recursions: Vec::new(),
            next_work_table: 0,
            reads_data: false,
            fits_data: false,
            shared: Vec::new(),
            macro_arguments: Vec::new(),
            named_values: Vec::new(),
            fitting: None,
            transform_input: None,
            findings: Vec::new(),
            absent: Vec::new(),
            observer: None,
        }
    }

    /// Shows the runs that binding needs to an observer.
    pub(crate) fn observed(self, observer: Option<Observer<'a>>) -> Self {
        Self { observer, ..self }
    }

    /// Names this place in the errors of rows: what is bound is the text of a statement prepared before.
    pub(crate) fn expanded_from(mut self, span: Span) -> Self {
        self.expanded_at = Some(span);
        self
    }

    /// Binds parameters to these values instead of leaving them open.
    #[must_use]
    pub fn with_values(mut self, values: &'a [(String, Literal)]) -> Self {
        self.values = Some(values);
        self
    }

    /// The parameters met, by position; those that nothing gave a type are text.
    pub fn into_parameters(mut self) -> Vec<Parameter> {
        for parameter in &mut self.parameters {
            if parameter.data_type == Type::Null {
                parameter.data_type = Type::Text;
            }
        }
        self.parameters
    }

    /// Puts parameters that have numbers in their order, in which values are given: `$2 + $1` binds the second one first.
    pub(crate) fn order_parameters(&mut self, relation: &mut Relation) {
        let numbers: Option<Vec<u64>> = self.parameters.iter().map(|known| known.name.parse().ok()).collect();
        let Some(numbers) = numbers.filter(|numbers| !numbers.is_sorted()) else { return };
        self.parameters.sort_by_key(|known| known.name.parse::<u64>().unwrap_or(0));
        let place = |index: usize| {
            let number = numbers.get(index)?;
            Some(numbers.iter().filter(|other| *other < number).count())
        };
        relation.walk_mut(&mut |part| {
            for expression in part.expressions_mut() {
                expression.walk_mut(&mut |part| {
                    if let HypostyleExpression::Parameter { index, .. } = part
                        && let Some(place) = place(*index)
                    {
                        *index = place;
                    }
                });
            }
        });
    }

    /// The parameters met so far.
    pub(crate) fn open_parameters(&self) -> &[Parameter] {
        &self.parameters
    }

    /// Whether the plan depends on the data of its tables, so that it is right only now.
    pub fn reads_data(&self) -> bool {
        self.reads_data
    }

    /// Whether the statement holds what was fitted on the data that is there now.
    pub fn fits_data(&self) -> bool {
        self.fits_data
    }

    /// What numbers columns.
    pub(crate) fn numbering(&mut self) -> &mut Numbering {
        &mut self.numbering
    }

    /// A column that is in no other relation.
    pub(crate) fn new_column(&mut self, name: impl Into<String>, data_type: Type) -> Column {
        self.numbering.column(name, data_type)
    }

    /// True for a column of a query around the one being bound.
    fn is_outer(&self, id: usize) -> bool {
        self.outer.iter().any(|scope| scope.columns().iter().any(|column| column.column.id == id))
            || self.outer_calls.iter().any(|call| call.column.id == id)
    }

    pub(crate) fn new_variable(&mut self) -> u32 {
        self.next_variable += 1;
        self.next_variable
    }

    /// Counts one more expression.
    fn count_expression(&mut self, span: Span) -> Result<()> {
        self.expressions += 1;
        match self.expressions > EXPRESSIONS_MAX {
            true => Err(Error::invalid("the statement has too many expressions", span)),
            false => Ok(()),
        }
    }

    /// Runs `bind` one level deeper inside views, macros and queries.
    fn deeper<T>(&mut self, span: Span, bind: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        if self.expansions >= EXPANSION_MAX {
            return Err(Error::new(ErrorKind::TooDeep { limit: EXPANSION_MAX }, span));
        }
        self.expansions += 1;
        let result = stacker::maybe_grow(256 << 10, 4 << 20, || bind(self));
        self.expansions -= 1;
        result
    }

    /// Runs `bind` over the text of a view or macro that is used at `span`.
    fn in_definition<T>(&mut self, span: Span, bind: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        let outside = self.expanded_at;
        self.expanded_at = outside.or(Some(span));
        let result = self.deeper(span, bind);
        self.expanded_at = outside;
        result
    }

    /// The place that errors of rows name for an expression of this span.
    fn place(&self, span: Span) -> Place {
        self.expanded_at.unwrap_or(span).place()
    }
}
