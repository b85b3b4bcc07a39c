//! One JSON text parsed by simd-json, and walks over its nodes.

use simd_json::{Buffers, INPUT_PADDING, Tape, fill_tape_padded};

use crate::error::{Error, Result};

pub use simd_json::{Node, StaticNode};

/// A node of a parsed text: nodes lie in document order, and a container says how many it holds.
#[derive(Debug, Clone, Copy)]
pub struct Json<'a, 'text> {
    nodes: &'a [Node<'text>],
    /// Address of the parsed copy, from which offsets of texts are told.
    base: usize,
    /// The digits of a number that stand in the text as they would be written.
    number: Option<&'text str>,
}

/// What a node is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Kind<'text> {
    /// `null`.
    Null,
    /// `true` or `false`.
    Boolean(bool),
    /// An integer below zero.
    Signed(i64),
    /// An integer from zero on.
    Unsigned(u64),
    /// A number with a fraction or exponent, or beyond 64 bits.
    Float(f64),
    /// A text without its escape sequences.
    Text(&'text str),
    /// An array of this many elements.
    Array(usize),
    /// An object of this many fields.
    Object(usize),
}

impl<'a, 'text> Json<'a, 'text> {
    /// A value that is neither object nor array, and was found in `text` itself.
    pub fn scanned(node: &'a [Node<'text>; 1], text: &str, number: Option<&'text str>) -> Self {
        Self { nodes: node, base: text.as_ptr() as usize, number }
    }

    /// The number as it stands in the text, where it would be written just so.
    pub fn written_number(self) -> Option<&'text str> {
        self.number
    }

    /// Other nodes of the same document.
    fn at(self, nodes: &'a [Node<'text>]) -> Self {
        Self { nodes, ..self }
    }

    /// Where a text of this document would begin in the JSON text, had it no escape sequences.
    pub fn offset_of(self, text: &str) -> usize {
        (text.as_ptr() as usize).wrapping_sub(self.base)
    }

    /// What the node is.
    pub fn kind(self) -> Kind<'text> {
        match self.nodes.first() {
            Some(Node::String(text)) => Kind::Text(text),
            Some(Node::Object { len, .. }) => Kind::Object(*len),
            Some(Node::Array { len, .. }) => Kind::Array(*len),
            Some(Node::Static(StaticNode::Bool(value))) => Kind::Boolean(*value),
            Some(Node::Static(StaticNode::I64(value))) if *value < 0 => Kind::Signed(*value),
            Some(Node::Static(StaticNode::I64(value))) => Kind::Unsigned(*value as u64),
            Some(Node::Static(StaticNode::U64(value))) => Kind::Unsigned(*value),
            Some(Node::Static(StaticNode::F64(value))) => Kind::Float(*value),
            Some(Node::Static(StaticNode::Null)) | None => Kind::Null,
        }
    }

    /// True for `null`.
    pub fn is_null(self) -> bool {
        self.kind() == Kind::Null
    }

    /// The nodes after this one and all it holds.
    fn rest(self) -> &'a [Node<'text>] {
        let held = match self.nodes.first() {
            Some(Node::Object { count, .. } | Node::Array { count, .. }) => *count,
            _ => 0,
        };
        &self.nodes[(1 + held).min(self.nodes.len())..]
    }

    /// The elements of an array; nothing for anything else.
    pub fn elements(self) -> impl Iterator<Item = Json<'a, 'text>> {
        let length = if let Kind::Array(length) = self.kind() { length } else { 0 };
        let mut next = self.nodes.get(1..).unwrap_or_default();
        (0..length).map(move |_| {
            let element = self.at(next);
            next = element.rest();
            element
        })
    }

    /// The names and values of an object; nothing for anything else.
    pub fn fields(self) -> impl Iterator<Item = (&'text str, Json<'a, 'text>)> {
        let length = if let Kind::Object(length) = self.kind() { length } else { 0 };
        let mut next = self.nodes.get(1..).unwrap_or_default();
        (0..length).map(move |_| {
            let name = if let Some(Node::String(name)) = next.first() { *name } else { "" };
            let value = self.at(next.get(1..).unwrap_or_default());
            next = value.rest();
            (name, value)
        })
    }

    /// The value of the first field of this name.
    pub fn field(self, name: &str) -> Option<Json<'a, 'text>> {
        self.fields().find(|(held, _)| *held == name).map(|(_, value)| value)
    }

    /// The element at a position from 0, or from the end if negative.
    pub fn element(self, position: i64) -> Option<Json<'a, 'text>> {
        let Kind::Array(length) = self.kind() else { return None };
        let position = if position < 0 { position.checked_add(length as i64)? } else { position };
        self.elements().nth(usize::try_from(position).ok()?)
    }
}

/// Parses texts one after the other in buffers that stay. One for each worker.
#[derive(Default)]
pub struct Reader {
    bytes: Vec<u8>,
    buffers: Buffers,
    tape: Option<Tape<'static>>,
}

impl Reader {
    /// Parses a text and lends its root to `body`.
    ///
    /// # Errors
    /// [`Error::User`] if the text is not JSON.
    pub fn read<R>(&mut self, text: &str, body: impl FnOnce(Json<'_, '_>) -> R) -> Result<R> {
        let length = text.len();
        self.bytes.clear();
        self.bytes.extend_from_slice(text.as_bytes());
        self.bytes.resize(length + INPUT_PADDING, 0);
        let base = self.bytes.as_ptr() as usize;
        let mut tape = self.tape.take().unwrap_or_else(Tape::null).reset();
        let parsed = fill_tape_padded(&mut self.bytes, length, &mut self.buffers, &mut tape);
        let result = match parsed {
            Ok(()) => Ok(body(Json { nodes: &tape.0, base, number: None })),
            Err(error) => Err(malformed(text, &error)),
        };
        self.tape = Some(tape.reset());
        result
    }

    /// True if the text is JSON.
    pub fn is_valid(&mut self, text: &str) -> bool {
        self.read(text, |_| ()).is_ok()
    }
}

fn malformed(text: &str, error: &simd_json::Error) -> Error {
    const SHOWN_MAX: usize = 60;
    let mut shown: String = text.chars().take(SHOWN_MAX).collect();
    if shown.len() < text.len() {
        shown.push_str("...");
    }
    Error::user(format!("malformed JSON at byte {}: '{shown}'", error.index().min(text.len())))
}
