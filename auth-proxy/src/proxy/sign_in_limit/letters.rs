//! One form for texts that a database may take for the same.

use std::collections::HashMap;
use std::sync::LazyLock;

use unicode_normalization::char::is_combining_mark;

/// Letters and numbers, each with what it stands for. The file says where they are from.
static SAME: LazyLock<HashMap<char, String>> = LazyLock::new(|| {
    let characters = |text: &str| -> String {
        let codes = text.split_whitespace().filter_map(|code| u32::from_str_radix(code, 16).ok());
        codes.filter_map(char::from_u32).collect()
    };
    let lines = include_str!("same_letters.txt").lines().filter(|line| !line.starts_with('#'));
    let pairs = lines.filter_map(|line| line.split_once('<'));
    let pairs = pairs.map(|(same, others)| (characters(same), characters(others)));
    pairs
        .flat_map(|(same, others)| others.chars().map(move |other| (other, same.clone())).collect::<Vec<_>>())
        .collect()
});

/// The letters and digits of a text in form NFKD, the same for all spellings that a database may take for one: whatever their
/// case, their accents, and the spaces and punctuation in them are. It may also ignore some letters, such as U+0640, and take
/// some letters and digits for others (collations of MySQL and ICU).
///
/// It is a key for counting. So texts may have the same form that a database tells apart: two accounts are counted together.
pub(super) fn letters(plain: &str) -> String {
    let mut letters = String::with_capacity(plain.len());
    for letter in plain.chars().flat_map(char::to_lowercase) {
        match SAME.get(&letter) {
            Some(same) => letters.push_str(same),
            None if is_combining_mark(letter) || !letter.is_alphanumeric() => {}
            // To utf8mb4_general_ci of MySQL all of these are one letter.
            None if letter > '\u{ffff}' => letters.push(char::REPLACEMENT_CHARACTER),
            None => letters.push(letter),
        }
    }
    // `ß` is `ss` to most collations, and `s` to utf8mb4_general_ci.
    let mut last = None;
    letters.retain(|letter| last.replace(letter) != Some('s') || letter != 's');
    letters
}

#[cfg(test)]
mod tests {
    use unicode_normalization::UnicodeNormalization as _;

    use super::*;

    fn of(text: &str) -> String {
        letters(&text.nfkd().collect::<String>())
    }

    #[test]
    fn letters_that_a_collation_takes_for_others_are_those() {
        for (text, expected) in [
            ("øØǿ", "ooo"),
            ("łŁ", "ll"),
            ("đĐðÐ", "dddd"),
            ("ħĦ", "hh"),
            ("eßẞs", "es"),
            ("gross", "groß"),
            ("æÆǽ", "aeaeae"),
            ("œŒ", "oeoe"),
            ("ꜳꜲ", "aaaa"),
            ("ı", "i"),
            ("ΣΟΦΟΣ", "σοφος"),
            ("ヒロ", "ひろ"),
            ("ぁっ", "あつ"),
            ("מלך", "מלכ"),
            ("bob١۱१１①❶", "bob111111"),
            ("❿〇", "100"),
            ("🅰", "a"),
        ] {
            assert_eq!(of(text), of(expected), "{text}");
        }
    }

    #[test]
    fn marks_punctuation_and_ignored_letters_do_not_count() {
        for c in [
            '\u{610}', '\u{640}', '\u{345}', '\u{5b0}', '\u{7fa}', '\u{301}', '\u{200b}', '\u{ad}', '\0',
            ' ', '.',
        ] {
            assert_eq!(of(&format!("{c}de{c}{c}mo{c}")), "demo", "{c:?}");
        }
    }

    #[test]
    fn table_is_read_whole_and_leads_to_no_letter_of_its_own() {
        assert_eq!(SAME.len(), 1383);
        for (letter, same) in &*SAME {
            assert!(!letter.is_ascii() && letter.nfkd().eq([*letter]), "{letter:?}");
            let is_last = |letter: char| !SAME.contains_key(&letter) && letter <= '\u{ffff}';
            assert!(same.chars().all(is_last), "{letter:?}");
        }
    }
}
