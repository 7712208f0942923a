//! Headers that every answer carries: what browsers may do with it, and which request it answers.

use rocket::{
    Request, Response,
    fairing::{Fairing, Info, Kind},
    http::{Header, uri::Path},
};

use super::{api_error, csrf};
use crate::{config::Settings, telemetry::RequestId};

/// Pages run our own scripts and styles alone, from files, and no page may frame them.
macro_rules! page_policy {
    ($pictures:literal) => {
        concat!(
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:",
            $pictures,
            "; font-src 'self'; connect-src 'self'; manifest-src 'self'; form-action 'self'; \
             base-uri 'none'; frame-ancestors 'none'",
        )
    };
}

const PAGE_POLICY: &str = page_policy!("");
/// The same for a page that shows people's photos, which are elsewhere.
pub(super) const PAGE_WITH_PHOTOS_POLICY: &str = page_policy!(" https:");

/// Anything else is data: were it ever shown as a page, nothing in it would run.
const DATA_POLICY: &str = "default-src 'none'; base-uri 'none'; frame-ancestors 'none'";

/// A year: what browsers' preload lists ask for.
const INSIST_ON_TLS: &str = "max-age=31536000";
/// The same for all hosts below this one too.
const INSIST_ON_TLS_BELOW: &str = "max-age=31536000; includeSubDomains";

/// Dresses every answer.
pub(super) struct Headers;

#[rocket::async_trait]
impl Fairing for Headers {
    fn info(&self) -> Info {
        Info {
            name: "headers",
            kind: Kind::Response,
        }
    }

    async fn on_response<'r>(&self, request: &'r Request<'_>, response: &mut Response<'r>) {
        add_headers(request, response);
    }
}

/// Sets the headers; doing it twice changes nothing.
pub(super) fn add_headers(request: &Request<'_>, response: &mut Response<'_>) {
    response.set_raw_header("X-Content-Type-Options", "nosniff");
    response.set_raw_header("X-Frame-Options", "DENY");
    // Not `no-referrer`: with it the Origin of a form post is `null`.
    response.set_raw_header("Referrer-Policy", "same-origin");
    let is_page = response
        .content_type()
        .is_some_and(|content_type| content_type.is_html());
    if !response.headers().contains("Content-Security-Policy") {
        let policy = if is_page { PAGE_POLICY } else { DATA_POLICY };
        response.set_raw_header("Content-Security-Policy", policy);
    }
    let settings = request.rocket().state::<Settings>();
    if let Some(settings) = settings.filter(|settings| settings.cookie_secure) {
        let insist = if settings.hsts_subdomains {
            INSIST_ON_TLS_BELOW
        } else {
            INSIST_ON_TLS
        };
        response.set_raw_header("Strict-Transport-Security", insist);
    }
    if under(&api_error::asked_path(request), "/api")
        && !response.headers().contains("Cache-Control")
    {
        response.set_raw_header("Cache-Control", "no-store");
    }
    response.set_header(Header::new(
        RequestId::HEADER,
        RequestId::of(request).as_str().to_owned(),
    ));
    csrf::answer(request, response);
}

/// Whether `path` is `base` or below it, decoded as routes see it: `/%61pi` is `/api`.
pub(super) fn under(path: &Path<'_>, base: &str) -> bool {
    under_any(path, &[base])
}

/// Whether `path` is one of the `bases` or below it.
pub(super) fn under_any(path: &Path<'_>, bases: &[&str]) -> bool {
    let raw = path.raw().as_str();
    let bytes = raw.as_bytes();
    // The usual path is as it is written, and compared many times a request.
    let is_plain = !bytes.contains(&b'%') && !bytes.windows(2).any(|pair| pair == b"//");
    bases.iter().any(|base| {
        if is_plain {
            let rest = raw.strip_prefix(base);
            return rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
        }
        let mut given = path.segments().filter(|segment| !segment.is_empty());
        base.split('/')
            .filter(|segment| !segment.is_empty())
            .all(|segment| given.next() == Some(segment))
    })
}

#[cfg(test)]
mod tests {
    use rocket::http::{HeaderMap, uri::Origin};

    use super::*;

    #[test]
    fn a_header_is_found_by_its_name_in_any_case() {
        for length in 1..40 {
            let name: String = "X-Request-Id_".chars().cycle().take(length).collect();
            let mut headers = HeaderMap::new();
            headers.add_raw(name.to_uppercase(), "there");
            assert_eq!(headers.get_one(&name.to_lowercase()), Some("there"));
            assert_eq!(headers.get_one(&name), Some("there"));
            assert_eq!(headers.get_one(&format!("{name}.")), None);
        }
    }

    #[test]
    fn a_path_is_under_another_however_it_is_written() {
        for (path, is_under) in [
            ("/api", true),
            ("/api/", true),
            ("/api/chats", true),
            ("//api/chats", true),
            ("/%61pi/chats", true),
            ("/apis", false),
            ("/", false),
            ("/other/api", false),
            ("/%61pis", false),
        ] {
            let parsed = Origin::parse(path).expect("a path");
            assert_eq!(under(&parsed.path(), "/api"), is_under, "{path}");
        }
    }
}
