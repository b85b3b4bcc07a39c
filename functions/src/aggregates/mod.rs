//! The built-in aggregate functions, by what they hold of a group.

mod bits;
mod by_group;
mod collect;
mod collector;
mod count;
mod extreme;
mod frequency;
mod interval;
mod jagged;
mod moments;
mod packed;
mod pick;
mod quantile;
mod reproducible;
mod sequence;
mod sketch;
mod sum;
#[cfg(test)]
mod tests;
mod top;

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
    ];
    families.into_iter().flatten().for_each(|function| registry.register_aggregate(function));
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
