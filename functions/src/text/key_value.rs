//! Texts of keys and values, `k1:v1,k2:v2`.

use super::split::push_part;
use crate::Registry;
use crate::column::{Output, Text};
use crate::error::{Error, Result};
use crate::scalar::{Arguments, Bound, Cost, ScalarFunction};
use crate::signature::{Parameter, exact};
use crate::types::Type;
use crate::value::{Literal, Value};

/// Adds the family.
pub fn register(registry: &mut Registry) {
    let function = |name: &str, summary: &str| {
        ScalarFunction::new(name, "text", summary).cost(Cost::Parse).note(
            "Segments without the separator of keys are passed over. Separators are constant and not empty.",
        )
    };
    registry.register_scalar(
        function("kv_parse", "A map of the keys and values of a text.")
            .overload(parameters(None), bind_parse)
            .note("Of several segments with one key the last counts; white space is kept.")
            .example("kv_parse('a:1,b:2')", "{a=1, b=2}")
            .example("kv_parse('a=1;b=2;a=3', ';', '=')", "{a=3, b=2}"),
    );
    registry.register_scalar(
        function("kv_get", "The value of a key in a text of keys and values.")
            .overload(parameters(Some("key")), bind_get)
            .note("Of several segments with the key the last counts; null if there is none.")
            .example("kv_get('a:1,b:2', 'b')", "2"),
    );
    registry.register_scalar(
        function("split_by_key", "The keys of a text of keys and values, in order.")
            .overload(parameters(None), |arguments| bind_parts(arguments, |(key, _)| key))
            .example("split_by_key('k1:1,k2:2')", "[k1, k2]"),
    );
    registry.register_scalar(
        function("split_by_value", "The values of a text of keys and values, in order.")
            .overload(parameters(None), |arguments| bind_parts(arguments, |(_, value)| value))
            .example("split_by_value('k1:1,k2:2')", "[1, 2]"),
    );
}

fn parameters(key: Option<&'static str>) -> Vec<Parameter> {
    let separator = |name, value: &str| exact(name, Type::Text).or(Literal::new(Value::from(value)));
    let mut parameters = vec![exact("text", Type::Text)];
    parameters.extend(key.map(|key| exact(key, Type::Text)));
    parameters.extend([separator("pair_separator", ","), separator("key_separator", ":")]);
    parameters
}

/// What stands between pairs, and between a key and its value.
#[derive(Clone)]
struct Separators {
    pair: String,
    key: String,
}

impl Separators {
    fn of(arguments: &Arguments<'_>, first: usize) -> Result<Separators> {
        let separator = |index: usize| match arguments.constant_text(index)? {
            "" => Err(Error::argument(arguments.function, index + 1, "is empty; expected a separator")),
            text => Ok(text.to_owned()),
        };
        Ok(Separators { pair: separator(first)?, key: separator(first + 1)? })
    }

    fn pairs<'a>(&'a self, text: &'a str) -> impl Iterator<Item = (&'a str, &'a str)> {
        text.split(self.pair.as_str()).filter_map(|segment| segment.split_once(self.key.as_str()))
    }
}

fn bind_parse(arguments: &Arguments<'_>) -> Result<Bound> {
    let separators = Separators::of(arguments, 1)?;
    Ok(Bound::strict(Type::map(Type::Text, Type::Text), move |arguments, rows, output, _| {
        let texts = arguments[0].text();
        let mut pairs: Vec<(&str, &str)> = Vec::new();
        let mut places: hashbrown::HashMap<&str, usize, ahash::RandomState> = hashbrown::HashMap::default();
        rows.for_each(|row| {
            pairs.clear();
            places.clear();
            for (key, value) in separators.pairs(texts.get(row)) {
                match places.get(key) {
                    Some(&place) => pairs[place].1 = value,
                    None => {
                        places.insert(key, pairs.len());
                        pairs.push((key, value));
                    }
                }
            }
            write_map(output, row, &texts, &pairs);
        });
        output.check_capacity()
    }))
}

fn write_map(output: &mut Output, row: usize, texts: &Text<'_>, pairs: &[(&str, &str)]) {
    let mut list = output.list();
    let start = list.child().grow(pairs.len());
    for (position, (key, value)) in pairs.iter().enumerate() {
        list.child().field(0).text().set_part(start + position, texts, row, key);
        list.child().field(1).text().set_part(start + position, texts, row, value);
    }
    list.finish(row, start);
}

fn bind_get(arguments: &Arguments<'_>) -> Result<Bound> {
    let separators = Separators::of(arguments, 2)?;
    Ok(Bound::strict(Type::Text, move |arguments, rows, output, _| {
        let (texts, keys) = (arguments[0].text(), arguments[1].text());
        rows.for_each(|row| {
            let key = keys.get(row);
            let found = separators.pairs(texts.get(row)).filter(|(held, _)| *held == key).last();
            match found {
                Some((_, value)) => output.text().set_part(row, &texts, row, value),
                None => output.set_null(row),
            }
        });
        Ok(())
    }))
}

fn bind_parts(arguments: &Arguments<'_>, part: for<'a> fn((&'a str, &'a str)) -> &'a str) -> Result<Bound> {
    let separators = Separators::of(arguments, 1)?;
    Ok(Bound::strict(Type::list(Type::Text), move |arguments, rows, output, _| {
        let texts = arguments[0].text();
        rows.for_each(|row| {
            let mut list = output.list();
            let start = list.start();
            separators
                .pairs(texts.get(row))
                .for_each(|pair| push_part(list.child(), &texts, row, part(pair)));
            list.finish(row, start);
        });
        output.check_capacity()
    }))
}
