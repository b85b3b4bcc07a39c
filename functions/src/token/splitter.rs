//! Cuts a text into the pieces that a model encodes one by one: the pre-tokenizers of `tokenizer.json`.

use std::ops::Range;

use super::aligned::Aligned;
use super::character_set::CharacterSet;
use super::pattern::Pattern;

/// What becomes of the matches of a pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Behavior {
    /// They are dropped.
    Removed,
    /// Each is a piece of its own.
    Isolated,
    /// Each joins what is before it.
    MergedWithPrevious,
    /// Each joins what is behind it.
    MergedWithNext,
    /// Those side by side are one piece.
    Contiguous,
}

/// When a text is given its first mark.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Prefix {
    /// In front of every piece.
    Always,
    /// In front of the start of the text only.
    First,
    /// Not at all.
    Never,
}

/// One way of cutting, applied to each piece that the one before it gave.
#[derive(Debug, Clone)]
pub enum Splitter {
    /// At the matches of a pattern, or between them.
    Pattern { pattern: Pattern, behavior: Behavior, is_inverted: bool },
    /// At each character of a set.
    Characters { set: CharacterSet, behavior: Behavior },
    /// A space in front of each piece that has none.
    PrefixSpace,
    /// Spaces become marks, and pieces begin with them.
    Metaspace { mark: char, prefix: Prefix, is_split: bool },
}

/// A text with its pieces.
#[derive(Debug, Clone, Default)]
pub struct Pieces {
    /// The text.
    pub text: Aligned,
    /// The pieces, in order.
    pub ranges: Vec<Range<usize>>,
    spare_text: Aligned,
    spare_ranges: Vec<Range<usize>>,
    parts: Vec<Part>,
}

/// A part of a piece: a match or what is between two.
type Part = (Range<usize>, bool);

impl Pieces {
    /// Makes the whole text the one piece, if there is any.
    pub fn take_whole(&mut self) {
        self.ranges.clear();
        if !self.text.text().is_empty() {
            self.ranges.push(0..self.text.text().len());
        }
    }

    /// A text to build in while the present one is read; [`Pieces::exchange`] puts it in the place of the other.
    pub fn texts(&mut self) -> (&Aligned, &mut Aligned) {
        self.spare_text.reset(self.text.is_tracked());
        (&self.text, &mut self.spare_text)
    }

    /// Bytes held, for the budget.
    pub fn memory_bytes(&self) -> usize {
        let ranges = self.ranges.capacity() + self.spare_ranges.capacity() + self.parts.capacity();
        self.text.memory_bytes() + self.spare_text.memory_bytes() + ranges * size_of::<Range<usize>>()
    }

    /// Takes the text that was built.
    pub fn exchange(&mut self) {
        std::mem::swap(&mut self.text, &mut self.spare_text);
    }
}

impl Splitter {
    /// Whether pieces are cut at all ASCII white space, so that words may be cut one by one. With `is_cut` this holds of the
    /// pieces that are given.
    pub fn keeps_words_apart(&self, is_cut: bool) -> bool {
        match self {
            Self::Characters { set, behavior } => {
                is_cut
                    || (*behavior == Behavior::Removed
                        && [' ', '\t', '\n', '\r'].into_iter().all(|space| set.has(space)))
            }
            Self::Metaspace { prefix, .. } => is_cut && *prefix != Prefix::First,
            Self::Pattern { .. } | Self::PrefixSpace => is_cut,
        }
    }

