//! A language that somebody reads.

/// The primary language subtag of RFC 5646, in lower case: `en`, `es`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Language(String);

/// No more of a header is looked at.
const MAX_HEADER: usize = 256;
/// Nobody needs more to find one that we write.
const MAX_PREFERRED: usize = 5;

impl Language {
    /// Takes `es`, `ES` and `es-MX`: regions and scripts make no difference to a letter.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let primary = text.split('-').next().unwrap_or_default();
        let is_language =
            (2..=8).contains(&primary.len()) && primary.bytes().all(|b| b.is_ascii_alphabetic());
        is_language.then(|| Self(primary.to_ascii_lowercase()))
    }

    /// Reads back what [`Language::parse`] once accepted.
    pub(crate) fn from_stored(text: String) -> Self {
        Self(text)
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// The languages of an `Accept-Language` header (RFC 9110, section 12.5.4), the most liked first. What cannot be
    /// read is passed over.
    pub(crate) fn preferred(accept_language: &str) -> Vec<Self> {
        let mut liked: Vec<(f32, Self)> = bounded(accept_language).split(',').filter_map(liking).collect();
        // A stable sort: of two that are liked as much, the one that was named first comes first.
        liked.sort_by(|(one, _), (other, _)| other.total_cmp(one));
        let mut languages = Vec::new();
        for (_, language) in liked {
            if languages.len() < MAX_PREFERRED && !languages.contains(&language) {
                languages.push(language);
            }
        }
        languages
    }
}

/// The beginning of a header that is too long, without the range that the end cuts through.
fn bounded(header: &str) -> &str {
    if header.len() <= MAX_HEADER {
        return header;
    }
    header.get(..MAX_HEADER).and_then(|start| start.rsplit_once(',')).map_or("", |(whole, _)| whole)
}

/// One range of the header with its weight; None if it is refused (`q=0`), is `*`, or makes no sense.
fn liking(range: &str) -> Option<(f32, Language)> {
    let (tag, weight) = range.split_once(';').unwrap_or((range, "q=1"));
    let (name, weight) = weight.trim().split_once('=')?;
    let weight = weight.trim().parse::<f32>().ok().filter(|q| *q > 0.0 && *q <= 1.0)?;
    let language = Language::parse(tag.trim())?;
    name.trim().eq_ignore_ascii_case("q").then_some((weight, language))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn preferred(header: &str) -> Vec<String> {
        Language::preferred(header).into_iter().map(|language| language.0).collect()
    }

    #[test]
    fn only_the_primary_subtag_counts() {
        for text in ["es", "ES", "es-MX", "Es-419", "es-Latn-MX"] {
            assert_eq!(Language::parse(text).map(|language| language.0).as_deref(), Some("es"), "{text}");
        }
        assert_eq!(Language::parse("filipino").map(|language| language.0).as_deref(), Some("filipino"));
        for text in ["", "e", "*", "-es", "x-klingon", "es_MX", "español", "e5", "abcdefghi", "../es", "es\n"]
        {
            assert_eq!(Language::parse(text), None, "{text:?}");
        }
    }

    #[test]
    fn the_most_liked_comes_first() {
        assert_eq!(preferred("es"), ["es"]);
        assert_eq!(preferred("da, en-GB;q=0.8, en;q=0.7"), ["da", "en"]);
        assert_eq!(preferred("en;q=0.3,es-MX ; Q=0.9 , fr;q=0.900"), ["es", "fr", "en"]);
        assert_eq!(preferred("pt-BR, pt, es"), ["pt", "es"]);
        assert_eq!(preferred("*, en;q=0, de;q=0.000, es;q=0.001"), ["es"]);
    }

    #[test]
    fn nonsense_is_passed_over() {
        assert_eq!(preferred("fr;q=2, de;q=-1, it;q=NaN, nl;q=inf, pl;q=, sv;level=1, q=1, es"), ["es"]);
        for header in ["", ",", ";;;", ", ,;q=1", "*", "\u{0}", "e", ";q=1"] {
            assert_eq!(preferred(header), Vec::<String>::new(), "{header:?}");
        }
    }

    #[test]
    fn a_long_header_is_not_read_to_its_end() {
        assert_eq!(preferred("aa,bb,cc,dd,ee,ff,gg"), ["aa", "bb", "cc", "dd", "ee"]);
        let padded = |spaces: usize| format!("de,{}es;q=0.5", " ".repeat(spaces));
        assert_eq!(preferred(&padded(200)), ["de", "es"]);
        assert_eq!(preferred(&padded(250)), ["de"]);
        assert_eq!(preferred(&format!("de,{}", "é".repeat(500))), Vec::<String>::new());
        assert_eq!(preferred(&"x".repeat(100_000)), Vec::<String>::new());
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn any_header_is_read_in_peace(header in ".{0,400}") {
            prop_assert!(Language::preferred(&header).len() <= MAX_PREFERRED);
        }
    }
}
