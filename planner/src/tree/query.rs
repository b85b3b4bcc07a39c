//! Queries as written.

use crate::span::Span;
use crate::tree::{Argument, Expression, Name, NamedWindow, OrderTerm, Pivot, Sample, Statement, Unpivot};

/// A query: a body with what stands around it.
#[derive(Debug, Clone)]
pub struct Query {
    /// WITH, in order.
    pub with: Vec<CommonTable>,
    /// What gives the rows.
    pub body: QueryBody,
    /// ORDER BY.
    pub order_by: OrderBy,
    /// LIMIT.
    pub limit: Option<Expression>,
    /// Whether LIMIT is a percentage of the rows.
    pub percent: bool,
    /// OFFSET.
    pub offset: Option<Expression>,
    /// Where it is.
    pub span: Span,
}

impl Query {
    /// `SELECT value`.
    pub fn of_value(value: Expression) -> Self {
        let span = value.span;
        let items = vec![SelectItem { expression: value, alias: None }];
        let select = Select { items, span, ..Select::default() };
        Self::of_body(QueryBody::Select(Box::new(select)), span)
    }

    /// A query that is nothing but its body.
    pub fn of_body(body: QueryBody, span: Span) -> Self {
        let (with, order_by) = (Vec::new(), OrderBy::None);
        Self { with, body, order_by, limit: None, percent: false, offset: None, span }
    }
}

/// `name [(columns)] AS (query)` of WITH.
#[derive(Debug, Clone)]
pub struct CommonTable {
    /// Name.
    pub name: Name,
    /// New names of its first columns.
    pub columns: Vec<Name>,
    /// True for `AS MATERIALIZED`, false for `AS NOT MATERIALIZED`, where written.
    pub materialized: Option<bool>,
    /// Columns of which each combination of values has one row: USING KEY of a recursion.
    pub keys: Vec<Name>,
    /// The query.
    pub query: Query,
    /// Whether it may read itself: WITH RECURSIVE.
    pub recursive: bool,
}

/// What gives the rows of a query.
#[derive(Debug, Clone)]
pub enum QueryBody {
    /// SELECT.
    Select(Box<Select>),
    /// A query in parentheses.
    Query(Box<Query>),
    /// VALUES.
    Values(Vec<Vec<Expression>>),
    /// UNION, INTERSECT or EXCEPT.
    Set {
        /// Which.
        operator: SetOperator,
        /// ALL keeps duplicates.
        all: bool,
        /// BY NAME pairs columns by name.
        by_name: bool,
        /// Left input.
        left: Box<QueryBody>,
        /// Right input.
        right: Box<QueryBody>,
    },
}

impl QueryBody {
    /// Where it is.
    pub fn span(&self) -> Span {
        match self {
            Self::Select(select) => select.span,
            Self::Query(query) => query.span,
            Self::Values(rows) => {
                rows.iter().flatten().fold(Span::NONE, |span, value| span.union(value.span))
            }
            Self::Set { left, right, .. } => left.span().union(right.span()),
        }
    }
}

/// Operators between two queries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SetOperator {
    /// Rows of either.
    Union,
    /// Rows of both.
    Intersect,
    /// Rows of the left that are not in the right.
    Except,
}

/// SELECT with its clauses.
#[derive(Debug, Clone, Default)]
pub struct Select {
    /// DISTINCT.
    pub distinct: bool,
    /// DISTINCT ON: of rows that are equal in these, the first one stays.
    pub distinct_on: Vec<Expression>,
    /// The select list.
    pub items: Vec<SelectItem>,
    /// FROM; several tables are a cross join.
    pub from: Vec<Table>,
    /// WHERE.
    pub filter: Option<Expression>,
    /// GROUP BY.
    pub group_by: GroupBy,
    /// HAVING.
    pub having: Option<Expression>,
    /// WINDOW.
    pub windows: Vec<NamedWindow>,
    /// QUALIFY.
    pub qualify: Option<Expression>,
    /// USING SAMPLE: a part of the rows of FROM.
    pub sample: Option<Sample>,
    /// Where it is.
    pub span: Span,
}

/// One item of a select list.
#[derive(Debug, Clone)]
pub struct SelectItem {
    /// The value, or a star.
    pub expression: Expression,
    /// The name after AS.
    pub alias: Option<Name>,
}

/// GROUP BY.
#[derive(Debug, Clone, Default)]
pub enum GroupBy {
    /// Not written.
    #[default]
    None,
    /// Every item of the select list that holds no aggregate.
    All,
    /// These.
    Expressions(Vec<Expression>),
    /// Elements of which at least one stands for several grouping sets, or for the empty one.
    Sets(Vec<GroupElement>),
}

