//! A logical plan as indented text, for tests and for people who write rewrites.

use std::fmt::{self, Display, Formatter};

use hypostyle_engine::plan::{Expression, OrderCondition, TableReference, WindowFunction};

use crate::logical::{Computed, Relation};

impl Display for Relation {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write_indented(self, f, 0)
    }
}

fn write_indented(relation: &Relation, f: &mut Formatter<'_>, depth: usize) -> fmt::Result {
    write!(f, "{}", "  ".repeat(depth))?;
    match relation {
        Relation::Scan(scan) => {
            let name = match &scan.table {
                TableReference::Named(name) => name,
                TableReference::Function { name, .. } => name,
            };
            let columns: Vec<String> =
                scan.columns.iter().map(|(column, _)| format!("#{} {}", column.id, column.name)).collect();
            write!(f, "scan {name} [{}]", columns.join(", "))?;
            if !scan.filters.is_empty() {
                write!(f, " where {}", Shown(&scan.filters))?;
            }
            if let Some(limit) = scan.limit {
                write!(f, " limit {limit}")?;
            }
        }
        Relation::Values { columns, rows } => write!(f, "values {} x {}", rows.len(), columns.len())?,
        Relation::Filter { predicates, .. } => write!(f, "filter {}", Shown(predicates))?,
        Relation::Project { columns, .. } => write!(f, "project {}", ShownColumns(columns))?,
        Relation::Limit { offset, count, .. } => match count {
            Some(count) => write!(f, "limit {count} offset {offset}")?,
            None => write!(f, "offset {offset}")?,
        },
        Relation::Sort { keys, limit, .. } => {
            f.write_str("sort ")?;
            for (index, key) in keys.iter().enumerate() {
                let comma = if index == 0 { "" } else { ", " };
                let direction = if key.descending { " desc" } else { "" };
                let nulls = if key.nulls_first { " nulls first" } else { "" };
                write!(f, "{comma}{}{direction}{nulls}", ShownExpression(&key.expression))?;
            }
            if let Some(limit) = limit {
                write!(f, " limit {limit}")?;
            }
        }
        Relation::Aggregate { keys, sets, aggregates, .. } => {
            write!(f, "aggregate by [{}]", ShownColumns(keys))?;
            if let Some(sets) = sets {
                write!(f, " in sets {:?} as #{}", sets.sets, sets.id.id)?;
            }
            for (column, call) in aggregates {
                let distinct = if call.distinct { "distinct " } else { "" };
                write!(f, ", #{} = {}({distinct}{})", column.id, call.function, Shown(&call.arguments))?;
                if let Some(filter) = &call.filter {
                    write!(f, " where {}", ShownExpression(filter))?;
                }
            }
        }
        Relation::Join(join) => {
            write!(f, "{:?} join", join.kind)?;
            for (index, key) in join.keys.iter().enumerate() {
                let word = if index == 0 { " on" } else { "," };
                let equal = if key.nulls_match { "is not distinct from" } else { "=" };
                write!(f, "{word} {} {equal} {}", ShownExpression(&key.left), ShownExpression(&key.right))?;
            }
            if !join.residual.is_empty() {
                write!(f, " and {}", Shown(&join.residual))?;
            }
        }
        Relation::AsOf(join) => {
            let OrderCondition { left, right, comparison } = &join.order;
            let (left, right) = (ShownExpression(left), ShownExpression(right));
            write!(f, "{:?} as-of join on {left} {} {right}", join.kind, comparison.operator())?;
            for key in &join.keys {
                let equal = if key.nulls_match { "is not distinct from" } else { "=" };
                write!(f, ", {} {equal} {}", ShownExpression(&key.left), ShownExpression(&key.right))?;
            }
            if let Some(limit) = &join.limit {
                write!(f, " within {}", ShownExpression(limit))?;
            }
            if !join.residual.is_empty() {
                write!(f, " and {}", Shown(&join.residual))?;
            }
        }
        Relation::Union { inputs, .. } => write!(f, "union of {}", inputs.len())?,
        Relation::Unnest { lists, outer, .. } => {
            write!(f, "unnest{} {}", if *outer { " outer" } else { "" }, ShownColumns(lists))?;
        }
        Relation::Window { window, columns, .. } => {
            write!(f, "window by [{}]", Shown(&window.partition))?;
            for (column, call) in columns.iter().zip(&window.calls) {
                let name = match &call.function {
                    WindowFunction::Aggregate(call) => &call.function,
                    WindowFunction::Positional { name, .. } => name,
                };
                let arguments: Vec<Expression> = call.expressions().into_iter().cloned().collect();
                write!(f, ", #{} = {name}({}) over {}", column.id, Shown(&arguments), call.order)?;
            }
            if let Some(limit) = window.limit {
                write!(f, " limit {}", limit.rows)?;
            }
        }
        Relation::Sample { method, size, .. } => write!(f, "sample {method:?} {size:?}")?,
        Relation::ComputedLimit { .. } => f.write_str("computed limit")?,
        Relation::Positional { .. } => f.write_str("positional join")?,
        Relation::Recursive { table, distinct, .. } => {
            write!(f, "recursive {table}{}", if *distinct { " distinct" } else { "" })?;
        }
        Relation::WorkTable { table, .. } => write!(f, "work table {table}")?,
        Relation::Repeat { count, .. } => write!(f, "repeat {}", ShownExpression(count))?,
        Relation::SingleRow { .. } => f.write_str("single row")?,
        Relation::Shared { table, .. } => write!(f, "share {table}")?,
        Relation::SharedRows(shared) => {
            let columns = shared.columns.iter().map(|(column, _)| format!("#{} {}", column.id, column.name));
            write!(f, "shared {} [{}]", shared.table, columns.collect::<Vec<_>>().join(", "))?;
        }
        Relation::Write { .. } => f.write_str("write")?,
    }
    writeln!(f)?;
    relation.inputs().into_iter().try_for_each(|input| write_indented(input, f, depth + 1))
}

