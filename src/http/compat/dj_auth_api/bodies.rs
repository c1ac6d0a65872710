//! What this wire takes, and what it answers inside its envelope.

use serde::Serialize;
use utoipa::ToSchema;

use crate::config::Config;
use crate::domain::{
    Directory, Email, Group, GroupName, Name, NewPassword, Password, Permission, PersonalFacts, User,
};
use crate::http::compat::serializer::{Data, Serializer, Text};
use crate::http::views::Time;

#[derive(Serialize, ToSchema)]
#[schema(as = dj_auth_api::Pair)]
pub(super) struct PairView {
    pub(super) access_token: String,
    pub(super) refresh_token: String,
}

#[derive(Serialize, ToSchema)]
#[schema(as = dj_auth_api::Profile)]
pub(super) struct ProfileView {
    email: String,
    full_name: String,
}

impl From<&User> for ProfileView {
    fn from(user: &User) -> Self {
        Self { email: address(user), full_name: user.full_name() }
    }
}

fn address(user: &User) -> String {
    user.email.as_ref().map(Email::as_str).unwrap_or_default().to_owned()
}

#[derive(Serialize, ToSchema)]
#[schema(as = dj_auth_api::HasGroup)]
pub(super) struct HasGroupView {
    pub(super) has_group: bool,
}

#[derive(Serialize, ToSchema)]
#[schema(as = dj_auth_api::HasPermission)]
pub(super) struct HasPermissionView {
    pub(super) has_permission: bool,
}

/// A user, as administrators see them.
#[derive(Serialize, ToSchema)]
#[schema(as = dj_auth_api::User)]
pub(super) struct UserView {
    id: u64,
    email: String,
    first_name: String,
    last_name: String,
    is_active: bool,
    is_staff: bool,
    is_superuser: bool,
    #[schema(value_type = String, format = DateTime)]
    created_at: Time,
    #[schema(value_type = String, format = DateTime)]
    updated_at: Time,
    #[schema(value_type = Option<String>, format = DateTime)]
    last_login: Option<Time>,
}

impl From<&User> for UserView {
    fn from(user: &User) -> Self {
        Self {
            id: user.id.0,
            email: address(user),
            first_name: user.first_name.as_str().to_owned(),
            last_name: user.last_name.as_str().to_owned(),
            is_active: user.is_active,
            is_staff: user.is_staff,
            is_superuser: user.is_superuser,
            created_at: Time(user.date_joined),
            updated_at: Time(user.updated_at),
            last_login: user.last_login.map(Time),
        }
    }
}

#[derive(Serialize, ToSchema)]
#[schema(as = dj_auth_api::Users)]
pub(super) struct UsersView(pub(super) Vec<UserView>);

#[derive(Serialize, ToSchema)]
#[schema(as = dj_auth_api::Group)]
pub(super) struct GroupView {
    id: u64,
    name: String,
    description: Option<String>,
    /// By number.
    permissions: Vec<u64>,
}

impl GroupView {
    pub(super) fn new(group: &Group, directory: &Directory) -> Self {
        let description = Some(group.description.as_str()).filter(|text| !text.is_empty());
        let live = group.permissions.iter().filter(|id| directory.permission(**id).is_some());
        Self {
            id: group.id.0,
            name: group.name.as_str().to_owned(),
            description: description.map(str::to_owned),
            permissions: live.map(|id| id.0).collect(),
        }
    }
}

#[derive(Serialize, ToSchema)]
#[schema(as = dj_auth_api::Groups)]
pub(super) struct GroupsView(pub(super) Vec<GroupView>);

#[derive(Serialize, ToSchema)]
#[schema(as = dj_auth_api::Permission)]
pub(super) struct PermissionView {
    id: u64,
    /// For people.
    name: String,
    codename: String,
    /// The label that stands before the codename; there are no numbers for it here.
    content_type: String,
}

impl From<&Permission> for PermissionView {
    fn from(permission: &Permission) -> Self {
        Self {
            id: permission.id.0,
            name: permission.title.as_str().to_owned(),
            codename: permission.name.codename().to_owned(),
            content_type: permission.name.label().to_owned(),
        }
    }
}

#[derive(Serialize, ToSchema)]
#[schema(as = dj_auth_api::Permissions)]
pub(super) struct PermissionsView(pub(super) Vec<PermissionView>);

#[derive(ToSchema)]
#[schema(as = dj_auth_api::Register)]
pub(super) struct NewAccount {
    #[schema(value_type = String, format = Email)]
    pub(super) email: Email,
    #[schema(value_type = String)]
    pub(super) first_name: Name,
    #[schema(value_type = String)]
    pub(super) last_name: Name,
    #[schema(value_type = String, format = Password)]
    pub(super) password: NewPassword,
    #[schema(value_type = String, format = Password)]
    pub(super) password2: Password,
}

