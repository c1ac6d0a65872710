//! The only source of randomness: the operating system's, through aws-lc.
//!
//! Must never: be seeded, or be called inside a write transaction; randomness is an argument there. (Key pairs
//! draw from the same source inside aws-lc: `crypto/keys.rs`.)

/// `N` unpredictable bytes.
#[expect(clippy::disallowed_methods, reason = "this is the one place that asks for random bytes")]
#[expect(clippy::expect_used, reason = "a system without randomness cannot keep a secret: stop, never go on")]
pub(crate) fn bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    aws_lc_rs::rand::fill(&mut bytes).expect("the system's source of randomness works");
    bytes
}

/// An unpredictable number below `n`, each equally likely; 0 if `n` is 0.
pub(crate) fn below(n: u32) -> u32 {
    // The highest multiple of n that fits: numbers from there on would favour the small remainders.
    let end = u64::from(n) * ((1_u64 << u32::BITS).checked_div(u64::from(n)).unwrap_or(0));
    loop {
        let drawn = u32::from_le_bytes(bytes());
        match drawn.checked_rem(n) {
            None => return 0,
            Some(rest) if u64::from(drawn) < end => return rest,
            Some(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_draws_differ() {
        assert_ne!(bytes::<16>(), bytes::<16>());
    }

    #[test]
    fn stays_below_and_reaches_every_number() {
        let mut seen = [false; 10];
        for _ in 0..1_000 {
            seen[below(10) as usize] = true;
        }

        assert_eq!(seen, [true; 10]);
        assert_eq!((below(0), below(1)), (0, 0));
        // Two of five draws fall past the end and are drawn again.
        assert!((0..100).all(|_| below(0xA000_0000) < 0xA000_0000));
    }
}
