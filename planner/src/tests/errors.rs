use super::{error, type_of};

#[test]
fn an_unknown_name_is_placed_and_suggests_the_nearest() {
    for (sql, expected) in [
        ("SELECT emb FROM t", "line 1, column 8: no column \"emb\"; did you mean \"embedding\"?"),
        (
            "SELECT t.embeding FROM t",
            "line 1, column 10: no column \"embeding\"; did you mean \"embedding\"?",
        ),
        ("SELECT a\nFROM smal", "line 2, column 6: no table \"smal\"; did you mean \"small\"?"),
        ("SELECT x.a FROM t", "line 1, column 8: no table \"x\""),
        ("SELECT lenght(s) FROM t", "line 1, column 8: no function \"lenght\"; did you mean \"length\"?"),
        ("SELECT st.nam FROM t", "line 1, column 11: no field \"nam\"; did you mean \"name\"?"),
        ("SELECT a::INTEGR FROM t", "line 1, column 11: no type \"INTEGR\"; did you mean \"INTEGER\"?"),
        ("FROM rang(3)", "line 1, column 6: no table function \"rang\"; did you mean \"range\"?"),
        ("EXECUTE nothing", "line 1, column 9: no prepared statement \"nothing\""),
        ("DROP TABLE smal", "line 1, column 12: no table \"smal\"; did you mean \"small\"?"),
        ("SELECT * REPLACE (1 AS z) FROM small", "line 1, column 24: no column \"z\""),
        ("SELECT * EXCLUDE (z) FROM small", "line 1, column 19: no column \"z\""),
    ] {
        assert_eq!(error(sql), expected, "{sql}");
    }
}

#[test]
fn broken_rules_are_named() {
    for (sql, expected) in [
        (
            "SELECT a FROM t, small",
            "line 1, column 8: column \"a\" is ambiguous: it is in t and small; write one of them before it",
        ),
        (
            "SELECT b FROM t GROUP BY a",
            "line 1, column 8: column \"b\" must stand in GROUP BY or inside an aggregate such as any_value(b)",
        ),
        (
            "SELECT a FROM t WHERE sum(b) > 1",
            "line 1, column 23: WHERE cannot hold the aggregate sum; use HAVING",
        ),
        ("SELECT sum(sum(a)) FROM t", "line 1, column 12: aggregate sum stands inside another aggregate"),
        (
            "SELECT a FROM t GROUP BY 3",
            "line 1, column 26: GROUP BY 3 is outside of the select list, which has 1 items",
        ),
        (
            "SELECT a FROM t ORDER BY 2",
            "line 1, column 26: ORDER BY 2 is outside of the select list, which has 1 items",
        ),
        (
            "SELECT DISTINCT a FROM t ORDER BY b",
            "line 1, column 35: ORDER BY of SELECT DISTINCT can only hold what is selected",
        ),
        ("SELECT a FROM t LIMIT -1", "line 1, column 24: LIMIT is a whole number from 0"),
        ("SELECT a FROM t LIMIT a", "line 1, column 23: no column \"a\""),
        (
            "SELECT 1 UNION SELECT 1, 2",
            "line 1, column 16: both sides of UNION need as many columns; the left has 1, the right 2",
        ),
        ("SELECT (SELECT 1, 2)", "line 1, column 9: a subquery in an expression gives one column, not 2"),
        ("SELECT y + 1, 1 AS y", "line 1, column 8: \"y\" is defined after this place in the select list"),
        (
            "WITH c AS (SELECT 1), c AS (SELECT 2) FROM c",
            "line 1, column 23: table \"c\" is there twice in WITH",
        ),
        ("VALUES (1, 2), (3)", "line 1, column 17: row 2 of VALUES has 1 values; the first has 2"),
        ("SELECT * FROM (SELECT 1) AS q(a, b)", "line 1, column 16: \"q\" has 1 columns, not 2"),
        (
            "SELECT * FROM 'x.unknown'",
            "line 1, column 15: \"x.unknown\" has no extension that tells its format; use read_parquet, read_csv, read_json or read_arrow",
        ),
        (
            "SELECT range(3) FROM t WHERE read_parquet(1)",
            "line 1, column 30: \"read_parquet\" is a table function: it stands in FROM",
        ),
        ("FROM read_parquet('x', nope = 1)", "line 1, column 6: no option \"nope\""),
        ("FROM range(a)", "line 1, column 12: no column \"a\""),
        ("COPY t TO 'x.orc' (FORMAT orc)", "line 1, column 11: no format \"orc\""),
        ("EXPLAIN SET a = 1", "line 1, column 9: EXPLAIN takes a statement that has a plan"),
        (
            "SELECT * FROM small s WHERE EXISTS (SELECT 1 FROM large WHERE large.k = s.nope)",
            "line 1, column 75: no column \"nope\"",
        ),
        (
            "SELECT * FROM small s RIGHT JOIN LATERAL (SELECT s.k) u ON true",
            "line 1, column 43: a table that reads columns of the tables before it can only be joined by INNER or LEFT JOIN",
        ),
        (
            "SELECT a, (SELECT max(w) FROM large WHERE large.k = small.k) FROM small GROUP BY a",
            "line 1, column 12: column \"k\" must stand in GROUP BY or inside an aggregate such as any_value(k)",
        ),
        (
            "SELECT (SELECT k, w FROM large WHERE k = small.k) FROM small",
            "line 1, column 9: a subquery in an expression gives one column, not 2",
        ),
        (
            "SELECT a FROM small WHERE (SELECT sum(small.k)) > 1",
            "line 1, column 35: WHERE cannot hold the aggregate sum; use HAVING",
        ),
        ("SELECT list_transform([1], e -> (SELECT e))", "line 1, column 34: a lambda cannot hold a subquery"),
        (
            "CREATE TABLE small AS SELECT 1",
            "line 1, column 14: table \"small\" is there already; use CREATE OR REPLACE",
        ),
        ("CREATE MACRO f(x) AS f(x) + 1", "line 1, column 14: macro \"f\" calls itself"),
    ] {
        assert_eq!(error(sql), expected, "{sql}");
    }
}

