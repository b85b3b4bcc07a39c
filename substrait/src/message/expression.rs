//! Expressions.

use prost::{Message, Oneof};

use super::data_type::{Struct, Type};
use super::literal::Literal;
use super::relation::{Rel, SortField, Unread};

/// An expression.
#[derive(Clone, PartialEq, Message)]
pub struct Expression {
    #[prost(oneof = "ExpressionKind", tags = "1, 2, 3, 5, 6, 7, 8, 9, 11, 12, 13, 14, 15, 16, 17")]
    pub kind: Option<ExpressionKind>,
}

/// What [`Expression`] holds.
#[derive(Clone, PartialEq, Oneof)]
pub enum ExpressionKind {
    #[prost(message, tag = "1")]
    Literal(Literal),
    #[prost(message, boxed, tag = "2")]
    Selection(Box<FieldReference>),
    #[prost(message, tag = "3")]
    ScalarFunction(ScalarFunction),
    #[prost(message, tag = "5")]
    WindowFunction(WindowFunction),
    #[prost(message, boxed, tag = "6")]
    IfThen(Box<IfThen>),
    #[prost(message, boxed, tag = "7")]
    SwitchExpression(Box<SwitchExpression>),
    #[prost(message, boxed, tag = "8")]
    SingularOrList(Box<SingularOrList>),
    #[prost(message, tag = "9")]
    MultiOrList(Unread),
    #[prost(message, boxed, tag = "11")]
    Cast(Box<Cast>),
    #[prost(message, boxed, tag = "12")]
    Subquery(Box<Subquery>),
    #[prost(message, tag = "13")]
    Nested(Nested),
    #[prost(message, tag = "14")]
    DynamicParameter(DynamicParameter),
    #[prost(message, boxed, tag = "15")]
    Lambda(Box<Lambda>),
    #[prost(message, tag = "16")]
    LambdaInvocation(Unread),
    #[prost(message, tag = "17")]
    ExecutionContextVariable(Unread),
}

/// A call of a function.
#[derive(Clone, PartialEq, Message)]
pub struct ScalarFunction {
    #[prost(uint32, tag = "1")]
    pub reference: u32,
    #[prost(message, repeated, tag = "2")]
    pub args: Vec<Expression>,
    #[prost(message, optional, tag = "3")]
    pub output_type: Option<Type>,
    #[prost(message, repeated, tag = "4")]
    pub arguments: Vec<FunctionArgument>,
    #[prost(message, repeated, tag = "5")]
    pub options: Vec<FunctionOption>,
}

/// An argument.
#[derive(Clone, PartialEq, Message)]
pub struct FunctionArgument {
    #[prost(oneof = "ArgumentKind", tags = "1, 2, 3")]
    pub kind: Option<ArgumentKind>,
}

/// What [`FunctionArgument`] holds.
#[derive(Clone, PartialEq, Oneof)]
pub enum ArgumentKind {
    #[prost(string, tag = "1")]
    Name(String),
    #[prost(message, tag = "2")]
    Type(Type),
    #[prost(message, tag = "3")]
    Value(Expression),
}

/// A choice among the behaviors of a function.
#[derive(Clone, PartialEq, Message)]
pub struct FunctionOption {
    #[prost(string, tag = "1")]
    pub name: String,
    #[prost(string, repeated, tag = "2")]
    pub preference: Vec<String>,
}

/// A call of an aggregate.
#[derive(Clone, PartialEq, Message)]
pub struct AggregateFunction {
    #[prost(uint32, tag = "1")]
    pub reference: u32,
    #[prost(message, repeated, tag = "2")]
    pub args: Vec<Expression>,
    #[prost(message, repeated, tag = "3")]
    pub sorts: Vec<SortField>,
    #[prost(int32, tag = "4")]
    pub phase: i32,
    #[prost(message, optional, tag = "5")]
    pub output_type: Option<Type>,
    #[prost(int32, tag = "6")]
    pub invocation: i32,
    #[prost(message, repeated, tag = "7")]
    pub arguments: Vec<FunctionArgument>,
    #[prost(message, repeated, tag = "8")]
    pub options: Vec<FunctionOption>,
}

