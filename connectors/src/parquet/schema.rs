//! What the columns of a Parquet file are to the engine, and in which Arrow form the decoder gives them.

use std::sync::Arc;

use arrow::datatypes::{
    DataType, Field as ArrowField, FieldRef, Fields, Schema as ArrowSchema, SchemaRef as ArrowSchemaRef,
    TimeUnit,
};
use hypostyle_functions::{Field, Schema, Type as LogicalColumnType};
use parquet::arrow::parquet_to_arrow_schema;
use parquet::basic::{ConvertedType, LogicalType, Type as PhysicalType};
use parquet::errors::{ParquetError, Result};
use parquet::file::metadata::KeyValue;
use parquet::schema::types::{SchemaDescPtr, SchemaDescriptor, Type, TypePtr};

use super::special::{Special, type_with_meanings};
use crate::arrow_form::logical_type;
use crate::error::Place;
use crate::prune::ColumnPlace;

/// The columns of a file: one per field of the schema's root.
#[derive(Debug, Clone)]
pub(super) struct FileSchema {
    /// The columns as the engine knows them.
    pub(super) logical: Schema,
    /// How to decode each, in the order of `logical`.
    pub(super) columns: Vec<FileColumn>,
    root: TypePtr,
}

/// One column of a file.
#[derive(Debug, Clone)]
pub(super) struct FileColumn {
    /// The Parquet type, with text marked as text.
    pub(super) parquet: TypePtr,
    /// Positions of its leaves among those of the file, ascending.
    pub(super) leaves: Vec<usize>,
    /// The Arrow field that is asked of the decoder.
    pub(super) decoded: FieldRef,
    /// Per leaf, what its values mean where neither the decoder nor Arrow tells; empty if they do for all.
    pub(super) specials: Vec<Option<Special>>,
    /// True for a column of text or bytes without nesting: it can be read as a dictionary.
    pub(super) is_bytes: bool,
}

/// Some columns of a file as a schema of their own.
pub(super) struct Projected {
    pub(super) descriptor: SchemaDescPtr,
    /// Positions of its leaves among those of the file.
    pub(super) leaves: Vec<usize>,
}

impl FileSchema {
    /// Reads the schema of a file. `key_values` may hold an Arrow schema, which tells types that Parquet lacks.
    pub(super) fn new(
        descriptor: &SchemaDescriptor,
        key_values: Option<&Vec<KeyValue>>,
        place: &Place,
    ) -> Result<Self> {
        let written = descriptor.root_schema().get_fields();
        let roots: Vec<TypePtr> = written.iter().map(plain_leaves).collect::<Result<_>>()?;
        let marked = SchemaDescriptor::new(root_of(roots.clone())?);
        // An Arrow schema that does not fit the Parquet one is ignored: the latter is what was written.
        let arrow = parquet_to_arrow_schema(&marked, key_values)
            .or_else(|_| parquet_to_arrow_schema(&marked, None))?;
        if arrow.fields().len() != roots.len() {
            return Err(ParquetError::General(format!(
                "the schema has {} columns, {} of them with values; a group without fields cannot be read",
                roots.len(),
                arrow.fields().len()
            )));
        }
        let mut columns = Vec::with_capacity(roots.len());
        let mut logical = Vec::with_capacity(roots.len());
        let mut first_leaf = 0;
        for ((parquet, written), field) in roots.into_iter().zip(written).zip(arrow.fields()) {
            let end = first_leaf + leaf_count(&parquet);
            let leaves: Vec<usize> = (first_leaf..end).collect();
            let mut physical = leaves.iter().map(|&leaf| marked.column(leaf).physical_type());
            let decoded = decoded_form(field.data_type(), &mut physical);
            // A column of text or bytes can be asked for as a dictionary.
            let is_bytes =
                parquet.is_primitive() && matches!(decoded, DataType::Utf8View | DataType::BinaryView);
            let decoded = Arc::new(ArrowField::new(field.name(), decoded, field.is_nullable()));
            let specials = Special::of_leaves(written);
            logical.push(Field::new(field.name(), logical_of(field.name(), &decoded, &specials, place)?));
            columns.push(FileColumn { parquet, leaves, decoded, specials, is_bytes });
            first_leaf = end;
        }
        Ok(Self { logical: Schema::new(logical), columns, root: descriptor.root_schema_ptr() })
    }

