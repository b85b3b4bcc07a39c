//! Scalar functions of a session as DataFusion's.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::{
    ColumnarValue, Documentation, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDFImpl, Signature,
    TypeSignature, Volatility,
};
use datafusion::scalar::ScalarValue;
use hypostyle::Session;
use hypostyle::function_call::{CallEvaluator, ScalarCall};
use hypostyle::scalar::{ScalarFunction, Volatility as OwnVolatility};

use crate::argument::{Crossing, Outcome, documentation};
use crate::error::{planning, running};

/// Calls of one function that are kept: as many as a plan may reasonably have of it.
const CALLS_MAX: usize = 64;

/// A scalar function. Each call in a plan is bound once, with the prepared state of the function (compiled patterns, sorted
/// borders, vocabularies), and every batch uses that.
pub(crate) struct ScalarAdapter {
    session: Session,
    name: String,
    own_name: String,
    aliases: Vec<String>,
    signature: Signature,
    documentation: Documentation,
    /// The calls that were bound, the last used one last.
    calls: Mutex<Vec<(Key, Arc<BoundCall>)>>,
}

/// Types of the arguments, and the values of those that are constant.
type Key = Vec<(DataType, Option<ScalarValue>)>;

struct BoundCall {
    call: ScalarCall,
    arguments: Vec<Crossing>,
    result: Outcome,
    /// Evaluators that no thread uses now.
    idle: Mutex<Vec<CallEvaluator>>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl ScalarAdapter {
    /// The function under the first of these names; the others are its aliases.
    pub(crate) fn new(session: &Session, function: &ScalarFunction, names: Vec<String>) -> Self {
        let volatility = match function.volatility {
            OwnVolatility::Immutable => Volatility::Immutable,
            OwnVolatility::Stable => Volatility::Stable,
            OwnVolatility::Volatile => Volatility::Volatile,
        };
        // Any number of any types: the engine says what is wrong with them, and casts what it takes.
        let signature =
            Signature::one_of(vec![TypeSignature::VariadicAny, TypeSignature::Nullary], volatility);
        let mut names = names.into_iter();
        let name = names.next().unwrap_or_else(|| function.name.clone());
        let form = function.overloads.first().map_or(String::new(), |form| form.signature.to_string());
        Self {
            session: session.clone(),
            own_name: function.name.clone(),
            aliases: names.collect(),
            documentation: documentation(&name, &form, &function.documentation),
            name,
            signature,
            calls: Mutex::default(),
        }
    }

    /// The call with these arguments, bound at its first use.
    fn call(&self, key: Key) -> Result<Arc<BoundCall>> {
        let mut calls = lock(&self.calls);
        if let Some(position) = calls.iter().rposition(|(known, _)| *known == key) {
            let found = calls.remove(position);
            let call = Arc::clone(&found.1);
            calls.push(found);
            return Ok(call);
        }
        drop(calls);
        let call = Arc::new(self.bound(&key)?);
        let mut calls = lock(&self.calls);
        if calls.len() == CALLS_MAX {
            calls.remove(0);
        }
        calls.push((key, Arc::clone(&call)));
        Ok(call)
    }

    fn bound(&self, key: &[(DataType, Option<ScalarValue>)]) -> Result<BoundCall> {
        let arguments =
            key.iter().map(|(data_type, _)| Crossing::of(data_type)).collect::<Result<Vec<_>>>()?;
        let given =
            arguments.iter().zip(key).map(|(crossing, (_, constant))| crossing.argument(constant.as_ref()));
        let call = self
            .session
            .scalar_call(&self.own_name, &given.collect::<Result<Vec<_>>>()?)
            .map_err(planning)?;
        let result = Outcome::of(call.result())?;
        Ok(BoundCall { call, arguments, result, idle: Mutex::default() })
    }
}

impl BoundCall {
    fn invoke(&self, arguments: &[ColumnarValue], rows: usize) -> Result<ColumnarValue> {
        let is_one_value = self.call.volatility() != OwnVolatility::Volatile
            && arguments.iter().all(|argument| matches!(argument, ColumnarValue::Scalar(_)));
        let rows = if is_one_value { 1 } else { rows };
        let mut columns = Vec::with_capacity(arguments.len());
        for (argument, crossing) in arguments.iter().zip(&self.arguments) {
            columns.push(match argument {
                ColumnarValue::Array(array) => crossing.import(array)?,
                ColumnarValue::Scalar(_) => crossing.placeholder(rows),
            });
        }
        let idle = lock(&self.idle).pop();
        let mut evaluator = match idle {
            Some(evaluator) => evaluator,
            None => self.call.evaluator().map_err(running)?,
        };
        let column = evaluator.evaluate(columns, rows).map_err(running)?;
        lock(&self.idle).push(evaluator);
        let array = self.result.export(&column.to_array().map_err(running)?)?;
        match is_one_value {
            true => Ok(ColumnarValue::Scalar(ScalarValue::try_from_array(&array, 0)?)),
            false => Ok(ColumnarValue::Array(array)),
        }
    }
}

impl ScalarUDFImpl for ScalarAdapter {
    fn name(&self) -> &str {
        &self.name
    }

    fn aliases(&self) -> &[String] {
        &self.aliases
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        let key = types.iter().map(|data_type| (data_type.clone(), None));
        Ok(self.call(key.collect())?.result.host.clone())
    }

    fn return_field_from_args(&self, given: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        let arguments = given.arg_fields.iter().zip(given.scalar_arguments);
        let key = arguments.map(|(field, constant)| (field.data_type().clone(), constant.cloned()));
        let call = self.call(key.collect())?;
        Ok(Arc::new(Field::new(&self.name, call.result.host.clone(), true)))
    }

    fn invoke_with_args(&self, given: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let key = given.args.iter().map(|argument| match argument {
            ColumnarValue::Array(array) => (array.data_type().clone(), None),
            ColumnarValue::Scalar(value) => (value.data_type(), Some(value.clone())),
        });
        let call = self.call(key.collect())?;
        if call.result.host == *given.return_type() {
            return call.invoke(&given.args, given.number_rows);
        }
        // The plan did not know that an argument is constant, and the constant makes another type of it.
        let arrays = ColumnarValue::values_to_arrays(&given.args)?;
        let key = arrays.iter().map(|array| (array.data_type().clone(), None));
        let call = self.call(key.collect())?;
        if call.result.host != *given.return_type() {
            let (made, planned) = (&call.result.host, given.return_type());
            let message = format!("{}: the result has type {made}; {planned} was planned", self.name);
            return Err(DataFusionError::Internal(message));
        }
        let arrays: Vec<ColumnarValue> = arrays.into_iter().map(ColumnarValue::Array).collect();
        call.invoke(&arrays, given.number_rows)
    }

    fn documentation(&self) -> Option<&Documentation> {
        Some(&self.documentation)
    }
}

/// An adapter is equal to itself: two sessions may have different functions of one name.
impl PartialEq for ScalarAdapter {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self, other)
    }
}

impl Eq for ScalarAdapter {}

impl Hash for ScalarAdapter {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.name.hash(state);
    }
}

impl fmt::Debug for ScalarAdapter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ScalarAdapter").field("name", &self.name).finish_non_exhaustive()
    }
}
