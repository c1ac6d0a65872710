//! `[compat]`: the wires of other services that are spoken beside our own, and how each was configured there.

use serde::Deserialize;

use crate::config::error::ConfigError;
use crate::config::settings::Settings;
use crate::config::values::{choice, cookie_name, set};
use crate::config::{
    CompatConfig, CompatNames, CompatTokens, DjAuthApiConfig, DjRestAuthConfig, SimpleJwtConfig, UsersList,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawCompat {
    profiles: Vec<String>,
    #[serde(rename = "dj-rest-auth")]
    dj_rest_auth: RawDjRestAuth,
    simplejwt: RawSimpleJwt,
    #[serde(rename = "dj-auth-api")]
    dj_auth_api: RawDjAuthApi,
}

impl RawCompat {
    /// Options are read even of a profile that is off, so that a slip is found before they are needed.
    pub(super) fn parse(self, settings: &Settings) -> Result<CompatConfig, ConfigError> {
        const PROFILES: [(&str, ()); 3] = [("dj-rest-auth", ()), ("simplejwt", ()), ("dj-auth-api", ())];
        for profile in &self.profiles {
            choice(settings, "compat.profiles", profile, &PROFILES)?;
        }
        let is_on = |name: &str| self.profiles.iter().any(|profile| profile == name);
        let (dj_rest_auth, simplejwt, dj_auth_api) =
            (self.dj_rest_auth.parse(settings)?, self.simplejwt.parse(settings)?, self.dj_auth_api.parse());
        Ok(CompatConfig {
            dj_rest_auth: is_on("dj-rest-auth").then_some(dj_rest_auth),
            simplejwt: is_on("simplejwt").then_some(simplejwt),
            dj_auth_api: is_on("dj-auth-api").then_some(dj_auth_api),
        })
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawDjRestAuth {
    tokens: String,
    names: String,
    rotate: bool,
    unauthenticated: i64,
    access_cookie: String,
    refresh_cookie: String,
}

impl RawDjRestAuth {
    fn parse(self, settings: &Settings) -> Result<DjRestAuthConfig, ConfigError> {
        let key = |key: &str| format!("compat.dj-rest-auth.{key}");
        let tokens = [("jwt", CompatTokens::Jwt), ("key", CompatTokens::Key)];
        let names = [("current", CompatNames::Current), ("2.1", CompatNames::V2)];
        let is_forbidden = match self.unauthenticated {
            401 => false,
            403 => true,
            other => {
                let reason = format!("{other} is neither 401 nor 403");
                return Err(settings.refuse(&key("unauthenticated"), &reason));
            }
        };
        let cookie = |name: &str, text: String| match set(text) {
            Some(text) => cookie_name(settings, &key(name), &text).map(Some),
            None => Ok(None),
        };
        if self.access_cookie == self.refresh_cookie && !self.access_cookie.is_empty() {
            let names = [key("refresh_cookie"), key("access_cookie")];
            let reason = "is the name of the other cookie too: write another";
            return Err(settings.refuse_pair([&names[0], &names[1]], reason));
        }
        Ok(DjRestAuthConfig {
            tokens: choice(settings, &key("tokens"), &self.tokens, &tokens)?,
            names: choice(settings, &key("names"), &self.names, &names)?,
            rotates: self.rotate,
            is_forbidden,
            access_cookie: cookie("access_cookie", self.access_cookie)?,
            refresh_cookie: cookie("refresh_cookie", self.refresh_cookie)?,
        })
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawSimpleJwt {
    list_users: String,
    rotate: bool,
}

impl RawSimpleJwt {
    fn parse(self, settings: &Settings) -> Result<SimpleJwtConfig, ConfigError> {
        let lists = [("staff", UsersList::Staff), ("any", UsersList::Any)];
        let list_users = choice(settings, "compat.simplejwt.list_users", &self.list_users, &lists)?;
        Ok(SimpleJwtConfig { list_users, rotates: self.rotate })
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawDjAuthApi {
    exact_errors: bool,
}

impl RawDjAuthApi {
    fn parse(self) -> DjAuthApiConfig {
        DjAuthApiConfig { exact_errors: self.exact_errors }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    fn compat(text: &str) -> Result<CompatConfig, String> {
        Config::from_toml(text).map(|config| config.compat).map_err(|error| error.to_string())
    }

    #[test]
    fn a_surface_that_is_not_named_is_off() {
        let config = compat("[compat]\nprofiles = [\"simplejwt\"]\n[compat.simplejwt]\nrotate = true\n");
        let CompatConfig { dj_rest_auth, simplejwt, dj_auth_api } = config.expect("valid");
        assert!(dj_rest_auth.is_none() && dj_auth_api.is_none());
        assert!(simplejwt.is_some_and(|config| config.rotates && config.list_users == UsersList::Staff));
    }

    #[test]
    fn the_options_of_a_surface_are_read() {
        let text = "[compat]\nprofiles = [\"dj-rest-auth\"]\n[compat.dj-rest-auth]\ntokens = \"key\"\n\
            names = \"2.1\"\nunauthenticated = 403\naccess_cookie = \"\"\nrefresh_cookie = \"r\"\n";
        let config = compat(text).expect("valid").dj_rest_auth.expect("on");
        assert_eq!((config.tokens, config.names), (CompatTokens::Key, CompatNames::V2));
        assert!(config.is_forbidden && !config.rotates);
        assert_eq!((config.access_cookie, config.refresh_cookie.as_deref()), (None, Some("r")));
    }

    #[test]
    fn slips_are_found_even_where_a_surface_is_off() {
        for (text, reason) in [
            ("[compat]\nprofiles = [\"django\"]\n", "compat.profiles: \"django\" is not one of"),
            ("[compat.simplejwt]\nlist_users = \"all\"\n", "compat.simplejwt.list_users: \"all\" is not one"),
            ("[compat.dj-rest-auth]\nunauthenticated = 402\n", "402 is neither 401 nor 403"),
            ("[compat.dj-rest-auth]\naccess_cookie = \"a b\"\n", "is no name for a cookie"),
            ("[compat.dj-rest-auth]\naccess_cookie = \"jwt-refresh-token\"\n", "the other cookie too"),
            ("[compat.dj-rest-auth]\ncolour = 1\n", "unknown key compat.dj-rest-auth.colour"),
            ("[compat.django]\n", "unknown section [compat.django]"),
        ] {
            let refused = compat(text).expect_err(text);
            assert!(refused.contains(reason), "{text}: {refused}");
        }
    }
}
