//! The functions of the registry that operators and forms of SQL stand for. The planner knows no others by name.

use crate::tree::{BinaryOperator, MatchKind, UnaryOperator};

/// Equality; null if a side is null.
pub const EQUAL: &str = "=";
/// The opposite of [`EQUAL`].
pub const NOT_EQUAL: &str = "<>";
/// Order.
pub const LESS: &str = "<";
/// Order or equality.
pub const LESS_OR_EQUAL: &str = "<=";
/// Order.
pub const GREATER: &str = ">";
/// Order or equality.
pub const GREATER_OR_EQUAL: &str = ">=";
/// Inequality where null is a value.
pub const IS_DISTINCT: &str = "is_distinct_from";
/// Equality where null is a value.
pub const IS_NOT_DISTINCT: &str = "is_not_distinct_from";
/// Tests for null.
pub const IS_NULL: &str = "is_null";
/// Tests for anything but null.
pub const IS_NOT_NULL: &str = "is_not_null";
/// Negation of a truth value.
pub const NOT: &str = "not";
/// Negation of a number.
pub const NEGATE: &str = "negate";
/// Membership: value, then candidates.
pub const IN: &str = "in_list";
/// A list of its arguments.
pub const LIST: &str = "list_value";
/// A struct of names and values in turn.
pub const STRUCT: &str = "struct_pack";
/// An unnamed struct of its arguments.
pub const ROW: &str = "row";
/// A map of a list of keys and a list of values.
pub const MAP: &str = "map";
/// Field of a struct by name or position.
pub const FIELD: &str = "struct_extract";
/// Element of a list by position, of a map by key, character of a text.
pub const ELEMENT: &str = "array_extract";
/// Value of a map by key.
pub const MAP_ELEMENT: &str = "map_extract_value";
/// Slice of a list or text.
pub const SLICE: &str = "array_slice";
/// Regular expression for the whole text.
pub const FULL_MATCH: &str = "regexp_full_match";
/// Membership in a list: list, then value.
pub const LIST_CONTAINS: &str = "list_contains";

/// The function of an operator between two operands.
pub fn binary(operator: BinaryOperator) -> &'static str {
    match operator {
        BinaryOperator::Plus => "+",
        BinaryOperator::Minus => "-",
        BinaryOperator::Multiply => "*",
        BinaryOperator::Divide => "/",
        BinaryOperator::IntegerDivide => "//",
        BinaryOperator::Modulo => "%",
        BinaryOperator::Power | BinaryOperator::PowerStars => "pow",
        BinaryOperator::Concat => "||",
        BinaryOperator::Equal => EQUAL,
        BinaryOperator::NotEqual => NOT_EQUAL,
        BinaryOperator::Less => LESS,
        BinaryOperator::LessOrEqual => LESS_OR_EQUAL,
        BinaryOperator::Greater => GREATER,
        BinaryOperator::GreaterOrEqual => GREATER_OR_EQUAL,
        BinaryOperator::BitAnd => "&",
        BinaryOperator::BitOr => "|",
        BinaryOperator::ShiftLeft => "<<",
        BinaryOperator::ShiftRight => ">>",
        BinaryOperator::StartsWith => "starts_with",
        BinaryOperator::JsonGet => "->",
        BinaryOperator::JsonGetText => "->>",
        BinaryOperator::ContainsAll => "list_has_all",
        BinaryOperator::ContainedBy => "list_has_all",
        BinaryOperator::Overlaps => "list_has_any",
    }
}

/// The function of an operator before its operand; none for `+`, which does nothing.
pub fn unary(operator: UnaryOperator) -> Option<&'static str> {
    match operator {
        UnaryOperator::Plus => None,
        UnaryOperator::Minus => Some(NEGATE),
        UnaryOperator::Not => Some(NOT),
        UnaryOperator::BitNot => Some("~"),
        UnaryOperator::Absolute => Some("abs"),
        UnaryOperator::Factorial => Some("factorial"),
    }
}

/// The function of a text match; an escape character is its third argument.
pub fn text_match(kind: MatchKind) -> &'static str {
    match kind {
        MatchKind::Like => "like",
        MatchKind::ILike => "ilike",
        MatchKind::SimilarTo => FULL_MATCH,
        MatchKind::Glob => "glob",
    }
}

/// The opposite of a comparison, which is null for the same rows.
pub fn negated(function: &str) -> Option<&'static str> {
    Some(match function {
        EQUAL => NOT_EQUAL,
        NOT_EQUAL => EQUAL,
        LESS => GREATER_OR_EQUAL,
        GREATER_OR_EQUAL => LESS,
        GREATER => LESS_OR_EQUAL,
        LESS_OR_EQUAL => GREATER,
        IS_NULL => IS_NOT_NULL,
        IS_NOT_NULL => IS_NULL,
        IS_DISTINCT => IS_NOT_DISTINCT,
        IS_NOT_DISTINCT => IS_DISTINCT,
        _ => return None,
    })
}

/// The comparison with its sides exchanged.
pub fn mirrored(function: &str) -> Option<&'static str> {
    Some(match function {
        EQUAL => EQUAL,
        NOT_EQUAL => NOT_EQUAL,
        LESS => GREATER,
        LESS_OR_EQUAL => GREATER_OR_EQUAL,
        GREATER => LESS,
        GREATER_OR_EQUAL => LESS_OR_EQUAL,
        IS_DISTINCT => IS_DISTINCT,
        IS_NOT_DISTINCT => IS_NOT_DISTINCT,
        _ => return None,
    })
}

/// True for the six comparisons of SQL.
pub fn is_comparison(function: &str) -> bool {
    matches!(function, EQUAL | NOT_EQUAL | LESS | LESS_OR_EQUAL | GREATER | GREATER_OR_EQUAL)
}
