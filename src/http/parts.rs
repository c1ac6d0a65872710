//! A body that is made while it is sent. Whoever makes it waits for whoever reads it, and stops when nobody does.
//!
//! Must never: pass off a body that broke off as a whole one.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures_util::Stream;
use tokio::sync::mpsc;

/// So many parts are made before the first of them is sent.
const AHEAD: usize = 1;

/// Where the parts are handed over. Dropped without an end, the body breaks off.
pub(crate) struct Hand(mpsc::Sender<Part>);

/// The parts, as they are sent.
#[derive(Debug)]
pub(crate) struct Parts(mpsc::Receiver<Part>);

#[derive(Debug)]
enum Part {
    Bytes(Vec<u8>),
    End,
}

/// The connection ends without an end of the body, so that its reader knows.
#[derive(Debug, thiserror::Error)]
#[error("the body broke off")]
pub(crate) struct BrokeOff;

/// The reader is gone.
#[derive(Debug)]
pub(crate) struct Gone;

impl Parts {
    pub(crate) fn new() -> (Hand, Self) {
        let (hand, parts) = mpsc::channel(AHEAD);
        (Hand(hand), Self(parts))
    }
}

impl Hand {
    /// Returns when there is room for the part.
    pub(crate) async fn over(&self, bytes: Vec<u8>) -> Result<(), Gone> {
        self.0.send(Part::Bytes(bytes)).await.map_err(|_| Gone)
    }

    /// The body is whole.
    pub(crate) async fn end(self) -> Result<(), Gone> {
        self.0.send(Part::End).await.map_err(|_| Gone)
    }
}

impl Stream for Parts {
    type Item = Result<Vec<u8>, BrokeOff>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        Poll::Ready(match ready!(self.get_mut().0.poll_recv(cx)) {
            Some(Part::Bytes(bytes)) => Some(Ok(bytes)),
            Some(Part::End) => None,
            None => Some(Err(BrokeOff)),
        })
    }
}

#[cfg(test)]
mod tests {
    use futures_util::StreamExt;

    use super::*;

    async fn read(mut parts: Parts) -> (Vec<u8>, bool) {
        let mut read = Vec::new();
        while let Some(part) = parts.next().await {
            match part {
                Ok(bytes) => read.extend(bytes),
                Err(BrokeOff) => return (read, false),
            }
        }
        (read, true)
    }

    #[tokio::test]
    async fn only_an_end_that_was_said_is_an_end() {
        for is_whole in [true, false] {
            let (hand, parts) = Parts::new();
            let maker = tokio::spawn(async move {
                for part in ["one ", "two ", "three"] {
                    hand.over(part.into()).await.expect("read");
                }
                if is_whole {
                    hand.end().await.expect("read");
                }
            });
            assert_eq!(read(parts).await, (b"one two three".to_vec(), is_whole));
            maker.await.expect("no panic");
        }
    }

    #[tokio::test]
    async fn whoever_makes_it_waits_for_the_reader_and_stops_without_one() {
        let (hand, parts) = Parts::new();
        hand.over(b"one".to_vec()).await.expect("room");
        let waits = tokio::time::timeout(std::time::Duration::from_millis(20), hand.over(b"two".to_vec()));
        assert!(waits.await.is_err());

        drop(parts);

        assert!(hand.over(b"three".to_vec()).await.is_err());
    }
}