    /// True if a file with this root has this schema, so that it need not be read again.
    pub(super) fn is_of(&self, descriptor: &SchemaDescriptor) -> bool {
        Arc::ptr_eq(&self.root, &descriptor.root_schema_ptr())
            || self.root.as_ref() == descriptor.root_schema()
    }

    /// The schema of `columns` alone, and the leaves of the file they are made of.
    ///
    /// Only the asked columns are visited: of a schema with thousands, five cost those five.
    pub(super) fn project(&self, columns: &[usize]) -> Result<Projected> {
        let asked = || columns.iter().map(|&column| &self.columns[column]);
        let leaves = asked().flat_map(|column| column.leaves.iter().copied()).collect();
        let roots = asked().map(|column| Arc::clone(&column.parquet)).collect();
        Ok(Projected { descriptor: Arc::new(SchemaDescriptor::new(root_of(roots)?)), leaves })
    }

    /// The Arrow schema to ask of the decoder; `dictionary[i]` asks for `columns[i]` as a dictionary.
    pub(super) fn asked(&self, columns: &[usize], dictionary: &[bool]) -> ArrowSchemaRef {
        let fields: Fields = columns
            .iter()
            .zip(dictionary)
            .map(|(&column, &dictionary)| {
                let field = &self.columns[column].decoded;
                if dictionary { dictionary_field(field) } else { Arc::clone(field) }
            })
            .collect();
        Arc::new(ArrowSchema::new(fields))
    }

    /// The leaf of a column, or of a field inside of it, that is without repetition on the way: one whose statistics speak
    /// of rows. With its type.
    pub(super) fn flat_leaf(&self, place: &ColumnPlace) -> Option<(usize, &LogicalColumnType)> {
        let column = self.columns.get(place.column)?;
        let mut data_type = &self.logical.fields.get(place.column)?.data_type;
        let mut parquet = &column.parquet;
        let mut leaf = 0;
        let is_repeated = |parquet: &TypePtr| {
            let info = parquet.get_basic_info();
            info.has_repetition() && info.repetition() == parquet::basic::Repetition::REPEATED
        };
        for name in &place.fields {
            let LogicalColumnType::Struct(fields) = data_type else { return None };
            if parquet.is_primitive() || is_repeated(parquet) || parquet.get_fields().len() != fields.len() {
                return None;
            }
            let position = fields.iter().position(|field| field.name.eq_ignore_ascii_case(name))?;
            let before = &parquet.get_fields()[..position];
            leaf += before.iter().map(|field| leaf_count(field)).sum::<usize>();
            (data_type, parquet) = (&fields[position].data_type, &parquet.get_fields()[position]);
        }
        let is_flat = parquet.is_primitive() && !is_repeated(parquet);
        column.leaves.get(leaf).filter(|_| is_flat).map(|&leaf| (leaf, data_type))
    }

    /// The same schema, of whose columns at these positions only the fields of a type are read.
    pub(super) fn narrowed(&self, parts: &[(usize, LogicalColumnType)], place: &Place) -> Result<Self> {
        let mut schema = self.clone();
        for (position, part) in parts {
            let column = &mut schema.columns[*position];
            let mut kept = Kept { leaves: Vec::new(), next: 0 };
            let decoded = kept.narrow(column.decoded.data_type(), Some(part));
            let mut at = 0;
            let Some(parquet) = without_leaves(&column.parquet, &kept.leaves, &mut at)? else { continue };
            column.leaves = kept.leaves.iter().filter_map(|&leaf| column.leaves.get(leaf).copied()).collect();
            column.specials =
                kept.leaves.iter().filter_map(|&leaf| column.specials.get(leaf).copied()).collect();
            column.parquet = parquet;
            column.decoded = Arc::new(column.decoded.as_ref().clone().with_data_type(decoded));
            let field = &mut schema.logical.fields[*position];
            field.data_type = logical_of(&field.name, &column.decoded, &column.specials, place)?;
        }
        Ok(schema)
    }
}

/// The leaves of a column that are read.
struct Kept {
    /// Their positions among those of the column.
    leaves: Vec<usize>,
    /// Position of the leaf that is looked at next.
    next: usize,
}

