//! Table functions and writers of this crate, added to a session's catalog.

mod describe;
mod partitioned;
mod read;
mod write;

use std::sync::Arc;

use hypostyle_engine::Catalog;

/// Adds `read_parquet`, `read_csv`, `read_csv_auto`, `read_json`, `read_json_auto`, `read_ndjson`, `read_ndjson_auto`,
/// `read_json_objects`, `read_arrow`, those that describe Parquet files, and the writers of `parquet`, `csv`, `tsv`, `json`, `ndjson`, `arrow` and
/// `arrows` to a catalog.
pub fn register(catalog: &Catalog) {
    for function in read::functions() {
        catalog.add_function(Arc::new(function));
    }
    for function in describe::functions() {
        catalog.add_function(Arc::new(function));
    }
    catalog.set_path_reader(crate::function_for_path);
    for writer in write::writers() {
        catalog.add_writer(Arc::new(writer));
    }
}
