//! The way from a text to token numbers, by the steps that a tokenizer names.
//!
//! A text is cut at added tokens; what lies between is normalized, cut into pieces and given to the model. Three shortcuts give the same
//! tokens: byte-level vocabularies with a published pattern run straight over the text; where words are independent of one another
//! they are looked up as they stand in the text, before anything is normalized; and pieces that were encoded before are remembered.

use std::ops::Range;

use super::added::AddedSearch;
use super::decoder::character_of_byte;
use super::normalizer::Normalizer;
use super::splitter::Pieces;
use super::tokenizer::{Model, Route, Tokenizer, normalize};
use super::words::words;
use crate::kernel::bpe::{CACHED_BYTES, MergeScratch, PieceCache, PieceKey};
use crate::kernel::token::Encoded;
use crate::kernel::token::pair_merge::PairScratch;
use crate::kernel::token::unigram::UnigramScratch;

/// Buffers of one worker.
#[derive(Debug, Default)]
pub struct TokenScratch {
    /// Of byte-pair merges.
    pub merges: MergeScratch,
    pieces: Pieces,
    /// Pieces of a normalized segment in which added tokens are looked for.
    segment: Pieces,
    pairs: PairScratch,
    unigram: UnigramScratch,
    words: PieceCache,
    mapped: String,
    piece: Encoded,
    splits: Vec<(Range<usize>, Option<u32>)>,
    inner_splits: Vec<(Range<usize>, Option<u32>)>,
}

impl TokenScratch {
    /// Bytes held, for the budget.
    pub fn memory_bytes(&self) -> usize {
        let texts = self.pieces.memory_bytes() + self.segment.memory_bytes() + self.mapped.capacity();
        let models = self.merges.memory_bytes() + self.pairs.memory_bytes() + self.unigram.memory_bytes();
        texts + models + self.words.memory_bytes()
    }
}

impl Tokenizer {
    /// Appends the tokens of a text, and their places in its bytes where `encoded` tracks them. Added tokens are recognised if
    /// `reads_added`. False if a character is unknown and the vocabulary has no token for that.
    pub fn encode(
        &self,
        text: &str,
        reads_added: bool,
        scratch: &mut TokenScratch,
        encoded: &mut Encoded,
    ) -> bool {
        let has_added = |search: &Option<AddedSearch>| search.is_some() && reads_added;
        if has_added(&self.raw_search)
            && self.raw_search.as_ref().is_some_and(|search| search.may_be_in(text))
        {
            return self.encode_parts(text, scratch, encoded);
        }
        if has_added(&self.normalized_search) {
            return self.encode_segment(text, 0, true, scratch, encoded);
        }
        self.encode_plain(text, 0, scratch, encoded)
    }

    /// A text with added tokens in it.
    fn encode_parts(&self, text: &str, scratch: &mut TokenScratch, encoded: &mut Encoded) -> bool {
        let mut splits = std::mem::take(&mut scratch.splits);
        splits.clear();
        if let Some(search) = &self.raw_search {
            search.parts(text, |part| splits.push(part));
        }
        let mut is_known = true;
        for (range, id) in splits.iter().cloned() {
            match id {
                Some(id) => encoded.push(id, range.start, range.end),
                None if self.normalized_search.is_some() => {
                    is_known &=
                        self.encode_segment(&text[range.clone()], range.start, true, scratch, encoded);
                }
                None => is_known &= self.encode_plain(&text[range.clone()], range.start, scratch, encoded),
            }
        }
        scratch.splits = splits;
        is_known
    }

    /// A text without added tokens that are looked for in the raw text. `start` is its place in the whole.
    fn encode_plain(
        &self,
        text: &str,
        start: usize,
        scratch: &mut TokenScratch,
        encoded: &mut Encoded,
    ) -> bool {
        match &self.model {
            _ if encoded.is_tracked => {}
            Model::Bytes { encoding, numbers } if self.route == Route::Direct && self.leaves(text) => {
                let first = encoded.ids.len();
                encoding.encode(text, &mut scratch.merges, &mut encoded.ids);
                renumber(numbers, &mut encoded.ids[first..]);
                return true;
            }
            _ if self.route == Route::Words => return self.encode_words(text, scratch, encoded),
            _ => {}
        }
        self.encode_segment(text, start, false, scratch, encoded)
    }

    /// Whether the normalizers leave a text as it is; false if that is not known.
    fn leaves(&self, text: &str) -> bool {
        self.parts.normalizers.iter().all(|normalizer| match normalizer {
            Normalizer::Form(form) => text.is_ascii() || form.is_normal(text),
            _ => false,
        })
    }

