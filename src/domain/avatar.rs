//! The address of a user's picture. Keystead stores the address and never fetches it.

use url::Url;

use crate::domain::Invalid;

/// An absolute `http` or `https` URL of at most 2048 characters, without credentials in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Avatar(String);

const MAX_CHARS: usize = 2048;

impl Avatar {
    pub(crate) fn parse(text: &str) -> Result<Self, Invalid> {
        if text.is_empty() {
            return Err(Invalid::blank());
        }
        if text.len() > MAX_CHARS {
            return Err(Invalid::too_long(MAX_CHARS));
        }
        match Url::parse(text) {
            Ok(url)
                if matches!(url.scheme(), "http" | "https")
                    && url.has_host()
                    && url.username().is_empty()
                    && url.password().is_none()
                    && url.as_str().len() <= MAX_CHARS =>
            {
                Ok(Self(url.into()))
            }
            _ => Err(Invalid::new("invalid_url", "Enter a valid URL.")),
        }
    }

    /// Reads back what [`Avatar::parse`] once accepted.
    pub(crate) fn from_stored(text: String) -> Self {
        Self(text)
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_web_addresses_only() {
        assert!(Avatar::parse("https://example.com/ada.png").is_ok());
        for text in
            ["javascript:alert(1)", "data:image/png;base64,AA", "/ada.png", "https://", "http://u:p@h/"]
        {
            assert_eq!(Avatar::parse(text).map_err(|refused| refused.code), Err("invalid_url"), "{text}");
        }
    }
}
