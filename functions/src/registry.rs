//! Where functions are found by name. A registry belongs to a session; there is no global one.

use std::collections::HashMap;
use std::sync::Arc;

use crate::aggregate::{AggregateFunction, AggregateOverload};
use crate::analyzer::Analyzer;
use crate::error::{Error, Result};
use crate::files::{Files, ReadFile};
use crate::scalar::{Overload, ScalarFunction};
use crate::signature::{Fit, Given, Misfit, Signature};
use crate::window::WindowFunction;

/// Scalar, aggregate and window functions by lower-case name and alias.
#[derive(Debug, Clone, Default)]
pub struct Registry {
    scalars: HashMap<String, Arc<ScalarFunction>>,
    aggregates: HashMap<String, Arc<AggregateFunction>>,
    windows: HashMap<String, Arc<WindowFunction>>,
    analyzers: HashMap<String, Arc<Analyzer>>,
    files: Files,
}

impl Registry {
    /// A registry without functions.
    pub fn empty() -> Self {
        Self::default()
    }

    /// A registry with the built-in library.
    pub fn builtin() -> Self {
        let mut registry = Self::empty();
        crate::builtin::register(&mut registry);
        registry
    }

    /// Lends functions the host's files; without it, functions that name a file are refused.
    pub fn lend_files(&self, reader: Arc<dyn ReadFile>) {
        self.files.lend(reader);
    }

    /// The files that were lent, or will be.
    pub fn files(&self) -> &Files {
        &self.files
    }

    /// Adds a scalar function under its name and aliases; replaces one of that name.
    pub fn register_scalar(&mut self, function: ScalarFunction) {
        let function = Arc::new(function);
        for name in function.aliases.iter().chain([&function.name]) {
            self.scalars.insert(name.to_ascii_lowercase(), Arc::clone(&function));
        }
    }

    /// Adds an aggregate function under its name and aliases; replaces one of that name.
    pub fn register_aggregate(&mut self, function: AggregateFunction) {
        let function = Arc::new(function);
        for name in function.aliases.iter().chain([&function.name]) {
            self.aggregates.insert(name.to_ascii_lowercase(), Arc::clone(&function));
        }
    }

    /// Adds a window function under its name and aliases; replaces one of that name.
    pub fn register_window(&mut self, function: WindowFunction) {
        let function = Arc::new(function);
        for name in function.aliases.iter().chain([&function.name]) {
            self.windows.insert(name.to_ascii_lowercase(), Arc::clone(&function));
        }
    }

    /// Adds an analyzer under its name; replaces one of that name. It may share its name with a scalar, which takes more arguments.
    pub fn register_analyzer(&mut self, analyzer: Analyzer) {
        self.analyzers.insert(analyzer.name.to_ascii_lowercase(), Arc::new(analyzer));
    }

    /// The analyzer of this name, case ignored.
    pub fn analyzer(&self, name: &str) -> Option<&Arc<Analyzer>> {
        self.analyzers.get(name).or_else(|| self.analyzers.get(&name.to_ascii_lowercase()))
    }

    /// Analyzers by name.
    pub fn analyzers(&self) -> Vec<&Arc<Analyzer>> {
        let mut analyzers: Vec<_> = self.analyzers.values().collect();
        analyzers.sort_by(|a, b| a.name.cmp(&b.name));
        analyzers
    }

    /// The scalar function of this name, case ignored.
    pub fn scalar(&self, name: &str) -> Option<&Arc<ScalarFunction>> {
        self.scalars.get(name).or_else(|| self.scalars.get(&name.to_ascii_lowercase()))
    }

    /// The aggregate function of this name, case ignored.
    pub fn aggregate(&self, name: &str) -> Option<&Arc<AggregateFunction>> {
        self.aggregates.get(name).or_else(|| self.aggregates.get(&name.to_ascii_lowercase()))
    }

    /// The window function of this name, case ignored. Aggregates are window functions too, and are not among them.
    pub fn window(&self, name: &str) -> Option<&Arc<WindowFunction>> {
        self.windows.get(name).or_else(|| self.windows.get(&name.to_ascii_lowercase()))
    }

    /// Scalar functions by name, each once.
    pub fn scalars(&self) -> Vec<&Arc<ScalarFunction>> {
        let mut functions: Vec<_> =
            self.scalars.iter().filter(|(key, f)| **key == f.name).map(|(_, f)| f).collect();
        functions.sort_by(|a, b| a.name.cmp(&b.name));
        functions
    }

