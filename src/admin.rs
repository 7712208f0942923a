//! `parlance admin EMAIL`: makes an administrator of the chat service.

use std::{io::BufRead, sync::Arc, time::Duration};

use tokio_util::sync::CancellationToken;

use crate::{
    chat::{Services, WriteObserver, developers},
    config::Settings,
    error::{Error, Result},
    server,
    store::Store,
};

/// Makes an administrator; the password is the first line of the standard input.
pub async fn make(settings: &Settings, email: &str) -> Result<()> {
    let mut line = String::new();
    std::io::stdin()
        .lock()
        .read_line(&mut line)
        .map_err(Error::internal)?;
    let password = line.trim_end_matches(['\r', '\n']);
    let store = Store::open(&server::store_options(settings)).await?;
    let closing = CancellationToken::new();
    let services = Services::start(store, settings, Arc::new(Silent), closing).await?;
    let made = developers::add_admin(&services, email, password).await;
    let stopped = services.stop().await;
    made?;
    stopped?;
    println!("{email} is an administrator now.");
    Ok(())
}

/// Nobody reads the figures of a process that ends at once.
struct Silent;

impl WriteObserver for Silent {
    fn batch(&self, _drafts: usize, _messages: usize, _took: Duration) {}
}
