//! SHA-256, for what is random or public already.
//!
//! Must never: be given a password; those go through `crypto/password.rs`.

use aws_lc_rs::digest::{Context, SHA256};

/// The SHA-256 of the parts, one after the other. Says nothing about where one part ends and the next begins.
pub(crate) fn sha256(parts: &[&[u8]]) -> [u8; 32] {
    let mut context = Context::new(&SHA256);
    for part in parts {
        context.update(part);
    }
    let mut sum = [0; 32];
    sum.copy_from_slice(context.finish().as_ref());
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agrees_with_fips_180_4() {
        let abc = sha256(&[b"a", b"bc"]);
        assert_eq!(abc[..8], [0xba, 0x78, 0x16, 0xbf, 0x8f, 0x01, 0xcf, 0xea]);
    }
}
