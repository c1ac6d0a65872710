//! Password hashes as Django writes them, to be verified once more: the next log-in puts argon2id in their place.
//!
//! Must never: make such a hash, or begin work that a planted one has no bound for. argon2 is not here, whoever wrote
//! it: `password.rs` knows it.

use std::num::NonZeroU32;

use aws_lc_rs::{constant_time, digest, pbkdf2};
use base64::Engine;
use base64::alphabet;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, STANDARD};
use md5::{Digest, Md5};
use zeroize::Zeroizing;

use crate::crypto::verdict::Verdict;

/// Longer text is no hash.
const MAX_TEXT: usize = 512;
/// The costliest hash that is still computed: each takes a few seconds of one thread.
const MAX_PBKDF2_ROUNDS: u32 = 10_000_000;
const MAX_BCRYPT_COST: u32 = 16;
const MAX_SCRYPT_MEMORY: u64 = 256 << 20;
/// Of N * r * p; Django's own parameters make 655,360.
const MAX_SCRYPT_WORK: u64 = 1 << 24;

const BCRYPT_SALT_CHARS: usize = 22;
/// bcrypt takes no more of a password.
const BCRYPT_INPUT: usize = 72;
/// Of 24 bytes, bcrypt has always written 23.
const BCRYPT_OUTPUT: usize = 23;
const SCRYPT_OUTPUT: usize = 64;

/// bcrypt's own base64; the last character of each part has bits that nobody looks at.
const BCRYPT_BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::BCRYPT,
    GeneralPurposeConfig::new()
        .with_encode_padding(false)
        .with_decode_padding_mode(base64::engine::DecodePaddingMode::RequireNone)
        .with_decode_allow_trailing_bits(true),
);

/// A hash, taken apart.
pub(super) struct LegacyHash {
    input: Input,
    work: Work,
    salt: Vec<u8>,
    output: Vec<u8>,
}

/// Why text is not such a hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NotRead {
    Unknown,
    TooCostly,
}

/// What of the password goes into the work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Input {
    Password,
    /// The hexadecimal text of a digest, of the salt and the password for the first two.
    SaltedMd5,
    SaltedSha1,
    Sha256,
}

enum Work {
    /// The input is the hash: no work, and nothing that keeps a password secret.
    None,
    Pbkdf2(pbkdf2::Algorithm, NonZeroU32),
    Bcrypt(u32),
    Scrypt(scrypt::Params),
}

impl LegacyHash {
    /// Reads every form of Django's hashers, those of older versions and of its recipe for wrapped hashes too.
    pub(super) fn parse(text: &str) -> Result<Self, NotRead> {
        if text.len() > MAX_TEXT {
            return Err(NotRead::Unknown);
        }
        // Before Django 1.4: the digest alone.
        let Some((algorithm, rest)) = text.split_once('$') else {
            return Self::digest(Input::SaltedMd5, "", text, 32);
        };
        let (sha256, sha1) = (pbkdf2::PBKDF2_HMAC_SHA256, pbkdf2::PBKDF2_HMAC_SHA1);
        match algorithm {
            "pbkdf2_sha256" => Self::pbkdf2(Input::Password, sha256, rest, digest::SHA256_OUTPUT_LEN),
            "pbkdf2_sha1" => Self::pbkdf2(Input::Password, sha1, rest, digest::SHA1_OUTPUT_LEN),
            "pbkdf2_wrapped_md5" => Self::pbkdf2(Input::SaltedMd5, sha256, rest, digest::SHA256_OUTPUT_LEN),
            "pbkdf2_wrapped_sha1" => Self::pbkdf2(Input::SaltedSha1, sha256, rest, digest::SHA256_OUTPUT_LEN),
            "bcrypt" => Self::bcrypt(Input::Password, rest),
            "bcrypt_sha256" => Self::bcrypt(Input::Sha256, rest),
            "scrypt" => Self::scrypt(rest),
            "md5" | "sha1" => {
                let (salt, hex) = rest.split_once('$').ok_or(NotRead::Unknown)?;
                if algorithm == "md5" {
                    Self::digest(Input::SaltedMd5, salt, hex, 32)
                } else {
                    Self::digest(Input::SaltedSha1, salt, hex, 40)
                }
            }
            _ => Err(NotRead::Unknown),
        }
    }

