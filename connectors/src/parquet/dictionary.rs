//! Chunks of text that are dictionaries on disk stay dictionaries, with one values array for the chunk.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BinaryViewArray, DictionaryArray, StringViewArray};
use arrow::datatypes::{DataType, Int32Type};
use hypostyle_functions::Type;
use hypostyle_functions::column::Column;
use parquet::basic::Encoding;
use parquet::errors::{ParquetError, Result};
use parquet::file::metadata::ColumnChunkMetaData;

use crate::arrow_form::dictionary_column;

/// True if every data page of the chunk refers to its dictionary.
///
/// A chunk whose dictionary grew too large falls back to plain pages; the decoder would make a new dictionary
/// for every batch of those, so such a chunk is read flat.
pub(super) fn is_dictionary_only(chunk: &ColumnChunkMetaData) -> bool {
    if chunk.dictionary_page_offset().is_none() {
        return false;
    }
    if let Some(pages) = chunk.page_encoding_stats_mask() {
        return pages.is_only(Encoding::PLAIN_DICTIONARY) || pages.is_only(Encoding::RLE_DICTIONARY);
    }
    // Without page statistics the list of encodings must do. Writers of the first format version name the
    // dictionary page and its references both PLAIN_DICTIONARY, so PLAIN there means a fallback; in the
    // second version the dictionary page itself is PLAIN, and the list does not tell.
    let encodings = chunk.encodings_mask();
    encodings.is_set(Encoding::PLAIN_DICTIONARY)
        && [
            Encoding::PLAIN,
            Encoding::DELTA_BYTE_ARRAY,
            Encoding::DELTA_LENGTH_BYTE_ARRAY,
            Encoding::RLE_DICTIONARY,
        ]
        .iter()
        .all(|&encoding| !encodings.is_set(encoding))
}

/// Gives the dictionaries of one column chunk values that are views, made once, so that what is computed on
/// them can be kept for as long as the chunk is read.
#[derive(Debug, Default)]
pub(super) struct SharedValues {
    decoded: Option<ArrayRef>,
    views: Option<ArrayRef>,
}

impl SharedValues {
    /// The dictionary array as a column over the shared views.
    pub(super) fn share(&mut self, array: &ArrayRef, data_type: &Type) -> Result<Column> {
        let dictionary = array.as_any().downcast_ref::<DictionaryArray<Int32Type>>().ok_or_else(|| {
            ParquetError::General(format!("{} where a dictionary was asked for", array.data_type()))
        })?;
        let decoded = dictionary.values();
        let known = self.decoded.as_ref().is_some_and(|known| Arc::ptr_eq(known, decoded));
        let views = match &self.views {
            Some(views) if known => Arc::clone(views),
            _ => {
                let views = to_views(decoded)?;
                self.decoded = Some(Arc::clone(decoded));
                self.views = Some(Arc::clone(&views));
                views
            }
        };
        Ok(dictionary_column(dictionary, &views, data_type))
    }
}

fn to_views(values: &ArrayRef) -> Result<ArrayRef> {
    match values.data_type() {
        DataType::Utf8 => Ok(Arc::new(StringViewArray::from(values.as_string::<i32>()))),
        DataType::Binary => Ok(Arc::new(BinaryViewArray::from(values.as_binary::<i32>()))),
        other => Err(ParquetError::General(format!("dictionary values of type {other}"))),
    }
}
