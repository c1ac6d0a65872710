//! A connection's socket, which tells the pulse what goes in and out of it.
//!
//! Must never: close on a peer that is still sending, as far as that can be known: the reset would take away the reply
//! that it has not read yet.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

use crate::server::pulse::Pulse;

/// What is read and thrown away of a request that was answered before its end.
const MOST_UNREAD: usize = 4 << 20;

pub(super) struct Socket {
    stream: TcpStream,
    pulse: Pulse,
    is_stalled: bool,
    is_shut: bool,
    unread: usize,
}

impl Socket {
    pub(super) fn new(stream: TcpStream, pulse: Pulse) -> Self {
        Self { stream, pulse, is_stalled: false, is_shut: false, unread: 0 }
    }

    fn wrote(&mut self, written: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        if written.is_pending() != self.is_stalled {
            self.is_stalled = written.is_pending();
            if self.is_stalled {
                self.pulse.stalled();
            } else {
                self.pulse.flows();
            }
        }
        written
    }
}

impl AsyncRead for Socket {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buf.filled().len();
        ready!(Pin::new(&mut this.stream).poll_read(cx, buf))?;
        if buf.filled().len() > before {
            this.pulse.received();
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Socket {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = Pin::new(&mut this.stream).poll_write(cx, bytes);
        this.wrote(written)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = Pin::new(&mut this.stream).poll_write_vectored(cx, slices);
        this.wrote(written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(cx)
    }

    /// Says that nothing more comes, then waits for the peer to stop, too, as long as the pulse lets it.
    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if !this.is_shut {
            ready!(Pin::new(&mut this.stream).poll_shutdown(cx))?;
            this.is_shut = true;
            this.pulse.ends();
        }
        let mut scratch = [0; 4096];
        while this.pulse.may_be_sending() && this.unread < MOST_UNREAD {
            let mut buf = ReadBuf::new(&mut scratch);
            ready!(Pin::new(&mut this.stream).poll_read(cx, &mut buf))?;
            if buf.filled().is_empty() {
                break;
            }
            this.unread += buf.filled().len();
        }
        Poll::Ready(Ok(()))
    }
}
