//! Shapes of texts: records of one source have the same tokens row after row, under the same names.
//!
//! A shape is a sequence of kinds of tokens that was found to be that of a JSON text. A text with the same kinds has brackets, colons
//! and commas where they belong without a look at each. With the shape stands the way that a walk took: the names that it compared, and
//! the tokens that it answered with. Nothing else decides where a walk goes, so where these names stand again the answers do too. What a
//! shape does not say is looked at in each text: the bytes of strings and numbers, and what kind of value an answer is.

use super::order::{Kinds, Order};
use super::tokens::Tokens;
use super::walk::{self, Text};
use super::{Found, Id, Place};

/// Places in a table of shapes, a power of two.
const SLOTS: usize = 64;
/// Tokens of the longest text whose shape is remembered.
const TOKENS_MAX: usize = 1 << 10;
/// Sets of asked places whose shapes are remembered at a time.
const OWNERS_MAX: usize = 4;
/// Bytes of a name that are compared at once.
const PIECE_BYTES: usize = 16;

/// The shapes seen by scans for some sets of places.
#[derive(Debug, Default)]
pub(super) struct Shapes {
    /// The latest used first.
    owners: Vec<Owner>,
    /// Room for the way of a walk.
    way: Way,
}

/// The shapes seen by scans for one set of places.
#[derive(Debug)]
struct Owner {
    id: Id,
    slots: [Slot; SLOTS],
}

/// Where shapes of some hashes are remembered.
#[derive(Debug, Default)]
struct Slot {
    /// The hash of the latest shape that belongs here and was not remembered.
    seen: u64,
    /// The hash of the shape.
    hash: u64,
    shape: Option<Box<Shape>>,
}

/// The tokens of a JSON text, and the way of a walk over them.
#[derive(Debug, Default)]
struct Shape {
    count: usize,
    kinds: Vec<Kinds>,
    /// For each token that opens a bracket the one that closes it; unspecified for others.
    closings: Vec<u32>,
    way: Way,
    /// Texts of this shape in a row that have other names.
    strays: u32,
}

/// What decided where a walk went, and where it led.
#[derive(Debug, Default)]
pub(super) struct Way {
    names: Vec<Piece>,
    /// Tokens of values, and the numbers of the answers that they give.
    answers: Vec<(u32, u32)>,
}

/// Some bytes of a name that was compared, or of the quote behind it.
#[derive(Debug)]
struct Piece {
    token: u32,
    /// Bytes of the token in front of them.
    skipped: u32,
    bytes: [u64; 2],
    /// Set bits for the bytes that count.
    mask: [u64; 2],
}

impl Shapes {
    /// Writes what stands at each asked place of a text whose tokens were found; gives up by `None`.
    #[inline]
    pub(super) fn scan<'text>(
        &mut self,
        (id, places): (Id, &[Place]),
        text: Text<'_, 'text>,
        order: &mut Order,
        found: &mut [Found<'text>],
    ) -> Option<()> {
        let owner = owner_of(&mut self.owners, id);
        if let Some(shape) = owner.shape(text.tokens) {
            if shape.way.leads(text) {
                shape.strays = 0;
                return shape.way.answer(text, found);
            }
            return shape.walk_astray(places, text, found, &mut self.way);
        }
        let tokens = text.tokens;
        if !order.check(tokens.kinds(), tokens.places().len()) {
            return None;
        }
        let Some(slot) = owner.slot_for(tokens) else {
            return walk::walk(places, text, order.closings(), found, None);
        };
        self.way.clear();
        walk::walk(places, text, order.closings(), found, Some(&mut self.way))?;
        slot.remember(tokens, order.closings(), &mut self.way);
        Some(())
    }
}

/// The shapes of a set of places, which are put first.
#[inline(always)]
fn owner_of(owners: &mut Vec<Owner>, id: Id) -> &mut Owner {
    if owners.first().is_none_or(|first| first.id != id) {
        let held = owners.iter().position(|owner| owner.id == id);
        let owner = match held {
            Some(at) => owners.remove(at),
            None => Owner { id, slots: std::array::from_fn(|_| Slot::default()) },
        };
        owners.truncate(OWNERS_MAX - 1);
        owners.insert(0, owner);
    }
    &mut owners[0]
}

impl Owner {
    /// The shape of some tokens, if it is remembered.
    #[inline(always)]
    fn shape(&mut self, tokens: &Tokens) -> Option<&mut Shape> {
        let home = home(tokens);
        let at = if self.slots[home].hash == tokens.hash() { home } else { home ^ 1 };
        let shape = self.slots[at].shape.as_deref_mut();
        shape.filter(|shape| shape.is_of(tokens))
    }

