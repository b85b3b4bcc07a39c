//! The operands of an expression, for walks that do not care about its form. Subqueries are not entered.

use crate::tree::{Expression, ExpressionKind as Kind, Over};

macro_rules! operands {
    ($name:ident, $over:ident, $($mutability:tt)?) => {
        /// The operands, in order; queries inside are not entered.
        pub fn $name(&$($mutability)? self) -> Vec<&$($mutability)? Expression> {
            let mut operands: Vec<&$($mutability)? Expression> = Vec::new();
            match &$($mutability)? self.kind {
                Kind::Column(_)
                | Kind::Literal(_)
                | Kind::Parameter(_)
                | Kind::Exists { .. }
                | Kind::ScalarQuery(_)
                | Kind::ArrayQuery(_) => {}
                Kind::Call(call) => {
                    for argument in &$($mutability)? call.arguments {
                        operands.push(&$($mutability)? argument.value);
                    }
                    for term in &$($mutability)? call.order_by {
                        operands.push(&$($mutability)? term.expression);
                    }
                    if let Some(filter) = &$($mutability)? call.filter {
                        operands.push(filter);
                    }
                    if let Some(Over::Window(window)) = call.over.$over() {
                        operands.extend(window.$name());
                    }
                }
                Kind::Unary(_, operand)
                | Kind::IsNull { operand, .. }
                | Kind::IsBoolean { operand, .. }
                | Kind::InQuery { operand, .. }
                | Kind::Cast { operand, .. }
                | Kind::Field(operand, _)
                | Kind::Lambda { body: operand, .. }
                | Kind::Interval { value: operand, .. }
                | Kind::Collate(operand, _) => operands.push(operand),
                Kind::Binary(_, left, right)
                | Kind::IsDistinct { left, right, .. }
                | Kind::Quantified { left, right, .. }
                | Kind::Index(left, right) => {
                    operands.push(left);
                    operands.push(right);
                }
                Kind::And(items) | Kind::Or(items) | Kind::Row(items) | Kind::List(items) => operands.extend(items),
                Kind::InList { operand, list, .. } => {
                    operands.push(operand);
                    operands.extend(list);
                }
                Kind::Between { operand, low, high, .. } => {
                    operands.push(operand);
                    operands.push(low);
                    operands.push(high);
                }
                Kind::Match { operand, pattern, escape, .. } => {
                    operands.push(operand);
                    operands.push(pattern);
                    if let Some(escape) = escape {
                        operands.push(escape);
                    }
                }
                Kind::Case { operand, branches, otherwise } => {
                    if let Some(operand) = operand {
                        operands.push(operand);
                    }
                    for branch in branches {
                        operands.push(&$($mutability)? branch.condition);
                        operands.push(&$($mutability)? branch.result);
                    }
                    if let Some(otherwise) = otherwise {
                        operands.push(otherwise);
                    }
                }
                Kind::Struct(fields) => {
                    for (_, value) in fields {
                        operands.push(value);
                    }
                }
                Kind::Map(entries) => {
                    for (key, value) in entries {
                        operands.push(key);
                        operands.push(value);
                    }
                }
                Kind::Slice { operand, low, high, step } => {
                    operands.push(operand);
                    for bound in [low, high, step].into_iter().flatten() {
                        operands.push(bound);
                    }
                }
                Kind::Star(star) => {
                    for replacement in &$($mutability)? star.replace {
                        operands.push(&$($mutability)? replacement.expression);
                    }
                }
            }
            operands
        }
    };
}

impl Expression {
    // The macro expands to one function over shared and one over exclusive references, of the same body.
    operands!(children, as_deref,);
    operands!(children_mut, as_deref_mut, mut);

    /// True if `test` holds for this expression or one below it.
    pub fn any(&self, test: &mut impl FnMut(&Expression) -> bool) -> bool {
        stacker::maybe_grow(64 << 10, 1 << 20, || {
            test(self) || self.children().into_iter().any(|child| child.any(test))
        })
    }
}
