//! `hypostyle functions`: the reference of all functions, or of those whose name contains a text.

use std::io::Write;

use hypostyle::Session;
use hypostyle::functions::documentation::Documentation;

use crate::error::{Error, Result};

/// One function as it is shown.
struct Entry {
    name: String,
    aliases: Vec<String>,
    kind: &'static str,
    forms: Vec<String>,
    documentation: Documentation,
}

/// Prints one line for each function, or the whole reference where a name is asked for.
///
/// # Errors
/// No function has such a name, or the output is gone.
pub(crate) fn print(part: Option<&str>, session: &Session) -> Result<()> {
    let mut entries = entries(session);
    let mut output = std::io::stdout().lock();
    let Some(part) = part else {
        let width = entries.iter().map(|entry| entry.name.len()).max().unwrap_or(0);
        for Entry { name, kind, documentation, .. } in &entries {
            writeln!(output, "{name:<width$}  {kind:<9}  {}", documentation.summary)
                .map_err(Error::output)?;
        }
        return Ok(());
    };
    let part = part.to_lowercase();
    entries.retain(|entry| entry.aliases.iter().chain([&entry.name]).any(|name| name.contains(&part)));
    if entries.is_empty() {
        let unknown = session.registry().unknown(&part);
        return Err(Error::Query(unknown.to_string()));
    }
    for entry in &entries {
        output.write_all(reference(entry).as_bytes()).map_err(Error::output)?;
    }
    Ok(())
}

fn entries(session: &Session) -> Vec<Entry> {
    let registry = session.registry();
    let mut entries = Vec::new();
    for function in registry.scalars() {
        let form = |overload: &hypostyle::functions::scalar::Overload| {
            format!("{}{}", function.name, overload.signature)
        };
        entries.push(Entry {
            name: function.name.clone(),
            aliases: function.aliases.clone(),
            kind: "scalar",
            forms: function.overloads.iter().map(form).collect(),
            documentation: function.documentation.clone(),
        });
    }
    for function in registry.aggregates() {
        let form = |overload: &hypostyle::functions::aggregate::AggregateOverload| {
            format!("{}{}", function.name, overload.signature)
        };
        entries.push(Entry {
            name: function.name.clone(),
            aliases: function.aliases.clone(),
            kind: "aggregate",
            forms: function.overloads.iter().map(form).collect(),
            documentation: function.documentation.clone(),
        });
    }
    for function in registry.windows() {
        entries.push(Entry {
            name: function.name.clone(),
            aliases: function.aliases.clone(),
            kind: "window",
            forms: vec![format!("{}{}", function.name, function.signature)],
            documentation: function.documentation.clone(),
        });
    }
    for analyzer in registry.analyzers() {
        entries.push(Entry {
            name: analyzer.name.clone(),
            aliases: Vec::new(),
            kind: "analyzer",
            forms: vec![format!("{}{}", analyzer.name, analyzer.signature())],
            documentation: analyzer.documentation.clone(),
        });
    }
    entries.sort_by(|left, right| left.name.cmp(&right.name));
    entries
}

fn reference(entry: &Entry) -> String {
    let documentation = &entry.documentation;
    let mut text = format!("{} ({}, {})\n", entry.name, entry.kind, documentation.category);
    for form in &entry.forms {
        text.push_str(&format!("  {form}\n"));
    }
    if !entry.aliases.is_empty() {
        text.push_str(&format!("  also: {}\n", entry.aliases.join(", ")));
    }
    text.push_str(&format!("  {}\n", documentation.summary));
    for note in &documentation.notes {
        text.push_str(&format!("  {note}\n"));
    }
    for example in &documentation.examples {
        text.push_str(&format!("  > {}\n    {}\n", example.sql, example.result));
    }
    text.push('\n');
    text
}
