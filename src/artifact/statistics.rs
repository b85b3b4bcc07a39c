//! Parameters as Arrow files, which every reader of Arrow knows, and back.

use std::collections::BTreeMap;
use std::io::Cursor;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, RecordBatch, RecordBatchOptions};
use arrow::buffer::Buffer;
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field as ArrowField, Schema as ArrowSchema};
use arrow::ipc::reader::FileReader;
use arrow::ipc::writer::FileWriter;
use arrow::ipc::{Block, Footer, Message};
use hypostyle_engine::Batch;
use hypostyle_functions::column::{borrow, literal_array, value_at};
use hypostyle_functions::shared_list::SharedList;
use hypostyle_functions::{Literal, Schema, Type, Value};
use hypostyle_planner::transform::FittedCall;

use super::{INDEXED_ENTRIES, NamedBytes, StoredParameter};
use crate::error::Result;

/// What an Arrow file takes beside the buffers of a small schema.
const FRAME_BYTES: usize = 4 << 10;

/// An Arrow file of one batch.
pub(super) fn arrow_file(batch: &RecordBatch) -> Result<Buffer> {
    let mut bytes = Vec::with_capacity(batch.get_array_memory_size() + FRAME_BYTES);
    let mut writer = FileWriter::try_new(&mut bytes, &batch.schema())?;
    writer.write(batch)?;
    writer.finish()?;
    drop(writer);
    Ok(Buffer::from_vec(bytes))
}

/// The batches of an Arrow file as one.
pub(super) fn read_arrow_file(bytes: &[u8]) -> Result<RecordBatch, String> {
    check_batches(bytes)?;
    let read = || -> Result<RecordBatch, arrow::error::ArrowError> {
        let reader = FileReader::try_new(Cursor::new(bytes), None)?;
        let schema = reader.schema();
        let batches = reader.collect::<Result<Vec<_>, _>>()?;
        arrow::compute::concat_batches(&schema, &batches)
    };
    // Panics of the decoder are faults of the file.
    match std::panic::catch_unwind(read) {
        Ok(result) => result.map_err(|error| error.to_string()),
        Err(_) => Err(damaged()),
    }
}

fn damaged() -> String {
    "the Arrow file is damaged".to_owned()
}

/// What the end of an Arrow file says of it.
pub(super) fn footer_of(bytes: &[u8]) -> Result<Footer<'_>, String> {
    // The length of the footer and the magic number are the last ten bytes.
    let end = bytes.len().checked_sub(10).ok_or_else(damaged)?;
    let length = bytes[end..].first_chunk::<4>().map(|length| i32::from_le_bytes(*length));
    let length = length.and_then(|length| usize::try_from(length).ok()).ok_or_else(damaged)?;
    let start = end.checked_sub(length).ok_or_else(damaged)?;
    arrow::ipc::root_as_footer(&bytes[start..end]).map_err(|_| damaged())
}

/// What stands before the buffers of a batch.
pub(super) fn message_of<'b>(bytes: &'b [u8], block: &Block) -> Result<Message<'b>, String> {
    // A mark and a length of four bytes each come before the message.
    let first = usize::try_from(block.offset()).ok().and_then(|offset| offset.checked_add(8));
    let last = usize::try_from(block.offset()).ok().zip(usize::try_from(block.metaDataLength()).ok());
    let last = last.and_then(|(offset, length)| offset.checked_add(length));
    let message = first.zip(last).and_then(|(first, last)| bytes.get(first..last)).ok_or_else(damaged)?;
    arrow::ipc::root_as_message(message).map_err(|_| damaged())
}

/// Refuses what no transform is written as and what would make a reader allocate more than the file has: compressed batches,
/// dictionaries, and more rows than its bytes have room for.
fn check_batches(bytes: &[u8]) -> Result<(), String> {
    let footer = footer_of(bytes)?;
    if footer.dictionaries().is_some_and(|dictionaries| !dictionaries.is_empty()) {
        return Err("it has dictionaries, which no transform is written with".to_owned());
    }
    for block in footer.recordBatches().iter().flatten() {
        let message = message_of(bytes, block)?;
        let batch = message.header_as_record_batch().ok_or_else(damaged)?;
        if batch.compression().is_some() {
            return Err("it is compressed, which no transform is written as".to_owned());
        }
        if usize::try_from(batch.length()).map_or(true, |rows| rows / 8 > bytes.len()) {
            return Err(format!("{} rows do not fit into {} bytes", batch.length(), bytes.len()));
        }
    }
    Ok(())
}

