//! JSON texts changed at a path: set, inserted, replaced, removed.

use super::ask::constant_path;
use super::document::{Json, Kind, Reader};
use super::path::{Path, Step};
use super::write::{write_json, write_text};
use crate::Registry;
use crate::column::TextBuilder;
use crate::error::Result;
use crate::scalar::{Arguments, Bound, Cost, ScalarFunction};
use crate::signature::exact;
use crate::types::Type;

/// Adds the family.
pub fn register(registry: &mut Registry) {
    let changes = [
        ("json_set", "A JSON text with a part replaced or added.", Change::Set, "{\"a\":2}"),
        (
            "json_insert",
            "A JSON text with a part added where there is none yet.",
            Change::Insert,
            "{\"a\":1}",
        ),
        (
            "json_replace",
            "A JSON text with a part replaced where there is one.",
            Change::Replace,
            "{\"a\":2}",
        ),
    ];
    for (name, summary, change, result) in changes {
        let parameters = [exact("json", Type::Text), exact("path", Type::Text), exact("value", Type::Text)];
        registry.register_scalar(
            described(name, summary)
                .overload(parameters, move |arguments| bind_change(arguments, change))
                .note("The path is constant and leads to one place; the value is JSON. Objects and arrays on the way are made where nothing stands; a position just behind the end of an array adds to it.")
                .example(&format!("{name}('{{\"a\":1}}', '$.a', '2')"), result),
        );
    }
    registry.register_scalar(
        described("json_remove", "A JSON text without a part.")
            .overload([exact("json", Type::Text), exact("path", Type::Text)], bind_remove)
            .note("The path is constant and leads to one place; the root leaves null.")
            .example("json_remove('{\"a\":1,\"b\":[2,3]}', '$.b[0]')", "{\"a\":1,\"b\":[3]}"),
    );
    registry.register_scalar(
        described("json_strip_nulls", "A JSON text without the fields of objects that are null.")
            .overload([exact("json", Type::Text)], |_| {
                Ok(Bound::strict(Type::Text, |arguments, rows, output, scratch| {
                    let text = arguments[0].text();
                    let reader = scratch.slot::<Reader>();
                    rows.for_each(|row| {
                        let written = reader.read(text.get(row), |root| {
                            output.text().build(row, |builder| write_without_nulls(root, builder));
                        });
                        if let Err(error) = written {
                            output.fail(row, || error);
                        }
                    });
                    Ok(())
                }))
            })
            .example("json_strip_nulls('{\"a\":null,\"b\":[null]}')", "{\"b\":[null]}"),
    );
}

fn described(name: &str, summary: &str) -> ScalarFunction {
    ScalarFunction::new(name, "json", summary).cost(Cost::Parse)
}

/// What happens to the part at a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Change {
    Set,
    Insert,
    Replace,
    Remove,
}

/// A change and the value it brings.
struct Edit<'a, 'text> {
    change: Change,
    value: Option<Json<'a, 'text>>,
}

/// Readers of the text and of the value of a call.
#[derive(Default)]
struct Readers {
    target: Reader,
    value: Reader,
}

fn bind_change(arguments: &Arguments<'_>, change: Change) -> Result<Bound> {
    let path = constant_path(arguments, 1)?;
    Ok(Bound::strict(Type::Text, move |arguments, rows, output, scratch| {
        let (targets, values) = (arguments[0].text(), arguments[2].text());
        let readers = scratch.slot::<Readers>();
        rows.for_each(|row| {
            let target = &mut readers.target;
            let changed = readers.value.read(values.get(row), |value| {
                target.read(targets.get(row), |target| {
                    let edit = Edit { change, value: Some(value) };
                    output.text().build(row, |builder| edit.write(target, path.steps(), builder));
                })
            });
            if let Err(error) = changed.and_then(|inner| inner) {
                output.fail(row, || error);
            }
        });
        Ok(())
    }))
}

fn bind_remove(arguments: &Arguments<'_>) -> Result<Bound> {
    let path: Path = constant_path(arguments, 1)?;
    Ok(Bound::strict(Type::Text, move |arguments, rows, output, scratch| {
        let text = arguments[0].text();
        let reader = scratch.slot::<Reader>();
        rows.for_each(|row| {
            let edit = Edit { change: Change::Remove, value: None };
            let written = reader.read(text.get(row), |root| match path.steps() {
                [] => output.set_null(row),
                steps => output.text().build(row, |builder| edit.write(root, steps, builder)),
            });
            if let Err(error) = written {
                output.fail(row, || error);
            }
        });
        Ok(())
    }))
}

