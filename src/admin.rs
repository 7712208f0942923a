//! `parlance admin EMAIL`: makes an administrator of the chat service.

use std::{io::BufRead, sync::Arc, time::Duration};

use tokio_util::sync::CancellationToken;

use crate::{
    chat::{Services, WriteObserver, developers},
    config::Settings,
    error::{Error, Result},
    server,
    store::{Options, Store},
};

/// Makes an administrator; the password is the first line of the standard input.
pub async fn make(settings: &Settings, email: &str) -> Result<()> {
    let mut line = String::new();
    std::io::stdin()
        .lock()
        .read_line(&mut line)
        .map_err(Error::internal)?;
    let password = line.trim_end_matches(['\r', '\n']);
    let store = Store::open(&Options {
        url: settings.database.url.clone(),
        max_connections: settings.database.max_connections,
        connect_timeout: settings.database.connect_timeout,
        idle_timeout: Some(settings.database.idle_timeout),
    })
    .await?;
    let (chat_config, closing) = (server::chat_config(settings), CancellationToken::new());
    let services = Services::start(store, chat_config, Arc::new(Silent), closing).await?;
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
