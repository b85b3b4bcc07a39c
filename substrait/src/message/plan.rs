//! Plans and what they declare.

use prost::{Message, Oneof};

use super::relation::Rel;

/// A plan: declarations of what it uses, and relations.
#[derive(Clone, PartialEq, Message)]
pub struct Plan {
    #[prost(message, repeated, tag = "1")]
    pub extension_uris: Vec<SimpleExtensionUri>,
    #[prost(message, repeated, tag = "2")]
    pub extensions: Vec<Declaration>,
    #[prost(message, repeated, tag = "3")]
    pub relations: Vec<PlanRelation>,
    #[prost(message, optional, tag = "6")]
    pub version: Option<Version>,
    #[prost(message, repeated, tag = "8")]
    pub extension_urns: Vec<SimpleExtensionUrn>,
}

/// The version of the format, and who wrote the plan.
#[derive(Clone, PartialEq, Message)]
pub struct Version {
    #[prost(uint32, tag = "1")]
    pub major_number: u32,
    #[prost(uint32, tag = "2")]
    pub minor_number: u32,
    #[prost(uint32, tag = "3")]
    pub patch_number: u32,
    #[prost(string, tag = "4")]
    pub git_hash: String,
    #[prost(string, tag = "5")]
    pub producer: String,
}

/// Where functions are described, as it was written up to 2025.
#[derive(Clone, PartialEq, Message)]
pub struct SimpleExtensionUri {
    #[prost(uint32, tag = "1")]
    pub anchor: u32,
    #[prost(string, tag = "2")]
    pub uri: String,
}

/// Where functions are described.
#[derive(Clone, PartialEq, Message)]
pub struct SimpleExtensionUrn {
    #[prost(uint32, tag = "1")]
    pub anchor: u32,
    #[prost(string, tag = "2")]
    pub urn: String,
}

/// What an anchor stands for.
#[derive(Clone, PartialEq, Message)]
pub struct Declaration {
    #[prost(oneof = "Declared", tags = "1, 2, 3")]
    pub kind: Option<Declared>,
}

/// What [`Declaration`] holds.
#[derive(Clone, PartialEq, Oneof)]
pub enum Declared {
    #[prost(message, tag = "1")]
    Type(DeclaredName),
    #[prost(message, tag = "2")]
    TypeVariation(DeclaredName),
    #[prost(message, tag = "3")]
    Function(DeclaredName),
}

/// A function or type by name.
#[derive(Clone, PartialEq, Message)]
pub struct DeclaredName {
    #[prost(uint32, tag = "1")]
    pub uri_reference: u32,
    #[prost(uint32, tag = "2")]
    pub anchor: u32,
    #[prost(string, tag = "3")]
    pub name: String,
    #[prost(uint32, tag = "4")]
    pub urn_reference: u32,
}

/// A tree of relations, with the names of its columns if it is the result.
#[derive(Clone, PartialEq, Message)]
pub struct PlanRelation {
    #[prost(oneof = "PlanRoot", tags = "1, 2")]
    pub kind: Option<PlanRoot>,
}

/// What [`PlanRelation`] holds.
#[derive(Clone, PartialEq, Oneof)]
pub enum PlanRoot {
    #[prost(message, tag = "1")]
    Relation(Rel),
    #[prost(message, tag = "2")]
    Root(RelationRoot),
}

/// The result of a plan.
#[derive(Clone, PartialEq, Message)]
pub struct RelationRoot {
    #[prost(message, optional, tag = "1")]
    pub input: Option<Rel>,
    #[prost(string, repeated, tag = "2")]
    pub names: Vec<String>,
}
