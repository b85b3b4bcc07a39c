//! `hypostyle fit`, `apply` and `inspect`: transforms as files.

use std::path::Path;
use std::time::Instant;

use crate::error::{Error, Result};
use crate::runner::Runner;
use crate::source::{sql_identifier, table_reference};

/// Fits a definition and saves the transform; tells on standard error what was read and found.
///
/// # Errors
/// What is wrong with the definition or the source, or a file that cannot be written.
pub(crate) fn fit(runner: &Runner, definition: &str, from: &str, output: &Path) -> Result<()> {
    let started = Instant::now();
    let source = table_reference(from);
    let failed = |error: hypostyle::Error| runner.failed(error, definition);
    let transform = runner.watching_fits(|| runner.session.fit(definition, &source)).map_err(failed)?;
    let name = output.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    let transform = transform.named(&name);
    transform.save(output).map_err(|error| Error::Query(error.to_string()))?;
    let provenance = &transform.fitted().provenance;
    let rows = provenance
        .rows
        .map_or_else(String::new, |rows| format!(" on {rows} rows in {} passes", provenance.passes));
    eprintln!(
        "{}: {} columns, {} analyzers fitted{rows}, {:.3} s",
        output.display(),
        transform.outputs().fields.len(),
        transform.fitted().calls.len(),
        started.elapsed().as_secs_f64()
    );
    Ok(())
}

/// Applies a saved transform and writes its rows.
///
/// # Errors
/// A file that is no transform, a source that lacks a column, or what the run reports.
pub(crate) fn apply(runner: &Runner, path: &Path, from: &str, columns: &[String], train: bool) -> Result<()> {
    let name = load(runner, path)?;
    let columns = match columns {
        [] => "*".to_owned(),
        chosen => chosen.iter().map(|column| sql_identifier(column)).collect::<Vec<_>>().join(", "),
    };
    let mode = if train { "train" } else { "serve" };
    let source = table_reference(from);
    runner.run(&format!("SELECT {columns} FROM {}({source}, mode => '{mode}')", sql_identifier(&name)))
}

/// Verifies a saved transform and shows what it holds.
///
/// # Errors
/// A file that is no transform or is damaged.
pub(crate) fn inspect(runner: &Runner, path: &Path) -> Result<()> {
    let name = load(runner, path)?;
    runner.run(&format!("DESCRIBE TRANSFORM {}", sql_identifier(&name)))
}

/// Gives a transform its own name in the session.
fn load(runner: &Runner, path: &Path) -> Result<String> {
    let transform = runner.session.load_transform(path).map_err(|error| Error::Query(error.to_string()))?;
    runner.session.register_transform(transform.name(), &transform);
    Ok(transform.name().to_owned())
}
