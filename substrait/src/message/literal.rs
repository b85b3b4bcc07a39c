//! Constants.

use prost::{Message, Oneof};

use super::data_type::{List, Map, Type};
use super::relation::Unread;

/// A constant.
#[derive(Clone, PartialEq, Message)]
pub struct Literal {
    #[prost(bool, tag = "50")]
    pub nullable: bool,
    #[prost(uint32, tag = "51")]
    pub variation: u32,
    #[prost(
        oneof = "LiteralKind",
        tags = "1, 2, 3, 5, 7, 10, 11, 12, 13, 14, 16, 17, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37"
    )]
    pub kind: Option<LiteralKind>,
}

/// What [`Literal`] holds.
#[derive(Clone, PartialEq, Oneof)]
pub enum LiteralKind {
    #[prost(bool, tag = "1")]
    Boolean(bool),
    #[prost(int32, tag = "2")]
    I8(i32),
    #[prost(int32, tag = "3")]
    I16(i32),
    #[prost(int32, tag = "5")]
    I32(i32),
    #[prost(int64, tag = "7")]
    I64(i64),
    #[prost(float, tag = "10")]
    Fp32(f32),
    #[prost(double, tag = "11")]
    Fp64(f64),
    #[prost(string, tag = "12")]
    String(String),
    #[prost(bytes = "vec", tag = "13")]
    Binary(Vec<u8>),
    #[prost(int64, tag = "14")]
    Timestamp(i64),
    #[prost(int32, tag = "16")]
    Date(i32),
    #[prost(int64, tag = "17")]
    Time(i64),
    #[prost(message, tag = "19")]
    IntervalYearToMonth(IntervalYear),
    #[prost(message, tag = "20")]
    IntervalDayToSecond(IntervalDay),
    #[prost(string, tag = "21")]
    FixedChar(String),
    #[prost(message, tag = "22")]
    VarChar(VarChar),
    #[prost(bytes = "vec", tag = "23")]
    FixedBinary(Vec<u8>),
    #[prost(message, tag = "24")]
    Decimal(DecimalLiteral),
    #[prost(message, tag = "25")]
    Struct(LiteralStruct),
    #[prost(message, tag = "26")]
    Map(LiteralMap),
    #[prost(int64, tag = "27")]
    TimestampTz(i64),
    #[prost(bytes = "vec", tag = "28")]
    Uuid(Vec<u8>),
    #[prost(message, tag = "29")]
    Null(Type),
    #[prost(message, tag = "30")]
    List(LiteralList),
    #[prost(message, tag = "31")]
    EmptyList(List),
    #[prost(message, tag = "32")]
    EmptyMap(Map),
    #[prost(message, tag = "33")]
    UserDefined(Unread),
    #[prost(message, tag = "34")]
    PrecisionTimestamp(PrecisionValue),
    #[prost(message, tag = "35")]
    PrecisionTimestampTz(PrecisionValue),
    #[prost(message, tag = "36")]
    IntervalCompound(IntervalCompound),
    #[prost(message, tag = "37")]
    PrecisionTime(PrecisionValue),
}

/// Years and months.
#[derive(Clone, PartialEq, Message)]
pub struct IntervalYear {
    #[prost(int32, tag = "1")]
    pub years: i32,
    #[prost(int32, tag = "2")]
    pub months: i32,
}

/// Days, seconds and parts of seconds.
#[derive(Clone, PartialEq, Message)]
pub struct IntervalDay {
    #[prost(int32, tag = "1")]
    pub days: i32,
    #[prost(int32, tag = "2")]
    pub seconds: i32,
    #[prost(int64, tag = "5")]
    pub subseconds: i64,
    #[prost(oneof = "SubsecondUnit", tags = "3, 4")]
    pub unit: Option<SubsecondUnit>,
}

/// What [`IntervalDay`] holds.
#[derive(Clone, PartialEq, Oneof)]
pub enum SubsecondUnit {
    #[prost(int32, tag = "3")]
    Microseconds(i32),
    #[prost(int32, tag = "4")]
    Precision(i32),
}

/// All parts of an interval.
#[derive(Clone, PartialEq, Message)]
pub struct IntervalCompound {
    #[prost(message, optional, tag = "1")]
    pub year_to_month: Option<IntervalYear>,
    #[prost(message, optional, tag = "2")]
    pub day_to_second: Option<IntervalDay>,
}

/// A text with its greatest length.
#[derive(Clone, PartialEq, Message)]
pub struct VarChar {
    #[prost(string, tag = "1")]
    pub value: String,
    #[prost(uint32, tag = "2")]
    pub length: u32,
}

/// A decimal: 16 bytes, the least significant first.
#[derive(Clone, PartialEq, Message)]
pub struct DecimalLiteral {
    #[prost(bytes = "vec", tag = "1")]
    pub value: Vec<u8>,
    #[prost(int32, tag = "2")]
    pub precision: i32,
    #[prost(int32, tag = "3")]
    pub scale: i32,
}

/// A time in a unit that the precision tells.
#[derive(Clone, PartialEq, Message)]
pub struct PrecisionValue {
    #[prost(int32, tag = "1")]
    pub precision: i32,
    #[prost(int64, tag = "2")]
    pub value: i64,
}

/// Fields.
#[derive(Clone, PartialEq, Message)]
pub struct LiteralStruct {
    #[prost(message, repeated, tag = "1")]
    pub fields: Vec<Literal>,
}

/// Elements.
#[derive(Clone, PartialEq, Message)]
pub struct LiteralList {
    #[prost(message, repeated, tag = "1")]
    pub values: Vec<Literal>,
}

/// Entries.
#[derive(Clone, PartialEq, Message)]
pub struct LiteralMap {
    #[prost(message, repeated, tag = "1")]
    pub entries: Vec<LiteralEntry>,
}

/// An entry.
#[derive(Clone, PartialEq, Message)]
pub struct LiteralEntry {
    #[prost(message, optional, tag = "1")]
    pub key: Option<Literal>,
    #[prost(message, optional, tag = "2")]
    pub value: Option<Literal>,
}
