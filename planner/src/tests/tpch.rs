//! The queries of TPC-H.

use hypostyle_engine::catalog::Catalog;
use hypostyle_functions::Type;

use super::{add, plan, rewritten};

const MONEY: Type = Type::Decimal(15, 2);

pub(super) fn add_tables(catalog: &Catalog) {
    let (key, int, text, date) = (Type::Int64, Type::Int32, Type::Text, Type::Date);
    let text = |name: &'static str, distinct: u64| (name, text.clone(), distinct);
    let key = |name: &'static str, distinct: u64| (name, key.clone(), distinct);
    let date = |name: &'static str| (name, date.clone(), 2_500);
    let money = |name: &'static str| (name, MONEY, 0);
    add(catalog, "region", 5, &[key("r_regionkey", 5), text("r_name", 5), text("r_comment", 0)]);
    add(
        catalog,
        "nation",
        25,
        &[key("n_nationkey", 25), text("n_name", 25), key("n_regionkey", 5), text("n_comment", 0)],
    );
    add(
        catalog,
        "supplier",
        10_000,
        &[
            key("s_suppkey", 10_000),
            text("s_name", 0),
            text("s_address", 0),
            key("s_nationkey", 25),
            text("s_phone", 0),
            money("s_acctbal"),
            text("s_comment", 0),
        ],
    );
    add(
        catalog,
        "customer",
        150_000,
        &[
            key("c_custkey", 150_000),
            text("c_name", 0),
            text("c_address", 0),
            key("c_nationkey", 25),
            text("c_phone", 0),
            money("c_acctbal"),
            text("c_mktsegment", 5),
            text("c_comment", 0),
        ],
    );
    add(
        catalog,
        "part",
        200_000,
        &[
            key("p_partkey", 200_000),
            text("p_name", 0),
            text("p_mfgr", 5),
            text("p_brand", 25),
            text("p_type", 150),
            ("p_size", int.clone(), 50),
            text("p_container", 40),
            money("p_retailprice"),
            text("p_comment", 0),
        ],
    );
    add(
        catalog,
        "partsupp",
        800_000,
        &[
            key("ps_partkey", 200_000),
            key("ps_suppkey", 10_000),
            ("ps_availqty", int.clone(), 10_000),
            money("ps_supplycost"),
            text("ps_comment", 0),
        ],
    );
    add(
        catalog,
        "orders",
        1_500_000,
        &[
            key("o_orderkey", 1_500_000),
            key("o_custkey", 100_000),
            text("o_orderstatus", 3),
            money("o_totalprice"),
            date("o_orderdate"),
            text("o_orderpriority", 5),
            text("o_clerk", 0),
            ("o_shippriority", int.clone(), 1),
            text("o_comment", 0),
        ],
    );
    add(
        catalog,
        "lineitem",
        6_000_000,
        &[
            key("l_orderkey", 1_500_000),
            key("l_partkey", 200_000),
            key("l_suppkey", 10_000),
            ("l_linenumber", int, 7),
            money("l_quantity"),
            money("l_extendedprice"),
            money("l_discount"),
            money("l_tax"),
            text("l_returnflag", 3),
            text("l_linestatus", 2),
            date("l_shipdate"),
            date("l_commitdate"),
            date("l_receiptdate"),
            text("l_shipinstruct", 4),
            text("l_shipmode", 7),
            text("l_comment", 0),
        ],
    );
}

const Q1: &str = "select l_returnflag, l_linestatus, sum(l_quantity) as sum_qty, sum(l_extendedprice) as sum_base_price, \
    sum(l_extendedprice * (1 - l_discount)) as sum_disc_price, \
    sum(l_extendedprice * (1 - l_discount) * (1 + l_tax)) as sum_charge, avg(l_quantity) as avg_qty, \
    avg(l_extendedprice) as avg_price, avg(l_discount) as avg_disc, count(*) as count_order \
    from lineitem where l_shipdate <= date '1998-12-01' - interval '90' day \
    group by l_returnflag, l_linestatus order by l_returnflag, l_linestatus";
