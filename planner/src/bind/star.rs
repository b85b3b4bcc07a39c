//! Stars and COLUMNS: one item of a select list that stands for several columns.

use std::rc::Rc;

use hypostyle_functions::Type;

use crate::bind::Binder;
use crate::bind::frame::Frame;
use crate::bind::scope::{Bound, Scope, ScopeColumn};
use crate::error::{Error, Result};
use crate::nearest::nearest;
use crate::span::Span;
use crate::tree::{Call, Expression, ExpressionKind, LiteralText, Name, Replacement, SelectItem, Star};

impl Binder<'_> {
    /// The columns a star stands for, with their names.
    pub(super) fn star(
        &mut self,
        star: &Star,
        span: Span,
        frame: &mut Frame,
    ) -> Result<Vec<(String, Bound)>> {
        let scope = Rc::clone(&frame.scope);
        if !star.qualifier.is_empty()
            && !star.qualifier.first().is_some_and(|table| scope.has_table(&table.text))
        {
            return self.struct_star(star, span, &scope);
        }
        let columns = star_columns(star, &scope, span)?;
        check_names(star, &columns)?;
        let mut expanded = Vec::with_capacity(columns.len());
        for column in columns {
            let name = &column.column.name;
            let replacement = star.replace.iter().find(|replacement| replacement.column.is(name));
            let bound = match replacement {
                Some(Replacement { expression, .. }) => self.untyped_as_text(expression, frame)?,
                None => {
                    frame.places.entry(column.column.id).or_insert(span);
                    Bound::typed(column.column.read())
                }
            };
            let renamed = star.rename.iter().find(|(old, _)| old.is(name)).map(|(_, new)| new.text.clone());
            expanded.push((renamed.unwrap_or_else(|| name.clone()), bound));
        }
        match expanded.is_empty() {
            true => Err(Error::invalid("a star that stands for no column", span)),
            false => Ok(expanded),
        }
    }

    /// `s.*` of a column that is a struct: its fields.
    fn struct_star(&mut self, star: &Star, span: Span, scope: &Scope) -> Result<Vec<(String, Bound)>> {
        let found = scope.find(&star.qualifier)?.ok_or_else(|| match star.qualifier.as_slice() {
            [table] => {
                let mut tables: Vec<&str> =
                    scope.columns().iter().filter_map(|column| column.table.as_deref()).collect();
                tables.dedup();
                Error::unknown("table", &table.text, nearest(&table.text, tables), table.span)
            }
            names => scope.unknown(names),
        })?;
        let read = Bound::typed(found.column.column.read());
        let bound = self.fields(read, star.qualifier.get(found.names..).unwrap_or_default())?;
        let Type::Struct(fields) = bound.data_type() else {
            return Err(Error::invalid(format!("a star behind a value of type {}", bound.data_type()), span));
        };
        let kept = fields.into_iter().filter(|field| !star.exclude.iter().any(|name| name.is(&field.name)));
        kept.map(|field| {
            let value = self.field(bound.clone(), &Name::new(field.name.clone(), span))?;
            Ok((field.name, value))
        })
        .collect()
    }

    /// The items that an item with COLUMNS stands for; `None` if it has none.
    pub(super) fn columns_items(
        &mut self,
        item: &SelectItem,
        frame: &Frame,
    ) -> Result<Option<Vec<SelectItem>>> {
        let mut found: Option<Call> = None;
        item.expression.any(&mut |expression| {
            if let ExpressionKind::Call(call) = &expression.kind
                && call.name.is("columns")
            {
                found = Some((**call).clone());
            }
            found.is_some()
        });
        let Some(call) = found else { return Ok(None) };
        let names = self.matching_columns(&call, &frame.scope)?;
        let items = names.into_iter().map(|path| {
            let mut expression = item.expression.clone();
            let bare = matches!(&expression.kind, ExpressionKind::Call(call) if call.name.is("columns"));
            substitute(&mut expression, &path);
            let column = path.last().cloned().filter(|_| bare);
            SelectItem { expression, alias: item.alias.clone().or(column) }
        });
        Ok(Some(items.collect()))
    }

    /// The columns that COLUMNS chooses: by a regular expression, a star, a list of names or a lambda over names.
    fn matching_columns(&mut self, call: &Call, scope: &Scope) -> Result<Vec<Vec<Name>>> {
        let span = call.name.span;
        let [argument] = call.arguments.as_slice() else {
            return Err(Error::invalid("COLUMNS takes one argument", span));
        };
        let visible = || scope.columns().iter().filter(|column| !column.hidden);
        let chosen: Vec<&ScopeColumn> = match &argument.value.kind {
            ExpressionKind::Star(star) => star_columns(star, scope, span)?,
            ExpressionKind::Literal(LiteralText::Text(pattern)) => {
                let regex = regex::Regex::new(pattern)
                    .map_err(|error| Error::invalid(format!("COLUMNS: {error}"), argument.value.span))?;
                visible().filter(|column| regex.is_match(&column.column.name)).collect()
            }
            ExpressionKind::List(items) => {
                let mut chosen = Vec::with_capacity(items.len());
                for item in items {
                    let ExpressionKind::Literal(LiteralText::Text(name)) = &item.kind else {
                        return Err(Error::invalid("COLUMNS takes a list of names in quotes", item.span));
                    };
                    let found = visible().find(|column| column.column.name.eq_ignore_ascii_case(name));
                    let known = visible().map(|column| column.column.name.as_str());
                    chosen
                        .push(found.ok_or_else(|| {
                            Error::unknown("column", name, nearest(name, known), item.span)
                        })?);
                }
                chosen
            }
            ExpressionKind::Lambda { parameters, body, .. } if parameters.len() == 1 => {
                let mut chosen = Vec::new();
                for column in visible() {
                    if self.name_passes(parameters, body, &column.column.name)? {
                        chosen.push(column);
                    }
                }
                chosen
            }
            _ => {
                return Err(Error::unsupported(
                    "COLUMNS of anything but a pattern, a star, a list or a lambda is",
                    argument.value.span,
                ));
            }
        };
        if chosen.is_empty() {
            return Err(Error::invalid("COLUMNS matches no column", argument.value.span));
        }
        let path = |column: &ScopeColumn| {
            let table = column.table.clone().map(|table| Name { quoted: true, ..Name::new(table, span) });
            table
                .into_iter()
                .chain([Name { quoted: true, ..Name::new(column.column.name.clone(), span) }])
                .collect()
        };
        Ok(chosen.into_iter().map(path).collect())
    }

    /// Whether the condition of a lambda holds for the name of a column.
    fn name_passes(&mut self, parameters: &[Name], body: &Expression, column: &str) -> Result<bool> {
        let mut condition = body.clone();
        name_in_place(&mut condition, parameters, column);
        let literal = self.constant_value(&condition)?;
        literal
            .value
            .as_bool()
            .ok_or_else(|| Error::invalid("the lambda of COLUMNS gives true or false", body.span))
    }
}

