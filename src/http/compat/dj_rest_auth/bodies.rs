//! What this wire takes, and what it answers.

use serde::Serialize;
use utoipa::ToSchema;

use crate::config::Config;
use crate::domain::{Email, Name, NewPassword, Password, PersonalFacts, User, Username};
use crate::http::compat::serializer::{Data, Serializer, Text};
use crate::http::views::Time;

#[derive(Serialize, ToSchema)]
#[schema(as = dj_rest_auth::Detail)]
pub(super) struct Detail {
    pub(super) detail: &'static str,
}

#[derive(Serialize, ToSchema)]
#[schema(as = dj_rest_auth::Nothing)]
pub(super) struct Nothing {}

/// One key, or two tokens and the user, by the names of the version.
#[derive(Default, Serialize, ToSchema)]
#[schema(as = dj_rest_auth::Granted)]
pub(super) struct GrantView {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) key: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) access: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) refresh: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) access_token: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) refresh_token: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) user: Option<UserDetails>,
}

/// Another access token; another refresh token too where they rotate.
#[derive(Serialize, ToSchema)]
#[schema(as = dj_rest_auth::Refreshed)]
pub(super) struct RefreshView {
    pub(super) access: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub(super) access_expiration: Option<Time>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub(super) access_token_expiration: Option<Time>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) refresh: Option<String>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = dj_rest_auth::User)]
pub(super) struct UserDetails {
    pub(super) pk: u64,
    pub(super) username: String,
    pub(super) email: String,
    pub(super) first_name: String,
    pub(super) last_name: String,
}

impl From<&User> for UserDetails {
    fn from(user: &User) -> Self {
        let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
        Self {
            pk: user.id.0,
            username: text(user.username.as_ref().map(Username::as_str)),
            email: text(user.email.as_ref().map(Email::as_str)),
            first_name: user.first_name.as_str().to_owned(),
            last_name: user.last_name.as_str().to_owned(),
        }
    }
}

#[derive(ToSchema)]
#[schema(as = dj_rest_auth::LogIn)]
pub(super) struct LogIn {
    pub(super) username: Option<String>,
    pub(super) email: Option<String>,
    #[schema(value_type = String, format = Password)]
    pub(super) password: Password,
}

impl Serializer for LogIn {
    fn read(data: &mut Data, _config: &Config) -> Option<Self> {
        let name = |name| Text::of(name).optional().or_blank();
        let username = data.text(&name("username")).filter(|text| !text.is_empty());
        let email = data.parsed(&name("email"), Email::parse).map(|email| email.as_str().to_owned());
        Some(Self { username, email, password: data.password("password")? })
    }
}

#[derive(ToSchema)]
#[schema(as = dj_rest_auth::LogOut)]
pub(super) struct LogOut {
    pub(super) refresh: Option<String>,
}

impl Serializer for LogOut {
    fn read(data: &mut Data, _config: &Config) -> Option<Self> {
        Some(Self { refresh: data.text(&Text::of("refresh").optional().or_blank()) })
    }
}

#[derive(ToSchema)]
#[schema(as = dj_rest_auth::UpdateUser)]
pub(super) struct UpdateUser {
    #[schema(value_type = Option<String>)]
    pub(super) username: Option<Username>,
    #[schema(value_type = Option<String>)]
    pub(super) first_name: Option<Name>,
    #[schema(value_type = Option<String>)]
    pub(super) last_name: Option<Name>,
}

impl Serializer for UpdateUser {
    fn read(data: &mut Data, _config: &Config) -> Option<Self> {
        let mut name = |name| {
            let text = data.text(&Text::of(name).optional().or_blank().up_to(150))?;
            Name::parse(&text).map_err(|invalid| data.refuse(name, &invalid.message)).ok()
        };
        let (first_name, last_name) = (name("first_name"), name("last_name"));
        let username = data.parsed(&Text::of("username").optional().up_to(150), Username::parse);
        Some(Self { username, first_name, last_name })
    }
}

