//! An operation as the tables write it: a route, its words, what it takes and what it answers.

use serde_json::Value;

use super::field::Field;
use crate::json::schema::{Definitions, Describe};

/// One of the APIs of this server, which is a tag in the document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Api {
    Messenger,
    Administration,
    Events,
    Support,
    Service,
    Operations,
}

impl Api {
    pub(super) const ALL: [Self; 6] = [
        Self::Messenger,
        Self::Administration,
        Self::Events,
        Self::Support,
        Self::Service,
        Self::Operations,
    ];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Messenger => "messenger",
            Self::Administration => "administration",
            Self::Events => "events",
            Self::Support => "support",
            Self::Service => "service",
            Self::Operations => "operations",
        }
    }

    pub(super) const fn about(self) -> &'static str {
        match self {
            Self::Messenger => {
                "People who sign up, their chats and messages. `POST /api/login` sets two cookies, which every other request brings; on this page the browser does that by itself once you have run `POST /api/login`."
            }
            Self::Administration => {
                "What administrators do with people, chats, sites and the server."
            }
            Self::Events => {
                "The events of all APIs by plain HTTP: new ones by long-poll or as a stream, and those that a client would send by a socket as a POST."
            }
            Self::Support => {
                "Live support for web sites: their owners and domains. Guests and owners talk by events."
            }
            Self::Service => {
                "Chat for any application: its server registers an app, its users and its rooms. The app's `applicationId` is its secret. Users talk by events. With the setting `service_status_200` failures of this API have the HTTP status 200."
            }
            Self::Operations => "Whether the server is well, and its figures.",
        }
    }
}

/// By what a caller is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Access {
    /// Nobody needs to be known.
    Public,
    /// The cookies of a person.
    Cookies,
    /// Those of an administrator.
    Administrator,
    /// The token of an owner of a site.
    Owner,
    /// The token of an account that registers apps.
    Developer,
    /// An app's secret in the header `appId`, and its owner's token where the app wants it.
    App,
    /// The same with the secret elsewhere.
    AppElsewhere,
    /// Whatever a socket's handshake can bring.
    Handshake,
    /// The same, or nothing: a guest.
    HandshakeOrGuest,
    /// A token, wherever it is.
    Token,
    /// This machine, or a token.
    Scraper,
}

/// The media types that a body can have.
#[derive(Debug, Clone, Copy)]
pub(super) enum Forms {
    /// Forms and JSON.
    All,
    /// JSON. (Forms are read as well, but the document of that API knows JSON alone.)
    Json,
}

impl Forms {
    pub(super) const fn media_types(self) -> &'static [&'static str] {
        match self {
            Self::All => &[
                "application/json",
                "application/x-www-form-urlencoded",
                "multipart/form-data",
            ],
            Self::Json => &["application/json"],
        }
    }
}

/// An answer: its status, what it holds, an example, and its headers.
#[derive(Clone, Copy)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) schema: fn(&mut Definitions) -> Value,
    pub(super) media_type: &'static str,
    pub(super) example: &'static str,
    pub(super) headers: &'static [&'static str],
}

/// An answer that holds `T` as JSON.
pub(super) const fn answer<T: Describe>(status: u16, example: &'static str) -> Answer {
    Answer {
        status,
        schema: T::schema,
        media_type: "application/json",
        example,
        headers: &[],
    }
}

impl Answer {
    pub(super) const fn status(self, status: u16) -> Self {
        Self { status, ..self }
    }

    pub(super) const fn headers(self, headers: &'static [&'static str]) -> Self {
        Self { headers, ..self }
    }

    pub(super) const fn of(self, media_type: &'static str) -> Self {
        Self { media_type, ..self }
    }
}

/// See the module.
#[derive(Clone, Copy)]
pub(super) struct Operation {
    /// Method and path.
    pub(super) route: &'static str,
    /// By what name generated clients call it.
    pub(super) id: &'static str,
    pub(super) api: Api,
    pub(super) summary: &'static str,
    pub(super) about: &'static str,
    pub(super) access: Access,
    pub(super) forms: Forms,
    pub(super) body: &'static [Field],
    pub(super) query: &'static [Field],
    pub(super) path: &'static [Field],
    pub(super) headers: &'static [Field],
    pub(super) answer: Answer,
    /// Answers with another status or media type.
    pub(super) others: &'static [Answer],
    /// Statuses of refusals, beside those that follow from the rest.
    pub(super) refusals: &'static [u16],
}

impl Operation {
    const fn new(api: Api, access: Access, route: &'static str, id: &'static str) -> Self {
        let forms = match api {
            Api::Service | Api::Operations => Forms::Json,
            Api::Messenger | Api::Administration | Api::Events | Api::Support => Forms::All,
        };
        Self {
            route,
            id,
            api,
            summary: "",
            about: "",
            access,
            forms,
            body: &[],
            query: &[],
            path: &[],
            headers: &[],
            answer: super::answers::OK,
            others: &[],
            refusals: &[],
        }
    }

    pub(super) const fn says(self, summary: &'static str) -> Self {
        Self { summary, ..self }
    }

    pub(super) const fn about(self, about: &'static str) -> Self {
        Self { about, ..self }
    }

    pub(super) const fn access(self, access: Access) -> Self {
        Self { access, ..self }
    }

    pub(super) const fn body(self, body: &'static [Field]) -> Self {
        Self { body, ..self }
    }

    pub(super) const fn query(self, query: &'static [Field]) -> Self {
        Self { query, ..self }
    }

    pub(super) const fn path(self, path: &'static [Field]) -> Self {
        Self { path, ..self }
    }

    pub(super) const fn headers(self, headers: &'static [Field]) -> Self {
        Self { headers, ..self }
    }

    pub(super) const fn answers(self, answer: Answer) -> Self {
        Self { answer, ..self }
    }

    pub(super) const fn or(self, others: &'static [Answer]) -> Self {
        Self { others, ..self }
    }

    pub(super) const fn refuses(self, refusals: &'static [u16]) -> Self {
        Self { refusals, ..self }
    }
}

pub(super) const fn messenger(route: &'static str, id: &'static str) -> Operation {
    Operation::new(Api::Messenger, Access::Cookies, route, id)
}

pub(super) const fn admin(route: &'static str, id: &'static str) -> Operation {
    Operation::new(Api::Administration, Access::Administrator, route, id)
}

pub(super) const fn events(route: &'static str, id: &'static str) -> Operation {
    Operation::new(Api::Events, Access::Handshake, route, id)
}

pub(super) const fn support(route: &'static str, id: &'static str) -> Operation {
    Operation::new(Api::Support, Access::Public, route, id)
}

pub(super) const fn service(route: &'static str, id: &'static str) -> Operation {
    Operation::new(Api::Service, Access::App, route, id)
}

pub(super) const fn operations(route: &'static str, id: &'static str) -> Operation {
    Operation::new(Api::Operations, Access::Public, route, id)
}
