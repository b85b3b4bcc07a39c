//! What the reference says of a function: data from which help texts and pages are made.

/// A runnable example.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Example {
    /// A SQL expression.
    pub sql: String,
    /// What a query of it shows.
    pub result: String,
}

/// Documentation of one function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Documentation {
    /// Heading in the reference: `math`, `text`, `list`.
    pub category: String,
    /// One sentence with an active verb or the value it gives.
    pub summary: String,
    /// Sentences on nulls, errors, units and the source of the semantics.
    pub notes: Vec<String>,
    /// Examples, which run as tests.
    pub examples: Vec<Example>,
}

impl Documentation {
    /// Documentation without notes and examples.
    pub fn new(category: &str, summary: &str) -> Self {
        Self { category: category.into(), summary: summary.into(), notes: Vec::new(), examples: Vec::new() }
    }

    /// Adds an example.
    pub fn example(mut self, sql: &str, result: &str) -> Self {
        self.examples.push(Example { sql: sql.into(), result: result.into() });
        self
    }

    /// Adds a sentence.
    pub fn note(mut self, note: &str) -> Self {
        self.notes.push(note.into());
        self
    }
}
