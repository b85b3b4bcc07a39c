//! Subqueries become joins, and need the distinct outer values only where an equality does not do.

use super::rewritten;

#[test]
fn an_equality_needs_no_domain() {
    for sql in [
        "SELECT a FROM t WHERE EXISTS (SELECT 1 FROM small WHERE small.a = t.a)",
        "SELECT a FROM t WHERE a NOT IN (SELECT k FROM small WHERE small.a = t.a)",
        "SELECT a, (SELECT max(k) FROM small WHERE small.a = t.a) FROM t",
        "SELECT a, (SELECT k FROM small WHERE small.a = t.a ORDER BY v LIMIT 1) FROM t",
        "SELECT a, (SELECT count(*) FROM (SELECT DISTINCT k FROM small WHERE small.a = t.a)) FROM t",
        "SELECT a, u.n FROM t, (SELECT count(*) AS n FROM small WHERE small.a = t.a) u",
    ] {
        let plan = rewritten(sql);
        assert_eq!(plan.matches("scan t ").count(), 1, "{sql}\n{plan}");
    }
}

#[test]
fn another_comparison_needs_a_domain_only_below_a_grouping() {
    let plan = rewritten("SELECT a FROM t WHERE EXISTS (SELECT 1 FROM small WHERE small.a < t.a)");
    assert_eq!(plan.matches("scan t ").count(), 1, "{plan}");
    let plan = rewritten("SELECT a, (SELECT max(k) FROM small WHERE small.a < t.a) FROM t");
    assert_eq!(plan.matches("scan t ").count(), 2, "{plan}");
    assert!(plan.contains("is not distinct from"), "{plan}");
}

#[test]
fn exists_is_a_semi_or_anti_join_and_a_mark_only_among_other_conditions() {
    let exists = "EXISTS (SELECT 1 FROM small WHERE small.a = t.a AND small.k <> t.b)";
    let plan = rewritten(&format!("SELECT a FROM t WHERE {exists}"));
    assert!(plan.contains("LeftSemi join on") && plan.contains("and <>("), "{plan}");
    let plan = rewritten(&format!("SELECT a FROM t WHERE NOT {exists}"));
    assert!(plan.contains("LeftAnti join on"), "{plan}");
    let plan = rewritten(&format!("SELECT a FROM t WHERE {exists} OR b = 1"));
    assert!(plan.contains("LeftMark join on"), "{plan}");
}

#[test]
fn what_ties_not_in_to_its_row_is_never_unknown() {
    let plan =
        rewritten("SELECT a FROM t WHERE a NOT IN (SELECT k FROM small WHERE small.a = t.b AND v < s)");
    assert!(plan.contains("LeftAntiNullAware join"), "{plan}");
    assert!(plan.contains("is not distinct from") && plan.contains("coalesce(<("), "{plan}");
    assert!(plan.contains("is_not_null("), "{plan}");
}

#[test]
fn a_count_over_nothing_is_zero() {
    let plan = rewritten("SELECT a, (SELECT count(*) FROM small WHERE small.a = t.a) FROM t");
    assert!(plan.contains("Left join on") && plan.contains("coalesce(") && plan.contains(", 0)"), "{plan}");
}

#[test]
fn a_subquery_of_one_row_at_most_needs_no_check_for_several() {
    let plan = rewritten("SELECT a, (SELECT k FROM small WHERE small.a = t.a LIMIT 1) FROM t");
    assert!(plan.contains("Left join on") && plan.contains("first("), "{plan}");
    let plan = rewritten("SELECT a, (SELECT k FROM small WHERE small.a = t.a) FROM t");
    assert!(plan.contains("LeftSingle join on"), "{plan}");
}

#[test]
fn a_comparison_with_an_aggregate_leaves_an_inner_join() {
    let plan = rewritten("SELECT a FROM t WHERE b < (SELECT 2 * max(k) FROM small WHERE small.a = t.a)");
    assert!(plan.contains("Inner join on") && !plan.contains("Left join"), "{plan}");
}

#[test]
fn a_list_of_the_row_is_unnested_in_place() {
    let plan = rewritten("SELECT a, e FROM t, (SELECT e FROM unnest(l) u(e) WHERE e > 1)");
    assert_eq!(plan.matches("join").count(), 0, "{plan}");
    assert!(plan.contains("unnest"), "{plan}");
}

#[test]
fn an_inner_level_reads_what_the_outer_level_equals() {
    let plan = rewritten(
        "SELECT a FROM t WHERE EXISTS (SELECT 1 FROM small s WHERE s.a = t.a AND s.k > \
         (SELECT avg(k) FROM small u WHERE u.a = t.a))",
    );
    assert_eq!(plan.matches("scan t ").count(), 1, "{plan}");
}

#[test]
fn several_first_rows_are_numbered_for_each_outer_row() {
    let plan =
        rewritten("SELECT t.a, u.k FROM t, (SELECT k FROM small WHERE small.a = t.a ORDER BY v LIMIT 2) u");
    assert!(plan.contains("window by [#") && plan.contains("row_number"), "{plan}");
    assert_eq!(plan.matches("scan t ").count(), 1, "{plan}");
}

#[test]
fn a_grouped_table_of_with_is_gathered_once_for_all_its_uses() {
    let table = "(SELECT k, sum(w) AS n FROM large GROUP BY k)";
    let uses = "SELECT x.k FROM c x JOIN c y ON x.n = y.n";
    let plan = rewritten(&format!("WITH c AS {table} {uses}"));
    assert!(plan.contains("share 0") && plan.matches("scan large").count() == 1, "{plan}");
    let plan = rewritten(&format!("WITH c AS NOT MATERIALIZED {table} {uses}"));
    assert_eq!(plan.matches("scan large").count(), 2, "{plan}");
    let plan = rewritten(&format!("WITH c AS {table} SELECT k FROM c"));
    assert!(!plan.contains("share"), "{plan}");
    // Conditions reach the tables of what is cheap to read twice.
    let plan =
        rewritten("WITH c AS (SELECT k, w FROM large) SELECT 1 FROM c x JOIN c y ON x.k = y.k AND x.k = 1");
    assert!(!plan.contains("share") && plan.matches("where =(").count() == 2, "{plan}");
    let plan = rewritten(
        "WITH c AS MATERIALIZED (SELECT k, w FROM large) SELECT x.k FROM c x JOIN c y ON x.k = y.k",
    );
    assert!(plan.contains("share 0") && plan.contains("scan large [#0 k]"), "{plan}");
}
