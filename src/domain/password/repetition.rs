//! What a password is made of if it only says the same thing again: `adaada`, `passwordpassword`.

/// The texts by which a password is judged: itself in lower case, then each shorter text that it repeats. One character
/// over and over is no such text: it is a common password by itself, or it is not.
pub(super) fn forms(password: &str) -> Vec<String> {
    let lower = password.to_lowercase();
    let chars: Vec<char> = lower.chars().collect();
    let units = units(&chars).map(|unit| unit.iter().collect()).collect::<Vec<String>>();
    [lower].into_iter().chain(units).collect()
}

fn units(whole: &[char]) -> impl Iterator<Item = &[char]> {
    let is_one_character = whole.windows(2).all(|pair| pair.first() == pair.last());
    (2..=whole.len() / 2)
        .filter(move |_| !is_one_character)
        .filter(|length| whole.len().is_multiple_of(*length))
        .filter_map(|length| whole.get(..length))
        .filter(|unit| whole.chunks(unit.len()).all(|chunk| chunk == *unit))
}

#[cfg(test)]
mod tests {
    use super::forms;

    #[test]
    fn a_repetition_is_known_by_all_its_units() {
        assert_eq!(forms("AdaAda"), ["adaada", "ada"]);
        assert_eq!(forms("abababab"), ["abababab", "ab", "abab"]);
        assert_eq!(forms("pässpäss"), ["pässpäss", "päss"]);
        for whole in ["a", "aa", "aaaaaaaa", "ada", "adaad", "adaad a"] {
            assert_eq!(forms(whole), [whole]);
        }
    }
}