    /// None: it is another's. Plain bcrypt looks at 72 bytes: what was typed beyond may be a slip, and must not become the
    /// password.
    pub(super) fn verdict(&self, password: &str) -> Option<Verdict> {
        let is_cut = matches!((&self.work, &self.input), (Work::Bcrypt(_), Input::Password));
        let right =
            if is_cut && password.len() >= BCRYPT_INPUT { Verdict::Right } else { Verdict::RightButOutdated };
        self.is_of(password).then_some(right)
    }

    /// Whether whoever has it has the password soon: a single round of a fast digest.
    pub(super) const fn is_weak(&self) -> bool {
        matches!(self.work, Work::None)
    }

    /// Whether it is the hash of this password. Takes as long as its parameters say: until its next log-in, an account
    /// with a costly one can be told from others by the time of a wrong answer, as in Django.
    pub(super) fn is_of(&self, password: &str) -> bool {
        let input = self.input.of(password, &self.salt);
        let mut computed = vec![0; self.output.len()];
        match &self.work {
            Work::None => computed = input.to_vec(),
            Work::Pbkdf2(algorithm, rounds) => {
                pbkdf2::derive(*algorithm, *rounds, &self.salt, &input, &mut computed);
            }
            Work::Bcrypt(cost) => computed = bcrypt(*cost, &self.salt, &input),
            Work::Scrypt(params) => {
                // Refuses no output that has bytes.
                if scrypt::scrypt(&input, &self.salt, params, &mut computed).is_err() {
                    return false;
                }
            }
        }
        constant_time::verify_slices_are_equal(&computed, &self.output).is_ok()
    }

    fn digest(input: Input, salt: &str, hex: &str, digits: usize) -> Result<Self, NotRead> {
        if hex.len() != digits || !hex.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return Err(NotRead::Unknown);
        }
        let output = hex.to_ascii_lowercase().into_bytes();
        Ok(Self { input, work: Work::None, salt: salt.as_bytes().to_vec(), output })
    }

    /// `rounds$salt$output`
    fn pbkdf2(
        input: Input,
        algorithm: pbkdf2::Algorithm,
        text: &str,
        output_bytes: usize,
    ) -> Result<Self, NotRead> {
        let [rounds, salt, output] = parts(text)?;
        let rounds: NonZeroU32 = number(rounds)?.try_into().map_err(|_| NotRead::Unknown)?;
        if rounds.get() > MAX_PBKDF2_ROUNDS {
            return Err(NotRead::TooCostly);
        }
        let output = decoded(&STANDARD, output, output_bytes)?;
        Ok(Self { input, work: Work::Pbkdf2(algorithm, rounds), salt: salt.as_bytes().to_vec(), output })
    }

    /// `$2b$cost$` and 22 characters of salt with 31 of output. Reads them itself: a library did once panic on them
    /// (RUSTSEC-2026-0199).
    fn bcrypt(input: Input, text: &str) -> Result<Self, NotRead> {
        let ["", "2a" | "2b" | "2y", cost, encoded] = parts(text)? else { return Err(NotRead::Unknown) };
        let cost = number(cost)?;
        if !(4..=31).contains(&cost) {
            return Err(NotRead::Unknown);
        }
        if cost > MAX_BCRYPT_COST {
            return Err(NotRead::TooCostly);
        }
        let (salt, output) = encoded.split_at_checked(BCRYPT_SALT_CHARS).ok_or(NotRead::Unknown)?;
        let salt = decoded(&BCRYPT_BASE64, salt, 16)?;
        let output = decoded(&BCRYPT_BASE64, output, BCRYPT_OUTPUT)?;
        Ok(Self { input, work: Work::Bcrypt(cost), salt, output })
    }

    /// `N$salt$r$p$output`
    fn scrypt(text: &str) -> Result<Self, NotRead> {
        let [n, salt, r, p, output] = parts(text)?;
        let (n, r, p) = (number(n)?, number(r)?, number(p)?);
        if !n.is_power_of_two() || n < 2 || r == 0 || p == 0 {
            return Err(NotRead::Unknown);
        }
        let memory = u64::from(n).saturating_mul(u64::from(r));
        if memory > MAX_SCRYPT_MEMORY / 128 || memory.saturating_mul(u64::from(p)) > MAX_SCRYPT_WORK {
            return Err(NotRead::TooCostly);
        }
        let log_n = u8::try_from(n.ilog2()).map_err(|_| NotRead::Unknown)?;
        let params = scrypt::Params::new(log_n, r, p).map_err(|_| NotRead::Unknown)?;
        let output = decoded(&STANDARD, output, SCRYPT_OUTPUT)?;
        Ok(Self {
            input: Input::Password,
            work: Work::Scrypt(params),
            salt: salt.as_bytes().to_vec(),
            output,
        })
    }
}

