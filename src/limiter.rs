//! How often things are tried, counted in memory: by address, account and mailbox.
//!
//! Must never: grow with the number of strangers, ask the store, or count a wrong password (those are counted on the
//! disk, `flows/steps/guess.rs`: a restart forgives nothing).

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::config::{Limit, LimitKind, LimitsConfig, Scope};
use crate::domain::{EmailKey, MailKind, Standing, Target, Timestamp, UserId};

/// Counts things by whom or what they concern.
pub(crate) struct Limiter {
    limits: LimitsConfig,
    /// Hash of (rule, subject) -> when its bucket is full again.
    shards: [Mutex<HashMap<u64, Timestamp>>; SHARDS],
    hasher: RandomState,
}

const SHARDS: usize = 16;
/// Buckets in one shard; at some 20 bytes each all of them are 3 MB.
const BUCKETS: usize = 8192;

/// Whom a rule counts.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Subject<'a> {
    /// None (the command line) is not limited.
    Ip(Option<IpAddr>),
    Account(UserId),
    IpAndAccount(Option<IpAddr>, Target),
    /// Each kind of mail by itself.
    Mailbox(&'a EmailKey, MailKind),
}

/// Too often.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Exceeded {
    pub(crate) limit: u32,
    /// How long until one more is allowed.
    pub(crate) retry_after: Duration,
}

impl Limiter {
    pub(crate) fn new(limits: LimitsConfig) -> Self {
        Self { limits, shards: std::array::from_fn(|_| Mutex::default()), hasher: RandomState::new() }
    }

    /// Takes one by every rule of `kind` that counts this subject, and says what the tightest of them still allows;
    /// None if there is no such rule. Of many at once no more pass than a rule allows.
    pub(crate) fn take(
        &self,
        kind: LimitKind,
        subject: Subject<'_>,
        now: Timestamp,
    ) -> Result<Option<Standing>, Exceeded> {
        let mut tightest: Option<Standing> = None;
        for (hash, limit) in self.buckets(kind, subject) {
            let mut buckets = self.shard(hash).lock().unwrap_or_else(PoisonError::into_inner);
            let full_at = buckets.get(&hash).copied().unwrap_or(now);
            let before = limit.rate.standing(full_at, now);
            if let Some(retry_after) = before.wait {
                return Err(Exceeded { limit: before.limit, retry_after });
            }
            make_room(&mut buckets, now);
            let full_at = limit.rate.take(full_at, now);
            buckets.insert(hash, full_at);
            let after = limit.rate.standing(full_at, now);
            if tightest.is_none_or(|other| after.remaining < other.remaining) {
                tightest = Some(after);
            }
        }
        Ok(tightest)
    }

    /// Whether [`Limiter::take`] would pass now. Takes nothing.
    pub(crate) fn look(&self, kind: LimitKind, subject: Subject<'_>, now: Timestamp) -> Result<(), Exceeded> {
        for (hash, limit) in self.buckets(kind, subject) {
            let buckets = self.shard(hash).lock().unwrap_or_else(PoisonError::into_inner);
            let standing = limit.rate.standing(buckets.get(&hash).copied().unwrap_or(now), now);
            if let Some(retry_after) = standing.wait {
                return Err(Exceeded { limit: standing.limit, retry_after });
            }
        }
        Ok(())
    }

    /// The bucket that a subject has by each rule that counts it.
    fn buckets<'a>(
        &'a self,
        kind: LimitKind,
        subject: Subject<'a>,
    ) -> impl Iterator<Item = (u64, &'a Limit)> + 'a {
        let rules = self.limits.of(kind).iter().enumerate();
        let counting = rules.filter(move |(_, limit)| limit.scope == subject.scope());
        counting.filter_map(move |(place, limit)| Some((self.hash(kind, place, subject)?, limit)))
    }

    /// None: nobody is counted.
    fn hash(&self, kind: LimitKind, place: usize, subject: Subject<'_>) -> Option<u64> {
        let rule = (kind, place);
        Some(match subject {
            Subject::Ip(ip) => self.hasher.hash_one((rule, neighbourhood(ip?))),
            Subject::Account(user) => self.hasher.hash_one((rule, user)),
            Subject::IpAndAccount(ip, target) => self.hasher.hash_one((rule, neighbourhood(ip?), target)),
            Subject::Mailbox(email, mail) => self.hasher.hash_one((rule, mailbox(email), mail)),
        })
    }

    #[expect(clippy::indexing_slicing, reason = "the remainder is below the number of shards")]
    #[expect(clippy::cast_possible_truncation, reason = "only the low bits choose the shard")]
    fn shard(&self, hash: u64) -> &Mutex<HashMap<u64, Timestamp>> {
        &self.shards[hash as usize % SHARDS]
    }
}

impl Subject<'_> {
    fn scope(&self) -> Scope {
        match self {
            Self::Ip(_) => Scope::Ip,
            Self::Account(_) => Scope::Account,
            Self::IpAndAccount(..) => Scope::IpAndAccount,
            Self::Mailbox(..) => Scope::Mailbox,
        }
    }
}

/// Drops the buckets that are full again; if too few are, the half that is nearest to it. Whoever has so many addresses
/// that this happens is not stopped by counting them.
fn make_room(buckets: &mut HashMap<u64, Timestamp>, now: Timestamp) {
    if buckets.len() < BUCKETS {
        return;
    }
    buckets.retain(|_, full_at| *full_at > now);
    if buckets.len() > BUCKETS / 2 {
        let mut moments: Vec<Timestamp> = buckets.values().copied().collect();
        let middle = moments.len() / 2;
        let (_, median, _) = moments.select_nth_unstable(middle);
        let median = *median;
        buckets.retain(|_, full_at| *full_at > median);
    }
}

