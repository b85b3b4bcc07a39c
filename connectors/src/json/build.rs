//! Columns of any shape under construction, filled straight from parsed values.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{ArrayRef, FixedSizeListArray, ListArray, MapArray, StringViewBuilder, StructArray};
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::datatypes::{DataType, FieldRef};
use hypostyle_functions::Type;
use simd_json::{Node, StaticNode};

use super::leaf::{LeafBuilder, push_json};
use super::shape::Shape;

/// A column under construction.
pub enum Builder {
    /// Values that are not nested.
    Leaf(LeafBuilder),
    /// Any value as JSON text; a string alone is its own text if the column was stated to be text.
    Json(StringViewBuilder),
    /// Lists.
    List(ListBuilder),
    /// Lists of one length.
    FixedList(FixedListBuilder),
    /// Objects of known keys.
    Struct(StructBuilder),
    /// Objects of any keys.
    Map(MapBuilder),
    /// Values of a field that nobody asks for.
    Skipped,
}

/// Lists under construction.
pub struct ListBuilder {
    offsets: Vec<i32>,
    valid: Vec<bool>,
    element: Box<Builder>,
}

/// Lists of one length under construction.
pub struct FixedListBuilder {
    size: usize,
    valid: Vec<bool>,
    element: Box<Builder>,
}

/// Objects of known keys under construction.
pub struct StructBuilder {
    keys: Vec<String>,
    positions: HashMap<String, usize>,
    fields: Vec<Builder>,
    valid: Vec<bool>,
    /// The row in which each field was last filled, counted from 1: tells repeated and missing keys.
    filled: Vec<usize>,
    strict: bool,
}

/// Objects of any keys under construction.
pub struct MapBuilder {
    offsets: Vec<i32>,
    valid: Vec<bool>,
    keys: StringViewBuilder,
    key_count: usize,
    values: Box<Builder>,
}

/// What all builders of a read share.
#[derive(Default)]
pub struct Scratch {
    text: String,
    /// Names of the fields around the value that is read.
    path: Vec<String>,
    /// The first value that does not fit.
    pub problem: Option<Problem>,
}

/// A value that does not fit its column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Names of the fields around it.
    pub path: String,
    /// What is wrong, and what would be right.
    pub text: String,
}

impl Scratch {
    fn fail(&mut self, text: impl FnOnce() -> String) {
        if self.problem.is_none() {
            self.problem = Some(Problem { path: self.path.join("."), text: text() });
        }
    }

    /// Reports a value that is not of a type.
    fn misfit(&mut self, tape: &[Node<'_>], at: usize, data_type: &Type) {
        self.fail(|| {
            let mut text = String::new();
            super::text::write_value(tape, at, &mut text);
            let shown: String = text.chars().take(60).collect();
            format!("{shown} is not a {data_type}")
        });
    }

    /// Reports what is wrong with a key.
    pub fn report(&mut self, key: &str, text: &str) {
        if key.is_empty() {
            self.fail(|| text.to_owned());
        } else {
            self.inside(key, |scratch| scratch.fail(|| text.to_owned()));
        }
    }

    /// Runs `body` inside a field.
    pub fn inside<R>(&mut self, name: &str, body: impl FnOnce(&mut Self) -> R) -> R {
        self.path.push(name.to_owned());
        let result = body(self);
        self.path.pop();
        result
    }
}

impl Builder {
    /// A builder for a shape. A `strict` one reports keys it does not know.
    pub fn new(shape: &Shape, strict: bool) -> Self {
        match shape {
            Shape::Leaf(data_type) => Self::Leaf(LeafBuilder::new(data_type)),
            Shape::Json => Self::Json(StringViewBuilder::new()),
            Shape::List(element) => Self::List(ListBuilder {
                offsets: vec![0],
                valid: Vec::new(),
                element: Box::new(Self::new(element, strict)),
            }),
            Shape::FixedList(element, size) => Self::FixedList(FixedListBuilder {
                size: *size,
                valid: Vec::new(),
                element: Box::new(Self::new(element, strict)),
            }),
            Shape::Struct(fields) => Self::Struct(StructBuilder::new(fields, strict)),
            Shape::Map(value) => Self::Map(MapBuilder {
                offsets: vec![0],
                valid: Vec::new(),
                keys: StringViewBuilder::new(),
                key_count: 0,
                values: Box::new(Self::new(value, strict)),
            }),
            Shape::Skipped => Self::Skipped,
        }
    }

