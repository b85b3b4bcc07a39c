//! What a model implements.

/// Texts of a batch that a model refuses.
#[derive(Debug, Default)]
pub struct Refusals(Vec<(usize, String)>);

impl Refusals {
    /// Refuses the text at this position of the batch; its vector is not read.
    pub fn refuse(&mut self, position: usize, problem: impl Into<String>) {
        self.0.push((position, problem.into()));
    }

    /// Why the text at this position was refused, if it was.
    pub(crate) fn of(&self, position: usize) -> Option<&str> {
        self.0.iter().find(|(refused, _)| *refused == position).map(|(_, problem)| problem.as_str())
    }
}

/// A model that gives a vector for each text. Several threads call it at the same time.
pub trait EmbeddingModel: Send + Sync + 'static {
    /// Elements of a vector.
    fn dimension(&self) -> usize;

    /// Computes a vector for each of the texts, which are distinct and at least one; vector `i` is the `i`-th stretch of
    /// [`EmbeddingModel::dimension`] elements. A text that has no vector goes to `refusals`.
    ///
    /// # Errors
    /// What ends the query: the model itself has failed.
    fn embed(&self, texts: &[&str], vectors: &mut [f32], refusals: &mut Refusals) -> Result<(), String>;
}

/// A closure as a model; see [`closure`].
pub struct Closure<F> {
    dimension: usize,
    embed: F,
}

/// A model that is a closure from texts to vectors of this dimension. It refuses no text.
pub fn closure<F>(dimension: usize, embed: F) -> Closure<F>
where
    F: Fn(&[&str], &mut [f32]) -> Result<(), String> + Send + Sync + 'static,
{
    Closure { dimension, embed }
}

impl<F> EmbeddingModel for Closure<F>
where
    F: Fn(&[&str], &mut [f32]) -> Result<(), String> + Send + Sync + 'static,
{
    fn dimension(&self) -> usize {
        self.dimension
    }

    fn embed(&self, texts: &[&str], vectors: &mut [f32], _: &mut Refusals) -> Result<(), String> {
        (self.embed)(texts, vectors)
    }
}