impl Kept {
    /// The fields of `data_type` that are also in `part` (all, if there is none), with their leaves noted. Of a struct that
    /// has none of them the first field stays: it tells which rows are null.
    fn narrow(&mut self, data_type: &DataType, part: Option<&LogicalColumnType>) -> DataType {
        match (data_type, part) {
            (DataType::Struct(fields), Some(LogicalColumnType::Struct(part))) => {
                let find = |field: &FieldRef| part.iter().find(|asked| asked.name == *field.name());
                let none = !fields.iter().any(|field| find(field).is_some());
                let mut narrowed = Vec::with_capacity(part.len());
                for (position, field) in fields.iter().enumerate() {
                    match find(field) {
                        Some(asked) => {
                            let inner = self.narrow(field.data_type(), Some(&asked.data_type));
                            narrowed.push(Arc::new(field.as_ref().clone().with_data_type(inner)));
                        }
                        None if none && position == 0 => {
                            self.narrow(field.data_type(), None);
                            narrowed.push(Arc::clone(field));
                        }
                        None => self.next += leaves_of(field.data_type()),
                    }
                }
                DataType::Struct(narrowed.into())
            }
            (DataType::List(element), Some(LogicalColumnType::List(part))) => {
                DataType::List(self.narrow_field(element, part))
            }
            (DataType::FixedSizeList(element, size), Some(LogicalColumnType::FixedList(part, _))) => {
                DataType::FixedSizeList(self.narrow_field(element, part), *size)
            }
            (other, _) => {
                let count = leaves_of(other);
                self.leaves.extend(self.next..self.next + count);
                self.next += count;
                other.clone()
            }
        }
    }

    fn narrow_field(&mut self, field: &FieldRef, part: &LogicalColumnType) -> FieldRef {
        let inner = self.narrow(field.data_type(), Some(part));
        Arc::new(field.as_ref().clone().with_data_type(inner))
    }
}

/// Leaves of a column of this form.
fn leaves_of(data_type: &DataType) -> usize {
    match data_type {
        DataType::Struct(fields) => fields.iter().map(|field| leaves_of(field.data_type())).sum(),
        DataType::List(element) | DataType::FixedSizeList(element, _) | DataType::Map(element, _) => {
            leaves_of(element.data_type())
        }
        _ => 1,
    }
}

/// The type with only these of its leaves, which are counted from `at`; `None` if none of them is left.
fn without_leaves(parquet: &TypePtr, kept: &[usize], at: &mut usize) -> Result<Option<TypePtr>> {
    if parquet.is_primitive() {
        *at += 1;
        return Ok(kept.contains(&(*at - 1)).then(|| Arc::clone(parquet)));
    }
    let mut fields = Vec::new();
    for field in parquet.get_fields() {
        fields.extend(without_leaves(field, kept, at)?);
    }
    if fields.len() == parquet.get_fields().len() {
        let same = fields.iter().zip(parquet.get_fields()).all(|(new, old)| Arc::ptr_eq(new, old));
        if same {
            return Ok(Some(Arc::clone(parquet)));
        }
    }
    if fields.is_empty() { Ok(None) } else { group_with(parquet, fields).map(Some) }
}

/// The dictionary form that the decoder keeps: its values are one array for a whole chunk, which it is
/// for offsets and not for views.
fn dictionary_field(field: &FieldRef) -> FieldRef {
    let values = match field.data_type() {
        DataType::Utf8View => DataType::Utf8,
        _ => DataType::Binary,
    };
    let data_type = DataType::Dictionary(Box::new(DataType::Int32), Box::new(values));
    Arc::new(ArrowField::new(field.name(), data_type, field.is_nullable()))
}

fn root_of(fields: Vec<TypePtr>) -> Result<TypePtr> {
    Ok(Arc::new(Type::group_type_builder("schema").with_fields(fields).build()?))
}

fn leaf_count(parquet: &Type) -> usize {
    if parquet.is_primitive() { 1 } else { parquet.get_fields().iter().map(|field| leaf_count(field)).sum() }
}

