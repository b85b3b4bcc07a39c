//! Converts files to one Arrow IPC file: `to_arrow OUTPUT INPUT [option=value ...]`.
//!
//! The function that reads the input is told by its name; an option is a truth value, a whole number or a text.

use std::sync::Arc;

use hypostyle_connectors::arrow_ipc::{ArrowWriteOptions, ArrowWriter};
use hypostyle_connectors::{function_for_path, register};
use hypostyle_engine::table::ScanRequest;
use hypostyle_engine::{Catalog, Configuration, Context};
use hypostyle_functions::scalar::Settings;
use hypostyle_functions::{Literal, Registry, Value};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [output, input, options @ ..] = arguments.as_slice() else {
        return Err("usage: to_arrow OUTPUT INPUT [option=value ...]".into());
    };
    let mut function = function_for_path(input)
        .ok_or("the format cannot be told by the name or the first bytes")?
        .to_owned();
    let mut batch_rows = 2048;
    let mut named = Vec::new();
    for option in options {
        let (name, value) = option.split_once('=').ok_or("an option is written name=value")?;
        match name {
            "function" => value.clone_into(&mut function),
            "batch_rows" => batch_rows = value.parse()?,
            _ => named.push((name.to_owned(), literal(value))),
        }
    }
    let catalog = Arc::new(Catalog::default());
    register(&catalog);
    let context = Arc::new(Context::new(
        Arc::new(Registry::empty()),
        Arc::clone(&catalog),
        Settings::default(),
        Configuration::default(),
    ));
    let function = catalog.function(&function).ok_or("there is no such function")?;
    let table = function.bind(&[Literal::new(Value::text(input))], &named, &context)?;
    let schema = Arc::new(table.schema().to_arrow());
    let projection = (0..table.schema().fields.len()).collect();
    let scan = table.scan(
        ScanRequest {
            projection,
            narrowed: Vec::new(),
            coded: Vec::new(),
            filters: Vec::new(),
            key_filters: Vec::new(),
            limit: None,
            batch_rows,
            read_bytes: Arc::default(),
        },
        &context,
    )?;
    let mut writer = ArrowWriter::create(output.as_ref(), &schema, ArrowWriteOptions::default())?;
    while let Some(mut reader) = scan.claim()? {
        while let Some(batch) = reader.next()? {
            writer.write(&batch.export(&schema)?)?;
        }
    }
    Ok(writer.finish()?)
}

fn literal(text: &str) -> Literal {
    let value = match text {
        "true" => Value::Boolean(true),
        "false" => Value::Boolean(false),
        _ => text.parse().map_or_else(|_| Value::text(text), Value::Int64),
    };
    Literal::new(value)
}
