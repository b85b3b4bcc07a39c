//! What a plan declares: extensions, and functions and types by anchor.

use std::collections::HashMap;

use hypostyle_functions::Type;

use crate::data_type::{DeclareType, UNSIGNED};
use crate::function::{Extension, compound};
use crate::message::plan::{Declaration, Declared, DeclaredName, SimpleExtensionUrn};

/// Names that have been given an anchor.
#[derive(Debug, Default)]
pub(super) struct Declarations {
    urns: Vec<&'static str>,
    functions: HashMap<(u32, String), u32>,
    types: Vec<&'static str>,
    has_unsigned: bool,
    declared: Vec<Declaration>,
}

impl Declarations {
    /// The anchor of a function.
    pub fn function(&mut self, extension: Extension, name: &str, types: &[Type]) -> u32 {
        let urn_reference = self.urn(extension.urn());
        let name = match extension {
            Extension::Own => name.to_owned(),
            _ => compound(extension, name, types),
        };
        let next = count(self.functions.len());
        let key = (urn_reference, name);
        if let Some(anchor) = self.functions.get(&key) {
            return *anchor;
        }
        let name =
            DeclaredName { anchor: next, name: key.1.clone(), urn_reference, ..DeclaredName::default() };
        self.declared.push(Declaration { kind: Some(Declared::Function(name)) });
        self.functions.insert(key, next);
        next
    }

    fn urn(&mut self, urn: &'static str) -> u32 {
        let position = self.urns.iter().position(|known| *known == urn).unwrap_or_else(|| {
            self.urns.push(urn);
            self.urns.len() - 1
        });
        count(position)
    }

    /// The extensions and what is declared of them.
    pub fn into_messages(self) -> (Vec<SimpleExtensionUrn>, Vec<Declaration>) {
        let urns = self.urns.iter().enumerate();
        let urns = urns
            .map(|(position, urn)| SimpleExtensionUrn { anchor: count(position), urn: (*urn).to_owned() });
        (urns.collect(), self.declared)
    }
}

impl DeclareType for Declarations {
    fn type_anchor(&mut self, name: &'static str) -> u32 {
        if let Some(position) = self.types.iter().position(|known| *known == name) {
            return count(position);
        }
        self.types.push(name);
        let urn_reference = self.urn(Extension::Own.urn());
        let anchor = count(self.types.len() - 1);
        let name = DeclaredName { anchor, name: name.to_owned(), urn_reference, ..DeclaredName::default() };
        self.declared.push(Declaration { kind: Some(Declared::Type(name)) });
        anchor
    }

    fn use_unsigned(&mut self) {
        if self.has_unsigned {
            return;
        }
        self.has_unsigned = true;
        let urn_reference = self.urn(Extension::Own.urn());
        let name = "unsigned".to_owned();
        let name = DeclaredName { anchor: UNSIGNED, name, urn_reference, ..DeclaredName::default() };
        self.declared.push(Declaration { kind: Some(Declared::TypeVariation(name)) });
    }
}

/// Anchors count from 1, so that a reader that takes 0 for none is right too.
fn count(position: usize) -> u32 {
    u32::try_from(position + 1).unwrap_or(u32::MAX)
}
