//! The table functions that tell what the footers of Parquet files say.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray};
use hypostyle_engine::memory_table::MemoryTable;
use hypostyle_engine::table::{TableFunction, TableProvider};
use hypostyle_engine::{Batch, Context};
use hypostyle_functions::column::{Column, literal_array};
use hypostyle_functions::{Literal, Type, Value};

use crate::error::{Error, Result};
use crate::location::{FileFormat, resolve};
use crate::options::{Options, paths_argument};
use crate::parquet::Description;

/// A function that describes Parquet files.
pub struct DescribeFunction {
    name: &'static str,
    description: Description,
}

/// All of them.
pub fn functions() -> Vec<DescribeFunction> {
    let function = |name, description| DescribeFunction { name, description };
    vec![
        function("parquet_metadata", Description::Chunks),
        function("parquet_schema", Description::Schema),
        function("parquet_file_metadata", Description::File),
        function("parquet_kv_metadata", Description::KeyValues),
    ]
}

impl TableFunction for DescribeFunction {
    fn name(&self) -> &str {
        self.name
    }

    fn bind(
        &self,
        arguments: &[Literal],
        options: &[(String, Literal)],
        _context: &Arc<Context>,
    ) -> hypostyle_engine::Result<Arc<dyn TableProvider>> {
        Options::new(self.name, options)?.finish()?;
        let columns = self.columns(arguments)?;
        let schema = self.description.schema();
        let rows = columns.first().map_or(0, Vec::len);
        let arrays = columns.into_iter().zip(&schema.fields);
        let arrays = arrays.map(|(values, field)| array_of(values, &field.data_type).map(Column::Flat));
        let batch = Batch::new(arrays.collect::<Result<_>>()?, rows);
        let batches = if rows > 0 { vec![batch] } else { Vec::new() };
        Ok(Arc::new(MemoryTable::new(schema, batches)?))
    }
}

impl DescribeFunction {
    fn columns(&self, arguments: &[Literal]) -> Result<Vec<Vec<Value>>> {
        let locations = paths_argument(self.name, arguments)?;
        self.description.columns(&resolve(&locations, FileFormat::Parquet.extensions())?)
    }
}

/// Values of one type as an array: the elements of a list of them.
fn array_of(values: Vec<Value>, data_type: &Type) -> Result<ArrayRef> {
    let list =
        Literal { data_type: Type::list(data_type.clone()), value: Value::List(data_type.clone(), values) };
    let array = literal_array(&list).map_err(|error| Error::Internal(error.to_string()))?;
    let lists = array.as_list_opt::<i32>();
    lists.map(|lists| lists.value(0)).ok_or_else(|| Error::Internal("a list that is no list".into()))
}
