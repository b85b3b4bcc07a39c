//! Which format a file has, told by its name or its first bytes.

use std::path::Path;

use crate::input::{Compression, is_standard_input, open_stream};

/// The formats that can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileFormat {
    /// Parquet.
    Parquet,
    /// CSV and its relatives.
    Csv,
    /// JSON in any arrangement.
    Json,
    /// Arrow IPC, file or stream.
    Arrow,
}

impl FileFormat {
    /// The table function that reads it.
    pub fn function(self) -> &'static str {
        match self {
            Self::Parquet => "read_parquet",
            Self::Csv => "read_csv",
            Self::Json => "read_json",
            Self::Arrow => "read_arrow",
        }
    }

    /// The ends of names of such files, in lower case.
    pub fn extensions(self) -> &'static [&'static str] {
        match self {
            Self::Parquet => &[".parquet", ".pq", ".parq"],
            Self::Csv => &[".csv", ".tsv", ".tab", ".psv", ".txt", ".dat", ".tbl"],
            Self::Json => &[".json", ".ndjson", ".jsonl", ".geojson"],
            Self::Arrow => {
                &[".arrow", ".arrows", ".ipc", ".feather", ".arrow_file", ".arrow_stream", ".stream"]
            }
        }
    }

    /// The format that a name ends in; an ending of a compressed file is looked past.
    pub fn of_name(location: &str) -> Option<Self> {
        let name = location.to_ascii_lowercase();
        let plain = match Compression::of_name(Path::new(&name)) {
            Compression::None => name.as_str(),
            _ => name.rsplit_once('.').map_or(name.as_str(), |(stem, _)| stem),
        };
        let all = [Self::Parquet, Self::Csv, Self::Json, Self::Arrow];
        all.into_iter().find(|format| format.extensions().iter().any(|extension| plain.ends_with(extension)))
    }

    /// The format that the first bytes of a file tell; text that is not JSON is taken for CSV.
    pub fn of_magic(first: &[u8]) -> Option<Self> {
        if first.starts_with(b"PAR1") {
            return Some(Self::Parquet);
        }
        // A stream begins with the mark of a message and its length.
        if first.starts_with(b"ARROW1") || first.starts_with(&[0xff, 0xff, 0xff, 0xff]) {
            return Some(Self::Arrow);
        }
        let text = first.strip_prefix(b"\xef\xbb\xbf").unwrap_or(first);
        match text.iter().find(|byte| !byte.is_ascii_whitespace()) {
            Some(b'{' | b'[') => Some(Self::Json),
            Some(byte) if *byte != 0 && std::str::from_utf8(&text[..text.len().min(64)]).is_ok() => {
                Some(Self::Csv)
            }
            _ => None,
        }
    }
}

/// The table function that reads a location used as a table, as in `FROM 'x.parquet'`; `None` if it is neither
/// the name of a known kind of file nor a file whose first bytes tell.
pub fn function_for_path(location: &str) -> Option<&'static str> {
    if let Some(format) = FileFormat::of_name(location) {
        return Some(format.function());
    }
    let path = Path::new(location.strip_prefix("file://").unwrap_or(location));
    if is_standard_input(path) {
        return Some(FileFormat::Csv.function());
    }
    if path.is_dir() {
        let all = [FileFormat::Parquet, FileFormat::Arrow, FileFormat::Json, FileFormat::Csv];
        let locations = [location.to_owned()];
        return all
            .into_iter()
            .find(|format| super::resolve(&locations, format.extensions()).is_ok())
            .map(FileFormat::function);
    }
    if !path.exists() {
        // The files that a pattern such as `log.{csv,tsv}` means tell what it is.
        let found = super::resolve(&[location.to_owned()], &[]).ok()?;
        return FileFormat::of_name(found.first()?.to_str()?).map(FileFormat::function);
    }
    let mut first = vec![0; 256];
    let read = open_stream(path, None).ok()?.fill(&mut first).ok()?;
    FileFormat::of_magic(&first[..read]).map(FileFormat::function)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_the_format_behind_a_compression() {
        assert_eq!(FileFormat::of_name("a/B.PARQUET"), Some(FileFormat::Parquet));
        assert_eq!(FileFormat::of_name("x.csv.gz"), Some(FileFormat::Csv));
        assert_eq!(FileFormat::of_name("x*.ndjson.zst"), Some(FileFormat::Json));
        assert_eq!(FileFormat::of_name("x.unknown"), None);
    }

    #[test]
    fn first_bytes_tell_the_format() {
        assert_eq!(FileFormat::of_magic(b"PAR1...."), Some(FileFormat::Parquet));
        assert_eq!(FileFormat::of_magic(b"  [1]"), Some(FileFormat::Json));
        assert_eq!(FileFormat::of_magic(b"a,b\n"), Some(FileFormat::Csv));
        assert_eq!(FileFormat::of_magic(&[0, 1, 2]), None);
    }
}
