use super::rewritten;

#[test]
fn only_what_is_read_is_scanned() {
    let plan = rewritten("SELECT a + 1 FROM t WHERE f > 1");
    assert!(plan.contains("scan t [#0 a, #4 f]"), "{plan}");
    let plan = rewritten("SELECT count(*) FROM t");
    assert!(plan.contains("scan t []"), "{plan}");
    let plan = rewritten("SELECT x FROM (SELECT a AS x, f + b AS y FROM t ORDER BY a)");
    assert!(plan.contains("scan t [#0 a]"), "{plan}");
}

#[test]
fn exact_filters_move_into_the_scan_and_inexact_ones_stay_too() {
    let plan = rewritten("SELECT a FROM t WHERE b = 3 AND f > 1 AND s LIKE 'x%'");
    assert!(plan.contains("where =(#1, 3), >(#4, 1)"), "{plan}");
    assert!(plan.contains("filter >(#4, 1), like(#2, 'x%', '')"), "{plan}");
    // The column of the exact filter is read by the table and by nobody else.
    assert!(plan.contains("[#0 a, #2 s, #4 f]"), "{plan}");
}

#[test]
fn filters_move_through_projections_groups_and_unions() {
    let plan =
        rewritten("SELECT * FROM (SELECT a AS x, sum(b) AS y FROM t GROUP BY a) WHERE x = 3 AND y > 1");
    assert!(plan.contains("where =(#0, 3)"), "{plan}");
    let plan = rewritten("SELECT * FROM (SELECT k FROM small UNION ALL SELECT k FROM large) WHERE k = 3");
    assert_eq!(plan.matches("where =(").count(), 2, "{plan}");
}

#[test]
fn a_cross_join_with_an_equality_becomes_a_hash_join_that_builds_the_smaller_side() {
    let plan = rewritten("SELECT small.v, w FROM small, large WHERE small.k = large.k AND w > 1 AND v = 'x'");
    let (join, large, small) = (plan.find("Inner join on"), plan.find("scan large"), plan.find("scan small"));
    assert!(join < large && large < small, "{plan}");
    assert!(plan.contains("where =(#2, 'x')") || plan.contains("where =("), "{plan}");
}

#[test]
fn an_outer_join_whose_nulls_are_filtered_is_an_inner_join() {
    let plan = rewritten("SELECT * FROM t LEFT JOIN small ON t.a = small.a WHERE small.k = 3");
    assert!(plan.contains("Inner join"), "{plan}");
    let plan = rewritten("SELECT * FROM t LEFT JOIN small ON t.a = small.a WHERE small.k IS NULL");
    assert!(plan.contains("Left join"), "{plan}");
}

#[test]
fn conditions_of_an_outer_join_go_only_where_they_may() {
    let plan = rewritten(
        "SELECT * FROM t LEFT JOIN small ON t.a = small.a AND small.k = 3 AND t.b = 7 WHERE t.b = 5",
    );
    assert!(plan.contains("and =(#1, 7)"), "{plan}");
    assert!(plan.contains("where =(#1, 5)"), "{plan}");
    assert_eq!(plan.matches("where =(").count(), 2, "{plan}");
}

#[test]
fn in_becomes_a_semi_join_and_not_in_a_null_aware_anti_join() {
    let plan = rewritten("SELECT a FROM t WHERE a IN (SELECT k FROM small)");
    assert!(plan.contains("LeftSemi join on #0 ="), "{plan}");
    let plan = rewritten("SELECT a FROM t WHERE a NOT IN (SELECT k FROM small) AND b = 1");
    assert!(plan.contains("LeftAntiNullAware join"), "{plan}");
    let plan = rewritten("SELECT a FROM t WHERE a IN (SELECT k FROM small) OR b = 1");
    assert!(plan.contains("LeftMark join"), "{plan}");
}

#[test]
fn what_all_branches_of_an_or_share_becomes_a_key() {
    let plan = rewritten(
        "SELECT w FROM small, large WHERE (small.k = large.k AND v = 'a' AND w > 1) \
         OR (small.k = large.k AND v = 'b' AND w > 2)",
    );
    assert!(plan.contains("Inner join on"), "{plan}");
    // Each side also gets what the branches say of it alone.
    assert!(plan.contains("filter in_list(") || plan.contains("filter or("), "{plan}");
}

#[test]
fn a_limit_over_a_sort_keeps_only_the_first_rows() {
    let plan = rewritten("SELECT a, f FROM t ORDER BY f DESC LIMIT 5 OFFSET 2");
    assert!(plan.contains("limit 5 offset 2"), "{plan}");
    assert!(plan.contains("desc limit 7"), "{plan}");
    let plan = rewritten("SELECT a FROM t LIMIT 5");
    assert!(plan.contains("scan t [#0 a] limit 5"), "{plan}");
    let plan = rewritten("SELECT a FROM t ORDER BY f LIMIT 0");
    assert!(plan.starts_with("values 0 x"), "{plan}");
}

