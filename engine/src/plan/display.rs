//! Plans as text and JSON: what EXPLAIN shows. The same plan gives the same text, always.

use std::fmt::{self, Write};

use arrow::util::display::{ArrayFormatter, FormatOptions};
use hypostyle_functions::column::literal_array;
use hypostyle_functions::types::{Field, Schema, Type};
use hypostyle_functions::value::{Literal, Value};
use serde_json::{Map, Value as Json, json};

use super::{
    AggregateCall, AsofIndex, AsofJoin, CallPhase, Exclusion, Expression, FrameBound, FrameUnits, JoinKey,
    JoinKind, Node, OrderCondition, Plan, RangeJoin, SampleMethod, SampleSize, SortKey, TableReference,
    Window, WindowCall, WindowFrame, WindowFunction, WriteTarget,
};
use crate::expression::ExpressionMetrics;
use crate::metrics::{ExpressionFigures, Metrics, OperatorFigures};

/// Expressions of one operator that the text shows, the most expensive first; JSON and the page hold all.
const SHOWN_EXPRESSIONS: usize = 8;

/// Columns of a table whose names are shown in the conditions of a scan; those behind them show their position.
const NAMED_MAX: usize = 1 << 16;

/// One node a line, inputs below it and further in.
impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(lines(self, None).trim_end())
    }
}

/// An expression with columns by position: `#0`.
impl fmt::Display for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&shown(self, &Schema::default()))
    }
}

impl Expression {
    /// The expression with the names of the columns that it reads.
    pub fn shown_over(&self, schema: &Schema) -> String {
        shown(self, schema)
    }
}

impl Plan {
    /// The plan with the figures of a run behind each node: what EXPLAIN ANALYZE shows.
    pub fn display_analyzed(&self, metrics: &Metrics) -> String {
        lines(self, Some(metrics)).trim_end().into()
    }

    /// The plan as JSON: per node its name, details, columns, the planner's estimate, figures of a run if there was
    /// one, and inputs.
    pub fn to_json_text(&self, metrics: Option<&Metrics>) -> String {
        let json = to_json(self, metrics, &mut 0);
        serde_json::to_string_pretty(&json)
            .unwrap_or_else(|error| json!({ "error": error.to_string() }).to_string())
    }
}

fn lines(plan: &Plan, metrics: Option<&Metrics>) -> String {
    let mut text = String::new();
    add_lines(plan, metrics, 0, &mut 0, &mut text);
    text
}

fn add_lines(plan: &Plan, metrics: Option<&Metrics>, depth: usize, node: &mut usize, text: &mut String) {
    let detail = details(plan);
    let space = if detail.is_empty() { "" } else { " " };
    let indent = "  ".repeat(depth);
    let _ = write!(text, "{indent}{}{space}{detail}", plan.node.name());
    if let Some(figures) = metrics.and_then(|metrics| metrics.operators.get(*node)) {
        let _ = write!(text, "  {}", figures_text(figures));
        add_expressions(plan, figures, &indent, text);
    }
    text.push('\n');
    *node += 1;
    for input in plan.inputs() {
        add_lines(input, metrics, depth + 1, node, text);
    }
}

fn figures_text(figures: &OperatorFigures) -> String {
    let OperatorFigures { rows, batches, nanoseconds, .. } = figures;
    let mut text = format!("(rows {rows}, batches {batches}, {:.3} ms", *nanoseconds as f64 / 1e6);
    let amounts = [
        ("read", figures.read_bytes),
        ("output", figures.bytes),
        ("memory", figures.peak_memory_bytes),
        ("spilled", figures.spilled_bytes),
    ];
    for (name, bytes) in amounts {
        if bytes > 0 {
            let _ = write!(text, ", {name} {}", bytes_text(bytes));
        }
    }
    text + ")"
}

/// A line for each of the expressions that took most of the time.
fn add_expressions(plan: &Plan, figures: &OperatorFigures, indent: &str, text: &mut String) {
    let mut expressions: Vec<&ExpressionFigures> = figures.expressions.iter().collect();
    expressions.sort_by_key(|one| std::cmp::Reverse(one.work.nanoseconds));
    for one in expressions.iter().take(SHOWN_EXPRESSIONS) {
        let time = one.work.nanoseconds as f64 / 1e6;
        let _ = write!(text, "\n{indent}  - {time:.3} ms  {}", expression_text(plan, &one.expression));
    }
    if expressions.len() > SHOWN_EXPRESSIONS {
        let _ = write!(text, "\n{indent}  - and {} more", expressions.len() - SHOWN_EXPRESSIONS);
    }
}

