//! Implicit casts between types and the type that two types have in common. Only the planner asks.

use crate::types::{Field, TimeUnit, Type};

/// Cost of reading a bare NULL or a text literal as another type: more than nothing, less than a cast.
const ADAPT: u32 = 1;

/// Cost of casting `from` to `to` without being asked; `None` where that needs an explicit CAST.
///
/// Smaller is nearer: among the forms of a function the cheapest wins. Casts widen: integers to larger
/// integers, decimals and floats, dates to timestamps. Nothing becomes text and text becomes nothing,
/// except where a text literal adapts ([`literal_cost`]).
pub fn implicit_cost(from: &Type, to: &Type) -> Option<u32> {
    if from == to {
        return Some(0);
    }
    match (from, to) {
        (Type::Null, _) => Some(ADAPT),
        (_, Type::Null) => None,
        (Type::Decimal(p, s), Type::Decimal(q, t)) => {
            let (p, s, q, t) = (i32::from(*p), i32::from(*s), i32::from(*q), i32::from(*t));
            // The widest decimal takes every other, and values are checked when they are cast.
            (t >= s && (q - t >= p - s || q == 38)).then(|| 2 + (q - p).unsigned_abs())
        }
        (_, Type::Decimal(precision, scale)) if from.is_integer() => {
            let room = i32::from(*precision) - i32::from(*scale);
            (room >= integer_digits(from) || (*precision == 38 && *scale == 0)).then_some(60)
        }
        (Type::Decimal(..), Type::Float64) => Some(80),
        // Beside a single the single wins, alone the double does.
        (Type::Decimal(..), Type::Float32) => Some(83),
        (Type::Decimal(..), Type::Float16) => Some(86),
        _ if from.is_numeric() && to.is_numeric() => {
            let (a, b) = (numeric_rank(from)?, numeric_rank(to)?);
            let sign_lost = from.is_signed_integer() && to.is_unsigned_integer();
            let same_width = from.is_unsigned_integer() && to.is_signed_integer() && a.width >= b.width;
            if to.is_float() && !from.is_float() {
                // A double is nearer to an integer than a single, but beside a single the single wins.
                return Some(match to {
                    Type::Float64 => 42,
                    Type::Float32 => 45,
                    _ => 47,
                });
            }
            if a.width > b.width || a.class > b.class || sign_lost || same_width {
                return None;
            }
            // BIGINT and UBIGINT are the nearest of the wider integers, so that two operands of different narrow
            // types meet there.
            Some(match to {
                Type::Int64 | Type::UInt64 => 5,
                _ => 5 + (b.width - a.width).unsigned_abs(),
            })
        }
        (Type::Date, Type::Timestamp(unit)) => Some(if *unit == TimeUnit::Microsecond { 10 } else { 15 }),
        (Type::Date, Type::TimestampTz) => Some(20),
        (Type::Timestamp(a), Type::Timestamp(b)) => {
            Some(if *b == TimeUnit::Microsecond { 5 } else { 8 + u32::from(a > b) })
        }
        (Type::Timestamp(_), Type::TimestampTz) => Some(12),
        (Type::FixedList(a, n), Type::FixedList(b, m)) => {
            (n == m).then(|| implicit_cost(a, b)).flatten().map(|cost| cost + 1)
        }
        (Type::FixedList(a, _), Type::List(b)) => implicit_cost(a, b).map(|cost| cost + 5),
        (Type::List(a), Type::List(b)) => implicit_cost(a, b).map(|cost| cost + 1),
        (Type::Map(a, b), Type::Map(c, d)) => Some(implicit_cost(a, c)? + implicit_cost(b, d)? + 1),
        (Type::Struct(a), Type::Struct(b)) if a.len() == b.len() => {
            let mut total = 1;
            for (x, y) in a.iter().zip(b) {
                if !x.name.eq_ignore_ascii_case(&y.name) && !x.name.is_empty() && !y.name.is_empty() {
                    return None;
                }
                total += implicit_cost(&x.data_type, &y.data_type)?;
            }
            Some(total)
        }
        _ => None,
    }
}

/// Cost of reading a text literal as `to`: a quoted constant takes the type that its place asks for.
pub fn literal_cost(to: &Type) -> Option<u32> {
    match to {
        Type::Text => Some(0),
        Type::Null => None,
        Type::Struct(_) | Type::Map(..) | Type::List(_) | Type::FixedList(..) => Some(30),
        _ => Some(20),
    }
}

struct Rank {
    class: i32,
    width: i32,
}

/// Class 0 integers, 1 decimals, 2 floats; width in bytes.
fn numeric_rank(data_type: &Type) -> Option<Rank> {
    let (class, width) = match data_type {
        Type::Int8 | Type::UInt8 => (0, 1),
        Type::Int16 | Type::UInt16 => (0, 2),
        Type::Int32 | Type::UInt32 => (0, 4),
        Type::Int64 | Type::UInt64 => (0, 8),
        Type::Decimal(..) => (1, 16),
        Type::Float16 => (2, 2),
        Type::Float32 => (2, 4),
        Type::Float64 => (2, 8),
        _ => return None,
    };
    Some(Rank { class, width })
}

/// Decimal digits that every value of an integer type fits in.
pub fn integer_digits(data_type: &Type) -> i32 {
    match data_type {
        Type::Int8 | Type::UInt8 => 3,
        Type::Int16 | Type::UInt16 => 5,
        Type::Int32 | Type::UInt32 => 10,
        Type::Int64 => 19,
        Type::UInt64 => 20,
        _ => 38,
    }
}

