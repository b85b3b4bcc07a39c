//! Parts of JSON: as JSON, as text, and what is known of them.

use super::ask::{Answer, Question, Source, constant_paths};
use super::document::{Json, Kind, Reader};
use super::path::Path;
use super::scan::{self, Room, Scan};
use super::write::write_json;
use crate::Registry;
use crate::column::Output;
use crate::error::{Error, Result};
use crate::scalar::{Arguments, Bound, Cost, ScalarFunction};
use crate::signature::exact;
use crate::types::{Field, Type};

const PATHS: &str = "A path is `$.a.b[0]` with `[#-1]` for the last element, a pointer `/a/b/0`, a plain key, or a position. With `[*]`, `.*` or `..`, or with a list of paths, the result is a list.";

fn question(result: Type, answer: Answer) -> Question {
    Question { result, answer, is_text: false }
}

fn text_question() -> Question {
    Question { is_text: true, ..question(Type::Text, as_text) }
}

/// Adds the family.
pub fn register(registry: &mut Registry) {
    registry.register_scalar(
        question(Type::Text, as_json).with_paths(
            described("json_extract", "Part of a JSON text at a path, as JSON.")
                .alias("json_extract_path")
                .alias("->")
                .note(PATHS)
                .note("A path that leads nowhere gives null; a text that is not JSON is an error of the row.")
                .example("json_extract('{\"a\": {\"b\": [1, 2]}}', '$.a.b[0]')", "1")
                .example("json_extract('{\"a\": [1, 2]}', '$.a')", "[1,2]"),
            true,
        ),
    );
    registry.register_scalar(
        text_question().with_paths(
            described(
                "json_extract_string",
                "Part of a JSON text at a path, as text: without quotes, and null for null.",
            )
            .alias("json_extract_path_text")
            .alias("->>")
            .note(PATHS)
            .example("json_extract_string('{\"a\": \"x\"}', '$.a')", "x"),
            true,
        ),
    );
    registry.register_scalar(
        question(Type::Text, as_value).with_paths(
            described(
                "json_value",
                "Part of a JSON text at a path, as JSON; null unless it is a text, number or truth value.",
            )
            .example("json_value('{\"a\": 1.5}', '$.a')", "1.5"),
            true,
        ),
    );
    registry.register_scalar(
        question(Type::Boolean, exists).with_paths(
            described("json_exists", "True if a path leads somewhere in a JSON text.")
                .example("json_exists('{\"a\": null}', '$.a')", "true"),
            false,
        ),
    );
    registry.register_scalar(
        question(Type::Text, type_name).with_root_and_paths(
            described("json_type", "Type of a JSON text or of a part of it: OBJECT, ARRAY, VARCHAR, BIGINT, UBIGINT, DOUBLE, BOOLEAN or NULL.")
                .example("json_type('[1]')", "ARRAY"),
        ),
    );
    registry.register_scalar(
        question(Type::list(Type::Text), keys).with_root_and_paths(
            described("json_keys", "Names of the fields of a JSON object; empty for anything else.")
                .example("json_keys('{\"a\": 1, \"b\": 2}')", "[a, b]"),
        ),
    );
    registry.register_scalar(
        question(Type::UInt64, array_length).with_root_and_paths(
            described("json_array_length", "Number of elements of a JSON array; 0 for anything else.")
                .example("json_array_length('[1, 2, 3]')", "3"),
        ),
    );
    registry.register_scalar(
        described("json_valid", "True if a text is JSON.")
            .overload([exact("text", Type::Text)], |_| Ok(valid()))
            .note("RFC 8259: no comments, no trailing commas, no NaN.")
            .example("json_valid('{\"a\": 1}')", "true"),
    );
    registry.register_scalar(
        described("json_extract_many", "Parts of a JSON text at several paths, parsed once, as the fields of a struct.")
            .overload(
                [
                    exact("json", Type::Text),
                    exact("paths", Type::list(Type::Text)),
                    exact("forms", Type::list(Type::Text)),
                ],
                bind_many,
            )
            .note("The form of a part is json, text, value, exists, type, keys or length, as the functions of one path. Several questions to one text are rewritten to this function.")
            .example("json_extract_many('{\"a\": \"x\", \"b\": 1}', ['$.a', '$.b'], ['text', 'json'])", "(x, 1)"),
    );
}

fn described(name: &str, summary: &str) -> ScalarFunction {
    ScalarFunction::new(name, "json", summary).cost(Cost::Parse)
}

fn as_json(node: Option<Json<'_, '_>>, output: &mut Output, row: usize, source: Source<'_>) {
    if let Some((node, number)) = node.and_then(|node| Some((node, node.written_number()?))) {
        return set_text(node, number, output, row, source);
    }
    match node {
        Some(node) => output.text().build(row, |builder| write_json(node, builder)),
        None => output.set_null(row),
    }
}

fn as_text(node: Option<Json<'_, '_>>, output: &mut Output, row: usize, source: Source<'_>) {
    match node.map(|node| (node, node.kind())) {
        None | Some((_, Kind::Null)) => output.set_null(row),
        Some((node, Kind::Text(text))) => set_text(node, text, output, row, source),
        Some((node, _)) => as_json(Some(node), output, row, source),
    }
}

