//! Walks the tokens of a text that was found to be JSON, as far as something is asked of it.

use super::shapes::Way;
use super::tokens::Tokens;
use super::{Found, Place, Places};

/// Writes what stands at each asked place; gives up by `None`. `closings` has the token that closes each bracket, and `way` takes
/// down what decided where the walk went.
pub(super) fn walk<'text>(
    places: &[Place],
    text: Text<'_, 'text>,
    closings: &[u32],
    found: &mut [Found<'text>],
    way: Option<&mut Way>,
) -> Option<()> {
    Walk { places, text, closings, found, way }.value(Places::ROOT, 0)
}

/// A text and its tokens.
#[derive(Clone, Copy)]
pub(super) struct Text<'a, 'text> {
    pub(super) text: &'text str,
    pub(super) tokens: &'a Tokens,
}

impl<'text> Text<'_, 'text> {
    /// Where a token begins; behind the last one the end of the text.
    #[inline(always)]
    pub(super) fn start(&self, number: usize) -> usize {
        self.tokens.places().get(number).map_or(self.text.len(), |&at| at as usize)
    }

    /// The first byte of a token.
    #[inline(always)]
    fn first(&self, number: usize) -> u8 {
        self.tokens.firsts().get(number).copied().unwrap_or(0)
    }

    /// Where a token that is no bracket begins and ends, its quotes among it.
    #[inline(always)]
    fn bounds(&self, number: usize) -> (usize, usize) {
        let (start, mut end) = (self.start(number), self.start(number + 1));
        // Nothing but blanks stands between a token and the next one.
        while end > start && matches!(self.text.as_bytes()[end - 1], b' ' | b'\t' | b'\n' | b'\r') {
            end -= 1;
        }
        (start, end)
    }

    /// The name of a field with the quote behind it.
    pub(super) fn name(&self, number: usize) -> &'text [u8] {
        let (start, end) = self.bounds(number);
        self.text.as_bytes().get(start + 1..end).unwrap_or_default()
    }

    /// What the token of a value without brackets holds; `None` if it is a text with an escape sequence.
    #[inline(always)]
    pub(super) fn content(&self, number: usize) -> Option<Found<'text>> {
        let (start, end) = self.bounds(number);
        Some(match self.first(number) {
            b'"' if self.tokens.has_escapes() && self.tokens.backslash(start, end).is_some() => return None,
            b'"' => Found::Text(self.text.get(start + 1..end - 1)?),
            b't' => Found::Boolean(true),
            b'f' => Found::Boolean(false),
            b'n' => Found::Null,
            _ => {
                let number = self.text.get(start..end)?;
                match self.tokens.point(start, end) {
                    Some(point) => Found::Fraction(number, point - start),
                    None => Found::Whole(number),
                }
            }
        })
    }
}

/// Each step is given the number of the token where it begins, and gives up by `None`.
struct Walk<'a, 'text> {
    places: &'a [Place],
    text: Text<'a, 'text>,
    closings: &'a [u32],
    found: &'a mut [Found<'text>],
    way: Option<&'a mut Way>,
}

impl Walk<'_, '_> {
    /// The number of the token that closes the bracket which token `number` opens.
    #[inline(always)]
    fn closing(&self, number: usize) -> usize {
        self.closings[number] as usize
    }

    /// The number of the token behind the value that begins with token `number`.
    #[inline(always)]
    fn behind(&self, number: usize) -> usize {
        match self.text.first(number) {
            b'{' | b'[' => self.closing(number) + 1,
            _ => number + 1,
        }
    }

    /// A value of which something is asked.
    #[inline]
    fn value(&mut self, place: usize, number: usize) -> Option<()> {
        let asked = &self.places[place];
        match self.text.first(number) {
            b'{' | b'[' if !asked.answers.is_empty() => None,
            b'{' => self.object(asked, number),
            b'[' => self.array(asked, number),
            _ if asked.answers.is_empty() => Some(()),
            _ => {
                let value = self.text.content(number)?;
                for &answer in &asked.answers {
                    self.found[answer] = value;
                    if let Some(way) = &mut self.way {
                        way.add_answer(number, answer);
                    }
                }
                Some(())
            }
        }
    }

    /// The asked fields of the object that begins with a token.
    fn object(&mut self, asked: &Place, number: usize) -> Option<()> {
        let may_be_escaped = asked.may_be_escaped && self.text.tokens.has_escapes();
        let closing = self.closing(number);
        // Of several fields of one name the first counts.
        let mut left = asked.all_fields();
        let mut number = number + 1;
        while number < closing && left != 0 {
            let name = self.text.start(number) + 1;
            let (colon, value) = (number + 1, number + 2);
            debug_assert_eq!(self.text.first(colon), b':');
            if may_be_escaped && self.text.tokens.backslash(name, self.text.start(colon)).is_some() {
                return None;
            }
            if let Some(way) = &mut self.way {
                way.add_name(number, self.text.name(number));
            }
            if let Some(at) = asked.field_at(self.text.text.as_bytes(), name, left) {
                left &= !(1 << at);
                self.value(asked.fields[at].place, value)?;
            }
            // Behind the value stands a comma, or the closing bracket.
            number = self.behind(value) + 1;
        }
        Some(())
    }

    /// The asked elements of the array that begins with a token.
    fn array(&mut self, asked: &Place, number: usize) -> Option<()> {
        let closing = self.closing(number);
        let mut left = asked.elements.len();
        let (mut number, mut position) = (number + 1, 0);
        while number < closing && left != 0 {
            let mut elements = asked.elements.iter();
            if let Some(&(_, place)) = elements.find(|(held, _)| *held == position) {
                left -= 1;
                self.value(place, number)?;
            }
            position += 1;
            number = self.behind(number) + 1;
        }
        Some(())
    }
}