/// A call over the rows around a row.
#[derive(Clone, PartialEq, Message)]
pub struct WindowFunction {
    #[prost(uint32, tag = "1")]
    pub reference: u32,
    #[prost(message, repeated, tag = "2")]
    pub partitions: Vec<Expression>,
    #[prost(message, repeated, tag = "3")]
    pub sorts: Vec<SortField>,
    #[prost(message, optional, tag = "4")]
    pub upper_bound: Option<Bound>,
    #[prost(message, optional, tag = "5")]
    pub lower_bound: Option<Bound>,
    #[prost(int32, tag = "6")]
    pub phase: i32,
    #[prost(message, optional, tag = "7")]
    pub output_type: Option<Type>,
    #[prost(message, repeated, tag = "8")]
    pub args: Vec<Expression>,
    #[prost(message, repeated, tag = "9")]
    pub arguments: Vec<FunctionArgument>,
    #[prost(int32, tag = "10")]
    pub invocation: i32,
    #[prost(message, repeated, tag = "11")]
    pub options: Vec<FunctionOption>,
    #[prost(int32, tag = "12")]
    pub bounds_type: i32,
}

/// An end of a frame.
#[derive(Clone, PartialEq, Message)]
pub struct Bound {
    #[prost(oneof = "BoundKind", tags = "1, 2, 3, 4")]
    pub kind: Option<BoundKind>,
}

/// What [`Bound`] holds.
#[derive(Clone, PartialEq, Oneof)]
pub enum BoundKind {
    #[prost(message, tag = "1")]
    Preceding(Offset),
    #[prost(message, tag = "2")]
    Following(Offset),
    #[prost(message, tag = "3")]
    CurrentRow(Unread),
    #[prost(message, tag = "4")]
    Unbounded(Unread),
}

/// How far away an end of a frame is.
#[derive(Clone, PartialEq, Message)]
pub struct Offset {
    #[prost(int64, tag = "1")]
    pub offset: i64,
    #[prost(message, optional, boxed, tag = "2")]
    pub expression: Option<Box<Expression>>,
}

/// The value of the first clause whose condition is true.
#[derive(Clone, PartialEq, Message)]
pub struct IfThen {
    #[prost(message, repeated, tag = "1")]
    pub clauses: Vec<IfClause>,
    #[prost(message, optional, boxed, tag = "2")]
    pub r#else: Option<Box<Expression>>,
}

/// A condition and its value.
#[derive(Clone, PartialEq, Message)]
pub struct IfClause {
    #[prost(message, optional, tag = "1")]
    pub r#if: Option<Expression>,
    #[prost(message, optional, tag = "2")]
    pub then: Option<Expression>,
}

/// The value of the first clause whose literal equals the operand.
#[derive(Clone, PartialEq, Message)]
pub struct SwitchExpression {
    #[prost(message, repeated, tag = "1")]
    pub clauses: Vec<SwitchClause>,
    #[prost(message, optional, boxed, tag = "2")]
    pub r#else: Option<Box<Expression>>,
    #[prost(message, optional, boxed, tag = "3")]
    pub r#match: Option<Box<Expression>>,
}

/// A literal and its value.
#[derive(Clone, PartialEq, Message)]
pub struct SwitchClause {
    #[prost(message, optional, tag = "1")]
    pub r#if: Option<Literal>,
    #[prost(message, optional, tag = "2")]
    pub then: Option<Expression>,
}

/// Whether a value is among others.
#[derive(Clone, PartialEq, Message)]
pub struct SingularOrList {
    #[prost(message, optional, boxed, tag = "1")]
    pub value: Option<Box<Expression>>,
    #[prost(message, repeated, tag = "2")]
    pub options: Vec<Expression>,
}

/// A cast.
#[derive(Clone, PartialEq, Message)]
pub struct Cast {
    #[prost(message, optional, tag = "1")]
    pub r#type: Option<Type>,
    #[prost(message, optional, boxed, tag = "2")]
    pub input: Option<Box<Expression>>,
    #[prost(int32, tag = "3")]
    pub failure_behavior: i32,
}