const Q3: &str = "select l_orderkey, sum(l_extendedprice * (1 - l_discount)) as revenue, o_orderdate, o_shippriority \
    from customer, orders, lineitem where c_mktsegment = 'BUILDING' and c_custkey = o_custkey and l_orderkey = o_orderkey \
    and o_orderdate < date '1995-03-15' and l_shipdate > date '1995-03-15' \
    group by l_orderkey, o_orderdate, o_shippriority order by revenue desc, o_orderdate limit 10";
const Q5: &str = "select n_name, sum(l_extendedprice * (1 - l_discount)) as revenue \
    from customer, orders, lineitem, supplier, nation, region \
    where c_custkey = o_custkey and l_orderkey = o_orderkey and l_suppkey = s_suppkey and c_nationkey = s_nationkey \
    and s_nationkey = n_nationkey and n_regionkey = r_regionkey and r_name = 'ASIA' \
    and o_orderdate >= date '1994-01-01' and o_orderdate < date '1994-01-01' + interval '1' year \
    group by n_name order by revenue desc";
const Q6: &str = "select sum(l_extendedprice * l_discount) as revenue from lineitem \
    where l_shipdate >= date '1994-01-01' and l_shipdate < date '1994-01-01' + interval '1' year \
    and l_discount between 0.06 - 0.01 and 0.06 + 0.01 and l_quantity < 24";
const Q7: &str = "select supp_nation, cust_nation, l_year, sum(volume) as revenue from ( \
    select n1.n_name as supp_nation, n2.n_name as cust_nation, extract(year from l_shipdate) as l_year, \
    l_extendedprice * (1 - l_discount) as volume from supplier, lineitem, orders, customer, nation n1, nation n2 \
    where s_suppkey = l_suppkey and o_orderkey = l_orderkey and c_custkey = o_custkey and s_nationkey = n1.n_nationkey \
    and c_nationkey = n2.n_nationkey and ((n1.n_name = 'FRANCE' and n2.n_name = 'GERMANY') \
    or (n1.n_name = 'GERMANY' and n2.n_name = 'FRANCE')) and l_shipdate between date '1995-01-01' and date '1996-12-31' \
    ) as shipping group by supp_nation, cust_nation, l_year order by supp_nation, cust_nation, l_year";
const Q8: &str = "select o_year, sum(case when nation = 'BRAZIL' then volume else 0 end) / sum(volume) as mkt_share from ( \
    select extract(year from o_orderdate) as o_year, l_extendedprice * (1 - l_discount) as volume, n2.n_name as nation \
    from part, supplier, lineitem, orders, customer, nation n1, nation n2, region \
    where p_partkey = l_partkey and s_suppkey = l_suppkey and l_orderkey = o_orderkey and o_custkey = c_custkey \
    and c_nationkey = n1.n_nationkey and n1.n_regionkey = r_regionkey and r_name = 'AMERICA' \
    and s_nationkey = n2.n_nationkey and o_orderdate between date '1995-01-01' and date '1996-12-31' \
    and p_type = 'ECONOMY ANODIZED STEEL') as all_nations group by o_year order by o_year";
const Q9: &str = "select nation, o_year, sum(amount) as sum_profit from ( \
    select n_name as nation, extract(year from o_orderdate) as o_year, \
    l_extendedprice * (1 - l_discount) - ps_supplycost * l_quantity as amount \
    from part, supplier, lineitem, partsupp, orders, nation \
    where s_suppkey = l_suppkey and ps_suppkey = l_suppkey and ps_partkey = l_partkey and p_partkey = l_partkey \
    and o_orderkey = l_orderkey and s_nationkey = n_nationkey and p_name like '%green%') as profit \
    group by nation, o_year order by nation, o_year desc";