    /// Word by word between ASCII white space, each looked up as it stands.
    fn encode_words(&self, text: &str, scratch: &mut TokenScratch, encoded: &mut Encoded) -> bool {
        let mut is_known = true;
        for word in words(text) {
            if word.len() > CACHED_BYTES {
                is_known &= self.encode_segment(word, 0, false, scratch, encoded);
                continue;
            }
            let key = PieceKey::of(word.as_bytes());
            if !scratch.words.append(self.parts.identity, &key, &mut encoded.ids) {
                let first = encoded.ids.len();
                let word_is_known = self.encode_segment(word, 0, false, scratch, encoded);
                if word_is_known {
                    scratch.words.remember(key, &encoded.ids[first..]);
                }
                is_known &= word_is_known;
            }
        }
        is_known
    }

    /// Step by step.
    fn encode_segment(
        &self,
        text: &str,
        start: usize,
        reads_added: bool,
        scratch: &mut TokenScratch,
        encoded: &mut Encoded,
    ) -> bool {
        let mut pieces = std::mem::take(&mut scratch.pieces);
        pieces.text.assign(text, start, encoded.is_tracked);
        normalize(&self.parts.normalizers, &mut pieces);
        let is_known = match &self.normalized_search {
            Some(search) if reads_added && search.may_be_in(pieces.text.text()) => {
                self.encode_normalized_parts(search, &pieces, start == 0, scratch, encoded)
            }
            _ => self.encode_normalized(&mut pieces, start == 0, scratch, encoded),
        };
        scratch.pieces = pieces;
        is_known
    }

    /// A normalized text with added tokens in it.
    fn encode_normalized_parts(
        &self,
        search: &AddedSearch,
        pieces: &Pieces,
        is_start: bool,
        scratch: &mut TokenScratch,
        encoded: &mut Encoded,
    ) -> bool {
        let mut splits = std::mem::take(&mut scratch.inner_splits);
        splits.clear();
        search.parts(pieces.text.text(), |part| splits.push(part));
        let mut is_known = true;
        for (range, id) in splits.iter().cloned() {
            match id {
                Some(id) => {
                    let (start, end) = pieces.text.origin(range.start, range.end);
                    encoded.push(id, start as usize, end as usize);
                }
                None => {
                    let mut segment = std::mem::take(&mut scratch.segment);
                    segment.text.reset(encoded.is_tracked);
                    segment.text.push_part(&pieces.text, range.start, range.end);
                    let is_start = is_start && range.start == 0;
                    is_known &= self.encode_normalized(&mut segment, is_start, scratch, encoded);
                    scratch.segment = segment;
                }
            }
        }
        scratch.inner_splits = splits;
        is_known
    }

    /// A normalized text: cut and encoded.
    fn encode_normalized(
        &self,
        pieces: &mut Pieces,
        is_start: bool,
        scratch: &mut TokenScratch,
        encoded: &mut Encoded,
    ) -> bool {
        pieces.take_whole();
        self.parts.splitters.iter().for_each(|splitter| splitter.apply(pieces, is_start));
        if let Model::Pairs { mark: Some(mark), .. } = self.model {
            cut_before(pieces, mark);
        }
        let mut is_known = true;
        for range in &pieces.ranges {
            let piece = &pieces.text.text()[range.clone()];
            if !encoded.is_tracked {
                is_known &= self.encode_piece(piece, scratch, encoded);
                continue;
            }
            let mut places = std::mem::take(&mut scratch.piece);
            places.clear();
            places.is_tracked = true;
            is_known &= self.encode_piece(piece, scratch, &mut places);
            for (index, &id) in places.ids.iter().enumerate() {
                let (from, to) = (places.starts[index] as usize, places.ends[index] as usize);
                let (from, to) = pieces.text.origin(range.start + from, range.start + to);
                encoded.push(id, from as usize, to as usize);
            }
            scratch.piece = places;
        }
        is_known
    }

    /// The tokens of one piece, with their places in it.
    fn encode_piece(&self, piece: &str, scratch: &mut TokenScratch, encoded: &mut Encoded) -> bool {
        if let Model::Bytes { encoding, numbers } = &self.model {
            let first = encoded.ids.len();
            encoding.vocabulary().encode_piece(piece.as_bytes(), &mut scratch.merges, &mut encoded.ids);
            if encoded.is_tracked {
                let mut at = 0;
                for rank in &encoded.ids[first..] {
                    encoded.starts.push(at);
                    at += encoding.vocabulary().bytes(*rank).map_or(0, <[u8]>::len) as u32;
                    encoded.ends.push(at);
                }
            }
            renumber(numbers, &mut encoded.ids[first..]);
            return true;
        }
        let is_remembered = !encoded.is_tracked
            && self.route == Route::Steps
            && !piece.is_empty()
            && piece.len() <= CACHED_BYTES;
        if !is_remembered {
            return self.encode_anew(piece, scratch, encoded);
        }
        let key = PieceKey::of(piece.as_bytes());
        if scratch.words.append(self.parts.identity, &key, &mut encoded.ids) {
            return true;
        }
        let first = encoded.ids.len();
        let is_known = self.encode_anew(piece, scratch, encoded);
        if is_known {
            scratch.words.remember(key, &encoded.ids[first..]);
        }
        is_known
    }

