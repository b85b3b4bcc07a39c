//! Aggregate functions of a session as DataFusion's.

use std::collections::HashMap;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::{Arc, Mutex, PoisonError};

use arrow::array::RecordBatch;
use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::utils::{AggregateOrderSensitivity, format_state_name};
use datafusion::logical_expr::{
    Accumulator, AggregateUDFImpl, ColumnarValue, Documentation, GroupsAccumulator, Signature, TypeSignature,
    Volatility,
};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::utils::collect_columns;
use datafusion::scalar::ScalarValue;
use hypostyle::aggregate::AggregateFunction;
use hypostyle::function_call::{AggregateCall, CallArgument};
use hypostyle::{Literal, Session, Type, Value};

use crate::argument::{Crossing, Outcome, documentation};
use crate::error::{planning, running};
use crate::group_states::{GroupStates, OneGroup};

/// An aggregate function. Groups are kept in the function's own flat states; partial states cross between DataFusion's phases as the
/// columns that the engine's own workers and spill files exchange.
pub(crate) struct AggregateAdapter {
    session: Session,
    name: String,
    own_name: String,
    aliases: Vec<String>,
    signature: Signature,
    documentation: Documentation,
    is_order_sensitive: bool,
    /// By type of the result, the result of no rows where that is not null.
    of_no_rows: Mutex<HashMap<DataType, ScalarValue>>,
}

/// A call with everything that its accumulators share.
pub(crate) struct BoundAggregate {
    pub(crate) call: AggregateCall,
    pub(crate) arguments: Vec<Crossing>,
    pub(crate) result: Outcome,
    /// How states leave.
    pub(crate) states: Vec<Outcome>,
    /// How they come in.
    pub(crate) merged: Vec<Crossing>,
}

impl AggregateAdapter {
    /// The function under the first of these names; the others are its aliases.
    pub(crate) fn new(session: &Session, function: &AggregateFunction, names: Vec<String>) -> Self {
        // An accumulator without arguments would not be told how many rows there are.
        let any = vec![TypeSignature::VariadicAny];
        let mut names = names.into_iter();
        let name = names.next().unwrap_or_else(|| function.name.clone());
        let form = function.overloads.first().map_or(String::new(), |form| form.signature.to_string());
        Self {
            session: session.clone(),
            own_name: function.name.clone(),
            aliases: names.collect(),
            documentation: documentation(&name, &form, &function.documentation),
            name,
            signature: Signature::one_of(any, Volatility::Immutable),
            is_order_sensitive: function.order_sensitive,
            of_no_rows: Mutex::default(),
        }
    }

    /// The call with these arguments and constants.
    fn bound(&self, types: &[&DataType], constants: &[Option<ScalarValue>]) -> Result<BoundAggregate> {
        let arguments = types.iter().map(|data_type| Crossing::of(data_type)).collect::<Result<Vec<_>>>()?;
        let given =
            arguments.iter().zip(constants).map(|(crossing, constant)| crossing.argument(constant.as_ref()));
        let call = self.session.aggregate_call(&self.own_name, &given.collect::<Result<Vec<_>>>()?);
        of_call(call.map_err(planning)?, arguments)
    }

    /// The call as far as it is known from types alone. DataFusion tells the constants only to accumulators, so where the function wants
    /// one, a likely value stands in: types hardly ever depend on it, and accumulators are held to the types that were planned.
    fn planned(&self, types: &[&DataType]) -> Result<BoundAggregate> {
        let none = vec![None; types.len()];
        let plain = match self.bound(types, &none) {
            Ok(plain) => return Ok(plain),
            Err(error) => error,
        };
        let arguments = types.iter().map(|data_type| Crossing::of(data_type)).collect::<Result<Vec<_>>>()?;
        let given =
            arguments.iter().enumerate().map(|(position, crossing)| match likely(crossing.logical()) {
                Some(value) if position > 0 => {
                    CallArgument { data_type: crossing.logical().clone(), constant: Some(value) }
                }
                _ => CallArgument::column(crossing.logical().clone()),
            });
        match self.session.aggregate_call(&self.own_name, &given.collect::<Vec<_>>()) {
            Ok(call) => of_call(call, arguments),
            Err(_) => Err(plain),
        }
    }

    fn of_arguments(&self, given: &AccumulatorArgs<'_>) -> Result<Arc<BoundAggregate>> {
        let types: Vec<&DataType> = given.expr_fields.iter().map(|field| field.data_type()).collect();
        let constants = given.exprs.iter().map(constant_of).collect::<Result<Vec<_>>>()?;
        let bound = self.bound(&types, &constants)?;
        if given.is_distinct && !bound.call.ignores_duplicates() {
            let message = format!("DISTINCT inside {}; group by the values first", self.name);
            return Err(DataFusionError::NotImplemented(message));
        }
        if !given.order_bys.is_empty() && self.is_order_sensitive {
            let message = format!("ORDER BY inside {}; use a feature query, or sort the input", self.name);
            return Err(DataFusionError::NotImplemented(message));
        }
        let planned = self.planned(&types)?;
        let agrees = bound.result.host == *given.return_type()
            && bound
                .states
                .iter()
                .map(|state| &state.host)
                .eq(planned.states.iter().map(|state| &state.host));
        if !agrees {
            let message = format!(
                "{}: the constant arguments make the result {}; {} was planned without them",
                self.name,
                bound.result.host,
                given.return_type()
            );
            return Err(DataFusionError::NotImplemented(message));
        }
        Ok(Arc::new(bound))
    }
}

