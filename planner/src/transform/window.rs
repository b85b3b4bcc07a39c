//! Windows of a fitted transform: over tables they are windows like others; a served row brings the rows before it as a list.

use hypostyle_engine::plan::{Expression, Node, Plan, Reach, Window, WindowCall, WindowFunction};
use hypostyle_functions::{Field, Schema};
use serde::{Deserialize, Serialize};

use crate::bind::GroundWindow;
use crate::logical::Column;
use crate::transform::Fitted;

/// Windows of one partition and order that outputs read.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FittedWindow {
    /// The name of the list of the rows before a row, by which a served row brings them.
    pub history: String,
    /// Partition, the one order, and calls, over the positions of [`Fitted::inputs`].
    pub window: Window,
    /// The calls as they were written.
    pub texts: Vec<String>,
}

impl FittedWindow {
    /// The windows of a plan over these inputs, beside others, one for each order; and the place of each call among their values.
    pub fn of_plan(window: &Window, inputs: &Schema, known: &[FittedWindow]) -> (Vec<Self>, Vec<usize>) {
        let names: Vec<(usize, &str)> =
            inputs.fields.iter().map(|field| field.name.as_str()).enumerate().collect();
        let mut windows: Vec<Self> = Vec::with_capacity(window.orders.len());
        let mut places = vec![0; window.calls.len()];
        let mut next = 0;
        for (number, order) in window.orders.iter().enumerate() {
            let taken: Vec<&str> = known.iter().chain(&windows).map(|other| other.history.as_str()).collect();
            let history = history_name(&window.partition, &names, &taken);
            let (mut calls, mut texts) = (Vec::new(), Vec::new());
            for (place, call) in places.iter_mut().zip(&window.calls).filter(|(_, call)| call.order == number)
            {
                *place = next;
                next += 1;
                texts.push(match &call.function {
                    WindowFunction::Aggregate(call) => format!("{} OVER", call.function),
                    WindowFunction::Positional { name, .. } => format!("{name} OVER"),
                });
                calls.push(WindowCall { order: 0, ..call.clone() });
            }
            let (partition, orders) = (window.partition.clone(), vec![order.clone()]);
            windows.push(Self { history, window: Window { partition, orders, calls, limit: None }, texts });
        }
        (windows, places)
    }

    /// Positions of the inputs that rows of the history have: what calls and order read.
    pub fn columns(&self) -> Vec<usize> {
        let order = self.window.orders.iter().flatten().map(|key| &key.expression);
        let calls = self.window.calls.iter().flat_map(|call| call.expressions());
        let mut columns: Vec<usize> = order.chain(calls).flat_map(Expression::columns).collect();
        columns.sort_unstable();
        columns.dedup();
        columns
    }

    /// The same with these of its calls alone.
    #[must_use]
    pub fn of_calls(&self, chosen: impl Fn(usize) -> bool) -> Self {
        let mut kept = self.clone();
        let mut calls = (0..).map(&chosen);
        kept.window.calls.retain(|_| calls.next().unwrap_or(false));
        let mut texts = (0..).map(&chosen);
        kept.texts.retain(|_| texts.next().unwrap_or(false));
        kept
    }

    /// The first call that sees rows after the current one, and what it sees: a row cannot be served with it.
    pub fn looks_ahead(&self) -> Option<(&str, &'static str)> {
        let calls = self.texts.iter().zip(&self.window.calls);
        calls.into_iter().find_map(|(text, call)| Some((text.as_str(), self.window.looks_ahead(call)?)))
    }

    /// Which rows a history holds, in words.
    pub fn needed(&self, inputs: &Schema) -> String {
        let reaches: Vec<Reach> = self.window.calls.iter().map(|call| call.reach()).collect();
        let shown = |expressions: Vec<&Expression>| {
            let texts = expressions.into_iter().map(|expression| expression.shown_over(inputs));
            texts.collect::<Vec<_>>().join(", ")
        };
        let partition = shown(self.window.partition.iter().collect());
        let order = shown(self.window.orders.iter().flatten().map(|key| &key.expression).collect());
        let mut text = "rows before this one".to_owned();
        if !partition.is_empty() {
            text += &format!(" of the same {partition}");
        }
        if !order.is_empty() {
            text += &format!(", by {order}");
        }
        let last = |reach: &Reach| match reach {
            Reach::Rows(rows) => Some(*rows),
            _ => None,
        };
        let most =
            reaches.iter().map(last).collect::<Option<Vec<_>>>().and_then(|rows| rows.into_iter().max());
        let mut bounds: Vec<String> = match most {
            Some(rows) => vec![format!("the last {rows}")],
            None if reaches.contains(&Reach::All) => vec!["all of them".to_owned()],
            None => reaches
                .iter()
                .map(|reach| match reach {
                    Reach::Rows(rows) => format!("the last {rows}"),
                    Reach::Groups(groups) => {
                        format!("those of the same {order} and of the last {groups} before it")
                    }
                    Reach::Value(value) => format!("those from {} on", value.shown_over(inputs)),
                    Reach::All => String::new(),
                })
                .collect(),
        };
        bounds.sort();
        bounds.dedup();
        format!("{text}: {}", bounds.join(", and "))
    }
}

