pub(crate) mod atomic_file;
pub(crate) mod cells;
pub(crate) mod csv;
pub(crate) mod markdown;
pub(crate) mod table;
