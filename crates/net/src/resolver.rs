//! From a name to the addresses a connection may be opened to.
//!
//! The guard sits inside the connector: it is handed a name and hands back addresses that have been
//! checked, and nothing resolves the name a second time. One address outside the rule refuses the
//! name as a whole, so a mixed answer cannot be used to try again until the wrong address is picked
//! (`N-042`).

use std::{
    fmt, io,
    net::{IpAddr, SocketAddr, ToSocketAddrs},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    vec,
};

use hyper_util::client::legacy::connect::dns::Name;
use tokio::sync::Semaphore;
use tower::Service;

use crate::{
    address::AddressRefused,
    url_class::{Reach, Transport},
};

type BoxError = Box<dyn std::error::Error + Send + Sync>;
type Answer = Arc<dyn Fn(&str) -> Vec<IpAddr> + Send + Sync>;

/// Lookups block a thread each, so few run at a time.
const CONCURRENT_LOOKUPS: usize = 32;

/// Who turns names into addresses.
#[derive(Clone)]
pub struct Names {
    answer: Option<Answer>,
    lookups: Arc<Semaphore>,
}

impl Names {
    /// The resolver of the machine (`/etc/hosts`, DNS, whatever is configured).
    #[must_use]
    pub fn system() -> Self {
        Self {
            answer: None,
            lookups: Arc::new(Semaphore::new(CONCURRENT_LOOKUPS)),
        }
    }

    /// Fixed answers: how a test stands in for the DNS. The guard applies to them all the same.
    #[must_use]
    pub fn answered_by(answer: impl Fn(&str) -> Vec<IpAddr> + Send + Sync + 'static) -> Self {
        Self {
            answer: Some(Arc::new(answer)),
            ..Self::system()
        }
    }

    /// The same names with a queue of their own: strangers' lookups never delay ours.
    pub(crate) fn in_own_queue(&self) -> Self {
        Self {
            answer: self.answer.clone(),
            lookups: Arc::new(Semaphore::new(CONCURRENT_LOOKUPS)),
        }
    }

    async fn find(&self, host: &str) -> Result<Vec<IpAddr>, BoxError> {
        if let Some(answer) = &self.answer {
            return Ok(answer(host));
        }
        let permit = Arc::clone(&self.lookups).acquire_owned().await?;
        let host = host.to_owned();
        // The permit goes with the thread: a lookup given up by its caller still counts until it
        // ends.
        let found = tokio::task::spawn_blocking(move || {
            let _permit = permit;
            (host.as_str(), 0).to_socket_addrs()
        });
        let addresses = found.await.map_err(io::Error::other)??;
        Ok(addresses.map(|address| address.ip()).collect())
    }
}

impl fmt::Debug for Names {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let source = self.answer.as_ref().map_or("system", |_| "fixed");
        f.debug_tuple("Names").field(&source).finish()
    }
}

/// A resolver that hands out permitted addresses only.
#[derive(Clone, Debug)]
pub(crate) struct GuardedResolver {
    names: Names,
    reach: Reach,
    transport: Transport,
}

impl GuardedResolver {
    pub(crate) fn new(names: Names, reach: Reach, transport: Transport) -> Self {
        Self {
            names,
            reach,
            transport,
        }
    }

    async fn permitted(self, host: String) -> Result<Vec<SocketAddr>, BoxError> {
        let addresses = self.names.find(&host).await?;
        if addresses.is_empty() {
            return Err(AddressRefused::NoAddress { host }.into());
        }
        for &address in &addresses {
            self.reach.permit(self.transport, &host, address)?;
        }
        // Port 0 stands for the port of the URL.
        let with_port = |address| SocketAddr::new(address, 0);
        Ok(addresses.into_iter().map(with_port).collect())
    }
}

impl reqwest::dns::Resolve for GuardedResolver {
    fn resolve(&self, name: reqwest::dns::Name) -> reqwest::dns::Resolving {
        let resolver = self.clone();
        let host = name.as_str().to_owned();
        Box::pin(async move {
            let addresses = resolver.permitted(host).await?;
            Ok(Box::new(addresses.into_iter()) as reqwest::dns::Addrs)
        })
    }
}

impl Service<Name> for GuardedResolver {
    type Response = vec::IntoIter<SocketAddr>;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, BoxError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, name: Name) -> Self::Future {
        let resolver = self.clone();
        Box::pin(async move {
            Ok(resolver
                .permitted(name.as_str().to_owned())
                .await?
                .into_iter())
        })
    }
}