/// The type in which a member holds values: texts with offsets, decimals of 128 bits.
fn stored_type(data_type: &DataType) -> DataType {
    let field = |field: &Arc<ArrowField>| {
        Arc::new(ArrowField::new(field.name(), stored_type(field.data_type()), field.is_nullable()))
    };
    match data_type {
        DataType::Utf8View => DataType::LargeUtf8,
        DataType::BinaryView => DataType::LargeBinary,
        DataType::List(element) => DataType::List(field(element)),
        DataType::FixedSizeList(element, size) => DataType::FixedSizeList(field(element), *size),
        DataType::Struct(fields) => DataType::Struct(fields.iter().map(field).collect()),
        other => other.clone(),
    }
}

/// A column as a member holds it.
pub(super) fn stored(array: &ArrayRef, data_type: &Type) -> Result<ArrayRef> {
    Ok(cast(array, &stored_type(&data_type.to_exported()))?)
}

/// The values of a literal: the elements of a list, or the one value.
fn values(literal: &Literal) -> Result<(ArrayRef, Type)> {
    match literal.value.as_shared()? {
        Some(list) => {
            list.check()?;
            Ok((Arc::clone(list.array()), list.element().clone()))
        }
        None => Ok((literal_array(literal)?, literal.data_type.clone())),
    }
}

/// The members with the parameters of a call, and where each parameter is.
pub(super) fn members_of(
    number: usize,
    call: &FittedCall,
) -> Result<(Vec<NamedBytes>, Vec<StoredParameter>)> {
    let mut tables: BTreeMap<String, Vec<(String, ArrayRef)>> = BTreeMap::new();
    let mut stored_parameters = Vec::with_capacity(call.parameters.len());
    let mut of_categories = false;
    let mut indexes = Vec::new();
    for (name, literal) in &call.parameters {
        let is_list = matches!(literal.value, Value::List(..) | Value::Shared(_));
        of_categories |= name == "keys";
        let part = match (is_list, of_categories) {
            (false, _) => "values",
            (true, true) => "keys",
            (true, false) => name.as_str(),
        };
        let member = format!("statistics/{number:04}_{}_{part}.arrow", call.analyzer);
        let (array, data_type) = values(literal)?;
        tables.entry(member.clone()).or_default().push((name.clone(), stored(&array, &data_type)?));
        let index = match name == "keys" && cfg!(target_endian = "little") {
            true => index_of(literal)?,
            false => None,
        };
        let named = format!("index/{number:04}_{}_{part}.slots", call.analyzer);
        stored_parameters.push(StoredParameter {
            name: name.clone(),
            data_type: literal.data_type.clone(),
            member,
            index: index.is_some().then(|| named.clone()),
        });
        indexes.extend(index.map(|index| (named, index)));
    }
    let mut members = Vec::with_capacity(tables.len());
    for (member, columns) in tables {
        members.push((member, arrow_file(&batch(columns)?)?));
    }
    members.extend(indexes);
    Ok((members, stored_parameters))
}

/// The slots of a vocabulary that is long enough to have them in its file.
fn index_of(literal: &Literal) -> Result<Option<Buffer>> {
    match literal.value.as_shared()? {
        Some(list) if list.len() >= INDEXED_ENTRIES => {
            let index = list.index().ok();
            index.map_or(Ok(()), |index| index.check())?;
            Ok(index.map(|index| index.slots().inner().clone()))
        }
        _ => Ok(None),
    }
}

/// A batch of named columns.
pub(super) fn batch(columns: Vec<(String, ArrayRef)>) -> Result<RecordBatch> {
    let fields = columns.iter().map(|(name, array)| ArrowField::new(name, array.data_type().clone(), true));
    let schema = Arc::new(ArrowSchema::new(fields.collect::<Vec<_>>()));
    let rows = columns.first().map_or(0, |(_, array)| array.len());
    let options = RecordBatchOptions::new().with_row_count(Some(rows));
    let arrays = columns.into_iter().map(|(_, array)| array).collect();
    Ok(RecordBatch::try_new_with_options(schema, arrays, &options)?)
}

