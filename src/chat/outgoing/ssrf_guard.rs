//! Where a customer's address may lead: looks names up and lets only addresses through that may be
//! connected to.

use std::{fmt, future::Future, io, net::IpAddr, pin::Pin, sync::Arc};

use url::Host;

use crate::model::{Network, network};

/// The addresses of a name, once they are found.
pub type Lookup = Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send>>;

/// Looks names up.
pub trait Names: Send + Sync + 'static {
    /// The addresses of a name.
    fn look_up(&self, name: String) -> Lookup;
}

/// Asks the system.
#[derive(Debug, Clone, Copy)]
pub struct SystemNames;

impl Names for SystemNames {
    fn look_up(&self, name: String) -> Lookup {
        Box::pin(async move {
            let found = tokio::net::lookup_host((name, 0)).await?;
            Ok(found.map(|address| address.ip()).collect())
        })
    }
}

/// Which addresses may be connected to.
#[derive(Clone)]
pub(super) struct SsrfGuard {
    allowed: Arc<[Network]>,
    /// Whether only addresses in the operator's list pass: so it is where nothing is encrypted.
    listed_only: bool,
    names: Arc<dyn Names>,
}

impl fmt::Debug for SsrfGuard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Guard")
            .field("allowed", &self.allowed)
            .field("listed_only", &self.listed_only)
            .finish_non_exhaustive()
    }
}

/// An address leads where nobody may be sent.
#[derive(Debug)]
pub(super) struct NotAllowed;

impl fmt::Display for NotAllowed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name leads to an address that is not public and not in verify_allow")
    }
}

impl std::error::Error for NotAllowed {}

impl SsrfGuard {
    pub(super) fn new(allowed: Arc<[Network]>, listed_only: bool, names: Arc<dyn Names>) -> Self {
        Self {
            allowed,
            listed_only,
            names,
        }
    }

    /// The addresses of a host, which may be connected to. The client looks nothing up again, so what was
    /// checked is what is connected to. One address that may not be is enough to refuse the host.
    pub(super) async fn addresses(&self, host: Host<&str>) -> io::Result<Vec<IpAddr>> {
        let found = match host {
            Host::Domain(name) => self.names.look_up(name.to_owned()).await?,
            Host::Ipv4(address) => vec![address.into()],
            Host::Ipv6(address) => vec![address.into()],
        };
        if found.is_empty() || !found.iter().all(|address| self.allows(*address)) {
            return Err(io::Error::other(NotAllowed));
        }
        Ok(found)
    }

    /// Whether an address may be connected to.
    fn allows(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        let listed = self.allowed.iter().any(|network| network.contains(address));
        listed || (!self.listed_only && network::is_public(address))
    }
}
