//! Where images come from: files that are decoded here, or pixels.

use hypostyle_functions::column::{Bytes, View};

use super::decode::decoded;
use super::pixels::{Images, Pixels};

/// A column of files or of images.
pub(super) enum Source<'a> {
    Files(Bytes<'a>),
    Images(Box<Images<'a>>),
}

impl<'a> Source<'a> {
    pub(super) fn new(view: &View<'a>, of_file: bool) -> Self {
        if of_file { Self::Files(view.bytes()) } else { Self::Images(Box::new(Images::new(view))) }
    }

    /// What `body` makes of the image of a row.
    ///
    /// # Errors
    /// A file that is damaged, or an image that is none.
    pub(super) fn with<R>(&self, row: usize, body: impl FnOnce(Pixels<'_>) -> R) -> Result<R, String> {
        match self {
            Self::Images(images) => images.get(row).map(body),
            Self::Files(files) => decoded(files.get(row), false).map(|image| body(image.pixels())),
        }
    }
}
