//! One question to a customer's address, with every bound it needs.

use std::{net::IpAddr, sync::Arc, time::Duration};

use reqwest::{Url, redirect};
use rustls::{ClientConfig, RootCertStore, crypto::ring};

use super::{Names, Verdict, ssrf_guard::SsrfGuard};
use crate::{
    error::{Error, Result},
    model::Network,
};

/// How long connecting may take, looking the name up included.
const CONNECT: Duration = Duration::from_secs(2);
/// How long everything may take.
const TOTAL: Duration = Duration::from_secs(3);
/// The most bytes of an answer.
const MOST: usize = 64 << 10;
/// The most characters of an address.
const URL_CHARS: usize = 2_048;

/// Two clients: what is not encrypted goes only where the operator says.
#[derive(Debug)]
pub(super) struct Client {
    encrypted: (reqwest::Client, SsrfGuard),
    plain: (reqwest::Client, SsrfGuard),
}

impl Client {
    pub(super) fn new(allowed: Vec<Network>, names: Arc<dyn Names>) -> Result<Self> {
        let allowed: Arc<[Network]> = allowed.into();
        let anywhere = SsrfGuard::new(Arc::clone(&allowed), false, Arc::clone(&names));
        let listed = SsrfGuard::new(allowed, true, names);
        Ok(Self {
            encrypted: (client(&anywhere)?, anywhere),
            plain: (client(&listed)?, listed),
        })
    }

    /// Whether whoever answers there says that the token is good.
    pub(super) async fn ask(&self, url: &str, token: &str) -> Verdict {
        let Ok(mut url) = Url::parse(url) else {
            return Verdict::Unavailable;
        };
        let (client, guard) = if url.scheme() == "https" {
            &self.encrypted
        } else {
            &self.plain
        };
        // An address instead of a name is not looked up, so it is looked at here.
        if literal(&url).is_some_and(|address| !guard.allows(address)) {
            return Verdict::Unavailable;
        }
        url.query_pairs_mut().append_pair("token", token);
        match tokio::time::timeout(TOTAL, read(client, url)).await {
            Ok(verdict) => verdict,
            Err(_) => Verdict::Bad,
        }
    }
}

async fn read(client: &reqwest::Client, url: Url) -> Verdict {
    let mut response = match client.get(url).send().await {
        Ok(response) => response,
        Err(error) if error.is_connect() => {
            // The address holds the token.
            tracing::debug!(cause = ?error.without_url(), "A token could not be verified.");
            return Verdict::Unavailable;
        }
        Err(_) => return Verdict::Bad,
    };
    if !response.status().is_success() {
        return Verdict::Bad;
    }
    let mut body = Vec::new();
    loop {
        match response.chunk().await {
            Ok(Some(chunk)) if body.len() + chunk.len() <= MOST => body.extend_from_slice(&chunk),
            Ok(Some(_)) | Err(_) => return Verdict::Bad,
            Ok(None) => break,
        }
    }
    if body.trim_ascii() == b"false" {
        Verdict::Bad
    } else {
        Verdict::Good
    }
}

fn client(guard: &SsrfGuard) -> Result<reqwest::Client> {
    let roots = RootCertStore {
        roots: webpki_roots::TLS_SERVER_ROOTS.to_vec(),
    };
    let tls = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(Error::internal)?
        .with_root_certificates(roots)
        .with_no_client_auth();
    reqwest::Client::builder()
        .tls_backend_preconfigured(tls)
        .dns_resolver(guard.clone())
        .redirect(redirect::Policy::none())
        .no_proxy()
        .connect_timeout(CONNECT)
        .timeout(TOTAL)
        .pool_max_idle_per_host(0)
        .user_agent(concat!("parlance/", env!("CARGO_PKG_VERSION")))
        .build()
        .map_err(Error::internal)
}

/// The address that stands where a name would.
fn literal(url: &Url) -> Option<IpAddr> {
    let host = url.host_str()?;
    host.trim_start_matches('[')
        .trim_end_matches(']')
        .parse()
        .ok()
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
