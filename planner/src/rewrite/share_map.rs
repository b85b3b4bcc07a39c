//! Many keys asked of one map become fields of one `map_extract_many`, so that a row's entries are gone through once.

use std::collections::HashMap;
use std::sync::Arc;

use hypostyle_engine::Context;
use hypostyle_engine::plan::Expression;
use hypostyle_functions::{Field, Literal, Type, Value};

use crate::logical::Relation;

/// The function of one key.
const ONE: &str = "map_extract_value";

/// The function that finds all keys at once.
const MANY: &str = "map_extract_many";

/// The function that takes one value out.
const FIELD_AT: &str = "struct_extract_at";

/// Fewer keys are found sooner one by one, with vectors of keys compared at once.
const SHARED_MIN: usize = 8;

/// What is asked of one map, in order of first appearance.
#[derive(Default)]
struct Keys {
    positions: HashMap<Literal, usize>,
    asked: Vec<Literal>,
}

/// Rewrites the expressions of each relation that is computed row by row.
pub fn rewrite(relation: &mut Relation, context: &Arc<Context>) {
    let version = |name: &str| context.registry.scalar(name).map(|function| function.version);
    let (Some(many), Some(field)) = (version(MANY), version(FIELD_AT)) else { return };
    relation.walk_mut(&mut |relation| {
        if !matches!(relation, Relation::Scan(_) | Relation::Values { .. } | Relation::Join(_)) {
            share(relation.expressions_mut(), [many, field]);
        }
    });
}

fn share(expressions: Vec<&mut Expression>, versions: [u32; 2]) {
    let mut maps: HashMap<Expression, Keys> = HashMap::new();
    expressions.iter().for_each(|expression| collect(expression, &mut maps));
    maps.retain(|_, keys| keys.asked.len() >= SHARED_MIN);
    if !maps.is_empty() {
        expressions.into_iter().for_each(|expression| replace(expression, &maps, versions));
    }
}

/// Gathers the keys; a lambda is left alone, since its body runs over other rows.
fn collect(expression: &Expression, maps: &mut HashMap<Expression, Keys>) {
    stacker::maybe_grow(64 << 10, 1 << 20, || {
        if let Some((map, key)) = question(expression) {
            let keys = match maps.get_mut(map) {
                Some(keys) => keys,
                None => maps.entry(map.clone()).or_default(),
            };
            if !keys.positions.contains_key(key) {
                keys.positions.insert(key.clone(), keys.asked.len());
                keys.asked.push(key.clone());
            }
        }
        if !matches!(expression, Expression::Lambda { .. }) {
            expression.children().into_iter().for_each(|child| collect(child, maps));
        }
    });
}

/// A map and the constant key that is asked of it.
fn question(expression: &Expression) -> Option<(&Expression, &Literal)> {
    let Expression::Call { function, arguments, .. } = expression else { return None };
    let [map, Expression::Literal(key)] = arguments.as_slice() else { return None };
    if function.as_str() != ONE || key.value.is_null() {
        return None;
    }
    let Type::Map(held, _) = map.data_type() else { return None };
    (*held == key.data_type).then_some((map, key))
}

fn replace(expression: &mut Expression, maps: &HashMap<Expression, Keys>, versions: [u32; 2]) {
    stacker::maybe_grow(64 << 10, 1 << 20, || {
        if let Some(shared) = shared(expression, maps, versions) {
            *expression = shared;
        }
        if !matches!(expression, Expression::Lambda { .. }) {
            expression.children_mut().into_iter().for_each(|child| replace(child, maps, versions));
        }
    });
}

fn shared(
    expression: &Expression,
    maps: &HashMap<Expression, Keys>,
    [many, field]: [u32; 2],
) -> Option<Expression> {
    let Expression::Call { place, data_type, .. } = expression else { return None };
    let (map, key) = question(expression)?;
    let keys = maps.get(map)?;
    let position = *keys.positions.get(key)?;
    let fields = keys.asked.iter().map(|_| Field::new("", data_type.clone())).collect();
    let asked = keys.asked.iter().map(|key| key.value.clone()).collect();
    let asked = Literal {
        data_type: Type::list(key.data_type.clone()),
        value: Value::List(key.data_type.clone(), asked),
    };
    let values = Expression::Call {
        function: MANY.into(),
        version: many,
        arguments: vec![map.clone(), Expression::Literal(asked)],
        data_type: Type::Struct(fields),
        place: *place,
    };
    let position = Expression::Literal(Literal::new(Value::Int64(position as i64 + 1)));
    Some(Expression::Call {
        function: FIELD_AT.into(),
        version: field,
        arguments: vec![values, position],
        data_type: data_type.clone(),
        place: *place,
    })
}
