//! The contract of scalar functions: bound once per plan, called once per batch or per row.

use std::sync::Arc;

use crate::column::{Output, Rows, View};
use crate::documentation::Documentation;
use crate::error::{Error, Result};
use crate::lanes::LaneKernel;
use crate::scratch::Scratch;
use crate::signature::{Parameter, Signature};
use crate::types::Type;
use crate::value::{Literal, Value};

/// Whether two calls with equal arguments give equal results.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Volatility {
    /// Always: may be folded, shared and memoised.
    Immutable,
    /// Within one query: `now()`. Folded when the query starts.
    Stable,
    /// Never: `random()`. Called once for each row that is asked for.
    Volatile,
}

/// How dear a call is, for ordering conjuncts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cost {
    /// A few instructions a row.
    Cheap,
    /// Walks the bytes of its argument.
    Parse,
    /// Runs a model.
    Model,
}

/// How equal results are on other machines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exactness {
    /// The same bits everywhere.
    Bits,
    /// May differ by platform; the reference gives the reason.
    Platform,
}

/// What a function does with null arguments.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Nulls {
    /// A null argument makes the row null; the function is not called on that row.
    Strict,
    /// A null argument makes the row null, but the function may be called on that row too, where it must neither fail nor
    /// look further than the place of the value: what it writes there is not read. For loops that go over all rows sooner
    /// than over a list of them.
    Covered,
    /// The function sees nulls and decides.
    Aware,
    /// A null argument is passed over, and the row is null only if all are: `greatest`. Only of a lane
    /// kernel that makes one value of two of the same type; more arguments are combined from the left.
    PassedOver,
}

impl Nulls {
    /// True if a null argument makes the row null.
    pub fn is_strict(self) -> bool {
        matches!(self, Self::Strict | Self::Covered)
    }
}

/// What is known of a query's surroundings while binding.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// Zone of TIMESTAMP WITH TIME ZONE values when they are shown or taken apart; an IANA name.
    pub time_zone: String,
    /// Start of the query in microseconds since 1970-01-01 UTC, for `now()` and its kin.
    pub now_microseconds: i64,
}

impl Default for Settings {
    fn default() -> Self {
        Self { time_zone: "UTC".into(), now_microseconds: 0 }
    }
}

/// The arguments of a call, already coerced to the types of the chosen overload.
#[derive(Debug, Clone, Copy)]
pub struct Arguments<'a> {
    /// SQL name of the function, for messages.
    pub function: &'a str,
    /// One type per argument; of a lambda, the type of its result.
    pub types: &'a [Type],
    /// The value of each argument that is constant in the plan.
    pub constants: &'a [Option<Literal>],
    /// Surroundings of the query.
    pub settings: &'a Settings,
}

impl Arguments<'_> {
    /// The value of an argument that must be constant; a constant NULL is [`Value::Null`].
    ///
    /// # Errors
    /// [`Error::Argument`] if it is not constant.
    pub fn constant(&self, position: usize) -> Result<&Value> {
        match self.constants.get(position) {
            Some(Some(literal)) => Ok(&literal.value),
            _ => Err(Error::argument(self.function, position + 1, "must be a constant")),
        }
    }

    /// The text of an argument that must be a constant text.
    ///
    /// # Errors
    /// [`Error::Argument`] if it is anything else.
    pub fn constant_text(&self, position: usize) -> Result<&str> {
        self.constant(position)?
            .as_text()
            .ok_or_else(|| Error::argument(self.function, position + 1, "must be a constant text, not NULL"))
    }

    /// The value of an argument if it is constant and not null.
    pub fn known(&self, position: usize) -> Option<&Value> {
        match self.constants.get(position) {
            Some(Some(literal)) if !literal.value.is_null() => Some(&literal.value),
            _ => None,
        }
    }
}

