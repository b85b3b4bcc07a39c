//! PIVOT: an aggregation by the columns that stay, with one filtered aggregate for each value that becomes a column.

use arrow::array::AsArray;
use hypostyle_engine::execution::Prepared;

use crate::bind::Binder;
use crate::bind::from::Source;
use crate::error::{Error, ErrorKind, Result};
use crate::logical::Relation;
use crate::lower::lower;
use crate::rewrite;
use crate::span::Span;
use crate::tree::{
    Call, Expression, ExpressionKind, GroupBy, LiteralText, Name, Pivot, PivotColumn, PivotValue, Query,
    QueryBody, Select, SelectItem, Table, TypeName,
};

/// Columns that a pivot may make: beyond it the values are a mistake.
const COLUMNS_MAX: usize = 100_000;

/// A value that becomes a column: its name, and the condition of the rows it stands for.
#[derive(Clone)]
struct Value {
    name: String,
    condition: Expression,
}

impl Binder<'_> {
    /// Binds a pivot.
    pub(super) fn pivot(&mut self, pivot: &Pivot, span: Span) -> Result<Relation> {
        let source = self.table(&pivot.table)?;
        let aggregates = match pivot.aggregates.is_empty() {
            true => vec![count_star(span)],
            false => pivot.aggregates.clone(),
        };
        let mut combined = vec![None];
        for column in &pivot.columns {
            let values = self.pivot_values(column, &pivot.table, span)?;
            if combined.len().saturating_mul(values.len()) > COLUMNS_MAX {
                let message = format!("PIVOT makes more than {COLUMNS_MAX} columns");
                return Err(Error::invalid(message, span));
            }
            combined = combined
                .iter()
                .flat_map(|held| values.iter().map(|value| Some(joined(held.as_ref(), value))))
                .collect();
        }
        let keys = group_columns(pivot, &aggregates, &source, span)?;
        let mut items: Vec<SelectItem> =
            keys.iter().map(|key| SelectItem { expression: key.clone(), alias: None }).collect();
        for value in &combined {
            for aggregate in &aggregates {
                items.push(self.pivot_item(value.as_ref(), aggregate, aggregates.len() > 1)?);
            }
        }
        let group_by = if keys.is_empty() { GroupBy::None } else { GroupBy::Expressions(keys) };
        let select = Select { items, from: vec![pivot.table.clone()], group_by, span, ..Select::default() };
        self.query(&Query::of_body(QueryBody::Select(Box::new(select)), span))
    }

    /// The column of one value and one aggregate.
    fn pivot_item(
        &mut self,
        value: Option<&Value>,
        aggregate: &SelectItem,
        several: bool,
    ) -> Result<SelectItem> {
        let own_name = match &aggregate.alias {
            Some(alias) => alias.text.clone(),
            None => aggregate.expression.column_name(),
        };
        let mut expression = aggregate.expression.clone();
        let is_aggregate = |name: &str| self.context.registry.aggregate(&name.to_lowercase()).is_some();
        let mut found = false;
        filter_aggregates(&mut expression, value.map(|value| &value.condition), &is_aggregate, &mut found)?;
        if !found {
            let message = "USING of a PIVOT takes aggregates, such as sum(x)";
            return Err(Error::invalid(message, aggregate.expression.span));
        }
        let name = match value {
            None => own_name,
            Some(value) if several || aggregate.alias.is_some() => format!("{}_{own_name}", value.name),
            Some(value) => value.name.clone(),
        };
        let alias = Some(Name { quoted: true, ..Name::new(name, aggregate.expression.span) });
        Ok(SelectItem { expression, alias })
    }

    fn pivot_values(&mut self, column: &PivotColumn, table: &Table, span: Span) -> Result<Vec<Value>> {
        let Some(values) = &column.values else { return self.values_of_data(column, table, span) };
        let mut made: Vec<Value> = Vec::with_capacity(values.len());
        for value in values {
            let next = self.written_value(column, value, span)?;
            if made.iter().any(|known| known.name == next.name) {
                let place = value.values.first().map_or(span, |value| value.span);
                let message = format!("the value \"{}\" is there twice in the IN list", next.name);
                return Err(Error::invalid(message, place));
            }
            made.push(next);
        }
        Ok(made)
    }

    /// A value of an IN list: one constant for each key.
    fn written_value(&mut self, column: &PivotColumn, value: &PivotValue, span: Span) -> Result<Value> {
        if value.values.len() != column.keys.len() {
            let message = format!(
                "an entry of the IN list has {} values for {} columns",
                value.values.len(),
                column.keys.len()
            );
            return Err(Error::invalid(message, value.values.first().map_or(span, |value| value.span)));
        }
        let mut made: Option<Value> = None;
        for (key, constant) in column.keys.iter().zip(&value.values) {
            let text = self.constant_text(constant)?;
            let next = Value {
                name: text.clone().unwrap_or_else(|| "NULL".to_owned()),
                condition: equals(key, text),
            };
            made = Some(joined(made.as_ref(), &next));
        }
        let Some(mut made) = made else { return Err(Error::internal("a pivot without a key")) };
        if let Some(alias) = &value.alias {
            made.name.clone_from(&alias.text);
        }
        Ok(made)
    }

    /// A constant as the text by which it is compared; a name without quotes stands for itself.
    fn constant_text(&mut self, constant: &Expression) -> Result<Option<String>> {
        if let ExpressionKind::Column(names) = &constant.kind
            && let [name] = names.as_slice()
        {
            return Ok(Some(name.text.clone()));
        }
        let literal = self.constant_value(&as_text(constant))?;
        Ok(literal.value.as_text().map(str::to_owned))
    }

    /// The distinct values of the data, ordered as texts: the query for them runs while this one is planned.
    fn values_of_data(&mut self, column: &PivotColumn, table: &Table, span: Span) -> Result<Vec<Value>> {
        let Some(key) = column.keys.first() else { return Err(Error::internal("a pivot without a key")) };
        self.reads_data = true;
        let filter = ExpressionKind::IsNull { operand: Box::new(key.clone()), negated: true };
        let select = Select {
            distinct: true,
            items: vec![SelectItem { expression: as_text(key), alias: None }],
            from: vec![table.clone()],
            filter: Some(Expression::new(filter, span)),
            span,
            ..Select::default()
        };
        let mut texts = self.run_for_texts(&Query::of_body(QueryBody::Select(Box::new(select)), span))?;
        texts.sort_unstable();
        let value = |text: String| Value { condition: equals(key, Some(text.clone())), name: text };
        Ok(texts.into_iter().map(value).collect())
    }

    /// Runs a query of one column of texts.
    fn run_for_texts(&mut self, query: &Query) -> Result<Vec<String>> {
        let open_before = self.parameters.len();
        let relation = self.query(query)?;
        if self.parameters.len() > open_before {
            let message = "PIVOT finds its values while the query is planned, when parameters have none";
            return Err(Error::invalid(message, query.span));
        }
        let relation = self.standing_alone(relation);
        let result = relation.columns();
        let relation = rewrite::rewrite(relation, &result, self.context);
        let plan = lower(&relation, &result)?;
        let failed = |error: hypostyle_engine::Error| match error {
            hypostyle_engine::Error::Function(_) | hypostyle_engine::Error::User(_) => {
                Error::new(ErrorKind::Source(format!("the values of PIVOT: {error}")), query.span)
            }
            ended => Error::run(ended, query.span),
        };
        let prepared = Prepared::new(plan, std::sync::Arc::clone(self.context)).map_err(failed)?;
        let mut run = prepared.start(&[]).map_err(failed)?;
        if let Some(observer) = self.observer {
            (observer.0)(run.handle());
        }
        let mut texts = Vec::new();
        while let Some(batch) = run.next().map_err(failed)? {
            let Some(column) = batch.columns.first() else { continue };
            let array = column.to_array().map_err(|error| Error::from(error).at(query.span))?;
            let Some(values) = array.as_string_view_opt() else {
                return Err(Error::internal("a column of texts of another type"));
            };
            texts.extend(values.iter().flatten().map(str::to_owned));
            if texts.len() > COLUMNS_MAX {
                let message = format!("PIVOT makes more than {COLUMNS_MAX} columns");
                return Err(Error::invalid(message, query.span));
            }
        }
        Ok(texts)
    }
}