/// An expression that an operator evaluates, with the names of the columns of its (first) input.
pub(super) fn expression_text(plan: &Plan, expression: &Expression) -> String {
    let inputs = plan.inputs();
    shown(expression, inputs.first().map_or(&plan.schema, |input| &input.schema))
}

/// Bytes in the largest binary unit that leaves at least one.
pub(super) fn bytes_text(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["bytes", "KiB", "MiB", "GiB", "TiB"];
    let unit = (bytes.max(1).ilog2() / 10).min(4);
    match unit {
        0 => format!("{bytes} bytes"),
        _ => format!("{:.1} {}", bytes as f64 / (1u64 << (10 * unit)) as f64, UNITS[unit as usize]),
    }
}

fn to_json(plan: &Plan, metrics: Option<&Metrics>, node: &mut usize) -> Json {
    let mut object = Map::new();
    object.insert("node".into(), plan.node.name().into());
    object.insert("details".into(), details(plan).into());
    let columns = plan.schema.fields.iter();
    let columns = columns.map(|field| json!({ "name": field.name, "type": field.data_type.to_string() }));
    object.insert("columns".into(), columns.collect());
    if let Some(rows) = plan.estimated_rows {
        object.insert("estimated_rows".into(), rows.into());
    }
    if let Some(figures) = metrics.and_then(|metrics| metrics.operators.get(*node)) {
        object.insert("figures".into(), figures_json(plan, figures));
    }
    *node += 1;
    let inputs = plan.inputs().into_iter().map(|input| to_json(input, metrics, node));
    object.insert("inputs".into(), inputs.collect());
    Json::Object(object)
}

fn figures_json(plan: &Plan, figures: &OperatorFigures) -> Json {
    let expressions = figures.expressions.iter().map(|one| {
        let ExpressionMetrics { rows, nanoseconds } = one.work;
        let text = expression_text(plan, &one.expression);
        json!({ "expression": text, "rows": rows, "nanoseconds": nanoseconds })
    });
    json!({
        "rows": figures.rows,
        "batches": figures.batches,
        "bytes": figures.bytes,
        "nanoseconds": figures.nanoseconds,
        "peak_memory_bytes": figures.peak_memory_bytes,
        "spilled_bytes": figures.spilled_bytes,
        "read_bytes": figures.read_bytes,
        "expressions": expressions.collect::<Vec<_>>(),
    })
}

/// The columns of a table, as far as the plan knows their names: those that come out.
fn table_schema(projection: &[usize], output: &Schema) -> Schema {
    let named = || projection.iter().zip(&output.fields).filter(|(position, _)| **position < NAMED_MAX);
    let width = named().map(|(position, _)| position + 1).max().unwrap_or(0);
    let mut fields: Vec<Field> =
        (0..width).map(|position| Field::new(format!("#{position}"), Type::Null)).collect();
    named().for_each(|(&position, field)| fields[position] = field.clone());
    Schema { fields }
}

/// Most fields of a struct that are named.
const SHOWN_FIELDS: usize = 8;

/// The fields of structs that a scan reads, as in `{a, b{c}}`; nothing for other types.
fn fields_text(data_type: &Type) -> String {
    match data_type {
        Type::List(element) | Type::FixedList(element, _) => fields_text(element),
        Type::Struct(fields) => {
            let shown = fields.iter().take(SHOWN_FIELDS);
            let mut names: Vec<String> =
                shown.map(|field| field.name.clone() + &fields_text(&field.data_type)).collect();
            if fields.len() > SHOWN_FIELDS {
                names.push(format!("and {} more", fields.len() - SHOWN_FIELDS));
            }
            format!("{{{}}}", names.join(", "))
        }
        _ => String::new(),
    }
}

