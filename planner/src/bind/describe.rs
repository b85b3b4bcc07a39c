//! DESCRIBE, SUMMARIZE and SHOW: answers about tables and functions that are tables themselves.

use hypostyle_engine::plan::Expression;
use hypostyle_functions::{Literal, Type, Value};

use crate::bind::Binder;
use crate::error::{Error, Result};
use crate::logical::{Column, Relation};
use crate::parse::parse_expression;
use crate::span::Span;
use crate::tree::{
    self, ExpressionKind, LiteralText, Name, Query, QueryBody, Select, SelectItem, Statement, StatementKind,
    Table, TableAlias, TableKind,
};

/// What SUMMARIZE tells of each column: the name of the answer, and the aggregate over the column `c`.
const SUMMARY: [(&str, &str); 10] = [
    ("min", "min(c)::VARCHAR"),
    ("max", "max(c)::VARCHAR"),
    ("approx_unique", "approx_count_distinct(c)"),
    ("avg", "avg(c)::VARCHAR"),
    ("std", "stddev(c)::VARCHAR"),
    ("q25", "quantile_cont(c, 0.25)::VARCHAR"),
    ("q50", "quantile_cont(c, 0.5)::VARCHAR"),
    ("q75", "quantile_cont(c, 0.75)::VARCHAR"),
    ("count", "count(*)"),
    ("null_percentage", "(100.0 * (count(*) - count(c)) / greatest(count(*), 1))::DECIMAL(9, 2)"),
];

/// Answers that only numbers have.
const NUMBERS_ONLY: [&str; 5] = ["avg", "std", "q25", "q50", "q75"];