/// The columns that stay: those of GROUP BY, or all that the pivot does not read.
fn group_columns(
    pivot: &Pivot,
    aggregates: &[SelectItem],
    source: &Source,
    span: Span,
) -> Result<Vec<Expression>> {
    if let Some(names) = &pivot.group_by {
        let column = |name: &Name| Expression::new(ExpressionKind::Column(vec![name.clone()]), name.span);
        return Ok(names.iter().map(column).collect());
    }
    let scope = &source.scope;
    let mut read: Vec<usize> = Vec::new();
    let keys = pivot.columns.iter().flat_map(|column| &column.keys);
    for expression in keys.chain(aggregates.iter().map(|item| &item.expression)) {
        columns_read(expression, scope, &mut read)?;
    }
    let kept = scope.columns().iter().filter(|column| !column.hidden && !read.contains(&column.column.id));
    Ok(kept.map(|column| super::star::column_path(column, span)).collect())
}

/// Adds the numbers of the columns that an expression names.
pub(super) fn columns_read(
    expression: &Expression,
    scope: &super::Scope,
    read: &mut Vec<usize>,
) -> Result<()> {
    if let ExpressionKind::Column(names) = &expression.kind
        && let Some(found) = scope.find(names)?
    {
        read.push(found.column.column.id);
    }
    stacker::maybe_grow(64 << 10, 1 << 20, || {
        expression.children().into_iter().try_for_each(|child| columns_read(child, scope, read))
    })
}

