//! Fitted transforms as files: a zip whose members are stored as they are and begin at multiples of 64 bytes.
//!
//! | member | holds |
//! |---|---|
//! | `manifest.json` | format and version, the SQL, where it was fitted, functions with their versions, and the digest of each member |
//! | `plan.json` | inputs, output expressions, and the calls of analyzers; lists that were fitted stand in `statistics` |
//! | `schema/input.arrow`, `schema/output.arrow` | the columns, without rows |
//! | `statistics/*.arrow` | parameters of each call: single values as one row, lists as columns |
//! | `index/*.slots` | where the entries of a long vocabulary stand, as 64-bit slots by XXH64 of the entry |
//! | `golden/input.arrow`, `golden/output.arrow` | rows made of edges and of what was fitted, and what they gave |
//!
//! A large file is mapped into memory, and members above [`LARGE_BYTES`] are used in place: their digests are verified on
//! demand, and reads of them stay inside of them whatever they hold. Of a vocabulary and its index, reading verifies the first and the
//! last block, which takes no time and tells a file that was cut and filled up or copied over another one; the blocks between them are
//! verified when a lookup first touches them, and a lookup that meets a damaged one is an error that names its place. A verified load
//! looks at all of them. Reading verifies every other digest, compares the functions with those of the session, and
//! runs the golden rows. It executes nothing but the expressions of the plan.

mod golden;
mod mapped;
mod members;
mod pack;
mod parallel;
mod read;
pub(crate) mod state;
mod statistics;
mod write;

#[cfg(test)]
mod tests;

use arrow::buffer::Buffer;
use hypostyle_functions::Field;
use hypostyle_planner::transform::{Fitted, FittedCall, FittedOutput, FittedWindow, Provenance};
use serde::{Deserialize, Serialize};

pub(crate) use read::{from_bytes, read};
pub(crate) use write::write;

/// What `format` of a manifest says.
const FORMAT: &str = "hypostyle transform";

/// The latest version of the layout that is read.
const VERSION: u32 = 2;

/// The version that a transform is written in: earlier releases read what they know.
fn version_of(fitted: &Fitted) -> u32 {
    if fitted.windows.is_empty() { 1 } else { 2 }
}

/// Members above this size are used in place. Files of less are read.
pub(crate) const LARGE_BYTES: usize = 64 << 20;

/// Bytes of a member that have a checksum of their own.
const BLOCK_BYTES: usize = 1 << 20;

/// Vocabularies of fewer entries are indexed when they are read, which takes no time.
const INDEXED_ENTRIES: usize = 1024;

const MANIFEST: &str = "manifest.json";
const PLAN: &str = "plan.json";
const INPUT_SCHEMA: &str = "schema/input.arrow";
const OUTPUT_SCHEMA: &str = "schema/output.arrow";
const GOLDEN_INPUT: &str = "golden/input.arrow";
const GOLDEN_OUTPUT: &str = "golden/output.arrow";

/// What is said of the file as a whole.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Manifest {
    /// Always [`FORMAT`].
    pub format: String,
    /// Layout of the file.
    pub version: u32,
    /// The program that wrote it.
    pub written_by: String,
    /// Name of the transform.
    pub name: String,
    /// Its definition.
    pub sql: String,
    /// Where it was fitted.
    pub provenance: Provenance,
    /// Functions that its expressions call, with the versions of their meaning.
    pub functions: Vec<(String, u32)>,
    /// Versions of the tables that functions are built with, of those that the outputs depend on.
    pub tables: Vec<(String, String)>,
    /// All other members.
    pub members: Vec<Member>,
}

/// A member of the file.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Member {
    /// Its name.
    pub name: String,
    /// Its length.
    pub bytes: u64,
    /// SHA-256 of its bytes, in hexadecimal digits.
    pub sha256: String,
    /// XXH64 of each block of [`BLOCK_BYTES`], in hexadecimal digits; none for a member of one block.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub blocks: Vec<String>,
}

impl Member {
    /// Finds out whether these are the bytes that were written.
    ///
    /// # Errors
    /// The place of the first bytes that are others, as far as it is known.
    fn check(&self, bytes: &[u8]) -> Result<(), String> {
        self.check_length(bytes)?;
        if digest(bytes) == self.sha256 {
            return Ok(());
        }
        (0..self.blocks.len()).try_for_each(|block| self.check_block(bytes, block))?;
        Err(format!("member {} is damaged: its digest is another one", self.name))
    }

    /// As [`Member::check`], of the first and the last block alone.
    fn check_ends(&self, bytes: &[u8]) -> Result<(), String> {
        self.check_length(bytes)?;
        let last = self.blocks.len().checked_sub(1);
        last.map_or(Ok(()), |last| [0, last].into_iter().try_for_each(|block| self.check_block(bytes, block)))
    }

    fn check_length(&self, bytes: &[u8]) -> Result<(), String> {
        if bytes.len() as u64 != self.bytes {
            let (name, found, written) = (&self.name, bytes.len(), self.bytes);
            return Err(format!("member {name} is damaged: it has {found} bytes; {written} were written"));
        }
        let blocks = bytes.len().div_ceil(BLOCK_BYTES);
        match self.blocks.is_empty() || self.blocks.len() == blocks {
            true => Ok(()),
            false => Err(format!(
                "member {} has {blocks} blocks; the manifest has checksums of {}",
                self.name,
                self.blocks.len()
            )),
        }
    }

    fn check_block(&self, bytes: &[u8], block: usize) -> Result<(), String> {
        let start = bytes.len().min(block.saturating_mul(BLOCK_BYTES));
        let end = bytes.len().min(start + BLOCK_BYTES);
        match self.blocks.get(block) == Some(&checksum(&bytes[start..end])) {
            true => Ok(()),
            false => Err(format!(
                "member {} is damaged: its bytes {start} to {end} are others than were written",
                self.name
            )),
        }
    }
}

/// `plan.json`. Literals of lists that were fitted are parameters, by their place among the parameters of all calls.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct StoredPlan {
    inputs: Vec<Field>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    windows: Vec<FittedWindow>,
    outputs: Vec<FittedOutput>,
    calls: Vec<StoredCall>,
}

/// A call of an analyzer without the values of its parameters.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct StoredCall {
    #[serde(flatten)]
    call: FittedCall,
    /// Names of its parameters, and the member that holds each.
    stored: Vec<StoredParameter>,
}

/// Where the value of a parameter is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct StoredParameter {
    name: String,
    #[serde(rename = "type")]
    data_type: hypostyle_functions::Type,
    /// The member, whose column has the name of the parameter; a list is the whole column.
    member: String,
    /// The member with its index, where it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    index: Option<String>,
}

/// A member's name and its bytes.
type NamedBytes = (String, Buffer);

/// The checksum of a block.
fn checksum(block: &[u8]) -> String {
    format!("{:016x}", hypostyle_functions::kernel::hash::xxhash64::xxhash64(block, 0))
}

/// The digest of a member.
fn digest(bytes: &[u8]) -> String {
    use sha2::Digest;
    sha2::Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}
