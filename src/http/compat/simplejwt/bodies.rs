//! What this wire takes, and what it answers.

use serde::Serialize;
use utoipa::ToSchema;

use crate::config::Config;
use crate::domain::{Avatar, Change, Email, Name, NewPassword, Password, PersonalFacts, User, Username};
use crate::http::compat::serializer::{Data, Serializer, Text};

#[derive(Serialize, ToSchema)]
#[schema(as = simplejwt::Nothing)]
pub(super) struct Nothing {}

#[derive(Serialize, ToSchema)]
#[schema(as = simplejwt::Message)]
pub(super) struct Message {
    pub(super) message: &'static str,
}

#[derive(Serialize, ToSchema)]
#[schema(as = simplejwt::Pair)]
pub(super) struct PairView {
    pub(super) refresh: String,
    pub(super) access: String,
}

/// Another access token; another refresh token too where they rotate.
#[derive(Serialize, ToSchema)]
#[schema(as = simplejwt::Refreshed)]
pub(super) struct RefreshView {
    pub(super) access: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) refresh: Option<String>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = simplejwt::User)]
pub(super) struct UserView {
    /// `null`: the address is to be confirmed first.
    pub(super) id: Option<u64>,
    pub(super) email: Option<String>,
    pub(super) username: Option<String>,
    /// An http or https URL.
    pub(super) avatar: Option<String>,
}

impl UserView {
    pub(super) fn of(
        id: Option<u64>,
        email: Option<&Email>,
        username: Option<&Username>,
        avatar: Option<&Avatar>,
    ) -> Self {
        Self {
            id,
            email: email.map(|email| email.as_str().to_owned()),
            username: username.map(|username| username.as_str().to_owned()),
            avatar: avatar.map(|avatar| avatar.as_str().to_owned()),
        }
    }
}

impl From<&User> for UserView {
    fn from(user: &User) -> Self {
        Self::of(Some(user.id.0), user.email.as_ref(), user.username.as_ref(), user.avatar.as_ref())
    }
}

#[derive(Serialize, ToSchema)]
#[schema(as = simplejwt::Users)]
pub(super) struct UsersView(pub(super) Vec<UserView>);

#[derive(ToSchema)]
#[schema(as = simplejwt::LogIn)]
pub(super) struct LogIn {
    /// Or the email address.
    pub(super) username: String,
    #[schema(value_type = String, format = Password)]
    pub(super) password: Password,
}

impl Serializer for LogIn {
    fn read(data: &mut Data, _config: &Config) -> Option<Self> {
        let (username, password) = (data.text(&Text::of("username")), data.password("password"));
        Some(Self { username: username?, password: password? })
    }
}

#[derive(ToSchema)]
#[schema(as = simplejwt::Refresh)]
pub(super) struct RefreshOnly {
    pub(super) refresh: String,
}

impl Serializer for RefreshOnly {
    fn read(data: &mut Data, _config: &Config) -> Option<Self> {
        Some(Self { refresh: data.text(&Text::of("refresh"))? })
    }
}

#[derive(ToSchema)]
#[schema(as = simplejwt::Avatar)]
pub(super) struct NewAvatar {
    /// An http or https URL; blank or `null` takes it away.
    #[schema(value_type = Option<String>)]
    pub(super) avatar: Change<Avatar>,
}

impl Serializer for NewAvatar {
    fn read(data: &mut Data, _config: &Config) -> Option<Self> {
        let avatar = data.parsed(&Text::of("avatar").or_blank().or_null(), Avatar::parse);
        Some(Self { avatar: avatar.map_or(Change::Clear, Change::Set) })
    }
}

#[derive(ToSchema)]
#[schema(as = simplejwt::Register)]
pub(super) struct NewAccount {
    #[schema(value_type = String, format = Email)]
    pub(super) email: Email,
    #[schema(value_type = String)]
    pub(super) username: Username,
    #[schema(value_type = String, format = Password)]
    pub(super) password: NewPassword,
    /// An http or https URL.
    #[schema(value_type = Option<String>)]
    pub(super) avatar: Option<Avatar>,
}

impl Serializer for NewAccount {
    fn read(data: &mut Data, config: &Config) -> Option<Self> {
        let email = data.parsed(&Text::of("email"), Email::parse);
        let own = email.as_ref();
        let username = data.parsed(&Text::of("username").up_to(150), |text| {
            Username::parse(text).and_then(|name| name.for_account(own))
        });
        let avatar = data.parsed(&Text::of("avatar").optional().or_blank().or_null(), Avatar::parse);
        let password = data.password("password");
        let nobody = Name::default();
        let about = PersonalFacts::new(username.as_ref(), &nobody, &nobody, email.as_ref());
        let judged = NewPassword::judge(password?, &config.passwords.policy, &about);
        let broken = judged.as_ref().err().into_iter().flatten();
        broken.for_each(|invalid| data.refuse("password", &invalid.message));
        Some(Self { email: email?, username: username?, password: judged.ok()?, avatar })
    }
}
