use super::{context, integer, plan, plan_with};
use crate::parse::parse_statements;
use crate::{Definitions, Planned, Planner};

/// Definitions that these statements leave behind.
fn defined(sql: &str) -> Definitions {
    let context = context();
    let mut definitions = Definitions::default();
    for statement in parse_statements(sql).unwrap_or_default() {
        match Planner::new(&context, &definitions).plan(&statement) {
            Ok(Planned::Define(definition)) => definitions.apply(definition),
            other => panic!("{other:?}"),
        }
    }
    definitions
}

fn columns_with(sql: &str, definitions: &Definitions) -> String {
    match plan_with(sql, definitions) {
        Ok(Planned::Query(query)) => {
            let shown =
                query.plan.schema.fields.iter().map(|field| format!("{} {}", field.name, field.data_type));
            shown.collect::<Vec<_>>().join(", ")
        }
        Ok(other) => format!("{other:?}"),
        Err(error) => format!("error: {error}"),
    }
}

#[test]
fn a_view_stands_for_its_query() {
    let definitions = defined(
        "CREATE VIEW v(x) AS SELECT a, b FROM t; CREATE OR REPLACE VIEW v(x, y) AS SELECT k, v FROM small",
    );
    assert_eq!(columns_with("SELECT y, v.x FROM v", &definitions), "y VARCHAR, x INTEGER");
    assert_eq!(columns_with("SELECT * FROM v AS w(p)", &definitions), "p INTEGER, y VARCHAR");
}

#[test]
fn an_error_in_a_view_is_told_where_it_is_used() {
    let mut definitions = defined("CREATE VIEW v AS SELECT a FROM t");
    definitions.apply(crate::Definition::DropView("v".into()));
    let mut definitions = defined("CREATE VIEW v AS SELECT a FROM t; CREATE VIEW w AS SELECT a FROM v");
    definitions.apply(crate::Definition::DropView("v".into()));
    let found = columns_with("SELECT *\nFROM w", &definitions);
    assert_eq!(found, "error: line 2, column 6: in view \"w\": no table \"v\"");
}

#[test]
fn a_view_that_reads_itself_is_an_error() {
    let definitions = defined("CREATE VIEW v AS SELECT 1 AS a; CREATE OR REPLACE VIEW v AS SELECT * FROM v");
    assert!(columns_with("FROM v", &definitions).contains("nests deeper than"));
}

#[test]
fn macros_stand_for_values_and_tables() {
    let definitions = defined(
        "CREATE MACRO plus(x, y := 1) AS x + y; \
         CREATE FUNCTION first_rows(n) AS TABLE SELECT a FROM t WHERE a < n; \
         CREATE MACRO total(x) AS sum(x)",
    );
    assert_eq!(
        columns_with("SELECT plus(a) AS p, plus(b, y := 2) AS q FROM t", &definitions),
        "p INTEGER, q BIGINT"
    );
    assert_eq!(columns_with("FROM first_rows(3)", &definitions), "a INTEGER");
    assert_eq!(columns_with("SELECT total(f) AS s FROM t", &definitions), "s DOUBLE");
    let found = columns_with("SELECT plus(s) FROM t", &definitions);
    assert!(found.starts_with("error: line 1, column 8: in macro \"plus\": "), "{found}");
    assert_eq!(
        columns_with("SELECT plus() FROM t", &definitions),
        "error: line 1, column 8: plus needs a value for its parameter \"x\""
    );
}

#[test]
fn macros_cannot_grow_without_end() {
    let mut sql = String::from("CREATE MACRO m0(x) AS x + x;");
    for level in 1..40 {
        sql.push_str(&format!("CREATE MACRO m{level}(x) AS m{}(x) + m{}(x);", level - 1, level - 1));
    }
    let definitions = defined(&sql);
    let found = columns_with("SELECT m39(a) FROM t", &definitions);
    assert!(found.contains("too many expressions"), "{found}");
}

#[test]
fn prepared_statements_run_with_values() {
    let definitions = defined("PREPARE p AS SELECT a + $1 AS x FROM t WHERE s = $name");
    assert_eq!(columns_with("EXECUTE p(2.5, name := 'x')", &definitions), "x DECIMAL(12,1)");
    assert_eq!(
        columns_with("EXECUTE p(1)", &definitions),
        "error: line 1, column 9: in prepared statement \"p\": parameter $name has no value"
    );
    assert!(matches!(plan_with("DEALLOCATE p", &definitions), Ok(Planned::Define(_))));
}

#[test]
fn values_given_to_a_planner_replace_parameters() {
    let (context, definitions) = (context(), Definitions::default());
    let values = [("1".to_owned(), integer(3))];
    let planner = Planner::new(&context, &definitions).with_values(&values);
    let statements = parse_statements("SELECT a FROM t LIMIT $1").unwrap_or_default();
    let planned = statements.first().map(|statement| planner.plan(statement));
    assert!(matches!(planned, Some(Ok(Planned::Query(query))) if query.parameters.is_empty()));
}

#[test]
fn definitions_and_settings_come_out_as_what_to_do() {
    assert!(matches!(plan("SET threads = 4"), Ok(Planned::Set { name, .. }) if name == "threads"));
    assert!(matches!(plan("RESET threads"), Ok(Planned::Reset { .. })));
    assert!(matches!(plan("SHOW SETTINGS"), Ok(Planned::ShowSettings(None))));
    assert!(matches!(plan("DROP TABLE small"), Ok(Planned::DropTable(name)) if name == "small"));
    assert!(matches!(plan("DROP TABLE IF EXISTS nothing"), Ok(Planned::Nothing)));
    assert!(matches!(plan("CREATE TABLE IF NOT EXISTS small AS SELECT 1"), Ok(Planned::Nothing)));
    assert!(matches!(plan("CREATE TABLE x(a, b) AS SELECT 1, NULL"), Ok(Planned::Query(_))));
    assert!(matches!(plan("EXPLAIN ANALYZE SELECT 1"), Ok(Planned::Explain { analyze: true, .. })));
    assert!(matches!(plan("EXPLAIN CREATE TABLE x AS SELECT 1"), Ok(Planned::Explain { .. })));
    assert!(matches!(plan("SHOW FUNCTIONS"), Ok(Planned::Query(_))));
    assert!(matches!(plan("SHOW ALL TABLES"), Ok(Planned::Query(_))));
}
