//! What SQL itself defines in a session: views, macros and prepared statements. Plain data; a session owns it.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::nearest::nearest;
use crate::transform::{Fitted, Transform};
use crate::tree::{CreateMacro, CreateView, Statement};

/// Views, macros and prepared statements by lower-case name.
#[derive(Debug, Clone, Default)]
pub struct Definitions {
    views: BTreeMap<String, Arc<CreateView>>,
    macros: BTreeMap<String, Arc<CreateMacro>>,
    prepared: BTreeMap<String, Arc<Statement>>,
    transforms: BTreeMap<String, Arc<Transform>>,
}

impl Definitions {
    /// Adds a view; replaces one of that name.
    pub fn add_view(&mut self, view: CreateView) {
        self.views.insert(view.name.text.to_lowercase(), Arc::new(view));
    }

    /// The view of this name.
    pub fn view(&self, name: &str) -> Option<&Arc<CreateView>> {
        self.views.get(&name.to_lowercase())
    }

    /// Removes a view; false if there is none.
    pub fn remove_view(&mut self, name: &str) -> bool {
        self.views.remove(&name.to_lowercase()).is_some()
    }

    /// Names of all views, sorted.
    pub fn view_names(&self) -> Vec<String> {
        self.views.values().map(|view| view.name.text.clone()).collect()
    }

    /// Adds a macro; replaces one of that name.
    pub fn add_macro(&mut self, definition: CreateMacro) {
        self.macros.insert(definition.name.text.to_lowercase(), Arc::new(definition));
    }

    /// The macro of this name.
    pub fn find_macro(&self, name: &str) -> Option<&Arc<CreateMacro>> {
        self.macros.get(&name.to_lowercase())
    }

    /// Removes a macro; false if there is none.
    pub fn remove_macro(&mut self, name: &str) -> bool {
        self.macros.remove(&name.to_lowercase()).is_some()
    }

    /// All macros by name.
    pub fn macros(&self) -> impl Iterator<Item = &Arc<CreateMacro>> {
        self.macros.values()
    }

    /// Adds a transform; replaces one of that name.
    pub fn add_transform(&mut self, transform: Transform) {
        self.transforms.insert(transform.name.text.to_lowercase(), Arc::new(transform));
    }

    /// The transform of this name.
    pub fn transform(&self, name: &str) -> Option<&Arc<Transform>> {
        self.transforms.get(&name.to_lowercase())
    }

    /// Gives a transform what a fit found; false if it was dropped or has become another one meanwhile.
    pub fn set_fitted(&mut self, fitted_for: &Transform, fitted: Arc<Fitted>) -> bool {
        match self.transforms.get_mut(&fitted_for.name.text.to_lowercase()) {
            Some(transform) if transform.query.is_some() && transform.sql == fitted_for.sql => {
                Arc::make_mut(transform).fitted = Some(fitted);
                true
            }
            _ => false,
        }
    }

    /// Removes a transform; false if there is none.
    pub fn remove_transform(&mut self, name: &str) -> bool {
        self.transforms.remove(&name.to_lowercase()).is_some()
    }

    /// All transforms by name.
    pub fn transforms(&self) -> impl Iterator<Item = &Arc<Transform>> {
        self.transforms.values()
    }

    /// The transform name most like one that was mistyped.
    pub fn nearest_transform(&self, name: &str) -> Option<String> {
        nearest(name, self.transforms.values().map(|transform| transform.name.text.as_str()))
    }

    /// Adds a prepared statement; replaces one of that name.
    pub fn add_prepared(&mut self, name: &str, statement: Statement) {
        self.prepared.insert(name.to_lowercase(), Arc::new(statement));
    }

    /// The prepared statement of this name.
    pub fn prepared(&self, name: &str) -> Option<&Arc<Statement>> {
        self.prepared.get(&name.to_lowercase())
    }

    /// Removes a prepared statement; false if there is none.
    pub fn remove_prepared(&mut self, name: &str) -> bool {
        self.prepared.remove(&name.to_lowercase()).is_some()
    }

    /// Names of all prepared statements, sorted.
    pub fn prepared_names(&self) -> Vec<&str> {
        self.prepared.keys().map(String::as_str).collect()
    }
}
