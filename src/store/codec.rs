//! The only file that names bincode: what a key and a value look like on the disk.
//!
//! A value is a version byte, the bincode payload, and 8 bytes of checksum over table, key and payload: redb does
//! not verify pages when it reads them, and a row that landed under another key must not count.
//! A key is order-preserving: numbers big-endian, text ended by a zero byte.

use serde::Serialize;
use serde::de::DeserializeOwned;
use xxhash_rust::xxh3::Xxh3Default;

use crate::domain::{
    ApiKeyId, CodePurpose, EmailKey, EventId, GroupId, KeyId, Lane, MailId, PermissionId, RegistrationId,
    SessionId, Target, Timestamp, TokenHash, UserId, UsernameKey,
};

const CHECKSUM_BYTES: usize = 8;
/// No value is longer.
pub(super) const MAX_VALUE_BYTES: usize = 64 << 10;
/// No length in a damaged value can make us allocate more. bincode counts a number, and a length, as 8 bytes however few
/// it takes in the file: whatever fits into a value has to stay under this.
const MAX_DECODED_BYTES: usize = 16 * MAX_VALUE_BYTES;

const BINCODE: bincode::config::Configuration<
    bincode::config::LittleEndian,
    bincode::config::Varint,
    bincode::config::Limit<MAX_DECODED_BYTES>,
> = bincode::config::standard().with_limit::<MAX_DECODED_BYTES>();

/// Why stored bytes cannot be read.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub(crate) enum CodecError {
    #[error("the checksum does not match")]
    Checksum,
    #[error("a record of version {0} is from a newer keystead")]
    Newer(u8),
    #[error("the record does not decode: {0}")]
    Shape(String),
    #[error("the key does not decode")]
    Key,
}

/// Bytes of a value whose record has this version.
pub(super) fn seal(table: &str, key: &[u8], version: u8, payload: &[u8]) -> Vec<u8> {
    let mut value = Vec::with_capacity(1 + payload.len() + CHECKSUM_BYTES);
    value.push(version);
    value.extend_from_slice(payload);
    value.extend_from_slice(&checksum(table, key, &value));
    value
}

/// Version and payload of a value that is still what was sealed under this table and key.
pub(super) fn unseal<'a>(table: &str, key: &[u8], value: &'a [u8]) -> Result<(u8, &'a [u8]), CodecError> {
    let body_len = value.len().checked_sub(CHECKSUM_BYTES).ok_or(CodecError::Checksum)?;
    let (body, sum) = value.split_at(body_len);
    let (version, payload) = body.split_first().ok_or(CodecError::Checksum)?;
    if sum == checksum(table, key, body) { Ok((*version, payload)) } else { Err(CodecError::Checksum) }
}

pub(super) fn encode(record: &impl Serialize) -> Result<Vec<u8>, CodecError> {
    bincode::serde::encode_to_vec(record, BINCODE).map_err(|error| CodecError::Shape(error.to_string()))
}

/// Reads a whole payload; bytes left over are an error.
pub(super) fn decode<T: DeserializeOwned>(payload: &[u8]) -> Result<T, CodecError> {
    let (record, used) = bincode::serde::decode_from_slice(payload, BINCODE)
        .map_err(|error| CodecError::Shape(error.to_string()))?;
    if used == payload.len() { Ok(record) } else { Err(CodecError::Shape("bytes are left over".to_owned())) }
}

fn checksum(table: &str, key: &[u8], body: &[u8]) -> [u8; CHECKSUM_BYTES] {
    let mut hasher = Xxh3Default::new();
    // Lengths first: otherwise a byte could move from table to key unseen.
    hasher.update(&(table.len() as u64).to_be_bytes());
    hasher.update(table.as_bytes());
    hasher.update(&(key.len() as u64).to_be_bytes());
    hasher.update(key);
    hasher.update(body);
    hasher.digest().to_be_bytes()
}

/// Something that rows are found by. `write` keeps the order of values in the order of bytes, and no written key is
/// the beginning of another of its type.
pub(crate) trait Key: Sized {
    fn write(&self, bytes: &mut Vec<u8>);

    /// Takes the key from the front of `bytes`.
    fn read(bytes: &mut &[u8]) -> Option<Self>;

    fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(32);
        self.write(&mut bytes);
        bytes
    }

    /// Reads a key that is nothing but this.
    fn from_bytes(mut bytes: &[u8]) -> Result<Self, CodecError> {
        Self::read(&mut bytes).filter(|_| bytes.is_empty()).ok_or(CodecError::Key)
    }
}

fn take<const N: usize>(bytes: &mut &[u8]) -> Option<[u8; N]> {
    let (head, rest) = bytes.split_first_chunk::<N>()?;
    *bytes = rest;
    Some(*head)
}

impl Key for u64 {
    fn write(&self, bytes: &mut Vec<u8>) {
        bytes.extend_from_slice(&self.to_be_bytes());
    }

    fn read(bytes: &mut &[u8]) -> Option<Self> {
        take(bytes).map(Self::from_be_bytes)
    }
}

macro_rules! number_keys {
    ($($name:ident)*) => {$(
        impl Key for $name {
            fn write(&self, bytes: &mut Vec<u8>) {
                self.0.write(bytes);
            }

            fn read(bytes: &mut &[u8]) -> Option<Self> {
                u64::read(bytes).map(Self)
            }
        }
    )*};
}

number_keys! { UserId GroupId PermissionId }

impl Key for Timestamp {
    fn write(&self, bytes: &mut Vec<u8>) {
        self.millis().write(bytes);
    }

    fn read(bytes: &mut &[u8]) -> Option<Self> {
        u64::read(bytes).map(Self::from_millis)
    }
}

macro_rules! fixed_size_keys {
    ($($name:ident)*) => {$(
        impl Key for $name {
            fn write(&self, bytes: &mut Vec<u8>) {
                bytes.extend_from_slice(&self.0);
            }

            fn read(bytes: &mut &[u8]) -> Option<Self> {
                take(bytes).map(Self)
            }
        }
    )*};
}

fixed_size_keys! { SessionId RegistrationId KeyId EventId MailId ApiKeyId TokenHash }

impl Key for CodePurpose {
    fn write(&self, bytes: &mut Vec<u8>) {
        bytes.push(match self {
            Self::VerifyEmail => 1,
            Self::ResetPassword => 2,
        });
    }

    fn read(bytes: &mut &[u8]) -> Option<Self> {
        let (first, rest) = bytes.split_first()?;
        *bytes = rest;
        match first {
            1 => Some(Self::VerifyEmail),
            2 => Some(Self::ResetPassword),
            _ => None,
        }
    }
}

impl Key for Target {
    fn write(&self, bytes: &mut Vec<u8>) {
        match self {
            Self::User(id) => {
                bytes.push(1);
                id.write(bytes);
            }
            Self::Nobody(hash) => {
                bytes.push(2);
                bytes.extend_from_slice(hash);
            }
        }
    }

    fn read(bytes: &mut &[u8]) -> Option<Self> {
        match take::<1>(bytes)? {
            [1] => UserId::read(bytes).map(Self::User),
            [2] => take(bytes).map(Self::Nobody),
            _ => None,
        }
    }
}

impl Key for Lane {
    fn write(&self, bytes: &mut Vec<u8>) {
        match self {
            Self::Strangers => bytes.push(1),
            Self::Session => bytes.push(2),
            Self::Client(hash) => {
                bytes.push(3);
                bytes.extend_from_slice(hash);
            }
        }
    }

    fn read(bytes: &mut &[u8]) -> Option<Self> {
        match take::<1>(bytes)? {
            [1] => Some(Self::Strangers),
            [2] => Some(Self::Session),
            [3] => take(bytes).map(Self::Client),
            _ => None,
        }
    }
}

impl Key for String {
    fn write(&self, bytes: &mut Vec<u8>) {
        write_text(self, bytes);
    }

    fn read(bytes: &mut &[u8]) -> Option<Self> {
        let end = bytes.iter().position(|byte| *byte == 0)?;
        let (text, rest) = bytes.split_at_checked(end)?;
        *bytes = rest.get(1..)?;
        Self::from_utf8(text.to_vec()).ok()
    }
}