impl Serializer for NewAccount {
    fn read(data: &mut Data, config: &Config) -> Option<Self> {
        let email = data.parsed(&Text::of("email"), Email::parse);
        let [first_name, last_name] =
            ["first_name", "last_name"].map(|name| data.parsed(&Text::of(name).up_to(100), Name::parse));
        let (password, password2) = (data.password("password"), data.password("password2"));
        let password = judged(data, config, [&first_name, &last_name], email.as_ref(), password);
        Some(Self {
            email: email?,
            first_name: first_name?,
            last_name: last_name?,
            password: password?,
            password2: password2?,
        })
    }
}

/// The password, held to the rules in the light of what the body says of the person.
fn judged(
    data: &mut Data,
    config: &Config,
    names: [&Option<Name>; 2],
    email: Option<&Email>,
    password: Option<Password>,
) -> Option<NewPassword> {
    let nobody = Name::default();
    let [first_name, last_name] = names.map(|name| name.as_ref().unwrap_or(&nobody));
    let about = PersonalFacts::new(None, first_name, last_name, email);
    let judged = NewPassword::judge(password?, &config.passwords.policy, &about);
    let broken = judged.as_ref().err().into_iter().flatten();
    broken.for_each(|invalid| data.refuse("password", &invalid.message));
    judged.ok()
}

#[derive(ToSchema)]
#[schema(as = dj_auth_api::LogIn)]
pub(super) struct LogIn {
    #[schema(value_type = String, format = Email)]
    pub(super) email: Email,
    #[schema(value_type = String, format = Password)]
    pub(super) password: Password,
}

impl Serializer for LogIn {
    fn read(data: &mut Data, _config: &Config) -> Option<Self> {
        let (email, password) = (data.parsed(&Text::of("email"), Email::parse), data.password("password"));
        Some(Self { email: email?, password: password? })
    }
}

/// The caller's own.
pub(super) type CloseAccount = LogIn;

#[derive(ToSchema)]
#[schema(as = dj_auth_api::Refresh)]
pub(super) struct RefreshOnly {
    pub(super) refresh_token: String,
}

impl Serializer for RefreshOnly {
    fn read(data: &mut Data, _config: &Config) -> Option<Self> {
        Some(Self { refresh_token: data.text(&Text::of("refresh_token"))? })
    }
}

#[derive(ToSchema)]
#[schema(as = dj_auth_api::ResetPassword)]
pub(super) struct ResetPassword {
    #[schema(value_type = String, format = Password)]
    pub(super) password: Password,
    #[schema(value_type = String, format = Password)]
    pub(super) password2: Password,
    pub(super) uidb64: String,
    pub(super) token: String,
}

impl Serializer for ResetPassword {
    fn read(data: &mut Data, _config: &Config) -> Option<Self> {
        let [password, password2] = ["password", "password2"].map(|name| data.password(name));
        let [uidb64, token] = ["uidb64", "token"].map(|name| data.text(&Text::of(name).up_to(100)));
        Some(Self { password: password?, password2: password2?, uidb64: uidb64?, token: token? })
    }
}

/// At least one of them.
#[derive(ToSchema)]
#[schema(as = dj_auth_api::UpdateProfile)]
pub(super) struct UpdateProfile {
    /// The present one.
    #[schema(value_type = Option<String>, format = Email)]
    pub(super) email: Option<Email>,
    /// 2 to 100 characters.
    #[schema(value_type = Option<String>)]
    pub(super) first_name: Option<Name>,
    /// 2 to 100 characters.
    #[schema(value_type = Option<String>)]
    pub(super) last_name: Option<Name>,
}

impl Serializer for UpdateProfile {
    fn read(data: &mut Data, _config: &Config) -> Option<Self> {
        let email = data.parsed(&Text::of("email").optional().or_blank().or_null(), Email::parse);
        let names = [("first_name", "name"), ("last_name", "last name")];
        let [first_name, last_name] = names.map(|(member, noun)| {
            let name = data.parsed(&Text::of(member).optional().or_blank().or_null(), Name::parse)?;
            if !(2..=100).contains(&name.as_str().chars().count()) {
                data.refuse("detail", &format!("The {noun} must be between 2 and 100 characters."));
            }
            Some(name)
        });
        if email.is_none() && first_name.is_none() && last_name.is_none() && !data.is_refused_at_all() {
            data.refuse("detail", "Please enter a field to edit: email, first_name, last_name.");
        }
        Some(Self { email, first_name, last_name })
    }
}

/// A user whom an administrator makes, or describes anew.
#[derive(ToSchema)]
#[schema(as = dj_auth_api::NewUser)]
pub(super) struct NewUser {
    #[schema(value_type = String, format = Email)]
    pub(super) email: Email,
    #[schema(value_type = String)]
    pub(super) first_name: Name,
    #[schema(value_type = String)]
    pub(super) last_name: Name,
    #[schema(value_type = String, format = Password)]
    pub(super) password: Password,
    #[schema(value_type = bool, required = false)]
    pub(super) is_active: Option<bool>,
    #[schema(value_type = bool, required = false)]
    pub(super) is_staff: Option<bool>,
}

