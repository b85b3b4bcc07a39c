//! JSON made of values, and JSON written anew.

use super::document::{Json, Kind, Reader};
use super::write::{write_json, write_sequence, write_text, write_value};
use crate::Registry;
use crate::column::TextBuilder;
use crate::error::{Error, Result};
use crate::scalar::{Arguments, Bound, Cost, ScalarFunction};
use crate::signature::{any, exact};
use crate::types::Type;

/// Adds the family.
pub fn register(registry: &mut Registry) {
    registry.register_scalar(
        described("to_json", "A value of any type as JSON.")
            .alias("array_to_json")
            .alias("row_to_json")
            .alias("json_quote")
            .overload([any("value")], |_| {
                Ok(Bound::strict(Type::Text, |arguments, rows, output, _| {
                    let mut writer = output.text();
                    rows.for_each(|row| writer.build(row, |builder| write_value(&arguments[0], row, builder)));
                    Ok(())
                }))
            })
            .note("Structs and maps become objects, lists arrays, dates and times text. JSON has no type of its own, so a text that holds JSON is quoted like any other.")
            .example("to_json({'a': [1, NULL]})", "{\"a\":[1,null]}"),
    );
    registry.register_scalar(
        described("json_array", "A JSON array of the values.")
            .variadic([any("value")], |_| {
                Ok(Bound::null_aware(Type::Text, |arguments, rows, output, _| {
                    let mut writer = output.text();
                    rows.for_each(|row| {
                        writer.build(row, |builder| {
                            write_sequence(builder, ['[', ']'], arguments.iter(), |view, builder| {
                                write_value(view, row, builder);
                            });
                        });
                    });
                    Ok(())
                }))
            })
            .example("json_array(1, 'x', NULL)", "[1,\"x\",null]"),
    );
    registry.register_scalar(
        described("json_object", "A JSON object of names and values.")
            .variadic([any("name or value")], bind_object)
            .note("Names and values alternate; a null name is an error of the row.")
            .example("json_object('a', 1, 'b', NULL)", "{\"a\":1,\"b\":null}"),
    );
    registry.register_scalar(
        described("json", "JSON without blanks.")
            .alias("json_normalize")
            .overload([exact("json", Type::Text)], |_| Ok(rewrite(write_json)))
            .example("json('{\"a\" : [1, 2]}')", "{\"a\":[1,2]}"),
    );
    registry.register_scalar(
        described("json_pretty", "JSON on lines indented by four blanks.")
            .overload([exact("json", Type::Text)], |_| {
                Ok(rewrite(|node, builder| write_pretty(node, 0, builder)))
            })
            .example("json_pretty('[]')", "[]"),
    );
    registry.register_scalar(
        described("json_merge_patch", "A JSON text changed by another as RFC 7386 defines.")
            .overload([exact("json", Type::Text), exact("patch", Type::Text)], |_| Ok(merge_patch()))
            .example("json_merge_patch('{\"a\":1,\"b\":2}', '{\"b\":null,\"c\":3}')", "{\"a\":1,\"c\":3}"),
    );
}

fn described(name: &str, summary: &str) -> ScalarFunction {
    ScalarFunction::new(name, "json", summary).cost(Cost::Parse)
}

fn bind_object(arguments: &Arguments<'_>) -> Result<Bound> {
    if !arguments.types.len().is_multiple_of(2) {
        return Err(Error::user("json_object: a name has no value; names and values alternate"));
    }
    for position in (0..arguments.types.len()).step_by(2) {
        if arguments.types[position] != Type::Text {
            let problem = format!("has type {}; a name is VARCHAR", arguments.types[position]);
            return Err(Error::argument("json_object", position + 1, problem));
        }
    }
    Ok(Bound::null_aware(Type::Text, |arguments, rows, output, _| {
        rows.for_each(|row| {
            if let Some(position) = (0..arguments.len()).step_by(2).find(|name| arguments[*name].is_null(row))
            {
                return output
                    .fail(row, || Error::argument("json_object", position + 1, "is null; a name is text"));
            }
            output.text().build(row, |builder| {
                write_sequence(builder, ['{', '}'], arguments.chunks_exact(2), |pair, builder| {
                    write_text(pair[0].text().get(row), builder);
                    builder.push(':');
                    write_value(&pair[1], row, builder);
                });
            });
        });
        Ok(())
    }))
}