/// What a node does, without its name and inputs.
pub(super) fn details(plan: &Plan) -> String {
    let names =
        |schema: &Schema| schema.fields.iter().map(|field| field.name.clone()).collect::<Vec<_>>().join(", ");
    match &plan.node {
        Node::Scan { table, projection, filters, limit } => {
            let read =
                plan.schema.fields.iter().map(|field| field.name.clone() + &fields_text(&field.data_type));
            let mut text = format!("{} [{}]", table_text(table), read.collect::<Vec<_>>().join(", "));
            if !filters.is_empty() {
                let schema = table_schema(projection, &plan.schema);
                let _ = write!(text, " where {}", all(filters.iter(), &schema, " AND "));
            }
            if let Some(limit) = limit {
                let _ = write!(text, " limit {limit}");
            }
            text
        }
        Node::Values { rows } => format!("{} rows [{}]", rows.len(), names(&plan.schema)),
        Node::Filter { input, predicate } => shown(predicate, &input.schema),
        Node::Project { input, expressions } => {
            let one = |(expression, field): (&Expression, &hypostyle_functions::Field)| {
                let text = shown(expression, &input.schema);
                if text == field.name { text } else { format!("{text} AS {}", field.name) }
            };
            let columns = expressions.iter().zip(&plan.schema.fields).map(one);
            format!("[{}]", columns.collect::<Vec<_>>().join(", "))
        }
        Node::Limit { offset, count, .. } => match (offset, count) {
            (0, Some(count)) => count.to_string(),
            (offset, Some(count)) => format!("{count} offset {offset}"),
            (offset, None) => format!("offset {offset}"),
        },
        Node::Sort { input, keys, limit } => {
            let keys = sort_text(keys, &input.schema);
            limit.map_or_else(|| format!("by {keys}"), |limit| format!("{limit} by {keys}"))
        }
        Node::Aggregate { input, keys, sets, aggregates } => {
            let calls =
                aggregates.iter().map(|call| call_text(call, &input.schema)).collect::<Vec<_>>().join(", ");
            match keys.is_empty() {
                true => format!("[{calls}]"),
                false => {
                    format!(
                        "[{calls}] by {}{}",
                        all(keys.iter(), &input.schema, ", "),
                        sets_text(keys, sets, input)
                    )
                }
            }
        }
        Node::HashJoin { left, right, kind, keys, residual } => {
            join_text(*kind, keys, residual.as_ref(), &left.schema, &right.schema)
        }
        Node::CrossJoin { left, right, kind, condition } => {
            join_text(*kind, &[], condition.as_ref(), &left.schema, &right.schema)
        }
        Node::AsofJoin(join) => asof_text(join),
        Node::RangeJoin(join) => range_text(join),
        Node::Unnest { input, lists, outer } => {
            format!("{}{}", if *outer { "outer " } else { "" }, all(lists.iter(), &input.schema, ", "))
        }
        Node::Window { input, window } => window_text(window, &input.schema),
        Node::Sample { method, size, seed, .. } => {
            let method = match method {
                SampleMethod::Bernoulli => "bernoulli",
                SampleMethod::System => "system",
                SampleMethod::Reservoir => "reservoir",
            };
            let size = match size {
                SampleSize::Percent(percent) => format!("{percent}%"),
                SampleSize::Rows(rows) => format!("{rows} rows"),
            };
            let seed = seed.map_or_else(String::new, |seed| format!(" seed {seed}"));
            format!("{method} {size}{seed}")
        }
        Node::ComputedLimit { amounts, .. } => match amounts.schema.fields.first() {
            Some(field) if field.data_type == Type::Float64 => "percent".into(),
            _ => String::new(),
        },
        Node::Recursive { table, distinct, keys, .. } => {
            let named = |key: &usize| plan.schema.fields.get(*key).map_or("", |field| field.name.as_str());
            let keys: Vec<&str> = keys.iter().map(named).collect();
            let by = if keys.is_empty() { String::new() } else { format!(" by [{}]", keys.join(", ")) };
            format!("#{table}{}{by}", if *distinct { " distinct" } else { "" })
        }
        Node::WorkTable { table, all } => format!("#{table}{}", if *all { " all" } else { "" }),
        Node::PositionalJoin { .. } => String::new(),
        Node::Repeat { input, count } => format!("{} times", shown(count, &input.schema)),
        Node::Union { .. } | Node::SingleRow { .. } => String::new(),
        Node::Shared { table, .. } => format!("#{table}"),
        Node::SharedRows { table, .. } => format!("#{table} [{}]", names(&plan.schema)),
        Node::Write { target, .. } => match target {
            WriteTarget::File { path, format, .. } => format!("'{path}' as {format}"),
            WriteTarget::Table { name, replace } => {
                format!("table {name}{}", if *replace { ", replacing" } else { "" })
            }
        },
    }
}

