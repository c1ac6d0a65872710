//! An administrator takes an account out of use, and brings it back.

use crate::app::App;
use crate::domain::{User, UserId};
use crate::flows::steps::{Measure, take};
use crate::flows::{Caller, FlowError};

/// Disables an account: its sessions, API keys and codes are over. Nothing is lost. One that is disabled already stays so.
pub(crate) async fn disable_user(app: &App, caller: &Caller, id: UserId) -> Result<(), FlowError> {
    take(app, caller, id, Measure::Disable).await.map(drop)
}

/// Lets the owner log in again, and vouches for their address. What ended when they were disabled stays over.
pub(crate) async fn enable_user(app: &App, caller: &Caller, id: UserId) -> Result<User, FlowError> {
    take(app, caller, id, Measure::Enable).await.map(|taken| taken.user)
}
