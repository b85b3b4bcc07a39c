//! The reference of all functions as pages of the guide, a page for each category, made of the registry.

use std::collections::BTreeMap;
use std::fmt::Write;

use hypostyle::Session;
use hypostyle::functions::documentation::Documentation;

/// One function as it is shown.
struct Entry<'a> {
    name: &'a str,
    aliases: &'a [String],
    kind: &'static str,
    forms: Vec<String>,
    documentation: &'a Documentation,
}

/// The text of each page, by category.
pub fn pages(session: &Session) -> BTreeMap<String, String> {
    let registry = session.registry();
    let (scalars, aggregates) = (registry.scalars(), registry.aggregates());
    let (windows, analyzers) = (registry.windows(), registry.analyzers());
    let mut entries = Vec::new();
    for function in &scalars {
        let forms = function.overloads.iter().map(|form| format!("{}{}", function.name, form.signature));
        entries.push(entry(&function.name, &function.aliases, "scalar", forms, &function.documentation));
    }
    for function in &aggregates {
        let forms = function.overloads.iter().map(|form| format!("{}{}", function.name, form.signature));
        entries.push(entry(&function.name, &function.aliases, "aggregate", forms, &function.documentation));
    }
    for function in &windows {
        let forms = [format!("{}{}", function.name, function.signature)].into_iter();
        entries.push(entry(&function.name, &function.aliases, "window", forms, &function.documentation));
    }
    for analyzer in &analyzers {
        let forms = [format!("{}{}", analyzer.name, analyzer.signature())].into_iter();
        entries.push(entry(&analyzer.name, &[], "analyzer", forms, &analyzer.documentation));
    }
    entries.sort_by_key(|entry| (entry.name.to_owned(), entry.kind));
    let mut pages = BTreeMap::new();
    for entry in &entries {
        let category = &entry.documentation.category;
        let page = pages.entry(category.clone()).or_insert_with(|| format!("# Functions: {category}\n"));
        write_entry(entry, page).unwrap();
    }
    pages
}

fn entry<'a>(
    name: &'a str,
    aliases: &'a [String],
    kind: &'static str,
    forms: impl Iterator<Item = String>,
    documentation: &'a Documentation,
) -> Entry<'a> {
    Entry { name, aliases, kind, forms: forms.collect(), documentation }
}

fn write_entry(entry: &Entry<'_>, page: &mut String) -> std::fmt::Result {
    let documentation = entry.documentation;
    writeln!(page, "\n## `{}`\n\n{}", entry.name, text(&documentation.summary))?;
    writeln!(page, "\n```text\n{}\n```", entry.forms.join("\n"))?;
    let also = entry.aliases.iter().map(|alias| format!("`{alias}`")).collect::<Vec<_>>().join(", ");
    match entry.kind {
        "scalar" if also.is_empty() => {}
        "scalar" => writeln!(page, "\nAlso: {also}.")?,
        kind if also.is_empty() => writeln!(page, "\nKind: {kind}.")?,
        kind => writeln!(page, "\nKind: {kind}. Also: {also}.")?,
    }
    for note in &documentation.notes {
        writeln!(page, "\n{}", text(note))?;
    }
    if !documentation.examples.is_empty() {
        writeln!(page, "\n```sql")?;
        for example in &documentation.examples {
            writeln!(page, "{}  -- {}", example.sql, example.result.replace('\n', "\\n"))?;
        }
        writeln!(page, "```")?;
    }
    Ok(())
}

/// A sentence without what Markdown would take for markup.
fn text(sentence: &str) -> String {
    let mut text = String::with_capacity(sentence.len());
    for letter in sentence.chars() {
        if matches!(letter, '*' | '_' | '<' | '>' | '[' | ']' | '|') {
            text.push('\\');
        }
        text.push(letter);
    }
    text
}
