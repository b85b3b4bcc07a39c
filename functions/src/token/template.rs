//! Special tokens around one text or a pair of texts: the post-processors of `tokenizer.json`.

/// A part of the result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TemplatePart {
    /// These tokens, with the type of their segment.
    Tokens(Vec<u32>, u32),
    /// The tokens of the first text, with the type of its segment.
    First(u32),
    /// The tokens of the second text, likewise.
    Second(u32),
}

/// How special tokens and texts follow one another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    /// Around one text.
    pub single: Vec<TemplatePart>,
    /// Around two.
    pub pair: Vec<TemplatePart>,
}

impl Default for Template {
    /// No special tokens.
    fn default() -> Self {
        Self {
            single: vec![TemplatePart::First(0)],
            pair: vec![TemplatePart::First(0), TemplatePart::Second(1)],
        }
    }
}

impl Template {
    /// BERT: `[CLS] A [SEP] B [SEP]`.
    pub fn bert(start: u32, end: u32) -> Self {
        let single = vec![
            TemplatePart::Tokens(vec![start], 0),
            TemplatePart::First(0),
            TemplatePart::Tokens(vec![end], 0),
        ];
        let mut pair = single.clone();
        pair.extend([TemplatePart::Second(1), TemplatePart::Tokens(vec![end], 1)]);
        Self { single, pair }
    }

    /// RoBERTa: `<s> A </s> </s> B </s>`, all of one segment.
    pub fn roberta(start: u32, end: u32) -> Self {
        let single = vec![
            TemplatePart::Tokens(vec![start], 0),
            TemplatePart::First(0),
            TemplatePart::Tokens(vec![end], 0),
        ];
        let mut pair = single.clone();
        pair.extend([
            TemplatePart::Tokens(vec![end], 0),
            TemplatePart::Second(0),
            TemplatePart::Tokens(vec![end], 0),
        ]);
        Self { single, pair }
    }

    /// Number of special tokens around one text.
    pub fn single_tokens(&self) -> usize {
        count(&self.single)
    }

    /// Number of special tokens around two texts.
    pub fn pair_tokens(&self) -> usize {
        count(&self.pair)
    }
}

fn count(parts: &[TemplatePart]) -> usize {
    let tokens = |part: &TemplatePart| if let TemplatePart::Tokens(ids, _) = part { ids.len() } else { 0 };
    parts.iter().map(tokens).sum()
}