/// A value that is known when the plan runs.
#[derive(Clone, PartialEq, Message)]
pub struct DynamicParameter {
    #[prost(message, optional, tag = "1")]
    pub r#type: Option<Type>,
    #[prost(uint32, tag = "2")]
    pub reference: u32,
}

/// A struct, list or map of expressions.
#[derive(Clone, PartialEq, Message)]
pub struct Nested {
    #[prost(oneof = "NestedKind", tags = "3, 4, 5")]
    pub kind: Option<NestedKind>,
}

/// What [`Nested`] holds.
#[derive(Clone, PartialEq, Oneof)]
pub enum NestedKind {
    #[prost(message, tag = "3")]
    Struct(NestedStruct),
    #[prost(message, tag = "4")]
    List(NestedList),
    #[prost(message, tag = "5")]
    Map(NestedMap),
}

/// Fields.
#[derive(Clone, PartialEq, Message)]
pub struct NestedStruct {
    #[prost(message, repeated, tag = "1")]
    pub fields: Vec<Expression>,
}

/// Elements.
#[derive(Clone, PartialEq, Message)]
pub struct NestedList {
    #[prost(message, repeated, tag = "1")]
    pub values: Vec<Expression>,
}

/// Entries.
#[derive(Clone, PartialEq, Message)]
pub struct NestedMap {
    #[prost(message, repeated, tag = "1")]
    pub entries: Vec<NestedEntry>,
}

/// An entry.
#[derive(Clone, PartialEq, Message)]
pub struct NestedEntry {
    #[prost(message, optional, tag = "1")]
    pub key: Option<Expression>,
    #[prost(message, optional, tag = "2")]
    pub value: Option<Expression>,
}

/// A column or a part of a value.
#[derive(Clone, PartialEq, Message)]
pub struct FieldReference {
    #[prost(oneof = "ReferenceKind", tags = "1, 2")]
    pub reference: Option<ReferenceKind>,
    #[prost(oneof = "ReferenceRoot", tags = "3, 4, 5, 6")]
    pub root: Option<ReferenceRoot>,
}

/// What [`FieldReference`] holds.
#[derive(Clone, PartialEq, Oneof)]
pub enum ReferenceKind {
    #[prost(message, tag = "1")]
    Direct(ReferenceSegment),
    #[prost(message, tag = "2")]
    Masked(MaskExpression),
}

/// What [`FieldReference`] holds.
#[derive(Clone, PartialEq, Oneof)]
pub enum ReferenceRoot {
    #[prost(message, boxed, tag = "3")]
    Expression(Box<Expression>),
    #[prost(message, tag = "4")]
    Input(Unread),
    #[prost(message, tag = "5")]
    Outer(OuterReference),
    #[prost(message, tag = "6")]
    LambdaParameter(LambdaParameter),
}

/// A column of a query around a subquery.
#[derive(Clone, PartialEq, Message)]
pub struct OuterReference {
    #[prost(uint32, tag = "1")]
    pub steps_out: u32,
    #[prost(uint32, tag = "2")]
    pub relation: u32,
}

/// The parameters of a lambda, counted outwards.
#[derive(Clone, PartialEq, Message)]
pub struct LambdaParameter {
    #[prost(uint32, tag = "1")]
    pub steps_out: u32,
}

/// A function of its parameters.
#[derive(Clone, PartialEq, Message)]
pub struct Lambda {
    #[prost(message, optional, tag = "1")]
    pub parameters: Option<Struct>,
    #[prost(message, optional, boxed, tag = "2")]
    pub body: Option<Box<Expression>>,
}

/// A query in an expression.
#[derive(Clone, PartialEq, Message)]
pub struct Subquery {
    #[prost(oneof = "SubqueryKind", tags = "1, 2, 3, 4")]
    pub kind: Option<SubqueryKind>,
}

