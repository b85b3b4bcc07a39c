//! Gives a DataFusion context all there is.

use std::sync::Arc;

use datafusion::error::Result;
use datafusion::execution::SessionStateBuilder;
use datafusion::logical_expr::{AggregateUDF, ScalarUDF};
use datafusion::prelude::SessionContext;
use hypostyle::Session;
use hypostyle::scalar::Volatility;
use hypostyle::signature::{Pattern, Signature};

use crate::aggregate::AggregateAdapter;
use crate::features::single_threaded;
use crate::planner::FeaturesQueryPlanner;
use crate::scalar::ScalarAdapter;
use crate::table_function::{FeaturesFunction, Second};

/// What each function is called besides its own name, so that those whose names DataFusion has too can be called.
const PREFIX: &str = "hy_";

/// Adds the built-in library to a context: see [`register_session`].
///
/// # Errors
/// What the context reports.
pub fn register_all(context: &SessionContext) -> Result<()> {
    register_session(context, &single_threaded())
}

/// Adds to a context
/// - the scalar and aggregate functions of a session, each as `hy_` and its name, and under its own name and aliases where the context
///   has no function of that name;
/// - the table functions `hypostyle('table', 'SELECT .. FROM input')` and `hypostyle_transform('table', 'file.hyp')`;
/// - the planner of features. It takes the place of DataFusion's own; a context with a query planner of its own keeps that, to
///   which [`crate::FeaturesPlanner`] is added.
///
/// Functions that take lambdas, and those that read the clock, stay out: features have them.
///
/// # Errors
/// What the context reports.
pub fn register_session(context: &SessionContext, session: &Session) -> Result<()> {
    let registry = session.registry();
    let state = context.state();
    let free = |name: &String| {
        !state.scalar_functions().contains_key(name) && !state.aggregate_functions().contains_key(name)
    };
    for function in registry.scalars() {
        if function.volatility == Volatility::Stable
            || only_lambdas(function.overloads.iter().map(|form| &form.signature))
        {
            continue;
        }
        let names = names(&function.name, &function.aliases, free);
        context.register_udf(ScalarUDF::from(ScalarAdapter::new(session, function, names)));
    }
    for function in registry.aggregates() {
        let names = names(&function.name, &function.aliases, free);
        context.register_udaf(AggregateUDF::from(AggregateAdapter::new(session, function, names)));
    }
    for second in [Second::Query, Second::Transform] {
        let function = FeaturesFunction::new(session, second);
        context.register_udtf(function.name(), Arc::new(function));
    }
    install_planner(context);
    Ok(())
}

/// What a function is called: its own name if that is free, else the prefixed one, and then all others there are.
fn names(name: &str, aliases: &[String], free: impl Fn(&String) -> bool) -> Vec<String> {
    let own = || std::iter::once(name).chain(aliases.iter().map(String::as_str));
    let prefixed = own().map(|name| format!("{PREFIX}{name}"));
    match free(&name.to_owned()) {
        true => own().map(str::to_owned).filter(free).chain(prefixed).collect(),
        false => prefixed.chain(own().map(str::to_owned).filter(free)).collect(),
    }
}

fn only_lambdas<'a>(mut forms: impl Iterator<Item = &'a Signature>) -> bool {
    forms.all(|form| form.parameters.iter().any(|parameter| matches!(parameter.pattern, Pattern::Lambda(_))))
}

/// Puts the planner of features where DataFusion's default one stands.
fn install_planner(context: &SessionContext) {
    let state = context.state_ref();
    let mut state = state.write();
    // The default planner is not public; it is known by its name.
    if format!("{:?}", state.query_planner()) == "DefaultQueryPlanner" {
        let builder = SessionStateBuilder::new_from_existing(state.clone());
        *state = builder.with_query_planner(Arc::new(FeaturesQueryPlanner)).build();
    }
}
