pub(crate) mod atomic_file;
pub(crate) mod csv;
