//! How an attempt to prove something went, in the fields of a line.

use super::fields::{Fields, Reader};
use crate::{
    chat::limits::login_throttle::{Attempted, Outcome, Verdict},
    model::{LoginId, TenantId},
};

pub(super) fn with_outcome(fields: Fields, outcome: &Outcome) -> Fields {
    let fields = fields.flag(outcome.verdict == Verdict::Wrong);
    match &outcome.attempted {
        Attempted::Password(account, network) => {
            let fields = fields.text("password").text(account);
            fields.number(network)
        }
        Attempted::Device(device) => fields.text("device").number(device),
        Attempted::Login(login) => fields.text("login").number(login),
        Attempted::SignUp(network) => fields.text("sign_up").number(network),
        Attempted::Guest(network) => fields.text("guest").number(network),
        Attempted::Token(None, token, network) => {
            fields.text("token").number(token).number(network)
        }
        Attempted::Token(Some(app), token, network) => {
            let fields = fields.text("app_token").number(app);
            fields.number(token).number(network)
        }
        Attempted::Recovery(network) => fields.text("recovery").number(network),
        Attempted::Nothing => fields,
    }
}

pub(super) fn read_outcome(fields: &mut Reader<'_>) -> Option<Outcome> {
    let verdict = if fields.flag()? {
        Verdict::Wrong
    } else {
        Verdict::Forgiven
    };
    let attempted = match fields.text()?.as_str() {
        "password" => Attempted::Password(fields.text()?, fields.number()?),
        "device" => Attempted::Device(fields.number()?),
        "login" => Attempted::Login(LoginId::new(fields.number()?)),
        "sign_up" => Attempted::SignUp(fields.number()?),
        "guest" => Attempted::Guest(fields.number()?),
        "token" => Attempted::Token(None, fields.number()?, fields.number()?),
        "app_token" => {
            let app = TenantId::new(fields.number()?);
            Attempted::Token(Some(app), fields.number()?, fields.number()?)
        }
        "recovery" => Attempted::Recovery(fields.number()?),
        _ => return None,
    };
    Some(Outcome { attempted, verdict })
}

#[cfg(test)]
pub(super) mod tests {
    use std::net::{IpAddr, Ipv6Addr};

    use super::*;

    /// One of each kind.
    pub(in crate::chat::bus) fn outcomes() -> Vec<Outcome> {
        let network = IpAddr::from([192, 0, 2, 1]);
        let other = IpAddr::from(Ipv6Addr::new(0x2001, 0xdb8, 0, 1, 0, 0, 0, 0));
        let attempted = [
            Attempted::Password("a\tname\n".to_owned(), network),
            Attempted::Password(String::new(), other),
            Attempted::Device(u64::MAX),
            Attempted::Login(LoginId::new(3)),
            Attempted::SignUp(other),
            Attempted::Guest(network),
            Attempted::Token(None, 7, network),
            Attempted::Token(Some(TenantId::new(9)), 7, other),
            Attempted::Recovery(network),
        ];
        let of = |verdict| move |attempted| Outcome { attempted, verdict };
        let wrong = attempted.clone().into_iter().map(of(Verdict::Wrong));
        wrong
            .chain(attempted.into_iter().map(of(Verdict::Forgiven)))
            .collect()
    }
}