/// Keys that are only looked up: the canonical form is made by the domain, never read back.
macro_rules! text_lookups {
    ($($name:ident)*) => {$(
        impl Lookup for $name {
            fn write_lookup(&self, bytes: &mut Vec<u8>) {
                write_text(self.as_str(), bytes);
            }
        }
    )*};
}

/// What an index is asked for.
pub(crate) trait Lookup {
    fn write_lookup(&self, bytes: &mut Vec<u8>);
}

text_lookups! { EmailKey UsernameKey }

macro_rules! key_lookups {
    ($($name:ident)*) => {$(
        impl Lookup for $name {
            fn write_lookup(&self, bytes: &mut Vec<u8>) {
                self.write(bytes);
            }
        }
    )*};
}

key_lookups! { UserId GroupId PermissionId TokenHash Timestamp String Flag }

/// What few users are, and lists are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flag {
    Staff,
    Superuser,
    Inactive,
    /// Without an address: comes after all others in the order of addresses.
    NoEmail,
    /// Without a name: comes after all others in the order of names.
    NoUsername,
}

impl Key for Flag {
    fn write(&self, bytes: &mut Vec<u8>) {
        bytes.push(*self as u8);
    }

    fn read(bytes: &mut &[u8]) -> Option<Self> {
        let [byte] = take::<1>(bytes)?;
        let all = [Self::Staff, Self::Superuser, Self::Inactive, Self::NoEmail, Self::NoUsername];
        all.into_iter().find(|flag| *flag as u8 == byte)
    }
}

impl<A: Key, B: Key> Key for (A, B) {
    fn write(&self, bytes: &mut Vec<u8>) {
        self.0.write(bytes);
        self.1.write(bytes);
    }

    fn read(bytes: &mut &[u8]) -> Option<Self> {
        Some((A::read(bytes)?, B::read(bytes)?))
    }
}

fn write_text(text: &str, bytes: &mut Vec<u8>) {
    // A zero byte would end the text early. No canonical form holds one.
    bytes.extend(text.bytes().filter(|byte| *byte != 0));
    bytes.push(0);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flipped_bit_is_seen() {
        let sealed = seal("users", b"key", 1, b"payload");
        assert_eq!(unseal("users", b"key", &sealed), Ok((1, b"payload".as_slice())));
        for bit in 0..sealed.len() * 8 {
            let mut damaged = sealed.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(unseal("users", b"key", &damaged), Err(CodecError::Checksum));
        }
        assert_eq!(unseal("users", b"key", &sealed[..7]), Err(CodecError::Checksum));
    }

    #[test]
    fn a_value_in_the_wrong_place_is_seen() {
        let sealed = seal("users", b"ab", 1, b"payload");
        assert_eq!(unseal("users", b"ac", &sealed), Err(CodecError::Checksum));
        assert_eq!(unseal("usersa", b"b", &sealed), Err(CodecError::Checksum));
    }

    #[test]
    fn keys_sort_as_their_values_do() {
        assert!(UserId(9).to_bytes() < UserId(10).to_bytes());
        assert!(("a".to_owned(), 9_u64).to_bytes() < ("ab".to_owned(), 0_u64).to_bytes());
        let key = ("ada".to_owned(), 7_u64);
        assert_eq!(<(String, u64)>::from_bytes(&key.to_bytes()), Ok(key));
        assert_eq!(u64::from_bytes(&[0; 9]), Err(CodecError::Key));
    }

    #[test]
    fn whatever_fits_into_a_value_is_read_again() {
        let numbers: Vec<u64> = vec![1; MAX_VALUE_BYTES - 3];
        let payload = encode(&numbers).expect("encodes");
        assert_eq!((payload.len(), decode(&payload)), (MAX_VALUE_BYTES, Ok(numbers)));
        let empty = vec![String::new(); MAX_VALUE_BYTES - 3];
        let payload = encode(&empty).expect("encodes");
        assert_eq!((payload.len(), decode(&payload)), (MAX_VALUE_BYTES, Ok(empty)));
    }

    #[test]
    fn a_length_bomb_is_refused() {
        let bomb = [0xfd, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff];
        assert!(decode::<String>(&bomb).is_err());
        assert_eq!(decode::<u8>(&[1, 2]), Err(CodecError::Shape("bytes are left over".to_owned())));
    }
}
