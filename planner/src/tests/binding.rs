use super::{columns, plan, type_of};
use crate::Planned;

#[test]
fn operators_have_the_types_that_duckdb_gives_them() {
    for (expression, expected) in [
        ("a + b", "BIGINT"),
        ("a + 1", "INTEGER"),
        ("a / 2", "DOUBLE"),
        ("a // 2", "INTEGER"),
        ("f + 1", "DOUBLE"),
        ("dec + 1", "DECIMAL(13,2)"),
        ("dec * dec", "DECIMAL(18,4)"),
        ("-a", "INTEGER"),
        ("a = 1.5", "BOOLEAN"),
        ("s = a", "BOOLEAN"),
        ("d = '2020-01-01'", "BOOLEAN"),
        ("a in (1, 2.5)", "BOOLEAN"),
        ("a in ('1', '2')", "BOOLEAN"),
        ("3 in l", "BOOLEAN"),
        ("a between '1' and 5", "BOOLEAN"),
        ("a and bl", "BOOLEAN"),
        ("not a", "BOOLEAN"),
        ("case when bl then 1 else 2.5 end", "DECIMAL(11,1)"),
        ("case when bl then 'x' end", "VARCHAR"),
        ("case a when 1 then f when 2 then 1 end", "DOUBLE"),
        ("coalesce(a, b, 1)", "BIGINT"),
        ("nullif(a, 1.5)", "INTEGER"),
        ("if(bl, 1, 2)", "INTEGER"),
        ("[a, b]", "BIGINT[]"),
        ("[]", "\"NULL\"[]"),
        ("{'x': a, 'y': s}", "STRUCT(x INTEGER, y VARCHAR)"),
        ("map {'k': 1}", "MAP(VARCHAR, INTEGER)"),
        ("l[1]", "INTEGER"),
        ("l[1:2]", "INTEGER[]"),
        ("embedding[1]", "FLOAT"),
        ("st.x", "INTEGER"),
        ("t.st.name", "VARCHAR"),
        ("st['x']", "INTEGER"),
        ("m['k']", "INTEGER"),
        ("a::DECIMAL(5, 1)", "DECIMAL(5,1)"),
        ("try_cast(s AS INT)", "INTEGER"),
        ("try(a // 0)", "INTEGER"),
        ("null", "\"NULL\""),
        ("s || 'x'", "VARCHAR"),
        ("s like 'a%' escape '$'", "BOOLEAN"),
        ("interval 3 days", "INTERVAL"),
        ("(1, 'a')", "STRUCT(\"\" INTEGER, \"\" VARCHAR)"),
        ("a is distinct from 1.5", "BOOLEAN"),
        ("bl is not true", "BOOLEAN"),
        ("9223372036854775808", "HUGEINT"),
        ("list_transform(l, x -> x + b)", "BIGINT[]"),
        ("list_filter(l, lambda x: x > 1)", "INTEGER[]"),
        ("s.upper()", "VARCHAR"),
        ("upper(s).lower()", "VARCHAR"),
    ] {
        assert_eq!(type_of(expression), expected, "{expression}");
    }
}

#[test]
fn aggregates_have_the_types_that_duckdb_gives_them() {
    for (expression, expected) in [
        ("count(*)", "BIGINT"),
        ("count()", "BIGINT"),
        ("count(DISTINCT s)", "BIGINT"),
        ("sum(a)", "HUGEINT"),
        ("sum(f)", "DOUBLE"),
        ("sum(dec)", "DECIMAL(38,2)"),
        ("avg(a)", "DOUBLE"),
        ("min(s)", "VARCHAR"),
        ("max(d)", "DATE"),
        ("list(a ORDER BY b DESC)", "INTEGER[]"),
        ("sum(a) FILTER (WHERE b > 1)", "HUGEINT"),
        ("first(s ORDER BY a)", "VARCHAR"),
        ("arg_max(s, a)", "VARCHAR"),
        ("percentile_cont(0.5) WITHIN GROUP (ORDER BY f)", "DOUBLE"),
        ("sum(a) + count(*) * 2", "HUGEINT"),
    ] {
        assert_eq!(type_of(expression), expected, "{expression}");
    }
}

