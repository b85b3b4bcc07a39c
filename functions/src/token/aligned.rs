//! Text under normalization, with the place in the original text that each byte came from.

/// A text and, where places are tracked, the range of the original that each of its bytes stands for.
#[derive(Debug, Clone, Default)]
pub struct Aligned {
    text: String,
    origins: Vec<(u32, u32)>,
    is_tracked: bool,
}

impl Aligned {
    /// Starts anew, empty.
    pub fn reset(&mut self, is_tracked: bool) {
        self.text.clear();
        self.origins.clear();
        self.is_tracked = is_tracked;
    }

    /// Starts anew with a part of the original that begins at byte `start`.
    pub fn assign(&mut self, text: &str, start: usize, is_tracked: bool) {
        self.reset(is_tracked);
        self.text.push_str(text);
        if is_tracked {
            for (place, character) in text.char_indices() {
                let origin = ((start + place) as u32, (start + place + character.len_utf8()) as u32);
                self.origins.extend(std::iter::repeat_n(origin, character.len_utf8()));
            }
        }
    }

    /// Bytes held, for the budget.
    pub fn memory_bytes(&self) -> usize {
        self.text.capacity() + self.origins.capacity() * size_of::<(u32, u32)>()
    }

    /// The text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether places are tracked.
    pub fn is_tracked(&self) -> bool {
        self.is_tracked
    }

    /// The range of the original that bytes `start .. end` stand for; empty ranges stand where they are.
    pub fn origin(&self, start: usize, end: usize) -> (u32, u32) {
        match (self.origins.get(start), self.origins.get(end.wrapping_sub(1))) {
            (Some(first), Some(last)) if start < end => (first.0, last.1),
            (Some(first), _) => (first.0, first.0),
            (None, _) => self.origins.last().map_or((0, 0), |last| (last.1, last.1)),
        }
    }

    /// Appends a character that stands for `origin`.
    pub fn push(&mut self, character: char, origin: (u32, u32)) {
        self.text.push(character);
        if self.is_tracked {
            self.origins.extend(std::iter::repeat_n(origin, character.len_utf8()));
        }
    }

    /// Appends text that stands for `origin`.
    pub fn push_str(&mut self, text: &str, origin: (u32, u32)) {
        self.text.push_str(text);
        if self.is_tracked {
            self.origins.extend(std::iter::repeat_n(origin, text.len()));
        }
    }

    /// Appends bytes `start .. end` of another, as they are.
    pub fn push_part(&mut self, other: &Aligned, start: usize, end: usize) {
        self.text.push_str(&other.text[start..end]);
        if self.is_tracked {
            self.origins.extend_from_slice(&other.origins[start..end]);
        }
    }
}