    fn encode_anew(&self, piece: &str, scratch: &mut TokenScratch, encoded: &mut Encoded) -> bool {
        match &self.model {
            Model::Bytes { .. } => return true,
            Model::Pairs { merges, maps_bytes: false, .. } => {
                merges.encode(piece, &mut scratch.pairs, encoded)
            }
            Model::Pairs { merges, maps_bytes: true, .. } => {
                scratch.mapped.clear();
                scratch.mapped.extend(piece.bytes().map(character_of_byte));
                let first = encoded.starts.len();
                merges.encode(&scratch.mapped, &mut scratch.pairs, encoded);
                unmap(&scratch.mapped, &mut encoded.starts[first..]);
                unmap(&scratch.mapped, &mut encoded.ends[first..]);
            }
            Model::WordPiece(model) => model.encode(piece, encoded),
            Model::WordLevel(model) => return model.encode(piece, encoded),
            Model::Unigram(model) => return model.encode(piece, &mut scratch.unigram, encoded),
        }
        true
    }

    /// Appends the tokens of bytes that need not be text: runs of bytes that are no text are pieces of their own in a byte-level
    /// vocabulary, and U+FFFD in any other.
    pub fn encode_bytes(&self, bytes: &[u8], scratch: &mut TokenScratch, encoded: &mut Encoded) -> bool {
        let mut is_known = true;
        let mut invalid: Vec<u8> = Vec::new();
        for chunk in bytes.utf8_chunks() {
            if !chunk.valid().is_empty() {
                self.encode_invalid(&mut invalid, scratch, encoded);
                is_known &= self.encode_plain(chunk.valid(), 0, scratch, encoded);
            }
            match &self.model {
                Model::Bytes { .. } => invalid.extend_from_slice(chunk.invalid()),
                _ if !chunk.invalid().is_empty() => {
                    is_known &= self.encode_plain("\u{fffd}", 0, scratch, encoded);
                }
                _ => {}
            }
        }
        self.encode_invalid(&mut invalid, scratch, encoded);
        is_known
    }

    fn encode_invalid(&self, invalid: &mut Vec<u8>, scratch: &mut TokenScratch, encoded: &mut Encoded) {
        if let Model::Bytes { encoding, numbers } = &self.model {
            let first = encoded.ids.len();
            encoding.vocabulary().encode_piece(invalid, &mut scratch.merges, &mut encoded.ids);
            renumber(numbers, &mut encoded.ids[first..]);
            invalid.clear();
        }
    }
}

fn renumber(numbers: &Option<Box<[u32]>>, ids: &mut [u32]) {
    if let Some(numbers) = numbers {
        ids.iter_mut().for_each(|id| *id = numbers[*id as usize]);
    }
}

/// Places in a text of mapped characters as places in the bytes that they stand for.
fn unmap(mapped: &str, places: &mut [u32]) {
    let (mut character_starts, mut count, mut last) = (mapped.char_indices(), 0u32, 0u32);
    let mut next = character_starts.next();
    for place in places {
        if *place < last {
            (character_starts, count) = (mapped.char_indices(), 0);
            next = character_starts.next();
        }
        last = *place;
        while next.is_some_and(|(start, _)| (start as u32) < *place) {
            count += 1;
            next = character_starts.next();
        }
        *place = count;
    }
}

/// Cuts pieces in front of each run of marks.
fn cut_before(pieces: &mut Pieces, mark: char) {
    let ranges = std::mem::take(&mut pieces.ranges);
    let needle = mark.to_string();
    for range in ranges {
        let text = &pieces.text.text()[range.clone()];
        let (mut start, mut mark_end) = (0, 0);
        for place in memchr::memmem::find_iter(text.as_bytes(), needle.as_bytes()) {
            if place > mark_end && place > start {
                pieces.ranges.push(range.start + start..range.start + place);
                start = place;
            }
            mark_end = place + needle.len();
        }
        pieces.ranges.push(range.start + start..range.end);
    }
}
