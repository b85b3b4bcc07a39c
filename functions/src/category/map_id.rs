//! `map_id`: ids replaced by a table.

use super::CATEGORY;
use crate::error::{Error, Result};
use crate::scalar::{Arguments, Bound, ScalarFunction};
use crate::signature::{Parameter, exact};
use crate::types::Type;
use crate::value::{Literal, Value};

type Table = hashbrown::HashMap<i64, i64, ahash::RandomState>;

pub(super) fn function() -> ScalarFunction {
    let list = Type::list(Type::Int64);
    ScalarFunction::new("map_id", CATEGORY, "The value that a table gives for an id, or for each id of a list.")
        .note("The table is a constant list of ids and one of their values. An id that is not in it gives `default`, NULL unless told.")
        .note("keep => 'known' drops unknown ids from a list; keep => 'all', the default, keeps them as `default`. Null ids stay null.")
        .example("map_id(7, [7, 8], [1, 2])", "1")
        .example("map_id([7, 9], [7, 8], [1, 2], default => 0)", "[1, 0]")
        .example("map_id([7, 9], [7, 8], [1, 2], keep => 'known')", "[1]")
        .overload(parameters(Type::Int64), bind)
        .overload(parameters(list), bind)
}

fn parameters(id: Type) -> [Parameter; 5] {
    let list = || Type::list(Type::Int64);
    [
        exact("id", id),
        exact("ids", list()),
        exact("values", list()),
        exact("default", Type::Int64).or(Literal::null(Type::Int64)),
        exact("keep", Type::Text).or(Literal::new(Value::from("all"))),
    ]
}

fn table(arguments: &Arguments<'_>) -> Result<Table> {
    let integers = |position: usize| -> Result<Vec<i64>> {
        let refused = |problem| Error::argument(arguments.function, position + 1, problem);
        let Some(values) = arguments.constant(position)?.as_list() else {
            return Err(refused("must be a constant list, not NULL"));
        };
        let values: Option<Vec<i64>> = values.iter().map(Value::as_i64).collect();
        values.ok_or_else(|| refused("holds a null; expected integers"))
    };
    let (ids, values) = (integers(1)?, integers(2)?);
    if ids.len() != values.len() {
        let problem = format!("has {} values for {} ids", values.len(), ids.len());
        return Err(Error::argument(arguments.function, 3, problem));
    }
    let mut table = Table::with_capacity_and_hasher(ids.len(), ahash::RandomState::default());
    for (id, value) in ids.into_iter().zip(values) {
        if table.insert(id, value).is_some() {
            let problem = format!("holds {id} twice; expected distinct ids");
            return Err(Error::argument(arguments.function, 2, problem));
        }
    }
    Ok(table)
}

fn bind(arguments: &Arguments<'_>) -> Result<Bound> {
    let table = table(arguments)?;
    let default = arguments.constant(3)?.as_i64();
    let drops = match arguments.constant_text(4)? {
        "all" => false,
        "known" => true,
        other => {
            let problem = format!("is \"{other}\"; expected 'all' or 'known'");
            return Err(Error::argument(arguments.function, 5, problem));
        }
    };
    let find = move |id: i64| table.get(&id).copied().or(default);
    if arguments.types[0] == Type::Int64 {
        return Ok(Bound::null_aware(Type::Int64, move |arguments, rows, output, _| {
            let (view, ids) = (&arguments[0], arguments[0].fixed::<i64>());
            rows.for_each(|row| match view.is_valid(row).then(|| find(ids.get(row))).flatten() {
                Some(value) => output.fixed::<i64>()[row] = value,
                None => output.set_null(row),
            });
            Ok(())
        }));
    }
    Ok(Bound::null_aware(Type::list(Type::Int64), move |arguments, rows, output, _| {
        let view = &arguments[0];
        rows.for_each(|row| {
            if view.is_null(row) {
                return output.set_null(row);
            }
            let list = view.list();
            let child = list.child();
            let ids = child.fixed::<i64>();
            let mut writer = output.list();
            let start = writer.start();
            for at in list.range(row) {
                let value = child.is_valid(at).then(|| find(ids.get(at)));
                let target = writer.child();
                match value {
                    Some(Some(value)) => {
                        let place = target.grow(1);
                        target.fixed::<i64>()[place] = value;
                    }
                    Some(None) if drops => {}
                    _ => target.push_null(),
                }
            }
            writer.finish(row, start);
        });
        output.check_capacity()
    }))
}
