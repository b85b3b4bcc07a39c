//! Queries over tables that exist only as schemas and statistics.

mod binding;
mod decorrelating;
mod errors;
mod rewriting;
mod statements;
mod tpch;

use std::sync::Arc;

use hypostyle_engine::catalog::Catalog;
use hypostyle_engine::context::{Configuration, Context};
use hypostyle_engine::plan::Expression;
use hypostyle_engine::table::{
    ColumnStatistics, FilterSupport, Scan, ScanRequest, Statistics, TableFunction, TableProvider,
};
use hypostyle_functions::scalar::Settings;
use hypostyle_functions::{Field, Literal, Registry, Schema, Type, Value};

use crate::bind::Binder;
use crate::parse::parse_statements;
use crate::tree::StatementKind;
use crate::{Definitions, Planned, Planner, Result};

/// A table without rows that knows how many it would have.
struct Described {
    schema: Schema,
    rows: u64,
    columns: Vec<ColumnStatistics>,
}

impl TableProvider for Described {
    fn schema(&self) -> &Schema {
        &self.schema
    }

    fn statistics(&self) -> Statistics {
        Statistics { rows: Some(self.rows), bytes: None, columns: self.columns.clone() }
    }

    fn filter_support(&self, filter: &Expression) -> FilterSupport {
        match filter {
            Expression::Call { function, .. } if function == "=" => FilterSupport::Exact,
            Expression::Call { function, .. } if function == "<" || function == ">" => FilterSupport::Inexact,
            _ => FilterSupport::None,
        }
    }

    fn scan(&self, _: ScanRequest, _: &Arc<Context>) -> hypostyle_engine::Result<Arc<dyn Scan>> {
        Err(hypostyle_engine::Error::user("this table has no rows"))
    }
}

/// `range(n)` and `read_parquet(path)`, as schemas.
struct DescribedFunction(&'static str, Vec<Field>);

impl TableFunction for DescribedFunction {
    fn name(&self) -> &str {
        self.0
    }

    fn bind(
        &self,
        arguments: &[Literal],
        options: &[(String, Literal)],
        _: &Arc<Context>,
    ) -> hypostyle_engine::Result<Arc<dyn TableProvider>> {
        if let Some((name, _)) = options.iter().find(|(name, _)| name != "union_by_name") {
            return Err(hypostyle_engine::Error::user(format!("no option \"{name}\"")));
        }
        let rows = arguments.first().and_then(|literal| literal.value.as_i64()).unwrap_or(100);
        let rows = u64::try_from(rows).unwrap_or(0);
        Ok(Arc::new(Described { schema: Schema::new(self.1.clone()), rows, columns: Vec::new() }))
    }
}

fn field(name: &str, data_type: Type) -> Field {
    Field::new(name, data_type)
}

/// Columns of a table: name, type and number of distinct values, 0 where it is unknown.
fn add(catalog: &Catalog, name: &str, rows: u64, columns: &[(&str, Type, u64)]) {
    let schema =
        Schema::new(columns.iter().map(|(name, data_type, _)| field(name, data_type.clone())).collect());
    let columns = columns.iter().map(|(_, _, distinct)| ColumnStatistics {
        distinct: (*distinct > 0).then_some(*distinct),
        ..ColumnStatistics::default()
    });
    catalog.add_table(name, Arc::new(Described { schema, rows, columns: columns.collect() }));
}

fn context() -> Arc<Context> {
    let catalog = Catalog::default();
    add(
        &catalog,
        "t",
        1_000,
        &[
            ("a", Type::Int32, 100),
            ("b", Type::Int64, 10),
            ("s", Type::Text, 0),
            ("d", Type::Date, 0),
            ("f", Type::Float64, 0),
            ("l", Type::list(Type::Int32), 0),
            ("st", Type::Struct(vec![field("x", Type::Int32), field("name", Type::Text)]), 0),
            ("m", Type::map(Type::Text, Type::Int32), 0),
            ("embedding", Type::fixed_list(Type::Float32, 3), 0),
            ("u", Type::UInt64, 0),
            ("bl", Type::Boolean, 2),
            ("ts", Type::TIMESTAMP, 0),
            ("dec", Type::Decimal(10, 2), 0),
        ],
    );
    add(&catalog, "small", 10, &[("a", Type::Int32, 10), ("k", Type::Int32, 10), ("v", Type::Text, 0)]);
    add(
        &catalog,
        "large",
        1_000_000,
        &[("k", Type::Int32, 10), ("w", Type::Float64, 0), ("a", Type::Int64, 0)],
    );
    tpch::add_tables(&catalog);
    catalog.add_function(Arc::new(DescribedFunction("range", vec![field("range", Type::Int64)])));
    let file = vec![field("id", Type::Int64), field("text", Type::Text)];
    catalog.add_function(Arc::new(DescribedFunction("read_parquet", file)));
    let (registry, catalog) = (Arc::new(Registry::builtin()), Arc::new(catalog));
    Arc::new(Context::new(registry, catalog, Settings::default(), Configuration::default()))
}

fn plan_with(sql: &str, definitions: &Definitions) -> Result<Planned> {
    let context = context();
    let mut planned = None;
    for statement in parse_statements(sql)? {
        let outcome = Planner::new(&context, definitions).plan(&statement)?;
        if let Planned::Query(query) | Planned::Explain { query, .. } = &outcome {
            let verified = hypostyle_engine::plan::verify(&query.plan, &context);
            assert!(verified.is_ok(), "{sql}: {verified:?}");
        }
        planned = Some(outcome);
    }
    Ok(planned.unwrap_or(Planned::Nothing))
}

fn plan(sql: &str) -> Result<Planned> {
    plan_with(sql, &Definitions::default())
}

/// The columns of a query, `name TYPE, ..`; or its error.
fn columns(sql: &str) -> String {
    match plan(sql) {
        Ok(Planned::Query(query)) => {
            let shown =
                query.plan.schema.fields.iter().map(|field| format!("{} {}", field.name, field.data_type));
            shown.collect::<Vec<_>>().join(", ")
        }
        Ok(other) => format!("{other:?}"),
        Err(error) => format!("error: {error}"),
    }
}

/// The type of an expression over `t`; or its error.
fn type_of(expression: &str) -> String {
    match plan(&format!("SELECT {expression} FROM t")) {
        Ok(Planned::Query(query)) => query
            .plan
            .schema
            .fields
            .iter()
            .map(|field| field.data_type.to_string())
            .collect::<Vec<_>>()
            .join(", "),
        Ok(other) => format!("{other:?}"),
        Err(error) => format!("error: {}", error.message()),
    }
}

/// The error of a statement.
fn error(sql: &str) -> String {
    match plan(sql) {
        Ok(_) => format!("no error in {sql}"),
        Err(error) => error.to_string(),
    }
}

/// The rewritten logical plan of a query.
fn rewritten(sql: &str) -> String {
    let (context, definitions) = (context(), Definitions::default());
    let statements = parse_statements(sql).unwrap_or_default();
    let Some(StatementKind::Query(query)) = statements.into_iter().next().map(|statement| statement.kind)
    else {
        return format!("no query: {sql}");
    };
    let mut binder = Binder::new(&context, &definitions);
    match binder.query(&query) {
        Ok(relation) => {
            let relation = binder.with_shared(relation);
            let result = relation.columns();
            crate::rewrite::rewrite(relation, &result, &context).to_string()
        }
        Err(error) => error.render(sql),
    }
}

fn integer(value: i64) -> Literal {
    Literal::new(Value::Int64(value))
}