fn table_text(table: &TableReference) -> String {
    match table {
        TableReference::Named(name) => name.clone(),
        TableReference::Function { name, arguments, options } => {
            let arguments = arguments.iter().map(literal_text);
            let options = options.iter().map(|(name, value)| format!("{name} => {}", literal_text(value)));
            format!("{name}({})", arguments.chain(options).collect::<Vec<_>>().join(", "))
        }
    }
}

fn join_text(
    kind: JoinKind,
    keys: &[JoinKey],
    residual: Option<&Expression>,
    left: &Schema,
    right: &Schema,
) -> String {
    let kind = kind_text(kind);
    let both = Schema::new(left.fields.iter().chain(&right.fields).cloned().collect());
    let equal = |key: &JoinKey| {
        let operator = if key.nulls_match { "IS NOT DISTINCT FROM" } else { "=" };
        format!("{} {operator} {}", shown(&key.left, left), shown(&key.right, right))
    };
    let conditions: Vec<String> =
        keys.iter().map(equal).chain(residual.map(|condition| shown(condition, &both))).collect();
    if conditions.is_empty() { kind.into() } else { format!("{kind} on {}", conditions.join(" AND ")) }
}

fn kind_text(kind: JoinKind) -> &'static str {
    match kind {
        JoinKind::Inner => "inner",
        JoinKind::Left => "left",
        JoinKind::Right => "right",
        JoinKind::Full => "full",
        JoinKind::LeftSemi => "semi",
        JoinKind::LeftAnti => "anti",
        JoinKind::RightSemi => "right semi",
        JoinKind::RightAnti => "right anti",
        JoinKind::LeftAntiNullAware => "anti, as NOT IN",
        JoinKind::LeftMark => "mark",
        JoinKind::LeftSingle => "single",
    }
}

fn order_text(order: &OrderCondition, left: &Schema, right: &Schema) -> String {
    format!("{} {} {}", shown(&order.left, left), order.comparison.operator(), shown(&order.right, right))
}

fn range_text(join: &RangeJoin) -> String {
    let (left, right) = (&join.left.schema, &join.right.schema);
    let both = Schema::new(left.fields.iter().chain(&right.fields).cloned().collect());
    let orders = join.conditions.iter().map(|condition| order_text(condition, left, right));
    let conditions = orders.chain(join.residual.iter().map(|condition| shown(condition, &both)));
    format!("{} on {}", kind_text(join.kind), conditions.collect::<Vec<_>>().join(" AND "))
}

fn asof_text(join: &AsofJoin) -> String {
    let (left, right) = (&join.left.schema, &join.right.schema);
    let mut text = join_text(join.kind, &join.keys, join.residual.as_ref(), left, right);
    let order = order_text(&join.order, left, right);
    let is_first = join.keys.is_empty() && join.residual.is_none();
    let _ = write!(text, " {} {order}", if is_first { "on" } else { "AND" });
    if let Some(limit) = &join.limit {
        let comparison = if join.order.comparison.is_greater() { ">=" } else { "<=" };
        let _ =
            write!(text, " within {} {comparison} {}", shown(&join.order.right, right), shown(limit, left));
    }
    if !join.ties.is_empty() {
        let _ = write!(text, " ties by {}", sort_text(&join.ties, right));
    }
    if !join.last_not_null.is_empty() {
        let name = |&column: &usize| right.fields.get(column).map_or("?", |field| field.name.as_str());
        let names: Vec<&str> = join.last_not_null.iter().map(name).collect();
        let _ = write!(text, " last not null [{}]", names.join(", "));
    }
    if join.index == AsofIndex::Left {
        text.push_str(", left side indexed");
    }
    text
}