/// Writes a text of the document; one without escape sequences shares the bytes of the JSON text.
fn set_text(node: Json<'_, '_>, text: &str, output: &mut Output, row: usize, (whole, whole_row): Source<'_>) {
    let start = node.offset_of(text);
    let part = whole.get(whole_row).get(start..start.wrapping_add(text.len()));
    match part {
        Some(part) if part == text => output.text().set_part(row, whole, whole_row, part),
        _ => output.text().set(row, text),
    }
}

fn as_value(node: Option<Json<'_, '_>>, output: &mut Output, row: usize, source: Source<'_>) {
    let is_scalar =
        |node: &Json<'_, '_>| !matches!(node.kind(), Kind::Null | Kind::Array(_) | Kind::Object(_));
    as_json(node.filter(is_scalar), output, row, source);
}

fn exists(node: Option<Json<'_, '_>>, output: &mut Output, row: usize, _: Source<'_>) {
    output.boolean().set(row, node.is_some());
}

fn type_name(node: Option<Json<'_, '_>>, output: &mut Output, row: usize, _: Source<'_>) {
    let name = match node.map(|node| node.kind()) {
        None => return output.set_null(row),
        Some(Kind::Null) => "NULL",
        Some(Kind::Boolean(_)) => "BOOLEAN",
        Some(Kind::Signed(_)) => "BIGINT",
        Some(Kind::Unsigned(_)) => "UBIGINT",
        Some(Kind::Float(_)) => "DOUBLE",
        Some(Kind::Text(_)) => "VARCHAR",
        Some(Kind::Array(_)) => "ARRAY",
        Some(Kind::Object(_)) => "OBJECT",
    };
    output.text().set(row, name);
}

fn keys(node: Option<Json<'_, '_>>, output: &mut Output, row: usize, source: Source<'_>) {
    let Some(node) = node else { return output.set_null(row) };
    let mut list = output.list();
    let start = list.start();
    for (name, _) in node.fields() {
        let at = list.child().grow(1);
        set_text(node, name, list.child(), at, source);
    }
    list.finish(row, start);
}

fn array_length(node: Option<Json<'_, '_>>, output: &mut Output, row: usize, _: Source<'_>) {
    match node.map(|node| node.kind()) {
        None => output.set_null(row),
        Some(Kind::Array(length)) => output.fixed::<u64>()[row] = length as u64,
        Some(_) => output.fixed::<u64>()[row] = 0,
    }
}

fn valid() -> Bound {
    Bound::strict(Type::Boolean, |arguments, rows, output, scratch| {
        let text = arguments[0].text();
        let reader = scratch.slot::<Reader>();
        let bits = output.boolean();
        rows.for_each(|row| bits.set(row, reader.is_valid(text.get(row))));
        Ok(())
    })
}

/// One path of `json_extract_many`, and what is asked of the part it leads to.
struct Part {
    path: Path,
    question: Question,
}

/// What the form of a part asks: the function of one path that gives the same.
fn form(name: &str) -> Option<Question> {
    Some(match name {
        "json" => question(Type::Text, as_json),
        "text" => text_question(),
        "value" => question(Type::Text, as_value),
        "exists" => question(Type::Boolean, exists),
        "type" => question(Type::Text, type_name),
        "keys" => question(Type::list(Type::Text), keys),
        "length" => question(Type::UInt64, array_length),
        _ => return None,
    })
}

fn bind_many(arguments: &Arguments<'_>) -> Result<Bound> {
    let paths = constant_paths(arguments, 1)?;
    let refused = |problem: String| Error::argument(arguments.function, 3, problem);
    let Some(forms) = arguments.constant(2)?.as_list() else {
        return Err(refused("is null; expected a list of forms".into()));
    };
    if forms.len() != paths.len() {
        return Err(refused(format!("has {} forms for {} paths", forms.len(), paths.len())));
    }
    let mut parts = Vec::with_capacity(paths.len());
    for (path, name) in paths.into_iter().zip(forms) {
        let question = name.as_text().and_then(form).ok_or_else(|| {
            refused("has an unknown form; expected json, text, value, exists, type, keys or length".into())
        })?;
        parts.push(Part { path, question });
    }
    let scan = Scan::of(parts.iter().map(|part| &part.path));
    let fields = parts.iter().map(|part| Field::new("", part.question.result.clone())).collect();
    Ok(Bound::strict(Type::Struct(fields), move |arguments, rows, output, scratch| {
        let text = arguments[0].text();
        let Room { memory, reader } = scratch.slot();
        let mut found = scan.as_ref().map(Scan::found).unwrap_or_default();
        rows.for_each(|row| {
            let source = (&text, row);
            if let Some(scan) = &scan
                && scan.read(text.get(row), memory, &mut found)
            {
                for (position, (part, &found)) in parts.iter().zip(&found).enumerate() {
                    scan::answer(&part.question, found, output.field(position), row, &text, row);
                }
                return;
            }
            let read = reader.read(text.get(row), |root| {
                for (position, part) in parts.iter().enumerate() {
                    (part.question.answer)(part.path.find(root), output.field(position), row, source);
                }
            });
            if let Err(error) = read {
                output.fail(row, || error);
            }
        });
        Ok(())
    }))
}
