//! Features in FROM: `hypostyle('table', 'SELECT .. FROM input')` and `hypostyle_transform('table', 'file.hyp')`.

use std::fmt;
use std::sync::Arc;

use datafusion::catalog::{TableFunctionArgs, TableFunctionImpl, TableProvider};
use datafusion::common::TableReference;
use datafusion::datasource::{ViewTable, provider_as_source};
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::SessionState;
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder};
use datafusion::scalar::ScalarValue;
use futures::FutureExt;
use hypostyle::Session;

use crate::error::planning;
use crate::features::Features;
use crate::node::FeaturesNode;

/// What the second argument is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Second {
    /// A query over `input`.
    Query,
    /// The path of a fitted transform, or the name of one of the session.
    Transform,
}

/// One of the two functions.
pub(crate) struct FeaturesFunction {
    session: Session,
    second: Second,
}

impl FeaturesFunction {
    pub(crate) fn new(session: &Session, second: Second) -> Self {
        Self { session: session.clone(), second }
    }

    /// Its name in SQL.
    pub(crate) fn name(&self) -> &'static str {
        match self.second {
            Second::Query => "hypostyle",
            Second::Transform => "hypostyle_transform",
        }
    }

    fn features(&self, text: &str) -> Result<Features> {
        match self.second {
            Second::Query => Ok(Features::query(&self.session, text)),
            Second::Transform if text.ends_with(".hyp") => {
                Ok(Features::from(self.session.load_transform(text).map_err(planning)?))
            }
            Second::Transform => Ok(Features::from(self.session.transform(text).map_err(planning)?)),
        }
    }

    fn wrong(&self) -> DataFusionError {
        let second = match self.second {
            Second::Query => "the text of a query over the table input",
            Second::Transform => "the path of a .hyp file or the name of a transform",
        };
        DataFusionError::Plan(format!("{} takes two texts: the name of a table, and {second}", self.name()))
    }
}

impl TableFunctionImpl for FeaturesFunction {
    fn call_with_args(&self, arguments: TableFunctionArgs<'_, '_>) -> Result<Arc<dyn TableProvider>> {
        let [table, text] = arguments.exprs() else { return Err(self.wrong()) };
        let (Some(table), Some(text)) = (constant_text(table), constant_text(text)) else {
            return Err(self.wrong());
        };
        let Some(state) = arguments.session().as_any().downcast_ref::<SessionState>() else {
            let message = format!("{} needs a session of DataFusion's own", self.name());
            return Err(DataFusionError::NotImplemented(message));
        };
        let plan = FeaturesNode::try_new(scan(table, state)?, self.features(text)?)?.into_plan();
        Ok(Arc::new(ViewTable::new(plan, None)))
    }
}

fn constant_text(argument: &Expr) -> Option<&str> {
    match argument {
        Expr::Literal(
            ScalarValue::Utf8(Some(text))
            | ScalarValue::LargeUtf8(Some(text))
            | ScalarValue::Utf8View(Some(text)),
            _,
        ) => Some(text),
        _ => None,
    }
}

/// All columns of a table of the session.
fn scan(name: &str, state: &SessionState) -> Result<LogicalPlan> {
    let reference = TableReference::from(name);
    let schema = state.schema_for_ref(reference.clone())?;
    // Functions are called while a text is planned, which is no place to wait: catalogs in memory answer at once.
    let Some(found) = schema.table(reference.table()).now_or_never() else {
        let message = format!("table {name} is looked up elsewhere first; use DataFrame::features");
        return Err(DataFusionError::NotImplemented(message));
    };
    let table = found?.ok_or_else(|| DataFusionError::Plan(format!("no table {name}")))?;
    LogicalPlanBuilder::scan(reference, provider_as_source(table), None)?.build()
}

impl fmt::Debug for FeaturesFunction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
