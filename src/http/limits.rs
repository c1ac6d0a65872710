//! How much of a request is taken, and for how long.

use std::time::Duration;

/// A body of more bytes is refused, whatever its headers say.
pub(crate) const BODY_BYTES: usize = 16 << 10;

/// The same for administrators, who name many at once.
pub(crate) const ADMIN_BODY_BYTES: usize = 64 << 10;

/// A body that is not here by then is refused.
pub(crate) const BODY_TIME: Duration = Duration::from_secs(15);