#[derive(ToSchema)]
#[schema(as = dj_rest_auth::ChangePassword)]
pub(super) struct ChangePassword {
    #[schema(value_type = String, format = Password)]
    pub(super) old_password: Password,
    #[schema(value_type = String, format = Password)]
    pub(super) new_password1: Password,
    #[schema(value_type = String, format = Password)]
    pub(super) new_password2: Password,
}

impl Serializer for ChangePassword {
    fn read(data: &mut Data, _config: &Config) -> Option<Self> {
        let [old_password, new_password1, new_password2] =
            ["old_password", "new_password1", "new_password2"].map(|name| data.password(name));
        Some(Self {
            old_password: old_password?,
            new_password1: new_password1?,
            new_password2: new_password2?,
        })
    }
}

#[derive(ToSchema)]
#[schema(as = dj_rest_auth::ResetPassword)]
pub(super) struct ResetPassword {
    pub(super) uid: String,
    pub(super) token: String,
    #[schema(value_type = String, format = Password)]
    pub(super) new_password1: Password,
    #[schema(value_type = String, format = Password)]
    pub(super) new_password2: Password,
}

impl Serializer for ResetPassword {
    fn read(data: &mut Data, _config: &Config) -> Option<Self> {
        let [uid, token] = ["uid", "token"].map(|name| data.text(&Text::of(name)));
        let [new_password1, new_password2] =
            ["new_password1", "new_password2"].map(|name| data.password(name));
        Some(Self { uid: uid?, token: token?, new_password1: new_password1?, new_password2: new_password2? })
    }
}

#[derive(ToSchema)]
#[schema(as = dj_rest_auth::Refresh)]
pub(super) struct RefreshOnly {
    /// Missing: the one of the cookie.
    pub(super) refresh: Option<String>,
}

impl Serializer for RefreshOnly {
    fn read(data: &mut Data, _config: &Config) -> Option<Self> {
        let refresh = data.text(&Text::of("refresh").optional().or_blank());
        Some(Self { refresh: refresh.filter(|token| !token.is_empty()) })
    }
}

#[derive(ToSchema)]
#[schema(as = dj_rest_auth::Key)]
pub(super) struct KeyOnly {
    pub(super) key: String,
}

impl Serializer for KeyOnly {
    fn read(data: &mut Data, _config: &Config) -> Option<Self> {
        Some(Self { key: data.text(&Text::of("key"))? })
    }
}

/// Needs a username or an email address.
#[derive(ToSchema)]
#[schema(as = dj_rest_auth::Register)]
pub(super) struct NewAccount {
    #[schema(value_type = Option<String>)]
    pub(super) username: Option<Username>,
    #[schema(value_type = Option<String>, format = Email)]
    pub(super) email: Option<Email>,
    #[schema(value_type = String, format = Password)]
    pub(super) password1: NewPassword,
    #[schema(value_type = String, format = Password)]
    pub(super) password2: Password,
}

impl Serializer for NewAccount {
    fn read(data: &mut Data, config: &Config) -> Option<Self> {
        let email = data.parsed(&Text::of("email").optional().or_blank(), Email::parse);
        let own = email.as_ref();
        let name = Text::of("username").optional().or_blank().up_to(150);
        let username =
            data.parsed(&name, |text| Username::parse(text).and_then(|name| name.for_account(own)));
        if email.is_none() && username.is_none() && !data.is_refused("email") && !data.is_refused("username")
        {
            data.refuse("username", "This field is required.");
        }
        let (first, second) = (data.password("password1"), data.password("password2"));
        let nobody = Name::default();
        let about = PersonalFacts::new(username.as_ref(), &nobody, &nobody, email.as_ref());
        let judged = NewPassword::judge(first?, &config.passwords.policy, &about);
        let broken = judged.as_ref().err().into_iter().flatten();
        broken.for_each(|invalid| data.refuse("password1", &invalid.message));
        Some(Self { username, email, password1: judged.ok()?, password2: second? })
    }
}
