//! Requests for other programs that a proxy asks about, and the rules by which they pass.
//!
//! The first rule that a request falls under decides; one that falls under none is denied. Must never: let the spelling of
//! a host or a path choose the rule.

mod host;
mod path;

use crate::domain::{GroupName, PermissionName};

pub(crate) use host::{HostPattern, RequestHost};
pub(crate) use path::{PathPattern, RequestPath};

/// A request that a proxy holds back until it knows whether it may pass.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ForwardRequest {
    pub(crate) method: RequestMethod,
    pub(crate) host: RequestHost,
    pub(crate) path: RequestPath,
}

/// A method (RFC 9110, section 9.1) of capital letters, as all that are registered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RequestMethod(String);

const MAX_METHOD: usize = 32;

impl RequestMethod {
    /// Programs differ in what they make of `get`: it is none.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let is_method = (1..=MAX_METHOD).contains(&text.len())
            && text.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'-');
        is_method.then(|| Self(text.to_owned()))
    }

    /// Programs answer HEAD with what they would do for GET.
    fn is_meant_by(&self, rule: &Self) -> bool {
        self == rule || (self.0 == "HEAD" && rule.0 == "GET")
    }

    pub(crate) fn is_get(&self) -> bool {
        self.0 == "GET"
    }
}

/// Which requests a rule is for, and who may pass. An empty list of hosts, paths or methods is all of them.
#[derive(Debug, Clone)]
pub(crate) struct ForwardRule {
    pub(crate) hosts: Vec<HostPattern>,
    pub(crate) paths: Vec<PathPattern>,
    pub(crate) methods: Vec<RequestMethod>,
    pub(crate) policy: ForwardPolicy,
}

/// Who may pass.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ForwardPolicy {
    Public,
    /// Whoever is signed in, is in one of these groups, if there are any, and has every one of these permissions.
    SignedIn {
        groups: Vec<GroupName>,
        permissions: Vec<PermissionName>,
    },
    Deny,
}

/// All rules, in their order.
#[derive(Debug, Clone, Default)]
pub(crate) struct ForwardRules(Vec<ForwardRule>);

impl ForwardRules {
    pub(crate) fn new(rules: Vec<ForwardRule>) -> Self {
        Self(rules)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What holds for a request. One whose path falls under another rule if it is read carelessly is denied: nobody knows
    /// how the program behind the proxy reads it.
    pub(crate) fn policy(&self, request: &ForwardRequest) -> &ForwardPolicy {
        let exactly = self.first(request, PathPattern::takes);
        let carelessly = self.first(request, PathPattern::takes_carelessly);
        match exactly {
            Some((place, rule)) if carelessly.is_some_and(|(other, _)| other == place) => &rule.policy,
            _ => &ForwardPolicy::Deny,
        }
    }

    fn first(
        &self,
        request: &ForwardRequest,
        takes: impl Fn(&PathPattern, &RequestPath) -> bool,
    ) -> Option<(usize, &ForwardRule)> {
        self.0.iter().enumerate().find(|(_, rule)| {
            is_any(&rule.hosts, |host| host.takes(&request.host))
                && is_any(&rule.methods, |method| request.method.is_meant_by(method))
                && is_any(&rule.paths, |path| takes(path, &request.path))
        })
    }
}

fn is_any<T>(list: &[T], is_it: impl Fn(&T) -> bool) -> bool {
    list.is_empty() || list.iter().any(is_it)
}

#[cfg(test)]
mod tests;