const Q10: &str = "select c_custkey, c_name, sum(l_extendedprice * (1 - l_discount)) as revenue, c_acctbal, n_name, \
    c_address, c_phone, c_comment from customer, orders, lineitem, nation \
    where c_custkey = o_custkey and l_orderkey = o_orderkey and o_orderdate >= date '1993-10-01' \
    and o_orderdate < date '1993-10-01' + interval '3' month and l_returnflag = 'R' and c_nationkey = n_nationkey \
    group by c_custkey, c_name, c_acctbal, c_phone, n_name, c_address, c_comment order by revenue desc limit 20";
const Q11: &str = "select ps_partkey, sum(ps_supplycost * ps_availqty) as value from partsupp, supplier, nation \
    where ps_suppkey = s_suppkey and s_nationkey = n_nationkey and n_name = 'GERMANY' group by ps_partkey \
    having sum(ps_supplycost * ps_availqty) > (select sum(ps_supplycost * ps_availqty) * 0.0001 \
    from partsupp, supplier, nation where ps_suppkey = s_suppkey and s_nationkey = n_nationkey and n_name = 'GERMANY') \
    order by value desc";
const Q12: &str = "select l_shipmode, \
    sum(case when o_orderpriority = '1-URGENT' or o_orderpriority = '2-HIGH' then 1 else 0 end) as high_line_count, \
    sum(case when o_orderpriority <> '1-URGENT' and o_orderpriority <> '2-HIGH' then 1 else 0 end) as low_line_count \
    from orders, lineitem where o_orderkey = l_orderkey and l_shipmode in ('MAIL', 'SHIP') \
    and l_commitdate < l_receiptdate and l_shipdate < l_commitdate and l_receiptdate >= date '1994-01-01' \
    and l_receiptdate < date '1994-01-01' + interval '1' year group by l_shipmode order by l_shipmode";
const Q13: &str = "select c_count, count(*) as custdist from ( select c_custkey, count(o_orderkey) from customer \
    left outer join orders on c_custkey = o_custkey and o_comment not like '%special%requests%' group by c_custkey \
    ) as c_orders (c_custkey, c_count) group by c_count order by custdist desc, c_count desc";
const Q14: &str = "select 100.00 * sum(case when p_type like 'PROMO%' then l_extendedprice * (1 - l_discount) else 0 end) \
    / sum(l_extendedprice * (1 - l_discount)) as promo_revenue from lineitem, part where l_partkey = p_partkey \
    and l_shipdate >= date '1995-09-01' and l_shipdate < date '1995-09-01' + interval '1' month";
const Q15: &str = "with revenue (supplier_no, total_revenue) as ( \
    select l_suppkey, sum(l_extendedprice * (1 - l_discount)) from lineitem where l_shipdate >= date '1996-01-01' \
    and l_shipdate < date '1996-01-01' + interval '3' month group by l_suppkey) \
    select s_suppkey, s_name, s_address, s_phone, total_revenue from supplier, revenue where s_suppkey = supplier_no \
    and total_revenue = (select max(total_revenue) from revenue) order by s_suppkey";
const Q16: &str = "select p_brand, p_type, p_size, count(distinct ps_suppkey) as supplier_cnt from partsupp, part \
    where p_partkey = ps_partkey and p_brand <> 'Brand#45' and p_type not like 'MEDIUM POLISHED%' \
    and p_size in (49, 14, 23, 45, 19, 3, 36, 9) and ps_suppkey not in ( \
    select s_suppkey from supplier where s_comment like '%Customer%Complaints%') \
    group by p_brand, p_type, p_size order by supplier_cnt desc, p_brand, p_type, p_size";
const Q18: &str = "select c_name, c_custkey, o_orderkey, o_orderdate, o_totalprice, sum(l_quantity) \
    from customer, orders, lineitem where o_orderkey in ( \
    select l_orderkey from lineitem group by l_orderkey having sum(l_quantity) > 300) \
    and c_custkey = o_custkey and o_orderkey = l_orderkey group by c_name, c_custkey, o_orderkey, o_orderdate, o_totalprice \
    order by o_totalprice desc, o_orderdate limit 100";