    /// Aggregate functions by name, each once.
    pub fn aggregates(&self) -> Vec<&Arc<AggregateFunction>> {
        let mut functions: Vec<_> =
            self.aggregates.iter().filter(|(key, f)| **key == f.name).map(|(_, f)| f).collect();
        functions.sort_by(|a, b| a.name.cmp(&b.name));
        functions
    }

    /// Window functions by name, each once, without the aggregates.
    pub fn windows(&self) -> Vec<&Arc<WindowFunction>> {
        let mut functions: Vec<_> =
            self.windows.iter().filter(|(key, f)| **key == f.name).map(|(_, f)| f).collect();
        functions.sort_by(|a, b| a.name.cmp(&b.name));
        functions
    }

    /// Every name and alias, sorted.
    pub fn names(&self) -> Vec<&str> {
        let names = self.scalars.keys().chain(self.aggregates.keys()).chain(self.windows.keys());
        let names = names.chain(self.analyzers.keys());
        let mut names: Vec<_> = names.map(String::as_str).collect();
        names.sort_unstable();
        names.dedup();
        names
    }

    /// The error for a name that is neither scalar nor aggregate, with the nearest name if one is near.
    pub fn unknown(&self, name: &str) -> Error {
        let lower = name.to_ascii_lowercase();
        let nearest = self
            .names()
            .into_iter()
            .map(|known| (strsim::damerau_levenshtein(&lower, known), known))
            .min()
            .filter(|(distance, known)| *distance <= 1 + known.len() / 4);
        let suggestion = nearest.map_or(String::new(), |(_, known)| format!("; did you mean \"{known}\"?"));
        Error::UnknownFunction { name: name.into(), suggestion }
    }
}

impl ScalarFunction {
    /// The form that fits the arguments with the cheapest casts.
    ///
    /// # Errors
    /// [`Error::NoOverload`], or [`Error::Argument`] where only one form takes that many arguments.
    pub fn resolve(&self, given: &[Given<'_>]) -> Result<(&Overload, Fit)> {
        let forms: Vec<&Signature> = self.overloads.iter().map(|overload| &overload.signature).collect();
        let (index, fit) = choose(&self.name, &forms, given)?;
        Ok((&self.overloads[index], fit))
    }
}

impl AggregateFunction {
    /// The form that fits the arguments with the cheapest casts.
    ///
    /// # Errors
    /// As [`ScalarFunction::resolve`].
    pub fn resolve(&self, given: &[Given<'_>]) -> Result<(&AggregateOverload, Fit)> {
        let forms: Vec<&Signature> = self.overloads.iter().map(|overload| &overload.signature).collect();
        let (index, fit) = choose(&self.name, &forms, given)?;
        Ok((&self.overloads[index], fit))
    }
}

fn choose(name: &str, forms: &[&Signature], given: &[Given<'_>]) -> Result<(usize, Fit)> {
    let mut best: Option<(usize, Fit)> = None;
    let mut misfits = Vec::new();
    for (index, form) in forms.iter().enumerate() {
        match form.fit(given) {
            Ok(fit) if best.as_ref().is_none_or(|(_, held)| fit.cost < held.cost) => {
                best = Some((index, fit))
            }
            Ok(_) => {}
            Err(misfit) => misfits.push((index, misfit)),
        }
    }
    best.ok_or_else(|| explain(name, forms, given, &misfits))
}

fn explain(name: &str, forms: &[&Signature], given: &[Given<'_>], misfits: &[(usize, Misfit)]) -> Error {
    let counted: Vec<_> = misfits.iter().filter(|(_, misfit)| *misfit != Misfit::Count).collect();
    if let [(index, Misfit::Argument(position))] = counted[..]
        && let Some(parameter) = forms[*index].parameter(*position)
    {
        let problem = format!("has type {}; expected {}", describe(&given[*position]), parameter.pattern);
        return Error::argument(name, position + 1, problem);
    }
    let actual = given.iter().map(describe).collect::<Vec<_>>().join(", ");
    let listed = forms.iter().map(|form| format!("{name}{form}")).collect::<Vec<_>>().join(" or ");
    Error::NoOverload { function: name.into(), actual, expected: format!("expected {listed}") }
}

fn describe(given: &Given<'_>) -> String {
    match given {
        Given::Typed(data_type) | Given::IntegerLiteral(data_type, _) => data_type.to_string(),
        Given::TextLiteral => "VARCHAR".into(),
        Given::Lambda(count) => format!("lambda of {count} parameters"),
    }
}
