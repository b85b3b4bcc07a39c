use crate::parse::{parse_expression, parse_statements};
use crate::tree::{ExplainFormat, ExpressionKind, OrderBy, QueryBody, StatementKind, TableKind};

fn shown(sql: &str) -> String {
    parse_expression(sql).map_or_else(|error| error.to_string(), |expression| expression.to_string())
}

fn refused(sql: &str) -> String {
    match parse_statements(sql) {
        Ok(_) => panic!("{sql} was accepted"),
        Err(error) => error.to_string(),
    }
}

fn statement(sql: &str) -> StatementKind {
    match parse_statements(sql) {
        Ok(mut statements) if statements.len() == 1 => statements.remove(0).kind,
        Ok(statements) => panic!("{} statements in {sql}", statements.len()),
        Err(error) => panic!("{}", error.render(sql)),
    }
}

#[test]
fn operators_bind_as_in_duckdb() {
    for (sql, expected) in [
        ("2 + 3 || 'x'", "((2 + 3) || 'x')"),
        ("1 << 2 + 1", "(1 << (2 + 1))"),
        ("-2 ^ 2", "(-2 ^ 2)"),
        ("2 ^ 3 ^ 2", "((2 ^ 3) ^ 2)"),
        ("2 ** 3 ** 2", "((2 ** 3) ** 2)"),
        ("2 * 3 ^ 2", "(2 * (3 ^ 2))"),
        ("not 1 = 2", "(NOT (1 = 2))"),
        ("1 = 1 is null", "((1 = 1) IS NULL)"),
        ("1 + 2 between 1 and 3 = true", "(((1 + 2) BETWEEN 1 AND 3) = true)"),
        ("'a' || 'b' like 'ab'", "(('a' || 'b') ~~ 'ab')"),
        ("5 & 3 = 1", "((5 & 3) = 1)"),
        ("10 - 2 - 3 * 2 % 4", "((10 - 2) - ((3 * 2) % 4))"),
        ("a // b % c", "((a // b) % c)"),
        ("a and b and c or d", "((a AND b AND c) OR d)"),
        ("-x::int", "(-(CAST(x AS INT)))"),
        ("@ -5", "(@(-5))"),
        ("5!", "factorial(5)"),
        ("a ^@ 'x'", "(a ^@ 'x')"),
        ("a glob 'x*'", "(a ~~~ 'x*')"),
        ("a ~ 'x' and b !~ 'y'", "(regexp_matches(a, 'x') AND (NOT regexp_matches(b, 'y')))"),
        ("a is not distinct from b and c", "((a IS NOT DISTINCT FROM b) AND c)"),
        ("x isnull or y notnull", "((x IS NULL) OR (y IS NOT NULL))"),
    ] {
        assert_eq!(shown(sql), expected, "{sql}");
    }
}

