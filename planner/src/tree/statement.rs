//! Statements as written.

use crate::span::Span;
use crate::tree::{Argument, Expression, Name, Query};

/// A statement and its place.
#[derive(Debug, Clone)]
pub struct Statement {
    /// What it does.
    pub kind: StatementKind,
    /// Where it is.
    pub span: Span,
}

/// The statements.
#[derive(Debug, Clone)]
pub enum StatementKind {
    /// A query.
    Query(Query),
    /// `EXPLAIN [ANALYZE] [(FORMAT JSON | HTML)] statement`.
    Explain {
        /// Runs the statement and shows what it cost.
        analyze: bool,
        /// Form of the answer.
        format: ExplainFormat,
        /// The statement.
        statement: Box<Statement>,
    },
    /// `DESCRIBE query`: its columns and types.
    Describe(Query),
    /// `SUMMARIZE query`: statistics of its columns.
    Summarize(Query),
    /// `SHOW TABLES`.
    ShowTables,
    /// `SHOW ALL TABLES`.
    ShowAllTables,
    /// `SHOW FUNCTIONS`.
    ShowFunctions,
    /// `SHOW SETTINGS`, or one setting with `SHOW name`.
    ShowSettings(Option<Name>),
    /// `SET name = value`.
    Set {
        /// The setting.
        name: Name,
        /// Its value.
        value: Expression,
    },
    /// `RESET name`.
    Reset(Name),
    /// `PREPARE name AS statement`.
    Prepare {
        /// Name.
        name: Name,
        /// The statement.
        statement: Box<Statement>,
    },
    /// `EXECUTE name(arguments)`.
    Execute {
        /// Name.
        name: Name,
        /// Arguments.
        arguments: Vec<Argument>,
    },
    /// `DEALLOCATE name`.
    Deallocate(Name),
    /// `CREATE VIEW`.
    CreateView(CreateView),
    /// `CREATE TABLE .. AS`.
    CreateTable(CreateTable),
    /// `CREATE FUNCTION` or `CREATE MACRO`.
    CreateMacro(CreateMacro),
    /// `CREATE TRANSFORM`.
    CreateTransform(CreateTransform),
    /// `FIT TRANSFORM name [PARTIAL TO 'path' [PIECE n]] [WITH STATES ('path', ..)] [FROM query]`.
    FitTransform(FitTransform),
    /// `DESCRIBE TRANSFORM name`.
    DescribeTransform(Name),
    /// `SHOW TRANSFORMS`.
    ShowTransforms,
    /// `EXPORT TRANSFORM name TO 'path'`.
    ExportTransform {
        /// The transform.
        name: Name,
        /// The file.
        path: String,
    },
    /// `IMPORT TRANSFORM [name] FROM 'path'`.
    ImportTransform {
        /// Its name here; without one, its name in the file.
        name: Option<Name>,
        /// The file.
        path: String,
        /// OR REPLACE.
        replace: bool,
    },
    /// `DROP`.
    Drop {
        /// What is dropped.
        kind: DropKind,
        /// Its name.
        name: Name,
        /// No error if there is none.
        if_exists: bool,
    },
    /// `COPY .. TO`.
    Copy(CopyStatement),
}

/// Form of an explained plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExplainFormat {
    /// Indented text.
    Text,
    /// JSON.
    Json,
    /// A page with the plan drawn.
    Html,
    /// A plan that other engines read, as bytes.
    Substrait,
    /// What a query can see that it will not see when it is served.
    Leakage,
    /// How repeatable each expression is.
    Consistency,
}

/// `CREATE [OR REPLACE] [TEMP] VIEW [IF NOT EXISTS] name [(columns)] AS query`.
#[derive(Debug, Clone)]
pub struct CreateView {
    /// Name.
    pub name: Name,
    /// New names of its first columns.
    pub columns: Vec<Name>,
    /// The query.
    pub query: Query,
    /// OR REPLACE.
    pub replace: bool,
    /// IF NOT EXISTS.
    pub if_not_exists: bool,
}

/// A fit of a transform.
#[derive(Debug, Clone)]
pub struct FitTransform {
    /// The transform.
    pub name: Name,
    /// What it is fitted on; without it, states alone.
    pub source: Option<Query>,
    /// Where the state goes, if only a piece is fitted.
    pub partial: Option<PartialFit>,
    /// Files of states.
    pub states: Vec<String>,
    /// The statement as written.
    pub text: String,
}

/// Where the state of a piece goes.
#[derive(Debug, Clone, PartialEq)]
pub struct PartialFit {
    /// The file.
    pub path: String,
    /// The number of the piece.
    pub piece: u32,
}

/// `CREATE [OR REPLACE] TRANSFORM [IF NOT EXISTS] name AS query`.
#[derive(Debug, Clone)]
pub struct CreateTransform {
    /// Name.
    pub name: Name,
    /// The query, over the table `input`.
    pub query: Query,
    /// The query as written.
    pub text: String,
    /// OR REPLACE.
    pub replace: bool,
    /// IF NOT EXISTS.
    pub if_not_exists: bool,
}

/// `CREATE [OR REPLACE] [TEMP] TABLE [IF NOT EXISTS] name [(columns)] AS query`.
#[derive(Debug, Clone)]
pub struct CreateTable {
    /// Name.
    pub name: Name,
    /// New names of its first columns.
    pub columns: Vec<Name>,
    /// The query.
    pub query: Query,
    /// OR REPLACE.
    pub replace: bool,
    /// IF NOT EXISTS.
    pub if_not_exists: bool,
}

/// `CREATE [OR REPLACE] [TEMP] FUNCTION | MACRO name(parameters) AS [TABLE] body`.
#[derive(Debug, Clone)]
pub struct CreateMacro {
    /// Name.
    pub name: Name,
    /// Parameters.
    pub parameters: Vec<MacroParameter>,
    /// Body.
    pub body: MacroBody,
    /// OR REPLACE.
    pub replace: bool,
    /// IF NOT EXISTS.
    pub if_not_exists: bool,
}

/// One parameter of a macro.
#[derive(Debug, Clone)]
pub struct MacroParameter {
    /// Name.
    pub name: Name,
    /// Value where the call gives none.
    pub default: Option<Expression>,
}

/// What a macro stands for.
#[derive(Debug, Clone)]
pub enum MacroBody {
    /// A value.
    Scalar(Expression),
    /// A table.
    Table(Box<Query>),
}

/// What DROP removes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DropKind {
    /// A table.
    Table,
    /// A view.
    View,
    /// A macro.
    Macro,
    /// A transform.
    Transform,
}

/// `COPY query TO target (options)`.
#[derive(Debug, Clone)]
pub struct CopyStatement {
    /// What is written.
    pub query: Query,
    /// Where to: a path, or a standard stream.
    pub target: String,
    /// Place of the target.
    pub target_span: Span,
    /// Options; one without a value is true.
    pub options: Vec<(Name, Option<Expression>)>,
}
