//! `[site]` and `[admin]`: what the pages look like, and which of them there are.

use std::fs;
use std::path::Path;

use serde::Deserialize;

use crate::config::error::ConfigError;
use crate::config::settings::Settings;
use crate::config::values::set;
use crate::config::{AdminConfig, Logo, SiteConfig, parse};
use crate::domain::Colour;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawSite {
    name: String,
    logo: String,
    accent: String,
    next_origins: Vec<String>,
}

/// A logo is loaded by every page, by people on slow lines.
const MAX_LOGO_BYTES: usize = 256 * 1024;
const MAX_NAME_CHARS: usize = 80;

impl RawSite {
    pub(super) fn parse(self, settings: &Settings) -> Result<SiteConfig, ConfigError> {
        let refuse = |name: &'static str| move |reason: String| settings.refuse(name, &reason);
        if self.name.chars().count() > MAX_NAME_CHARS {
            let reason = format!("has more than {MAX_NAME_CHARS} characters: write a shorter one");
            return Err(settings.refuse("site.name", &reason));
        }
        let origins = self.next_origins.iter().map(|text| parse::origin(text));
        let accent = Colour::parse(&self.accent)
            .ok_or_else(|| format!("{:?} is not a colour: write it as \"#1f5fbf\"", self.accent));
        let logo = set(self.logo).map(|path| read_logo(Path::new(&path)));
        Ok(SiteConfig {
            name: set(self.name),
            logo: logo.transpose().map_err(refuse("site.logo"))?,
            accent: accent.map_err(refuse("site.accent"))?,
            next_origins: origins
                .map(|origin| Ok(origin?.origin().ascii_serialization()))
                .collect::<Result<_, _>>()
                .map_err(refuse("site.next_origins"))?,
        })
    }
}

fn read_logo(path: &Path) -> Result<Logo, String> {
    let extension = path.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
    let content_type = match extension.to_ascii_lowercase().as_str() {
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "webp" => "image/webp",
        "jpg" | "jpeg" => "image/jpeg",
        _ => return Err(format!("{} is not an .svg, .png, .webp or .jpg file", path.display())),
    };
    let bytes = fs::read(path).map_err(|error| format!("cannot read {}: {error}", path.display()))?;
    if bytes.len() > MAX_LOGO_BYTES {
        return Err(format!("{} has more than {MAX_LOGO_BYTES} bytes: make it smaller", path.display()));
    }
    Ok(Logo { content_type, bytes: bytes.into() })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawAdmin {
    enabled: bool,
}

impl From<RawAdmin> for AdminConfig {
    fn from(raw: RawAdmin) -> Self {
        Self { enabled: raw.enabled }
    }
}
