//! Expressions of a plan: typed, coerced, plain data.

use hypostyle_functions::place::Place;
use hypostyle_functions::types::Type;
use hypostyle_functions::value::Literal;
use serde::{Deserialize, Serialize};

/// A typed expression. Every argument already has the type that its consumer wants; casts are explicit.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Expression {
    /// A column of the input.
    Column {
        /// Position in the input's schema.
        index: usize,
        /// Type of the column.
        data_type: Type,
    },
    /// A constant.
    Literal(Literal),
    /// A parameter of a prepared statement, known when a run starts.
    Parameter {
        /// Position, from 0.
        index: usize,
        /// Type.
        data_type: Type,
    },
    /// A parameter of an enclosing lambda.
    Variable {
        /// Identifier, unique in the plan.
        id: u32,
        /// Type.
        data_type: Type,
    },
    /// A call of a scalar function of the registry.
    Call {
        /// Name.
        function: String,
        /// Semantic version.
        version: u32,
        /// Arguments; lambdas where the function takes them.
        arguments: Vec<Expression>,
        /// Type of the result.
        data_type: Type,
        /// Where it was written; not part of stored plans.
        #[serde(skip)]
        place: Place,
    },
    /// A lambda; only as an argument of a call. Its body may read columns and variables from outside.
    Lambda {
        /// Identifiers and types of its parameters.
        parameters: Vec<(u32, Type)>,
        /// The body.
        body: Box<Expression>,
    },
    /// A cast.
    Cast {
        /// What is cast.
        input: Box<Expression>,
        /// Target type.
        to: Type,
        /// Whether a value that does not fit becomes null instead of an error.
        is_try: bool,
        /// Where it was written; not part of stored plans.
        #[serde(skip)]
        place: Place,
    },
    /// True if all are; false decides over null and over errors further on.
    And(Vec<Expression>),
    /// True if one is; true decides over null and over errors further on.
    Or(Vec<Expression>),
    /// The value of the first branch whose condition is true.
    Case {
        /// Conditions and values.
        branches: Vec<(Expression, Expression)>,
        /// Value where no condition is true; null if left out.
        otherwise: Option<Box<Expression>>,
        /// Type of the result.
        data_type: Type,
    },
    /// The first value that is not null.
    Coalesce {
        /// Candidates.
        arguments: Vec<Expression>,
        /// Type of the result.
        data_type: Type,
    },
    /// Null where the expression fails.
    Try(Box<Expression>),
}

impl Expression {
    /// A column.
    pub fn column(index: usize, data_type: Type) -> Self {
        Self::Column { index, data_type }
    }

    /// A call of version 1 of a function.
    pub fn call(function: impl Into<String>, arguments: Vec<Expression>, data_type: Type) -> Self {
        Self::Call { function: function.into(), version: 1, arguments, data_type, place: Place::NONE }
    }

    /// A cast whose failure is an error.
    pub fn cast(input: Expression, to: Type) -> Self {
        Self::Cast { input: Box::new(input), to, is_try: false, place: Place::NONE }
    }

    /// Type of the result; of a lambda, of its body's result.
    pub fn data_type(&self) -> Type {
        match self {
            Self::Column { data_type, .. }
            | Self::Parameter { data_type, .. }
            | Self::Variable { data_type, .. }
            | Self::Call { data_type, .. }
            | Self::Case { data_type, .. }
            | Self::Coalesce { data_type, .. }
            | Self::Cast { to: data_type, .. } => data_type.clone(),
            Self::Literal(literal) => literal.data_type.clone(),
            Self::Lambda { body, .. } => body.data_type(),
            Self::And(_) | Self::Or(_) => Type::Boolean,
            Self::Try(input) => input.data_type(),
        }
    }

    /// The operands, in order.
    pub fn children(&self) -> Vec<&Expression> {
        match self {
            Self::Column { .. } | Self::Literal(_) | Self::Parameter { .. } | Self::Variable { .. } => {
                Vec::new()
            }
            Self::Call { arguments, .. }
            | Self::Coalesce { arguments, .. }
            | Self::And(arguments)
            | Self::Or(arguments) => arguments.iter().collect(),
            Self::Lambda { body, .. } => vec![body],
            Self::Cast { input, .. } | Self::Try(input) => vec![input],
            Self::Case { branches, otherwise, .. } => {
                branches.iter().flat_map(|(when, then)| [when, then]).chain(otherwise.as_deref()).collect()
            }
        }
    }

    /// The operands, in order, for rewriting.
    pub fn children_mut(&mut self) -> Vec<&mut Expression> {
        match self {
            Self::Column { .. } | Self::Literal(_) | Self::Parameter { .. } | Self::Variable { .. } => {
                Vec::new()
            }
            Self::Call { arguments, .. }
            | Self::Coalesce { arguments, .. }
            | Self::And(arguments)
            | Self::Or(arguments) => arguments.iter_mut().collect(),
            Self::Lambda { body, .. } => vec![body],
            Self::Cast { input, .. } | Self::Try(input) => vec![input],
            Self::Case { branches, otherwise, .. } => branches
                .iter_mut()
                .flat_map(|(when, then)| [when, then])
                .chain(otherwise.as_deref_mut())
                .collect(),
        }
    }

    /// Calls `visit` on this expression and everything below it.
    pub fn walk(&self, visit: &mut impl FnMut(&Expression)) {
        visit(self);
        self.children().into_iter().for_each(|child| child.walk(visit));
    }

    /// Calls `visit` on everything below this expression and then on itself, for rewriting in place.
    pub fn walk_mut(&mut self, visit: &mut impl FnMut(&mut Expression)) {
        self.children_mut().into_iter().for_each(|child| child.walk_mut(visit));
        visit(self);
    }

    /// Positions of the columns read, ascending, each once.
    pub fn columns(&self) -> Vec<usize> {
        let mut columns = Vec::new();
        self.walk(&mut |expression| {
            if let Self::Column { index, .. } = expression {
                columns.push(*index);
            }
        });
        columns.sort_unstable();
        columns.dedup();
        columns
    }
}