/// A call over views. Closures of this shape implement it.
pub trait Call: Send + Sync {
    /// Computes `rows` of `output`, which is prepared to the length of the batch. Other rows are not touched.
    ///
    /// # Errors
    /// Only what ends the query; a row's own failure goes to [`Output::fail`].
    fn call(
        &self,
        arguments: &[View<'_>],
        rows: Rows<'_>,
        output: &mut Output,
        scratch: &mut Scratch,
    ) -> Result<()>;
}

impl<F> Call for F
where
    F: Fn(&[View<'_>], Rows<'_>, &mut Output, &mut Scratch) -> Result<()> + Send + Sync,
{
    fn call(
        &self,
        arguments: &[View<'_>],
        rows: Rows<'_>,
        output: &mut Output,
        scratch: &mut Scratch,
    ) -> Result<()> {
        self(arguments, rows, output, scratch)
    }
}

/// The rows of a call that elements belong to. A body that captures nothing does not ask for them.
pub trait OuterRows {
    /// Number of elements.
    fn count(&self) -> usize;

    /// The row of each element.
    fn rows(&self) -> &[u32];
}

impl OuterRows for Vec<u32> {
    fn count(&self) -> usize {
        self.len()
    }

    fn rows(&self) -> &[u32] {
        self
    }
}

/// A compiled lambda body with its captures, as the engine lends it to a function.
pub trait Lambda {
    /// Evaluates the body once per element. `parameters` are columns of one length, an element a row;
    /// `outer_rows` gives the row of the call that each element belongs to, which is where captured
    /// columns are read. `output` is prepared here; failed elements are recorded in it.
    ///
    /// # Errors
    /// Only what ends the query.
    fn call(
        &mut self,
        parameters: &[View<'_>],
        outer_rows: &dyn OuterRows,
        output: &mut Output,
    ) -> Result<()>;

    /// Number of parameters that the body was written with. Columns past it may be given and are not read;
    /// a function asks in order not to make them.
    fn parameter_count(&self) -> usize {
        usize::MAX
    }
}

/// A call with lambdas. Closures of this shape implement it.
pub trait HigherOrderCall: Send + Sync {
    /// As [`Call::call`]; `arguments` holds the arguments that are not lambdas, `lambdas` the others, both in order.
    ///
    /// # Errors
    /// Only what ends the query.
    fn call(
        &self,
        arguments: &[View<'_>],
        lambdas: &mut [&mut dyn Lambda],
        rows: Rows<'_>,
        output: &mut Output,
        scratch: &mut Scratch,
    ) -> Result<()>;
}

impl<F> HigherOrderCall for F
where
    F: Fn(&[View<'_>], &mut [&mut dyn Lambda], Rows<'_>, &mut Output, &mut Scratch) -> Result<()>
        + Send
        + Sync,
{
    fn call(
        &self,
        arguments: &[View<'_>],
        lambdas: &mut [&mut dyn Lambda],
        rows: Rows<'_>,
        output: &mut Output,
        scratch: &mut Scratch,
    ) -> Result<()> {
        self(arguments, lambdas, rows, output, scratch)
    }
}

/// What computes the values.
#[derive(Clone)]
pub enum Body {
    /// Fixed width in, fixed width out, strict: can join a fused program.
    Lanes(Arc<dyn LaneKernel>),
    /// Everything else.
    Call(Arc<dyn Call>),
    /// With lambdas.
    HigherOrder(Arc<dyn HigherOrderCall>),
}

/// A function bound to argument types and constant arguments, with its prepared state. Shared by all workers.
#[derive(Clone)]
pub struct Bound {
    /// Type of the result.
    pub result: Type,
    /// What nulls do.
    pub nulls: Nulls,
    /// What computes the values.
    pub body: Body,
    /// Constant arguments that the state holds and the body does not read: in place of a long list it may be given an
    /// empty one.
    pub held: Vec<usize>,
}

impl std::fmt::Debug for Bound {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Bound")
            .field("result", &self.result)
            .field("nulls", &self.nulls)
            .finish_non_exhaustive()
    }
}

impl Bound {
    /// A strict fixed-width function.
    pub fn lanes(result: Type, kernel: Arc<dyn LaneKernel>) -> Self {
        Self { result, nulls: Nulls::Strict, body: Body::Lanes(kernel), held: Vec::new() }
    }

    /// A fixed-width function of any number of arguments of the result's type, made of one of two that is
    /// total: nulls are passed over.
    pub fn combining_lanes(result: Type, kernel: Arc<dyn LaneKernel>) -> Self {
        Self { result, nulls: Nulls::PassedOver, body: Body::Lanes(kernel), held: Vec::new() }
    }

    /// A strict function: it is never called on rows with a null argument.
    pub fn strict<F>(result: Type, call: F) -> Self
    where
        F: Fn(&[View<'_>], Rows<'_>, &mut Output, &mut Scratch) -> Result<()> + Send + Sync + 'static,
    {
        Self { result, nulls: Nulls::Strict, body: Body::Call(Arc::new(call)), held: Vec::new() }
    }

    /// A strict function that may yet be called on rows with a null argument, as [`Nulls::Covered`] says.
    pub fn covered<F>(result: Type, call: F) -> Self
    where
        F: Fn(&[View<'_>], Rows<'_>, &mut Output, &mut Scratch) -> Result<()> + Send + Sync + 'static,
    {
        Self { result, nulls: Nulls::Covered, body: Body::Call(Arc::new(call)), held: Vec::new() }
    }

    /// A function that sees null arguments.
    pub fn null_aware<F>(result: Type, call: F) -> Self
    where
        F: Fn(&[View<'_>], Rows<'_>, &mut Output, &mut Scratch) -> Result<()> + Send + Sync + 'static,
    {
        Self { result, nulls: Nulls::Aware, body: Body::Call(Arc::new(call)), held: Vec::new() }
    }

    /// The same, whose body does not read the constant arguments at these positions.
    #[must_use]
    pub fn holding(self, held: &[usize]) -> Self {
        Self { held: held.to_vec(), ..self }
    }

    /// A function with lambdas.
    pub fn higher_order<F>(result: Type, nulls: Nulls, call: F) -> Self
    where
        F: Fn(&[View<'_>], &mut [&mut dyn Lambda], Rows<'_>, &mut Output, &mut Scratch) -> Result<()>
            + Send
            + Sync
            + 'static,
    {
        Self { result, nulls, body: Body::HigherOrder(Arc::new(call)), held: Vec::new() }
    }
}

/// Binds one overload.
pub type Bind = Arc<dyn Fn(&Arguments<'_>) -> Result<Bound> + Send + Sync>;

/// Tells the parameter types of the lambda at a position, from the types of the arguments that are
/// not lambdas (lambda positions hold [`Type::Null`]) and the number of parameters written.
pub type LambdaTypes = Arc<dyn Fn(&[Type], usize, usize) -> Result<Vec<Type>> + Send + Sync>;

/// One form of a function.
#[derive(Clone)]
pub struct Overload {
    /// What it takes.
    pub signature: Signature,
    /// Makes the bound function.
    pub bind: Bind,
    /// Parameter types of its lambdas, if it has any.
    pub lambda_types: Option<LambdaTypes>,
}

impl std::fmt::Debug for Overload {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.signature)
    }
}

/// A scalar function as the registry holds it: data, and one closure per overload.
///
/// # Example
/// ```
/// use hypostyle_functions::{Type, lanes, scalar::{Bound, ScalarFunction}, signature::exact};
/// let twice = ScalarFunction::new("twice", "math", "Twice its argument.")
///     .overload([exact("x", Type::Float64)], |_| Ok(Bound::lanes(Type::Float64, lanes::unary(|x: f64| x * 2.0))))
///     .example("twice(21.0)", "42.0");
/// assert_eq!(twice.overloads.len(), 1);
/// ```
#[derive(Debug, Clone)]
pub struct ScalarFunction {
    /// Lower-case SQL name.
    pub name: String,
    /// Other names.
    pub aliases: Vec<String>,
    /// Forms, tried by cost of the casts they need, then in this order.
    pub overloads: Vec<Overload>,
    /// Whether calls may be folded, shared and memoised.
    pub volatility: Volatility,
    /// How dear a call is.
    pub cost: Cost,
    /// How equal results are on other machines.
    pub exactness: Exactness,
    /// Semantic version, raised whenever a result changes; stored in plans.
    pub version: u32,
    /// What the reference says.
    pub documentation: Documentation,
}

impl ScalarFunction {
    /// A function without forms; `category` is the heading it stands under in the reference.
    pub fn new(name: impl Into<String>, category: &str, summary: &str) -> Self {
        Self {
            name: name.into(),
            aliases: Vec::new(),
            overloads: Vec::new(),
            volatility: Volatility::Immutable,
            cost: Cost::Cheap,
            exactness: Exactness::Bits,
            version: 1,
            documentation: Documentation::new(category, summary),
        }
    }

    /// Adds a form.
    pub fn overload<P, F>(mut self, parameters: P, bind: F) -> Self
    where
        P: IntoIterator<Item = Parameter>,
        F: Fn(&Arguments<'_>) -> Result<Bound> + Send + Sync + 'static,
    {
        let signature = Signature::new(parameters);
        self.overloads.push(Overload { signature, bind: Arc::new(bind), lambda_types: None });
        self
    }

    /// Adds a form whose last parameter may be given any number of times, also none.
    pub fn variadic<P, F>(mut self, parameters: P, bind: F) -> Self
    where
        P: IntoIterator<Item = Parameter>,
        F: Fn(&Arguments<'_>) -> Result<Bound> + Send + Sync + 'static,
    {
        let signature = Signature::new(parameters).variadic();
        self.overloads.push(Overload { signature, bind: Arc::new(bind), lambda_types: None });
        self
    }

    /// Adds a form with lambdas.
    pub fn higher_order<P, T, F>(mut self, parameters: P, lambda_types: T, bind: F) -> Self
    where
        P: IntoIterator<Item = Parameter>,
        T: Fn(&[Type], usize, usize) -> Result<Vec<Type>> + Send + Sync + 'static,
        F: Fn(&Arguments<'_>) -> Result<Bound> + Send + Sync + 'static,
    {
        let signature = Signature::new(parameters);
        let lambda_types: LambdaTypes = Arc::new(lambda_types);
        self.overloads.push(Overload { signature, bind: Arc::new(bind), lambda_types: Some(lambda_types) });
        self
    }

    /// Adds another name.
    pub fn alias(mut self, name: &str) -> Self {
        self.aliases.push(name.into());
        self
    }

    /// Adds an example: an expression and what it shows; examples run as tests.
    pub fn example(mut self, sql: &str, result: &str) -> Self {
        self.documentation = self.documentation.example(sql, result);
        self
    }

    /// Adds a sentence on nulls, errors, units or the source of the semantics.
    pub fn note(mut self, note: &str) -> Self {
        self.documentation = self.documentation.note(note);
        self
    }

    /// Sets the volatility.
    pub fn volatility(mut self, volatility: Volatility) -> Self {
        self.volatility = volatility;
        self
    }

    /// Sets the cost class.
    pub fn cost(mut self, cost: Cost) -> Self {
        self.cost = cost;
        self
    }
}
