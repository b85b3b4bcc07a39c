//! Types.

use prost::{Message, Oneof};

use super::relation::Unread;

/// A type.
#[derive(Clone, PartialEq, Message)]
pub struct Type {
    #[prost(
        oneof = "TypeKind",
        tags = "1, 2, 3, 5, 7, 10, 11, 12, 13, 14, 16, 17, 19, 20, 21, 22, 23, 24, 25, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39"
    )]
    pub kind: Option<TypeKind>,
}

/// What [`Type`] holds.
#[derive(Clone, PartialEq, Oneof)]
pub enum TypeKind {
    #[prost(message, tag = "1")]
    Bool(Plain),
    #[prost(message, tag = "2")]
    I8(Plain),
    #[prost(message, tag = "3")]
    I16(Plain),
    #[prost(message, tag = "5")]
    I32(Plain),
    #[prost(message, tag = "7")]
    I64(Plain),
    #[prost(message, tag = "10")]
    Fp32(Plain),
    #[prost(message, tag = "11")]
    Fp64(Plain),
    #[prost(message, tag = "12")]
    String(Plain),
    #[prost(message, tag = "13")]
    Binary(Plain),
    #[prost(message, tag = "14")]
    Timestamp(Plain),
    #[prost(message, tag = "16")]
    Date(Plain),
    #[prost(message, tag = "17")]
    Time(Plain),
    #[prost(message, tag = "19")]
    IntervalYear(Plain),
    #[prost(message, tag = "20")]
    IntervalDay(Plain),
    #[prost(message, tag = "21")]
    FixedChar(Sized),
    #[prost(message, tag = "22")]
    VarChar(Sized),
    #[prost(message, tag = "23")]
    FixedBinary(Sized),
    #[prost(message, tag = "24")]
    Decimal(Decimal),
    #[prost(message, tag = "25")]
    Struct(Struct),
    #[prost(message, boxed, tag = "27")]
    List(Box<List>),
    #[prost(message, boxed, tag = "28")]
    Map(Box<Map>),
    #[prost(message, tag = "29")]
    TimestampTz(Plain),
    #[prost(message, tag = "30")]
    UserDefined(UserDefined),
    #[prost(uint32, tag = "31")]
    UserDefinedReference(u32),
    #[prost(message, tag = "32")]
    Uuid(Plain),
    #[prost(message, tag = "33")]
    PrecisionTimestamp(Sized),
    #[prost(message, tag = "34")]
    PrecisionTimestampTz(Sized),
    #[prost(message, tag = "35")]
    IntervalCompound(Plain),
    #[prost(message, tag = "36")]
    PrecisionTime(Sized),
    #[prost(message, tag = "37")]
    Alias(Unread),
    #[prost(message, tag = "38")]
    Func(Unread),
    #[prost(message, tag = "39")]
    Unbound(Unread),
}

/// A type without a size.
#[derive(Clone, PartialEq, Message)]
pub struct Plain {
    #[prost(uint32, tag = "1")]
    pub variation: u32,
    #[prost(int32, tag = "2")]
    pub nullability: i32,
    #[prost(int32, tag = "3")]
    pub precision: i32,
}

/// A type with a length or a precision.
#[derive(Clone, PartialEq, Message)]
pub struct Sized {
    #[prost(int32, tag = "1")]
    pub size: i32,
    #[prost(uint32, tag = "2")]
    pub variation: u32,
    #[prost(int32, tag = "3")]
    pub nullability: i32,
}

/// A decimal.
#[derive(Clone, PartialEq, Message)]
pub struct Decimal {
    #[prost(int32, tag = "1")]
    pub scale: i32,
    #[prost(int32, tag = "2")]
    pub precision: i32,
    #[prost(uint32, tag = "3")]
    pub variation: u32,
    #[prost(int32, tag = "4")]
    pub nullability: i32,
}

/// A struct; its fields have no names.
#[derive(Clone, PartialEq, Message)]
pub struct Struct {
    #[prost(message, repeated, tag = "1")]
    pub types: Vec<Type>,
    #[prost(uint32, tag = "2")]
    pub variation: u32,
    #[prost(int32, tag = "3")]
    pub nullability: i32,
}

/// A list.
#[derive(Clone, PartialEq, Message)]
pub struct List {
    #[prost(message, optional, boxed, tag = "1")]
    pub element: Option<Box<Type>>,
    #[prost(uint32, tag = "2")]
    pub variation: u32,
    #[prost(int32, tag = "3")]
    pub nullability: i32,
}

/// A map.
#[derive(Clone, PartialEq, Message)]
pub struct Map {
    #[prost(message, optional, boxed, tag = "1")]
    pub key: Option<Box<Type>>,
    #[prost(message, optional, boxed, tag = "2")]
    pub value: Option<Box<Type>>,
    #[prost(uint32, tag = "3")]
    pub variation: u32,
    #[prost(int32, tag = "4")]
    pub nullability: i32,
}

/// A type that the plan declares.
#[derive(Clone, PartialEq, Message)]
pub struct UserDefined {
    #[prost(uint32, tag = "1")]
    pub reference: u32,
    #[prost(uint32, tag = "2")]
    pub variation: u32,
    #[prost(int32, tag = "3")]
    pub nullability: i32,
    #[prost(message, repeated, tag = "4")]
    pub parameters: Vec<TypeParameter>,
}

/// A parameter of a type.
#[derive(Clone, PartialEq, Message)]
pub struct TypeParameter {
    #[prost(oneof = "ParameterKind", tags = "1, 2, 3, 4, 5, 6")]
    pub kind: Option<ParameterKind>,
}

/// What [`TypeParameter`] holds.
#[derive(Clone, PartialEq, Oneof)]
pub enum ParameterKind {
    #[prost(message, tag = "1")]
    Null(Unread),
    #[prost(message, tag = "2")]
    DataType(Type),
    #[prost(bool, tag = "3")]
    Boolean(bool),
    #[prost(int64, tag = "4")]
    Integer(i64),
    #[prost(string, tag = "5")]
    Name(String),
    #[prost(string, tag = "6")]
    Text(String),
}

/// The columns of a table; names are written depth first.
#[derive(Clone, PartialEq, Message)]
pub struct NamedStruct {
    #[prost(string, repeated, tag = "1")]
    pub names: Vec<String>,
    #[prost(message, optional, tag = "2")]
    pub r#struct: Option<Struct>,
}
