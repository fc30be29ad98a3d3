//! Suggestions for misspelled words.

/// The candidate nearest to `word`, if few enough letters differ for a typing mistake. The limit is a third of the
/// word.
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let folded = snake_case(word);
    candidates
        .into_iter()
        .map(|candidate| (edit_distance(&folded, candidate), candidate))
        .filter(|(distance, candidate)| *distance <= candidate.len().max(folded.chars().count()) / 3)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// Turns `baseUrl` and `base-url` into `base_url`.
#[must_use]
pub fn snake_case(word: &str) -> String {
    let mut out = String::with_capacity(word.len() + 4);
    let mut after_lower = false;
    for c in word.chars() {
        if c.is_ascii_uppercase() && after_lower {
            out.push('_');
        }
        after_lower = c.is_ascii_lowercase() || c.is_ascii_digit();
        out.push(if c == '-' { '_' } else { c.to_ascii_lowercase() });
    }
    out
}

/// Edit distance in which a swap of neighbours counts once (optimal string alignment). A text of more than 64 characters
/// is like no other: its distance is its length.
#[must_use]
pub fn edit_distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let longest = a.len().max(b.len());
    if longest > 64 {
        return longest;
    }
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for (i, ca) in a.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, cb) in b.iter().enumerate() {
            let at = |row: &[usize], k: usize| row.get(k).copied().unwrap_or(usize::MAX / 2);
            let mut best =
                (at(&last, j) + usize::from(ca != cb)).min(at(&last, j + 1) + 1).min(at(&row, j) + 1);
            let swapped = i > 0 && j > 0 && a.get(i - 1) == Some(cb) && b.get(j - 1) == Some(ca);
            if swapped {
                best = best.min(at(&before, j - 1) + 1);
            }
            row.push(best);
        }
        before = std::mem::replace(&mut last, row);
    }
    last.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suggestions_are_made_for_typing_mistakes_only() {
        let keys = ["base_url", "base_path", "timeout", "secret"];
        assert_eq!(nearest("base_ulr", keys), Some("base_url"));
        assert_eq!(nearest("baseUrl", keys), Some("base_url"));
        assert_eq!(nearest("timout", keys), Some("timeout"));
        assert_eq!(nearest("providers", keys), None);
        assert_eq!(nearest("x", keys), None);
        assert_eq!(nearest(&"x".repeat(200), keys), None);
        assert_eq!(nearest("タイムアウト", keys), None);
    }

    #[test]
    fn snake_case_folds_other_spellings() {
        assert_eq!(snake_case("sessionStrategy"), "session_strategy");
        assert_eq!(snake_case("base-path"), "base_path");
        assert_eq!(snake_case("already_snake"), "already_snake");
    }
}