fn of_call(call: AggregateCall, arguments: Vec<Crossing>) -> Result<BoundAggregate> {
    let result = Outcome::of(&call.bound().result)?;
    let states = call.bound().states.iter().map(Outcome::of).collect::<Result<Vec<_>>>()?;
    let merged = states.iter().map(|state| Crossing::of(&state.host)).collect::<Result<_>>()?;
    Ok(BoundAggregate { call, arguments, result, states, merged })
}

/// A value that parameters of this type take: a share, a number of rows, a separator.
fn likely(data_type: &Type) -> Option<Value> {
    Some(match data_type {
        Type::Float32 => Value::from(0.5f32),
        Type::Float64 => Value::from(0.5),
        Type::Int8 => Value::Int8(1),
        Type::Int16 => Value::Int16(1),
        Type::Int32 => Value::Int32(1),
        Type::Int64 => Value::Int64(1),
        Type::UInt64 => Value::UInt64(1),
        Type::Text => Value::text(","),
        Type::Boolean => Value::Boolean(true),
        Type::List(element) => Value::List((**element).clone(), vec![likely(element)?]),
        _ => return None,
    })
}

/// The value of an expression that reads no column.
fn constant_of(expression: &Arc<dyn PhysicalExpr>) -> Result<Option<ScalarValue>> {
    if !collect_columns(expression).is_empty() || expression.is_volatile_node() {
        return Ok(None);
    }
    let schema = Arc::new(arrow::datatypes::Schema::empty());
    match expression.evaluate(&RecordBatch::new_empty(schema))? {
        ColumnarValue::Scalar(value) => Ok(Some(value)),
        ColumnarValue::Array(_) => Ok(None),
    }
}

impl AggregateUDFImpl for AggregateAdapter {
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
        let bound = self.planned(&types.iter().collect::<Vec<_>>())?;
        let empty: Literal = bound.call.bound().of_no_rows().map_err(planning)?;
        if !empty.value.is_null() {
            let array = hypostyle::column::literal_array(&empty).map_err(running)?;
            let value = ScalarValue::try_from_array(&bound.result.export(&array)?, 0)?;
            let mut known = self.of_no_rows.lock().unwrap_or_else(PoisonError::into_inner);
            known.insert(bound.result.host.clone(), value);
        }
        Ok(bound.result.host)
    }

    fn accumulator(&self, given: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        Ok(Box::new(OneGroup::new(GroupStates::new(self.of_arguments(&given)?)?)))
    }

    fn state_fields(&self, given: StateFieldsArgs<'_>) -> Result<Vec<FieldRef>> {
        let types: Vec<&DataType> = given.input_fields.iter().map(|field| field.data_type()).collect();
        let states = self.planned(&types)?.states;
        let fields = states.into_iter().enumerate().map(|(position, state)| {
            let name = format_state_name(given.name, &format!("state {position}"));
            Arc::new(Field::new(name, state.host, true))
        });
        Ok(fields.collect())
    }

    fn groups_accumulator_supported(&self, _: AccumulatorArgs<'_>) -> bool {
        true
    }

    fn create_groups_accumulator(&self, given: AccumulatorArgs<'_>) -> Result<Box<dyn GroupsAccumulator>> {
        Ok(Box::new(GroupStates::new(self.of_arguments(&given)?)?))
    }

    fn order_sensitivity(&self) -> AggregateOrderSensitivity {
        match self.is_order_sensitive {
            true => AggregateOrderSensitivity::HardRequirement,
            false => AggregateOrderSensitivity::Insensitive,
        }
    }

    fn default_value(&self, data_type: &DataType) -> Result<ScalarValue> {
        let known = self.of_no_rows.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(data_type).map_or_else(|| ScalarValue::try_from(data_type), |value| Ok(value.clone()))
    }

    fn documentation(&self) -> Option<&Documentation> {
        Some(&self.documentation)
    }
}

/// An adapter is equal to itself: two sessions may have different functions of one name.
impl PartialEq for AggregateAdapter {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self, other)
    }
}

impl Eq for AggregateAdapter {}

impl Hash for AggregateAdapter {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.name.hash(state);
    }
}

impl fmt::Debug for AggregateAdapter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AggregateAdapter").field("name", &self.name).finish_non_exhaustive()
    }
}
