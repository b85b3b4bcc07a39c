//! Lists and indexes that are used where they lie in a file. Nothing of them is trusted: what says where bytes are is checked
//! here, and what the bytes say is checked where they are read.

use std::sync::Arc;

use arrow::array::{ArrayRef, PrimitiveArray};
use arrow::buffer::{Buffer, ScalarBuffer};
use arrow::datatypes::{ArrowNativeType, ArrowPrimitiveType, DataType, Float64Type, Int64Type};
use arrow::ipc::{RecordBatch, convert::try_fb_to_schema};
use hypostyle_functions::Type;
use hypostyle_functions::category::index::CategoryIndex;
use hypostyle_functions::checked_blocks::CheckedBlocks;
use hypostyle_functions::kernel::category_slots::slots_of;
use hypostyle_functions::shared_list::SharedList;

use super::statistics::{footer_of, message_of};

/// The list in an Arrow file of one column and one batch; `None` for what is not written so, such as lists with nulls.
pub(super) fn list(file: &Buffer, name: &str, element: &Type) -> Result<Option<SharedList>, String> {
    let footer = footer_of(file)?;
    let schema = footer.schema().ok_or("the Arrow file has no schema")?;
    let schema = try_fb_to_schema(schema).map_err(|error| error.to_string())?;
    let blocks: Vec<_> = footer.recordBatches().iter().flatten().collect();
    let ([field], [block]) = (&schema.fields()[..], &blocks[..]) else { return Ok(None) };
    if field.name() != name {
        return Err(format!("column \"{name}\" is missing"));
    }
    let batch = message_of(file, block)?;
    let batch = batch.header_as_record_batch().ok_or("the Arrow file is damaged")?;
    let body = usize::try_from(block.offset())
        .ok()
        .zip(usize::try_from(block.metaDataLength()).ok())
        .and_then(|(offset, length)| offset.checked_add(length))
        .ok_or("the Arrow file is damaged")?;
    let has_nulls = batch.nodes().is_none_or(|nodes| nodes.iter().any(|node| node.null_count() != 0));
    if has_nulls || batch.compression().is_some() {
        return Ok(None);
    }
    let rows = usize::try_from(batch.length()).map_err(|_| "the Arrow file is damaged")?;
    let batch = Body { file, batch, body };
    Ok(match (element, field.data_type()) {
        (Type::Text, DataType::LargeUtf8) => {
            let offsets = batch.values(1, rows.checked_add(1).ok_or("the Arrow file is damaged")?)?;
            Some(SharedList::of_stored_texts(offsets, batch.buffer(2)?))
        }
        (Type::Int64, DataType::Int64) => Some(numbers::<Int64Type>(&batch, rows)?),
        (Type::Float64, DataType::Float64) => Some(numbers::<Float64Type>(&batch, rows)?),
        _ => None,
    })
}

fn numbers<T: ArrowPrimitiveType>(batch: &Body<'_>, rows: usize) -> Result<SharedList, String> {
    let array: PrimitiveArray<T> = PrimitiveArray::new(batch.values(1, rows)?, None);
    let array: ArrayRef = Arc::new(array);
    let element = Type::from_arrow(&T::DATA_TYPE).map_err(|error| error.to_string())?;
    SharedList::new(element, array).map_err(|error| error.to_string())
}

/// The index of a list, which has as many slots as its entries need.
pub(super) fn index(
    member: &Buffer,
    entries: usize,
    blocks: Option<Arc<CheckedBlocks>>,
) -> Result<CategoryIndex, String> {
    if member.len() != slots_of(entries) * size_of::<u64>() {
        return Err(format!("it has {} bytes, which is no index of {entries} entries", member.len()));
    }
    Ok(CategoryIndex::of_stored(scalars(member)?, blocks))
}

struct Body<'f> {
    file: &'f Buffer,
    batch: RecordBatch<'f>,
    /// Where the buffers of the batch begin.
    body: usize,
}

impl Body<'_> {
    /// A buffer of the batch, where it lies.
    fn buffer(&self, position: usize) -> Result<Buffer, String> {
        let damaged = || format!("buffer {position} of the Arrow file lies outside of it");
        let buffers = self.batch.buffers().filter(|buffers| position < buffers.len()).ok_or_else(damaged)?;
        let place = buffers.get(position);
        let start = usize::try_from(place.offset()).ok().and_then(|offset| offset.checked_add(self.body));
        let length = usize::try_from(place.length()).ok();
        let (start, length) = start.zip(length).ok_or_else(damaged)?;
        match start.checked_add(length) {
            Some(end) if end <= self.file.len() => Ok(self.file.slice_with_length(start, length)),
            _ => Err(damaged()),
        }
    }

    /// Values of a buffer.
    fn values<T: ArrowNativeType>(&self, position: usize, count: usize) -> Result<ScalarBuffer<T>, String> {
        let buffer = self.buffer(position)?;
        match count.checked_mul(size_of::<T>()) {
            Some(bytes) if bytes <= buffer.len() => scalars(&buffer.slice_with_length(0, bytes)),
            _ => Err(format!("buffer {position} of the Arrow file has no room for {count} values")),
        }
    }
}

/// The bytes as values, in place where they are aligned, as they are in every file that was written here.
fn scalars<T: ArrowNativeType>(buffer: &Buffer) -> Result<ScalarBuffer<T>, String> {
    let count = buffer.len() / size_of::<T>();
    if cfg!(target_endian = "big") {
        return Err("large members are read on machines of little-endian order".to_owned());
    }
    if buffer.as_ptr().align_offset(align_of::<T>()) == 0 {
        return Ok(ScalarBuffer::new(buffer.clone(), 0, count));
    }
    Ok(ScalarBuffer::new(Buffer::from(buffer.as_slice()), 0, count))
}
