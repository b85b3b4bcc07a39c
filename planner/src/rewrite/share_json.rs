//! Several questions to one JSON text become fields of one `json_extract_many`, so that a row's text is parsed once.

use std::collections::HashMap;
use std::sync::Arc;

use hypostyle_engine::Context;
use hypostyle_engine::plan::Expression;
use hypostyle_functions::{Field, Literal, Type, Value};

use crate::logical::Relation;

/// The function that answers all questions at once.
const MANY: &str = "json_extract_many";

/// The function that takes one answer out.
const FIELD_AT: &str = "struct_extract_at";

/// A path and the form in which its part is wanted.
type Question = (String, &'static str);

/// What is asked of one text, in order of first appearance.
#[derive(Default)]
struct Questions {
    positions: HashMap<Question, usize>,
    asked: Vec<(Question, Type)>,
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
    let mut texts: HashMap<Expression, Questions> = HashMap::new();
    expressions.iter().for_each(|expression| collect(expression, &mut texts));
    texts.retain(|_, questions| questions.asked.len() > 1);
    if !texts.is_empty() {
        expressions.into_iter().for_each(|expression| replace(expression, &texts, versions));
    }
}

fn collect(expression: &Expression, texts: &mut HashMap<Expression, Questions>) {
    stacker::maybe_grow(64 << 10, 1 << 20, || {
        if let Some((text, question, data_type)) = question(expression) {
            let questions = match texts.get_mut(text) {
                Some(questions) => questions,
                None => texts.entry(text.clone()).or_default(),
            };
            let next = questions.asked.len();
            if *questions.positions.entry(question.clone()).or_insert(next) == next {
                questions.asked.push((question, data_type.clone()));
            }
        }
        below(expression).into_iter().for_each(|child| collect(child, texts));
    });
}

/// The operands; a lambda is left alone, since its body runs over other rows.
fn below(expression: &Expression) -> Vec<&Expression> {
    match expression {
        Expression::Lambda { .. } => Vec::new(),
        other => other.children(),
    }
}

/// A question to a text, if the expression is one with a constant path that leads to one place.
fn question(expression: &Expression) -> Option<(&Expression, Question, &Type)> {
    let Expression::Call { function, arguments, data_type, .. } = expression else { return None };
    let (form, result) = match function.as_str() {
        "json_extract" => ("json", Type::Text),
        "json_extract_string" => ("text", Type::Text),
        "json_value" => ("value", Type::Text),
        "json_exists" => ("exists", Type::Boolean),
        "json_type" => ("type", Type::Text),
        "json_keys" => ("keys", Type::list(Type::Text)),
        "json_array_length" => ("length", Type::UInt64),
        _ => return None,
    };
    let path = match arguments.as_slice() {
        [_] => "$".to_owned(),
        [_, Expression::Literal(Literal { value: Value::Text(path), .. })] => path.clone(),
        _ => return None,
    };
    // A path with wildcards gives a list.
    let text = arguments.first().filter(|text| text.data_type() == Type::Text && *data_type == result)?;
    Some((text, (path, form), data_type))
}

fn replace(expression: &mut Expression, texts: &HashMap<Expression, Questions>, versions: [u32; 2]) {
    stacker::maybe_grow(64 << 10, 1 << 20, || {
        if let Some(shared) = shared(expression, texts, versions) {
            *expression = shared;
        }
        if !matches!(expression, Expression::Lambda { .. }) {
            expression.children_mut().into_iter().for_each(|child| replace(child, texts, versions));
        }
    });
}

fn shared(
    expression: &Expression,
    texts: &HashMap<Expression, Questions>,
    [many, field]: [u32; 2],
) -> Option<Expression> {
    let &Expression::Call { place, .. } = expression else { return None };
    let (text, question, data_type) = question(expression)?;
    let questions = texts.get(text)?;
    let position = *questions.positions.get(&question)?;
    let list = |texts: Vec<Value>| Expression::Literal(Literal::new(Value::List(Type::Text, texts)));
    let paths = questions.asked.iter().map(|((path, _), _)| Value::text(path)).collect();
    let forms = questions.asked.iter().map(|((_, form), _)| Value::text(*form)).collect();
    let fields = questions.asked.iter().map(|(_, data_type)| Field::new("", data_type.clone())).collect();
    let answers = Expression::Call {
        function: MANY.into(),
        version: many,
        arguments: vec![text.clone(), list(paths), list(forms)],
        data_type: Type::Struct(fields),
        place,
    };
    let position = Expression::Literal(Literal::new(Value::Int64(position as i64 + 1)));
    Some(Expression::Call {
        function: FIELD_AT.into(),
        version: field,
        arguments: vec![answers, position],
        data_type: data_type.clone(),
        place,
    })
}
