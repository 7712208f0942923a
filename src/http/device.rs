//! The device of a request: its address, its client and its device cookie.

use rocket::{
    Request,
    http::{Cookie, CookieJar, SameSite},
    request::{FromRequest, Outcome},
    time::Duration as CookieAge,
};

use super::{ClientAddress, cookies, signed_in};
use crate::{
    chat::accounts::Device,
    config::{SameSite as Policy, Settings},
};

/// The lifetime of a device cookie, which every sign-in renews.
const KNOWN: CookieAge = CookieAge::days(365);

#[rocket::async_trait]
impl<'r> FromRequest<'r> for Device {
    type Error = std::convert::Infallible;

    async fn from_request(request: &'r Request<'_>) -> Outcome<Self, Self::Error> {
        Outcome::Success(device(request))
    }
}

/// The device that a request comes from.
pub fn device(request: &Request<'_>) -> Device {
    let address = ClientAddress::of(request);
    Device {
        client: request.headers().get_one("User-Agent").map(str::to_owned),
        address: address.ip(),
        network: address.network(),
        cookie: cookies::device(signed_in::lines(request)),
    }
}

/// Tells a browser that it is known.
pub fn set_device_cookie(settings: &Settings, jar: &CookieJar<'_>, value: String) {
    jar.add(cookie(settings, cookies::DEVICE, value, KNOWN));
}

/// A cookie as all of ours are; pages may read who is signed in, and nothing else.
pub fn cookie(
    settings: &Settings,
    name: &'static str,
    value: String,
    age: CookieAge,
) -> Cookie<'static> {
    let same_site = match settings.cookie_same_site {
        Policy::Lax => SameSite::Lax,
        Policy::Strict => SameSite::Strict,
        Policy::None => SameSite::None,
    };
    let set = if settings.cookie_host_prefix {
        cookies::prefixed(name)
    } else {
        name.into()
    };
    Cookie::build((set, value))
        .path("/")
        .same_site(same_site)
        .secure(settings.cookie_secure)
        .http_only(name != cookies::USER_ID)
        .max_age(age)
        .build()
}