fn star_columns<'s>(star: &Star, scope: &'s Scope, span: Span) -> Result<Vec<&'s ScopeColumn>> {
    let pattern = match &star.like {
        Some((_, pattern)) => Some(like_regex(pattern, span)?),
        None => None,
    };
    let chosen = scope.columns().iter().filter(|column| match star.qualifier.first() {
        Some(table) => column.table.as_deref().is_some_and(|name| table.is(name)),
        None => !column.hidden,
    });
    let chosen: Vec<&ScopeColumn> = chosen.collect();
    for name in &star.exclude {
        if !chosen.iter().any(|column| name.is(&column.column.name)) {
            let known = chosen.iter().map(|column| column.column.name.as_str());
            return Err(Error::unknown("column", &name.text, nearest(&name.text, known), name.span));
        }
    }
    let named = chosen
        .into_iter()
        .filter(|column| pattern.as_ref().is_none_or(|pattern| pattern.is_match(&column.column.name)));
    Ok(named.filter(|column| !star.exclude.iter().any(|name| name.is(&column.column.name))).collect())
}

/// EXCLUDE, REPLACE and RENAME name columns that are there.
fn check_names(star: &Star, columns: &[&ScopeColumn]) -> Result<()> {
    let replaced = star.replace.iter().map(|replacement| &replacement.column);
    for name in replaced.chain(star.rename.iter().map(|(old, _)| old)) {
        if !columns.iter().any(|column| name.is(&column.column.name)) {
            let known = columns.iter().map(|column| column.column.name.as_str());
            return Err(Error::unknown("column", &name.text, nearest(&name.text, known), name.span));
        }
    }
    Ok(())
}

fn like_regex(pattern: &str, span: Span) -> Result<regex::Regex> {
    let mut text = String::from("(?is)^");
    for character in pattern.chars() {
        match character {
            '%' => text.push_str(".*"),
            '_' => text.push('.'),
            other => text.push_str(&regex::escape(other.encode_utf8(&mut [0; 4]))),
        }
    }
    text.push('$');
    regex::Regex::new(&text).map_err(|error| Error::invalid(format!("pattern {pattern}: {error}"), span))
}

/// Puts a column in place of every COLUMNS.
fn substitute(expression: &mut Expression, path: &[Name]) {
    if let ExpressionKind::Call(call) = &expression.kind
        && call.name.is("columns")
    {
        expression.kind = ExpressionKind::Column(path.to_vec());
        return;
    }
    expression.children_mut().into_iter().for_each(|child| substitute(child, path));
}

/// Puts the name of a column, as a text, in place of the parameter of a lambda.
fn name_in_place(expression: &mut Expression, parameters: &[Name], column: &str) {
    if let ExpressionKind::Column(names) = &expression.kind
        && let ([name], [parameter]) = (names.as_slice(), parameters)
        && name.is(&parameter.text)
    {
        expression.kind = ExpressionKind::Literal(LiteralText::Text(column.to_owned()));
        return;
    }
    expression.children_mut().into_iter().for_each(|child| name_in_place(child, parameters, column));
}
