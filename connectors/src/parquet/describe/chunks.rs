//! A row for each column chunk of a file.

use hypostyle_functions::{Field, Type, Value};
use parquet::basic::Compression;
use parquet::file::metadata::{ColumnChunkMetaData, RowGroupMetaData};
use parquet::file::statistics::Statistics;

use super::bound_text::bound_texts;
use super::{Described, Row, count};

/// Names of the bounds of a bounding box.
const BOX_BOUNDS: [&str; 8] = ["xmin", "xmax", "ymin", "ymax", "zmin", "zmax", "mmin", "mmax"];

pub(super) fn fields() -> Vec<(&'static str, Type)> {
    let pages = Type::Struct(vec![
        Field::new("page_type", Type::Text),
        Field::new("encoding", Type::Text),
        Field::new("count", Type::Int32),
    ]);
    let geographic = BOX_BOUNDS.map(|name| Field::new(name, Type::Float64)).to_vec();
    vec![
        ("file_name", Type::Text),
        ("row_group_id", Type::Int64),
        ("row_group_num_rows", Type::Int64),
        ("row_group_num_columns", Type::Int64),
        ("row_group_bytes", Type::Int64),
        ("column_id", Type::Int64),
        ("file_offset", Type::Int64),
        ("num_values", Type::Int64),
        ("path_in_schema", Type::Text),
        ("type", Type::Text),
        ("stats_min", Type::Text),
        ("stats_max", Type::Text),
        ("stats_null_count", Type::Int64),
        ("stats_distinct_count", Type::Int64),
        ("stats_min_value", Type::Text),
        ("stats_max_value", Type::Text),
        ("compression", Type::Text),
        ("encodings", Type::Text),
        ("index_page_offset", Type::Int64),
        ("dictionary_page_offset", Type::Int64),
        ("data_page_offset", Type::Int64),
        ("total_compressed_size", Type::Int64),
        ("total_uncompressed_size", Type::Int64),
        ("key_value_metadata", Type::map(Type::Binary, Type::Binary)),
        ("bloom_filter_offset", Type::Int64),
        ("bloom_filter_length", Type::Int64),
        ("min_is_exact", Type::Boolean),
        ("max_is_exact", Type::Boolean),
        ("row_group_compressed_bytes", Type::Int64),
        ("geo_bbox", Type::Struct(geographic)),
        ("geo_types", Type::list(Type::Text)),
        ("encoding_stats", Type::list(pages)),
        ("stats_nan_count", Type::Int64),
    ]
}

pub(super) fn rows(described: &Described) -> Vec<Row> {
    let leaf_types = described.leaf_types();
    let mut rows = Vec::new();
    for (number, group) in described.metadata.row_groups().iter().enumerate() {
        for (column, chunk) in group.columns().iter().enumerate() {
            let mut row = vec![Value::text(&described.name), count(number)];
            row.extend([
                Value::Int64(group.num_rows()),
                count(group.num_columns()),
                Value::Int64(group.total_byte_size()),
                count(column),
            ]);
            add_chunk(group, chunk, leaf_types.get(column), &mut row);
            rows.push(row);
        }
    }
    rows
}

fn add_chunk(group: &RowGroupMetaData, chunk: &ColumnChunkMetaData, logical: Option<&Type>, row: &mut Row) {
    let number = |value: Option<i64>| value.map_or(Value::Null, Value::Int64);
    row.extend([
        Value::Int64(chunk.file_offset()),
        Value::Int64(chunk.num_values()),
        Value::text(chunk.column_path().parts().join(", ")),
        Value::text(chunk.column_type().to_string()),
    ]);
    let statistics = chunk.statistics();
    let bounds = match (statistics, logical) {
        (Some(statistics), Some(logical)) => bound_texts(statistics, chunk.column_descr(), logical),
        _ => [Value::Null, Value::Null],
    };
    // Fields of the first format version, which newer writers fill for the sake of old readers, if at all.
    let is_old = statistics.is_some_and(Statistics::is_min_max_deprecated);
    let none = [Value::Null, Value::Null];
    let [old, new] = if is_old { [bounds, none] } else { [none, bounds] };
    let counted = |value: Option<u64>| number(value.and_then(|value| i64::try_from(value).ok()));
    row.extend(old);
    row.push(counted(statistics.and_then(Statistics::null_count_opt)));
    row.push(counted(statistics.and_then(Statistics::distinct_count_opt)));
    row.extend(new);
    let encodings: Vec<String> = chunk.encodings().map(|encoding| encoding.to_string()).collect();
    let exact = |is_exact: fn(&Statistics) -> bool| {
        statistics.map_or(Value::Null, |statistics| Value::Boolean(is_exact(statistics)))
    };
    row.extend([
        Value::text(codec_name(chunk.compression())),
        Value::text(encodings.join(", ")),
        number(chunk.index_page_offset()),
        number(chunk.dictionary_page_offset()),
        Value::Int64(chunk.data_page_offset()),
        Value::Int64(chunk.compressed_size()),
        Value::Int64(chunk.uncompressed_size()),
        Value::Map(Type::Binary, Type::Binary, Vec::new()),
        number(chunk.bloom_filter_offset()),
        number(chunk.bloom_filter_length().map(i64::from)),
        exact(Statistics::min_is_exact),
        exact(Statistics::max_is_exact),
        Value::Int64(group.compressed_size()),
        Value::Null,
        Value::Null,
        encoding_statistics(chunk),
        counted(statistics.and_then(Statistics::nan_count_opt)),
    ]);
}

fn encoding_statistics(chunk: &ColumnChunkMetaData) -> Value {
    let types = vec![Type::Text, Type::Text, Type::Int32];
    let names = ["page_type", "encoding", "count"];
    let element = Type::Struct(
        names.iter().zip(&types).map(|(name, data_type)| Field::new(*name, data_type.clone())).collect(),
    );
    let pages = chunk.page_encoding_stats().into_iter().flatten().map(|pages| {
        let values = [
            Value::text(pages.page_type.to_string()),
            Value::text(pages.encoding.to_string()),
            Value::Int32(pages.count),
        ];
        Value::Struct(names.iter().map(|name| (*name).to_owned()).zip(values).collect(), types.clone())
    });
    Value::List(element, pages.collect())
}

fn codec_name(compression: Compression) -> &'static str {
    match compression {
        Compression::UNCOMPRESSED => "UNCOMPRESSED",
        Compression::SNAPPY => "SNAPPY",
        Compression::GZIP(_) => "GZIP",
        Compression::LZO => "LZO",
        Compression::BROTLI(_) => "BROTLI",
        Compression::LZ4 => "LZ4",
        Compression::ZSTD(_) => "ZSTD",
        Compression::LZ4_RAW => "LZ4_RAW",
    }
}
