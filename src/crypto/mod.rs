//! What is secret: randomness, token hashes, password hashes, signing keys and signed tokens.
//!
//! Must never: read a clock (moments are arguments), touch the store or the network, or put a secret into an
//! error, a log line or a `Debug` output.


mod digest;
pub(crate) mod random;
pub(crate) mod token;