impl Edit<'_, '_> {
    /// Writes a node whose part at `steps` is changed.
    fn write(&self, node: Json<'_, '_>, steps: &[Step], builder: &mut TextBuilder<'_>) {
        let Some((step, rest)) = steps.split_first() else {
            return match self.value {
                Some(value) if self.change != Change::Insert => write_json(value, builder),
                _ => write_json(node, builder),
            };
        };
        match (node.kind(), step) {
            (Kind::Object(_), Step::Field(name) | Step::Token(name)) => {
                self.write_object(node, name, rest, builder);
            }
            (Kind::Array(length), Step::Element(position)) => {
                let from_end = if *position < 0 { length as i64 } else { 0 };
                self.write_array(node, position.saturating_add(from_end), rest, builder);
            }
            (Kind::Array(length), Step::Token(token)) => {
                // A pointer names the place behind the last element by a dash.
                let position = if token == "-" { Some(length as i64) } else { token.parse().ok() };
                self.write_array(node, position.unwrap_or(-1), rest, builder);
            }
            _ => write_json(node, builder),
        }
    }

    fn write_object(&self, node: Json<'_, '_>, name: &str, rest: &[Step], builder: &mut TextBuilder<'_>) {
        let mut items = Items::open('{', builder);
        let mut found = false;
        for (held, value) in node.fields() {
            // A name that stands again is the same field: what replaces or removes it takes all.
            let is_last = rest.is_empty();
            let is_meant = held == name && (!found || (is_last && self.change != Change::Insert));
            if is_meant && is_last && (found || self.change == Change::Remove) {
                found = true;
                continue;
            }
            items.next(builder);
            write_text(held, builder);
            builder.push(':');
            if is_meant {
                found = true;
                self.write(value, rest, builder);
            } else {
                write_json(value, builder);
            }
        }
        if !found && self.makes(rest) {
            items.next(builder);
            write_text(name, builder);
            builder.push(':');
            self.write_made(rest, builder);
        }
        builder.push('}');
    }

    fn write_array(&self, node: Json<'_, '_>, position: i64, rest: &[Step], builder: &mut TextBuilder<'_>) {
        let mut items = Items::open('[', builder);
        let mut length = 0;
        for (place, element) in node.elements().enumerate() {
            length = place as i64 + 1;
            let is_meant = place as i64 == position;
            if is_meant && rest.is_empty() && self.change == Change::Remove {
                continue;
            }
            items.next(builder);
            match is_meant {
                true => self.write(element, rest, builder),
                false => write_json(element, builder),
            }
        }
        // The largest position stands for the one behind the last.
        if (position == length || position == i64::MAX) && self.makes(rest) {
            items.next(builder);
            self.write_made(rest, builder);
        }
        builder.push(']');
    }

    /// True if the change makes what these steps lead to where there is nothing.
    fn makes(&self, steps: &[Step]) -> bool {
        let can_start = |step: &Step| match step {
            Step::Element(position) => *position == 0 || *position == i64::MAX,
            Step::Field(_) | Step::Token(_) => true,
            _ => false,
        };
        matches!(self.change, Change::Set | Change::Insert) && steps.iter().all(can_start)
    }

    fn write_made(&self, steps: &[Step], builder: &mut TextBuilder<'_>) {
        match steps.split_first() {
            None => {
                if let Some(value) = self.value {
                    write_json(value, builder);
                }
            }
            Some((Step::Field(name) | Step::Token(name), rest)) => {
                builder.push('{');
                write_text(name, builder);
                builder.push(':');
                self.write_made(rest, builder);
                builder.push('}');
            }
            Some((_, rest)) => {
                builder.push('[');
                self.write_made(rest, builder);
                builder.push(']');
            }
        }
    }
}

/// Puts commas between what is written.
struct Items {
    is_first: bool,
}

impl Items {
    fn open(bracket: char, builder: &mut TextBuilder<'_>) -> Self {
        builder.push(bracket);
        Self { is_first: true }
    }

    fn next(&mut self, builder: &mut TextBuilder<'_>) {
        if !std::mem::replace(&mut self.is_first, false) {
            builder.push(',');
        }
    }
}

fn write_without_nulls(node: Json<'_, '_>, builder: &mut TextBuilder<'_>) {
    match node.kind() {
        Kind::Object(_) => {
            let mut items = Items::open('{', builder);
            for (name, value) in node.fields().filter(|(_, value)| !value.is_null()) {
                items.next(builder);
                write_text(name, builder);
                builder.push(':');
                write_without_nulls(value, builder);
            }
            builder.push('}');
        }
        Kind::Array(_) => {
            let mut items = Items::open('[', builder);
            for element in node.elements() {
                items.next(builder);
                write_without_nulls(element, builder);
            }
            builder.push(']');
        }
        _ => write_json(node, builder),
    }
}
