//! Where in a text an expression stands.

/// A range of the text that an expression was written in: lines and columns, both counted from 1; the end is exclusive.
///
/// It says nothing about what the expression does: two expressions that differ in nothing else are equal.
#[derive(Debug, Clone, Copy, Default)]
pub struct Place {
    /// Line and column of the first character; line 0 where the place is unknown.
    pub start: (u32, u32),
    /// Line and column behind the last character.
    pub end: (u32, u32),
}

impl Place {
    /// The place of what nobody wrote.
    pub const NONE: Self = Self { start: (0, 0), end: (0, 0) };

    /// True where the place is known.
    pub fn is_known(self) -> bool {
        self.start.0 > 0
    }
}

impl PartialEq for Place {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Place {}

impl std::hash::Hash for Place {
    fn hash<H: std::hash::Hasher>(&self, _: &mut H) {}
}
