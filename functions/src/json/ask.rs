//! Questions asked of JSON texts: with no path, one path, several, or one that leads to many nodes.

use super::document::Json;
use super::path::Path;
use super::scan::{self, Room, Scan};
use crate::column::{Output, Rows, Text, View};
use crate::error::{Error, Result};
use crate::kernel::json_scan::Found;
use crate::scalar::{Arguments, Bound, ScalarFunction};
use crate::scratch::Scratch;
use crate::signature::exact;
use crate::types::Type;
use crate::value::Value;

/// Writes what a question answers for a node, or for `None` where the path leads nowhere. `text` is the
/// JSON text and its row, whose bytes an answer may share.
pub type Answer = fn(Option<Json<'_, '_>>, &mut Output, usize, Source<'_>);

/// The row that a document was read from.
pub type Source<'a> = (&'a crate::column::Text<'a>, usize);

/// A question and the type of its answer.
#[derive(Clone)]
pub struct Question {
    /// Type of one answer.
    pub result: Type,
    /// Writes one answer.
    pub answer: Answer,
    /// True if the answer is what the node holds, as text and without quotes, or null for `null`.
    pub is_text: bool,
}

/// Where a call's paths come from.
enum Paths {
    /// The root.
    Root,
    /// One path, known while binding.
    One(Path),
    /// One path that leads to many nodes.
    Wild(Path),
    /// Several paths.
    Several(Vec<Path>),
    /// A path of each row.
    OfRow,
    /// A position of each row.
    PositionOfRow,
}

impl Question {
    /// Adds the forms with a path, a position and a list of paths.
    pub fn with_paths(self, function: ScalarFunction, takes_positions: bool) -> ScalarFunction {
        let text = || exact("json", Type::Text);
        let ask = move |question: &Question| {
            let question = question.clone();
            move |arguments: &Arguments<'_>| question.bind(arguments)
        };
        let function = function
            .overload([text(), exact("path", Type::Text)], ask(&self))
            .overload([text(), exact("paths", Type::list(Type::Text))], ask(&self));
        if takes_positions {
            function.overload([text(), exact("position", Type::Int64)], ask(&self))
        } else {
            function
        }
    }

    /// Adds the form without a path as well.
    pub fn with_root_and_paths(self, function: ScalarFunction) -> ScalarFunction {
        let question = self.clone();
        self.with_paths(
            function.overload([exact("json", Type::Text)], move |arguments| question.bind(arguments)),
            false,
        )
    }

    fn bind(&self, arguments: &Arguments<'_>) -> Result<Bound> {
        let paths = paths_of(arguments)?;
        let result = match &paths {
            Paths::Wild(_) | Paths::Several(_) => Type::list(self.result.clone()),
            _ => self.result.clone(),
        };
        let scan = match &paths {
            Paths::One(path) => Scan::of([path]),
            Paths::Several(paths) => Scan::of(paths),
            _ => None,
        };
        let question = self.clone();
        Ok(Bound::strict(result, move |arguments, rows, output, scratch| {
            ask(&paths, &question, scan.as_ref(), arguments, rows, output, scratch)
        }))
    }
}

fn paths_of(arguments: &Arguments<'_>) -> Result<Paths> {
    let named = |error: Error| Error::argument(arguments.function, 2, format!("is wrong: {error}"));
    match (arguments.types.get(1), arguments.known(1)) {
        (None, _) => Ok(Paths::Root),
        (Some(Type::Int64), Some(value)) => Ok(Paths::One(Path::position(value.as_i64().unwrap_or(0)))),
        (Some(Type::Int64), None) => Ok(Paths::PositionOfRow),
        (Some(Type::Text), Some(Value::Text(path))) => {
            let path = Path::parse(path).map_err(named)?;
            Ok(if path.has_wildcards() { Paths::Wild(path) } else { Paths::One(path) })
        }
        (Some(Type::Text), _) => Ok(Paths::OfRow),
        _ => Ok(Paths::Several(constant_paths(arguments, 1)?)),
    }
}

/// The paths of a constant list.
///
/// # Errors
/// [`Error::Argument`] if it is not a constant list of paths without wildcards.
pub fn constant_paths(arguments: &Arguments<'_>, position: usize) -> Result<Vec<Path>> {
    let refused = |problem: String| Error::argument(arguments.function, position + 1, problem);
    let Some(values) = arguments.constant(position)?.as_list() else {
        return Err(refused("is null; expected a list of paths".into()));
    };
    let parse = |value: &Value| {
        let text = value.as_text().ok_or_else(|| refused("has a null path".into()))?;
        let path = Path::parse(text).map_err(|error| refused(format!("is wrong: {error}")))?;
        if path.has_wildcards() {
            return Err(refused(format!("has the path '{text}'; a path in a list may not have wildcards")));
        }
        Ok(path)
    };
    values.iter().map(parse).collect()
}

/// The one place that a constant path leads to.
///
/// # Errors
/// [`Error::Argument`] if it is not a constant path without wildcards.
pub fn constant_path(arguments: &Arguments<'_>, position: usize) -> Result<Path> {
    let refused = |problem: String| Error::argument(arguments.function, position + 1, problem);
    let path = Path::parse(arguments.constant_text(position)?);
    let path = path.map_err(|error| refused(format!("is wrong: {error}")))?;
    match path.has_wildcards() {
        true => Err(refused("has wildcards; a change happens in one place".into())),
        false => Ok(path),
    }
}

/// The path of the previous row.
#[derive(Default)]
struct LatestPath {
    text: String,
    path: Option<Path>,
}

fn ask(
    paths: &Paths,
    question: &Question,
    scan: Option<&Scan>,
    arguments: &[View<'_>],
    rows: Rows<'_>,
    output: &mut Output,
    scratch: &mut Scratch,
) -> Result<()> {
    let text = arguments[0].text();
    let answer = question.answer;
    let mut latest = LatestPath::default();
    let Room { memory, reader } = scratch.slot();
    let mut found = scan.map(Scan::found).unwrap_or_default();
    rows.for_each(|row| {
        if let Some(scan) = scan
            && scan.read(text.get(row), memory, &mut found)
        {
            return answer_scanned(paths, question, &found, output, row, &text);
        }
        let found_path;
        let path = match paths {
            Paths::OfRow => match latest.of(arguments[1].text().get(row)) {
                Ok(path) => Some(path),
                Err(error) => return output.fail(row, || error),
            },
            Paths::PositionOfRow => {
                found_path = Path::position(arguments[1].fixed::<i64>().get(row));
                Some(&found_path)
            }
            Paths::One(path) | Paths::Wild(path) => Some(path),
            Paths::Root | Paths::Several(_) => None,
        };
        let source = (&text, row);
        let read = reader.read(text.get(row), |root| match (paths, path) {
            (Paths::Wild(path), _) => {
                let mut list = output.list();
                let start = list.start();
                path.for_each(root, &mut |node| {
                    let at = list.child().grow(1);
                    answer(Some(node), list.child(), at, source);
                });
                list.finish(row, start);
            }
            (Paths::Several(paths), _) => {
                let mut list = output.list();
                let start = list.child().grow(paths.len());
                for (position, path) in paths.iter().enumerate() {
                    answer(path.find(root), list.child(), start + position, source);
                }
                list.finish(row, start);
            }
            (_, Some(path)) => answer(path.find(root), output, row, source),
            (_, None) => answer(Some(root), output, row, source),
        });
        if let Err(error) = read {
            output.fail(row, || error);
        }
    });
    Ok(())
}

/// Writes what a scan found: the one answer, or the list of several.
fn answer_scanned(
    paths: &Paths,
    question: &Question,
    found: &[Found<'_>],
    output: &mut Output,
    row: usize,
    text: &Text<'_>,
) {
    if let (Paths::One(_), [found]) = (paths, found) {
        return scan::answer(question, *found, output, row, text, row);
    }
    let mut list = output.list();
    let start = list.child().grow(found.len());
    for (position, &found) in found.iter().enumerate() {
        scan::answer(question, found, list.child(), start + position, text, row);
    }
    list.finish(row, start);
}

impl LatestPath {
    fn of(&mut self, text: &str) -> Result<&Path> {
        if self.path.is_none() || self.text != text {
            let path = Path::parse(text)?;
            if path.has_wildcards() {
                return Err(Error::user(format!(
                    "JSON path '{text}' has wildcards; such a path must be constant"
                )));
            }
            self.text.clear();
            self.text.push_str(text);
            self.path = Some(path);
        }
        self.path.as_ref().ok_or_else(|| Error::internal("a JSON path was not kept"))
    }
}
