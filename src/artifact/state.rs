//! States of fits as files: a zip of the same kind as a transform, with a header and one Arrow file for each table.

use arrow::buffer::Buffer;
use hypostyle_engine::plan::from_json;
use hypostyle_planner::transform::{FitState, StateHeader};
use serde::{Deserialize, Serialize};

use super::members::Members;
use super::pack::{Sealed, packed};
use super::{Member, statistics};
use crate::error::{Error, Result};

const FORMAT: &str = "hypostyle fit state";

/// Version of the layout that is written, and the latest that is read.
const VERSION: u32 = 1;

const HEADER: &str = "state.json";

#[derive(Serialize, Deserialize)]
struct StoredState {
    format: String,
    version: u32,
    written_by: String,
    header: StateHeader,
    members: Vec<Member>,
}

/// What every version of the header has.
#[derive(Deserialize)]
struct Head {
    format: String,
    version: u32,
}

/// The bytes of a state.
pub(crate) fn to_bytes(state: &FitState) -> Result<Vec<u8>> {
    let mut members: Vec<Sealed> = Vec::with_capacity(state.tables.len() + 1);
    for (number, table) in state.tables.iter().enumerate() {
        let types = hypostyle_functions::Schema::from_arrow(&table.schema())?;
        let mut columns = Vec::with_capacity(types.fields.len());
        for (column, field) in table.columns().iter().zip(&types.fields) {
            columns.push((field.name.clone(), statistics::stored(column, &field.data_type)?));
        }
        let rows = statistics::batch(columns)?;
        members.push(Sealed::new(format!("tables/{number:04}.arrow"), statistics::arrow_file(&rows)?));
    }
    let stored = StoredState {
        format: FORMAT.to_owned(),
        version: VERSION,
        written_by: format!("hypostyle {}", env!("CARGO_PKG_VERSION")),
        header: state.header.clone(),
        members: members.iter().map(Sealed::listed).collect(),
    };
    let header = serde_json::to_vec_pretty(&stored)
        .map_err(|error| Error::user(format!("the state was not written: {error}")))?;
    members.insert(0, Sealed::new(HEADER.to_owned(), Buffer::from_vec(header)));
    packed(&members).map_err(|error| Error::user(format!("the state was not written: {error}")))
}

/// The state that bytes hold.
pub(crate) fn from_bytes(bytes: &[u8]) -> Result<FitState, String> {
    let foreign = |problem: String| format!("the file is no state of a fit, or is damaged: {problem}");
    let mut members = Members::open(bytes).map_err(foreign)?;
    let header = members.read(HEADER).map_err(foreign)?;
    let head: Head =
        from_json(&header, "the header of the state").map_err(|error| foreign(error.to_string()))?;
    if head.format != FORMAT {
        return Err(format!("the file is \"{}\"; expected \"{FORMAT}\"", head.format));
    }
    if head.version > VERSION {
        return Err(format!(
            "the state has version {}, of a later release; this release reads up to version {VERSION}",
            head.version
        ));
    }
    let stored: StoredState =
        from_json(&header, "the header of the state").map_err(|error| foreign(error.to_string()))?;
    let mut tables = Vec::with_capacity(stored.members.len());
    for member in &stored.members {
        let bytes = members.read(&member.name)?;
        member.check(&bytes)?;
        let table = statistics::read_arrow_file(&bytes);
        tables.push(table.map_err(|problem| format!("member {}: {problem}", member.name))?);
    }
    Ok(FitState { header: stored.header, tables })
}