#[test]
fn columns_are_named_as_in_duckdb() {
    for (sql, expected) in [
        (
            "SELECT a, t.b, st.x, a + 1, sum(f) FROM t GROUP BY ALL",
            "a INTEGER, b BIGINT, x INTEGER, (a + 1) INTEGER, sum(f) DOUBLE",
        ),
        ("SELECT count(*), a AS \"My Col\" FROM t GROUP BY a", "count_star() BIGINT, My Col INTEGER"),
        ("VALUES (1, 'a'), (2.5, NULL)", "col0 DECIMAL(11,1), col1 VARCHAR"),
        ("SELECT * FROM small", "a INTEGER, k INTEGER, v VARCHAR"),
        ("FROM small", "a INTEGER, k INTEGER, v VARCHAR"),
        ("SELECT * EXCLUDE (a, V) FROM small", "k INTEGER"),
        (
            "SELECT * REPLACE (a::VARCHAR AS a) RENAME (k AS key) FROM small",
            "a VARCHAR, key INTEGER, v VARCHAR",
        ),
        ("SELECT s.*, t.a FROM small s, t", "a INTEGER, k INTEGER, v VARCHAR, a INTEGER"),
        ("SELECT st.* FROM t", "x INTEGER, name VARCHAR"),
        ("SELECT COLUMNS('^[ab]$') FROM t", "a INTEGER, b BIGINT"),
        ("SELECT COLUMNS(c -> c LIKE 'd%') FROM t", "d DATE, dec DECIMAL(10,2)"),
        ("SELECT max(COLUMNS(* EXCLUDE v)) FROM small", "a INTEGER, k INTEGER"),
        ("SELECT 1 AS x, x + 1 AS y, y * 2 AS z", "x INTEGER, y INTEGER, z INTEGER"),
        ("SELECT k AS a, a + 1 AS c FROM small", "a INTEGER, c INTEGER"),
        ("SELECT * FROM (SELECT 1, 2) AS q(x)", "x INTEGER, 2 INTEGER"),
        ("WITH c(n) AS (SELECT a FROM t) SELECT c.n FROM c, c AS other WHERE c.n = other.n", "n INTEGER"),
        ("SELECT range FROM range(10)", "range BIGINT"),
        ("FROM generate_series(1, 3) AS g(n)", "n BIGINT"),
        ("FROM string_split('a,b', ',')", "string_split VARCHAR"),
        ("SELECT * FROM 'data/x.parquet'", "id BIGINT, text VARCHAR"),
        ("SELECT x.id FROM \"data/x.parquet\"", "id BIGINT"),
        ("FROM read_parquet('x', union_by_name = true) AS p SELECT p.text", "text VARCHAR"),
        (
            "DESCRIBE SELECT 1",
            "column_name VARCHAR, column_type VARCHAR, null VARCHAR, key VARCHAR, default VARCHAR, extra VARCHAR",
        ),
        ("SHOW TABLES", "name VARCHAR"),
    ] {
        assert_eq!(columns(sql), expected, "{sql}");
    }
}

#[test]
fn joins_bring_the_right_columns() {
    for (sql, expected) in [
        ("SELECT * FROM small JOIN large USING (k)", "a INTEGER, k INTEGER, v VARCHAR, w DOUBLE, a BIGINT"),
        ("SELECT * FROM small NATURAL JOIN large", "a INTEGER, k INTEGER, v VARCHAR, w DOUBLE"),
        (
            "SELECT * FROM small FULL JOIN large USING (k)",
            "a INTEGER, k INTEGER, v VARCHAR, w DOUBLE, a BIGINT",
        ),
        (
            "SELECT k, small.k, large.k FROM small RIGHT JOIN large USING (k)",
            "k INTEGER, k INTEGER, k INTEGER",
        ),
        ("SELECT * FROM small SEMI JOIN large ON small.k = large.k", "a INTEGER, k INTEGER, v VARCHAR"),
        ("SELECT * FROM small ANTI JOIN large USING (k)", "a INTEGER, k INTEGER, v VARCHAR"),
        ("SELECT small.a, u FROM small, unnest([1, 2]) AS x(u)", "a INTEGER, u INTEGER"),
        ("SELECT t.a, e FROM t LEFT JOIN unnest(t.l) AS x(e) ON true", "a INTEGER, e INTEGER"),
        ("SELECT a, unnest(l) AS e FROM t", "a INTEGER, e INTEGER"),
        ("SELECT unnest(st) FROM t", "x INTEGER, name VARCHAR"),
    ] {
        assert_eq!(columns(sql), expected, "{sql}");
    }
}

#[test]
fn grouping_takes_ordinals_names_and_expressions() {
    for sql in [
        "SELECT a % 10 AS g, sum(b) FROM t GROUP BY 1 ORDER BY 2 DESC",
        "SELECT a % 10 AS g, sum(b) AS total FROM t GROUP BY g HAVING total > 5 ORDER BY total",
        "SELECT a % 10, (a % 10) + 1, sum(b) / count(*) FROM t GROUP BY a % 10 ORDER BY a % 10",
        "SELECT st.x, max(f) FROM t GROUP BY st.x HAVING max(f) > 1 ORDER BY max(b)",
        "SELECT a FROM t GROUP BY a ORDER BY sum(b) NULLS FIRST",
        "SELECT count(*) FROM t HAVING count(*) > 1",
        "SELECT DISTINCT a, b FROM t ORDER BY b, a + 0 IS NULL",
        "SELECT s, unnest(list(a)) FROM t GROUP BY s",
        "SELECT any_value(a) + (SELECT max(k) FROM small) FROM t",
        "SELECT a, b IN (SELECT k FROM small) FROM t GROUP BY a, b",
        "SELECT bl, sum(a) FROM t GROUP BY ALL ORDER BY ALL DESC",
    ] {
        let planned = plan(sql);
        if sql.contains("a + 0 IS NULL") {
            assert!(planned.is_err(), "{sql}");
        } else {
            assert!(planned.is_ok(), "{}", planned.map_or_else(|error| error.render(sql), |_| String::new()));
        }
    }
}