/// What [`Subquery`] holds.
#[derive(Clone, PartialEq, Oneof)]
pub enum SubqueryKind {
    #[prost(message, boxed, tag = "1")]
    Scalar(Box<ScalarQuery>),
    #[prost(message, boxed, tag = "2")]
    InPredicate(Box<InPredicate>),
    #[prost(message, boxed, tag = "3")]
    SetPredicate(Box<SetPredicate>),
    #[prost(message, boxed, tag = "4")]
    SetComparison(Box<SetComparison>),
}

/// The one value of a query.
#[derive(Clone, PartialEq, Message)]
pub struct ScalarQuery {
    #[prost(message, optional, boxed, tag = "1")]
    pub input: Option<Box<Rel>>,
}

/// Whether a row is among those of a query.
#[derive(Clone, PartialEq, Message)]
pub struct InPredicate {
    #[prost(message, repeated, tag = "1")]
    pub needles: Vec<Expression>,
    #[prost(message, optional, boxed, tag = "2")]
    pub haystack: Option<Box<Rel>>,
}

/// Whether a query has rows.
#[derive(Clone, PartialEq, Message)]
pub struct SetPredicate {
    #[prost(int32, tag = "1")]
    pub operation: i32,
    #[prost(message, optional, boxed, tag = "2")]
    pub tuples: Option<Box<Rel>>,
}

/// A comparison with any or all rows of a query.
#[derive(Clone, PartialEq, Message)]
pub struct SetComparison {
    #[prost(int32, tag = "1")]
    pub reduction: i32,
    #[prost(int32, tag = "2")]
    pub comparison: i32,
    #[prost(message, optional, boxed, tag = "3")]
    pub left: Option<Box<Expression>>,
    #[prost(message, optional, boxed, tag = "4")]
    pub right: Option<Box<Rel>>,
}

/// A step into a value.
#[derive(Clone, PartialEq, Message)]
pub struct ReferenceSegment {
    #[prost(oneof = "SegmentKind", tags = "1, 2, 3")]
    pub kind: Option<SegmentKind>,
}

/// What [`ReferenceSegment`] holds.
#[derive(Clone, PartialEq, Oneof)]
pub enum SegmentKind {
    #[prost(message, boxed, tag = "1")]
    MapKey(Box<MapKey>),
    #[prost(message, boxed, tag = "2")]
    StructField(Box<StructField>),
    #[prost(message, boxed, tag = "3")]
    ListElement(Box<ListElement>),
}

/// The value at a key.
#[derive(Clone, PartialEq, Message)]
pub struct MapKey {
    #[prost(message, optional, tag = "1")]
    pub key: Option<Literal>,
    #[prost(message, optional, boxed, tag = "2")]
    pub child: Option<Box<ReferenceSegment>>,
}

/// A field of a struct, or a column.
#[derive(Clone, PartialEq, Message)]
pub struct StructField {
    #[prost(int32, tag = "1")]
    pub field: i32,
    #[prost(message, optional, boxed, tag = "2")]
    pub child: Option<Box<ReferenceSegment>>,
}

/// An element of a list.
#[derive(Clone, PartialEq, Message)]
pub struct ListElement {
    #[prost(int32, tag = "1")]
    pub offset: i32,
    #[prost(message, optional, boxed, tag = "2")]
    pub child: Option<Box<ReferenceSegment>>,
}

/// A choice among columns.
#[derive(Clone, PartialEq, Message)]
pub struct MaskExpression {
    #[prost(message, optional, tag = "1")]
    pub select: Option<StructSelect>,
    #[prost(bool, tag = "2")]
    pub maintain_singular_struct: bool,
}

/// The fields that are kept.
#[derive(Clone, PartialEq, Message)]
pub struct StructSelect {
    #[prost(message, repeated, tag = "1")]
    pub items: Vec<StructItem>,
}

/// A field that is kept, whole or in part.
#[derive(Clone, PartialEq, Message)]
pub struct StructItem {
    #[prost(int32, tag = "1")]
    pub field: i32,
    #[prost(message, optional, tag = "2")]
    pub child: Option<Unread>,
}
