//! The built-in aggregate functions, by what they hold of a group.

mod bits;
mod borders;
mod by_group;
mod category;
mod codebook;
mod collect;
mod collector;
mod components;
mod condition;
mod count;
mod count_min;
mod decayed;
mod extreme;
#[cfg(test)]
mod feature_tests;
mod frequency;
mod history;
mod interval;
mod jagged;
mod merge;
mod moments;
mod packed;
mod parts;
mod pick;
mod quantile;
mod reproducible;
mod sequence;
mod sketch;
mod slots;
mod sum;
#[cfg(test)]
mod tests;
mod top;
mod vector;
mod vocabulary;

use crate::aggregate::AggregateFunction;
use crate::registry::Registry;
use crate::types::Type;

/// Adds every built-in aggregate.
pub(crate) fn register(registry: &mut Registry) {
    let families = [
        count::functions(),
        extreme::functions(),
        bits::functions(),
        pick::functions(),
        collect::functions(),
        frequency::functions(),
        quantile::functions(),
        sketch::functions(),
        sum::functions(),
        moments::functions(),
        sequence::functions(),
        jagged::functions(),
        history::functions(),
        merge::functions(),
        count_min::functions(),
        vocabulary::functions(),
        codebook::functions(),
    ];
    let functions: Vec<AggregateFunction> = families.into_iter().flatten().collect();
    // Aggregates of parts of a group are made of those of whole groups.
    let made = [
        condition::functions(&functions),
        category::functions(&functions),
        category::map_functions(&functions),
        vector::functions(&functions),
        decayed::functions(&functions),
        components::functions(&functions),
    ];
    functions
        .into_iter()
        .chain(made.into_iter().flatten())
        .for_each(|function| registry.register_aggregate(function));
    registry.register_scalar(count_min::estimate());
}

/// The Rust type that holds values of a fixed-width type, for choosing a typed accumulator once per plan.
enum Physical {
    Int8,
    Int16,
    Int32,
    Int64,
    UInt8,
    UInt16,
    UInt32,
    UInt64,
    Float16,
    Float32,
    Float64,
    Int128,
    /// Booleans, intervals, text and nested values: compared through their views.
    Other,
}

fn physical(data_type: &Type) -> Physical {
    match data_type {
        Type::Int8 => Physical::Int8,
        Type::Int16 => Physical::Int16,
        Type::Int32 | Type::Date => Physical::Int32,
        Type::Int64 | Type::Time | Type::Timestamp(_) | Type::TimestampTz => Physical::Int64,
        Type::UInt8 => Physical::UInt8,
        Type::UInt16 => Physical::UInt16,
        Type::UInt32 => Physical::UInt32,
        Type::UInt64 => Physical::UInt64,
        Type::Float16 => Physical::Float16,
        Type::Float32 => Physical::Float32,
        Type::Float64 => Physical::Float64,
        Type::Decimal(..) if data_type.is_narrow_decimal() => Physical::Int64,
        Type::Decimal(..) => Physical::Int128,
        _ => Physical::Other,
    }
}
