//! Whether a password resembles what is known about its person: Django's measure.
//!
//! That is the quick ratio of Python's difflib over code points: twice the characters that both have, wherever they
//! stand, by the length of both; 0.7 is too similar.

use unicode_normalization::char::is_combining_mark;

use crate::domain::password::facts::PersonalFacts;

/// The first fact that one of the lower-case forms of a password resembles, as a whole or in a word of it.
pub(super) fn similar_fact(forms: &[String], about: &PersonalFacts<'_>) -> Option<&'static str> {
    let forms: Vec<Bag> = forms.iter().map(|form| Bag::of(form)).collect();
    let found = about.named().into_iter().find(|(_, fact)| resembles(&forms, fact));
    found.map(|(name, _)| name)
}

fn resembles(forms: &[Bag], fact: &str) -> bool {
    let fact = fact.to_lowercase();
    let words = fact.split(|c| !is_word_char(c)).filter(|word| !word.is_empty());
    words.chain([fact.as_str()]).map(Bag::of).any(|part| forms.iter().any(|form| form.is_similar(&part)))
}

/// The characters of a text, in an order of their own.
struct Bag(Vec<char>);

impl Bag {
    fn of(text: &str) -> Self {
        let mut chars: Vec<char> = text.chars().collect();
        chars.sort_unstable();
        Self(chars)
    }

    fn is_similar(&self, part: &Self) -> bool {
        let (own, others) = (self.0.len(), part.0.len());
        // So short a part never reaches the ratio; this bounds the work, as in Django.
        own < others.saturating_mul(10) && 20 * self.overlap(part) >= 7 * (own + others)
    }

    fn overlap(&self, other: &Self) -> usize {
        let mut others = other.0.iter().peekable();
        let is_in_both = |own: &&char| {
            while others.next_if(|other| other < own).is_some() {}
            others.next_if_eq(own).is_some()
        };
        self.0.iter().filter(is_in_both).count()
    }
}

/// Python's `\w`: letters and numbers, but neither the marks nor the circled letters that Unicode counts as alphabetic.
fn is_word_char(c: char) -> bool {
    let is_circled = matches!(c,
        '\u{24b6}'..='\u{24e9}' | '\u{1f130}'..='\u{1f149}' | '\u{1f150}'..='\u{1f169}' | '\u{1f170}'..='\u{1f189}');
    c == '_' || (c.is_alphanumeric() && !is_combining_mark(c) && !is_circled)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_similar(password: &str, part: &str) -> bool {
        Bag::of(password).is_similar(&Bag::of(part))
    }

    #[test]
    fn the_ratio_counts_characters_wherever_they_stand() {
        assert!(is_similar("abcdefg", "gfedcbaxyzuvw"), "14 of 20 are 0.7");
        assert!(!is_similar("abcdefg", "gfedcbaxyzuvwt"));
        assert!(!is_similar("aaaa", "abcd"), "each counts as often as both have it");
    }

    #[test]
    fn words_end_where_python_ends_them() {
        let words = |text: &'static str| text.split(|c| !is_word_char(c)).collect::<Vec<_>>();
        assert_eq!(words("ada_l.b-2@²x"), ["ada_l", "b", "2", "²x"]);
        assert_eq!(words("नम\u{93f}ते Ⓐb 〇"), ["नम", "त", "", "", "b", "〇"]);
    }
}
