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
}

/// What a caller has to pass.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Gate {
    pub(crate) access: Access,
    /// Whether an API key is not enough.
    pub(crate) needs_session: bool,
    /// Whether it is open to somebody who has to choose a password first.
    pub(crate) takes_temporary_password: bool,
}

impl Gate {
    /// For whoever is a user at all.
    pub(crate) const USER: Self =
        Self { access: Access::User, needs_session: false, takes_temporary_password: true };
}
