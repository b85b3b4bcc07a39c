//! The contract of aggregate functions: states of many groups in flat vectors, mergeable, spillable.

use std::any::{Any, TypeId};
use std::sync::Arc;

use bumpalo::Bump;

use crate::column::{Column, Output, Rows, View, value_at};
use crate::documentation::Documentation;
use crate::error::Result;
use crate::scalar::Arguments;
use crate::signature::{Parameter, Signature};
use crate::types::Type;
use crate::value::Literal;
use crate::window::Frames;

/// The states of all groups of one aggregate call on one worker.
///
/// A group is a number from 0; the engine calls [`Accumulator::resize`] before it uses a new one. Results
/// must not depend on how rows were cut into batches or spread over workers: order-sensitive
/// aggregates compare ordinals, sums are exact or reproducible.
pub trait Accumulator: Any + Send {
    /// Makes room for groups `0 .. groups`; new groups are empty.
    fn resize(&mut self, groups: usize);

    /// Forgets all groups and keeps the memory, as if it had just been made, so that one accumulator serves many frames without
    /// being made for each; false if it cannot, and it is of no use then. It can after an error too.
    fn clear(&mut self) -> bool {
        false
    }

    /// Adds rows. `groups[row]` is the group of `row`; the ordinal of `row`, its place in the input's
    /// order, is `ordinal + row`. Strict aggregates are not given rows with a null argument.
    ///
    /// # Errors
    /// An overflow or an argument that the aggregate refuses.
    fn update(&mut self, arguments: &[View<'_>], rows: Rows<'_>, groups: &[u32], ordinal: u64) -> Result<()>;

    /// As [`Accumulator::update`], with the columns whose views the arguments are: for aggregates that keep a column
    /// beyond the call, such as a dictionary that the batches of a row group share.
    ///
    /// # Errors
    /// As for [`Accumulator::update`].
    fn update_columns(
        &mut self,
        _columns: &[&Column],
        arguments: &[View<'_>],
        rows: Rows<'_>,
        groups: &[u32],
        ordinal: u64,
    ) -> Result<()> {
        self.update(arguments, rows, groups, ordinal)
    }

    /// Adds so many rows to the one group that there is, where an aggregate counts rows and looks at none; false for others, and
    /// nothing has changed then.
    fn add_count(&mut self, _rows: usize) -> bool {
        false
    }

    /// Takes over all groups of another accumulator of the same aggregate, each into the group of its number, where that is
    /// quicker than by way of states; false if it is not, and nothing has changed then. What is left of the other is of no use.
    ///
    /// # Errors
    /// As for [`Accumulator::merge`].
    fn absorb(&mut self, _other: &mut dyn Accumulator) -> Result<bool> {
        Ok(false)
    }

    /// Adds states that [`Accumulator::state`] wrote: row `i` of `states` belongs to group `groups[i]`.
    ///
    /// # Errors
    /// As for [`Accumulator::update`].
    fn merge(&mut self, states: &[View<'_>], groups: &[u32]) -> Result<()>;

    /// Writes the states of `groups` to rows `0 ..` of `output`, one column per type of [`BoundAggregate::states`];
    /// the columns are prepared to that length.
    ///
    /// # Errors
    /// Only what ends the query.
    fn state(&mut self, groups: &[u32], output: &mut [Output]) -> Result<()>;

    /// Writes the results of `groups` to rows `0 ..` of `output`, which is prepared to that length.
    ///
    /// # Errors
    /// A result that does not fit its type.
    fn finish(&mut self, groups: &[u32], output: &mut Output) -> Result<()>;

    /// Writes to each row of `output` the aggregate of the rows of its frame, where the aggregate knows a faster way
    /// than to add and merge the rows of each; false if it does not for these frames, and what was
    /// written is of no use then.
    /// The results are those of adding the rows of each frame to a group of its own, to the bit. `output` is prepared to
    /// the number of frames. A strict aggregate finds no null among the arguments.
    ///
    /// # Errors
    /// As for [`Accumulator::update`] and [`Accumulator::finish`].
    fn frames(&self, _arguments: &[View<'_>], _frames: &Frames, _output: &mut Output) -> Result<bool> {
        Ok(false)
    }

    /// Bytes held, for the budget.
    fn memory_bytes(&self) -> usize;
}

/// An aggregate bound to argument types and constants.
#[derive(Clone)]
pub struct BoundAggregate {
    /// Type of the result.
    pub result: Type,
    /// Types of the columns that hold a state between workers, in spill files and in exported fits.
    pub states: Vec<Type>,
    /// True if rows with a null argument are skipped before the aggregate sees them.
    pub strict: bool,
    /// Makes an accumulator without groups.
    pub make: Arc<dyn Fn() -> Box<dyn Accumulator> + Send + Sync>,
    /// Set if the result can be read from the state of another aggregate over the same rows.
    pub sharing: Option<Sharing>,
}

/// What aggregates have in common that keep the same state and read different results from it, as sum and avg.
#[derive(Clone)]
pub struct Sharing {
    /// The Rust type of the accumulator; two aggregates with one such type, over the same arguments, share one.
    pub state: TypeId,
    /// Writes the results of one of them, as [`Accumulator::finish`] does.
    pub finish: SharedFinish,
}

/// Writes results from an accumulator that an aggregate of the same state made.
pub type SharedFinish =
    Arc<dyn Fn(&mut (dyn Accumulator + 'static), &[u32], &mut Output) -> Result<()> + Send + Sync>;

impl std::fmt::Debug for BoundAggregate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("BoundAggregate")
            .field("result", &self.result)
            .field("states", &self.states)
            .finish_non_exhaustive()
    }
}

impl BoundAggregate {
    /// A strict aggregate whose accumulators `make` makes.
    pub fn strict<A: Accumulator + 'static>(
        result: Type,
        states: Vec<Type>,
        make: impl Fn() -> A + Send + Sync + 'static,
    ) -> Self {
        Self { result, states, strict: true, make: Arc::new(move || Box::new(make())), sharing: None }
    }

    /// The same with a state that other aggregates may read: `finish` writes this one's results.
    pub fn sharing<A: Accumulator>(
        mut self,
        finish: impl Fn(&mut A, &[u32], &mut Output) -> Result<()> + Send + Sync + 'static,
    ) -> Self {
        let finish = move |held: &mut (dyn Accumulator + 'static), groups: &[u32], output: &mut Output| {
            let held = (held as &mut dyn Any).downcast_mut::<A>();
            let held = held.ok_or_else(|| crate::Error::internal("a shared state has another type"))?;
            finish(held, groups, output)
        };
        self.sharing = Some(Sharing { state: TypeId::of::<A>(), finish: Arc::new(finish) });
        self
    }

    /// An aggregate that sees null arguments.
    pub fn null_aware<A: Accumulator + 'static>(
        result: Type,
        states: Vec<Type>,
        make: impl Fn() -> A + Send + Sync + 'static,
    ) -> Self {
        Self { result, states, strict: false, make: Arc::new(move || Box::new(make())), sharing: None }
    }

    /// The result of a group without rows: 0 of a count, null of most others.
    ///
    /// # Errors
    /// As for [`Accumulator::finish`].
    pub fn of_no_rows(&self) -> Result<Literal> {
        let mut accumulator = (self.make)();
        accumulator.resize(1);
        let mut output = Output::new(self.result.clone());
        output.prepare(1);
        accumulator.finish(&[0], &mut output)?;
        let bump = Bump::new();
        let value = value_at(&output.view(&bump), 0);
        Ok(Literal { data_type: self.result.clone(), value })
    }
}

/// Binds one form of an aggregate.
pub type AggregateBind = Arc<dyn Fn(&Arguments<'_>) -> Result<BoundAggregate> + Send + Sync>;

/// One form of an aggregate.
#[derive(Clone)]
pub struct AggregateOverload {
    /// What it takes.
    pub signature: Signature,
    /// Makes the bound aggregate.
    pub bind: AggregateBind,
}

impl std::fmt::Debug for AggregateOverload {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.signature)
    }
}

/// An aggregate function as the registry holds it.
#[derive(Debug, Clone)]
pub struct AggregateFunction {
    /// Lower-case SQL name.
    pub name: String,
    /// Other names.
    pub aliases: Vec<String>,
    /// Forms.
    pub overloads: Vec<AggregateOverload>,
    /// True if DISTINCT changes nothing in the form with one argument, as for min and max.
    pub ignores_duplicates: bool,
    /// True if the result depends on the order of the rows, as for list and first.
    pub order_sensitive: bool,
    /// Semantic version, raised whenever a result changes; stored in plans.
    pub version: u32,
    /// What the reference says.
    pub documentation: Documentation,
}

impl AggregateFunction {
    /// An aggregate without forms.
    pub fn new(name: impl Into<String>, category: &str, summary: &str) -> Self {
        Self {
            name: name.into(),
            aliases: Vec::new(),
            overloads: Vec::new(),
            ignores_duplicates: false,
            order_sensitive: false,
            version: 1,
            documentation: Documentation::new(category, summary),
        }
    }

    /// Adds a form.
    pub fn overload<P, F>(mut self, parameters: P, bind: F) -> Self
    where
        P: IntoIterator<Item = Parameter>,
        F: Fn(&Arguments<'_>) -> Result<BoundAggregate> + Send + Sync + 'static,
    {
        self.overloads
            .push(AggregateOverload { signature: Signature::new(parameters), bind: Arc::new(bind) });
        self
    }

    /// Adds another name.
    pub fn alias(mut self, name: &str) -> Self {
        self.aliases.push(name.into());
        self
    }

    /// Adds an example: a query's expression and what it shows.
    pub fn example(mut self, sql: &str, result: &str) -> Self {
        self.documentation = self.documentation.example(sql, result);
        self
    }

    /// Adds a sentence of documentation.
    pub fn note(mut self, note: &str) -> Self {
        self.documentation = self.documentation.note(note);
        self
    }

    /// States that DISTINCT changes nothing.
    pub fn ignores_duplicates(mut self) -> Self {
        self.ignores_duplicates = true;
        self
    }

    /// States that the order of rows matters.
    pub fn order_sensitive(mut self) -> Self {
        self.order_sensitive = true;
        self
    }
}