#[test]
fn subqueries_without_correlation_are_joined() {
    for sql in [
        "SELECT * FROM t WHERE a IN (SELECT k FROM small WHERE v = 'x')",
        "SELECT * FROM t WHERE a NOT IN (SELECT k FROM small) AND b > (SELECT avg(a) FROM small)",
        "SELECT (a, b) IN (SELECT k, a FROM large) FROM t",
        "SELECT a = ANY(SELECT k FROM small), a <> ALL (SELECT k FROM small), a = ANY([1, 2]) FROM t",
        "SELECT EXISTS (SELECT 1 FROM small), NOT EXISTS (FROM small) FROM t",
        "SELECT (SELECT max(k) FROM small) + 1",
        "SELECT ARRAY(SELECT k FROM small ORDER BY k)",
        "SELECT * FROM t JOIN small ON t.a = small.a AND t.b > (SELECT min(a) FROM large)",
        "SELECT sum(a * (SELECT max(k) FROM small)) FROM t HAVING sum(a) > (SELECT 1)",
        "SELECT (SELECT count(*) FROM (SELECT (SELECT 1) AS one) WHERE one = 1)",
    ] {
        let planned = plan(sql);
        assert!(planned.is_ok(), "{}", planned.map_or_else(|error| error.render(sql), |_| String::new()));
    }
}

#[test]
fn set_operations_meet_in_common_types() {
    for (sql, expected) in [
        ("SELECT 1 AS x UNION SELECT 2.5", "x DECIMAL(11,1)"),
        ("SELECT a FROM t UNION ALL SELECT s FROM t", "a VARCHAR"),
        ("SELECT d FROM t UNION ALL SELECT ts FROM t", "d TIMESTAMP"),
        (
            "SELECT 1 AS a, 2 AS b UNION ALL BY NAME SELECT 'x' AS c, 3 AS b",
            "a INTEGER, b INTEGER, c VARCHAR",
        ),
        ("SELECT a FROM t INTERSECT SELECT k FROM small EXCEPT SELECT 1", "a INTEGER"),
        ("(SELECT a FROM t LIMIT 3) UNION ALL SELECT k FROM small ORDER BY a DESC LIMIT 2", "a INTEGER"),
        ("SELECT NULL AS x UNION ALL SELECT 1", "x INTEGER"),
    ] {
        assert_eq!(columns(sql), expected, "{sql}");
    }
}

#[test]
fn parameters_take_the_types_of_their_places() {
    let parameters = |sql: &str| match plan(sql) {
        Ok(Planned::Query(query)) => {
            let shown = query
                .parameters
                .iter()
                .map(|parameter| format!("{} {}", parameter.name, parameter.data_type));
            shown.collect::<Vec<_>>().join(", ")
        }
        Ok(other) => format!("{other:?}"),
        Err(error) => error.render(sql),
    };
    assert_eq!(parameters("SELECT * FROM t WHERE a = $1 AND d > $2"), "1 INTEGER, 2 DATE");
    assert_eq!(parameters("SELECT * FROM t WHERE a = ? AND s LIKE ?"), "1 INTEGER, 2 VARCHAR");
    assert_eq!(parameters("SELECT $name::DOUBLE, $name"), "name DOUBLE");
    assert_eq!(parameters("SELECT $1"), "1 VARCHAR");
    assert_eq!(parameters("SELECT f FROM t WHERE f IN ($1, $2)"), "1 DOUBLE, 2 DOUBLE");
}

#[test]
fn thousands_of_feature_expressions_plan_quickly() {
    let items: Vec<String> = (0..2_000).map(|i| format!("(a + {i}) * f AS f{i}")).collect();
    let sql = format!("SELECT {} FROM t", items.join(", "));
    let started = std::time::Instant::now();
    assert!(plan(&sql).is_ok());
    assert!(started.elapsed().as_secs() < 20, "{:?}", started.elapsed());
}

#[test]
fn long_chains_and_deep_nests_bind_on_a_small_stack() {
    let thread = std::thread::Builder::new().stack_size(2 << 20).spawn(|| {
        for sql in [
            format!("SELECT a{} FROM t", " + 1".repeat(450)),
            format!("SELECT {}a{} FROM t", "abs(".repeat(150), ")".repeat(150)),
            format!("SELECT a FROM t WHERE a = 0{}", " OR a = b".repeat(3_000)),
            format!("SELECT 1{}", " UNION ALL SELECT 1".repeat(450)),
        ] {
            if sql.contains("abs(") && plan("SELECT abs(a) FROM t").is_err() {
                continue;
            }
            let planned = plan(&sql);
            assert!(planned.is_ok(), "{}", planned.map_or_else(|error| error.to_string(), |_| String::new()));
        }
    });
    assert!(thread.is_ok_and(|thread| thread.join().is_ok()));
}
