//! Guessing a password: what it costs, and whom. Every place that compares a password begins and ends here.
//!
//! Looked at before the hash, so that a guess too many costs no hash; counted after it, in the transaction that acts on
//! the answer, so that many guesses at once are counted like one after the other.

use std::net::IpAddr;

use crate::app::App;
use crate::config::LimitKind;
use crate::crypto::token::fingerprint;
use crate::domain::{Guesses, Lane, LaneState, Origin, PlainToken, Rate, Target, Timestamp, UserId};
use crate::flows::FlowError;
use crate::limiter::neighbourhood;
use crate::store::{ReadTx, StoreError, WriteTx};

/// One comparison of one password.
#[derive(Debug, Clone)]
pub(crate) struct Guess {
    target: Target,
    lane: Lane,
    /// None: limits are off, and nothing is counted.
    rate: Option<Rate>,
    now: Timestamp,
    /// Wrong ones in a row before this one.
    failures: u32,
}

/// A user has at most this many clients with lanes of their own; the one that was seen longest ago makes room.
const MAX_CLIENTS: usize = 20;
/// How often it is noted that a client is still there, in milliseconds.
const NOTED_EVERY: std::time::Duration = std::time::Duration::from_secs(86_400);

impl Guess {
    /// Somebody logs in from outside. Whether anybody is meant makes no difference to what is done here.
    pub(crate) fn from_outside(
        app: &App,
        target: Target,
        origin: &Origin,
        device: Option<&PlainToken>,
    ) -> Result<Self, FlowError> {
        let read = app.store.read()?;
        let mut known = Vec::new();
        for client in clients(origin.ip, device) {
            known.extend(read.guesses(target, client)?.map(|_| client));
        }
        let lane = known.first().copied().unwrap_or(Lane::Strangers);
        Self::new(app, &read, target, lane, LimitKind::Login)
    }

    /// Somebody who is logged in gives their password once more.
    pub(crate) fn from_session(app: &App, user: UserId) -> Result<Self, FlowError> {
        Self::new(app, &app.store.read()?, Target::User(user), Lane::Session, LimitKind::Password)
    }

    fn new(app: &App, read: &ReadTx, target: Target, lane: Lane, kind: LimitKind) -> Result<Self, FlowError> {
        let rate = app.config.limits.guesses(kind);
        let guess = Self { target, lane, rate, now: app.clock.now(), failures: 0 };
        guess.state(read)?;
        let failures = guess.stored(read)?.failures;
        Ok(Self { failures, ..guess })
    }

    /// Whether a right one still counts; an error if there is a pause by now. Asked after the hash whatever came of it:
    /// of many at once, those that are too many must all cost the same.
    pub(crate) fn is_open(&self, app: &App) -> Result<bool, FlowError> {
        self.state(&app.store.read()?)
    }

    /// Whether this one may end the row, with as many beside it as may come at once: then its owner is to hear of it.
    pub(crate) fn is_nearly_the_last(&self) -> bool {
        self.rate.is_some_and(|rate| self.failures.saturating_add(rate.count) >= Guesses::MAX_FAILURES)
    }

    /// Counts a wrong one; true if it was the last.
    pub(crate) fn fail(&self, tx: &mut WriteTx) -> Result<bool, FlowError> {
        let Some(rate) = &self.rate else { return Ok(false) };
        let was_stopped = !self.state(tx)?;
        let guesses = self.stored(tx)?.failed(rate, self.now);
        tx.save_guesses(self.target, self.lane, &guesses)?;
        Ok(!was_stopped && guesses.failures >= Guesses::MAX_FAILURES)
    }

    /// Ends the row with a right one. False: it is too late for a right one, and it counts for nothing.
    pub(crate) fn succeed(&self, tx: &mut WriteTx) -> Result<bool, FlowError> {
        if !self.state(tx)? {
            return Ok(false);
        }
        let before = self.stored(tx)?;
        let guesses = before.succeeded();
        if guesses.is_blank(self.now) {
            tx.remove_guesses(self.target, self.lane)?;
        } else if guesses != before {
            tx.save_guesses(self.target, self.lane, &guesses)?;
        }
        Ok(true)
    }

    /// False if the row is over; an error while there is a pause.
    fn state(&self, read: &ReadTx) -> Result<bool, FlowError> {
        let Some(rate) = &self.rate else { return Ok(true) };
        match self.stored(read)?.state(rate, self.now) {
            LaneState::Open => Ok(true),
            LaneState::Stopped => Ok(false),
            LaneState::Wait(retry_after) => Err(FlowError::RateLimited { limit: rate.count, retry_after }),
        }
    }

    fn stored(&self, read: &ReadTx) -> Result<Guesses, StoreError> {
        Ok(read.guesses(self.target, self.lane)?.unwrap_or(Guesses::NONE))
    }
}

/// Gives whoever just proved to be the owner a lane of their own, by their address and, if they have one, by the new
/// name of their browser, which takes the place of `old`.
pub(crate) fn remember_client(
    tx: &mut WriteTx,
    user: UserId,
    ip: Option<IpAddr>,
    old: Option<&PlainToken>,
    new: Option<&PlainToken>,
    now: Timestamp,
) -> Result<(), StoreError> {
    let target = Target::User(user);
    if let (Some(old), Some(_)) = (old, new) {
        tx.remove_guesses(target, device_lane(old))?;
    }
    for client in clients(ip, new) {
        let known = tx.guesses(target, client)?;
        let is_fresh = |guesses: &Guesses| guesses.known_at.is_some_and(|at| now < at.after(NOTED_EVERY));
        if known.as_ref().is_some_and(is_fresh) {
            continue;
        }
        if known.is_none() {
            make_room(tx, target)?;
        }
        let guesses = known.unwrap_or(Guesses::NONE);
        tx.save_guesses(target, client, &Guesses { known_at: Some(now), ..guesses })?;
    }
    Ok(())
}

fn make_room(tx: &mut WriteTx, target: Target) -> Result<(), StoreError> {
    let mut clients = tx.lanes_of(target)?;
    clients.retain(|(lane, _)| matches!(lane, Lane::Client(_)));
    clients.sort_by_key(|(_, guesses)| guesses.known_at);
    let surplus = (clients.len() + 1).saturating_sub(MAX_CLIENTS);
    for (lane, _) in clients.into_iter().take(surplus) {
        tx.remove_guesses(target, lane)?;
    }
    Ok(())
}

/// The lanes that a client may have, the more certain first.
fn clients(ip: Option<IpAddr>, device: Option<&PlainToken>) -> impl Iterator<Item = Lane> {
    let address = ip.map(|ip| {
        let bytes = match neighbourhood(ip) {
            IpAddr::V4(ip) => ip.octets().to_vec(),
            IpAddr::V6(ip) => ip.octets().to_vec(),
        };
        Lane::Client(fingerprint("address", &bytes))
    });
    device.map(device_lane).into_iter().chain(address)
}

fn device_lane(device: &PlainToken) -> Lane {
    Lane::Client(fingerprint("device", device.expose().as_bytes()))
}