#[test]
fn forms_print_as_duckdb_names_columns() {
    for (sql, expected) in [
        ("COUNT(*)", "count_star()"),
        ("Sum(DISTINCT a) FILTER (WHERE b > 1)", "sum(DISTINCT a) FILTER (WHERE (b > 1))"),
        ("string_agg(s, ',' ORDER BY a DESC)", "string_agg(s, ',' ORDER BY a DESC)"),
        ("l[1:2:1]", "l[1:2:1]"),
        ("l[:2]", "l[:2]"),
        ("l[2:-:2]", "l[2:NULL:2]"),
        ("0x1F", "31"),
        ("l[-1][2]", "l[-1][2]"),
        ("m['a']", "m['a']"),
        ("case a when 1 then 2 end", "CASE  WHEN ((a = 1)) THEN (2) ELSE NULL END"),
        ("a not between 1 and 2", "(NOT (a BETWEEN 1 AND 2))"),
        ("s not like 'x' escape '$'", "(NOT like_escape(s, 'x', '$'))"),
        ("s similar to 'a'", "regexp_full_match(s, 'a')"),
        ("try_cast(s as decimal(10, 2))", "TRY_CAST(s AS DECIMAL(10, 2))"),
        ("DATE '2020-01-01'", "CAST('2020-01-01' AS DATE)"),
        ("extract(year from d)", "date_part('year', d)"),
        ("substring(s from 2 for 3)", "\"substring\"(s, 2, 3)"),
        ("trim(leading 'x' from s)", "ltrim(s, 'x')"),
        ("position('a' in s)", "\"position\"(s, 'a')"),
        ("[a, 1, ]", "list_value(a, 1)"),
        ("{'x': a, date: 2, d: 3}", "struct_pack(x := a, date := 2, d := 3)"),
        ("MAP {'x': a, 2: b}", "\"map\"(list_value('x', 2), list_value(a, b))"),
        ("list_transform(l, x -> x + 1)", "list_transform(l, (lambda x: (x + 1)))"),
        ("list_reduce(l, (x, y) -> x + y)", "list_reduce(l, (lambda x, y: (x + y)))"),
        ("list_transform(l, lambda x, i: x + i)", "list_transform(l, (lambda x, i: (x + i)))"),
        ("f(x, closed => 'left', open := 1)", "f(x, closed := 'left', open := 1)"),
        ("a.b -> 'x' ->> 'y'", "((a.b -> 'x') ->> 'y')"),
        ("x::FLOAT[3]", "CAST(x AS FLOAT[3])"),
        ("x::STRUCT(a INT, b VARCHAR[])", "CAST(x AS STRUCT(a INT, b VARCHAR[]))"),
        ("x::MAP(VARCHAR, INT)", "CAST(x AS MAP(VARCHAR, INT))"),
        (
            "try_cast(x AS STRUCT(m MAP(INT, DOUBLE[]), f FLOAT[2])[])",
            "TRY_CAST(x AS STRUCT(m MAP(INT, DOUBLE[]), f FLOAT[2])[])",
        ),
        ("try(a / 0)", "TRY((a / 0))"),
        ("a in [1, 2]", "(a IN (list_value(1, 2)))"),
        ("(a, b) in ((1, 2), (3, 4))", "(\"row\"(a, b) IN (\"row\"(1, 2), \"row\"(3, 4)))"),
        ("interval 3 days", "INTERVAL 3 DAYS"),
        ("$1 + ? + ? + $name", "((($1 + $1) + $2) + $name)"),
        ("(s).f.g[1]", "((s).f).g[1]"),
        ("1_000 + 1e3", "(1000 + 1e3)"),
        ("E'a\\nb'", "'a\nb'"),
        ("$$it's$$", "'it''s'"),
        ("x'0aff'", "X'0aff'"),
        ("s.upper()", "upper(s)"),
        ("[x * 2 FOR x IN l]", "list_transform(l, (lambda x: (x * 2)))"),
        (
            "[x FOR x IN [1, 2] IF x > 1]",
            "list_transform(list_filter(list_value(1, 2), (lambda x: (x > 1))), (lambda x: x))",
        ),
        ("ceil(a) + floor(b)", "(ceil(a) + floor(b))"),
    ] {
        assert_eq!(shown(sql), expected, "{sql}");
    }
}

#[test]
fn a_negative_literal_is_one_constant() {
    let expression = parse_expression("-9223372036854775808").map(|expression| expression.kind);
    assert!(matches!(expression, Ok(ExpressionKind::Literal(_))));
}

#[test]
fn statements_of_our_own_are_read() {
    assert!(matches!(statement("DESCRIBE t"), StatementKind::Describe(_)));
    assert!(matches!(statement("SUMMARIZE 'x.parquet';"), StatementKind::Summarize(_)));
    assert!(matches!(statement("SHOW TABLES"), StatementKind::ShowTables));
    assert!(matches!(statement("SHOW ALL TABLES"), StatementKind::ShowAllTables));
    assert!(matches!(statement("show functions"), StatementKind::ShowFunctions));
    assert!(matches!(statement("SET memory_limit = '1GB'"), StatementKind::Set { .. }));
    assert!(matches!(statement("SET SESSION threads TO 4"), StatementKind::Set { .. }));
    assert!(matches!(statement("PRAGMA threads=4"), StatementKind::Set { .. }));
    assert!(matches!(statement("RESET threads"), StatementKind::Reset(_)));
    assert!(matches!(statement("PREPARE p AS SELECT $1 + ?"), StatementKind::Prepare { .. }));
    assert!(matches!(statement("EXECUTE p(1, name := 2)"), StatementKind::Execute { .. }));
    assert!(matches!(statement("DEALLOCATE p"), StatementKind::Deallocate(_)));
    assert!(matches!(
        statement("CREATE OR REPLACE TEMP VIEW v(a, b) AS SELECT 1, 2"),
        StatementKind::CreateView(view) if view.replace && view.columns.len() == 2
    ));
    assert!(matches!(statement("CREATE TABLE IF NOT EXISTS t AS FROM x"), StatementKind::CreateTable(_)));
    assert!(matches!(statement("CREATE MACRO f(x, y := 2) AS x + y"), StatementKind::CreateMacro(_)));
    assert!(matches!(statement("CREATE FUNCTION t(n) AS TABLE SELECT n"), StatementKind::CreateMacro(_)));
    assert!(matches!(statement("DROP VIEW IF EXISTS v"), StatementKind::Drop { if_exists: true, .. }));
    assert!(matches!(
        statement("EXPLAIN (ANALYZE, FORMAT JSON) SELECT 1"),
        StatementKind::Explain { analyze: true, format: ExplainFormat::Json, .. }
    ));
}

