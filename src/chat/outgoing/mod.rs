//! Requests to customers' addresses: one client for all of them, with every bound that they need.
//!
//! # Why
//! A server that sends a request to whatever address a customer names can be made to reach its operator's own
//! network. So everything that goes out goes through this client, which connects only where `ssrf_guard` lets it:
//! each request has a connection of its own, no redirect is followed, no proxy asked, and no connection kept.

mod ssrf_guard;

use std::{
    fmt, io,
    net::{IpAddr, SocketAddr},
    pin::pin,
    sync::Arc,
    time::Duration,
};

use bytes::Bytes;
use futures_util::future::{Either, select};
use http_body_util::{BodyExt, Full, Limited};
use hyper::{
    Method, Request,
    client::conn::http1::{self, SendRequest},
    header,
};
use hyper_util::rt::TokioIo;
use rustls::{ClientConfig, RootCertStore, crypto::ring, pki_types::ServerName};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    time::timeout,
};
use tokio_rustls::TlsConnector;
use url::{Host, Position, Url};

use crate::{
    error::{Error, Result},
    model::Network,
};

pub use ssrf_guard::{Lookup, Names, SystemNames};
use ssrf_guard::{NotAllowed, SsrfGuard};

/// How long connecting may take, looking the name up and agreeing on keys included.
const CONNECT: Duration = Duration::from_secs(2);
/// The most characters of an address.
const URL_CHARS: usize = 2_048;
/// Who asks.
const AGENT: &str = concat!("parlance/", env!("CARGO_PKG_VERSION"));

/// Sends requests. What is not encrypted goes only where the operator says.
pub struct Client {
    tls: TlsConnector,
    encrypted: SsrfGuard,
    plain: SsrfGuard,
}

/// A request that goes out.
#[derive(Debug)]
pub(super) struct Call<'a> {
    /// Where to.
    pub(super) url: &'a Url,
    /// What is sent there by POST; without that it is a GET.
    pub(super) body: Option<Bytes>,
    /// Headers beside those of every request.
    pub(super) headers: &'a [(&'static str, String)],
    /// How long everything may take.
    pub(super) total: Duration,
    /// The most bytes of an answer that are read; none where its status says it all.
    pub(super) most: Option<usize>,
}

/// What came back.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) body: Bytes,
}

/// Why nothing came back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Failure {
    /// The address leads where this server may not go.
    NotAllowed,
    /// Nobody answers there.
    Unreachable,
    /// It took too long.
    TimedOut,
    /// The answer was no HTTP, or too long.
    Broken,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("encrypted", &self.encrypted)
            .finish_non_exhaustive()
    }
}

impl Client {
    /// A client that may connect to public addresses, and to those of the operator's list.
    pub fn new(allowed: Vec<Network>, names: Arc<dyn Names>) -> Result<Self> {
        let allowed: Arc<[Network]> = allowed.into();
        Ok(Self {
            tls: TlsConnector::from(Arc::new(tls()?)),
            encrypted: SsrfGuard::new(Arc::clone(&allowed), false, Arc::clone(&names)),
            plain: SsrfGuard::new(allowed, true, names),
        })
    }

    /// Sends a request, and waits for its answer.
    pub(super) async fn send(&self, call: Call<'_>) -> std::result::Result<Answer, Failure> {
        let total = call.total;
        let sent = timeout(total, async {
            if call.url.scheme() == "https" {
                exchange(connected(self.connect_encrypted(call.url)).await?, call).await
            } else {
                exchange(connected(connect(&self.plain, call.url)).await?, call).await
            }
        });
        sent.await.unwrap_or(Err(Failure::TimedOut))
    }

    async fn connect_encrypted(
        &self,
        url: &Url,
    ) -> io::Result<tokio_rustls::client::TlsStream<TcpStream>> {
        let name = match url.host() {
            Some(Host::Domain(name)) => {
                ServerName::try_from(name.to_owned()).map_err(io::Error::other)?
            }
            Some(Host::Ipv4(address)) => ServerName::IpAddress(IpAddr::from(address).into()),
            Some(Host::Ipv6(address)) => ServerName::IpAddress(IpAddr::from(address).into()),
            None => return Err(io::ErrorKind::InvalidInput.into()),
        };
        let stream = connect(&self.encrypted, url).await?;
        self.tls.connect(name, stream).await
    }
}

