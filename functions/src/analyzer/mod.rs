//! Analyzers: functions whose parameters are found by aggregates over a table, and that are pure scalars afterwards.
//!
//! An analyzer is data. For a call it gives a [`Form`]: the statistics to compute, as texts of SQL expressions over the
//! names of its inputs and options, and the scalar that stands in its place once they are known, over the same names
//! and those of the statistics. So a fit is ordinary aggregation, and what is fitted holds no aggregate.

mod bucket;
mod category;
mod embedding;
mod given;
mod missing;
mod quantizer;
mod scale;
mod token;

use crate::documentation::Documentation;
use crate::error::Result;
use crate::registry::Registry;
use crate::signature::Parameter;
use crate::value::Literal;

pub use given::Given;

/// A function that is fitted.
#[derive(Debug, Clone)]
pub struct Analyzer {
    /// Name in SQL.
    pub name: String,
    /// What it is applied to, in order; they can be given by name too.
    pub inputs: Vec<Input>,
    /// Constants, given by name.
    pub options: Vec<Parameter>,
    /// How many of the options may stand behind the inputs without their names.
    pub positional_options: usize,
    /// Values of options under which other systems are reproduced: `compat => 'spark'`.
    pub sets: Vec<OptionSet>,
    /// What is computed and applied for a call.
    pub form: fn(&Given<'_>) -> Result<Form>,
    /// What the reference says.
    pub documentation: Documentation,
}

/// What an analyzer is applied to.
#[derive(Debug, Clone)]
pub struct Input {
    /// Its name, under which texts of SQL read it.
    pub name: &'static str,
    /// Whether it can be left out: it is NULL then.
    pub is_optional: bool,
}

/// Options of one system.
#[derive(Debug, Clone)]
pub struct OptionSet {
    /// Name of the system.
    pub name: &'static str,
    /// Values in place of the defaults.
    pub options: Vec<(&'static str, Literal)>,
}

/// How the value of an input is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reading {
    /// As it is.
    Plain,
    /// A number, as a DOUBLE; aggregates take NaN for missing.
    Number,
    /// A category, or a list of them: integers as BIGINT, everything else as text.
    Category,
    /// A list of texts.
    Tokens,
}

/// What an analyzer computes and what it becomes.
#[derive(Debug, Clone, Default)]
pub struct Form {
    /// How each input is read.
    pub readings: Vec<Reading>,
    /// Constants that texts of SQL read by name.
    pub constants: Vec<(&'static str, Literal)>,
    /// What is computed over the rows.
    pub statistics: Vec<Statistic>,
    /// The scalar, over inputs, options, constants and statistics.
    pub scalar: String,
    /// The scalar for rows that were fitted on, where it is another one.
    pub training: Option<String>,
    /// Whether a FLOAT input gives a FLOAT: computed in DOUBLE and rounded once.
    pub keeps_float: bool,
}

/// Something that is computed over the rows of a table.
#[derive(Debug, Clone)]
pub enum Statistic {
    /// One value: an expression of aggregates.
    Value {
        /// Its name.
        name: &'static str,
        /// The expression.
        sql: String,
    },
    /// Aggregates of each category.
    Table(CategoryTable),
}

impl Statistic {
    /// One value.
    pub fn value(name: &'static str, sql: impl Into<String>) -> Self {
        Self::Value { name, sql: sql.into() }
    }
}

/// Aggregates of each category that is not null, as lists of one order: the categories under the name `keys`.
#[derive(Debug, Clone)]
pub struct CategoryTable {
    /// Which of a row's values are counted.
    pub source: Source,
    /// The category, or the list of them.
    pub key: &'static str,
    /// Names of the lists and the aggregates in them.
    pub columns: Vec<(String, String)>,
    /// How often a category counts, for its order and for the limits: an aggregate.
    pub count: &'static str,
    /// Order of the entries.
    pub order: Order,
    /// Categories that stand in fewer rows are left out.
    pub min_count: i64,
    /// Entries that are kept at most.
    pub top_k: Option<i64>,
}

/// Which categories a row has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// The value.
    Value,
    /// The elements of a list.
    Elements,
    /// The elements of a list, each once.
    DistinctElements,
}

/// Order of categories.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// The most frequent first; of equally frequent ones the lesser first.
    Frequency,
    /// By value: numbers by size, texts by bytes. Of a limited number the most frequent are kept.
    Value,
}

impl Analyzer {
    /// An analyzer of one input `x`.
    fn new(name: &str, summary: &str, form: fn(&Given<'_>) -> Result<Form>) -> Self {
        Self {
            name: name.into(),
            inputs: vec![Input { name: "x", is_optional: false }],
            options: Vec::new(),
            positional_options: 0,
            sets: Vec::new(),
            form,
            documentation: Documentation::new("analyzer", summary),
        }
    }

    fn input(mut self, name: &'static str, is_optional: bool) -> Self {
        self.inputs.push(Input { name, is_optional });
        self
    }

    fn option(mut self, option: Parameter) -> Self {
        self.options.push(option);
        self
    }

    fn positional(mut self, count: usize) -> Self {
        self.positional_options = count;
        self
    }

    fn set(mut self, name: &'static str, options: Vec<(&'static str, Literal)>) -> Self {
        self.sets.push(OptionSet { name, options });
        self
    }

    fn note(mut self, note: &str) -> Self {
        self.documentation = self.documentation.note(note);
        self
    }

    /// How it is called, for the reference and for messages.
    pub fn signature(&self) -> String {
        let inputs = self.inputs.iter().map(|input| match input.is_optional {
            true => format!("[{}]", input.name),
            false => input.name.to_owned(),
        });
        let options = self.options.iter().map(|option| format!("[{} {}]", option.name, option.pattern));
        let compat = (!self.sets.is_empty()).then(|| "[compat VARCHAR]".to_owned());
        format!("({})", inputs.chain(options).chain(compat).collect::<Vec<_>>().join(", "))
    }
}

/// Adds the built-in analyzers.
pub(crate) fn register(registry: &mut Registry) {
    scale::register(registry);
    bucket::register(registry);
    category::register(registry);
    missing::register(registry);
    token::register(registry);
    quantizer::register(registry);
    embedding::register(registry);
}