    /// Where the shape of some tokens is to be remembered: at its second sight, so that shapes that never come again cost little.
    fn slot_for(&mut self, tokens: &Tokens) -> Option<&mut Slot> {
        let home = home(tokens);
        let hash = tokens.hash();
        if tokens.places().len() > TOKENS_MAX || std::mem::replace(&mut self.slots[home].seen, hash) != hash {
            return None;
        }
        let is_free = |at: usize| self.slots[at].shape.is_none();
        let at = if !is_free(home) && is_free(home ^ 1) { home ^ 1 } else { home };
        Some(&mut self.slots[at])
    }
}

/// The first of the two slots for the shape of some tokens.
#[inline(always)]
fn home(tokens: &Tokens) -> usize {
    // The upper bits of a product depend on all bits of its factors.
    (tokens.hash() >> 32) as usize % SLOTS
}

impl Slot {
    fn remember(&mut self, tokens: &Tokens, closings: &[u32], way: &mut Way) {
        self.hash = tokens.hash();
        let shape = self.shape.get_or_insert_default();
        shape.count = tokens.places().len();
        shape.kinds.clear();
        shape.kinds.extend_from_slice(tokens.kinds());
        shape.closings.clear();
        shape.closings.extend_from_slice(&closings[..shape.count]);
        shape.strays = 0;
        std::mem::swap(&mut shape.way, way);
    }
}

impl Shape {
    /// True if some tokens are these; a last number has no bit in the kinds.
    #[inline(always)]
    fn is_of(&self, tokens: &Tokens) -> bool {
        self.count == tokens.places().len() && self.kinds == tokens.kinds()
    }

    /// Walks a text of this shape that has other names, and takes its way for the next one; less and less often where names stay different.
    #[inline(never)]
    fn walk_astray<'text>(
        &mut self,
        places: &[Place],
        text: Text<'_, 'text>,
        found: &mut [Found<'text>],
        way: &mut Way,
    ) -> Option<()> {
        self.strays = self.strays.wrapping_add(1);
        if !self.strays.is_power_of_two() {
            return walk::walk(places, text, &self.closings, found, None);
        }
        way.clear();
        walk::walk(places, text, &self.closings, found, Some(way))?;
        std::mem::swap(&mut self.way, way);
        Some(())
    }
}

impl Way {
    fn clear(&mut self) {
        self.names.clear();
        self.answers.clear();
    }

    /// Takes down a name that is compared, with the quote behind it.
    pub(super) fn add_name(&mut self, token: usize, name: &[u8]) {
        for (number, bytes) in name.chunks(PIECE_BYTES).enumerate() {
            self.names.push(Piece {
                token: token as u32,
                // The quote in front of the name is skipped.
                skipped: (1 + number * PIECE_BYTES) as u32,
                bytes: piece_at(bytes, 0),
                mask: piece_at(&[0xff; PIECE_BYTES][..bytes.len()], 0),
            });
        }
    }

    /// Takes down that a value is an answer.
    pub(super) fn add_answer(&mut self, token: usize, answer: usize) {
        self.answers.push((token as u32, answer as u32));
    }

    /// True if a text of this shape has these names.
    #[inline(always)]
    fn leads(&self, text: Text<'_, '_>) -> bool {
        let (bytes, places) = (text.text.as_bytes(), text.tokens.places());
        let mut differing = [0; 2];
        for piece in &self.names {
            let at = places[piece.token as usize] as usize + piece.skipped as usize;
            let held = piece_at(bytes, at);
            for half in 0..2 {
                differing[half] |= (held[half] ^ piece.bytes[half]) & piece.mask[half];
            }
        }
        differing == [0; 2]
    }

    /// Writes the answers of a text that has these names.
    #[inline(always)]
    fn answer<'text>(&self, text: Text<'_, 'text>, found: &mut [Found<'text>]) -> Option<()> {
        for &(token, answer) in &self.answers {
            found[answer as usize] = text.content(token as usize)?;
        }
        Some(())
    }
}

/// The bytes at a place, zeros behind the last one.
#[inline(always)]
fn piece_at(bytes: &[u8], start: usize) -> [u64; 2] {
    let mut piece = [0; PIECE_BYTES];
    match bytes.get(start..start + PIECE_BYTES) {
        Some(held) => piece.copy_from_slice(held),
        None => rest_at(bytes, start, &mut piece),
    }
    let (halves, _) = piece.as_chunks::<8>();
    [u64::from_le_bytes(halves[0]), u64::from_le_bytes(halves[1])]
}

#[cold]
fn rest_at(bytes: &[u8], start: usize, piece: &mut [u8; PIECE_BYTES]) {
    let rest = bytes.get(start..).unwrap_or_default();
    piece[..rest.len()].copy_from_slice(rest);
}

#[cfg(test)]
mod tests;