struct ShownColumns<'a>(&'a [Computed]);

impl Display for ShownColumns<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        for (index, computed) in self.0.iter().enumerate() {
            let comma = if index == 0 { "" } else { ", " };
            match computed.is_passed() {
                true => write!(f, "{comma}#{}", computed.column.id)?,
                false => {
                    write!(f, "{comma}#{} = {}", computed.column.id, ShownExpression(&computed.expression))?
                }
            }
        }
        Ok(())
    }
}

struct Shown<'a>(&'a [Expression]);

impl Display for Shown<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        for (index, expression) in self.0.iter().enumerate() {
            write!(f, "{}{}", if index == 0 { "" } else { ", " }, ShownExpression(expression))?;
        }
        Ok(())
    }
}

struct ShownExpression<'a>(&'a Expression);

impl Display for ShownExpression<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self.0 {
            Expression::Column { index, .. } => write!(f, "#{index}"),
            Expression::Literal(literal) => write!(f, "{}", literal_text(&literal.value)),
            Expression::Parameter { index, .. } => write!(f, "${}", index + 1),
            Expression::Variable { id, .. } => write!(f, "v{id}"),
            Expression::Call { function, arguments, .. } => write!(f, "{function}({})", Shown(arguments)),
            Expression::Lambda { parameters, body } => {
                let parameters: Vec<String> = parameters.iter().map(|(id, _)| format!("v{id}")).collect();
                write!(f, "{} -> {}", parameters.join(", "), ShownExpression(body))
            }
            Expression::Cast { input, to, is_try, .. } => {
                write!(f, "{}cast({} as {to})", if *is_try { "try_" } else { "" }, ShownExpression(input))
            }
            Expression::And(terms) => write!(f, "and({})", Shown(terms)),
            Expression::Or(terms) => write!(f, "or({})", Shown(terms)),
            Expression::Case { branches, otherwise, .. } => {
                f.write_str("case")?;
                for (condition, value) in branches {
                    write!(f, " when {} then {}", ShownExpression(condition), ShownExpression(value))?;
                }
                match otherwise {
                    Some(otherwise) => write!(f, " else {} end", ShownExpression(otherwise)),
                    None => f.write_str(" end"),
                }
            }
            Expression::Coalesce { arguments, .. } => write!(f, "coalesce({})", Shown(arguments)),
            Expression::Try(input) => write!(f, "try({})", ShownExpression(input)),
        }
    }
}

fn literal_text(value: &hypostyle_functions::Value) -> String {
    use hypostyle_functions::Value;
    match value {
        Value::Null => "null".to_owned(),
        Value::Boolean(value) => value.to_string(),
        Value::Text(text) => format!("'{text}'"),
        Value::Decimal(digits, _, scale) => format!("{}e-{scale}", digits.0),
        other => match (other.as_i64(), other.as_f64()) {
            (Some(integer), _) => integer.to_string(),
            (None, Some(float)) => float.to_string(),
            (None, None) => format!("{other:?}"),
        },
    }
}
