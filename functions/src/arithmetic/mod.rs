//! The operators `+ - * / // % **` and the bit operators, for numbers, dates, timestamps and intervals.

mod add;
mod bits;
mod decimal;
mod divide;
mod integer;
mod multiply;
mod negate;
mod subtract;
pub(crate) mod temporal;
mod unary;

use crate::registry::Registry;

pub(crate) use integer::overflow;
pub(crate) use unary::checked_unary;

const CATEGORY: &str = "arithmetic";

/// Adds the family.
pub(crate) fn register(registry: &mut Registry) {
    registry.register_scalar(add::function());
    registry.register_scalar(subtract::function());
    registry.register_scalar(multiply::function());
    registry.register_scalar(divide::divide());
    registry.register_scalar(divide::divide_whole());
    registry.register_scalar(divide::remainder());
    registry.register_scalar(negate::function());
    bits::register(registry);
}

#[cfg(test)]
mod tests;
