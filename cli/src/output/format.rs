//! The formats a result can be written in.

use std::path::Path;

/// Format of a result.
#[derive(Clone, Copy, PartialEq, Eq, Debug, clap::ValueEnum)]
pub(crate) enum Format {
    /// A table with a frame, for people; long results are cut
    Table,
    /// A Markdown table
    Markdown,
    /// Comma-separated text with a header
    Csv,
    /// Tab-separated text with a header
    Tsv,
    /// One JSON array of objects
    Json,
    /// One JSON object a line
    Ndjson,
    /// Parquet
    Parquet,
    /// Arrow IPC; a stream on standard output
    Arrow,
    /// Runs the query and writes nothing, to time it
    None,
}

impl Format {
    /// The format that a file's name asks for; a compression's ending is looked through.
    pub(crate) fn of_path(path: &Path) -> Option<Self> {
        let extension = path.extension()?.to_str()?.to_ascii_lowercase();
        Some(match extension.as_str() {
            "csv" => Self::Csv,
            "tsv" => Self::Tsv,
            "json" => Self::Json,
            "ndjson" | "jsonl" => Self::Ndjson,
            "parquet" => Self::Parquet,
            "arrow" | "arrows" | "feather" | "ipc" => Self::Arrow,
            "md" => Self::Markdown,
            "gz" | "zst" => return Self::of_path(Path::new(path.file_stem()?)),
            _ => return None,
        })
    }

    /// Whether several results can follow each other in one output.
    pub(crate) fn holds_several_results(self) -> bool {
        !matches!(self, Self::Json | Self::Parquet | Self::Arrow)
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::Format;

    #[test]
    fn a_file_name_chooses_the_format() {
        let of = |name: &str| Format::of_path(Path::new(name));
        assert_eq!(of("a/b.Parquet"), Some(Format::Parquet));
        assert_eq!(of("x.csv.gz"), Some(Format::Csv));
        assert_eq!(of("x.jsonl"), Some(Format::Ndjson));
        assert_eq!(of("x"), None);
        assert_eq!(of("x.txt"), None);
    }
}