#[test]
fn equalities_with_constants_become_a_list_and_impossible_filters_no_rows() {
    let plan = rewritten("SELECT a FROM t WHERE a = 1 OR a = 2 OR a IN (3, 4)");
    assert!(plan.contains("in_list(#0, 1, 2, 3, 4)"), "{plan}");
    let plan = rewritten("SELECT a FROM t WHERE a = 1 AND false");
    assert!(plan.contains("values 0 x") && !plan.contains("scan"), "{plan}");
    let plan = rewritten("SELECT a FROM t WHERE true");
    assert!(!plan.contains("filter"), "{plan}");
}

#[test]
fn a_widened_column_is_compared_in_its_own_type() {
    let plan = rewritten("SELECT a FROM t WHERE a::BIGINT = 5::BIGINT");
    assert!(plan.contains("=(#0, 5)") && !plan.contains("cast"), "{plan}");
}

#[test]
fn nested_projections_are_one() {
    let plan = rewritten("SELECT y + 1 AS z FROM (SELECT x * 2 AS y FROM (SELECT a AS x FROM t))");
    assert_eq!(plan.matches("project").count(), 1, "{plan}");
}

#[test]
fn constants_are_computed_while_planning() {
    let plan = rewritten("SELECT a FROM t WHERE d <= DATE '1998-12-01' - INTERVAL '90' DAY AND f < 2 * 3.5");
    assert!(plan.contains("<=(#3, Date(10471))"), "{plan}");
    assert!(plan.contains("<(#4, 7)"), "{plan}");
    // What fails stays, and fails only where a row uses it.
    let plan = rewritten("SELECT CASE WHEN a > 1 THEN 1 // 0 END FROM t");
    assert!(plan.contains("//(1, 0)"), "{plan}");
}

#[test]
fn large_lists_are_not_computed_while_planning() {
    let plan = rewritten("SELECT range(1000000000)");
    assert!(plan.contains("range("), "{plan}");
    let plan = rewritten("SELECT range(3)");
    assert!(!plan.contains("range("), "{plan}");
}

#[test]
fn equalities_are_followed_through_a_third_table() {
    // part and partsupp meet only in lineitem; joined first they leave few rows to look for in it.
    let plan = rewritten(
        "SELECT l_quantity FROM part, lineitem, partsupp WHERE ps_suppkey = l_suppkey AND ps_partkey = l_partkey
         AND p_partkey = l_partkey AND p_name LIKE '%green%'",
    );
    assert_eq!(plan.matches("Inner join").count(), 2, "{plan}");
    let below: Vec<&str> = plan.lines().skip_while(|line| !line.contains("scan lineitem")).skip(1).collect();
    assert!(below.iter().any(|line| line.contains("Inner join on #25 = #0")), "{plan}");
}

#[test]
fn two_columns_of_one_table_that_equal_a_third_equal_one_another() {
    let plan = rewritten("SELECT t.f FROM t, small WHERE t.a = small.a AND t.b = small.a AND small.k = t.a");
    assert_eq!(plan.matches("Inner join").count(), 1, "{plan}");
    let plan =
        rewritten("SELECT l.w FROM t, small, large l WHERE t.a = small.a AND small.k = t.a AND l.k = t.a");
    // small.a = small.k follows, and is tested where small is read.
    assert!(plan.contains("where =(") || plan.contains("filter =("), "{plan}");
}

#[test]
fn a_semi_join_moves_to_the_table_whose_rows_it_chooses() {
    let plan = rewritten(
        "SELECT count(*) FROM customer, orders, lineitem WHERE o_orderkey IN
         (SELECT l_orderkey FROM lineitem GROUP BY l_orderkey HAVING sum(l_quantity) > 300)
         AND c_custkey = o_custkey AND o_orderkey = l_orderkey",
    );
    let (semi, inner) = (plan.find("LeftSemi join"), plan.find("Inner join"));
    assert!(inner < semi, "{plan}");
    let below = &plan[semi.unwrap()..];
    assert!(below.lines().nth(1).unwrap().contains("scan orders"), "{plan}");
}

#[test]
fn the_smaller_side_of_a_semi_join_is_built() {
    let plan = rewritten("SELECT v FROM small WHERE k IN (SELECT k FROM large)");
    let (join, large, small) =
        (plan.find("RightSemi join"), plan.find("scan large"), plan.find("scan small"));
    assert!(join.is_some() && join < large && large < small, "{plan}");
    let plan = rewritten("SELECT k FROM large WHERE k IN (SELECT k FROM small)");
    assert!(plan.contains("LeftSemi join"), "{plan}");
}
