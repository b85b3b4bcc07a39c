//! Queries to plans of the format.

mod aggregate;
mod declare;
mod expression;
mod join;
mod relation;
mod set_operation;
mod table;
mod window;

use std::collections::HashMap;
use std::sync::Arc;

use hypostyle_engine::Context;
use hypostyle_planner::logical::{Column, Relation};
use prost::Message;

use crate::data_type::add_field_names;
use crate::error::{Error, Result};
use crate::message::plan::{Plan, PlanRelation, PlanRoot, RelationRoot, Version};
use crate::message::relation::{Common, Emit, EmitKind, Rel, RelKind};

use declare::Declarations;

/// The version of the format that is written.
const VERSION: (u32, u32, u32) = (0, 102, 0);

/// Writes a rewritten query whose columns come out in this order.
///
/// # Errors
/// A relation or expression that the format has no words for, by its name; a plan that nests deeper than readers take.
pub fn write(relation: &Relation, result: &[Column], context: &Arc<Context>) -> Result<Vec<u8>> {
    let mut writer = Writer {
        context,
        declarations: Declarations::default(),
        definitions: HashMap::new(),
        ordinals: HashMap::new(),
        trees: Vec::new(),
        relations: 0,
    };
    let written = writer.relation(relation)?;
    let mut names = Vec::with_capacity(result.len());
    for column in result {
        names.push(column.name.clone());
        add_field_names(&column.data_type, &mut names);
    }
    let ids: Vec<usize> = result.iter().map(|column| column.id).collect();
    let input = written.with_columns(&ids)?.rel;
    let Writer { declarations, mut trees, .. } = writer;
    trees.push(PlanRelation { kind: Some(PlanRoot::Root(RelationRoot { input: Some(input), names })) });
    let (urns, declared) = declarations.into_messages();
    let (major_number, minor_number, patch_number) = VERSION;
    let plan = Plan {
        version: Some(Version {
            major_number,
            minor_number,
            patch_number,
            git_hash: String::new(),
            producer: concat!("hypostyle ", env!("CARGO_PKG_VERSION")).to_owned(),
        }),
        extension_urns: urns,
        extensions: declared,
        relations: trees,
        extension_uris: Vec::new(),
    };
    let bytes = plan.encode_to_vec();
    match Plan::decode(bytes.as_slice()) {
        Ok(_) => Ok(bytes),
        Err(_) => Err(Error::unsupported("a plan that nests deeper than the 100 levels that readers take")),
    }
}

/// What is gathered while a plan is written.
struct Writer<'a> {
    context: &'a Arc<Context>,
    declarations: Declarations,
    /// Relations whose rows are shared, by number; they are written again at each use.
    definitions: HashMap<u32, &'a Relation>,
    /// Those that are written once, with the ordinals of their trees and their columns.
    ordinals: HashMap<u32, i32>,
    trees: Vec<PlanRelation>,
    relations: usize,
}

/// A relation as a message, with the numbers of the columns that come out.
struct Written {
    rel: Rel,
    columns: Vec<usize>,
}

impl Written {
    fn new(kind: RelKind, columns: Vec<usize>) -> Self {
        Self { rel: Rel { kind: Some(kind) }, columns }
    }

    /// The place of each column.
    fn positions(&self) -> HashMap<usize, usize> {
        positions(&self.columns)
    }

    /// The same rows with only these columns, in this order.
    fn with_columns(mut self, wanted: &[usize]) -> Result<Self> {
        if self.columns == wanted {
            return Ok(self);
        }
        let positions = self.positions();
        let mut mapping = Vec::with_capacity(wanted.len());
        for id in wanted {
            mapping.push(field(*positions.get(id).ok_or_else(|| lost(*id))?));
        }
        let common =
            common_mut(&mut self.rel).ok_or_else(|| Error::missing("relation to choose columns of"))?;
        // What came out before is chosen from once more.
        let mapping = match &common.emit {
            Some(EmitKind::Emit(Emit { output_mapping })) => mapping
                .into_iter()
                .filter_map(|position| output_mapping.get(usize::try_from(position).ok()?).copied())
                .collect(),
            _ => mapping,
        };
        common.emit = Some(EmitKind::Emit(Emit { output_mapping: mapping }));
        Ok(Self { rel: self.rel, columns: wanted.to_vec() })
    }
}

fn positions(columns: &[usize]) -> HashMap<usize, usize> {
    columns.iter().enumerate().map(|(position, id)| (*id, position)).collect()
}

fn lost(id: usize) -> Error {
    Error::invalid(format!("internal error: column #{id} is not in the input of its reader"))
}

/// A position as the format writes it.
fn field(position: usize) -> i32 {
    i32::try_from(position).unwrap_or(i32::MAX)
}

/// What every relation that is written has in common.
fn common_mut(rel: &mut Rel) -> Option<&mut Common> {
    let common = match rel.kind.as_mut()? {
        RelKind::Read(rel) => &mut rel.common,
        RelKind::Filter(rel) => &mut rel.common,
        RelKind::Fetch(rel) => &mut rel.common,
        RelKind::Aggregate(rel) => &mut rel.common,
        RelKind::Sort(rel) => &mut rel.common,
        RelKind::Join(rel) => &mut rel.common,
        RelKind::Project(rel) => &mut rel.common,
        RelKind::Set(rel) => &mut rel.common,
        RelKind::Cross(rel) => &mut rel.common,
        _ => return None,
    };
    Some(common.get_or_insert_default())
}
