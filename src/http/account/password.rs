//! Changing one's password.

use minijinja::{Value, context};
use warp::http::Method;

use crate::config::LimitKind;
use crate::flows;
use crate::http::account::{PASSWORD, member, next_of, own_facts, own_page, see_other};
use crate::http::caller::User;
use crate::http::endpoint::{Cx, Endpoint};
use crate::http::error::ApiError;
use crate::http::form::{Form, rules};
use crate::http::next::Next;
use crate::http::reply::Reply;
use crate::http::request::Req;
use crate::http::routes::ChangePassword;

const TEMPLATE: &str = "account/password.html";

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![
        member(Method::GET, PASSWORD, show),
        member(Method::POST, PASSWORD, change).limited_by(LimitKind::Password),
    ]
}

async fn show(cx: Cx<User>, req: Req) -> Result<Reply, ApiError> {
    let facts = context! { next => next_of(&cx.app, &req), ..facts(&cx) };
    Ok(own_page(&cx, &req, TEMPLATE, facts))
}

async fn change(cx: Cx<User>, mut req: Req) -> Result<Reply, ApiError> {
    let form = Form::read(&mut req).await?;
    match attempt(&cx, &form).await {
        Ok(()) => {
            let next = form.next(&cx.app.config);
            Ok(see_other(next.as_ref().map_or("/account/?done=password", Next::as_str)))
        }
        Err(error) => form.again(&cx.app, &req, TEMPLATE, error, own_facts(&cx.caller, facts(&cx))),
    }
}

async fn attempt(cx: &Cx<User>, form: &Form) -> Result<(), ApiError> {
    let ChangePassword { old_password, new_password } =
        form.parse(&cx.app.config, &["old_password", "new_password"])?;
    flows::change_password(&cx.app, &cx.caller, &old_password, new_password).await?;
    Ok(())
}

fn facts(cx: &Cx<User>) -> Value {
    context! { here => "password", ..rules(&cx.app.config) }
}
