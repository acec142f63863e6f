//! What the guarded client is told at start.

use std::{fmt, sync::Arc, time::Duration};

use ipnet::IpNet;

use crate::{
    clock::{Clock, SystemClock},
    resolver::Names,
};

/// Settings of the guarded client: `[net]` of `symbolon.toml`.
#[derive(Clone)]
pub struct NetConfig {
    /// Special-use networks that URLs of the deployment's administrators may reach, with plain http
    /// there.
    pub allow: Vec<IpNet>,
    /// The same for URLs of the administrators of organizations.
    pub organization_allow: Vec<IpNet>,
    /// Whether a stranger's https URL may be on loopback: only where this deployment is itself
    /// served on plain loopback, for development (`AS-175`).
    pub is_loopback_open_to_strangers: bool,
    /// Certificates, as PEM, that are trusted beside those of the platform.
    pub ca_pems: Vec<String>,
    /// How long opening one TCP connection may take.
    pub connect_timeout: Duration,
    /// How long a request may take from name resolution to the last byte of the answer.
    pub total_timeout: Duration,
    /// The clock of budgets.
    pub clock: Arc<dyn Clock>,
    /// Who turns names into addresses.
    pub names: Names,
}

impl Default for NetConfig {
    fn default() -> Self {
        Self {
            allow: Vec::new(),
            organization_allow: Vec::new(),
            is_loopback_open_to_strangers: false,
            ca_pems: Vec::new(),
            connect_timeout: Duration::from_secs(3),
            total_timeout: Duration::from_secs(5),
            clock: Arc::new(SystemClock),
            names: Names::system(),
        }
    }
}

impl fmt::Debug for NetConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NetConfig")
            .field("allow", &self.allow)
            .field("organization_allow", &self.organization_allow)
            .field("ca_pems", &self.ca_pems.len())
            .finish_non_exhaustive()
    }
}