const Q19: &str = "select sum(l_extendedprice* (1 - l_discount)) as revenue from lineitem, part where \
    (p_partkey = l_partkey and p_brand = 'Brand#12' and p_container in ('SM CASE', 'SM BOX', 'SM PACK', 'SM PKG') \
    and l_quantity >= 1 and l_quantity <= 1 + 10 and p_size between 1 and 5 and l_shipmode in ('AIR', 'AIR REG') \
    and l_shipinstruct = 'DELIVER IN PERSON') or \
    (p_partkey = l_partkey and p_brand = 'Brand#23' and p_container in ('MED BAG', 'MED BOX', 'MED PKG', 'MED PACK') \
    and l_quantity >= 10 and l_quantity <= 10 + 10 and p_size between 1 and 10 and l_shipmode in ('AIR', 'AIR REG') \
    and l_shipinstruct = 'DELIVER IN PERSON') or \
    (p_partkey = l_partkey and p_brand = 'Brand#34' and p_container in ('LG CASE', 'LG BOX', 'LG PACK', 'LG PKG') \
    and l_quantity >= 20 and l_quantity <= 20 + 10 and p_size between 1 and 15 and l_shipmode in ('AIR', 'AIR REG') \
    and l_shipinstruct = 'DELIVER IN PERSON')";

#[test]
fn queries_without_correlation_plan() {
    for (number, sql) in [
        (1, Q1),
        (3, Q3),
        (5, Q5),
        (6, Q6),
        (7, Q7),
        (8, Q8),
        (9, Q9),
        (10, Q10),
        (11, Q11),
        (12, Q12),
        (13, Q13),
        (14, Q14),
        (15, Q15),
        (16, Q16),
        (18, Q18),
        (19, Q19),
    ] {
        let planned = plan(sql);
        assert!(
            planned.is_ok(),
            "Q{number}: {}",
            planned.map_or_else(|error| error.render(sql), |_| String::new())
        );
    }
}

/// The text of a query of `tests/tpch`.
fn listed(number: u32) -> String {
    let path = format!("{}/../tests/tpch/q{number:02}.sql", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(path).unwrap_or_default().trim().to_owned()
}

#[test]
fn queries_with_correlation_become_joins_with_keys() {
    for (number, kind) in
        [(2, "Inner"), (4, "Semi"), (17, "Inner"), (20, "Inner"), (21, "Anti"), (22, "Anti")]
    {
        let plan = rewritten(&listed(number));
        assert!(plan.contains(&format!("{kind} join on")), "Q{number}: {plan}");
        // Neither a domain nor an outer join is left.
        assert!(!plan.contains("is not distinct from"), "Q{number}: {plan}");
        assert!(!plan.contains("Left join") && !plan.contains("Single join"), "Q{number}: {plan}");
    }
    let plan = rewritten(&listed(21));
    assert!(plan.contains("Semi join on") && plan.contains("and <>("), "{plan}");
}

#[test]
fn joins_start_from_what_is_selective() {
    // The filtered customers are built, and the largest table is only probed.
    let plan = rewritten(Q3);
    assert!(!plan.contains("Inner join\n"), "no join without a key: {plan}");
    let lineitem = plan.find("scan lineitem");
    assert!(lineitem < plan.find("scan orders") && lineitem < plan.find("scan customer"), "{plan}");
    for sql in [Q5, Q7, Q8, Q9] {
        let plan = rewritten(sql);
        assert!(!plan.contains("Inner join\n"), "{plan}");
    }
}

#[test]
fn the_or_of_q19_leaves_a_key_and_a_filter_on_each_side() {
    let plan = rewritten(Q19);
    assert!(plan.contains("Inner join on"), "{plan}");
    assert_eq!(plan.matches("filter").count(), 2, "{plan}");
}

#[test]
fn not_in_of_q16_is_an_anti_join_that_knows_nulls() {
    assert!(rewritten(Q16).contains("LeftAntiNullAware join"));
}