    /// Cuts the pieces further. `is_start` says that the text begins where the whole text does.
    pub fn apply(&self, pieces: &mut Pieces, is_start: bool) {
        match self {
            Self::Pattern { pattern, behavior, is_inverted } => {
                cut(pieces, *behavior, |text, parts| {
                    let mut done = 0;
                    pattern.matches(text, |start, end| {
                        if done < start {
                            parts.push((done..start, *is_inverted));
                        }
                        if start < end {
                            parts.push((start..end, !*is_inverted));
                        }
                        done = end;
                    });
                    if done < text.len() {
                        parts.push((done..text.len(), *is_inverted));
                    }
                });
            }
            Self::Characters { set, behavior } => {
                cut(pieces, *behavior, |text, parts| {
                    let mut done = 0;
                    for (start, character) in text.char_indices().filter(|(_, character)| set.has(*character))
                    {
                        if done < start {
                            parts.push((done..start, false));
                        }
                        done = start + character.len_utf8();
                        parts.push((start..done, true));
                    }
                    if done < text.len() {
                        parts.push((done..text.len(), false));
                    }
                });
            }
            Self::PrefixSpace => {
                prefix(pieces, " ", |text, _| !text.starts_with(' '));
            }
            Self::Metaspace { mark, prefix: scheme, is_split } => {
                mark_spaces(pieces, *mark);
                let marked = mark.to_string();
                prefix(pieces, &marked, |text, start| {
                    let is_wanted = match scheme {
                        Prefix::Always => true,
                        Prefix::First => is_start && start == 0,
                        Prefix::Never => false,
                    };
                    is_wanted && !text.starts_with(*mark)
                });
                if *is_split {
                    let pattern = Pattern::Text(marked);
                    let behavior = Behavior::MergedWithNext;
                    Self::Pattern { pattern, behavior, is_inverted: false }.apply(pieces, is_start);
                }
            }
        }
    }
}

/// Puts text in front of the pieces that want it; told are the piece and its start.
fn prefix(pieces: &mut Pieces, prefix: &str, is_wanted: impl Fn(&str, usize) -> bool) {
    let wants = |range: &Range<usize>| is_wanted(&pieces.text.text()[range.clone()], range.start);
    if !pieces.ranges.iter().any(wants) {
        return;
    }
    let ranges = std::mem::take(&mut pieces.ranges);
    let mut new_ranges = std::mem::take(&mut pieces.spare_ranges);
    new_ranges.clear();
    let (text, built) = pieces.texts();
    for range in &ranges {
        let start = built.text().len();
        let piece = &text.text()[range.clone()];
        if is_wanted(piece, range.start) {
            let first = piece.chars().next().map_or(0, char::len_utf8);
            built.push_str(prefix, text.origin(range.start, range.start + first));
        }
        built.push_part(text, range.start, range.end);
        new_ranges.push(start..built.text().len());
    }
    pieces.exchange();
    pieces.ranges = new_ranges;
    pieces.spare_ranges = ranges;
}

/// Writes the mark in the place of each space.
fn mark_spaces(pieces: &mut Pieces, mark: char) {
    let mut ranges = std::mem::take(&mut pieces.ranges);
    let (text, built) = pieces.texts();
    for range in &mut ranges {
        let start = built.text().len();
        let mut done = range.start;
        let piece = &text.text().as_bytes()[range.clone()];
        for place in memchr::memchr_iter(b' ', piece).map(|place| range.start + place) {
            built.push_part(text, done, place);
            built.push(mark, text.origin(place, place + 1));
            done = place + 1;
        }
        built.push_part(text, done, range.end);
        *range = start..built.text().len();
    }
    pieces.exchange();
    pieces.ranges = ranges;
}

/// Cuts each piece into the parts that `find` tells, and keeps them by `behavior`.
fn cut(pieces: &mut Pieces, behavior: Behavior, find: impl Fn(&str, &mut Vec<Part>)) {
    let ranges = std::mem::take(&mut pieces.ranges);
    let mut new_ranges = std::mem::take(&mut pieces.spare_ranges);
    new_ranges.clear();
    for range in &ranges {
        pieces.parts.clear();
        find(&pieces.text.text()[range.clone()], &mut pieces.parts);
        let first = new_ranges.len();
        keep(&mut pieces.parts, behavior, &mut new_ranges);
        new_ranges[first..]
            .iter_mut()
            .for_each(|part| *part = part.start + range.start..part.end + range.start);
    }
    pieces.ranges = new_ranges;
    pieces.spare_ranges = ranges;
}

