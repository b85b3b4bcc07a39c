//! Finds the types of columns from a sample of values.

use std::collections::HashMap;

use hypostyle_functions::{Field, TimeUnit, Type};
use simd_json::{Node, StaticNode};

use crate::text_value::{Zone, iso_date, iso_timestamp, time};

/// An object of at least this many keys whose values agree is a map.
const MAP_KEYS_MIN: usize = 200;
/// An object whose keys appear in less than this share of its values, on average, is a map.
const KEY_SHARE_MIN: f64 = 0.1;

/// What a column is made of, as far as building it goes.
#[derive(Debug, Clone, PartialEq)]
pub enum Shape {
    /// A value of a type that is not nested.
    Leaf(Type),
    /// Any value, as JSON text.
    Json,
    /// An array of values of one shape.
    List(Box<Shape>),
    /// An array of this many values of one shape.
    FixedList(Box<Shape>, usize),
    /// An object with these keys.
    Struct(Vec<(String, Shape)>),
    /// An object of any keys, with values of one shape.
    Map(Box<Shape>),
    /// A value inside an object that nobody asks for.
    Skipped,
}

impl Shape {
    /// The type of the column.
    pub fn data_type(&self) -> Type {
        match self {
            Self::Leaf(data_type) => data_type.clone(),
            Self::Json => Type::Text,
            Self::List(element) => Type::list(element.data_type()),
            Self::FixedList(element, size) => Type::fixed_list(element.data_type(), *size),
            Self::Struct(fields) => {
                let built = fields.iter().filter(|(_, shape)| *shape != Self::Skipped);
                Type::Struct(built.map(|(name, shape)| Field::new(name.clone(), shape.data_type())).collect())
            }
            Self::Map(value) => Type::map(Type::Text, value.data_type()),
            Self::Skipped => Type::Null,
        }
    }

    /// The same shape, of whose objects only the fields of `part` are built. Their other keys stay known.
    pub fn narrowed(self, part: &Type) -> Self {
        match (self, part) {
            (Self::List(element), Type::List(part)) => Self::List(Box::new(element.narrowed(part))),
            (Self::FixedList(element, size), Type::FixedList(part, _)) => {
                Self::FixedList(Box::new(element.narrowed(part)), size)
            }
            (Self::Struct(fields), Type::Struct(part)) => {
                let narrowed = |(name, shape): (String, Self)| {
                    let asked = part.iter().find(|field| field.name == name);
                    let shape = asked.map_or(Self::Skipped, |field| shape.narrowed(&field.data_type));
                    (name, shape)
                };
                Self::Struct(fields.into_iter().map(narrowed).collect())
            }
            (shape, _) => shape,
        }
    }

    /// How a column of a stated type is read; `None` if JSON has no form of it.
    pub fn of(data_type: &Type) -> Option<Self> {
        Some(match data_type {
            Type::Null => Self::Json,
            Type::List(element) => Self::List(Box::new(Self::of(element)?)),
            Type::FixedList(element, size) => Self::FixedList(Box::new(Self::of(element)?), *size),
            Type::Struct(fields) => Self::Struct(
                fields
                    .iter()
                    .map(|field| Some((field.name.clone(), Self::of(&field.data_type)?)))
                    .collect::<Option<_>>()?,
            ),
            Type::Map(key, value) if **key == Type::Text => Self::Map(Box::new(Self::of(value)?)),
            Type::Map(..) | Type::Interval | Type::Float16 | Type::Binary => return None,
            leaf => Self::Leaf(leaf.clone()),
        })
    }
}

/// What was seen at one place of the sample.
#[derive(Debug, Default)]
pub struct Observed {
    values: usize,
    nulls: usize,
    booleans: usize,
    integers: usize,
    /// Integers that need more than 63 bits and their sign.
    large: usize,
    floats: usize,
    texts: usize,
    dates: usize,
    times: usize,
    timestamps: usize,
    instants: usize,
    lists: usize,
    element: Option<Box<Observed>>,
    objects: usize,
    keys: Vec<(String, Observed)>,
    key_positions: HashMap<String, usize>,
}