impl Binder<'_> {
    /// The rows of a statement that only tells something.
    ///
    /// # Errors
    /// A statement that does something else, or what binding its query reports.
    pub fn statement_rows(&mut self, statement: &Statement) -> Result<Relation> {
        match &statement.kind {
            StatementKind::Query(query) => self.query(query),
            StatementKind::Describe(query) => self.describe(query),
            StatementKind::Summarize(query) => self.summarize(query),
            StatementKind::DescribeTransform(name) => self.describe_transform(name),
            StatementKind::ShowTransforms => Ok(self.show_transforms()),
            StatementKind::ShowTables => Ok(self.show_tables()),
            StatementKind::ShowAllTables => self.show_all_tables(),
            StatementKind::ShowFunctions => Ok(self.show_functions()),
            _ => Err(Error::invalid("this statement gives no rows to select from", statement.span)),
        }
    }

    /// The columns of a query: name, type, and what DuckDB tells of tables with constraints, which these never have.
    pub fn describe(&mut self, query: &Query) -> Result<Relation> {
        let columns = self.query(query)?.columns();
        let rows = columns.into_iter().map(|column| {
            let known = [column.name, column.data_type.to_string(), "YES".to_owned()];
            known.into_iter().map(Some).chain([None, None, None]).collect()
        });
        let rows = rows.collect();
        Ok(self.text_table(&["column_name", "column_type", "null", "key", "default", "extra"], rows))
    }

    /// Tables and views by name.
    pub fn show_tables(&mut self) -> Relation {
        let mut names = self.context.catalog.table_names();
        names.extend(self.definitions.view_names());
        names.sort_unstable();
        self.text_table(&["name"], names.into_iter().map(|name| vec![Some(name)]).collect())
    }

    /// Tables and views with their columns.
    ///
    /// # Errors
    /// A view whose query has become wrong.
    pub fn show_all_tables(&mut self) -> Result<Relation> {
        let mut described = Vec::new();
        for name in self.context.catalog.table_names() {
            if let Some(table) = self.context.catalog.table(&name) {
                let fields = &table.schema().fields;
                let columns =
                    fields.iter().map(|field| (field.name.clone(), field.data_type.to_string())).collect();
                described.push((name, "table", columns));
            }
        }
        for name in self.definitions.view_names() {
            let Some(view) = self.definitions.view(&name).cloned() else { continue };
            let columns = self.view(&view.query, &name, view.name.span)?.columns();
            let renamed = columns.into_iter().enumerate().map(|(position, column)| {
                let given = view.columns.get(position).map(|name| name.text.clone());
                (given.unwrap_or(column.name), column.data_type.to_string())
            });
            described.push((name, "view", renamed.collect::<Vec<(String, String)>>()));
        }
        described.sort();
        let rows = described.into_iter().map(|(name, kind, columns)| {
            let (names, types): (Vec<String>, Vec<String>) = columns.into_iter().unzip();
            vec![text(name), text(kind), texts(names), texts(types)]
        });
        let list = Type::list(Type::Text);
        let types = [
            ("name", Type::Text),
            ("kind", Type::Text),
            ("column_names", list.clone()),
            ("column_types", list),
        ];
        let columns = types.into_iter().map(|(name, data_type)| self.new_column(name, data_type)).collect();
        let rows = rows.collect();
        Ok(Relation::Values { columns, rows })
    }

    /// Functions of the registry, table functions and macros, with their forms.
    pub fn show_functions(&mut self) -> Relation {
        let mut rows: Vec<Vec<Option<String>>> = Vec::new();
        let mut add = |name: &str, kind: &str, form: String, summary: &str| {
            rows.push([name, kind, &form, summary].into_iter().map(|text| Some(text.to_owned())).collect());
        };
        for function in self.context.registry.scalars() {
            for overload in &function.overloads {
                let form = format!("{}{}", function.name, overload.signature);
                add(&function.name, "scalar", form, &function.documentation.summary);
            }
        }
        for function in self.context.registry.aggregates() {
            for overload in &function.overloads {
                let form = format!("{}{}", function.name, overload.signature);
                add(&function.name, "aggregate", form, &function.documentation.summary);
            }
        }
        for function in self.context.registry.windows() {
            let form = format!("{}{}", function.name, function.signature);
            add(&function.name, "window", form, &function.documentation.summary);
        }
        for analyzer in self.context.registry.analyzers() {
            let form = format!("{}{}", analyzer.name, analyzer.signature());
            add(&analyzer.name, "analyzer", form, &analyzer.documentation.summary);
        }
        for name in self.context.catalog.function_names() {
            add(&name, "table", format!("{name}(...)"), "");
        }
        for definition in self.definitions.macros() {
            let name = &definition.name.text;
            let parameters: Vec<&str> =
                definition.parameters.iter().map(|parameter| parameter.name.text.as_str()).collect();
            add(name, "macro", format!("{name}({})", parameters.join(", ")), "");
        }
        rows.sort();
        self.text_table(&["function_name", "function_type", "form", "description"], rows)
    }

    /// `SUMMARIZE query`: all statistics of all columns in one pass, then one row per column.
    pub fn summarize(&mut self, query: &Query) -> Result<Relation> {
        let columns = self.query(query)?.columns();
        let names: Vec<String> = (0..columns.len()).map(|position| format!("c{position}")).collect();
        let span = query.span;
        let fixed = [
            ("column_name", columns.iter().map(|column| column.name.clone()).collect::<Vec<_>>()),
            ("column_type", columns.iter().map(|column| column.data_type.to_string()).collect()),
        ];
        let mut items = Vec::new();
        for (answer, values) in fixed {
            let list = values.into_iter().map(|value| literal(LiteralText::Text(value), span)).collect();
            items.push(unnest_item(answer, list, span));
        }
        for (answer, aggregate) in SUMMARY {
            let template = parse_expression(aggregate)?;
            let values = columns.iter().zip(&names).map(|(column, name)| {
                match NUMBERS_ONLY.contains(&answer) && !column.data_type.is_numeric() {
                    true => literal(LiteralText::Null, span),
                    false => about(&template, name, span),
                }
            });
            items.push(unnest_item(answer, values.collect(), span));
        }
        let alias = TableAlias {
            name: Name::new("summarized", span),
            columns: names.into_iter().map(|name| Name::new(name, span)).collect(),
        };
        let kind = TableKind::Query { query: Box::new(query.clone()), lateral: false };
        let from = vec![Table { kind, alias: Some(alias), span }];
        let select = Select { items, from, span, ..Select::default() };
        let body = QueryBody::Select(Box::new(select));
        self.query(&Query::of_body(body, span))
    }

    /// A table of texts and nulls.
    pub(super) fn text_table(&mut self, names: &[&str], rows: Vec<Vec<Option<String>>>) -> Relation {
        let columns: Vec<Column> = names.iter().map(|name| self.new_column(*name, Type::Text)).collect();
        let rows = rows.into_iter().map(|row| {
            row.into_iter().map(|value| match value {
                Some(value) => text(value),
                None => Expression::Literal(Literal::null(Type::Text)),
            })
        });
        Relation::Values { columns, rows: rows.map(Iterator::collect).collect() }
    }
}

fn text(value: impl Into<String>) -> Expression {
    Expression::Literal(Literal::new(Value::text(value)))
}

fn texts(values: Vec<String>) -> Expression {
    let values = values.into_iter().map(Value::Text).collect();
    Expression::Literal(Literal::new(Value::List(Type::Text, values)))
}

fn literal(text: LiteralText, span: Span) -> tree::Expression {
    tree::Expression::new(ExpressionKind::Literal(text), span)
}

/// `unnest([..]) AS answer`.
fn unnest_item(answer: &str, values: Vec<tree::Expression>, span: Span) -> SelectItem {
    let list = tree::Expression::new(ExpressionKind::List(values), span);
    let call = tree::Call::plain(Name::new("unnest", span), vec![list]);
    let expression = tree::Expression::new(ExpressionKind::Call(Box::new(call)), span);
    SelectItem { expression, alias: Some(Name::new(answer, span)) }
}

/// The template about one column, told at the place of the query.
fn about(template: &tree::Expression, column: &str, span: Span) -> tree::Expression {
    let mut expression = template.clone();
    replace(&mut expression, column, span);
    expression
}

fn replace(expression: &mut tree::Expression, column: &str, span: Span) {
    expression.span = span;
    match &mut expression.kind {
        ExpressionKind::Column(names) => *names = vec![Name::new(column, span)],
        ExpressionKind::Call(call) => call.name.span = span,
        _ => {}
    }
    expression.children_mut().into_iter().for_each(|child| replace(child, column, span));
}
