//! Who may sign up: as the settings say, until an administrator chooses otherwise.

use super::{Administrator, links, perform};
use crate::{
    chat::Services,
    config,
    error::{Error, Result},
    model::{Act, Record, RegistrationMode, Target, TargetKind},
};

/// Who may sign up, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Registration {
    /// What the settings say.
    pub preset: RegistrationMode,
    /// What an administrator has chosen: it goes before the settings, over restarts, until it is taken back.
    pub chosen: Option<RegistrationMode>,
}

impl Registration {
    /// What holds.
    pub fn mode(self) -> RegistrationMode {
        self.chosen.unwrap_or(self.preset)
    }
}

/// Who may sign up now. It is read each time: a sign-up costs a hash anyway.
pub async fn registration(services: &Services) -> Result<Registration> {
    let preset = match services.settings.registration {
        config::Registration::Open => RegistrationMode::Open,
        config::Registration::Invitation => RegistrationMode::Invitation,
        config::Registration::Closed => RegistrationMode::Closed,
    };
    Ok(Registration {
        preset,
        chosen: services.store.registration().await?,
    })
}

/// Refuses a person who may not sign up: with an invitation it must be good, without one anybody must be welcome.
pub(in crate::chat) async fn may_sign_up(
    services: &Services,
    invitation: Option<&str>,
) -> Result<()> {
    if let Some(token) = invitation {
        return if links::is_invitation(services, token).await? {
            Ok(())
        } else {
            Err(links::not_invited())
        };
    }
    match registration(services).await?.mode() {
        RegistrationMode::Open => Ok(()),
        RegistrationMode::Invitation => Err(Error::forbidden(
            "this server takes new accounts by invitation only",
        )),
        RegistrationMode::Closed => Err(Error::forbidden("this server takes no new accounts")),
    }
}

/// Chooses who may sign up, or leaves it to the settings again.
pub async fn choose_registration(
    services: &Services,
    admin: &Administrator,
    mode: Option<RegistrationMode>,
) -> Result<()> {
    let now = services.clock.now();
    perform(services, admin, move |tx| {
        Box::pin(async move {
            if mode == tx.registration().await? {
                return Ok(((), None));
            }
            tx.set_registration(mode, now).await?;
            let record = Record {
                act: Act::SetRegistration,
                target: Target {
                    kind: TargetKind::Server,
                    id: None,
                    name: None,
                },
                detail: Some(mode.map_or("default", RegistrationMode::as_str).to_owned()),
            };
            Ok(((), Some(record)))
        })
    })
    .await
}