/// One element of GROUP BY. The grouping sets of several elements are all combinations of theirs.
#[derive(Debug, Clone)]
pub enum GroupElement {
    /// One set of these keys: `a`, `(a, b)`, `()`.
    Keys(Vec<Expression>),
    /// ROLLUP: every beginning of this list of keys, the empty one too.
    Rollup(Vec<Vec<Expression>>),
    /// CUBE: every choice of these keys.
    Cube(Vec<Vec<Expression>>),
    /// GROUPING SETS: the sets of each of these.
    Sets(Vec<GroupElement>),
}

/// ORDER BY.
#[derive(Debug, Clone)]
pub enum OrderBy {
    /// Not written.
    None,
    /// By every column from left to right.
    All {
        /// True for DESC.
        descending: bool,
        /// NULLS FIRST or LAST where written.
        nulls_first: Option<bool>,
    },
    /// By these.
    Terms(Vec<OrderTerm>),
}

/// One table of FROM.
#[derive(Debug, Clone)]
pub struct Table {
    /// What it is.
    pub kind: TableKind,
    /// Its name here.
    pub alias: Option<TableAlias>,
    /// Where it is.
    pub span: Span,
}

/// `AS name (columns)`.
#[derive(Debug, Clone)]
pub struct TableAlias {
    /// The name.
    pub name: Name,
    /// New names of its first columns.
    pub columns: Vec<Name>,
}

/// The forms of a table.
#[derive(Debug, Clone)]
pub enum TableKind {
    /// A table, view or common table by name.
    Named(Vec<Name>),
    /// A file or glob in quotes.
    Path(String),
    /// A table function.
    Function {
        /// Name.
        name: Name,
        /// Arguments.
        arguments: Vec<Argument>,
        /// `WITH ORDINALITY` adds a column that counts rows from 1.
        ordinality: bool,
    },
    /// A query in parentheses.
    Query {
        /// The query.
        query: Box<Query>,
        /// LATERAL: may use columns of the tables before it.
        lateral: bool,
    },
    /// `(DESCRIBE ..)`, `(SUMMARIZE ..)` or `(SHOW TABLES)`.
    Statement(Box<Statement>),
    /// PIVOT, as a statement or behind a table.
    Pivot(Box<Pivot>),
    /// UNPIVOT, as a statement or behind a table.
    Unpivot(Box<Unpivot>),
    /// `table TABLESAMPLE ..`.
    Sample {
        /// The table.
        table: Box<Table>,
        /// Which part of it.
        sample: Sample,
    },
    /// Two tables joined.
    Join {
        /// How.
        kind: JoinKind,
        /// Left table.
        left: Box<Table>,
        /// Right table.
        right: Box<Table>,
        /// On what.
        condition: JoinCondition,
    },
}

/// Kinds of join.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JoinKind {
    /// Pairs that match.
    Inner,
    /// And left rows without a match.
    Left,
    /// And right rows without a match.
    Right,
    /// And rows of either side without a match.
    Full,
    /// Left rows with a match, once.
    Semi,
    /// Left rows without a match.
    Anti,
    /// All pairs.
    Cross,
    /// Rows at the same position; the shorter side ends in nulls.
    Positional,
}

/// What joined rows must fulfil.
#[derive(Debug, Clone)]
pub enum JoinCondition {
    /// Nothing.
    None,
    /// ON.
    On(Expression),
    /// USING.
    Using(Vec<Name>),
    /// All columns of the same name.
    Natural,
    /// ASOF: equal keys, and of the rows on one side of an order the nearest.
    AsOf(Box<AsOfCondition>),
}

/// What pairs the rows of an as-of join.
#[derive(Debug, Clone)]
pub struct AsOfCondition {
    /// ON or USING.
    pub on: AsOfOn,
    /// WITHIN: how far away the nearest row may be.
    pub within: Option<Expression>,
    /// TIES BY: of rows at one distance the first in this order is taken.
    pub ties: Vec<OrderTerm>,
    /// LAST NOT NULL.
    pub last_not_null: LastNotNull,
}

/// The condition of an as-of join.
#[derive(Debug, Clone)]
pub enum AsOfOn {
    /// ON.
    On(Expression),
    /// USING: the last column is the order, those before it are keys.
    Using(Vec<Name>),
}

/// Columns of an as-of join that take the nearest value that is not null.
#[derive(Debug, Clone)]
pub enum LastNotNull {
    /// None.
    None,
    /// All columns of the right table.
    All,
    /// These.
    Columns(Vec<Name>),
}
