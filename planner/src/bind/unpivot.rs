//! UNPIVOT: the names and values of columns are unnested beside the columns that stay.

use std::rc::Rc;

use hypostyle_functions::Type;
use hypostyle_functions::coercion::common_type;

use crate::bind::Binder;
use crate::bind::frame::{Clause, Frame};
use crate::bind::from::Source;
use crate::bind::pivot::columns_read;
use crate::error::{Error, Result};
use crate::logical::Relation;
use crate::span::Span;
use crate::tree::{
    Call, Expression, ExpressionKind, LiteralText, Name, Query, QueryBody, Select, SelectItem, Table,
    TableKind, Unpivot,
};

/// What becomes one row: a value for each column of values, and the name.
struct Entry {
    values: Vec<Expression>,
    name: String,
}

impl Binder<'_> {
    /// Binds an unpivot.
    pub(super) fn unpivot(&mut self, unpivot: &Unpivot, span: Span) -> Result<Relation> {
        let source = self.table(&unpivot.table)?;
        let entries = self.entries(unpivot, &source)?;
        self.check_types(&entries, &source, span)?;
        let mut read = Vec::new();
        for value in entries.iter().flat_map(|entry| &entry.values) {
            columns_read(value, &source.scope, &mut read)?;
        }
        let kept = source.scope.columns().iter();
        let kept = kept.filter(|column| !column.hidden && !read.contains(&column.column.id));
        let mut items: Vec<SelectItem> = kept
            .map(|column| SelectItem { expression: super::star::column_path(column, span), alias: None })
            .collect();
        let text = |entry: &Entry| {
            Expression::new(ExpressionKind::Literal(LiteralText::Text(entry.name.clone())), span)
        };
        items.push(unnested(entries.iter().map(text).collect(), &unpivot.name, span));
        for (position, name) in unpivot.values.iter().enumerate() {
            let values = entries.iter().filter_map(|entry| entry.values.get(position).cloned());
            items.push(unnested(values.collect(), name, span));
        }
        let select = Select { items, from: vec![unpivot.table.clone()], span, ..Select::default() };
        let query = Query::of_body(QueryBody::Select(Box::new(select)), span);
        if unpivot.include_nulls {
            return self.query(&query);
        }
        let table = TableKind::Query { query: Box::new(query), lateral: false };
        let is_there = |name: &Name| {
            let column = Expression::new(ExpressionKind::Column(vec![name.clone()]), name.span);
            Expression::new(ExpressionKind::IsNull { operand: Box::new(column), negated: true }, name.span)
        };
        let mut conditions: Vec<Expression> = unpivot.values.iter().map(is_there).collect();
        let filter = match conditions.len() {
            1 => conditions.pop(),
            _ => Some(Expression::new(ExpressionKind::And(conditions), span)),
        };
        let table = Table { kind: table, alias: None, span };
        let star = Expression::new(ExpressionKind::Star(Box::default()), span);
        let items = vec![SelectItem { expression: star, alias: None }];
        let select = Select { items, from: vec![table], filter, span, ..Select::default() };
        self.query(&Query::of_body(QueryBody::Select(Box::new(select)), span))
    }

    /// The entries with their stars and COLUMNS expanded.
    fn entries(&mut self, unpivot: &Unpivot, source: &Source) -> Result<Vec<Entry>> {
        let frame = Frame::new(Rc::new(source.scope.clone()), Clause::Select);
        let mut entries = Vec::with_capacity(unpivot.entries.len());
        for item in &unpivot.entries {
            if let ExpressionKind::Star(star) = &item.expression.kind {
                for choice in super::star::star_choices(star, &source.scope, item.expression.span)? {
                    entries.push(Entry { values: vec![choice.value], name: choice.name });
                }
                continue;
            }
            match self.expanded(&item.expression, &frame)? {
                Some(expanded) => {
                    for (expression, choice) in expanded {
                        let name = choice.map_or_else(|| expression.column_name(), |choice| choice.name);
                        entries.push(Entry { values: vec![expression], name });
                    }
                }
                None => entries.push(entry(item, source)?),
            }
        }
        let wanted = unpivot.values.len();
        for entry in &entries {
            if entry.values.len() != wanted {
                let place = entry.values.first().map_or(Span::NONE, |value| value.span);
                let message = format!(
                    "an entry of UNPIVOT has {} values; its columns of values are {wanted}",
                    entry.values.len()
                );
                return Err(Error::invalid(message, place));
            }
        }
        Ok(entries)
    }

    /// Values of one column have a type in common without a cast.
    fn check_types(&mut self, entries: &[Entry], source: &Source, span: Span) -> Result<()> {
        let width = entries.first().map_or(0, |entry| entry.values.len());
        let mut frame = Frame::new(Rc::new(source.scope.clone()), Clause::Select);
        for position in 0..width {
            let mut common: Option<Type> = None;
            for value in entries.iter().filter_map(|entry| entry.values.get(position)) {
                let next = self.expression(value, &mut frame)?.data_type();
                common = Some(match common {
                    None => next,
                    Some(held) => match common_type(&held, &next) {
                        Some(common) if (held == Type::Text) == (next == Type::Text) => common,
                        _ => {
                            let message = format!("UNPIVOT mixes {held} and {next}; cast one of them");
                            return Err(Error::invalid(message, value.span.union(span)));
                        }
                    },
                });
            }
        }
        Ok(())
    }
}

/// An entry without star: a value, or several in parentheses.
fn entry(item: &SelectItem, source: &Source) -> Result<Entry> {
    let values = match &item.expression.kind {
        ExpressionKind::Row(values) => values.clone(),
        _ => vec![item.expression.clone()],
    };
    let name = match &item.alias {
        Some(alias) => alias.text.clone(),
        None => {
            let names = values.iter().map(|value| value_name(value, source)).collect::<Result<Vec<_>>>()?;
            names.join("_")
        }
    };
    Ok(Entry { values, name })
}

/// The name of a column as its table writes it; of a cast that of what is cast.
fn value_name(value: &Expression, source: &Source) -> Result<String> {
    match &value.kind {
        ExpressionKind::Column(names) => match source.scope.find(names)? {
            Some(found) => Ok(found.column.column.name.clone()),
            None => Err(source.scope.unknown(names)),
        },
        ExpressionKind::Cast { operand, .. } => value_name(operand, source),
        _ => Ok(value.column_name()),
    }
}

fn unnested(values: Vec<Expression>, name: &Name, span: Span) -> SelectItem {
    let list = Expression::new(ExpressionKind::List(values), span);
    let call = Call::plain(Name::new("unnest", span), vec![list]);
    let expression = Expression::new(ExpressionKind::Call(Box::new(call)), span);
    SelectItem { expression, alias: Some(name.clone()) }
}
