//! The way back: the text of token numbers, and the number of a token by its text.

use super::decoder::Decoder;
use super::tokenizer::{Model, Tokenizer};

impl Tokenizer {
    /// Appends the text of tokens; special ones are left out if `skips_special`. The first number that is no token is given back.
    pub fn decode(&self, tokens: &[u32], skips_special: bool, bytes: &mut Vec<u8>) -> Result<(), u32> {
        match &self.model {
            Model::Bytes { encoding, numbers: None } if self.decodes_bytes() => {
                let first = bytes.len();
                for &token in tokens {
                    match (encoding.vocabulary().bytes(token), self.added_texts.get(&token)) {
                        (_, Some(added)) if added.is_special && skips_special => {}
                        (_, Some(added)) => bytes.extend_from_slice(added.content.as_bytes()),
                        (Some(text), None) => bytes.extend_from_slice(text),
                        (None, None) if self.parts.names.is_empty() => return Err(token),
                        (None, None) => {
                            // A token that no merge makes is known by its name only.
                            bytes.truncate(first);
                            return self.decode_names(tokens, skips_special, bytes);
                        }
                    }
                }
                Ok(())
            }
            _ => self.decode_names(tokens, skips_special, bytes),
        }
    }

    fn decodes_bytes(&self) -> bool {
        matches!(self.parts.decoders.as_deref(), Some([Decoder::ByteLevel]))
    }

    fn decode_names(&self, tokens: &[u32], skips_special: bool, bytes: &mut Vec<u8>) -> Result<(), u32> {
        let mut names = Vec::with_capacity(tokens.len());
        for &token in tokens {
            match (self.added_texts.get(&token), self.parts.names.get(token as usize)) {
                (Some(added), _) if added.is_special && skips_special => {}
                (Some(added), _) => names.push(added.content.clone()),
                (None, Some(Some(name))) => names.push(name.to_string()),
                (None, _) => return Err(token),
            }
        }
        match &self.parts.decoders {
            Some(decoders) => {
                decoders.iter().for_each(|decoder| decoder.apply(&mut names));
                names.iter().for_each(|name| bytes.extend_from_slice(name.as_bytes()));
            }
            None => bytes.extend_from_slice(names.join(" ").as_bytes()),
        }
        Ok(())
    }

    /// The number of a token by its text as the file has it.
    pub fn id(&self, text: &str) -> Option<u32> {
        if let Some(added) = self.parts.added.iter().find(|added| added.content == text) {
            return Some(added.id);
        }
        match &self.model {
            Model::Bytes { encoding, numbers: None } if self.parts.names.is_empty() => {
                encoding.vocabulary().rank(text.as_bytes())
            }
            _ => {
                let is_name = |name: &Option<Box<str>>| name.as_deref() == Some(text);
                self.parts.names.iter().position(is_name).map(|id| id as u32)
            }
        }
    }
}
