//! Who is in front of a page: whom the cookies of the browser stand for.

use crate::app::App;
use crate::domain::Origin;
use crate::flows::{self, Caller, FlowError, LoggedIn};
use crate::http::cookies;
use crate::http::error::ApiError;
use crate::http::reply::Reply;
use crate::http::request::Req;

/// Somebody who is signed in.
pub(super) struct Visitor {
    caller: Caller,
    fresh: Fresh,
}

/// Tokens that took the place of those of the browser: they go with the reply, whatever it is.
pub(super) struct Fresh(Option<LoggedIn>);

impl Visitor {
    pub(super) fn into_parts(self) -> (Caller, Fresh) {
        (self.caller, self.fresh)
    }
}

/// What a browser shows of itself.
pub(super) struct Shown {
    access: Option<String>,
    refresh: Option<String>,
    origin: Origin,
}

impl Shown {
    pub(super) fn of(app: &App, req: &Req) -> Self {
        let config = &app.config.cookies;
        let cookie = |name| cookies::only(req.headers(), name).map(str::to_owned);
        Self {
            access: cookie(&config.access_name),
            refresh: cookie(&config.refresh_name),
            origin: req.whole_origin(),
        }
    }

    /// Takes the access token, or else lets the refresh token get another: a log-in that lives asks for no password.
    pub(super) async fn visitor(self, app: &App) -> Result<Option<Visitor>, ApiError> {
        let origin = || self.origin.clone();
        let by_access = self.access.and_then(|token| accepted(flows::authenticate(app, origin(), &token)));
        // An old token belongs to no log-in: its refresh token makes one.
        if let Some(caller) = by_access.transpose()?.filter(|caller| caller.session().is_some()) {
            return Ok(Some(Visitor { caller, fresh: Fresh(None) }));
        }
        let Some(refresh) = self.refresh else { return Ok(None) };
        let Some(logged_in) = accepted(flows::refresh(app, &self.origin, &refresh).await) else {
            return Ok(None);
        };
        let logged_in = logged_in?;
        let caller = flows::authenticate(app, self.origin, &logged_in.tokens.access)?;
        Ok(Some(Visitor { caller, fresh: Fresh(Some(logged_in)) }))
    }
}

impl Fresh {
    /// Sets the cookies that the browser has to have from now on, unless the reply has some of its own.
    pub(super) fn give(&self, app: &App, reply: Reply) -> Reply {
        match &self.0 {
            Some(logged_in) if !reply.sets_cookies() => cookies::give_tokens(app, reply, logged_in),
            _ => reply,
        }
    }
}

/// None where the token is worth nothing; what else went wrong is told.
fn accepted<T>(outcome: Result<T, FlowError>) -> Option<Result<T, ApiError>> {
    match outcome {
        Err(FlowError::InvalidToken) => None,
        outcome => Some(outcome.map_err(ApiError::from)),
    }
}
