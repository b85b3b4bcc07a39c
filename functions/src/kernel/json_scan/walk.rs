//! Walks the tokens of a text that was found to be JSON, as far as something is asked of it.

use super::{Found, Place, Places, Tokens};

/// Writes what stands at each asked place; gives up by `None`.
pub(super) fn walk<'text>(
    places: &[Place],
    text: &'text str,
    tokens: &Tokens,
    found: &mut [Found<'text>],
) -> Option<()> {
    let mut walk = Walk { places, text, bytes: text.as_bytes(), tokens, found };
    walk.value(Places::ROOT, 0)
}

/// The tokens of a text; each step is given the number of the token where it begins, and gives up by `None`.
struct Walk<'a, 'text> {
    places: &'a [Place],
    text: &'text str,
    bytes: &'text [u8],
    tokens: &'a Tokens,
    found: &'a mut [Found<'text>],
}

impl<'text> Walk<'_, 'text> {
    /// Where a token begins; behind the last one the end of the text.
    #[inline(always)]
    fn start(&self, number: usize) -> usize {
        self.tokens.places().get(number).map_or(self.bytes.len(), |&at| at as usize)
    }

    /// The first byte of a token.
    #[inline(always)]
    fn first(&self, number: usize) -> u8 {
        self.bytes.get(self.start(number)).copied().unwrap_or(0)
    }

    /// A value of which something is asked.
    #[inline]
    fn value(&mut self, place: usize, number: usize) -> Option<()> {
        let asked = &self.places[place];
        match self.first(number) {
            b'{' | b'[' if !asked.answers.is_empty() => None,
            b'{' => self.object(asked, number),
            b'[' => self.array(asked, number),
            _ if asked.answers.is_empty() => Some(()),
            first => {
                let value = self.content(number, first)?;
                asked.answers.iter().for_each(|&answer| self.found[answer] = value);
                Some(())
            }
        }
    }

    /// The asked fields of the object that begins with a token.
    fn object(&mut self, asked: &Place, number: usize) -> Option<()> {
        let may_be_escaped = asked.may_be_escaped && self.tokens.has_escapes();
        let closing = self.tokens.behind(number, b'{') - 1;
        // Of several fields of one name the first counts.
        let mut left = asked.all_fields();
        let mut number = number + 1;
        while number < closing && left != 0 {
            let name = self.start(number) + 1;
            if may_be_escaped && self.token(number)?.as_bytes().contains(&b'\\') {
                return None;
            }
            let (colon, value) = (number + 1, number + 2);
            debug_assert_eq!(self.first(colon), b':');
            if let Some(at) = asked.field_at(self.bytes, name, left) {
                left &= !(1 << at);
                self.value(asked.fields[at].place, value)?;
            }
            // Behind the value stands a comma, or the closing bracket.
            number = self.tokens.behind(value, self.first(value)) + 1;
        }
        Some(())
    }

    /// The asked elements of the array that begins with a token.
    fn array(&mut self, asked: &Place, number: usize) -> Option<()> {
        let closing = self.tokens.behind(number, b'[') - 1;
        let mut left = asked.elements.len();
        let (mut number, mut position) = (number + 1, 0);
        while number < closing && left != 0 {
            let mut elements = asked.elements.iter();
            if let Some(&(_, place)) = elements.find(|(held, _)| *held == position) {
                left -= 1;
                self.value(place, number)?;
            }
            position += 1;
            number = self.tokens.behind(number, self.first(number)) + 1;
        }
        Some(())
    }

    /// The text of a token that is no bracket, with its quotes if it has some.
    #[inline(always)]
    fn token(&self, number: usize) -> Option<&'text str> {
        let (start, mut end) = (self.start(number), self.start(number + 1));
        // Nothing but blanks stands between a token and the next one.
        while matches!(self.bytes.get(end.checked_sub(1)?)?, b' ' | b'\t' | b'\n' | b'\r') {
            end -= 1;
        }
        self.text.get(start..end)
    }

    /// What the token of a value without brackets holds.
    #[inline(always)]
    fn content(&self, number: usize, first: u8) -> Option<Found<'text>> {
        let token = self.token(number)?;
        Some(match first {
            b'"' if self.tokens.has_escapes() && token.as_bytes().contains(&b'\\') => return None,
            b'"' => Found::Text(token.get(1..token.len() - 1)?),
            b't' => Found::Boolean(true),
            b'f' => Found::Boolean(false),
            b'n' => Found::Null,
            _ if token.as_bytes().contains(&b'.') => Found::Fraction(token),
            _ => Found::Whole(token),
        })
    }
}