fn keep(parts: &mut Vec<Part>, behavior: Behavior, ranges: &mut Vec<Range<usize>>) {
    let first = ranges.len();
    let mut was_match = None;
    match behavior {
        Behavior::Isolated => ranges.extend(parts.drain(..).map(|(range, _)| range)),
        Behavior::Removed => {
            ranges.extend(parts.drain(..).filter(|(_, is_match)| !is_match).map(|(range, _)| range));
        }
        Behavior::Contiguous => {
            for (range, is_match) in parts.drain(..) {
                match ranges.last_mut() {
                    Some(last) if was_match == Some(is_match) => last.end = range.end,
                    _ => ranges.push(range),
                }
                was_match = Some(is_match);
            }
        }
        Behavior::MergedWithPrevious => {
            for (range, is_match) in parts.drain(..) {
                let joins = is_match && was_match != Some(true) && ranges.len() > first;
                match ranges.last_mut() {
                    Some(last) if joins => last.end = range.end,
                    _ => ranges.push(range),
                }
                was_match = Some(is_match);
            }
        }
        Behavior::MergedWithNext => {
            for (range, is_match) in parts.drain(..).rev() {
                let joins = is_match && was_match != Some(true) && ranges.len() > first;
                match ranges.last_mut() {
                    Some(last) if joins => last.start = range.start,
                    _ => ranges.push(range),
                }
                was_match = Some(is_match);
            }
            ranges[first..].reverse();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pieces(splitters: &[Splitter], text: &str) -> Vec<String> {
        let mut pieces = Pieces::default();
        pieces.text.assign(text, 0, true);
        pieces.take_whole();
        splitters.iter().for_each(|splitter| splitter.apply(&mut pieces, true));
        pieces.ranges.iter().map(|range| pieces.text.text()[range.clone()].to_owned()).collect()
    }

    fn at(behavior: Behavior) -> [Splitter; 1] {
        [Splitter::Pattern { pattern: Pattern::Text("-".into()), behavior, is_inverted: false }]
    }

    /// The example of the reference documentation.
    #[test]
    fn matches_are_kept_by_behavior() {
        let text = "the-final--countdown";
        assert_eq!(pieces(&at(Behavior::Removed), text), ["the", "final", "countdown"]);
        assert_eq!(pieces(&at(Behavior::Isolated), text), ["the", "-", "final", "-", "-", "countdown"]);
        assert_eq!(pieces(&at(Behavior::MergedWithPrevious), text), ["the-", "final-", "-", "countdown"]);
        assert_eq!(pieces(&at(Behavior::MergedWithNext), text), ["the", "-final", "-", "-countdown"]);
        assert_eq!(pieces(&at(Behavior::Contiguous), text), ["the", "-", "final", "--", "countdown"]);
        assert_eq!(pieces(&at(Behavior::Isolated), ""), [""; 0]);
    }

    #[test]
    fn spaces_become_marks_in_front_of_pieces() {
        let metaspace = |prefix, is_split| [Splitter::Metaspace { mark: '▁', prefix, is_split }];
        assert_eq!(pieces(&metaspace(Prefix::Always, true), "Hey  you"), ["▁Hey", "▁", "▁you"]);
        assert_eq!(pieces(&metaspace(Prefix::Never, true), "Hey you "), ["Hey", "▁you", "▁"]);
        assert_eq!(pieces(&metaspace(Prefix::First, false), " Hey you"), ["▁Hey▁you"]);
    }

    #[test]
    fn origins_survive_marks_and_prefixes() {
        let mut pieces = Pieces::default();
        pieces.text.assign("é b", 10, true);
        pieces.take_whole();
        Splitter::Metaspace { mark: '▁', prefix: Prefix::Always, is_split: true }.apply(&mut pieces, true);
        let origins: Vec<_> =
            pieces.ranges.iter().map(|range| pieces.text.origin(range.start, range.end)).collect();
        assert_eq!(origins, [(10, 12), (12, 14)]);
    }
}
