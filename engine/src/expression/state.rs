//! The working state of one worker over one graph: a slot per node, and the domains of the batch at hand.
//!
//! A node whose inputs are all constant in this batch is evaluated on one row, and a node whose inputs
//! are dictionaries with the same indices (the others constant) on the values that are referred to. Such
//! columns are kept from batch to batch for as long as the inputs hold the very same values.

use std::sync::Arc;

use bumpalo::Bump;
use hypostyle_functions::arrow::array::{Array, ArrayRef};
use hypostyle_functions::column::{Column, Data, Encoding, View, borrow};
use hypostyle_functions::scratch::Scratch;
use hypostyle_functions::value::Literal;

use super::graph::{Graph, Kind, NodeId};
use super::lambda::LambdaState;
use super::operand_order::OperandOrder;
use super::program::Machine;
use super::slot::{Computed, Domain, Failed, Slot};
use crate::error::{Error, Result};

/// What a batch (or a row, or the elements of a lambda) brings.
#[derive(Clone, Copy)]
pub(super) struct Run<'i> {
    /// The graph that is evaluated.
    pub graph: &'i Graph,
    /// One view per input; those that no node reads may be anything of the same length.
    pub inputs: &'i [View<'i>],
    /// Number of values of each input: its rows where it is flat.
    pub values: &'i [usize],
    /// The columns behind the inputs, whose identity decides whether kept columns still hold.
    pub columns: Option<&'i [Column]>,
    /// Number of rows.
    pub rows: usize,
}

/// See the module.
pub(super) struct State {
    pub slots: Vec<Slot>,
    pub domains: Vec<Domain>,
    /// Domain of each input.
    pub input_domains: Vec<Domain>,
    /// The input that stands for each group of dictionaries.
    pub groups: Vec<usize>,
    /// For each group, whether rows are null on top of the nulls of the values.
    group_has_nulls: Vec<bool>,
    /// State of each lambda of a node, by node.
    pub lambdas: Vec<Vec<LambdaState>>,
    /// Order of the operands of each AND and OR, by node; none where a change of it would show.
    pub orders: Vec<Option<Box<OperandOrder>>>,
    pub machine: Machine,
    /// Memory of views; emptied at every batch.
    pub bump: Bump,
    pub scratch: Scratch,
    /// Lists of rows that are not in use.
    pub pool: Vec<Vec<u32>>,
    /// A bit for each value of a dictionary that rows refer to.
    pub wanted: Vec<u64>,
    pub epoch: u64,
    pub rows: usize,
    has_encoded: bool,
    identities: Vec<Option<ArrayRef>>,
}

impl State {
    /// A state whose parameters have these values.
    ///
    /// # Errors
    /// [`Error::User`] if a parameter that is read is missing or of another type.
    pub fn new(graph: &Graph, parameters: &[Literal]) -> Result<Self> {
        let mut state = Self {
            slots: Vec::new(),
            domains: Vec::new(),
            input_domains: vec![Domain::Base; graph.input_types.len()],
            groups: Vec::new(),
            group_has_nulls: Vec::new(),
            lambdas: Vec::new(),
            orders: Vec::new(),
            machine: Machine::default(),
            bump: Bump::new(),
            scratch: Scratch::new(),
            pool: Vec::new(),
            wanted: Vec::new(),
            epoch: 1,
            rows: 0,
            has_encoded: false,
            identities: vec![None; graph.input_types.len()],
        };
        state.grow(graph, Some(parameters))?;
        Ok(state)
    }