#[test]
fn wrong_types_say_what_would_be_right() {
    for (expression, expected) in [
        ("s < d", "error: cannot compare VARCHAR with DATE; cast one of them"),
        ("case when bl then s else a end", "error: CASE mixes VARCHAR and INTEGER; cast one of them"),
        ("[s, a]", "error: a list mixes VARCHAR and INTEGER; cast one of them"),
        ("not d", "error: the operand of NOT has type DATE; expected BOOLEAN"),
        ("upper(a)", "error: upper: argument 1 has type INTEGER; expected VARCHAR"),
        ("list_transform(l, 3)", "error: list_transform: argument 2 has type INTEGER; expected LAMBDA"),
        ("s.x", "error: a value of type VARCHAR has no field \"x\""),
        ("x -> x", "error: no column \"x\""),
        ("unnest(a)", "error: unnest takes a list; this is INTEGER"),
        ("upper(DISTINCT s)", "error: upper is no aggregate: it takes no DISTINCT, FILTER or ORDER BY"),
        ("{'a': 1, 'A': 2}", "error: field \"A\" is there twice"),
        ("a::DECIMAL(50, 2)", "error: DECIMAL(50, 2) needs a precision of 1 to 38 and a scale up to it"),
        ("a::UUID", "error: type UUID is not supported yet"),
        ("interval 3 parsecs", "error: no column \"interval\""),
    ] {
        let found = type_of(expression);
        if expression == "interval 3 parsecs" || expression == "x -> x" {
            assert!(found.starts_with("error"), "{expression}: {found}");
            continue;
        }
        assert_eq!(found, expected, "{expression}");
    }
}

#[test]
fn a_quoted_constant_that_cannot_be_read_is_refused_where_it_stands() {
    let found = error("SELECT * FROM t WHERE d = 'yesterday'");
    assert!(found.starts_with("line 1, column 27: ") && found.contains("yesterday"), "{found}");
    let found = error("SELECT * FROM t WHERE a IN (1, 'x')");
    assert!(found.starts_with("line 1, column 32: "), "{found}");
}
