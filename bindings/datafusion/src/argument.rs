//! Arguments of functions on their way into the engine: their types in either Arrow, and constants as values.

use arrow::array::Array;
use arrow::datatypes::DataType;
use bumpalo::Bump;
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::DocSection;
use datafusion::logical_expr::Documentation;
use datafusion::scalar::ScalarValue;
use engine_arrow::datatypes as engine_types;
use hypostyle::column::{Column, import, value_at};
use hypostyle::function_call::CallArgument;
use hypostyle::{Literal, Type};

use crate::border;
use crate::error::{internal, running};

/// A type in DataFusion's Arrow, in the engine's, and without encoding.
#[derive(Debug, Clone)]
pub(crate) struct Crossing {
    host: DataType,
    engine: engine_types::DataType,
    logical: Type,
}

impl Crossing {
    pub(crate) fn of(host: &DataType) -> Result<Self> {
        Ok(Self {
            host: host.clone(),
            engine: border::type_into_engine(host)?,
            logical: border::logical_type(host)?,
        })
    }

    /// The type without encoding.
    pub(crate) fn logical(&self) -> &Type {
        &self.logical
    }

    /// An array of this type as a column.
    pub(crate) fn import(&self, array: &dyn Array) -> Result<Column> {
        // The border reads the buffers by this type.
        if array.data_type() != &self.host {
            let found = array.data_type();
            return Err(DataFusionError::Internal(format!(
                "an argument has type {found}; {} was planned",
                self.host
            )));
        }
        import(&border::array_into_engine(array, &self.engine)?, &self.logical).map_err(running)
    }

    /// As an argument of a call, with its value where it is constant.
    pub(crate) fn argument(&self, constant: Option<&ScalarValue>) -> Result<CallArgument> {
        let Some(constant) = constant else { return Ok(CallArgument::column(self.logical.clone())) };
        let column = self.import(&constant.to_array_of_size(1)?)?;
        let arena = Bump::new();
        let value = value_at(&column.view(&self.logical, &arena), 0);
        Ok(CallArgument::constant(Literal { data_type: self.logical.clone(), value }))
    }

    /// What stands in place of a constant, which the call has already.
    pub(crate) fn placeholder(&self, rows: usize) -> Column {
        Column::nulls(&self.logical, rows)
    }
}

/// A type in which results come out.
#[derive(Debug, Clone)]
pub(crate) struct Outcome {
    pub(crate) host: DataType,
    engine: engine_types::DataType,
}

impl Outcome {
    pub(crate) fn of(logical: &Type) -> Result<Self> {
        Ok(Self { host: border::exported_type(logical)?, engine: logical.to_exported() })
    }

    /// An array in the engine's layout as one of DataFusion's.
    pub(crate) fn export(&self, array: &engine_arrow::array::ArrayRef) -> Result<arrow::array::ArrayRef> {
        let array = hypostyle::column::export(array, &self.engine).map_err(internal)?;
        border::array_from_engine(&array, &self.host)
    }
}

/// What DataFusion's reference says of a function.
pub(crate) fn documentation(
    name: &str,
    form: &str,
    of: &hypostyle::functions::documentation::Documentation,
) -> Documentation {
    let section = DocSection { include: true, label: "Hypostyle Functions", description: None };
    let text = std::iter::once(of.summary.as_str()).chain(of.notes.iter().map(String::as_str));
    let builder =
        Documentation::builder(section, text.collect::<Vec<_>>().join(" "), format!("{name}{form}"));
    let examples = of.examples.iter().map(|example| format!("{} gives {}", example.sql, example.result));
    match examples.collect::<Vec<_>>().join("\n") {
        none if none.is_empty() => builder.build(),
        examples => builder.with_sql_example(examples).build(),
    }
}
