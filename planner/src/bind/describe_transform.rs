//! DESCRIBE TRANSFORM and SHOW TRANSFORMS as tables.

use hypostyle_engine::history_type;
use hypostyle_engine::plan::Expression;
use hypostyle_functions::Literal;

use crate::bind::Binder;
use crate::error::{Error, Result};
use crate::logical::Relation;
use crate::transform::{Fitted, Transform};
use crate::tree::Name;

/// Characters of a parameter that DESCRIBE shows.
const SHOWN_CHARACTERS_MAX: usize = 120;

impl Binder<'_> {
    /// Inputs, outputs, and the parameters of each analyzer.
    ///
    /// # Errors
    /// A name that is no transform's.
    pub(super) fn describe_transform(&mut self, name: &Name) -> Result<Relation> {
        let Some(transform) = self.definitions.transform(&name.text).cloned() else {
            let near = self.definitions.nearest_transform(&name.text);
            return Err(Error::unknown("transform", &name.text, near, name.span));
        };
        let rows = described(&transform).into_iter().map(|row| row.into_iter().map(Some).collect());
        let rows = rows.collect();
        Ok(self.text_table(&["kind", "name", "type", "value"], rows))
    }

    /// Transforms by name.
    pub(super) fn show_transforms(&mut self) -> Relation {
        let row = |transform: &Transform| {
            let fitted = transform.fitted.as_ref();
            let of = |value: &dyn Fn(&Fitted) -> Option<String>| fitted.and_then(|fitted| value(fitted));
            vec![
                Some(transform.name.text.clone()),
                Some(fitted.is_some().to_string()),
                of(&|fitted| fitted.provenance.rows.map(|rows| rows.to_string())),
                of(&|fitted| Some(fitted.inputs.len().to_string())),
                of(&|fitted| Some(fitted.outputs.len().to_string())),
            ]
        };
        let rows = self.definitions.transforms().map(|transform| row(transform)).collect();
        self.text_table(&["name", "fitted", "rows", "inputs", "outputs"], rows)
    }
}

/// What DESCRIBE TRANSFORM shows: inputs, outputs, and the parameters of each analyzer.
fn described(transform: &Transform) -> Vec<[String; 4]> {
    let mut rows: Vec<[String; 4]> = Vec::new();
    let mut add = |kind: &str, name: &str, data_type: String, value: String| {
        rows.push([kind.to_owned(), name.to_owned(), data_type, value]);
    };
    add("definition", &transform.name.text, String::new(), transform.sql.clone());
    if let Some(fitted) = &transform.fitted {
        add("source", "", String::new(), fitted.provenance.source.clone());
        if let Some(rows) = fitted.provenance.rows {
            add("source", "rows", String::new(), rows.to_string());
        }
        add("source", "passes", String::new(), fitted.provenance.passes.to_string());
        for input in &fitted.inputs {
            let nulls = fitted.provenance.nulls.iter().find(|(name, _)| *name == input.name);
            let nulls = nulls.map_or_else(String::new, |(_, nulls)| format!("{nulls} nulls"));
            add("input", &input.name, input.data_type.to_string(), nulls);
        }
        for window in &fitted.windows {
            let columns = window.columns();
            let rows = columns.iter().filter_map(|position| fitted.inputs.get(*position).cloned());
            let data_type = history_type(&rows.collect::<Vec<_>>()).to_string();
            let value = match window.looks_ahead() {
                Some((call, problem)) => format!("not served: {call} {problem}"),
                None => window.needed(&fitted.input_schema()),
            };
            add("history", &window.history, data_type, value);
        }
        for output in &fitted.outputs {
            add("output", &output.name, output.expression.data_type().to_string(), output.text.clone());
        }
        for call in &fitted.calls {
            let arguments: Vec<String> =
                call.arguments.iter().map(|argument| shown(argument, fitted)).collect();
            let name = format!("{}({})", call.analyzer, arguments.join(", "));
            for (parameter, literal) in &call.parameters {
                let name = format!("{name}.{parameter}");
                add("parameter", &name, literal.data_type.to_string(), short(&literal_text(literal)));
            }
        }
    }
    rows
}

/// An argument of an analyzer with the names of its columns.
fn shown(argument: &Expression, fitted: &Fitted) -> String {
    short(&argument.shown_over(&fitted.read_schema()))
}

fn literal_text(literal: &Literal) -> String {
    Expression::Literal(literal.clone()).to_string()
}

fn short(text: &str) -> String {
    match text.char_indices().nth(SHOWN_CHARACTERS_MAX) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text.to_owned(),
    }
}
