//! Relations.

use prost::{Message, Oneof};

use super::data_type::NamedStruct;
use super::expression::{AggregateFunction, Expression, MaskExpression, NestedStruct};
use super::literal::LiteralStruct;

/// A relation.
#[derive(Clone, PartialEq, Message)]
pub struct Rel {
    #[prost(
        oneof = "RelKind",
        tags = "1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24"
    )]
    pub kind: Option<RelKind>,
}

/// What [`Rel`] holds.
#[derive(Clone, PartialEq, Oneof)]
pub enum RelKind {
    #[prost(message, boxed, tag = "1")]
    Read(Box<Read>),
    #[prost(message, boxed, tag = "2")]
    Filter(Box<Filter>),
    #[prost(message, boxed, tag = "3")]
    Fetch(Box<Fetch>),
    #[prost(message, boxed, tag = "4")]
    Aggregate(Box<Aggregate>),
    #[prost(message, boxed, tag = "5")]
    Sort(Box<Sort>),
    #[prost(message, boxed, tag = "6")]
    Join(Box<Join>),
    #[prost(message, boxed, tag = "7")]
    Project(Box<Project>),
    #[prost(message, tag = "8")]
    Set(Set),
    #[prost(message, boxed, tag = "9")]
    ExtensionSingle(Box<ExtensionSingle>),
    #[prost(message, tag = "10")]
    ExtensionMulti(Unread),
    #[prost(message, tag = "11")]
    ExtensionLeaf(Unread),
    #[prost(message, boxed, tag = "12")]
    Cross(Box<Cross>),
    #[prost(message, tag = "13")]
    HashJoin(Unread),
    #[prost(message, tag = "14")]
    MergeJoin(Unread),
    #[prost(message, tag = "15")]
    Exchange(Unread),
    #[prost(message, tag = "16")]
    Expand(Unread),
    #[prost(message, tag = "17")]
    Window(Unread),
    #[prost(message, tag = "18")]
    NestedLoopJoin(Unread),
    #[prost(message, tag = "19")]
    Write(Unread),
    #[prost(message, tag = "20")]
    Ddl(Unread),
    #[prost(message, tag = "21")]
    Reference(Reference),
    #[prost(message, tag = "22")]
    Update(Unread),
    #[prost(message, boxed, tag = "23")]
    TopN(Box<TopN>),
    #[prost(message, tag = "24")]
    LateralJoin(Unread),
}

/// A message whose fields are not looked at.
#[derive(Clone, PartialEq, Message)]
pub struct Unread {}

/// What every relation has.
#[derive(Clone, PartialEq, Message)]
pub struct Common {
    #[prost(oneof = "EmitKind", tags = "1, 2")]
    pub emit: Option<EmitKind>,
}

/// What [`Common`] holds.
#[derive(Clone, PartialEq, Oneof)]
pub enum EmitKind {
    #[prost(message, tag = "1")]
    Direct(Unread),
    #[prost(message, tag = "2")]
    Emit(Emit),
}

/// The columns that come out, by position.
#[derive(Clone, PartialEq, Message)]
pub struct Emit {
    #[prost(int32, repeated, tag = "1")]
    pub output_mapping: Vec<i32>,
}

/// Reads a table.
#[derive(Clone, PartialEq, Message)]
pub struct Read {
    #[prost(message, optional, tag = "1")]
    pub common: Option<Common>,
    #[prost(message, optional, tag = "2")]
    pub base_schema: Option<NamedStruct>,
    #[prost(message, optional, boxed, tag = "3")]
    pub filter: Option<Box<Expression>>,
    #[prost(message, optional, tag = "4")]
    pub projection: Option<MaskExpression>,
    #[prost(message, optional, boxed, tag = "11")]
    pub best_effort_filter: Option<Box<Expression>>,
    #[prost(oneof = "ReadKind", tags = "5, 6, 7, 8, 9")]
    pub kind: Option<ReadKind>,
}

/// What [`Read`] holds.
#[derive(Clone, PartialEq, Oneof)]
pub enum ReadKind {
    #[prost(message, tag = "5")]
    VirtualTable(VirtualTable),
    #[prost(message, tag = "6")]
    LocalFiles(LocalFiles),
    #[prost(message, tag = "7")]
    NamedTable(NamedTable),
    #[prost(message, tag = "8")]
    ExtensionTable(ExtensionTable),
    #[prost(message, tag = "9")]
    IcebergTable(Unread),
}

/// A table by name.
#[derive(Clone, PartialEq, Message)]
pub struct NamedTable {
    #[prost(string, repeated, tag = "1")]
    pub names: Vec<String>,
}

/// Rows of literals, as they were written first, or of expressions.
#[derive(Clone, PartialEq, Message)]
pub struct VirtualTable {
    #[prost(message, repeated, tag = "1")]
    pub values: Vec<LiteralStruct>,
    #[prost(message, repeated, tag = "2")]
    pub expressions: Vec<NestedStruct>,
}

