//! Bytes of files: positional reads of local files, streams of compressed ones and of standard input.

mod compression;
mod local_file;
mod stream;

pub use compression::Compression;
pub use local_file::LocalFile;
pub use stream::{ByteStream, is_standard_input, open_stream, sample_limit};
