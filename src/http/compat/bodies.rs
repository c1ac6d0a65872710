//! Bodies that are the same on several wires.

use utoipa::ToSchema;

use crate::config::Config;
use crate::domain::Email;
use crate::http::compat::serializer::{Data, Serializer, Text};

#[derive(ToSchema)]
#[schema(as = compat::Email)]
pub(super) struct EmailOnly {
    #[schema(value_type = String, format = Email)]
    pub(super) email: Email,
}

impl Serializer for EmailOnly {
    fn read(data: &mut Data, _config: &Config) -> Option<Self> {
        Some(Self { email: data.parsed(&Text::of("email"), Email::parse)? })
    }
}

#[derive(ToSchema)]
#[schema(as = compat::Token)]
pub(super) struct TokenOnly {
    pub(super) token: String,
}

impl Serializer for TokenOnly {
    fn read(data: &mut Data, _config: &Config) -> Option<Self> {
        Some(Self { token: data.text(&Text::of("token"))? })
    }
}
