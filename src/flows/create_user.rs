//! An operator makes an account.

use crate::app::App;
use crate::domain::{Origin, User};
use crate::flows::FlowError;
use crate::flows::steps::{CreateUser, NewAccount, Rank};

const HOW: &str = "command line";

/// Makes the account, active at once or waiting for its mailed code.
pub(crate) async fn create_user(app: &App, origin: &Origin, wish: CreateUser) -> Result<User, FlowError> {
    let account = NewAccount::of(app, origin, wish, HOW).await?;
    app.store.write(move |tx| account.insert(tx)).await
}

/// Makes the account unless there is a superuser who can administer: of several that ask at once, one gets it.
pub(crate) async fn create_first_superuser(
    app: &App,
    origin: &Origin,
    wish: CreateUser,
) -> Result<Option<User>, FlowError> {
    if app.store.read()?.has_ruler()? {
        return Ok(None);
    }
    let wish = CreateUser { rank: Rank::Superuser, ..wish };
    let account = NewAccount::of(app, origin, wish, HOW).await?;
    app.store.write(move |tx| if tx.has_ruler()? { Ok(None) } else { account.insert(tx).map(Some) }).await
}
