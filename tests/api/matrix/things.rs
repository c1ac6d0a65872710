//! What paths name, and whose that is to whoever calls.
//!
//! A new endpoint whose path has a parameter that is not in `PARAMETERS` fails the matrix until it is.

/// A kind of thing with an identity: one may be there, be somebody else's, or be missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Noun {
    User,
    Session,
    ApiKey,
    /// A session, named after its user: `12/SESSION`.
    UsersSession,
    UsersApiKey,
    Group,
    Permission,
    Mail,
    Registration,
}

/// What stands in the place of a parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Parameter {
    Thing(Noun),
    /// Together with the user before it.
    OfUser(Noun),
    /// A word that is as good as any other.
    Word,
}

/// Each parameter with what stands before it. `World::thing` says how to come by a thing of a kind.
const PARAMETERS: &[(&str, Parameter)] = &[
    ("users/{id}", Parameter::Thing(Noun::User)),
    ("sessions/{id}", Parameter::Thing(Noun::Session)),
    ("api-keys/{id}", Parameter::Thing(Noun::ApiKey)),
    ("sessions/{session}", Parameter::OfUser(Noun::UsersSession)),
    ("api-keys/{key}", Parameter::OfUser(Noun::UsersApiKey)),
    ("groups/{id}", Parameter::Thing(Noun::Group)),
    ("permissions/{id}", Parameter::Thing(Noun::Permission)),
    ("outbox/{id}", Parameter::Thing(Noun::Mail)),
    ("registrations/{id}", Parameter::Thing(Noun::Registration)),
    ("has_group/{name}", Parameter::Word),
    ("has_permission/{name}", Parameter::Word),
    ("verify/{uid}", Parameter::Word),
    ("{uid}/{token}", Parameter::Word),
    ("admin/{screen}", Parameter::Word),
    ("assets/{version}", Parameter::Word),
    ("{version}/{file}", Parameter::Word),
];

/// Whose the thing is that a path names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Whose {
    /// The caller's, or the caller.
    Own,
    /// Another user's, or another user.
    Others,
    /// A superuser who is not the caller.
    Superusers,
    /// One that belongs to nobody.
    Nobodys,
    /// There is none of this name.
    Missing,
    /// The path names no thing.
    Nothing,
}

impl Noun {
    /// What users have, each their own.
    pub(super) const OWNED: [Self; 5] =
        [Self::User, Self::Session, Self::ApiKey, Self::UsersSession, Self::UsersApiKey];
    /// What the whole service has.
    pub(super) const SHARED: [Self; 4] = [Self::Group, Self::Permission, Self::Mail, Self::Registration];

    pub(super) fn whose(this: Option<Self>) -> &'static [Whose] {
        match this {
            None => &[Whose::Nothing],
            Some(Self::User | Self::UsersSession | Self::UsersApiKey) => {
                &[Whose::Own, Whose::Others, Whose::Superusers, Whose::Missing]
            }
            Some(Self::Session | Self::ApiKey) => &[Whose::Own, Whose::Others, Whose::Missing],
            Some(Self::Group | Self::Permission | Self::Mail | Self::Registration) => {
                &[Whose::Nobodys, Whose::Missing]
            }
        }
    }

    /// What no thing of this kind is called.
    pub(super) fn missing(self) -> &'static str {
        match self {
            Self::User | Self::Group | Self::Permission => "999999999",
            Self::UsersSession | Self::UsersApiKey => "999999999/018f3b5c-7a10-7000-8000-000000000000",
            Self::Session | Self::ApiKey | Self::Mail | Self::Registration => {
                "018f3b5c-7a10-7000-8000-000000000000"
            }
        }
    }
}

/// The kind of thing that a path names; what is wrong if nobody can tell.
pub(super) fn noun_of(path: &str) -> Result<Option<Noun>, String> {
    let mut named = None;
    for at in parameters_of(path)? {
        match at {
            Parameter::OfUser(noun) if named == Some(Noun::User) => named = Some(noun),
            Parameter::Thing(_) | Parameter::OfUser(_) if named.is_some() => {
                return Err(format!(
                    "{path} names two things: tests/api/matrix knows paths with one, or one of a user"
                ));
            }
            Parameter::Thing(noun) | Parameter::OfUser(noun) => named = Some(noun),
            Parameter::Word => {}
        }
    }
    Ok(named)
}

/// The path with this thing in its place, and a word in every other.
pub(super) fn url_of(path: &str, thing: &str) -> String {
    let mut parameters = parameters_of(path).unwrap_or_default().into_iter();
    let mut names = thing.split('/');
    let parts = path.split('/').map(|part| match part.starts_with('{').then(|| parameters.next()) {
        None => part,
        Some(Some(Parameter::Thing(_) | Parameter::OfUser(_))) => names.next().unwrap_or_default(),
        Some(_) => "somebodys-own",
    });
    parts.collect::<Vec<_>>().join("/")
}

fn parameters_of(path: &str) -> Result<Vec<Parameter>, String> {
    let parts: Vec<&str> = path.split('/').collect();
    let pairs = parts.windows(2).filter(|pair| pair[1].starts_with('{')).map(|pair| pair.join("/"));
    pairs.map(|name| parameter(path, &name)).collect()
}

fn parameter(path: &str, name: &str) -> Result<Parameter, String> {
    let known = PARAMETERS.iter().find(|(one, _)| *one == name).map(|(_, parameter)| *parameter);
    known.ok_or_else(|| {
        format!(
            "{path}: nobody knows what stands in {name}: add it to PARAMETERS in tests/api/matrix/things.rs, and a \
             thing of a new kind to World::thing in tests/api/matrix/world.rs"
        )
    })
}
