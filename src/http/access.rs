//! Who may call an endpoint, as the endpoint says it and the caller is held to it.

/// Who may call an endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    /// Everybody. Credentials that come along are not even looked at.
    Public,
    /// A user with an access token or, where no log-in is needed, an API key.
    User,
    /// The same, who is staff, whatever permissions they have.
    AnyStaff,
    /// The same, who is staff and has this permission.
    Staff(&'static str),
    /// The same, who has one of these: which of them it takes, what is asked for says.
    StaffWithOneOf(&'static [&'static str]),
    /// The same, who is a superuser: no permission is enough.
    Superuser,
}

/// What a caller has to pass.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Gate {
    pub(crate) access: Access,
    /// What staff need beside the permission that `access` names, where an answer tells of two kinds of things.
    pub(crate) also_needs: Option<&'static str>,
    /// Whether an API key is not enough.
    pub(crate) needs_session: bool,
    /// Whether it is open to somebody who has to choose a password first.
    pub(crate) takes_temporary_password: bool,
}

impl Gate {
    /// For whoever is a user at all.
    pub(crate) const USER: Self =
        Self { access: Access::User, also_needs: None, needs_session: false, takes_temporary_password: true };

    /// Every permission that staff need.
    pub(crate) fn permissions(&self) -> impl Iterator<Item = &'static str> + use<> {
        let named = match self.access {
            Access::Staff(permission) => Some(permission),
            Access::Public
            | Access::User
            | Access::AnyStaff
            | Access::StaffWithOneOf(_)
            | Access::Superuser => None,
        };
        named.into_iter().chain(self.also_needs)
    }

    /// Permissions of which staff need one.
    pub(crate) fn one_of(&self) -> &'static [&'static str] {
        match self.access {
            Access::StaffWithOneOf(permissions) => permissions,
            Access::Public | Access::User | Access::AnyStaff | Access::Staff(_) | Access::Superuser => &[],
        }
    }
}
