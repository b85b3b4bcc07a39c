//! Compression around a whole file, told by its name or its first bytes.

use std::io::{BufReader, Read};
use std::path::Path;

use crate::error::{Error, Result};

/// How the bytes of a text file are compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Compression {
    /// Not at all.
    #[default]
    None,
    /// Gzip, one or more members.
    Gzip,
    /// Zstandard, one or more frames.
    Zstd,
}

impl Compression {
    /// The compression that a file name ends in.
    pub fn of_name(path: &Path) -> Self {
        match path.extension().and_then(|extension| extension.to_str()) {
            Some(extension) if extension.eq_ignore_ascii_case("gz") => Self::Gzip,
            Some(extension)
                if extension.eq_ignore_ascii_case("zst") || extension.eq_ignore_ascii_case("zstd") =>
            {
                Self::Zstd
            }
            _ => Self::None,
        }
    }

    /// The compression that the first bytes of a file tell.
    pub fn of_magic(first: &[u8]) -> Self {
        match first {
            [0x1f, 0x8b, ..] => Self::Gzip,
            [0x28, 0xb5, 0x2f, 0xfd, ..] => Self::Zstd,
            _ => Self::None,
        }
    }

    /// Reads an option's value; `auto` and an empty text give `None`.
    ///
    /// # Errors
    /// A name that is none of those supported.
    pub fn parse(function: &str, name: &str) -> Result<Option<Self>> {
        match name.to_ascii_lowercase().as_str() {
            "" | "auto" | "auto_detect" => Ok(None),
            "none" | "uncompressed" => Ok(Some(Self::None)),
            "gzip" | "gz" => Ok(Some(Self::Gzip)),
            "zstd" | "zst" => Ok(Some(Self::Zstd)),
            _ => Err(Error::option(
                function,
                "compression",
                format!("\"{name}\" is not known; use auto, none, gzip or zstd"),
            )),
        }
    }

    /// A reader of the plain bytes behind compressed ones.
    ///
    /// # Errors
    /// No memory for the decoder.
    pub fn decoder(self, input: Box<dyn Read + Send>) -> std::io::Result<Box<dyn Read + Send>> {
        Ok(match self {
            Self::None => input,
            Self::Gzip => {
                Box::new(flate2::bufread::MultiGzDecoder::new(BufReader::with_capacity(1 << 16, input)))
            }
            Self::Zstd => Box::new(zstd::stream::read::Decoder::new(input)?),
        })
    }
}