#[test]
fn copy_keeps_its_options() {
    let StatementKind::Copy(copy) = statement(
        "COPY (SELECT 1) TO 'x.parquet' (FORMAT parquet, COMPRESSION 'zstd', HEADER, PARTITION_BY (a, b))",
    ) else {
        panic!("COPY was read as something else")
    };
    assert_eq!(copy.target, "x.parquet");
    let options: Vec<String> = copy
        .options
        .iter()
        .map(|(name, value)| match value {
            Some(value) => format!("{name}={value}"),
            None => name.to_string(),
        })
        .collect();
    assert_eq!(
        options,
        ["FORMAT='parquet'", "COMPRESSION='zstd'", "HEADER", "PARTITION_BY=list_value('a', 'b')"]
    );
}

#[test]
fn friendly_queries_are_read() {
    for sql in [
        "FROM t",
        "FROM 'data/*.parquet' SELECT a, b WHERE a > 1",
        "SELECT * EXCLUDE (a, b) REPLACE (c + 1 AS c) RENAME (d AS e) FROM t",
        "SELECT t.* EXCLUDE a, COLUMNS('x.*') FROM t",
        "SELECT a, count(*), FROM t GROUP BY ALL ORDER BY ALL DESC NULLS FIRST LIMIT 3 OFFSET 2",
        "VALUES (1, 'a'), (2, 'b')",
        "SELECT * FROM (VALUES (1), (2)) AS v(x)",
        "WITH a AS (SELECT 1), b(x) AS (FROM a) SELECT * FROM b",
        "SELECT * FROM a JOIN b USING (x, y) LEFT JOIN c ON a.x = c.x NATURAL JOIN d CROSS JOIN e",
        "SELECT * FROM a SEMI JOIN b ON a.x = b.x ANTI JOIN c USING (x)",
        "SELECT 1 UNION ALL BY NAME SELECT 2 EXCEPT SELECT 3 INTERSECT SELECT 4",
        "SELECT unnest(l) FROM t, unnest([1, 2]) AS u(x), range(3), LATERAL (SELECT 1)",
        "SELECT a FROM read_csv('x.csv', header = true, delim => ',')",
        "SELECT sum(x = 1), count_if(a = b AND c) FROM t",
        "FROM t WHERE a > 1 GROUP BY a",
        "WITH x AS MATERIALIZED (FROM t WHERE a), y AS NOT MATERIALIZED (SELECT 1) FROM x WHERE a UNION FROM y WHERE b",
        "SELECT extract(year FROM d), (a) FROM t WHERE b IN (FROM u WHERE c)",
        "SELECT count(*) FILTER (a > 1) FROM t",
        "SELECT * FROM (DESCRIBE t) AS d JOIN (SUMMARIZE SELECT 1) ON true, (SHOW TABLES) WHERE x",
        "SELECT TIMESTAMP_S '2020-01-01', timestamp_ns FROM t",
    ] {
        assert!(matches!(statement(sql), StatementKind::Query(_)), "{sql}");
    }
}

#[test]
fn a_quoted_path_is_a_path_and_a_quoted_name_is_not() {
    let table = |sql: &str| match statement(sql) {
        StatementKind::Query(query) => match query.body {
            QueryBody::Select(select) => select.from.into_iter().next().map(|table| table.kind),
            _ => None,
        },
        _ => None,
    };
    assert!(matches!(table("FROM 'x.csv'"), Some(TableKind::Path(path)) if path == "x.csv"));
    assert!(matches!(table("FROM \"x.csv\""), Some(TableKind::Named(_))));
}