    /// Adds what is missing for the nodes of `graph`, which may have grown. Without parameters the nodes
    /// that read them must not be evaluated.
    pub fn grow(&mut self, graph: &Graph, parameters: Option<&[Literal]>) -> Result<()> {
        for id in self.slots.len()..graph.nodes.len() {
            let node = &graph.nodes[id];
            let mut slot = Slot::new(node.data_type.clone());
            let value = match &node.kind {
                Kind::Constant(literal) => Some(&literal.value),
                Kind::Parameter(index) => match parameters {
                    Some(given) => Some(parameter(given, *index, &node.data_type)?),
                    None => None,
                },
                _ => None,
            };
            if let (Some(value), Some(output)) = (value, &mut slot.output) {
                output.prepare(1);
                output.set_value(0, value)?;
                slot.frozen = Some(output.freeze()?);
                slot.epoch = self.epoch;
                slot.length = 1;
                slot.computed = Computed::All;
            }
            self.slots.push(slot);
            self.domains.push(if node.is_fixed() { Domain::Constant } else { Domain::Base });
            let mut states = Vec::new();
            if let Kind::Call(call) = &node.kind {
                for lambda in &call.lambdas {
                    states.push(LambdaState::new(lambda)?);
                }
            }
            self.lambdas.push(states);
            self.orders.push(match &node.kind {
                // A volatile operand gives other values for other rows.
                Kind::Logic { operands, .. } if !operands.iter().any(|&id| graph.nodes[id].is_volatile) => {
                    Some(Box::new(OperandOrder::new(operands.len())))
                }
                _ => None,
            });
        }
        Ok(())
    }

    /// Makes ready for another batch. Columns of the last one are forgotten, except those that still hold.
    pub fn begin(&mut self, run: &Run<'_>) {
        self.epoch += 1;
        self.rows = run.rows;
        self.bump.reset();
        self.scratch.reset();
        let has_encoded = run.inputs.iter().any(|view| !view.is_flat());
        if has_encoded || self.has_encoded {
            self.assign_domains(run);
        }
        self.has_encoded = has_encoded;
    }

    fn assign_domains(&mut self, run: &Run<'_>) {
        self.groups.clear();
        self.group_has_nulls.clear();
        for (input, view) in run.inputs.iter().enumerate() {
            let identity = run.columns.and_then(|columns| identity(&columns[input]));
            let is_same = is_same(self.identities[input].as_ref(), identity);
            self.input_domains[input] = match view.encoding {
                Encoding::Flat => Domain::Base,
                Encoding::Constant => Domain::Constant,
                // A dictionary larger than the batch pays off only if it is seen again.
                Encoding::Dictionary { .. } if !is_same && run.values[input] > run.rows => Domain::Base,
                Encoding::Dictionary { .. } => {
                    let group =
                        self.groups.iter().position(|&held| has_same_indices(&run.inputs[held], view));
                    Domain::Dictionary(group.unwrap_or_else(|| {
                        self.groups.push(input);
                        self.group_has_nulls.push(has_own_nulls(view));
                        self.groups.len() - 1
                    }))
                }
            };
            if !is_same {
                self.identities[input] = None;
            }
        }
        for id in 0..run.graph.nodes.len() {
            self.assign_domain(run, id);
        }
        for (input, held) in self.identities.iter_mut().enumerate() {
            if held.is_none() {
                *held = run.columns.and_then(|columns| identity(&columns[input])).cloned();
            }
        }
    }

    /// Decides where a node is evaluated. Identities that differ from the last batch are absent here.
    fn assign_domain(&mut self, run: &Run<'_>, id: NodeId) {
        let node = &run.graph.nodes[id];
        if node.is_fixed() {
            return;
        }
        let before = self.domains[id];
        let mut domain = if node.is_volatile { Domain::Base } else { Domain::Constant };
        for &input in &node.inputs {
            domain = match (domain, self.input_domains[input]) {
                (Domain::Constant, other) => other,
                (held, Domain::Constant) => held,
                (Domain::Dictionary(a), Domain::Dictionary(b)) if a == b => domain,
                _ => Domain::Base,
            };
        }
        // Rows that are null before any value is looked up have no value to stand for them.
        if matches!(domain, Domain::Dictionary(group) if self.group_has_nulls[group]) && !node.is_strict {
            domain = Domain::Base;
        }
        self.domains[id] = domain;
        let slot = &mut self.slots[id];
        let is_kept = slot.epoch == self.epoch - 1
            && domain != Domain::Base
            && matches!(domain, Domain::Constant) == matches!(before, Domain::Constant)
            && before != Domain::Base
            && node.inputs.iter().all(|&input| self.identities[input].is_some());
        if is_kept {
            slot.epoch = self.epoch;
        }
    }

