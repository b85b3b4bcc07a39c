//! Words as ids: hashed into a vocabulary, whose id 0 stands for no word.

use hypostyle_functions::kernel::hash::xxhash64::xxhash64;

/// The ids of the words of a text, lower-cased: letters and digits side by side.
pub(super) fn words(text: &str, vocabulary: usize) -> impl Iterator<Item = i32> + '_ {
    let words = text.split(|character: char| !character.is_alphanumeric()).filter(|word| !word.is_empty());
    words.map(move |word| {
        let hash = xxhash64(word.to_lowercase().as_bytes(), 0);
        (1 + hash % (vocabulary as u64 - 1)) as i32
    })
}