/// Lets the aggregates of an expression see only the rows of a value; names outside of aggregates are refused.
fn filter_aggregates(
    expression: &mut Expression,
    condition: Option<&Expression>,
    is_aggregate: &dyn Fn(&str) -> bool,
    found: &mut bool,
) -> Result<()> {
    let span = expression.span;
    match &mut expression.kind {
        ExpressionKind::Call(call) if is_aggregate(&call.name.text) => {
            *found = true;
            if let Some(condition) = condition {
                let both = match call.filter.take() {
                    None => condition.clone(),
                    Some(filter) => {
                        Expression::new(ExpressionKind::And(vec![*filter, condition.clone()]), span)
                    }
                };
                call.filter = Some(Box::new(both));
            }
            Ok(())
        }
        ExpressionKind::Column(_) => {
            let message = "columns stand only inside the aggregates of a PIVOT";
            Err(Error::invalid(message, span))
        }
        _ => expression
            .children_mut()
            .into_iter()
            .try_for_each(|child| filter_aggregates(child, condition, is_aggregate, found)),
    }
}

/// Two values of a combination: names joined by a line, conditions that both hold.
fn joined(held: Option<&Value>, next: &Value) -> Value {
    let Some(held) = held else { return next.clone() };
    let conditions = vec![held.condition.clone(), next.condition.clone()];
    Value {
        name: format!("{}_{}", held.name, next.name),
        condition: Expression::new(ExpressionKind::And(conditions), next.condition.span),
    }
}

/// Values are compared as texts, and a null equals a null.
fn equals(key: &Expression, text: Option<String>) -> Expression {
    let literal = text.map_or(LiteralText::Null, LiteralText::Text);
    let right = Box::new(Expression::new(ExpressionKind::Literal(literal), key.span));
    let left = Box::new(as_text(key));
    Expression::new(ExpressionKind::IsDistinct { left, right, negated: true }, key.span)
}

fn as_text(expression: &Expression) -> Expression {
    let target = TypeName {
        name: "VARCHAR".to_owned(),
        numbers: Vec::new(),
        children: Vec::new(),
        dimension: None,
        span: expression.span,
    };
    let operand = Box::new(expression.clone());
    Expression::new(ExpressionKind::Cast { operand, target, lenient: false }, expression.span)
}

fn count_star(span: Span) -> SelectItem {
    let star = Expression::new(ExpressionKind::Star(Box::default()), span);
    let call = Call::plain(Name::new("count", span), vec![star]);
    SelectItem { expression: Expression::new(ExpressionKind::Call(Box::new(call)), span), alias: None }
}
