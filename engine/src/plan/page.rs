//! A plan as a picture: one self-contained HTML page with the tree drawn as SVG, for EXPLAIN (FORMAT HTML).
//!
//! Rows flow upwards from scans to the result, as in the text. The width of an edge grows with the logarithm of the
//! rows on it, the warmth of a box with its share of the time. Nothing is loaded from anywhere and no script runs.

use std::fmt::Write;

use super::Plan;
use super::display::{bytes_text, details, expression_text};
use crate::metrics::{Metrics, OperatorFigures};

const BOX_WIDTH: f64 = 264.0;
const BOX_HEIGHT: f64 = 92.0;
const GAP_X: f64 = 28.0;
const GAP_Y: f64 = 54.0;
const MARGIN: f64 = 24.0;
/// Characters of details that fit on a line of a box, and the lines.
const LINE_CHARACTERS: usize = 36;
const DETAIL_LINES: usize = 2;

/// A node with its place in the picture and its number in the plan.
struct Placed<'a> {
    plan: &'a Plan,
    number: usize,
    parent: Option<usize>,
    x: f64,
    y: f64,
    figures: Option<&'a OperatorFigures>,
}

impl Plan {
    /// The plan as a self-contained HTML page, with the figures of a run if there was one.
    pub fn to_html(&self, metrics: Option<&Metrics>) -> String {
        let mut nodes = Vec::new();
        let width = place(self, metrics, None, 0, MARGIN, &mut nodes);
        let depth = nodes.iter().map(|node| node.y).fold(0.0, f64::max);
        let (width, height) = (width + MARGIN, depth + BOX_HEIGHT + MARGIN);
        let total: u64 =
            nodes.iter().filter_map(|node| node.figures).map(|figures| figures.nanoseconds).sum();
        let mut page = String::from(HEAD);
        add_summary(&nodes, total, &mut page);
        let _ = write!(
            page,
            "<div class=\"picture\"><svg viewBox=\"0 0 {width:.0} {height:.0}\" width=\"{width:.0}\" \
             height=\"{height:.0}\" role=\"img\" aria-label=\"plan\">"
        );
        nodes.iter().for_each(|node| add_edge(node, &nodes, &mut page));
        nodes.iter().for_each(|node| add_box(node, total, &mut page));
        page.push_str("</svg></div>");
        add_table(&nodes, total, &mut page);
        page.push_str("</main></body></html>\n");
        page
    }
}

/// Places a node and what is below it from `left` on; the right end of what it took.
fn place<'a>(
    plan: &'a Plan,
    metrics: Option<&'a Metrics>,
    parent: Option<usize>,
    depth: usize,
    left: f64,
    nodes: &mut Vec<Placed<'a>>,
) -> f64 {
    let number = nodes.len();
    let figures = metrics.and_then(|metrics| metrics.operators.get(number));
    let y = MARGIN + depth as f64 * (BOX_HEIGHT + GAP_Y);
    nodes.push(Placed { plan, number, parent, x: left, y, figures });
    let mut right = left;
    let mut centers = Vec::new();
    for (index, input) in plan.inputs().into_iter().enumerate() {
        let child = nodes.len();
        let start = if index == 0 { left } else { right + GAP_X };
        right = place(input, metrics, Some(number), depth + 1, start, nodes);
        centers.push(nodes[child].x);
    }
    if let (Some(first), Some(last)) = (centers.first(), centers.last()) {
        nodes[number].x = f64::midpoint(*first, *last);
    }
    right.max(nodes[number].x + BOX_WIDTH)
}

fn add_summary(nodes: &[Placed<'_>], total: u64, page: &mut String) {
    let Some(figures) = nodes.first().and_then(|node| node.figures) else {
        let _ = write!(page, "<p class=\"summary\">{} operators, not run</p>", nodes.len());
        return;
    };
    let all = || nodes.iter().filter_map(|node| node.figures);
    let memory = all().map(|figures| figures.peak_memory_bytes).max().unwrap_or(0);
    let spilled = all().map(|figures| figures.spilled_bytes).sum::<u64>();
    let _ = write!(
        page,
        "<p class=\"summary\"><b>{}</b> rows · <b>{}</b> of work over all threads · largest operator <b>{}</b> · \
         spilled <b>{}</b></p>",
        grouped(figures.rows),
        time_text(total),
        bytes_text(memory),
        bytes_text(spilled),
    );
}

fn add_edge(node: &Placed<'_>, nodes: &[Placed<'_>], page: &mut String) {
    let Some(parent) = node.parent.map(|parent| &nodes[parent]) else { return };
    let (x1, y1) = (node.x + BOX_WIDTH / 2.0, node.y);
    let (x2, y2) = (parent.x + BOX_WIDTH / 2.0, parent.y + BOX_HEIGHT);
    let middle = f64::midpoint(y1, y2);
    let rows = node.figures.map(|figures| figures.rows).or(node.plan.estimated_rows);
    let width = 1.5 + rows.map_or(0.0, |rows| (rows.max(1) as f64).log10());
    let _ = write!(
        page,
        "<path class=\"edge\" stroke-width=\"{width:.1}\" \
         d=\"M{x1:.1} {y1:.1}C{x1:.1} {middle:.1} {x2:.1} {middle:.1} {x2:.1} {y2:.1}\"/>"
    );
    if let Some(rows) = rows {
        let about = if node.figures.is_some() { "" } else { "~" };
        let _ = write!(
            page,
            "<text class=\"rows\" x=\"{:.1}\" y=\"{:.1}\">{about}{}</text>",
            x1 + 8.0,
            y1 - 10.0,
            grouped(rows)
        );
    }
}

