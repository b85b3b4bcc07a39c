//! What expressions of one SELECT share while they are bound: its scope, and what they need computed below them.

use std::collections::HashMap;
use std::rc::Rc;

use hypostyle_engine::plan::{AggregateCall, Expression, JoinKey};
use hypostyle_functions::Type;

use crate::bind::group::GroupingCall;
use crate::bind::scope::Scope;
use crate::bind::window::BoundWindow;
use crate::error::{Error, Result};
use crate::logical::{Column, Computed, Relation};
use crate::span::Span;
use crate::tree;

/// The clause an expression stands in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Clause {
    /// The select list.
    Select,
    /// HAVING.
    Having,
    /// QUALIFY.
    Qualify,
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
            Self::Qualify => "QUALIFY",
            Self::OrderBy => "ORDER BY",
            Self::Where => "WHERE",
            Self::GroupBy => "GROUP BY",
            Self::On => "ON",
            Self::Values => "VALUES",
            Self::Arguments => "the arguments of a table function",
        }
    }

    fn allows_aggregates(self) -> bool {
        matches!(self, Self::Select | Self::Having | Self::Qualify | Self::OrderBy)
    }

    fn allows_windows(self) -> bool {
        matches!(self, Self::Select | Self::Qualify | Self::OrderBy)
    }
}

/// A subquery whose value is a column of the relation below.
#[derive(Debug, Clone)]
pub struct Pending {
    /// The query.
    pub relation: Relation,
    /// How it meets the rows around it.
    pub meeting: Meeting,
    /// Whether it reads columns of a query around it.
    pub is_correlated: bool,
    /// Where it is.
    pub span: Span,
}

/// How a subquery meets the rows around it.
#[derive(Debug, Clone)]
pub enum Meeting {
    /// One row, joined to every row.
    Scalar,
    /// `IN`, `EXISTS` and their relatives: a column that says whether there was a matching row.
    Mark {
        /// Operand and column of the query.
        keys: Vec<JoinKey>,
        /// Further conditions on the pair.
        residual: Vec<Expression>,
        /// The column.
        mark: Column,
        /// Whether the answer can be unknown: not so for EXISTS.
        can_be_unknown: bool,
    },
}

impl Pending {
    /// Columns of the rows around it that it reads.
    pub fn outer_columns(&self) -> Vec<usize> {
        let mut columns: Vec<usize> = match self.is_correlated {
            true => self.relation.outer_columns().into_keys().collect(),
            false => Vec::new(),
        };
        if let Meeting::Mark { keys, residual, mark, .. } = &self.meeting {
            let own: Vec<usize> = self.relation.columns().iter().map(|column| column.id).collect();
            let read = keys.iter().flat_map(|key| key.left.columns());
            let read = read.chain(residual.iter().flat_map(Expression::columns));
            columns.extend(read.filter(|id| !own.contains(id) && *id != mark.id));
        }
        columns
    }

    /// Columns that it gives.
    pub fn columns(&self) -> Vec<usize> {
        match &self.meeting {
            Meeting::Scalar => self.relation.columns().iter().map(|column| column.id).collect(),
            Meeting::Mark { mark, .. } => vec![mark.id],
        }
    }
}

/// A name of the select list.
#[derive(Debug, Clone)]
pub struct Alias {
    /// The name.
    pub name: String,
    /// What it stands for.
    pub expression: Rc<tree::Expression>,
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
    /// GROUPING met.
    pub groupings: Vec<GroupingCall>,
    /// True inside the arguments of an aggregate.
    pub inside_aggregate: bool,
    /// Calls over windows met.
    pub windows: Vec<(Column, BoundWindow)>,
    /// True inside a call over a window.
    pub inside_window: bool,
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
            groupings: Vec::new(),
            inside_aggregate: false,
            windows: Vec::new(),
            inside_window: false,
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

    /// True if the expression reads an aggregate, by itself or through a subquery.
    pub fn reads_aggregate(&self, expression: &Expression) -> bool {
        let is_call = |id: &usize| self.calls.iter().any(|(column, _)| column.id == *id);
        let read = expression.columns();
        let subqueries =
            self.pending.iter().filter(|pending| pending.columns().iter().any(|id| read.contains(id)));
        read.iter().any(is_call) || subqueries.flat_map(Pending::outer_columns).any(|id| is_call(&id))
    }

    /// Joins the subqueries that these keys read below the grouping.
    pub fn move_inside(&mut self, keys: &[Computed]) {
        let read: Vec<usize> = keys.iter().flat_map(|key| key.expression.columns()).collect();
        let pending = std::mem::take(&mut self.pending);
        let (inside, others) =
            pending.into_iter().partition(|pending| pending.columns().iter().any(|id| read.contains(id)));
        self.pending = others;
        self.pending_inside.extend::<Vec<_>>(inside);
    }

    /// True if the expression reads a column of a window.
    pub fn reads_window(&self, expression: &Expression) -> bool {
        let columns = expression.columns();
        columns.iter().any(|id| self.windows.iter().any(|(column, _)| column.id == *id))
    }

    /// True if a subquery reads the value of a call over a window.
    pub fn is_behind_windows(&self, pending: &Pending) -> bool {
        let read = pending.outer_columns();
        self.windows.iter().any(|(column, _)| read.contains(&column.id))
    }

    /// Refuses a call over a window where none can be.
    pub fn check_window(&self, name: &str, span: Span) -> Result<()> {
        let place = if self.inside_window {
            "a call over a window"
        } else if self.inside_aggregate {
            "an aggregate"
        } else if !self.variables.is_empty() {
            "a lambda"
        } else if !self.clause.allows_windows() {
            self.clause.words()
        } else {
            return Ok(());
        };
        let hint = if self.clause == Clause::Where { "; use QUALIFY" } else { "" };
        Err(Error::invalid(format!("{place} cannot hold {name} over a window{hint}"), span))
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
