//! An administrator makes an account.

use crate::app::App;
use crate::domain::{
    Avatar, Changes, CodePurpose, Email, EventKind, GroupName, Name, NewPassword, NewUser, Password,
    PasswordHash, PermissionName, PersonalFacts, User, Username,
};
use crate::flows::steps::{
    Actor, Authority, Binding, Term, act, allow_new_names, groups_named, new_verification, not_too_many,
    permissions_named, spend_a_hash,
};
use crate::flows::{Caller, FlowError};

/// What an administrator says about the new account.
#[derive(Debug, Clone)]
pub(crate) struct AddUser {
    pub(crate) email: Option<Email>,
    pub(crate) username: Option<Username>,
    pub(crate) first_name: Name,
    pub(crate) last_name: Name,
    pub(crate) avatar: Option<Avatar>,
    /// None: an account that no password opens.
    pub(crate) password: Option<Password>,
    pub(crate) term: Term,
    pub(crate) is_active: bool,
    pub(crate) is_staff: bool,
    pub(crate) is_superuser: bool,
    /// None: the administrator vouches for the address of an account that is active at once.
    pub(crate) email_verified: Option<bool>,
    pub(crate) groups: Vec<GroupName>,
    pub(crate) permissions: Vec<PermissionName>,
    pub(crate) letter: FirstLetter,
}

/// Whether the new user is written to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FirstLetter {
    None,
    /// A code that confirms the address, and makes an inactive account active; none if the address is verified.
    Code,
}

/// Makes the account. What it may do, the administrator may do too; only superusers make staff and superusers.
pub(crate) async fn add_user(app: &App, caller: &Caller, wish: AddUser) -> Result<User, FlowError> {
    allow_new_names(wish.username.as_ref(), wish.email.as_ref())?;
    let authority = Authority::of(app, caller, "users.add_user");
    if wish.groups.iter().any(GroupName::is_root) {
        return Err(FlowError::PermissionDenied);
    }
    // Who may not is told before the hash, and asked again after it.
    let actor = authority.actor(&app.store.read()?)?;
    let password = hash_of(app, &actor, &wish).await?;
    let now = app.clock.now();
    let email_verified = wish.email_verified.unwrap_or(wish.is_active) && wish.email.is_some();
    let new = NewUser {
        email: wish.email,
        username: wish.username,
        first_name: wish.first_name,
        last_name: wish.last_name,
        avatar: wish.avatar,
        password_is_temporary: password.is_some() && wish.term == Term::Temporary,
        password,
        is_active: wish.is_active,
        is_staff: wish.is_staff,
        is_superuser: wish.is_superuser,
        email_verified,
        ..NewUser::default()
    };
    let verification = match &new.email {
        Some(email) if wish.letter == FirstLetter::Code && !email_verified => {
            Some(new_verification(app, &caller.origin, Binding::Address(email), email, &[], now)?)
        }
        _ => None,
    };
    let event = act(caller, EventKind::UserCreated, now);
    app.store
        .write(move |tx| {
            let actor = authority.actor(tx)?;
            if (new.is_staff || new.is_superuser) && !actor.is_superuser {
                return Err(FlowError::PermissionDenied);
            }
            let groups = not_too_many("groups", groups_named(&actor.directory, &wish.groups)?)?;
            let permissions =
                not_too_many("permissions", permissions_named(&actor.directory, &wish.permissions)?)?;
            actor.grant(&groups, &permissions)?;
            let user = tx.insert_user(&NewUser { groups, permissions, ..new.clone() }, now)?;
            if let Some((code, mail)) = &verification {
                tx.save_code(user.id, CodePurpose::VerifyEmail, code)?;
                tx.enqueue_mail(mail)?;
            }
            let changes = Changes::of_user(&actor.directory, None, Some(&user));
            tx.append_event(&event.clone().about(&user).telling(&changes))?;
            Ok(user)
        })
        .await
}

/// The hash of the password, which the rules hold for in the light of what is said of the person.
async fn hash_of(app: &App, actor: &Actor, wish: &AddUser) -> Result<Option<PasswordHash>, FlowError> {
    let Some(password) = wish.password.clone() else { return Ok(None) };
    let (username, email) = (wish.username.as_ref(), wish.email.as_ref());
    let facts = PersonalFacts::new(username, &wish.first_name, &wish.last_name, email);
    let password = NewPassword::judge(password, &app.config.passwords.policy, &facts)
        .map_err(|broken| FlowError::Invalid("password", broken))?;
    spend_a_hash(app, actor)?;
    Ok(Some(app.passwords.hash(password.as_password()).await?))
}
