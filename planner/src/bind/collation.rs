//! COLLATE: text is compared, ordered and grouped by a form of it, and shown as it is.

use crate::bind::Binder;
use crate::bind::frame::Frame;
use crate::bind::scope::Bound;
use crate::error::{Error, Result};
use crate::span::Span;
use crate::tree::{BinaryOperator, Expression, ExpressionKind as Kind};

use hypostyle_functions::Type;

/// Functions whose results are compared in place of the text, in order of use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Collation {
    functions: Vec<&'static str>,
}

impl Collation {
    /// The collation of this name; several are joined with points. `None` compares bytes.
    fn named(name: &str, span: Span) -> Result<Option<Self>> {
        let mut functions = Vec::new();
        for part in name.split('.') {
            match part.to_lowercase().as_str() {
                "nocase" => functions.push("lower"),
                "noaccent" => functions.push("strip_accents"),
                "nfc" => functions.push("nfc_normalize"),
                "c" | "posix" | "binary" => {}
                _ => {
                    let message = format!("no collation \"{part}\"; there are NOCASE, NOACCENT, NFC and C");
                    return Err(Error::invalid(message, span));
                }
            }
        }
        Ok((!functions.is_empty()).then_some(Self { functions }))
    }
}

impl Binder<'_> {
    /// `text COLLATE name`: the text itself.
    pub(super) fn collate(
        &mut self,
        operand: &Expression,
        name: &crate::tree::Name,
        frame: &mut Frame,
    ) -> Result<Bound> {
        Collation::named(&name.text, name.span)?;
        let bound = self.expression(operand, frame)?;
        match bound.data_type() {
            Type::Text => Ok(bound),
            Type::Null => Ok(Bound::typed(self.cast(bound, &Type::Text, operand.span)?)),
            other => Err(Error::invalid(format!("COLLATE takes text; this is {other}"), operand.span)),
        }
    }

    /// The collation of an expression: its own, that of what it is made of, or that of the name it stands for.
    pub(super) fn collation(&self, tree: &Expression, frame: &Frame) -> Result<Option<Collation>> {
        match &tree.kind {
            Kind::Collate(_, name) => Collation::named(&name.text, name.span),
            Kind::Column(names) => match names.as_slice() {
                [name] if frame.scope.find(names)?.is_none() => {
                    let alias = frame.aliases.iter().find(|alias| name.is(&alias.name));
                    // Looking no further ends also where a name stands for itself.
                    match alias.map(|alias| &alias.expression.kind) {
                        Some(Kind::Collate(_, name)) => Collation::named(&name.text, name.span),
                        _ => Ok(None),
                    }
                }
                _ => Ok(None),
            },
            Kind::Call(call) => {
                let values = call.arguments.iter().map(|argument| &argument.value);
                self.first_collation(values, frame)
            }
            Kind::Binary(BinaryOperator::Concat, left, right) => {
                self.first_collation([&**left, &**right].into_iter(), frame)
            }
            Kind::Case { branches, otherwise, .. } => {
                let results = branches.iter().map(|branch| &branch.result);
                self.first_collation(results.chain(otherwise.as_deref()), frame)
            }
            _ => Ok(None),
        }
    }

    fn first_collation<'e>(
        &self,
        parts: impl Iterator<Item = &'e Expression>,
        frame: &Frame,
    ) -> Result<Option<Collation>> {
        for part in parts {
            let found = stacker::maybe_grow(64 << 10, 1 << 20, || self.collation(part, frame))?;
            if found.is_some() {
                return Ok(found);
            }
        }
        Ok(None)
    }

    /// What a text is compared by; other values are compared as they are.
    pub(super) fn collated(&mut self, bound: Bound, collation: &Collation, span: Span) -> Result<Bound> {
        if bound.data_type() != Type::Text {
            return Ok(bound);
        }
        collation
            .functions
            .iter()
            .try_fold(bound, |bound, function| self.apply(function, vec![(bound, span)], span))
    }

    /// The collation of the first of several expressions that are compared with one another.
    pub(super) fn shared_collation(&self, trees: &[&Expression], frame: &Frame) -> Result<Option<Collation>> {
        self.first_collation(trees.iter().copied(), frame)
    }

    /// An expression for a comparison under this collation.
    pub(super) fn compared(
        &mut self,
        tree: &Expression,
        collation: Option<&Collation>,
        frame: &mut Frame,
    ) -> Result<Bound> {
        let bound = self.expression(tree, frame)?;
        match collation {
            Some(collation) => self.collated(bound, collation, tree.span),
            None => Ok(bound),
        }
    }
}