/// Calls by the order they stand over: `[rank()] by k order x; [sum(x) ROWS ..] by k`.
fn window_text(window: &Window, schema: &Schema) -> String {
    let by = match window.partition.is_empty() {
        true => String::new(),
        false => format!(" by {}", all(window.partition.iter(), schema, ", ")),
    };
    let of_order = |(position, keys): (usize, &Vec<SortKey>)| {
        let calls = window.calls.iter().filter(|call| call.order == position);
        let calls = calls.map(|call| window_call_text(call, schema)).collect::<Vec<_>>().join(", ");
        let order =
            if keys.is_empty() { String::new() } else { format!(" order {}", sort_text(keys, schema)) };
        format!("[{calls}]{by}{order}")
    };
    let text = window.orders.iter().enumerate().map(of_order).collect::<Vec<_>>().join("; ");
    match window.limit {
        Some(limit) => {
            format!("first {}{} of {text}", limit.rows, if limit.with_ties { " with ties" } else { "" })
        }
        None => text,
    }
}

fn window_call_text(call: &WindowCall, schema: &Schema) -> String {
    let mut text = match &call.function {
        WindowFunction::Aggregate(call) => call_text(call, schema),
        WindowFunction::Positional { name, arguments, ignore_nulls, order, .. } => {
            let mut inside = all(arguments.iter(), schema, ", ");
            if !order.is_empty() {
                let _ = write!(inside, " ORDER BY {}", sort_text(order, schema));
            }
            if *ignore_nulls {
                inside.push_str(" IGNORE NULLS");
            }
            format!("{name}({inside})")
        }
    };
    if let Some(frame) = frame_text(&call.frame, schema) {
        let _ = write!(text, " {frame}");
    }
    text
}

/// The frame; nothing for the one that is there if none is written.
fn frame_text(frame: &WindowFrame, schema: &Schema) -> Option<String> {
    if *frame == WindowFrame::default() {
        return None;
    }
    let units = match frame.units {
        FrameUnits::Rows => "ROWS",
        FrameUnits::Range => "RANGE",
        FrameUnits::Groups => "GROUPS",
    };
    let bound = |bound: &FrameBound| match bound {
        FrameBound::UnboundedPreceding => "UNBOUNDED PRECEDING".into(),
        FrameBound::Preceding(value) => format!("{} PRECEDING", shown(value, schema)),
        FrameBound::CurrentRow => "CURRENT ROW".into(),
        FrameBound::Following(value) => format!("{} FOLLOWING", shown(value, schema)),
        FrameBound::UnboundedFollowing => "UNBOUNDED FOLLOWING".into(),
    };
    let exclude = match frame.exclude {
        Exclusion::None => "",
        Exclusion::CurrentRow => " EXCLUDE CURRENT ROW",
        Exclusion::Group => " EXCLUDE GROUP",
        Exclusion::Ties => " EXCLUDE TIES",
    };
    Some(format!("{units} {} .. {}{exclude}", bound(&frame.start), bound(&frame.end)))
}

fn sort_text(keys: &[SortKey], schema: &Schema) -> String {
    let key = |key: &SortKey| {
        let direction = if key.descending { " DESC" } else { "" };
        let nulls = if key.nulls_first { " NULLS FIRST" } else { "" };
        format!("{}{direction}{nulls}", shown(&key.expression, schema))
    };
    keys.iter().map(key).collect::<Vec<_>>().join(", ")
}

/// The grouping sets: ` in sets (a, b), (a), ()`; nothing for the plain form.
fn sets_text(keys: &[Expression], sets: &[Vec<usize>], input: &Plan) -> String {
    if sets.is_empty() {
        return String::new();
    }
    let set = |set: &Vec<usize>| {
        let keys = set.iter().filter_map(|&position| keys.get(position));
        format!("({})", all(keys, &input.schema, ", "))
    };
    format!(" in sets {}", sets.iter().map(set).collect::<Vec<_>>().join(", "))
}

