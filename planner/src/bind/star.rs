//! Stars and COLUMNS: one item of a select list that stands for several columns.

use std::rc::Rc;

use hypostyle_functions::{Field, Type};

use crate::bind::Binder;
use crate::bind::frame::Frame;
use crate::bind::scope::{Bound, Scope, ScopeColumn};
use crate::error::{Error, Result};
use crate::nearest::nearest;
use crate::span::Span;
use crate::tree::{
    Argument, Call, Excluded, Expression, ExpressionKind, LiteralText, Name, Replacement, SelectItem, Star,
};

/// An expression that one with COLUMNS stands for, and the column it was made for.
type Expanded = (Expression, Option<Choice>);

impl Binder<'_> {
    /// The columns a star stands for, with their names.
    pub(super) fn star(
        &mut self,
        star: &Star,
        span: Span,
        frame: &mut Frame,
    ) -> Result<Vec<(String, Bound)>> {
        let scope = Rc::clone(&frame.scope);
        let is_table = match star.qualifier.as_slice() {
            [] => true,
            [table] => scope.has_table(&table.text),
            _ => false,
        };
        if !is_table {
            return self.struct_star(star, span, frame);
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
                    self.check_present(column.column.id, span)?;
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

    /// `s.*` of a column that is a struct: its fields, some of them left out, replaced or renamed.
    fn struct_star(&mut self, star: &Star, span: Span, frame: &mut Frame) -> Result<Vec<(String, Bound)>> {
        let scope = Rc::clone(&frame.scope);
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
        let fields = star_fields(star, fields, span)?;
        let mut values = Vec::with_capacity(fields.len());
        for field in fields {
            let replacement = star.replace.iter().find(|replacement| replacement.column.is(&field.name));
            let value = match replacement {
                Some(Replacement { expression, .. }) => self.untyped_as_text(expression, frame)?,
                None => self.field(bound.clone(), &Name::new(field.name.clone(), span))?,
            };
            let renamed = star.rename.iter().find(|(old, _)| old.is(&field.name));
            values.push((renamed.map_or(field.name, |(_, new)| new.text.clone()), value));
        }
        Ok(values)
    }

    /// The items that an item with COLUMNS stands for; `None` if it has none.
    pub(super) fn columns_items(
        &mut self,
        item: &SelectItem,
        frame: &Frame,
    ) -> Result<Option<Vec<SelectItem>>> {
        if is_unpack(&item.expression) {
            let message = "*COLUMNS stands among the arguments of a function; use COLUMNS";
            return Err(Error::invalid(message, item.expression.span));
        }
        let Some(expanded) = self.expanded(&item.expression, frame)? else { return Ok(None) };
        let items = expanded.into_iter().map(|(expression, choice)| {
            let alias = match (&item.alias, choice) {
                (Some(alias), Some(choice)) => Some(choice.alias(alias)),
                (Some(alias), None) => Some(alias.clone()),
                (None, Some(choice)) => {
                    Some(Name { quoted: true, ..Name::new(choice.name, expression.span) })
                }
                (None, None) => None,
            };
            SelectItem { expression, alias }
        });
        Ok(Some(items.collect()))
    }

    /// The expressions that one with COLUMNS stands for, each with the column it was made for; `None` if it has no
    /// COLUMNS. What `*COLUMNS` stands for takes its place among arguments.
    pub(super) fn expanded(
        &mut self,
        expression: &Expression,
        frame: &Frame,
    ) -> Result<Option<Vec<Expanded>>> {
        let has_columns =
            |expression: &Expression| expression.any(&mut |part| is_unpack(part) || is_columns(part));
        if !has_columns(expression) {
            return Ok(None);
        }
        let mut expression = expression.clone();
        self.unpack(&mut expression, &frame.scope)?;
        let mut found: Option<Call> = None;
        let (mut differs, mut nested) = (false, false);
        expression.any(&mut |part| {
            if let ExpressionKind::Call(call) = &part.kind
                && is_columns(part)
            {
                nested |= call.arguments.iter().any(|argument| argument.value.any(&mut is_columns));
                let shown = call.to_string();
                differs |= found.as_ref().is_some_and(|found| found.to_string() != shown);
                found = Some((**call).clone());
            }
            false
        });
        let Some(call) = found else { return Ok(Some(vec![(expression, None)])) };
        if nested {
            return Err(Error::invalid("COLUMNS inside COLUMNS", expression.span));
        }
        if differs {
            let message = "different stars or COLUMNS in one expression";
            return Err(Error::invalid(message, expression.span));
        }
        let choices = self.matching_columns(&call, &frame.scope)?;
        let expressions = choices.into_iter().map(|choice| {
            let mut expression = expression.clone();
            substitute(&mut expression, &choice.value);
            (expression, Some(choice))
        });
        Ok(Some(expressions.collect()))
    }

    /// Puts the columns that `*COLUMNS(..)` stands for among the arguments it stands among.
    fn unpack(&mut self, expression: &mut Expression, scope: &Scope) -> Result<()> {
        match &mut expression.kind {
            ExpressionKind::Call(call)
                if call.arguments.iter().any(|argument| is_unpack(&argument.value)) =>
            {
                let mut arguments = Vec::with_capacity(call.arguments.len());
                for argument in std::mem::take(&mut call.arguments) {
                    match self.unpacked(&argument.value, scope)? {
                        Some(values) => {
                            arguments.extend(values.into_iter().map(|value| Argument { name: None, value }))
                        }
                        None => arguments.push(argument),
                    }
                }
                call.arguments = arguments;
            }
            ExpressionKind::List(items)
            | ExpressionKind::Row(items)
            | ExpressionKind::InList { list: items, .. }
                if items.iter().any(is_unpack) =>
            {
                let mut unpacked = Vec::with_capacity(items.len());
                for item in std::mem::take(items) {
                    match self.unpacked(&item, scope)? {
                        Some(values) => unpacked.extend(values),
                        None => unpacked.push(item),
                    }
                }
                *items = unpacked;
            }
            _ => {}
        }
        for child in expression.children_mut() {
            if let Some(values) = self.unpacked(child, scope)? {
                let Ok([value]) = <[Expression; 1]>::try_from(values) else {
                    let message = "*COLUMNS of several columns stands only among the arguments of a function";
                    return Err(Error::invalid(message, child.span));
                };
                *child = value;
            }
            stacker::maybe_grow(64 << 10, 1 << 20, || self.unpack(child, scope))?;
        }
        Ok(())
    }

    /// The columns of a `*COLUMNS(..)`; `None` for anything else.
    fn unpacked(&mut self, expression: &Expression, scope: &Scope) -> Result<Option<Vec<Expression>>> {
        match &expression.kind {
            ExpressionKind::Call(call) if is_unpack(expression) => {
                let choices = self.matching_columns(call, scope)?;
                Ok(Some(choices.into_iter().map(|choice| choice.value).collect()))
            }
            _ => Ok(None),
        }
    }

    /// The columns that COLUMNS chooses: by a regular expression, a star, a list of names or a lambda over names.
    pub(super) fn matching_columns(&mut self, call: &Call, scope: &Scope) -> Result<Vec<Choice>> {
        let span = call.name.span;
        let [argument] = call.arguments.as_slice() else {
            return Err(Error::invalid("COLUMNS takes one argument", span));
        };
        let visible = || scope.columns().iter().filter(|column| !column.hidden);
        let plain = |column: &ScopeColumn| Choice::of(column, span);
        let chosen: Vec<Choice> = match &argument.value.kind {
            ExpressionKind::Star(star) => star_choices(star, scope, span)?,
            ExpressionKind::Literal(LiteralText::Text(pattern)) => {
                let regex = regex::Regex::new(pattern)
                    .map_err(|error| Error::invalid(format!("COLUMNS: {error}"), argument.value.span))?;
                let matched = visible().filter_map(|column| {
                    let captures = regex.captures(&column.column.name)?;
                    let captures =
                        captures.iter().map(|part| part.map_or("", |part| part.as_str()).to_owned());
                    Some(Choice { captures: captures.collect(), ..plain(column) })
                });
                matched.collect()
            }
            ExpressionKind::List(items) => {
                let mut names = Vec::with_capacity(items.len());
                for item in items {
                    let ExpressionKind::Literal(LiteralText::Text(name)) = &item.kind else {
                        return Err(Error::invalid("COLUMNS takes a list of names in quotes", item.span));
                    };
                    if !visible().any(|column| column.column.name.eq_ignore_ascii_case(name)) {
                        let known = visible().map(|column| column.column.name.as_str());
                        return Err(Error::unknown("column", name, nearest(name, known), item.span));
                    }
                    names.push(name);
                }
                // The columns come in the order of their tables.
                let is_named = |column: &&ScopeColumn| {
                    names.iter().any(|name| column.column.name.eq_ignore_ascii_case(name))
                };
                visible().filter(is_named).map(plain).collect()
            }
            ExpressionKind::Lambda { parameters, body, .. } if parameters.len() == 1 => {
                let mut chosen = Vec::new();
                for column in visible() {
                    if self.name_passes(parameters, body, &column.column.name)? {
                        chosen.push(plain(column));
                    }
                }
                chosen
            }
            _ => {
                return Err(Error::invalid(
                    "COLUMNS takes a pattern, a star, a list of names or a lambda",
                    argument.value.span,
                ));
            }
        };
        if chosen.is_empty() {
            return Err(Error::invalid("COLUMNS matches no column", argument.value.span));
        }
        Ok(chosen)
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

/// A column that a star or COLUMNS chose.
#[derive(Debug, Clone)]
pub(super) struct Choice {
    /// The column, or what replaces it.
    pub value: Expression,
    /// Its name.
    pub name: String,
    /// The whole match and the groups of a pattern.
    captures: Vec<String>,
}

impl Choice {
    fn of(column: &ScopeColumn, span: Span) -> Self {
        Self {
            value: column_path(column, span),
            name: column.column.name.clone(),
            captures: vec![column.column.name.clone()],
        }
    }

    /// The alias with `\\1` and its like in it filled in from the pattern's groups.
    fn alias(&self, alias: &Name) -> Name {
        let mut text = String::with_capacity(alias.text.len());
        let mut characters = alias.text.chars().peekable();
        while let Some(character) = characters.next() {
            let digit = characters.peek().and_then(|next| next.to_digit(10)).filter(|_| character == '\\');
            match digit {
                Some(group) => {
                    characters.next();
                    text.push_str(self.captures.get(group as usize).map_or("", String::as_str));
                }
                None => text.push(character),
            }
        }
        Name { text, ..alias.clone() }
    }
}

/// A column by its table and name.
pub(super) fn column_path(column: &ScopeColumn, span: Span) -> Expression {
    let quoted = |name: String| Name { quoted: true, ..Name::new(name, span) };
    let path = column.table.clone().map(quoted).into_iter().chain([quoted(column.column.name.clone())]);
    Expression::new(ExpressionKind::Column(path.collect()), span)
}

/// The columns of a star with its REPLACE and RENAME.
pub(super) fn star_choices(star: &Star, scope: &Scope, span: Span) -> Result<Vec<Choice>> {
    let columns = star_columns(star, scope, span)?;
    check_names(star, &columns)?;
    let choice = |column: &ScopeColumn| {
        let mut choice = Choice::of(column, span);
        let replacement = star.replace.iter().find(|replacement| replacement.column.is(&choice.name));
        if let Some(Replacement { expression, .. }) = replacement {
            choice.value = expression.clone();
        }
        if let Some((_, new)) = star.rename.iter().find(|(old, _)| old.is(&choice.name)) {
            choice.name.clone_from(&new.text);
        }
        choice
    };
    Ok(columns.into_iter().map(choice).collect())
}

fn is_columns(expression: &Expression) -> bool {
    matches!(&expression.kind, ExpressionKind::Call(call) if call.name.is("columns"))
}

fn is_unpack(expression: &Expression) -> bool {
    matches!(&expression.kind, ExpressionKind::Call(call) if call.name.is("*columns"))
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
    for excluded in &star.exclude {
        // The second of a pair that USING merged has a name, though a star does not show it.
        let of_all = star.qualifier.is_empty() && excluded.table.is_some();
        let mut all = scope.columns().iter().filter(|column| of_all && excludes(excluded, column));
        if all.next().is_none() && !chosen.iter().any(|column| excludes(excluded, column)) {
            let name = &excluded.column;
            let known = chosen.iter().map(|column| column.column.name.as_str());
            return Err(Error::unknown("column", &name.text, nearest(&name.text, known), name.span));
        }
    }
    let named = chosen
        .into_iter()
        .filter(|column| pattern.as_ref().is_none_or(|pattern| pattern.is_match(&column.column.name)));
    Ok(named.filter(|column| !star.exclude.iter().any(|excluded| excludes(excluded, column))).collect())
}

fn excludes(excluded: &Excluded, column: &ScopeColumn) -> bool {
    let of_table = |table: &Name| column.table.as_deref().is_some_and(|name| table.is(name));
    excluded.column.is(&column.column.name) && excluded.table.as_ref().is_none_or(of_table)
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

/// The fields that a star behind a struct leaves; REPLACE and RENAME must name some of them.
fn star_fields(star: &Star, mut fields: Vec<Field>, span: Span) -> Result<Vec<Field>> {
    let unknown = |name: &Name, fields: &[Field]| {
        let names = fields.iter().map(|field| field.name.as_str());
        Error::unknown("field", &name.text, nearest(&name.text, names), name.span)
    };
    // What stands before the name, `s` in `EXCLUDE (s.x)`, says nothing more.
    for Excluded { column, .. } in &star.exclude {
        if !fields.iter().any(|field| column.is(&field.name)) {
            return Err(unknown(column, &fields));
        }
    }
    fields.retain(|field| !star.exclude.iter().any(|excluded| excluded.column.is(&field.name)));
    if let Some((_, pattern)) = &star.like {
        let pattern = like_regex(pattern, span)?;
        fields.retain(|field| pattern.is_match(&field.name));
    }
    let replaced = star.replace.iter().map(|replacement| &replacement.column);
    match replaced
        .chain(star.rename.iter().map(|(old, _)| old))
        .find(|name| !fields.iter().any(|field| name.is(&field.name)))
    {
        Some(name) => Err(unknown(name, &fields)),
        None => Ok(fields),
    }
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
fn substitute(expression: &mut Expression, value: &Expression) {
    if is_columns(expression) {
        *expression = value.clone();
        return;
    }
    expression.children_mut().into_iter().for_each(|child| substitute(child, value));
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
