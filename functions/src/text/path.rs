//! Parts of file paths; slash and backslash both separate.

use super::lift::part;
use super::split::push_part;
use crate::Registry;
use crate::error::Result;
use crate::scalar::{Bound, ScalarFunction};
use crate::signature::exact;
use crate::types::Type;

const SEPARATORS: [char; 2] = ['/', '\\'];

/// Adds the family.
pub fn register(registry: &mut Registry) {
    registry.register_scalar(
        ScalarFunction::new("parse_filename", "text", "The last part of a path.")
            .overload([exact("path", Type::Text)], |_| Ok(part(file_name)))
            .overload([exact("path", Type::Text), exact("trim_extension", Type::Boolean)], |arguments| {
                let trims = arguments.constant(1)?.as_bool().unwrap_or(false);
                Ok(part(move |path| if trims { stem(file_name(path)) } else { file_name(path) }))
            })
            .example("parse_filename('data/train/part.csv')", "part.csv")
            .example("parse_filename('data/train/part.csv', true)", "part"),
    );
    registry.register_scalar(
        ScalarFunction::new("parse_dirname", "text", "The first part of a path.")
            .overload([exact("path", Type::Text)], |_| Ok(part(first_directory)))
            .example("parse_dirname('data/train/part.csv')", "data"),
    );
    registry.register_scalar(
        ScalarFunction::new("parse_dirpath", "text", "A path without its last part.")
            .overload([exact("path", Type::Text)], |_| Ok(part(directory)))
            .example("parse_dirpath('data/train/part.csv')", "data/train"),
    );
    registry.register_scalar(
        ScalarFunction::new("parse_path", "text", "The parts of a path.")
            .overload([exact("path", Type::Text)], |_| parse_path())
            .example("parse_path('data/train/part.csv')", "[data, train, part.csv]"),
    );
}

fn file_name(path: &str) -> &str {
    path.rsplit(SEPARATORS).next().unwrap_or(path)
}

fn stem(name: &str) -> &str {
    name.rsplit_once('.').map_or(name, |(stem, _)| stem)
}

fn first_directory(path: &str) -> &str {
    match path.find(SEPARATORS) {
        Some(0) => &path[..1],
        Some(end) => &path[..end],
        None => "",
    }
}

fn directory(path: &str) -> &str {
    path.rfind(SEPARATORS).map_or("", |end| &path[..end])
}

fn parse_path() -> Result<Bound> {
    Ok(Bound::strict(Type::list(Type::Text), |arguments, rows, output, _| {
        let text = arguments[0].text();
        rows.for_each(|row| {
            let path = text.get(row);
            let mut list = output.list();
            let start = list.start();
            if path.starts_with(SEPARATORS) {
                push_part(list.child(), &text, row, &path[..1]);
            }
            path.split(SEPARATORS)
                .filter(|part| !part.is_empty())
                .for_each(|part| push_part(list.child(), &text, row, part));
            list.finish(row, start);
        });
        Ok(())
    }))
}