fn call_text(call: &AggregateCall, schema: &Schema) -> String {
    let distinct = if call.distinct { "DISTINCT " } else { "" };
    let arguments = match call.arguments.is_empty() && call.function == "count" {
        true => "*".into(),
        false => all(call.arguments.iter(), schema, ", "),
    };
    let order = if call.order.is_empty() {
        String::new()
    } else {
        format!(" ORDER BY {}", sort_text(&call.order, schema))
    };
    let filter =
        call.filter.as_ref().map_or_else(String::new, |filter| format!(" FILTER {}", shown(filter, schema)));
    let phase = match &call.phase {
        CallPhase::Whole => "",
        CallPhase::State { .. } => " as state",
        CallPhase::Merge { keeps_state: true, .. } => " of states, as state",
        CallPhase::Merge { keeps_state: false, .. } => " of states",
    };
    format!("{}({distinct}{arguments}{order}){filter}{phase}", call.function)
}

fn all<'a>(expressions: impl Iterator<Item = &'a Expression>, schema: &Schema, between: &str) -> String {
    expressions.map(|expression| shown(expression, schema)).collect::<Vec<_>>().join(between)
}

/// An expression with the names of the columns it reads.
fn shown(expression: &Expression, schema: &Schema) -> String {
    match expression {
        Expression::Column { index, .. } => {
            schema.fields.get(*index).map_or_else(|| format!("#{index}"), |field| field.name.clone())
        }
        Expression::Literal(literal) => literal_text(literal),
        Expression::Parameter { index, .. } => format!("${}", index + 1),
        Expression::Variable { id, .. } => format!("v{id}"),
        Expression::Call { function, arguments, .. } => call_expression_text(function, arguments, schema),
        Expression::Lambda { parameters, body } => {
            let parameters = parameters.iter().map(|(id, _)| format!("v{id}")).collect::<Vec<_>>().join(", ");
            format!("({parameters}) -> {}", shown(body, schema))
        }
        Expression::Cast { input, to, is_try, .. } => {
            format!("{}({} AS {to})", if *is_try { "TRY_CAST" } else { "CAST" }, shown(input, schema))
        }
        Expression::And(operands) => format!("({})", all(operands.iter(), schema, " AND ")),
        Expression::Or(operands) => format!("({})", all(operands.iter(), schema, " OR ")),
        Expression::Case { branches, otherwise, .. } => {
            let mut text = String::from("CASE");
            for (when, then) in branches {
                let _ = write!(text, " WHEN {} THEN {}", shown(when, schema), shown(then, schema));
            }
            if let Some(otherwise) = otherwise {
                let _ = write!(text, " ELSE {}", shown(otherwise, schema));
            }
            text + " END"
        }
        Expression::Coalesce { arguments, .. } => {
            format!("coalesce({})", all(arguments.iter(), schema, ", "))
        }
        Expression::Try(input) => format!("TRY({})", shown(input, schema)),
    }
}

/// A call; operators stand between or before their operands.
fn call_expression_text(function: &str, arguments: &[Expression], schema: &Schema) -> String {
    let is_operator = !function.chars().any(|character| character.is_alphanumeric() || character == '_');
    match arguments {
        [left, right] if is_operator => {
            format!("({} {function} {})", shown(left, schema), shown(right, schema))
        }
        [operand] if is_operator => format!("({function}{})", shown(operand, schema)),
        _ => format!("{function}({})", all(arguments.iter(), schema, ", ")),
    }
}

fn literal_text(literal: &Literal) -> String {
    match &literal.value {
        Value::Null => "NULL".into(),
        Value::Text(text) => format!("'{}'", text.replace('\'', "''")),
        _ => formatted(literal).unwrap_or_else(|| format!("{:?}", literal.value)),
    }
}

/// Elements of a shared list that a plan shows.
const SHOWN_ELEMENTS: usize = 32;

/// The value as Arrow writes it.
fn formatted(literal: &Literal) -> Option<String> {
    if let Value::Shared(list) = &literal.value
        && list.len() > SHOWN_ELEMENTS
    {
        let front = (0..SHOWN_ELEMENTS).map(|place| list.value(place)).collect();
        let front = formatted(&Literal::new(Value::List(list.element().clone(), front)))?;
        return Some(format!("{}, .. of {}]", front.trim_end_matches(']'), list.len()));
    }
    let array = literal_array(literal).ok()?;
    let options = FormatOptions::default();
    let formatter = ArrayFormatter::try_new(array.as_ref(), &options).ok()?;
    formatter.value(0).try_to_string().ok()
}