/// A table that the format does not describe.
#[derive(Clone, PartialEq, Message)]
pub struct ExtensionTable {
    #[prost(message, optional, tag = "1")]
    pub detail: Option<Any>,
}

/// A message of a type that the format does not know.
#[derive(Clone, PartialEq, Message)]
pub struct Any {
    #[prost(string, tag = "1")]
    pub type_url: String,
    #[prost(bytes = "vec", tag = "2")]
    pub value: Vec<u8>,
}

/// Files.
#[derive(Clone, PartialEq, Message)]
pub struct LocalFiles {
    #[prost(message, repeated, tag = "1")]
    pub items: Vec<FileOrFiles>,
}

/// Files of one format.
#[derive(Clone, PartialEq, Message)]
pub struct FileOrFiles {
    #[prost(uint64, tag = "6")]
    pub partition_index: u64,
    #[prost(uint64, tag = "7")]
    pub start: u64,
    #[prost(uint64, tag = "8")]
    pub length: u64,
    #[prost(oneof = "PathKind", tags = "1, 2, 3, 4")]
    pub path: Option<PathKind>,
    #[prost(oneof = "FileFormat", tags = "9, 10, 11, 12, 13, 14")]
    pub format: Option<FileFormat>,
}

/// What [`FileOrFiles`] holds.
#[derive(Clone, PartialEq, Oneof)]
pub enum PathKind {
    #[prost(string, tag = "1")]
    Path(String),
    #[prost(string, tag = "2")]
    Glob(String),
    #[prost(string, tag = "3")]
    File(String),
    #[prost(string, tag = "4")]
    Folder(String),
}

/// What [`FileOrFiles`] holds.
#[derive(Clone, PartialEq, Oneof)]
pub enum FileFormat {
    #[prost(message, tag = "9")]
    Parquet(Unread),
    #[prost(message, tag = "10")]
    Arrow(Unread),
    #[prost(message, tag = "11")]
    Orc(Unread),
    #[prost(message, tag = "12")]
    Extension(Any),
    #[prost(message, tag = "13")]
    Dwrf(Unread),
    #[prost(message, tag = "14")]
    Text(TextOptions),
}

/// How delimited text is read.
#[derive(Clone, PartialEq, Message)]
pub struct TextOptions {
    #[prost(string, tag = "1")]
    pub field_delimiter: String,
    #[prost(uint64, tag = "2")]
    pub max_line_size: u64,
    #[prost(string, tag = "3")]
    pub quote: String,
    #[prost(uint64, tag = "4")]
    pub header_lines_to_skip: u64,
    #[prost(string, tag = "5")]
    pub escape: String,
    #[prost(string, tag = "6")]
    pub value_treated_as_null: String,
}

/// Adds computed columns behind those of the input.
#[derive(Clone, PartialEq, Message)]
pub struct Project {
    #[prost(message, optional, tag = "1")]
    pub common: Option<Common>,
    #[prost(message, optional, boxed, tag = "2")]
    pub input: Option<Box<Rel>>,
    #[prost(message, repeated, tag = "3")]
    pub expressions: Vec<Expression>,
}

/// Keeps the rows for which the condition is true.
#[derive(Clone, PartialEq, Message)]
pub struct Filter {
    #[prost(message, optional, tag = "1")]
    pub common: Option<Common>,
    #[prost(message, optional, boxed, tag = "2")]
    pub input: Option<Box<Rel>>,
    #[prost(message, optional, boxed, tag = "3")]
    pub condition: Option<Box<Expression>>,
}

/// Skips rows, then keeps some.
#[derive(Clone, PartialEq, Message)]
pub struct Fetch {
    #[prost(message, optional, tag = "1")]
    pub common: Option<Common>,
    #[prost(message, optional, boxed, tag = "2")]
    pub input: Option<Box<Rel>>,
    #[prost(oneof = "FetchOffset", tags = "3, 5")]
    pub offset: Option<FetchOffset>,
    #[prost(oneof = "FetchCount", tags = "4, 6")]
    pub count: Option<FetchCount>,
}

/// What [`Fetch`] holds.
#[derive(Clone, PartialEq, Oneof)]
pub enum FetchOffset {
    #[prost(int64, tag = "3")]
    Number(i64),
    #[prost(message, boxed, tag = "5")]
    Expression(Box<Expression>),
}

/// What [`Fetch`] holds.
#[derive(Clone, PartialEq, Oneof)]
pub enum FetchCount {
    #[prost(int64, tag = "4")]
    CountNumber(i64),
    #[prost(message, boxed, tag = "6")]
    CountExpression(Box<Expression>),
}

