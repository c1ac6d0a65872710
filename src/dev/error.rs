//! Why there is no throw-away service.

use std::io;
use std::net::SocketAddr;

use crate::flows::FlowError;
use crate::server::StartError;

/// Why there is no service.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DevError {
    #[error("cannot listen on {0}: others can reach this address (choose 127.0.0.1 in server.listen)")]
    Elsewhere(SocketAddr),
    #[error("cannot make a temporary folder: {0}")]
    Folder(#[from] io::Error),
    #[error(transparent)]
    Start(#[from] StartError),
    #[error("cannot log in a ready-made user: {0}")]
    Persona(#[from] FlowError),
}

impl DevError {
    /// The configuration has to change; trying again with the same one is in vain.
    pub(crate) fn is_configuration(&self) -> bool {
        match self {
            Self::Elsewhere(_) => true,
            Self::Start(error) => error.is_configuration(),
            Self::Folder(_) | Self::Persona(_) => false,
        }
    }
}