impl Input {
    fn of(self, password: &str, salt: &[u8]) -> Zeroizing<Vec<u8>> {
        let password = password.as_bytes();
        Zeroizing::new(match self {
            Self::Password => password.to_vec(),
            Self::SaltedMd5 => {
                let mut md5 = Md5::new();
                md5.update(salt);
                md5.update(password);
                hex(&md5.finalize())
            }
            Self::SaltedSha1 => {
                let mut sha1 = digest::Context::new(&digest::SHA1_FOR_LEGACY_USE_ONLY);
                sha1.update(salt);
                sha1.update(password);
                hex(sha1.finish().as_ref())
            }
            Self::Sha256 => hex(digest::digest(&digest::SHA256, password).as_ref()),
        })
    }
}

/// What bcrypt makes of the password and a zero byte, cut to what it takes.
fn bcrypt(cost: u32, salt: &[u8], password: &[u8]) -> Vec<u8> {
    let mut input: Zeroizing<Vec<u8>> = Zeroizing::new(Vec::with_capacity(password.len() + 1));
    input.extend_from_slice(password);
    input.push(0);
    input.truncate(BCRYPT_INPUT);
    let mut fixed = [0; 16];
    fixed.copy_from_slice(salt);
    let mut output = bcrypt::bcrypt(cost, fixed, &input).to_vec();
    output.truncate(BCRYPT_OUTPUT);
    output
}