/// The first rows in an order.
#[derive(Clone, PartialEq, Message)]
pub struct TopN {
    #[prost(message, optional, tag = "1")]
    pub common: Option<Common>,
    #[prost(message, optional, boxed, tag = "2")]
    pub input: Option<Box<Rel>>,
    #[prost(message, repeated, tag = "3")]
    pub sorts: Vec<SortField>,
    #[prost(message, optional, boxed, tag = "4")]
    pub offset: Option<Box<Expression>>,
    #[prost(message, optional, boxed, tag = "5")]
    pub count: Option<Box<Expression>>,
    #[prost(int32, tag = "6")]
    pub mode: i32,
}

/// Orders rows.
#[derive(Clone, PartialEq, Message)]
pub struct Sort {
    #[prost(message, optional, tag = "1")]
    pub common: Option<Common>,
    #[prost(message, optional, boxed, tag = "2")]
    pub input: Option<Box<Rel>>,
    #[prost(message, repeated, tag = "3")]
    pub sorts: Vec<SortField>,
}

/// A key of an order.
#[derive(Clone, PartialEq, Message)]
pub struct SortField {
    #[prost(message, optional, tag = "1")]
    pub expression: Option<Expression>,
    #[prost(oneof = "SortKind", tags = "2, 3")]
    pub kind: Option<SortKind>,
}

/// What [`SortField`] holds.
#[derive(Clone, PartialEq, Oneof)]
pub enum SortKind {
    #[prost(int32, tag = "2")]
    Direction(i32),
    #[prost(uint32, tag = "3")]
    ComparisonFunction(u32),
}

/// Joins two relations.
#[derive(Clone, PartialEq, Message)]
pub struct Join {
    #[prost(message, optional, tag = "1")]
    pub common: Option<Common>,
    #[prost(message, optional, boxed, tag = "2")]
    pub left: Option<Box<Rel>>,
    #[prost(message, optional, boxed, tag = "3")]
    pub right: Option<Box<Rel>>,
    #[prost(message, optional, boxed, tag = "4")]
    pub expression: Option<Box<Expression>>,
    #[prost(message, optional, boxed, tag = "5")]
    pub post_join_filter: Option<Box<Expression>>,
    #[prost(int32, tag = "6")]
    pub kind: i32,
}

/// Every pair of rows.
#[derive(Clone, PartialEq, Message)]
pub struct Cross {
    #[prost(message, optional, tag = "1")]
    pub common: Option<Common>,
    #[prost(message, optional, boxed, tag = "2")]
    pub left: Option<Box<Rel>>,
    #[prost(message, optional, boxed, tag = "3")]
    pub right: Option<Box<Rel>>,
}

/// Rows of several relations, as sets.
#[derive(Clone, PartialEq, Message)]
pub struct Set {
    #[prost(message, optional, tag = "1")]
    pub common: Option<Common>,
    #[prost(message, repeated, tag = "2")]
    pub inputs: Vec<Rel>,
    #[prost(int32, tag = "3")]
    pub operation: i32,
}

/// Groups rows.
#[derive(Clone, PartialEq, Message)]
pub struct Aggregate {
    #[prost(message, optional, tag = "1")]
    pub common: Option<Common>,
    #[prost(message, optional, boxed, tag = "2")]
    pub input: Option<Box<Rel>>,
    #[prost(message, repeated, tag = "3")]
    pub groupings: Vec<Grouping>,
    #[prost(message, repeated, tag = "4")]
    pub measures: Vec<Measure>,
    #[prost(message, repeated, tag = "5")]
    pub grouping_expressions: Vec<Expression>,
}

/// A grouping set: its expressions, as they were written first, or positions among those of the relation.
#[derive(Clone, PartialEq, Message)]
pub struct Grouping {
    #[prost(message, repeated, tag = "1")]
    pub expressions: Vec<Expression>,
    #[prost(uint32, repeated, tag = "2")]
    pub references: Vec<u32>,
}

/// An aggregate and the rows that it counts.
#[derive(Clone, PartialEq, Message)]
pub struct Measure {
    #[prost(message, optional, tag = "1")]
    pub measure: Option<AggregateFunction>,
    #[prost(message, optional, tag = "2")]
    pub filter: Option<Expression>,
}

/// A tree of the plan that several relations read.
#[derive(Clone, PartialEq, Message)]
pub struct Reference {
    #[prost(int32, tag = "1")]
    pub ordinal: i32,
}

/// A relation over one input that the format does not describe.
#[derive(Clone, PartialEq, Message)]
pub struct ExtensionSingle {
    #[prost(message, optional, tag = "1")]
    pub common: Option<Common>,
    #[prost(message, optional, boxed, tag = "2")]
    pub input: Option<Box<Rel>>,
    #[prost(message, optional, tag = "3")]
    pub detail: Option<Any>,
}
