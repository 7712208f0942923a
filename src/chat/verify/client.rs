//! One question to a customer's address, with every bound it needs.
//!
//! A question has a connection of its own, which goes where the guard said and nowhere else: no
//! redirect is followed, no proxy asked, and no connection kept.

use std::{
    fmt, io,
    net::{IpAddr, SocketAddr},
    pin::pin,
    sync::Arc,
    time::Duration,
};

use bytes::Bytes;
use futures_util::future::{Either, select};
use http_body_util::{BodyExt, Empty, Limited};
use hyper::{
    Request,
    client::conn::http1::{self, SendRequest},
    header,
};
use hyper_util::rt::TokioIo;
use rustls::{ClientConfig, RootCertStore, crypto::ring, pki_types::ServerName};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    time::{error::Elapsed, timeout},
};
use tokio_rustls::TlsConnector;
use url::{Host, Position, Url};

use super::{Names, Verdict, ssrf_guard::SsrfGuard};
use crate::{
    error::{Error, Result},
    model::Network,
};

/// How long connecting may take, looking the name up and agreeing on keys included.
const CONNECT: Duration = Duration::from_secs(2);
/// How long everything may take.
const TOTAL: Duration = Duration::from_secs(3);
/// The most bytes of an answer.
const MOST: usize = 64 << 10;
/// The most characters of an address.
const URL_CHARS: usize = 2_048;
/// Who asks.
const AGENT: &str = concat!("parlance/", env!("CARGO_PKG_VERSION"));

/// Asks. What is not encrypted goes only where the operator says.
pub(super) struct Client {
    tls: TlsConnector,
    encrypted: SsrfGuard,
    plain: SsrfGuard,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("encrypted", &self.encrypted)
            .finish_non_exhaustive()
    }
}

impl Client {
    pub(super) fn new(allowed: Vec<Network>, names: Arc<dyn Names>) -> Result<Self> {
        let allowed: Arc<[Network]> = allowed.into();
        Ok(Self {
            tls: TlsConnector::from(Arc::new(tls()?)),
            encrypted: SsrfGuard::new(Arc::clone(&allowed), false, Arc::clone(&names)),
            plain: SsrfGuard::new(allowed, true, names),
        })
    }

    /// Whether the system at that address says that the token is good.
    pub(super) async fn ask(&self, url: &str, token: &str) -> Verdict {
        let Ok(mut url) = Url::parse(url) else {
            return Verdict::Unavailable;
        };
        url.query_pairs_mut().append_pair("token", token);
        let asked = timeout(TOTAL, async {
            if url.scheme() == "https" {
                let stream = timeout(CONNECT, self.connect_encrypted(&url)).await;
                exchange(stream, &url).await
            } else {
                let stream = timeout(CONNECT, connect(&self.plain, &url)).await;
                exchange(stream, &url).await
            }
        });
        asked.await.unwrap_or(Verdict::Bad)
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

/// Asks on a connection, where one was made.
async fn exchange<S>(connected: std::result::Result<io::Result<S>, Elapsed>, url: &Url) -> Verdict
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let stream = match connected.map_err(io::Error::from).flatten() {
        Ok(stream) => stream,
        Err(cause) => {
            tracing::debug!(%cause, "A token could not be verified.");
            return Verdict::Unavailable;
        }
    };
    let Ok((sender, connection)) = http1::handshake(TokioIo::new(stream)).await else {
        return Verdict::Bad;
    };
    let answer = pin!(answer(sender, url));
    // The connection moves the bytes while the answer is waited for; what it has read when it ends
    // is still to be had.
    match select(answer, pin!(connection)).await {
        Either::Left((verdict, _)) => verdict,
        Either::Right((_, answer)) => answer.await,
    }
}

/// What the answer says.
async fn answer(mut sender: SendRequest<Empty<Bytes>>, url: &Url) -> Verdict {
    let request = Request::get(&url[Position::BeforePath..Position::AfterQuery])
        .header(
            header::HOST,
            &url[Position::BeforeHost..Position::AfterPort],
        )
        .header(header::ACCEPT, "*/*")
        .header(header::USER_AGENT, AGENT)
        .body(Empty::new());
    let Ok(request) = request else {
        return Verdict::Bad;
    };
    let Ok(response) = sender.send_request(request).await else {
        return Verdict::Bad;
    };
    if !response.status().is_success() {
        return Verdict::Bad;
    }
    let Ok(body) = Limited::new(response.into_body(), MOST).collect().await else {
        return Verdict::Bad;
    };
    if body.to_bytes().trim_ascii() == b"false" {
        Verdict::Bad
    } else {
        Verdict::Good
    }
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

/// Inspects an address that a customer wants asked: http or https, with a host, without a password.
pub fn check_url(text: &str) -> Result<String> {
    let refusal = || Error::invalid_field("verify_url", "verify_url must be an http or https URL");
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
