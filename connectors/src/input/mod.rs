//! Bytes of files: positional reads of local files, streams of compressed ones and of standard input.

mod blocks;
mod buffer_pool;
mod compression;
mod local_file;
mod sampled;
mod stream;

pub use blocks::{Block, Blocks, Records};
pub use buffer_pool::{Assurance, BufferPool, PooledBuffer, made_bytes};
pub use compression::Compression;
pub use local_file::LocalFile;
pub use sampled::SampledFile;
pub use stream::{ByteStream, is_standard_input, open_stream, sample_limit};