    /// Rows of a node's domain.
    pub fn length(&self, run: &Run<'_>, id: NodeId) -> usize {
        match self.domains[id] {
            Domain::Base => run.rows,
            Domain::Constant => 1,
            Domain::Dictionary(_) => {
                let inputs = run.graph.nodes[id].inputs.iter();
                let encoded = inputs.filter(|&&input| is_dictionary(&run.inputs[input]));
                encoded.map(|&input| run.values[input]).min().unwrap_or(0)
            }
        }
    }

    /// True if the slot holds content of this batch.
    pub fn is_current(&self, graph: &Graph, id: NodeId) -> bool {
        let slot = &self.slots[id];
        slot.epoch == self.epoch || slot.epoch != 0 && graph.nodes[id].is_fixed()
    }

    /// The column in a node's slot, by the rows of its own domain.
    pub fn slot_view<'a>(&'a self, graph: &'a Graph, node: NodeId, bump: &'a Bump) -> View<'a> {
        slot_view(&self.slots, graph, node, bump)
    }

    /// A list of rows to fill; give it back with [`State::give`].
    pub fn take(&mut self) -> Vec<u32> {
        let mut rows = self.pool.pop().unwrap_or_default();
        rows.clear();
        rows
    }

    /// Gives a list back.
    pub fn give(&mut self, rows: Vec<u32>) {
        self.pool.push(rows);
    }

    /// Bytes kept from batch to batch for encoded inputs and in the scratch of functions.
    pub fn memory_bytes(&self) -> usize {
        let encoded = self.identities.iter().flatten().map(|array| array.get_array_memory_size());
        encoded.sum::<usize>() + self.scratch.memory_bytes()
    }

    /// Drops what is kept from batch to batch.
    pub fn release(&mut self) {
        self.identities.iter_mut().for_each(|identity| *identity = None);
        self.scratch.release();
        self.epoch += 1;
    }
}

/// The parts of a state that views are made from.
#[derive(Clone, Copy)]
pub(super) struct Columns<'a> {
    pub run: &'a Run<'a>,
    pub slots: &'a [Slot],
    pub domains: &'a [Domain],
    pub input_domains: &'a [Domain],
    pub groups: &'a [usize],
    pub bump: &'a Bump,
}

impl<'a> Columns<'a> {
    /// The column of a node for a reader in domain `from`.
    pub fn view(&self, node: NodeId, from: Domain) -> View<'a> {
        let (node, _) = self.run.graph.resolve(node);
        if let Kind::Input(input) = self.run.graph.nodes[node].kind {
            let view = self.run.inputs[input];
            return match (self.input_domains[input], from) {
                (Domain::Dictionary(_), Domain::Dictionary(_)) => view.values(self.run.values[input]),
                _ => view,
            };
        }
        let view = slot_view(self.slots, self.run.graph, node, self.bump);
        let encoding = self.encoding(node, from);
        match encoding {
            Encoding::Flat => view,
            _ => View { length: self.run.rows, encoding, ..view },
        }
    }

    /// How rows of `from` map to rows of the node's slot.
    fn encoding(&self, node: NodeId, from: Domain) -> Encoding<'a> {
        match (self.domains[node], from) {
            (own, from) if own == from => Encoding::Flat,
            (Domain::Constant, _) => Encoding::Constant,
            (Domain::Dictionary(group), _) => self.run.inputs[self.groups[group]].encoding,
            (Domain::Base, _) => Encoding::Flat,
        }
    }

    /// The failed rows of a node's column, if any, for a reader in domain `from`.
    pub fn failed(&self, node: NodeId, from: Domain) -> Option<Failed<'a>> {
        let (node, is_try) = self.run.graph.resolve(node);
        if is_try || matches!(self.run.graph.nodes[node].kind, Kind::Input(_) | Kind::Constant(_)) {
            return None;
        }
        let output = self.slots[node].output.as_deref()?;
        let bits = output.failed()?;
        Some(Failed { bits, errors: output.errors(), encoding: self.encoding(node, from) })
    }
}

