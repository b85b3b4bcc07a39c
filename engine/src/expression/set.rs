//! A compiled list of expressions, shared by the workers that evaluate it.

use std::sync::Arc;

use hypostyle_functions::types::{Schema, Type};

use super::compile::compile;
use super::graph::Graph;
use crate::context::Context;
use crate::error::Result;
use crate::plan::Expression;

/// Expressions over one input, compiled together so that they share what they have in common.
pub struct ExpressionSet {
    pub(super) graph: Graph,
    pub(super) types: Vec<Type>,
    pub(super) columns: Vec<usize>,
    /// What was compiled, for whoever shows the work done.
    sources: Vec<Expression>,
}

impl ExpressionSet {
    /// Compiles `expressions` over the columns of `input`.
    ///
    /// # Errors
    /// Unknown functions, arguments that a function refuses while binding, types that do not agree.
    pub fn compile(expressions: &[Expression], input: &Schema, context: &Arc<Context>) -> Result<Arc<Self>> {
        let input: Vec<_> = input.fields.iter().map(|field| field.data_type.clone()).collect();
        let graph = compile(expressions, &input, context)?;
        let types = graph.outputs.iter().map(|&output| graph.nodes[output].data_type.clone()).collect();
        let mut columns: Vec<_> =
            graph.outputs.iter().flat_map(|&output| graph.nodes[output].inputs.to_vec()).collect();
        columns.sort_unstable();
        columns.dedup();
        Ok(Arc::new(Self { graph, types, columns, sources: expressions.to_vec() }))
    }

    /// Types of the outputs, in order.
    pub fn types(&self) -> &[Type] {
        &self.types
    }

    /// Positions of the input columns that are read, ascending.
    pub fn columns(&self) -> &[usize] {
        &self.columns
    }

    /// The expressions as they were given, in the order of the outputs.
    pub fn sources(&self) -> &[Expression] {
        &self.sources
    }

    /// Types of the input columns.
    pub fn input_types(&self) -> &[Type] {
        &self.graph.input_types
    }

    /// Number of outputs.
    pub fn len(&self) -> usize {
        self.types.len()
    }

    /// True without outputs.
    pub fn is_empty(&self) -> bool {
        self.types.is_empty()
    }
}

impl std::fmt::Debug for ExpressionSet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ExpressionSet")
            .field("types", &self.types)
            .field("columns", &self.columns)
            .finish_non_exhaustive()
    }
}
