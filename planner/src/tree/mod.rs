//! The syntax tree: what was written, with places, before any name has a meaning.
//!
//! It is smaller than the parser's own tree (one form for each meaning), so that binding has few cases, and it holds
//! what that tree cannot. The parser's types end at [`crate::parse`].

mod children;
mod display;
mod expression;
mod query;
mod reshape;
mod statement;
mod window;

pub use expression::{
    Argument, BinaryOperator, Call, CaseBranch, Excluded, Expression, ExpressionKind, LiteralText, MatchKind,
    Name, OrderTerm, Quantifier, Replacement, Star, TypeName, UnaryOperator,
};
pub use query::{
    AsOfCondition, AsOfOn, CommonTable, GroupBy, GroupElement, JoinCondition, JoinKind, LastNotNull, OrderBy,
    Query, QueryBody, Select, SelectItem, SetOperator, Table, TableAlias, TableKind,
};
pub use reshape::{Pivot, PivotColumn, PivotValue, Sample, SampleMethod, SampleSize, Unpivot};
pub use statement::{
    CopyStatement, CreateMacro, CreateTable, CreateTransform, CreateView, DropKind, ExplainFormat,
    FitTransform, MacroBody, MacroParameter, PartialFit, Statement, StatementKind,
};
pub use window::{Frame, FrameBound, FrameExclusion, FrameUnits, NamedWindow, Over, WindowSpec};