impl Fitted {
    /// The columns that outputs read: inputs, and behind them the values of windows in their order.
    pub fn read_schema(&self) -> Schema {
        let values = self.windows.iter().flat_map(|window| {
            let calls = window.texts.iter().zip(&window.window.calls);
            calls.map(|(text, call)| Field::new(text.clone(), call.data_type.clone()))
        });
        Schema::new(self.inputs.iter().cloned().chain(values).collect())
    }

    /// The windows whose values an expression over [`Fitted::read_schema`] reads.
    pub fn windows_of(&self, expression: &Expression) -> impl Iterator<Item = &FittedWindow> {
        let read = expression.columns();
        let mut start = self.inputs.len();
        self.windows.iter().filter(move |window| {
            let own = start..start + window.window.calls.len();
            start = own.end;
            read.iter().any(|column| own.contains(column))
        })
    }
}

/// A plan over inputs with the values of windows over them behind.
pub fn windowed(inputs: Plan, windows: &[FittedWindow]) -> Plan {
    windows.iter().fold(inputs, |plan, window| {
        let values = window.texts.iter().zip(&window.window.calls);
        let values = values.map(|(text, call)| Field::new(text.clone(), call.data_type.clone()));
        let schema = Schema::new(plan.schema.fields.iter().cloned().chain(values).collect());
        Plan::new(Node::Window { input: Box::new(plan), window: window.window.clone() }, schema)
    })
}

/// Windows by partition and order, over numbers of columns, and the columns of their values in that order.
pub(super) fn grouped(windows: &[GroundWindow], inputs: &[&Column]) -> (Vec<FittedWindow>, Vec<usize>) {
    let names: Vec<(usize, &str)> = inputs.iter().map(|input| (input.id, input.name.as_str())).collect();
    let mut groups: Vec<(FittedWindow, Vec<usize>)> = Vec::new();
    for GroundWindow { column, window, text, .. } in windows {
        let order = [window.order.clone()];
        let group = groups.iter().position(|(group, _)| {
            group.window.partition == window.partition && group.window.orders == order
        });
        let group = group.unwrap_or_else(|| {
            let taken: Vec<&str> = groups.iter().map(|(group, _)| group.history.as_str()).collect();
            let history = history_name(&window.partition, &names, &taken);
            let window = Window {
                partition: window.partition.clone(),
                orders: order.to_vec(),
                calls: Vec::new(),
                limit: None,
            };
            groups.push((FittedWindow { history, window, texts: Vec::new() }, Vec::new()));
            groups.len() - 1
        });
        if let Some((group, ids)) = groups.get_mut(group) {
            group.window.calls.push(window.call.clone());
            group.texts.push(text.clone());
            ids.push(column.id);
        }
    }
    let (windows, ids): (Vec<_>, Vec<_>) = groups.into_iter().unzip();
    (windows, ids.into_iter().flatten().collect())
}

/// A name that says whose rows they are: `user_history` of a window by user.
fn history_name(partition: &[Expression], inputs: &[(usize, &str)], taken: &[&str]) -> String {
    let read: Vec<usize> = partition.iter().flat_map(Expression::columns).collect();
    let of = |id: &usize| inputs.iter().find(|(known, _)| known == id).map(|(_, name)| *name);
    let names = read.iter().filter_map(of).chain(["history"]);
    let name = names.collect::<Vec<_>>().join("_");
    let is_taken = |name: &str| {
        inputs.iter().any(|(_, known)| known.eq_ignore_ascii_case(name))
            || taken.iter().any(|taken| taken.eq_ignore_ascii_case(name))
    };
    let numbered = (2..).map(|number| format!("{name}_{number}"));
    std::iter::once(name.clone()).chain(numbered).find(|name| !is_taken(name)).unwrap_or_default()
}
