//! A prepared search for one text in many.

use memchr::memmem;

/// A text to look for, prepared once.
#[derive(Debug, Clone)]
pub struct Needle(Box<memmem::Finder<'static>>);

impl Needle {
    /// Prepares the search for `text`.
    pub fn new(text: &str) -> Self {
        Self(Box::new(memmem::Finder::new(text.as_bytes()).into_owned()))
    }

    /// The text.
    pub fn as_bytes(&self) -> &[u8] {
        self.0.needle()
    }

    /// True if `bytes` contain the text.
    #[inline]
    pub fn is_in(&self, bytes: &[u8]) -> bool {
        self.find(bytes).is_some()
    }

    /// Where the text first occurs.
    #[inline]
    pub fn find(&self, bytes: &[u8]) -> Option<usize> {
        if bytes.len() < self.as_bytes().len() { None } else { self.0.find(bytes) }
    }
}
