//! The parts of a plan's filters that bounds can refute.

use hypostyle_engine::key_filter::KeyFilter;
use hypostyle_engine::plan::Expression;
use hypostyle_functions::{Literal, Type, Value};

use crate::prune::{Bound, ColumnPlace, Comparison, Predicate};

/// A conjunct over the table's columns as a predicate; `None` if bounds cannot refute it.
pub fn predicate_of(filter: &Expression) -> Option<Predicate> {
    match filter {
        // A part that bounds know nothing of is left out: the engine tests it.
        Expression::And(parts) => {
            let known: Vec<Predicate> = parts.iter().filter_map(predicate_of).collect();
            (!known.is_empty()).then_some(Predicate::And(known))
        }
        Expression::Or(parts) => parts.iter().map(predicate_of).collect::<Option<_>>().map(Predicate::Or),
        Expression::Call { function, arguments, .. } => call(function, arguments),
        Expression::Column { data_type: Type::Boolean, .. } => Some(truth(place_of(filter)?, true)),
        _ => None,
    }
}

/// The column that an expression reads, or the field of one.
fn place_of(expression: &Expression) -> Option<ColumnPlace> {
    match expression {
        Expression::Column { index, .. } => Some(ColumnPlace::from(*index)),
        Expression::Call { function, arguments, .. }
            if matches!(function.as_str(), "struct_extract" | "array_extract") =>
        {
            let [inner, Expression::Literal(Literal { value: Value::Text(name), .. })] = arguments.as_slice()
            else {
                return None;
            };
            let mut place = place_of(inner)?;
            place.fields.push(name.clone());
            Some(place)
        }
        _ => None,
    }
}

fn truth(column: ColumnPlace, value: bool) -> Predicate {
    Predicate::Compare { column, comparison: Comparison::Equal, value: Bound::Integer(i128::from(value)) }
}

fn call(function: &str, arguments: &[Expression]) -> Option<Predicate> {
    match (function, arguments) {
        ("is_null", [column]) => place_of(column).map(Predicate::IsNull),
        ("is_not_null", [column]) => place_of(column).map(Predicate::IsNotNull),
        ("not", [column]) if column.data_type() == Type::Boolean => Some(truth(place_of(column)?, false)),
        ("in_list", [column, candidates @ ..]) => {
            let (place, data_type) = (place_of(column)?, column.data_type());
            let mut values = Vec::with_capacity(candidates.len());
            for candidate in candidates {
                let Expression::Literal(literal) = candidate else { return None };
                // A null among the candidates makes nothing true.
                if !literal.value.is_null() {
                    values.push(bound_of(&literal.value, &data_type)?);
                }
            }
            Some(Predicate::In { column: place, values })
        }
        ("between", [column, low, high]) => {
            let parts = [
                compare(column, Comparison::GreaterOrEqual, low),
                compare(column, Comparison::LessOrEqual, high),
            ];
            let known: Vec<Predicate> = parts.into_iter().flatten().collect();
            (!known.is_empty()).then_some(Predicate::And(known))
        }
        (name, [left, right]) => {
            let comparison = match name {
                "=" | "is_not_distinct_from" => Comparison::Equal,
                "!=" | "<>" => Comparison::NotEqual,
                "<" => Comparison::Less,
                "<=" => Comparison::LessOrEqual,
                ">" => Comparison::Greater,
                ">=" => Comparison::GreaterOrEqual,
                _ => return None,
            };
            compare(left, comparison, right).or_else(|| compare(right, comparison.swapped(), left))
        }
        _ => None,
    }
}

fn compare(column: &Expression, comparison: Comparison, constant: &Expression) -> Option<Predicate> {
    let Expression::Literal(literal) = constant else { return None };
    let place = place_of(column)?;
    Some(Predicate::Compare {
        column: place,
        comparison,
        value: bound_of(&literal.value, &column.data_type())?,
    })
}

/// What the bounds of a join's keys refute, where keys are whole numbers, dates or times.
pub fn within_bounds(keys: &KeyFilter) -> Option<Predicate> {
    let (least, greatest) = keys.keys().bounds()?;
    let part = |comparison, value| Predicate::Compare {
        column: keys.column().into(),
        comparison,
        value: Bound::Integer(i128::from(value)),
    };
    Some(Predicate::And(vec![
        part(Comparison::GreaterOrEqual, least),
        part(Comparison::LessOrEqual, greatest),
    ]))
}

/// A constant in the order of a column's type; `None` if it is not of that type.
pub fn bound_of(value: &Value, data_type: &Type) -> Option<Bound> {
    if value.data_type() != *data_type {
        return None;
    }
    Some(match value {
        Value::Boolean(value) => Bound::Integer(i128::from(*value)),
        Value::Decimal(digits, _, _) => Bound::Integer(digits.0),
        Value::Float16(_) | Value::Float32(_) | Value::Float64(_) => Bound::Float(value.as_f64()?),
        Value::Text(text) => Bound::Bytes(text.as_bytes().to_vec()),
        Value::Binary(bytes) => Bound::Bytes(bytes.clone()),
        Value::Date(days) => Bound::Integer(i128::from(*days)),
        Value::Time(micros) | Value::TimestampTz(micros) | Value::Timestamp(micros, _) => {
            Bound::Integer(i128::from(*micros))
        }
        Value::UInt64(value) => Bound::Integer(i128::from(*value)),
        other => Bound::Integer(i128::from(other.as_i64()?)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column() -> Expression {
        Expression::column(3, Type::Int64)
    }

    fn literal(value: i64) -> Expression {
        Expression::Literal(Literal::new(Value::Int64(value)))
    }

    #[test]
    fn a_constant_on_the_left_swaps_the_comparison() {
        let filter = Expression::call("<", vec![literal(5), column()], Type::Boolean);
        let expected = Predicate::Compare {
            column: 3.into(),
            comparison: Comparison::Greater,
            value: Bound::Integer(5),
        };
        assert_eq!(predicate_of(&filter), Some(expected));
    }

    #[test]
    fn fields_of_columns_are_compared_too() {
        let name = |name: &str| Expression::Literal(Literal::new(Value::text(name)));
        let inner = Type::Struct(vec![hypostyle_functions::Field::new("b", Type::Int64)]);
        let outer = Type::Struct(vec![hypostyle_functions::Field::new("a", inner.clone())]);
        let field = Expression::call("struct_extract", vec![Expression::column(3, outer), name("a")], inner);
        let field = Expression::call("struct_extract", vec![field, name("b")], Type::Int64);
        let filter = Expression::call(">", vec![field, literal(5)], Type::Boolean);
        let column = ColumnPlace { column: 3, fields: vec!["a".into(), "b".into()] };
        let expected =
            Predicate::Compare { column, comparison: Comparison::Greater, value: Bound::Integer(5) };
        assert_eq!(predicate_of(&filter), Some(expected));
    }

    #[test]
    fn an_unknown_part_weakens_and_or_drops() {
        let unknown = Expression::call("like", vec![column(), literal(1)], Type::Boolean);
        let known = Expression::call("is_null", vec![column()], Type::Boolean);
        let both = Expression::And(vec![unknown.clone(), known.clone()]);
        assert_eq!(predicate_of(&both), Some(Predicate::And(vec![Predicate::IsNull(3.into())])));
        assert_eq!(predicate_of(&Expression::Or(vec![unknown, known])), None);
    }

    #[test]
    fn a_constant_of_another_type_refutes_nothing() {
        let other = Expression::Literal(Literal::new(Value::Int32(5)));
        assert_eq!(predicate_of(&Expression::call("=", vec![column(), other], Type::Boolean)), None);
    }
}
