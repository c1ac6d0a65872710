//! App: the adapters of the world outside, opened from a configuration and handed to every flow.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use arc_swap::{ArcSwap, Guard};
use tokio::sync::{mpsc, oneshot};

use crate::clock::Clock;
use crate::config::Config;
use crate::crypto::{Keyring, KeyringError, KnownPasswords, PasswordPool, Sealer, keys, random, seal};
use crate::domain::{Algorithm, KeyUse, MailId, Password, SetupLink, SigningKey, Timestamp, User};
use crate::limiter::Limiter;
use crate::mail::{TemplateError, Templates, Transport, TransportError};
use crate::store::{Store, StoreError, WriteTx};

/// Everything a flow may use.
pub(crate) struct App {
    pub(crate) config: Config,
    pub(crate) clock: Clock,
    pub(crate) started_at: Timestamp,
    pub(crate) limiter: Limiter,
    pub(crate) store: Store,
    /// Hashes passwords on a few threads of its own.
    pub(crate) passwords: PasswordPool,
    /// Those that were right lately, for clients that send theirs with each request.
    pub(crate) known_passwords: KnownPasswords,
    pub(crate) templates: Templates,
    pub(crate) transport: Transport,
    /// Keeps mails unreadable while they wait. Its key stays the same.
    pub(crate) sealer: Sealer,
    /// Replaced whole when keys rotate, by one at a time: the older of two must not come last.
    keyring: ArcSwap<Keyring>,
    reload: Mutex<()>,
    /// Mails that were delivered, and could not be taken out of the outbox yet.
    delivered: Mutex<HashSet<MailId>>,
    /// The link to the first administrator, if one was offered and not used.
    setup: Mutex<Option<SetupLink>>,
    /// Nothing, in a service that lasts.
    pub(crate) dev: OnceLock<Dev>,
}

/// What a service has that is thrown away at its end.
pub(crate) struct Dev {
    pub(crate) personas: Vec<Persona>,
    pub(crate) orders: mpsc::Sender<Order>,
}

/// Somebody who is there from the start.
#[derive(Debug, Clone)]
pub(crate) struct Persona {
    pub(crate) user: Arc<User>,
    pub(crate) password: Option<Password>,
    pub(crate) access: String,
    pub(crate) access_expires_at: Timestamp,
}

/// What is asked of whoever runs a throw-away service. The answer says that it is done.
pub(crate) enum Order {
    /// A new service takes the place of this one.
    StartAgain(oneshot::Sender<Result<(), String>>),
    /// Time went by: what happens by itself is to happen now.
    CatchUp(oneshot::Sender<Result<(), String>>),
}

