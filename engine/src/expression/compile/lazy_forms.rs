//! Compiles the forms that do not evaluate all of their operands: AND, OR, CASE, COALESCE and TRY.

use hypostyle_functions::lanes::LaneKind;
use hypostyle_functions::scalar::Cost;
use hypostyle_functions::types::Type;
use hypostyle_functions::value::{Literal, Value};

use super::{Compiler, Key};
use crate::error::{Error, Result};
use crate::expression::graph::{Kind, NodeId};
use crate::plan::Expression;

impl Compiler<'_> {
    pub(super) fn logic(&mut self, operands: &[Expression], is_and: bool) -> Result<NodeId> {
        let mut flat = Vec::new();
        flatten(operands, is_and, &mut flat);
        let mut nodes = Vec::with_capacity(flat.len());
        for operand in flat {
            let id = self.add(operand)?;
            if self.graph.nodes[id].data_type != Type::Boolean {
                return Err(Error::internal("an operand of AND or OR is not BOOLEAN"));
            }
            match self.value(id).and_then(|literal| literal.value.as_bool()) {
                Some(value) if value == is_and => {}
                Some(_) => return Ok(id),
                None if nodes.contains(&id) && !self.graph.nodes[id].is_volatile => {}
                None => nodes.push(id),
            }
        }
        self.join(nodes, is_and)
    }

    /// AND or OR of nodes: those that fit a program first and as one, the others by cost.
    fn join(&mut self, mut nodes: Vec<NodeId>, is_and: bool) -> Result<NodeId> {
        let is_pure = |&id: &NodeId| self.graph.nodes[id].is_pure;
        let pure: Vec<_> = nodes.iter().copied().filter(is_pure).collect();
        if pure.len() > 1 && pure.len() < nodes.len() {
            nodes.retain(|id| !is_pure(id));
            let joined = self.join(pure, is_and)?;
            nodes.insert(0, joined);
        }
        nodes.sort_by_key(|&id| (!self.graph.nodes[id].is_pure, self.graph.nodes[id].cost));
        match nodes[..] {
            [] => Ok(self.constant(Literal::new(Value::Boolean(is_and)))),
            [single] => Ok(single),
            _ => {
                let kind = Kind::Logic { operands: nodes.clone().into(), is_and };
                let id = self.intern(Key::Logic(nodes, is_and), Type::Boolean, kind, Cost::Cheap, false);
                self.folded(id)
            }
        }
    }

    pub(super) fn case(
        &mut self,
        branches: &[(Expression, Expression)],
        otherwise: Option<&Expression>,
        data_type: &Type,
    ) -> Result<NodeId> {
        let mut nodes = Vec::with_capacity(branches.len());
        let mut last = None;
        for (when, then) in branches {
            let when = self.add(when)?;
            let then = self.add(then)?;
            match self.value(when).map(|literal| literal.value.as_bool()) {
                Some(Some(true)) => {
                    last = Some(then);
                    break;
                }
                Some(_) => {}
                None => nodes.push((when, then)),
            }
        }
        if last.is_none() {
            last = otherwise.map(|value| self.add(value)).transpose()?;
        }
        if last.is_none() && LaneKind::of(data_type).is_some() {
            // Programs select between lanes, so the branch that is left out is written down.
            last = Some(self.constant(Literal::null(data_type.clone())));
        }
        for &id in nodes.iter().map(|(_, then)| then).chain(&last) {
            if self.graph.nodes[id].data_type != *data_type {
                let actual = &self.graph.nodes[id].data_type;
                return Err(Error::internal(format!(
                    "a branch of CASE has type {actual}; expected {data_type}"
                )));
            }
        }
        if nodes.is_empty() {
            return Ok(last.unwrap_or_else(|| self.constant(Literal::null(data_type.clone()))));
        }
        let kind = Kind::Case { branches: nodes.clone().into(), otherwise: last };
        let id = self.intern(
            Key::Case(nodes, last, data_type.clone()),
            data_type.clone(),
            kind,
            Cost::Cheap,
            false,
        );
        self.folded(id)
    }

    pub(super) fn coalesce(&mut self, arguments: &[Expression], data_type: &Type) -> Result<NodeId> {
        let mut nodes = Vec::with_capacity(arguments.len());
        for argument in arguments {
            let id = self.add(argument)?;
            if self.graph.nodes[id].data_type != *data_type {
                let actual = &self.graph.nodes[id].data_type;
                return Err(Error::internal(format!(
                    "an argument of COALESCE has type {actual}; expected {data_type}"
                )));
            }
            match self.value(id) {
                Some(literal) if literal.value.is_null() => {}
                Some(_) => {
                    nodes.push(id);
                    break;
                }
                None => nodes.push(id),
            }
        }
        match nodes[..] {
            [] => Ok(self.constant(Literal::null(data_type.clone()))),
            [single] => Ok(single),
            _ => {
                let kind = Kind::Coalesce(nodes.clone().into());
                let key = Key::Coalesce(nodes, data_type.clone());
                Ok(self.intern(key, data_type.clone(), kind, Cost::Cheap, false))
            }
        }
    }

    /// TRY; a constant that failed to fold is null under it.
    pub(super) fn attempt(&mut self, input: NodeId) -> Result<NodeId> {
        let data_type = self.graph.nodes[input].data_type.clone();
        if matches!(self.graph.nodes[input].kind, Kind::Input(_) | Kind::Constant(_) | Kind::Try(_)) {
            return Ok(input);
        }
        Ok(self.intern(Key::Try(input), data_type, Kind::Try(input), Cost::Cheap, false))
    }
}

/// The operands of nested ANDs (or ORs) as one list.
fn flatten<'e>(operands: &'e [Expression], is_and: bool, flat: &mut Vec<&'e Expression>) {
    for operand in operands {
        match operand {
            Expression::And(inner) if is_and => flatten(inner, is_and, flat),
            Expression::Or(inner) if !is_and => flatten(inner, is_and, flat),
            _ => flat.push(operand),
        }
    }
}