    /// Adds a null.
    pub fn push_null(&mut self) {
        match self {
            Self::Leaf(leaf) => leaf.push_null(),
            Self::Json(builder) => builder.append_null(),
            Self::List(list) => list.close(false, 0),
            Self::FixedList(list) => {
                (0..list.size).for_each(|_| list.element.push_null());
                list.valid.push(false);
            }
            Self::Struct(object) => {
                object.fields.iter_mut().for_each(Builder::push_null);
                object.valid.push(false);
            }
            Self::Map(map) => map.close(false),
            Self::Skipped => {}
        }
    }

    /// Adds the value that begins at `at` of a tape; gives the position behind it. A value that does not fit is
    /// added as a null and reported in `scratch`.
    pub fn push(&mut self, tape: &[Node<'_>], at: usize, scratch: &mut Scratch) -> usize {
        let end = at + nodes(&tape[at]);
        if matches!(tape[at], Node::Static(StaticNode::Null)) {
            self.push_null();
            return end;
        }
        match (&mut *self, &tape[at]) {
            (Self::Skipped, _) => {}
            (Self::Leaf(leaf), _) => {
                if !leaf.push(tape, at, &mut scratch.text) {
                    let data_type = leaf.data_type();
                    scratch.misfit(tape, at, &data_type);
                }
            }
            (Self::Json(builder), _) => push_json(builder, tape, at, &mut scratch.text),
            (Self::List(list), Node::Array { len, .. }) => {
                (0..*len).fold(at + 1, |position, _| list.element.push(tape, position, scratch));
                list.close(true, *len);
            }
            (Self::FixedList(list), Node::Array { len, .. }) if *len == list.size => {
                (0..*len).fold(at + 1, |position, _| list.element.push(tape, position, scratch));
                list.valid.push(true);
            }
            (Self::Struct(object), Node::Object { len, .. }) => object.push(tape, at, *len, scratch),
            (Self::Map(map), Node::Object { len, .. }) => map.push(tape, at, *len, scratch),
            (Self::List(_), _) => self.refuse(tape, at, "a list", scratch),
            (Self::FixedList(list), _) => {
                let wanted = format!("a list of {} values", list.size);
                self.refuse(tape, at, &wanted, scratch);
            }
            (Self::Struct(_) | Self::Map(_), _) => self.refuse(tape, at, "an object", scratch),
        }
        end
    }

    fn refuse(&mut self, tape: &[Node<'_>], at: usize, wanted: &str, scratch: &mut Scratch) {
        self.push_null();
        scratch.fail(|| {
            let mut text = String::new();
            super::text::write_value(tape, at, &mut text);
            let shown: String = text.chars().take(60).collect();
            format!("{shown} is not {wanted}")
        });
    }

    /// The column so far, in the layout of `data_type`, which is that of the shape; the builder is empty then.
    pub fn finish(&mut self, data_type: &Type) -> ArrayRef {
        match (self, data_type) {
            (Self::Leaf(leaf), _) => leaf.finish(),
            (Self::Json(builder), _) => Arc::new(builder.finish()),
            (Self::List(list), Type::List(element)) => list.finish(data_type, element),
            (Self::FixedList(list), Type::FixedList(element, _)) => list.finish(data_type, element),
            (Self::Struct(object), Type::Struct(fields)) => object.finish(data_type, fields),
            (Self::Map(map), Type::Map(_, value)) => map.finish(data_type, value),
            // The type is made from the shape, so no other pair comes up.
            (_, other) => arrow::array::new_empty_array(&other.to_arrow()),
        }
    }
}

/// Nodes of the value that begins with this one.
pub fn nodes(node: &Node<'_>) -> usize {
    match node {
        Node::Array { count, .. } | Node::Object { count, .. } => count + 1,
        _ => 1,
    }
}

impl ListBuilder {
    fn close(&mut self, valid: bool, length: usize) {
        let last = self.offsets.last().copied().unwrap_or(0);
        self.offsets.push(last + length as i32);
        self.valid.push(valid);
    }

    fn finish(&mut self, data_type: &Type, element: &Type) -> ArrayRef {
        let offsets = OffsetBuffer::new(std::mem::replace(&mut self.offsets, vec![0]).into());
        let values = self.element.finish(element);
        let nulls = nulls_of(&mut self.valid);
        Arc::new(ListArray::new(child_field(data_type), offsets, values, nulls))
    }
}

impl FixedListBuilder {
    fn finish(&mut self, data_type: &Type, element: &Type) -> ArrayRef {
        let values = self.element.finish(element);
        let nulls = nulls_of(&mut self.valid);
        Arc::new(FixedSizeListArray::new(child_field(data_type), self.size as i32, values, nulls))
    }
}

impl MapBuilder {
    fn push(&mut self, tape: &[Node<'_>], at: usize, length: usize, scratch: &mut Scratch) {
        let mut position = at + 1;
        for _ in 0..length {
            let Some(Node::String(key)) = tape.get(position) else { break };
            self.keys.append_value(key);
            self.key_count += 1;
            let values = &mut self.values;
            position = scratch.inside(key, |scratch| values.push(tape, position + 1, scratch));
        }
        self.close(true);
    }

    fn close(&mut self, valid: bool) {
        self.offsets.push(self.key_count as i32);
        self.valid.push(valid);
    }

    fn finish(&mut self, data_type: &Type, value: &Type) -> ArrayRef {
        let offsets = OffsetBuffer::new(std::mem::replace(&mut self.offsets, vec![0]).into());
        self.key_count = 0;
        let keys: ArrayRef = Arc::new(self.keys.finish());
        let values = self.values.finish(value);
        let entries = child_field(data_type);
        let fields = match entries.data_type() {
            DataType::Struct(fields) => fields.clone(),
            _ => arrow::datatypes::Fields::empty(),
        };
        let entry_array = StructArray::new(fields, vec![keys, values], None);
        Arc::new(MapArray::new(entries, offsets, entry_array, nulls_of(&mut self.valid), false))
    }
}

impl StructBuilder {
    /// A builder of objects with these keys.
    pub fn new(fields: &[(String, Shape)], strict: bool) -> Self {
        Self {
            keys: fields.iter().map(|(key, _)| key.clone()).collect(),
            positions: fields.iter().enumerate().map(|(index, (key, _))| (key.clone(), index)).collect(),
            fields: fields.iter().map(|(_, shape)| Builder::new(shape, strict)).collect(),
            valid: Vec::new(),
            filled: vec![0; fields.len()],
            strict,
        }
    }

    fn push(&mut self, tape: &[Node<'_>], at: usize, length: usize, scratch: &mut Scratch) {
        self.valid.push(true);
        let row = self.valid.len();
        let mut position = at + 1;
        for index in 0..length {
            let Some(Node::String(key)) = tape.get(position) else { break };
            // Objects of one table mostly have the same keys in the same order.
            let expected = self.keys.get(index).is_some_and(|name| name == key);
            let field = if expected { Some(index) } else { self.positions.get(*key).copied() };
            position = match field {
                Some(field) if self.filled[field] == row => {
                    scratch.fail(|| format!("the object has the key \"{key}\" twice"));
                    position + 1 + tape.get(position + 1).map_or(1, nodes)
                }
                Some(field) => {
                    self.filled[field] = row;
                    let builder = &mut self.fields[field];
                    scratch.inside(key, |scratch| builder.push(tape, position + 1, scratch))
                }
                None => {
                    if self.strict {
                        scratch.fail(|| {
                            format!("the object has a key \"{key}\" that the sample did not show; raise sample_size, or state the columns")
                        });
                    }
                    position + 1 + tape.get(position + 1).map_or(1, nodes)
                }
            };
        }
        for (field, filled) in self.fields.iter_mut().zip(&self.filled) {
            if *filled != row {
                field.push_null();
            }
        }
    }

    fn finish(&mut self, data_type: &Type, fields: &[hypostyle_functions::Field]) -> ArrayRef {
        let columns: Vec<ArrayRef> = self
            .fields
            .iter_mut()
            .filter(|builder| !matches!(builder, Builder::Skipped))
            .zip(fields)
            .map(|(builder, field)| builder.finish(&field.data_type))
            .collect();
        let rows = self.valid.len();
        let nulls = nulls_of(&mut self.valid);
        self.filled.fill(0);
        let arrow_fields = match data_type.to_arrow() {
            DataType::Struct(fields) => fields,
            _ => arrow::datatypes::Fields::empty(),
        };
        let built = StructArray::try_new_with_length(arrow_fields, columns, nulls, rows);
        built.map_or_else(
            |_| arrow::array::new_null_array(&data_type.to_arrow(), rows),
            |array| Arc::new(array) as ArrayRef,
        )
    }
}

fn nulls_of(valid: &mut Vec<bool>) -> Option<NullBuffer> {
    let valid = std::mem::take(valid);
    valid.contains(&false).then(|| NullBuffer::from(valid))
}

/// The field of a list's elements or a map's entries.
fn child_field(data_type: &Type) -> FieldRef {
    match data_type.to_arrow() {
        DataType::List(field) | DataType::FixedSizeList(field, _) | DataType::Map(field, _) => field,
        other => Arc::new(arrow::datatypes::Field::new("item", other, true)),
    }
}
