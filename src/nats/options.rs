//! How NATS is connected to: by what a server signs in, and whom it trusts.

use std::{path::Path, sync::Arc, time::Duration};

use async_nats::ConnectOptions;
use nkeys::{KeyPair, KeyPairType};
use rustls::{
    ClientConfig, RootCertStore,
    crypto::ring,
    pki_types::{CertificateDer, pem::PemObject},
};

use super::set;
use crate::{
    config::{NatsLogin, Settings},
    error::{Error, Kind, Result},
};

/// How long an attempt to connect may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// The longest time between two attempts.
const AGAIN: Duration = Duration::from_secs(1);
/// How often a connection is tried that says nothing.
const PING_INTERVAL: Duration = Duration::from_secs(5);
/// How many messages wait to be heard. More are lost, as any may be.
const UNHEARD: usize = 4_096;

/// The options that the settings stand for.
pub(super) fn of(settings: &Settings) -> Result<ConnectOptions> {
    let options = ConnectOptions::new()
        .name("parlance")
        .retry_on_initial_connect()
        .connection_timeout(CONNECT_TIMEOUT)
        .ping_interval(PING_INTERVAL)
        .subscription_capacity(UNHEARD)
        .reconnect_delay_callback(pause)
        // Also at servers that a NATS server tells of, by an address without a scheme.
        .require_tls(settings.nats_url.insist_on_tls())
        .tls_client_config(tls(settings.nats_ca.as_deref())?);
    let options = match &settings.nats_url.login {
        Some(NatsLogin::Password(user, password)) => {
            options.user_and_password(user.clone(), password.clone())
        }
        Some(NatsLogin::Token(token)) => options.token(token.clone()),
        None => options,
    };
    match &settings.nats_credentials {
        Some(path) => with_credentials(options, path),
        None => Ok(options),
    }
}

/// How long to wait before an attempt: the first comes at once.
fn pause(attempts: usize) -> Duration {
    let attempts = u32::try_from(attempts).unwrap_or(u32::MAX);
    (attempts.saturating_sub(1) * Duration::from_millis(50)).min(AGAIN)
}

fn with_credentials(options: ConnectOptions, path: &Path) -> Result<ConnectOptions> {
    let text = read("nats_credentials", path)?;
    let text = text.trim();
    let is_seed =
        KeyPair::from_seed(text).is_ok_and(|key| key.key_pair_type() == KeyPairType::User);
    if is_seed {
        return Ok(options.nkey(text.to_owned()));
    }
    // The library reads whole lines.
    options.credentials(&format!("{text}\n")).map_err(|error| {
        let what = "holds neither credentials nor the seed of a user's nkey";
        wrong("nats_credentials", path, what).because(error)
    })
}

fn tls(authorities: Option<&Path>) -> Result<ClientConfig> {
    let mut roots = RootCertStore::empty();
    match authorities {
        Some(path) => {
            let text = read("nats_ca", path)?;
            let certificates = CertificateDer::pem_slice_iter(text.as_bytes());
            for certificate in certificates {
                let broken = |error| {
                    let what = "holds a certificate that cannot be read";
                    wrong("nats_ca", path, what).because(error)
                };
                let certificate = certificate.map_err(|error| broken(error.to_string()))?;
                roots
                    .add(certificate)
                    .map_err(|error| broken(error.to_string()))?;
            }
            if roots.is_empty() {
                return Err(wrong("nats_ca", path, "holds no certificate in PEM"));
            }
        }
        None => roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned()),
    }
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
    let config = config.with_safe_default_protocol_versions();
    let config = config.map_err(Error::internal)?;
    Ok(config.with_root_certificates(roots).with_no_client_auth())
}

fn read(key: &str, path: &Path) -> Result<String> {
    std::fs::read_to_string(path)
        .map_err(|error| wrong(key, path, &format!("cannot be read ({error})")).because(error))
}

fn wrong(key: &str, path: &Path, what: &str) -> Error {
    let sentence = format!("{key} names {}, which {what}: {}", path.display(), set(key));
    Error::new(Kind::Invalid, sentence)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attempts_come_soon_and_then_once_a_second() {
        assert_eq!(pause(0), Duration::ZERO);
        assert_eq!(pause(1), Duration::ZERO);
        assert_eq!(pause(2), Duration::from_millis(50));
        assert_eq!(pause(1_000), AGAIN);
        assert_eq!(pause(usize::MAX), AGAIN);
    }
}