/// The values of each column of a batch in these types.
pub(super) fn rows_of(batch: &RecordBatch, schema: &Schema) -> Result<Vec<Vec<Value>>, String> {
    let stored = Schema::from_arrow(&batch.schema()).map_err(|error| error.to_string())?;
    let names = |schema: &Schema| -> Vec<(String, Type)> {
        schema.fields.iter().map(|field| (field.name.clone(), field.data_type.clone())).collect()
    };
    if names(&stored) != names(schema) {
        return Err("its columns are not those of the plan".to_owned());
    }
    let batch = Batch::import(batch, schema).map_err(|error| error.to_string())?;
    let mut columns = Vec::with_capacity(batch.columns.len());
    for (column, field) in batch.columns.iter().zip(&schema.fields) {
        let array = column.to_array().map_err(|error| error.to_string())?;
        let bump = Default::default();
        let view = borrow(&array, &field.data_type, &bump);
        columns.push((0..batch.rows).map(|row| value_at(&view, row)).collect());
    }
    Ok(columns)
}

/// A parameter out of its member.
pub(super) fn parameter_of(batch: &RecordBatch, parameter: &StoredParameter) -> Result<Literal, String> {
    let StoredParameter { name, data_type, member, .. } = parameter;
    let wrong = |problem: &str| format!("member {member}: column \"{name}\" {problem}");
    let column = batch.column_by_name(name).ok_or_else(|| wrong("is missing"))?;
    let found = Type::from_arrow(column.data_type()).map_err(|error| wrong(&error.to_string()))?;
    let is_one = member.ends_with("_values.arrow");
    let is_list = if is_one { None } else { data_type.element().cloned() };
    let expected = is_list.clone().unwrap_or_else(|| data_type.clone());
    if found != expected {
        return Err(wrong(&format!("has type {found}; the plan says {expected}")));
    }
    let one = super::statistics::batch(vec![(name.clone(), Arc::clone(column))])
        .map_err(|error| error.to_string())?;
    let schema = Schema::new(vec![hypostyle_functions::Field::new(name.clone(), expected.clone())]);
    let value = match is_list {
        Some(element) => {
            let imported = Batch::import(&one, &schema).map_err(|error| error.to_string())?;
            let array = imported.columns.first().ok_or_else(|| wrong("is missing"))?.to_array();
            let array = array.map_err(|error| error.to_string())?;
            Value::Shared(SharedList::new(element, array).map_err(|error| error.to_string())?)
        }
        None => match rows_of(&one, &schema)?.pop().unwrap_or_default().as_mut_slice() {
            [value] => std::mem::replace(value, Value::Null),
            _ => return Err(wrong("is not one row")),
        },
    };
    Ok(Literal { data_type: data_type.clone(), value })
}

#[cfg(test)]
mod tests {
    use arrow::array::{Int64Array, NullArray};
    use arrow::ipc::CompressionType;
    use arrow::ipc::writer::IpcWriteOptions;

    use super::*;

    #[test]
    fn what_makes_a_reader_allocate_is_refused() {
        let array: ArrayRef = Arc::new(Int64Array::from_iter_values(0..1000));
        let plain = batch(vec![("x".to_owned(), array)]).unwrap();
        let bytes = arrow_file(&plain).unwrap();
        assert_eq!(read_arrow_file(&bytes).unwrap(), plain);
        for length in 0..bytes.len().min(300) {
            assert!(
                read_arrow_file(&bytes[..length]).is_err()
                    && read_arrow_file(&bytes[bytes.len() - length..]).is_err()
            );
        }
        let mut packed = Vec::new();
        let options =
            IpcWriteOptions::default().try_with_compression(Some(CompressionType::LZ4_FRAME)).unwrap();
        let mut writer = FileWriter::try_new_with_options(&mut packed, &plain.schema(), options).unwrap();
        writer.write(&plain).unwrap();
        writer.finish().unwrap();
        drop(writer);
        assert!(read_arrow_file(&packed).unwrap_err().contains("compressed"));
        let nulls: ArrayRef = Arc::new(NullArray::new(1 << 40));
        let long = arrow_file(&batch(vec![("x".to_owned(), nulls)]).unwrap()).unwrap();
        assert!(read_arrow_file(&long).unwrap_err().contains("1099511627776 rows"));
    }
}