/// The text parsed and written again.
fn rewrite(write: fn(Json<'_, '_>, &mut TextBuilder<'_>)) -> Bound {
    Bound::strict(Type::Text, move |arguments, rows, output, scratch| {
        let text = arguments[0].text();
        let reader = scratch.slot::<Reader>();
        rows.for_each(|row| {
            let written =
                reader.read(text.get(row), |root| output.text().build(row, |builder| write(root, builder)));
            if let Err(error) = written {
                output.fail(row, || error);
            }
        });
        Ok(())
    })
}

fn write_pretty(node: Json<'_, '_>, depth: usize, builder: &mut TextBuilder<'_>) {
    let is_empty = matches!(node.kind(), Kind::Array(0) | Kind::Object(0));
    let brackets = match node.kind() {
        Kind::Array(_) if !is_empty => ['[', ']'],
        Kind::Object(_) if !is_empty => ['{', '}'],
        _ => return write_json(node, builder),
    };
    let line = |depth: usize, builder: &mut TextBuilder<'_>| {
        builder.push('\n');
        (0..depth).for_each(|_| builder.push_str("    "));
    };
    builder.push(brackets[0]);
    let mut is_first = true;
    let mut separate = |builder: &mut TextBuilder<'_>| {
        if !std::mem::replace(&mut is_first, false) {
            builder.push(',');
        }
        line(depth + 1, builder);
    };
    for element in node.elements() {
        separate(builder);
        write_pretty(element, depth + 1, builder);
    }
    for (name, value) in node.fields() {
        separate(builder);
        write_text(name, builder);
        builder.push_str(": ");
        write_pretty(value, depth + 1, builder);
    }
    line(depth, builder);
    builder.push(brackets[1]);
}

/// Readers of the two texts of a call.
#[derive(Default)]
struct Readers {
    target: Reader,
    patch: Reader,
}

fn merge_patch() -> Bound {
    Bound::strict(Type::Text, |arguments, rows, output, scratch| {
        let (targets, patches) = (arguments[0].text(), arguments[1].text());
        let readers = scratch.slot::<Readers>();
        rows.for_each(|row| {
            let target = &mut readers.target;
            let merged = readers.patch.read(patches.get(row), |patch| {
                target.read(targets.get(row), |target| {
                    output.text().build(row, |builder| write_merged(Some(target), patch, builder));
                })
            });
            if let Err(error) = merged.and_then(|inner| inner) {
                output.fail(row, || error);
            }
        });
        Ok(())
    })
}

/// The algorithm of RFC 7386, section 2, writing instead of changing.
fn write_merged(target: Option<Json<'_, '_>>, patch: Json<'_, '_>, builder: &mut TextBuilder<'_>) {
    if !matches!(patch.kind(), Kind::Object(_)) {
        return write_json(patch, builder);
    }
    builder.push('{');
    let mut is_first = true;
    let mut name_field = |name: &str, builder: &mut TextBuilder<'_>| {
        if !std::mem::replace(&mut is_first, false) {
            builder.push(',');
        }
        write_text(name, builder);
        builder.push(':');
    };
    for (name, held) in target.iter().flat_map(|target| target.fields()) {
        match patch.field(name) {
            Some(change) if change.is_null() => {}
            Some(change) => {
                name_field(name, builder);
                write_merged(Some(held), change, builder);
            }
            None => {
                name_field(name, builder);
                write_json(held, builder);
            }
        }
    }
    for (name, added) in patch.fields() {
        let is_new = target.is_none_or(|target| target.field(name).is_none());
        if is_new && !added.is_null() {
            name_field(name, builder);
            write_merged(None, added, builder);
        }
    }
    builder.push('}');
}
