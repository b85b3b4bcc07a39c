//! What expressions of one SELECT share while they are bound: its scope, and what they need computed below them.

use std::collections::HashMap;
use std::rc::Rc;

use hypostyle_engine::plan::{AggregateCall, JoinKey};
use hypostyle_functions::Type;

use crate::bind::scope::Scope;
use crate::error::{Error, Result};
use crate::logical::{Column, Computed, Relation};
use crate::span::Span;
use crate::tree::Expression;

/// The clause an expression stands in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Clause {
    /// The select list.
    Select,
    /// HAVING.
    Having,
    /// ORDER BY.
    OrderBy,
    /// WHERE.
    Where,
    /// GROUP BY.
    GroupBy,
    /// ON.
    On,
    /// VALUES.
    Values,
    /// Arguments of a table function.
    Arguments,
}

impl Clause {
    /// Its words in SQL.
    pub fn words(self) -> &'static str {
        match self {
            Self::Select => "the select list",
            Self::Having => "HAVING",
            Self::OrderBy => "ORDER BY",
            Self::Where => "WHERE",
            Self::GroupBy => "GROUP BY",
            Self::On => "ON",
            Self::Values => "VALUES",
            Self::Arguments => "the arguments of a table function",
        }
    }

    fn allows_aggregates(self) -> bool {
        matches!(self, Self::Select | Self::Having | Self::OrderBy)
    }
}

/// A subquery whose value is a column of the relation below.
#[derive(Debug)]
pub enum Pending {
    /// One row, joined to every row.
    Scalar(Relation),
    /// `IN`: rows joined by these keys, with a column that says whether there was one.
    Mark {
        /// The query.
        relation: Relation,
        /// Operand and column of the query.
        keys: Vec<JoinKey>,
        /// The column.
        mark: Column,
    },
}

/// A name of the select list.
#[derive(Debug, Clone)]
pub struct Alias {
    /// The name.
    pub name: String,
    /// What it stands for.
    pub expression: Rc<Expression>,
}

/// A parameter of a lambda around an expression.
#[derive(Debug, Clone)]
pub struct Variable {
    /// Name.
    pub name: String,
    /// Number, unique in the plan.
    pub id: u32,
    /// Type.
    pub data_type: Type,
}

/// What expressions of one SELECT share.
#[derive(Debug)]
pub struct Frame {
    /// The columns of FROM.
    pub scope: Rc<Scope>,
    /// The clause being bound.
    pub clause: Clause,
    /// Names of the select list.
    pub aliases: Vec<Alias>,
    /// How many of them may be used here.
    pub aliases_visible: usize,
    /// Aggregates met.
    pub calls: Vec<(Column, AggregateCall)>,
    /// True inside the arguments of an aggregate.
    pub inside_aggregate: bool,
    /// Subqueries met inside aggregates, joined below them.
    pub pending_inside: Vec<Pending>,
    /// Other subqueries.
    pub pending: Vec<Pending>,
    /// Lists that are unnested.
    pub unnests: Vec<Computed>,
    /// Parameters of the lambdas around.
    pub variables: Vec<Variable>,
    /// Where each column was read first, for messages.
    pub places: HashMap<usize, Span>,
}

impl Frame {
    /// A frame over this scope.
    pub fn new(scope: Rc<Scope>, clause: Clause) -> Self {
        Self {
            scope,
            clause,
            aliases: Vec::new(),
            aliases_visible: 0,
            calls: Vec::new(),
            inside_aggregate: false,
            pending_inside: Vec::new(),
            pending: Vec::new(),
            unnests: Vec::new(),
            variables: Vec::new(),
            places: HashMap::new(),
        }
    }

    /// Adds a subquery where its value is needed.
    pub fn add_pending(&mut self, pending: Pending) {
        match self.inside_aggregate {
            true => self.pending_inside.push(pending),
            false => self.pending.push(pending),
        }
    }

    /// Refuses an aggregate where none can be.
    pub fn check_aggregate(&self, name: &str, span: Span) -> Result<()> {
        if self.inside_aggregate {
            return Err(Error::invalid(format!("aggregate {name} stands inside another aggregate"), span));
        }
        if !self.variables.is_empty() {
            return Err(Error::invalid(format!("aggregate {name} stands inside a lambda"), span));
        }
        if !self.clause.allows_aggregates() {
            let hint = if self.clause == Clause::Where { "; use HAVING" } else { "" };
            let message = format!("{} cannot hold the aggregate {name}{hint}", self.clause.words());
            return Err(Error::invalid(message, span));
        }
        Ok(())
    }
}