fn add_box(node: &Placed<'_>, total: u64, page: &mut String) {
    let detail = details(node.plan);
    let share = node.figures.map_or(0.0, |figures| share(figures.nanoseconds, total));
    let (x, y) = (node.x, node.y);
    let _ = write!(
        page,
        "<a href=\"#node{}\"><g class=\"node\"><title>{}</title>\
         <rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{BOX_WIDTH}\" height=\"{BOX_HEIGHT}\" rx=\"7\" \
         style=\"fill:color-mix(in oklab, var(--hot) {:.0}%, var(--box))\"/>",
        node.number,
        escaped(&detail),
        share * 85.0
    );
    let _ = write!(
        page,
        "<text class=\"name\" x=\"{:.1}\" y=\"{:.1}\">{}</text>",
        x + 12.0,
        y + 23.0,
        node.plan.node.name()
    );
    for (line, text) in wrapped(&detail).into_iter().enumerate() {
        let _ = write!(
            page,
            "<text class=\"detail\" x=\"{:.1}\" y=\"{:.1}\">{}</text>",
            x + 12.0,
            y + 41.0 + 14.0 * line as f64,
            escaped(&text)
        );
    }
    if let Some(figures) = node.figures {
        let mut text = format!("{} · {:.0} %", time_text(figures.nanoseconds), share * 100.0);
        if figures.peak_memory_bytes > 0 {
            let _ = write!(text, " · {}", bytes_text(figures.peak_memory_bytes));
        }
        if figures.read_bytes > 0 {
            let _ = write!(text, " · read {}", bytes_text(figures.read_bytes));
        }
        if figures.spilled_bytes > 0 {
            let _ = write!(text, " · spilled {}", bytes_text(figures.spilled_bytes));
        }
        let _ = write!(
            page,
            "<text class=\"figures\" x=\"{:.1}\" y=\"{:.1}\">{text}</text>",
            x + 12.0,
            y + BOX_HEIGHT - 11.0
        );
    }
    page.push_str("</g></a>");
}

fn add_table(nodes: &[Placed<'_>], total: u64, page: &mut String) {
    page.push_str(
        "<table><thead><tr><th>operator</th><th>details</th><th>rows</th><th>estimated</th><th>batches</th>\
         <th>output</th><th>time</th><th>memory</th><th>spilled</th></tr></thead><tbody>",
    );
    for node in nodes {
        let _ = write!(
            page,
            "<tr id=\"node{}\"><td>{}</td><td class=\"wide\">{}",
            node.number,
            node.plan.node.name(),
            escaped(&details(node.plan))
        );
        add_expressions(node, page);
        page.push_str("</td>");
        let estimated = node.plan.estimated_rows.map_or_else(String::new, grouped);
        match node.figures {
            Some(figures) => {
                let _ = write!(
                    page,
                    "<td>{}</td><td>{estimated}</td><td>{}</td><td>{}</td><td>{} ({:.0} %)</td><td>{}</td>\
                     <td>{}</td></tr>",
                    grouped(figures.rows),
                    grouped(figures.batches),
                    bytes_text(figures.bytes),
                    time_text(figures.nanoseconds),
                    share(figures.nanoseconds, total) * 100.0,
                    bytes_text(figures.peak_memory_bytes),
                    bytes_text(figures.spilled_bytes),
                );
            }
            None => {
                let _ = write!(page, "<td></td><td>{estimated}</td>{}</tr>", "<td></td>".repeat(5));
            }
        }
    }
    page.push_str("</tbody></table>");
}

/// The expressions of a node, the most expensive first, behind a fold.
fn add_expressions(node: &Placed<'_>, page: &mut String) {
    let Some(figures) = node.figures.filter(|figures| !figures.expressions.is_empty()) else { return };
    let mut expressions: Vec<_> = figures.expressions.iter().collect();
    expressions.sort_by_key(|one| std::cmp::Reverse(one.work.nanoseconds));
    let _ = write!(page, "<details><summary>{} expressions</summary><ul>", expressions.len());
    for one in expressions {
        let nanoseconds_per_row = one.work.nanoseconds as f64 / one.work.rows.max(1) as f64;
        let _ = write!(
            page,
            "<li><b>{}</b>, {nanoseconds_per_row:.1} ns a row: <code>{}</code></li>",
            time_text(one.work.nanoseconds),
            escaped(&expression_text(node.plan, &one.expression))
        );
    }
    page.push_str("</ul></details>");
}

fn share(nanoseconds: u64, total: u64) -> f64 {
    nanoseconds as f64 / total.max(1) as f64
}

fn time_text(nanoseconds: u64) -> String {
    match nanoseconds {
        0..1_000_000 => format!("{:.1} µs", nanoseconds as f64 / 1e3),
        1_000_000..1_000_000_000 => format!("{:.2} ms", nanoseconds as f64 / 1e6),
        _ => format!("{:.2} s", nanoseconds as f64 / 1e9),
    }
}

/// A count with a thin space between groups of three digits.
fn grouped(count: u64) -> String {
    let digits = count.to_string();
    let mut text = String::with_capacity(digits.len() * 2);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push('\u{2009}');
        }
        text.push(digit);
    }
    text
}

