//! A tokenizer: what its file or its published name says, and which way texts take through it. `encode_text.rs` goes that way.

use std::collections::HashMap;

use super::added::{AddedSearch, AddedToken};
use super::decoder::{Decoder, character_of_byte};
use super::normalizer::Normalizer;
use super::splitter::{Pieces, Splitter};
use super::template::Template;
use crate::kernel::bpe::Encoding;
use crate::kernel::token::Encoded;
use crate::kernel::token::pair_merge::PairMerge;
use crate::kernel::token::unigram::Unigram;
use crate::kernel::token::word_level::WordLevel;
use crate::kernel::token::word_piece::WordPiece;

/// What turns pieces into tokens.
#[derive(Debug, Clone)]
pub enum Model {
    /// Byte-pair encoding over bytes; `numbers` are those of the file where they are not the ranks.
    Bytes { encoding: Encoding, numbers: Option<Box<[u32]>> },
    /// Byte-pair encoding over characters. With `maps_bytes` they stand for bytes; before `mark`, where there is one, no merge
    /// reaches across, so pieces end there.
    Pairs { merges: PairMerge, maps_bytes: bool, mark: Option<char> },
    /// Longest tokens first.
    WordPiece(WordPiece),
    /// Whole words.
    WordLevel(WordLevel),
    /// Most probable tokens together.
    Unigram(Unigram),
}

/// How texts are cut before the model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Route {
    /// A byte-level vocabulary with a published pattern.
    Direct,
    /// Words are independent of one another.
    Words,
    /// Step by step.
    Steps,
}

/// What a file or a published name says, apart from the model.
#[derive(Debug, Default)]
pub struct Parts {
    /// Changes to the text.
    pub normalizers: Vec<Normalizer>,
    /// Cuts.
    pub splitters: Vec<Splitter>,
    /// Tokens that stand for themselves.
    pub added: Vec<AddedToken>,
    /// Special tokens around texts.
    pub template: Template,
    /// Steps back to text; `None` joins tokens with spaces.
    pub decoders: Option<Vec<Decoder>>,
    /// Texts of tokens as the file has them, by number.
    pub names: Vec<Option<Box<str>>>,
    /// Whether added tokens are recognised in texts unless said otherwise.
    pub reads_added: bool,
    /// Whether offsets leave out white space at the ends of tokens, and whether a space was put in front.
    pub trimming: Option<bool>,
    /// Number of the padding token.
    pub padding: Option<u32>,
    /// Tells this tokenizer from others.
    pub identity: u64,
}

/// A tokenizer.
#[derive(Debug)]
pub struct Tokenizer {
    pub(super) model: Model,
    pub(super) parts: Parts,
    pub(super) raw_search: Option<AddedSearch>,
    pub(super) normalized_search: Option<AddedSearch>,
    pub(super) added_texts: HashMap<u32, AddedToken>,
    pub(super) route: Route,
}

impl Tokenizer {
    /// A tokenizer of these parts.
    ///
    /// # Errors
    /// What is wrong with the added tokens.
    pub fn new(model: Model, parts: Parts) -> Result<Tokenizer, String> {
        let mut scratch = Pieces::default();
        let raw = parts.added.iter().filter(|token| !token.is_normalized);
        let raw = raw.map(|token| (token.clone(), token.content.clone())).collect();
        let normalized = parts.added.iter().filter(|token| token.is_normalized);
        let normalized = normalized.map(|token| {
            if token.is_literal {
                return (token.clone(), token.content.clone());
            }
            scratch.text.assign(&token.content, 0, false);
            normalize(&parts.normalizers, &mut scratch);
            (token.clone(), scratch.text.text().to_owned())
        });
        let normalized_search = AddedSearch::new(normalized.collect())?;
        let raw_search = AddedSearch::new(raw)?;
        let added_texts = parts.added.iter().map(|token| (token.id, token.clone())).collect();
        let route = route(&model, &parts);
        Ok(Tokenizer { model, parts, raw_search, normalized_search, added_texts, route })
    }

    /// Special tokens around texts.
    pub fn template(&self) -> &Template {
        &self.parts.template
    }

    /// Whether added tokens are recognised in texts unless said otherwise.
    pub fn reads_added(&self) -> bool {
        self.parts.reads_added
    }

    /// Number of the padding token, 0 where the file names none.
    pub fn padding(&self) -> u32 {
        self.parts.padding.unwrap_or(0)
    }

    /// Whether a token of a byte-level file is one space.
    fn is_lone_space(&self, id: u32) -> bool {
        let name = self.parts.names.get(id as usize).and_then(Option::as_deref);
        name.is_some_and(|name| name.chars().eq([character_of_byte(b' ')]))
    }

    /// Leaves out spaces at the ends of places, where the file asks for that; places in `text` are of tokens of one text.
    pub fn trim_places(&self, text: &str, encoded: &mut Encoded) {
        let Some(has_prefix) = self.parts.trimming else { return };
        for (index, (start, end)) in encoded.starts.iter_mut().zip(&mut encoded.ends).enumerate() {
            let Some(covered) = text.get(*start as usize..*end as usize) else { continue };
            if has_prefix && index == 0 && self.is_lone_space(encoded.ids[0]) && !covered.starts_with(' ') {
                // The space that was put in front, alone: it stands for nothing.
                *end = *start;
                continue;
            }
            let mut leading = covered.bytes().take_while(|&byte| byte == b' ').count() as u32;
            let trailing = covered.bytes().rev().take_while(|&byte| byte == b' ').count() as u32;
            // A space at the start of the text may be the one that was put there.
            if has_prefix && (index == 0 || *start == 0) {
                leading = leading.saturating_sub(1);
            }
            *start = (*start + leading).min(*end);
            *end = (*end - trailing).max(*start);
        }
    }
}

/// Runs the normalizers over the text of `pieces`.
pub(super) fn normalize(normalizers: &[Normalizer], pieces: &mut Pieces) {
    for normalizer in normalizers {
        let (text, built) = pieces.texts();
        normalizer.apply(text, built);
        pieces.exchange();
    }
}

/// Which shortcut gives the tokens of all steps.
fn route(model: &Model, parts: &Parts) -> Route {
    use super::pattern::Pattern;
    use super::splitter::Behavior;
    let changes_only_form = parts.normalizers.iter().all(|one| matches!(one, Normalizer::Form(_)));
    match (model, parts.splitters.as_slice()) {
        (
            Model::Bytes { encoding, .. },
            [
                Splitter::Pattern {
                    pattern: Pattern::Published(published),
                    behavior: Behavior::Isolated,
                    ..
                },
            ],
        ) if changes_only_form && encoding.pretokenizer() == *published => Route::Direct,
        (
            Model::WordPiece(_) | Model::WordLevel(_) | Model::Unigram(_) | Model::Pairs { .. },
            [first, rest @ ..],
        ) if first.keeps_words_apart(false)
            && rest.iter().all(|splitter| splitter.keeps_words_apart(true))
            && parts.normalizers.iter().all(Normalizer::is_local) =>
        {
            Route::Words
        }
        _ => Route::Steps,
    }
}