/// A connection, if it is made in time.
async fn connected<S>(
    connecting: impl Future<Output = io::Result<S>>,
) -> std::result::Result<S, Failure> {
    let outcome = timeout(CONNECT, connecting).await;
    outcome.map_err(io::Error::from).flatten().map_err(|cause| {
        tracing::debug!(%cause, "A customer's address could not be connected to.");
        match cause.get_ref() {
            Some(inner) if inner.is::<NotAllowed>() => Failure::NotAllowed,
            Some(_) | None => Failure::Unreachable,
        }
    })
}

/// A connection to the first of the name's addresses that takes one. Each has its share of the time.
async fn connect(guard: &SsrfGuard, url: &Url) -> io::Result<TcpStream> {
    let (Some(host), Some(port)) = (url.host(), url.port_or_known_default()) else {
        return Err(io::ErrorKind::InvalidInput.into());
    };
    let addresses = guard.addresses(host).await?;
    let share = CONNECT / u32::try_from(addresses.len()).unwrap_or(u32::MAX).max(1);
    let mut failed = io::Error::from(io::ErrorKind::NotFound);
    for address in addresses {
        match timeout(share, TcpStream::connect(SocketAddr::new(address, port))).await {
            Ok(Ok(stream)) => return Ok(stream),
            Ok(Err(error)) => failed = error,
            Err(late) => failed = late.into(),
        }
    }
    Err(failed)
}

/// Sends a request on a connection, and waits for its answer.
async fn exchange<S>(stream: S, call: Call<'_>) -> std::result::Result<Answer, Failure>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let Ok((sender, connection)) = http1::handshake(TokioIo::new(stream)).await else {
        return Err(Failure::Broken);
    };
    let answer = pin!(answer(sender, call));
    // The connection moves the bytes while the answer is waited for; what it has read when it ends
    // is still to be had.
    match select(answer, pin!(connection)).await {
        Either::Left((answer, _)) => answer,
        Either::Right((_, answer)) => answer.await,
    }
}

/// What is answered.
async fn answer(
    mut sender: SendRequest<Full<Bytes>>,
    call: Call<'_>,
) -> std::result::Result<Answer, Failure> {
    let url = call.url;
    let method = match &call.body {
        Some(_) => Method::POST,
        None => Method::GET,
    };
    let mut request = Request::builder()
        .method(method)
        .uri(&url[Position::BeforePath..Position::AfterQuery])
        .header(
            header::HOST,
            &url[Position::BeforeHost..Position::AfterPort],
        )
        .header(header::ACCEPT, "*/*")
        .header(header::USER_AGENT, AGENT);
    for (name, value) in call.headers {
        request = request.header(*name, value);
    }
    let request = request.body(Full::new(call.body.unwrap_or_default()));
    let request = request.map_err(|_| Failure::Broken)?;
    let response = sender.send_request(request).await;
    let response = response.map_err(|_| Failure::Broken)?;
    let status = response.status().as_u16();
    let body = match call.most {
        Some(most) => {
            let body = Limited::new(response.into_body(), most).collect().await;
            body.map_err(|_| Failure::Broken)?.to_bytes()
        }
        None => Bytes::new(),
    };
    Ok(Answer { status, body })
}

/// TLS with the roots that browsers trust.
fn tls() -> Result<ClientConfig> {
    let roots = RootCertStore {
        roots: webpki_roots::TLS_SERVER_ROOTS.to_vec(),
    };
    Ok(
        ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(Error::internal)?
            .with_root_certificates(roots)
            .with_no_client_auth(),
    )
}

/// Inspects an address that a customer names in a field: http or https, with a host, without a password.
pub fn check_url(field: &'static str, text: &str) -> Result<String> {
    let refusal = || Error::invalid_field(field, format!("{field} must be an http or https URL"));
    if text.chars().count() > URL_CHARS || text.chars().any(char::is_control) {
        return Err(refusal());
    }
    let url = Url::parse(text.trim()).map_err(|_| refusal())?;
    let sound = matches!(url.scheme(), "http" | "https")
        && url.has_host()
        && url.username().is_empty()
        && url.password().is_none();
    if sound {
        Ok(url.to_string())
    } else {
        Err(refusal())
    }
}