/// The narrowest type that both cast to: of the branches of a CASE, the sides of a comparison, the
/// elements of a list. `None` if they have nothing in common.
pub fn common_type(left: &Type, right: &Type) -> Option<Type> {
    if left == right || *right == Type::Null {
        return Some(left.clone());
    }
    match (left, right) {
        (Type::Null, _) => Some(right.clone()),
        (Type::Decimal(p, s), Type::Decimal(q, t)) => {
            let scale = *s.max(t);
            let whole = (i32::from(*p) - i32::from(*s)).max(i32::from(*q) - i32::from(*t));
            Some(Type::Decimal(u8::try_from((whole + i32::from(scale)).clamp(1, 38)).unwrap_or(38), scale))
        }
        (Type::Decimal(p, s), other) | (other, Type::Decimal(p, s)) if other.is_integer() => {
            let whole = (i32::from(*p) - i32::from(*s)).max(integer_digits(other));
            Some(Type::Decimal(u8::try_from((whole + i32::from(*s)).clamp(1, 38)).unwrap_or(38), *s))
        }
        (Type::Decimal(..), Type::Float16) | (Type::Float16, Type::Decimal(..)) => Some(Type::Float32),
        (Type::Decimal(..), other) | (other, Type::Decimal(..)) if other.is_float() => Some(other.clone()),
        (Type::Timestamp(a), Type::Timestamp(b)) => Some(Type::Timestamp(*a.max(b))),
        _ if left.is_integer() && right.is_integer() => Some(common_integer(left, right)),
        (Type::Float16, Type::Float32) | (Type::Float32, Type::Float16) => Some(Type::Float32),
        _ if left.is_numeric() && right.is_numeric() => {
            // A 32-bit float keeps its width beside integers, as in DuckDB.
            let float = if left.is_float() { left } else { right };
            let both = left.is_float() && right.is_float();
            Some(if both { Type::Float64 } else { float.clone() })
        }
        (Type::List(a), Type::List(b))
        | (Type::List(a), Type::FixedList(b, _))
        | (Type::FixedList(a, _), Type::List(b)) => common_type(a, b).map(Type::list),
        (Type::FixedList(a, n), Type::FixedList(b, m)) => {
            let element = common_type(a, b)?;
            Some(if n == m { Type::fixed_list(element, *n) } else { Type::list(element) })
        }
        (Type::Map(a, b), Type::Map(c, d)) => Some(Type::map(common_type(a, c)?, common_type(b, d)?)),
        (Type::Struct(a), Type::Struct(b)) if a.len() == b.len() => {
            let fields = a.iter().zip(b).map(|(x, y)| {
                let same = x.name.eq_ignore_ascii_case(&y.name);
                same.then(|| common_type(&x.data_type, &y.data_type))
                    .flatten()
                    .map(|ty| Field::new(x.name.clone(), ty))
            });
            fields.collect::<Option<Vec<_>>>().map(Type::Struct)
        }
        _ => match (implicit_cost(left, right), implicit_cost(right, left)) {
            (Some(there), Some(back)) if back < there => Some(left.clone()),
            (Some(_), _) => Some(right.clone()),
            (None, Some(_)) => Some(left.clone()),
            (None, None) => None,
        },
    }
}

fn common_integer(left: &Type, right: &Type) -> Type {
    let width = |data_type: &Type| numeric_rank(data_type).map_or(8, |rank| rank.width);
    if left.is_signed_integer() == right.is_signed_integer() {
        return if width(left) >= width(right) { left.clone() } else { right.clone() };
    }
    let (signed, unsigned) = if left.is_signed_integer() { (left, right) } else { (right, left) };
    if width(signed) > width(unsigned) {
        return signed.clone();
    }
    match width(unsigned) {
        1 => Type::Int16,
        2 => Type::Int32,
        4 => Type::Int64,
        _ => Type::HUGEINT,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_widen_and_never_narrow() {
        assert!(implicit_cost(&Type::Int32, &Type::Int64).is_some());
        assert!(implicit_cost(&Type::Int64, &Type::Int32).is_none());
        assert!(implicit_cost(&Type::UInt32, &Type::Int32).is_none());
        assert!(implicit_cost(&Type::UInt32, &Type::Int64).is_some());
        assert!(implicit_cost(&Type::Int8, &Type::UInt64).is_none());
    }

    #[test]
    fn integers_become_floats_and_floats_stay() {
        assert!(implicit_cost(&Type::Int64, &Type::Float64).is_some());
        assert!(implicit_cost(&Type::Int64, &Type::Float32).is_some());
        assert!(implicit_cost(&Type::Float64, &Type::Float32).is_none());
        assert!(implicit_cost(&Type::Float64, &Type::Int64).is_none());
        for integer in [Type::Int8, Type::Int32, Type::UInt64] {
            let (to_double, to_single) =
                (implicit_cost(&integer, &Type::Float64), implicit_cost(&integer, &Type::Float32));
            assert!(to_double < to_single);
        }
    }

    #[test]
    fn common_types_hold_both_sides() {
        assert_eq!(common_type(&Type::Int64, &Type::UInt64), Some(Type::HUGEINT));
        assert_eq!(common_type(&Type::Int32, &Type::Float32), Some(Type::Float32));
        assert_eq!(common_type(&Type::Decimal(4, 1), &Type::Int32), Some(Type::Decimal(11, 1)));
        assert_eq!(common_type(&Type::Date, &Type::TIMESTAMP), Some(Type::TIMESTAMP));
        assert_eq!(common_type(&Type::Text, &Type::Int32), None);
    }
}