impl Serializer for NewUser {
    fn read(data: &mut Data, config: &Config) -> Option<Self> {
        let email = data.parsed(&Text::of("email"), Email::parse);
        let [first_name, last_name] =
            ["first_name", "last_name"].map(|name| data.parsed(&Text::of(name).up_to(150), Name::parse));
        let password = data.password("password");
        judged(data, config, [&first_name, &last_name], email.as_ref(), password.clone());
        let [is_active, is_staff] = ["is_active", "is_staff"].map(|name| data.boolean(name));
        Some(Self {
            email: email?,
            first_name: first_name?,
            last_name: last_name?,
            password: password?,
            is_active,
            is_staff,
        })
    }
}

/// What an administrator changes about a user; the rest stays.
#[derive(Default, ToSchema)]
#[schema(as = dj_auth_api::ChangeUser)]
pub(super) struct ChangeUser {
    #[schema(value_type = Option<String>, format = Email)]
    pub(super) email: Option<Email>,
    #[schema(value_type = Option<String>)]
    pub(super) first_name: Option<Name>,
    #[schema(value_type = Option<String>)]
    pub(super) last_name: Option<Name>,
    #[schema(value_type = Option<String>, format = Password)]
    pub(super) password: Option<Password>,
    #[schema(value_type = bool, required = false)]
    pub(super) is_active: Option<bool>,
    #[schema(value_type = bool, required = false)]
    pub(super) is_staff: Option<bool>,
}

impl Serializer for ChangeUser {
    fn read(data: &mut Data, config: &Config) -> Option<Self> {
        let email = data.parsed(&Text::of("email").optional(), Email::parse);
        let [first_name, last_name] = ["first_name", "last_name"]
            .map(|name| data.parsed(&Text::of(name).optional().up_to(150), Name::parse));
        let password = data.optional_password("password");
        judged(data, config, [&first_name, &last_name], email.as_ref(), password.clone());
        let [is_active, is_staff] = ["is_active", "is_staff"].map(|name| data.boolean(name));
        Some(Self { email, first_name, last_name, password, is_active, is_staff })
    }
}

impl From<NewUser> for ChangeUser {
    fn from(body: NewUser) -> Self {
        Self {
            email: Some(body.email),
            first_name: Some(body.first_name),
            last_name: Some(body.last_name),
            password: Some(body.password),
            is_active: body.is_active,
            is_staff: body.is_staff,
        }
    }
}

#[derive(ToSchema)]
#[schema(as = dj_auth_api::NewGroup)]
pub(super) struct NewGroup {
    #[schema(value_type = String)]
    pub(super) name: GroupName,
    #[schema(value_type = Option<String>)]
    pub(super) description: Name,
    /// By number.
    pub(super) permissions: Vec<u64>,
}

impl Serializer for NewGroup {
    fn read(data: &mut Data, _config: &Config) -> Option<Self> {
        let name = data.parsed(&Text::of("name").up_to(150), GroupName::parse);
        let description = description(data).unwrap_or_default();
        let permissions = data.keys("permissions");
        if permissions.is_none() && !data.is_refused("permissions") {
            data.refuse("permissions", "This field is required.");
        }
        Some(Self { name: name?, description, permissions: permissions? })
    }
}

#[derive(ToSchema)]
#[schema(as = dj_auth_api::ChangeGroup)]
pub(super) struct ChangeGroup {
    #[schema(value_type = Option<String>)]
    pub(super) name: Option<GroupName>,
    #[schema(value_type = Option<String>)]
    pub(super) description: Option<Name>,
    /// By number.
    pub(super) permissions: Option<Vec<u64>>,
}

impl Serializer for ChangeGroup {
    fn read(data: &mut Data, _config: &Config) -> Option<Self> {
        let name = data.parsed(&Text::of("name").optional().up_to(150), GroupName::parse);
        let (description, permissions) = (description(data), data.keys("permissions"));
        Some(Self { name, description, permissions })
    }
}

impl From<NewGroup> for ChangeGroup {
    fn from(body: NewGroup) -> Self {
        let (description, permissions) = (Some(body.description), Some(body.permissions));
        Self { name: Some(body.name), description, permissions }
    }
}

/// None: nothing is said of it. `null` and a blank one are none.
fn description(data: &mut Data) -> Option<Name> {
    let is_said = data.has("description");
    let text = data.text(&Text::of("description").optional().or_blank().or_null());
    let name = Name::parse(&text.unwrap_or_default());
    let name = name.map_err(|invalid| data.refuse("description", &invalid.message)).ok();
    name.filter(|_| is_said)
}