fn hex(bytes: &[u8]) -> Vec<u8> {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |value: u8| DIGITS.get(usize::from(value)).copied().unwrap_or_default();
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

/// The parts between the dollars, if there are so many.
fn parts<const N: usize>(text: &str) -> Result<[&str; N], NotRead> {
    let parts: Vec<&str> = text.split('$').collect();
    parts.try_into().map_err(|_| NotRead::Unknown)
}

/// What is no number is unknown; one beyond all bounds costs too much.
fn number(text: &str) -> Result<u32, NotRead> {
    if text.is_empty() || !text.bytes().all(|digit| digit.is_ascii_digit()) {
        return Err(NotRead::Unknown);
    }
    text.parse().map_err(|_| NotRead::TooCostly)
}

fn decoded(base64: &GeneralPurpose, text: &str, bytes: usize) -> Result<Vec<u8>, NotRead> {
    let decoded = base64.decode(text).map_err(|_| NotRead::Unknown)?;
    if decoded.len() == bytes { Ok(decoded) } else { Err(NotRead::Unknown) }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// Password and hash, as Django 5.2 (with argon2-cffi and bcrypt) wrote them, those of older versions by their
    /// recipe.
    const VECTORS: &str = include_str!("../../tests/fixtures/django_hashes.json");

    fn vectors() -> Vec<(String, String)> {
        serde_json::from_str(VECTORS).expect("pairs")
    }

    fn not_read(text: &str) -> NotRead {
        LegacyHash::parse(text).err().expect(text)
    }

    #[test]
    fn every_hash_of_django_opens_for_its_password_and_no_other() {
        let mut seen = BTreeSet::new();
        for (password, text) in vectors() {
            if text.starts_with("argon2$") {
                continue; // Those are for `password.rs`.
            }
            let hash = LegacyHash::parse(&text).expect(&text);
            assert!(hash.is_of(&password), "{text}");
            assert!(!hash.is_of(&format!("!{password}")), "{text}");
            seen.insert(text.split('$').next().map(str::to_owned));
        }
        assert_eq!(seen.len(), 10, "{seen:?}");
    }

    #[test]
    fn the_two_forms_of_django_before_1_4_are_read() {
        let bare = LegacyHash::parse("737410C23D17932272511EDC24D343BA").expect("md5");
        assert!(bare.is_of("s3cr3t-Pä55") && bare.is_weak());
        let unsalted = LegacyHash::parse("sha1$$9ea0302938ddcde0c934e896f1dfb20126938278").expect("sha1");
        assert!(unsalted.is_of("s3cr3t-Pä55") && unsalted.is_weak());
    }

    #[test]
    fn bcrypt_takes_72_bytes_and_no_more() {
        let (password, text) = vectors().into_iter().find(|(password, _)| password.len() == 72).expect("one");
        let hash = LegacyHash::parse(&text).expect("bcrypt");

        assert!(hash.is_of(&format!("{password}y")));
        assert!(!hash.is_of(&password[1..]));
    }

    #[test]
    fn only_what_a_fast_digest_made_is_weak() {
        for (_, text) in vectors().into_iter().filter(|(_, text)| !text.starts_with("argon2$")) {
            let is_weak = !text.contains('$') || text.starts_with("md5$") || text.starts_with("sha1$");
            assert_eq!(LegacyHash::parse(&text).expect(&text).is_weak(), is_weak, "{text}");
        }
    }

    #[test]
    fn what_costs_too_much_is_told_before_any_work() {
        let output = STANDARD.encode([0; 64]);
        for text in [
            format!("pbkdf2_sha256$10000001$salt${}", STANDARD.encode([0; 32])),
            format!("pbkdf2_sha1$99999999999999999999$salt${}", STANDARD.encode([0; 20])),
            format!("bcrypt$$2b$17${}", ".".repeat(53)),
            format!("bcrypt_sha256$$2b$31${}", ".".repeat(53)),
            format!("scrypt$4194304$salt$1$1${output}"),
            format!("scrypt$1024$salt$4096$1${output}"),
            format!("scrypt$16384$salt$8$129${output}"),
            format!("scrypt$2147483648$salt$4294967295$4294967295${output}"),
        ] {
            assert_eq!(not_read(&text), NotRead::TooCostly, "{text}");
        }
        for text in [
            format!("pbkdf2_sha256$10000000$salt${}", STANDARD.encode([0; 32])),
            format!("bcrypt$$2b$16${}", ".".repeat(53)),
            format!("scrypt$16384$salt$8$128${output}"),
        ] {
            assert!(LegacyHash::parse(&text).is_ok(), "{text}");
        }
    }

    #[test]
    fn what_is_no_hash_is_not_read() {
        let (short, long) = (STANDARD.encode([0; 16]), STANDARD.encode([0; 64]));
        for text in [
            String::new(),
            "plain".to_owned(),
            "!unusable".to_owned(),
            "crypt$$ab1fk".to_owned(),
            "$2b$04$6RtgUsveQaNXBmxIUjNCZ.Rrg61uOGWXYcNJZdRpTUDMUxLsAnLy6".to_owned(),
            "md5$salt".to_owned(),
            "md5$salt$737410c23d17932272511edc24d343bg".to_owned(),
            "sha1$salt$737410c23d17932272511edc24d343ba".to_owned(),
            format!("pbkdf2_sha256$0$salt${}", STANDARD.encode([0; 32])),
            format!("pbkdf2_sha256$+1$salt${}", STANDARD.encode([0; 32])),
            format!("pbkdf2_sha256$1$salt${short}"),
            format!("pbkdf2_sha256$1$salt${long}"),
            format!("pbkdf2_sha256$1$sa$lt${}", STANDARD.encode([0; 32])),
            format!("pbkdf2_sha256$1${}${}", "s".repeat(512), STANDARD.encode([0; 32])),
            format!("scrypt$1000$salt$8$1${long}"),
            format!("scrypt$1024$salt$0$1${long}"),
            format!("scrypt$1024$salt$8$0${long}"),
            format!("scrypt$1$salt$8$1${long}"),
            format!("scrypt$1024$salt$8$1${short}"),
            format!("bcrypt$$2b$03${}", ".".repeat(53)),
            format!("bcrypt$$2x$04${}", ".".repeat(53)),
            format!("bcrypt$$2b$04${}", "é".repeat(27)),
            format!("bcrypt$$2b$04${}", ".".repeat(54)),
            format!("bcrypt$2b$04${}", ".".repeat(53)),
        ] {
            assert_eq!(not_read(&text), NotRead::Unknown, "{text}");
        }
    }
}