#[test]
fn order_by_all_is_kept() {
    let StatementKind::Query(query) = statement("SELECT a FROM t ORDER BY ALL DESC") else {
        panic!("no query")
    };
    assert!(matches!(query.order_by, OrderBy::All { descending: true, nulls_first: None }));
}

#[test]
fn a_syntax_error_names_the_place_and_the_token() {
    for (sql, expected) in [
        ("SELECT a,, b FROM t", "line 1, column 10: unexpected \",\"; expected an expression"),
        ("SELECT a\nFROM t WHERE", "line 2, column 13: the text ends where an expression should be"),
        (
            "SELEKT 1",
            "line 1, column 1: unexpected \"SELEKT\"; expected a statement such as SELECT, COPY, CREATE or DESCRIBE",
        ),
        ("SELECT 'abc", "line 1, column 8: unterminated string literal"),
        ("SELECT 1 FROM t x y", "line 1, column 19: unexpected \"y\"; expected the end of the statement"),
        ("INSERT INTO t VALUES (1)", "line 1, column 1: INSERT is not supported yet"),
        ("TRUNCATE t", "line 1, column 1: TRUNCATE is not supported yet"),
        ("SELECT 1 < 2 < 3", "line 1, column 8: comparisons cannot be chained; combine them with AND"),
        (
            "SELECT rank() OVER (ORDER BY a ROWS UNBOUNDED FOLLOWING) FROM t",
            "line 1, column 8: a frame cannot start at UNBOUNDED FOLLOWING",
        ),
    ] {
        assert_eq!(refused(sql), expected, "{sql}");
    }
}

#[test]
fn an_error_inside_a_derived_table_is_reported_there() {
    let message = refused("SELECT * FROM (SELECT a FROM t WHERE a > ) x");
    assert!(message.starts_with("line 1, column 42:"), "{message}");
}

#[test]
fn deep_nesting_is_an_error_and_not_an_overflow() {
    for (open, close, count) in
        [("(", ")", 100_000), ("[", "]", 5_000), ("f(", ")", 5_000), ("-", "", 100_000)]
    {
        let sql = format!("SELECT {}1{}", open.repeat(count), close.repeat(count));
        let message = refused(&sql);
        assert!(message.contains("nests deeper than") || open == "-", "{message}");
    }
    let chain = format!("SELECT 1{}", " + 1".repeat(100_000));
    assert!(refused(&chain).contains("nests deeper than"));
    let queries = format!("SELECT {}1{}", "(SELECT ".repeat(1_000), ")".repeat(1_000));
    assert!(refused(&queries).contains("nests deeper than"));
    let not = format!("SELECT {} true", "NOT ".repeat(100_000));
    assert!(refused(&not).contains("nests deeper than"));
}

#[test]
fn allowed_nesting_is_read_on_a_small_stack() {
    let thread = std::thread::Builder::new().stack_size(1 << 20).spawn(|| {
        for sql in [
            format!("SELECT {}1{}", "(".repeat(190), ")".repeat(190)),
            format!("SELECT 1{}", " + 1".repeat(450)),
            format!("SELECT {} true", "NOT ".repeat(190)),
            format!("SELECT a = 0{} FROM t", " OR a = 1".repeat(10_000)),
            format!("SELECT 1{}", " UNION ALL SELECT 1".repeat(450)),
        ] {
            let result = parse_statements(&sql);
            assert!(result.is_ok(), "{:?}", result.map(|_| ()).map_err(|error| error.to_string()));
        }
    });
    assert!(thread.is_ok_and(|thread| thread.join().is_ok()));
}

#[test]
fn hopeless_text_fails_in_bounded_time() {
    for sql in [
        format!("SELECT {}", "(x) -> (".repeat(60)),
        format!("SELECT {}", "case-".repeat(200)),
        format!("SELECT * FROM {}", "((select * from ".repeat(60)),
        format!("SELECT {}", "a IN (".repeat(90)),
        format!("SELECT {}", "cast(case when ".repeat(60)),
        format!("SELECT {}", "interval ".repeat(150)),
    ] {
        let started = std::time::Instant::now();
        assert!(parse_statements(&sql).is_err());
        assert!(started.elapsed().as_secs() < 5, "{sql}");
    }
}
