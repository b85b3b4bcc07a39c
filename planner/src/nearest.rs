//! The nearest existing name to one that was mistyped.

/// Names closer than this (Jaro-Winkler, 0 to 1) are worth suggesting.
const SIMILARITY_MIN: f64 = 0.75;

/// The candidate most like `name`, if any is like it at all; case is ignored.
///
/// Ties keep the first candidate, so the order of the caller decides.
pub fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<String> {
    let wanted = name.to_lowercase();
    let mut best: Option<(f64, &str)> = None;
    for candidate in candidates {
        let similarity = similarity(&wanted, &candidate.to_lowercase());
        if similarity >= SIMILARITY_MIN && best.is_none_or(|(score, _)| similarity > score) {
            best = Some((similarity, candidate));
        }
    }
    best.map(|(_, candidate)| candidate.to_owned())
}

/// A shared start counts most: people abbreviate (`emb` for `embedding`) more often than they misspell the first
/// letter.
fn similarity(wanted: &str, candidate: &str) -> f64 {
    if wanted.len() >= 3 && candidate.starts_with(wanted) {
        return 0.9;
    }
    if candidate.len() >= 3 && wanted.starts_with(candidate) {
        return 0.85;
    }
    strsim::jaro_winkler(wanted, candidate)
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn an_abbreviation_suggests_the_full_name() {
        assert_eq!(nearest("emb", ["id", "embedding"]).as_deref(), Some("embedding"));
    }

    #[test]
    fn a_swapped_letter_suggests_the_name() {
        assert_eq!(nearest("lenght", ["len", "length", "left"]).as_deref(), Some("length"));
    }

    #[test]
    fn nothing_near_suggests_nothing() {
        assert_eq!(nearest("zzz", ["embedding", "id"]), None);
    }
}