/// An IPv4 address, or the /64 that one IPv6 subscriber has for themselves.
pub(crate) fn neighbourhood(ip: IpAddr) -> IpAddr {
    match ip.to_canonical() {
        IpAddr::V4(ip) => ip.into(),
        IpAddr::V6(ip) => Ipv6Addr::from_bits(ip.to_bits() & !u128::from(u64::MAX)).into(),
    }
}

/// Most mail servers put `ada+anything@` where `ada@` is.
fn mailbox(email: &EmailKey) -> (&str, &str) {
    let (local, domain) = email.as_str().rsplit_once('@').unwrap_or((email.as_str(), ""));
    (local.split_once('+').map_or(local, |(name, _)| name), domain)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Email, Rate};

    const NOW: Timestamp = Timestamp::from_secs(1_000_000);

    #[test]
    fn to_look_takes_nothing_and_sees_what_taking_would() {
        let limiter = limiter(Scope::Ip, 1);
        let subject = Subject::Ip(Some(IpAddr::from([192, 0, 2, 1])));
        for _ in 0..10 {
            assert_eq!(limiter.look(LimitKind::Login, subject, NOW), Ok(()));
        }

        assert!(limiter.take(LimitKind::Login, subject, NOW).is_ok());

        let taken = limiter.take(LimitKind::Login, subject, NOW).map(drop);
        assert!(taken.is_err());
        assert_eq!(limiter.look(LimitKind::Login, subject, NOW), taken);
        assert_eq!(limiter.look(LimitKind::Login, Subject::Ip(None), NOW), Ok(()));
        assert_eq!(limiter.look(LimitKind::Login, subject, NOW.after(Duration::from_secs(60))), Ok(()));
    }

    fn limiter(scope: Scope, count: u32) -> Limiter {
        let rate = Rate { count, period: Duration::from_secs(60) };
        let limits = LimitsConfig { login: vec![Limit { rate, scope }], ..LimitsConfig::default() };
        Limiter::new(limits)
    }

    fn passes(limiter: &Limiter, subject: Subject<'_>) -> bool {
        limiter.take(LimitKind::Login, subject, NOW).is_ok()
    }

    #[test]
    fn neighbours_share_a_bucket_and_others_do_not() {
        let limiter = limiter(Scope::Ip, 1);
        let ip = |text: &str| Subject::Ip(Some(text.parse().expect(text)));

        assert!(passes(&limiter, ip("192.0.2.1")));
        assert!(!passes(&limiter, ip("192.0.2.1")));
        assert!(!passes(&limiter, ip("::ffff:192.0.2.1")));
        assert!(passes(&limiter, ip("192.0.2.2")));
        assert!(passes(&limiter, ip("2001:db8::1")));
        assert!(!passes(&limiter, ip("2001:db8::ffff:1")));
        assert!(passes(&limiter, ip("2001:db8:0:1::1")));
        assert!(passes(&limiter, Subject::Ip(None)) && passes(&limiter, Subject::Ip(None)));
    }

    #[test]
    fn a_mailbox_has_one_bucket_under_all_its_names() {
        let limiter = limiter(Scope::Mailbox, 1);
        let key = |text: &str| Email::parse(text).expect(text).key();

        assert!(passes(&limiter, Subject::Mailbox(&key("ada@example.com"), MailKind::VerifyEmail)));
        for text in ["ADA@example.com", "ada+1@example.com", "Ada+x+y@EXAMPLE.com"] {
            assert!(!passes(&limiter, Subject::Mailbox(&key(text), MailKind::VerifyEmail)), "{text}");
        }
        assert!(passes(&limiter, Subject::Mailbox(&key("bob@example.com"), MailKind::VerifyEmail)));
    }

    #[test]
    fn one_kind_of_mail_leaves_the_others_their_share() {
        let limiter = limiter(Scope::Mailbox, 1);
        let ada = Email::parse("ada@example.com").expect("valid").key();

        assert!(passes(&limiter, Subject::Mailbox(&ada, MailKind::VerifyEmail)));
        assert!(!passes(&limiter, Subject::Mailbox(&ada, MailKind::VerifyEmail)));
        assert!(passes(&limiter, Subject::Mailbox(&ada, MailKind::ResetPassword)));
    }

    #[test]
    fn says_what_is_left_and_how_long_to_wait() {
        let limiter = limiter(Scope::Account, 2);
        let take = || limiter.take(LimitKind::Login, Subject::Account(UserId(1)), NOW);

        assert_eq!(take().map(|standing| standing.map(|standing| standing.remaining)), Ok(Some(1)));
        assert_eq!(take().map(|standing| standing.map(|standing| standing.remaining)), Ok(Some(0)));
        assert_eq!(take(), Err(Exceeded { limit: 2, retry_after: Duration::from_secs(30) }));
        let other_scope = limiter.take(LimitKind::Login, Subject::Ip(None), NOW);
        assert_eq!(other_scope, Ok(None));
        assert_eq!(limiter.take(LimitKind::Verify, Subject::Account(UserId(1)), NOW), Ok(None));
    }

    #[test]
    fn strangers_do_not_fill_the_memory() {
        let limiter = limiter(Scope::Account, 1);
        for id in 0..(SHARDS * BUCKETS * 2) as u64 {
            passes(&limiter, Subject::Account(UserId(id)));
        }

        let kept: usize = limiter.shards.iter().map(|shard| shard.lock().expect("whole").len()).sum();
        assert!(kept <= SHARDS * BUCKETS, "{kept}");
    }
}