/// The column in a node's slot.
pub(super) fn slot_view<'a>(slots: &'a [Slot], graph: &'a Graph, node: NodeId, bump: &'a Bump) -> View<'a> {
    let slot = &slots[node];
    match (&slot.frozen, &slot.output) {
        (Some(array), _) => borrow(array, &graph.nodes[node].data_type, bump),
        (None, Some(output)) => output.view(bump),
        // An operand is complete before its reader starts, so its output is never lent out here.
        (None, None) => unreachable!("the column of an operand is being written"),
    }
}

fn parameter<'p>(
    parameters: &'p [Literal],
    index: usize,
    expected: &hypostyle_functions::Type,
) -> Result<&'p hypostyle_functions::Value> {
    match parameters.get(index) {
        Some(literal) if literal.data_type == *expected || literal.value.is_null() => Ok(&literal.value),
        Some(literal) => Err(Error::user(format!(
            "parameter ${} has type {}; expected {expected}",
            index + 1,
            literal.data_type
        ))),
        None => Err(Error::user(format!(
            "parameter ${} has no value; {} were given",
            index + 1,
            parameters.len()
        ))),
    }
}

/// Number of values that the rows of a view are taken from.
pub(super) fn values_count(view: &View<'_>) -> usize {
    let Encoding::Dictionary { indices, .. } = view.encoding else {
        return if view.is_constant() { 1 } else { view.length };
    };
    match view.data {
        Data::Boolean(bits) => bits.len(),
        Data::Int8(values) => values.len(),
        Data::Int16(values) => values.len(),
        Data::Int32(values) => values.len(),
        Data::Int64(values) => values.len(),
        Data::UInt8(values) => values.len(),
        Data::UInt16(values) => values.len(),
        Data::UInt32(values) => values.len(),
        Data::UInt64(values) => values.len(),
        Data::Float16(values) => values.len(),
        Data::Float32(values) => values.len(),
        Data::Float64(values) => values.len(),
        Data::Int128(values) => values.len(),
        Data::Interval(values) => values.len(),
        Data::Bytes(bytes) => bytes.views.len(),
        Data::List(list) => list.sizes.map_or(list.offsets.len().saturating_sub(1), <[i32]>::len),
        Data::FixedList { size, child } if size > 0 => child.length / size,
        // Nothing else bounds the values of these.
        Data::Null | Data::FixedList { .. } | Data::Struct(_) => {
            indices.iter().max().map_or(0, |&index| index as usize + 1)
        }
    }
}

fn is_dictionary(view: &View<'_>) -> bool {
    matches!(view.encoding, Encoding::Dictionary { .. })
}

fn has_own_nulls(view: &View<'_>) -> bool {
    matches!(view.encoding, Encoding::Dictionary { validity: Some(validity), .. } if validity.count() < validity.len())
}

/// The array that an encoded column takes its values from.
fn identity(column: &Column) -> Option<&ArrayRef> {
    match column {
        Column::Flat(_) | Column::Spans(_) => None,
        Column::Constant { value, .. } => Some(value),
        Column::Dictionary { values, .. } => Some(values),
    }
}

fn is_same(held: Option<&ArrayRef>, given: Option<&ArrayRef>) -> bool {
    matches!((held, given), (Some(held), Some(given)) if Arc::ptr_eq(held, given))
}

fn has_same_indices(left: &View<'_>, right: &View<'_>) -> bool {
    let (Encoding::Dictionary { indices: a, validity: v }, Encoding::Dictionary { indices: b, validity: w }) =
        (left.encoding, right.encoding)
    else {
        return false;
    };
    let same_validity = match (v, w) {
        (None, None) => true,
        (Some(v), Some(w)) => {
            v.len() == w.len() && (0..v.words()).all(|index| v.word(index) == w.word(index))
        }
        _ => false,
    };
    std::ptr::eq(a, b) && same_validity
}