impl Observed {
    /// Takes the value that begins at `at` of a tape into account; gives the position behind it.
    pub fn observe(&mut self, tape: &[Node<'_>], at: usize) -> usize {
        self.values += 1;
        match tape.get(at) {
            None => at + 1,
            Some(Node::Static(value)) => {
                self.observe_static(value);
                at + 1
            }
            Some(Node::String(text)) => {
                self.observe_text(text.as_bytes());
                at + 1
            }
            Some(Node::Array { len, .. }) => {
                self.lists += 1;
                let element = self.element.get_or_insert_default();
                (0..*len).fold(at + 1, |position, _| element.observe(tape, position))
            }
            Some(Node::Object { len, .. }) => {
                self.objects += 1;
                let mut position = at + 1;
                for _ in 0..*len {
                    position = match tape.get(position) {
                        Some(Node::String(key)) => self.key(key).observe(tape, position + 1),
                        _ => position + 1,
                    };
                }
                position
            }
        }
    }

    fn observe_static(&mut self, value: &StaticNode) {
        match value {
            StaticNode::Null => self.nulls += 1,
            StaticNode::Bool(_) => self.booleans += 1,
            StaticNode::I64(_) => self.integers += 1,
            StaticNode::U64(value) if i64::try_from(*value).is_ok() => self.integers += 1,
            StaticNode::U64(_) => self.large += 1,
            StaticNode::F64(_) => self.floats += 1,
        }
    }

    fn observe_text(&mut self, text: &[u8]) {
        self.texts += 1;
        // Only while all texts so far agree is it worth to look further.
        let all = self.texts - 1;
        if self.dates == all && iso_date(text).is_some() {
            self.dates += 1;
        }
        if self.times == all && time(text).is_some() {
            self.times += 1;
        }
        if self.timestamps == all || self.instants == all {
            match iso_timestamp(text) {
                Some((_, Zone::Local)) => self.timestamps += 1,
                Some((_, Zone::Utc)) => self.instants += 1,
                None => {}
            }
        }
    }

    fn key(&mut self, key: &str) -> &mut Observed {
        let position = match self.key_positions.get(key) {
            Some(&position) => position,
            None => {
                let position = self.keys.len();
                self.keys.push((key.to_owned(), Observed::default()));
                self.key_positions.insert(key.to_owned(), position);
                position
            }
        };
        &mut self.keys[position].1
    }

    /// True if every value that is not null is an object, and there is one with a key.
    pub fn is_records(&self) -> bool {
        self.objects > 0 && self.objects + self.nulls == self.values && !self.keys.is_empty()
    }

    /// Keys and shapes of objects, in the order in which they were first seen.
    pub fn fields(&self, depth_left: usize) -> Vec<(String, Shape)> {
        self.keys.iter().map(|(key, value)| (key.clone(), value.shape(depth_left))).collect()
    }

    /// The narrowest shape of all values. Below `depth_left` levels everything is JSON text.
    pub fn shape(&self, depth_left: usize) -> Shape {
        let numbers = self.integers + self.large + self.floats;
        let kinds = [self.booleans, numbers, self.texts, self.lists, self.objects];
        if depth_left == 0 || kinds.iter().filter(|&&count| count > 0).count() != 1 {
            return Shape::Json;
        }
        if self.booleans > 0 {
            Shape::Leaf(Type::Boolean)
        } else if numbers > 0 {
            Shape::Leaf(self.number())
        } else if self.texts > 0 {
            Shape::Leaf(self.text())
        } else if self.lists > 0 {
            let element = self.element.as_ref().map_or(Shape::Json, |element| element.shape(depth_left - 1));
            Shape::List(Box::new(element))
        } else {
            self.object(depth_left - 1)
        }
    }

    fn number(&self) -> Type {
        if self.floats > 0 {
            Type::Float64
        } else if self.large > 0 {
            Type::HUGEINT
        } else {
            Type::Int64
        }
    }

    fn text(&self) -> Type {
        if self.dates == self.texts {
            Type::Date
        } else if self.times == self.texts {
            Type::Time
        } else if self.timestamps == self.texts {
            Type::Timestamp(TimeUnit::Microsecond)
        } else if self.instants == self.texts {
            Type::TimestampTz
        } else {
            Type::Text
        }
    }

    fn object(&self, depth_left: usize) -> Shape {
        if self.keys.is_empty() {
            return Shape::Map(Box::new(Shape::Json));
        }
        let appearances: usize = self.keys.iter().map(|(_, value)| value.values).sum();
        let share = appearances as f64 / self.objects as f64 / self.keys.len() as f64;
        let fields = self.fields(depth_left);
        if share < KEY_SHARE_MIN {
            return Shape::Map(Box::new(merged(&fields)));
        }
        if fields.len() >= MAP_KEYS_MIN {
            let value = merged(&fields);
            if value != Shape::Json {
                return Shape::Map(Box::new(value));
            }
        }
        Shape::Struct(fields)
    }
}

/// The one shape that holds the values of all fields.
fn merged(fields: &[(String, Shape)]) -> Shape {
    let mut shapes = fields.iter().map(|(_, shape)| shape.clone());
    let first = shapes.next().unwrap_or(Shape::Json);
    shapes.fold(first, merge)
}

fn merge(left: Shape, right: Shape) -> Shape {
    match (left, right) {
        (left, right) if left == right => left,
        (Shape::Leaf(left), Shape::Leaf(right)) if left.is_numeric() && right.is_numeric() => {
            let float = left == Type::Float64 || right == Type::Float64;
            Shape::Leaf(if float { Type::Float64 } else { Type::HUGEINT })
        }
        (Shape::List(left), Shape::List(right)) => Shape::List(Box::new(merge(*left, *right))),
        (Shape::Map(left), Shape::Map(right)) => Shape::Map(Box::new(merge(*left, *right))),
        (Shape::Struct(mut left), Shape::Struct(right)) => {
            for (key, shape) in right {
                match left.iter_mut().find(|(known, _)| *known == key) {
                    Some((_, known)) => *known = merge(std::mem::replace(known, Shape::Json), shape),
                    None => left.push((key, shape)),
                }
            }
            Shape::Struct(left)
        }
        _ => Shape::Json,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inferred(values: &[&str]) -> String {
        let mut observed = Observed::default();
        for value in values {
            let mut bytes = value.as_bytes().to_vec();
            let tape = simd_json::to_tape(&mut bytes).unwrap();
            observed.observe(&tape.0, 0);
        }
        observed.shape(usize::MAX).data_type().to_string()
    }

    #[test]
    fn values_of_one_kind_get_the_narrowest_type() {
        assert_eq!(inferred(&["1", "2"]), "BIGINT");
        assert_eq!(inferred(&["1", "-1"]), "BIGINT");
        assert_eq!(inferred(&["1", "2.5"]), "DOUBLE");
        assert_eq!(inferred(&["9223372036854775808"]), "HUGEINT");
        assert_eq!(inferred(&["18446744073709551616"]), "DOUBLE");
        assert_eq!(inferred(&["true", "null"]), "BOOLEAN");
        assert_eq!(inferred(&["\"2020-01-02\""]), "DATE");
        assert_eq!(inferred(&["\"2020-01-02T03:04:05Z\""]), "TIMESTAMP WITH TIME ZONE");
        assert_eq!(inferred(&["\"2020-01-02\"", "\"x\""]), "VARCHAR");
        assert_eq!(inferred(&["[1]", "[2.5, null]"]), "DOUBLE[]");
    }

    #[test]
    fn values_of_several_kinds_are_json_text() {
        assert_eq!(inferred(&["1", "\"x\""]), "VARCHAR");
        assert_eq!(inferred(&["{\"a\":1}", "[1]"]), "VARCHAR");
        assert_eq!(inferred(&["[1, \"x\"]"]), "VARCHAR[]");
    }

    #[test]
    fn objects_are_structs_and_objects_of_ever_new_keys_are_maps() {
        assert_eq!(inferred(&["{\"a\":1}", "{\"b\":\"x\"}"]).replace('"', ""), "STRUCT(a BIGINT, b VARCHAR)");
        let objects: Vec<String> = (0..40).map(|key| format!("{{\"k{key}\":{key}}}")).collect();
        let objects: Vec<&str> = objects.iter().map(String::as_str).collect();
        assert_eq!(inferred(&objects), "MAP(VARCHAR, BIGINT)");
        assert_eq!(inferred(&["{}"]), "MAP(VARCHAR, VARCHAR)");
    }
}