/// The same type with every byte array that holds text (strings, enumerations, JSON) marked in the one way
/// that makes the decoder check its UTF-8, and bytes with a meaning that the decoder does not give as plain ones.
fn plain_leaves(parquet: &TypePtr) -> Result<TypePtr> {
    let info = parquet.get_basic_info();
    let repetition = info.has_repetition().then(|| info.repetition());
    let id = info.has_id().then(|| info.id());
    match parquet.as_ref() {
        Type::PrimitiveType { physical_type: PhysicalType::BYTE_ARRAY, .. } => {
            let is_text = matches!(
                (info.logical_type_ref(), info.converted_type()),
                (Some(LogicalType::String | LogicalType::Enum | LogicalType::Json), _)
                    | (None, ConvertedType::UTF8 | ConvertedType::ENUM | ConvertedType::JSON)
            );
            if !is_text || (info.converted_type() == ConvertedType::UTF8 && info.logical_type_ref().is_none())
            {
                return Ok(Arc::clone(parquet));
            }
            let mut builder = Type::primitive_type_builder(info.name(), PhysicalType::BYTE_ARRAY)
                .with_logical_type(Some(LogicalType::String))
                .with_converted_type(ConvertedType::UTF8)
                .with_id(id);
            if let Some(repetition) = repetition {
                builder = builder.with_repetition(repetition);
            }
            Ok(Arc::new(builder.build()?))
        }
        Type::PrimitiveType { .. } => Ok(Special::unmarked(parquet)?.unwrap_or_else(|| Arc::clone(parquet))),
        Type::GroupType { fields, .. } => {
            let marked: Vec<TypePtr> = fields.iter().map(plain_leaves).collect::<Result<_>>()?;
            if marked.iter().zip(fields).all(|(new, old)| Arc::ptr_eq(new, old)) {
                return Ok(Arc::clone(parquet));
            }
            group_with(parquet, marked)
        }
    }
}

/// The same group with other fields.
fn group_with(group: &Type, fields: Vec<TypePtr>) -> Result<TypePtr> {
    let info = group.get_basic_info();
    let mut builder = Type::group_type_builder(info.name())
        .with_fields(fields)
        .with_logical_type(info.logical_type_ref().cloned())
        .with_converted_type(info.converted_type())
        .with_id(info.has_id().then(|| info.id()));
    if info.has_repetition() {
        builder = builder.with_repetition(info.repetition());
    }
    Ok(Arc::new(builder.build()?))
}

/// The engine's type of a column.
fn logical_of(
    name: &str,
    decoded: &ArrowField,
    specials: &[Option<Special>],
    place: &Place,
) -> Result<LogicalColumnType> {
    let data_type = type_with_meanings(decoded.data_type(), specials);
    logical_type(&data_type, || place.clone().column(name))
        .map_err(|error| ParquetError::External(Box::new(error)))
}

/// The Arrow type to ask of the decoder for a column that it would by itself give as `data_type`.
///
/// `leaves` yields the physical type of each leaf, in the order of the schema.
fn decoded_form(data_type: &DataType, leaves: &mut dyn Iterator<Item = PhysicalType>) -> DataType {
    let field = |field: &FieldRef, leaves: &mut dyn Iterator<Item = PhysicalType>| {
        Arc::new(field.as_ref().clone().with_data_type(decoded_form(field.data_type(), leaves)))
    };
    match data_type {
        DataType::List(element) | DataType::LargeList(element) => DataType::List(field(element, leaves)),
        DataType::ListView(element) | DataType::LargeListView(element) => {
            DataType::List(field(element, leaves))
        }
        DataType::FixedSizeList(element, size) => DataType::FixedSizeList(field(element, leaves), *size),
        DataType::Map(entries, sorted) => DataType::Map(field(entries, leaves), *sorted),
        DataType::Struct(fields) => {
            DataType::Struct(fields.iter().map(|child| field(child, leaves)).collect())
        }
        leaf => decoded_leaf(leaf, leaves.next()),
    }
}

fn decoded_leaf(leaf: &DataType, physical: Option<PhysicalType>) -> DataType {
    match leaf {
        DataType::Utf8 | DataType::LargeUtf8 => DataType::Utf8View,
        DataType::Binary | DataType::LargeBinary => DataType::BinaryView,
        DataType::Dictionary(_, values) => decoded_leaf(values, physical),
        // The nanoseconds of this physical type leave 64 bits in the year 2262; microseconds do not.
        DataType::Timestamp(TimeUnit::Nanosecond, zone) if physical == Some(PhysicalType::INT96) => {
            DataType::Timestamp(TimeUnit::Microsecond, zone.clone())
        }
        other => other.clone(),
    }
}
