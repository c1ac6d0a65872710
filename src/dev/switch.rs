//! A service in whose place another one is put while requests go on.

use std::sync::Arc;
use std::task::{Context, Poll};

use arc_swap::ArcSwap;
use tower_service::Service;

/// Clones share what is served. A request that has begun stays where it began.
pub(super) struct Switch<S>(Arc<ArcSwap<S>>);

impl<S> Switch<S> {
    pub(super) fn to(service: S) -> Self {
        Self(Arc::new(ArcSwap::from_pointee(service)))
    }

    /// Every request from now on goes there.
    pub(super) fn turn(&self, service: S) {
        self.0.store(Arc::new(service));
    }
}

impl<S> Clone for Switch<S> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<R, S: Service<R> + Clone> Service<R> for Switch<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    /// Ours are always ready.
    fn poll_ready(&mut self, _cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: R) -> S::Future {
        let mut service = S::clone(&self.0.load());
        service.call(request)
    }
}