/// Why the service cannot start.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AppError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("signing keys: {0}")]
    Keys(#[from] KeyringError),
    #[error("the key that seals mails is damaged")]
    SealKey,
    #[error("mail templates: {0}")]
    Templates(#[from] TemplateError),
    #[error("mail: {0}")]
    Transport(#[from] TransportError),
    #[error("passwords: {0}")]
    Passwords(#[source] std::io::Error),
}

impl App {
    /// Opens or creates the store, and makes what keys are missing.
    pub(crate) async fn open(config: Config, clock: Clock) -> Result<Self, AppError> {
        let templates = Templates::load(&config.server.public_url, config.mail.templates.as_deref())?;
        let transport = Transport::open(&config.mail)?;
        let passwords = PasswordPool::start(&config.passwords).map_err(AppError::Passwords)?;
        let now = clock.now();
        let store = Store::open(&config.store.path, random::bytes(), now)?;
        make_missing_keys(&store, &config, now).await?;
        let keyring = ArcSwap::from_pointee(load_keyring(&store, &config)?);
        let sealer = load_sealer(&store)?;
        let reload = Mutex::default();
        let limiter = Limiter::new(config.limits.clone());
        Ok(Self {
            config,
            clock,
            started_at: now,
            limiter,
            store,
            passwords,
            known_passwords: KnownPasswords::new(),
            templates,
            transport,
            sealer,
            keyring,
            reload,
            delivered: Mutex::default(),
            setup: Mutex::default(),
            dev: OnceLock::new(),
        })
    }

    /// The keys that sign and verify now.
    pub(crate) fn keyring(&self) -> Guard<Arc<Keyring>> {
        self.keyring.load()
    }

    /// Takes up the keys that the store holds now.
    pub(crate) fn reload_keyring(&self) -> Result<(), AppError> {
        let _one_at_a_time = self.reload.lock().unwrap_or_else(PoisonError::into_inner);
        self.keyring.store(Arc::new(load_keyring(&self.store, &self.config)?));
        Ok(())
    }

    pub(crate) fn delivered(&self) -> MutexGuard<'_, HashSet<MailId>> {
        self.delivered.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn setup(&self) -> MutexGuard<'_, Option<SetupLink>> {
        self.setup.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Finishes the writes that wait and takes no more.
    pub(crate) async fn close(&self) {
        self.store.close().await;
    }
}

impl AppError {
    /// Another process has the store open.
    pub(crate) fn is_locked(&self) -> bool {
        matches!(self, Self::Store(StoreError::Locked(_)))
    }

    /// The configuration has to change; trying again with the same one is in vain.
    pub(crate) fn is_configuration(&self) -> bool {
        match self {
            Self::Keys(error) => matches!(error, KeyringError::NoSecret),
            Self::Transport(error) => !matches!(error, TransportError::Directory { .. }),
            Self::Passwords(error) => error.kind() == std::io::ErrorKind::InvalidInput,
            Self::Templates(error) => matches!(error, TemplateError::Override { .. }),
            Self::Store(_) | Self::SealKey => false,
        }
    }
}

fn load_keyring(store: &Store, config: &Config) -> Result<Keyring, AppError> {
    Ok(Keyring::new(&store.read()?.signing_keys()?, &config.tokens, config.server.base_url())?)
}

fn load_sealer(store: &Store) -> Result<Sealer, AppError> {
    let key = store.read()?.seal_key()?;
    key.and_then(|key| Sealer::new(key.material.expose())).ok_or(AppError::SealKey)
}

/// At the first start there is no key at all; later, one is missing if the configuration names another algorithm, or if
/// the file is from a Keystead that did not seal.
async fn make_missing_keys(store: &Store, config: &Config, now: Timestamp) -> Result<(), StoreError> {
    let keys = store.read()?.signing_keys()?;
    let signs = |usage, algorithm| {
        keys.iter().any(|key| key.usage == usage && key.algorithm == algorithm && key.signs())
    };
    let algorithm = config.tokens.algorithm;
    let retires_at = now.after(config.tokens.longest_access());
    if !signs(KeyUse::Refresh, Algorithm::Hs256) {
        let key = keys::generate(Algorithm::Hs256, KeyUse::Refresh, now);
        store.write(move |tx| take_over(tx, &key, retires_at)).await?;
    }
    if algorithm != Algorithm::Hs256 && !signs(KeyUse::Access, algorithm) {
        let key = keys::generate(algorithm, KeyUse::Access, now);
        store.write(move |tx| take_over(tx, &key, retires_at)).await?;
    }
    if store.read()?.seal_key()?.is_none() {
        let key = seal::generate(now);
        store.write(move |tx| tx.save_seal_key(&key)).await?;
    }
    Ok(())
}

/// Lets `key` sign from now on; those that did before verify what they signed until `retires_at`.
pub(crate) fn take_over(tx: &mut WriteTx, key: &SigningKey, retires_at: Timestamp) -> Result<(), StoreError> {
    for mut old in tx.signing_keys()? {
        if old.usage == key.usage && old.signs() {
            old.retires_at = Some(retires_at);
            tx.save_signing_key(&old)?;
        }
    }
    tx.save_signing_key(key)
}