/// The start of a text on the lines of a box.
fn wrapped(text: &str) -> Vec<String> {
    let characters: Vec<char> = text.chars().collect();
    let mut lines: Vec<String> =
        characters.chunks(LINE_CHARACTERS).take(DETAIL_LINES).map(|line| line.iter().collect()).collect();
    if characters.len() > LINE_CHARACTERS * DETAIL_LINES
        && let Some(last) = lines.last_mut()
    {
        last.pop();
        last.push('…');
    }
    lines
}

fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            // Control characters have no place in HTML, not even as references.
            character if character.is_control() => safe.push(' '),
            character => safe.push(character),
        }
    }
    safe
}

const HEAD: &str = "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>Hypostyle plan</title><style>
:root{--ink:#1d2430;--soft:#5d6778;--paper:#fbfaf7;--box:#fff;--line:#c9c4b8;--hot:#e8743b;color-scheme:light dark}
@media(prefers-color-scheme:dark){:root{--ink:#e8e6e1;--soft:#a2a8b4;--paper:#16191f;--box:#222731;--line:#4a5160}}
body{margin:0;background:var(--paper);color:var(--ink);font:14px/1.45 system-ui,sans-serif}
main{padding:20px 28px}h1{font-size:18px;margin:0 0 2px}.summary{color:var(--soft);margin:0 0 12px}.summary b{color:var(--ink)}
.picture{overflow:auto;border:1px solid var(--line);border-radius:8px;margin-bottom:20px}
svg{display:block}svg a{text-decoration:none}.node rect{stroke:var(--line)}.node:hover rect{stroke:var(--ink)}
.edge{fill:none;stroke:var(--line);stroke-linecap:round}
text{fill:var(--ink)}.name{font:600 14px system-ui,sans-serif}.detail{font:11px ui-monospace,monospace;fill:var(--soft)}
.figures{font:12px system-ui,sans-serif}.rows{font:11px system-ui,sans-serif;fill:var(--soft);stroke:var(--paper);stroke-width:3px;paint-order:stroke}
table{border-collapse:collapse;width:100%}th,td{text-align:right;padding:5px 10px;border-bottom:1px solid var(--line);vertical-align:top;white-space:nowrap}
th{color:var(--soft);font-weight:500}th:nth-child(-n+2),td:nth-child(-n+2){text-align:left}
td.wide{white-space:normal;overflow-wrap:anywhere;font:12px ui-monospace,monospace}tr:target{background:color-mix(in oklab,var(--hot) 14%,transparent)}
ul{margin:4px 0;padding-left:18px}summary{cursor:pointer;color:var(--soft)}
</style></head><body><main><h1>Hypostyle plan</h1>";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::{Node, TableReference};
    use hypostyle_functions::types::{Field, Schema, Type};

    fn scan(name: &str) -> Plan {
        let schema = Schema::new(vec![Field::new("<x>", Type::Int64)]);
        let table = TableReference::Named(name.into());
        let node = Node::Scan { table, projection: vec![0], filters: Vec::new(), limit: None };
        Plan { node, schema, estimated_rows: Some(1_234_567) }
    }

    #[test]
    fn names_are_escaped_and_rows_grouped() {
        let plan = scan("a&b");
        let schema = plan.schema.clone();
        let limit = Node::Limit { input: Box::new(plan), offset: 0, count: Some(3) };
        let page = Plan { node: limit, schema, estimated_rows: None }.to_html(None);
        assert!(page.contains("a&amp;b [&lt;x&gt;]"), "{page}");
        assert!(page.contains("~1\u{2009}234\u{2009}567"), "{page}");
        assert!(!page.contains("<script"), "{page}");
    }

    #[test]
    fn inputs_stand_side_by_side_below_their_consumer() {
        let inputs = vec![scan("a"), scan("b"), scan("c")];
        let schema = inputs[0].schema.clone();
        let union = Plan { node: Node::Union { inputs }, schema, estimated_rows: None };
        let mut nodes = Vec::new();
        place(&union, None, None, 0, 0.0, &mut nodes);
        let places: Vec<(f64, f64)> = nodes.iter().map(|node| (node.x, node.y)).collect();
        let step = BOX_WIDTH + GAP_X;
        let below = MARGIN + BOX_HEIGHT + GAP_Y;
        assert_eq!(places, [(step, MARGIN), (0.0, below), (step, below), (2.0 * step, below)]);
    }
}
