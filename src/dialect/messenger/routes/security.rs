//! The safety of my account: a second factor, my sign-ins, and everything that is kept of me.

use futures_util::StreamExt;
use rocket::{
    Request, Route, delete, get,
    http::ContentType,
    post,
    response::{self, Responder, stream::ByteStream},
    routes,
};

use crate::{
    chat::{accounts::Device, export, second_factor, sessions},
    dialect::messenger::{
        routes::{ChatServices, Reply, RouteResult, ok},
        security_wire as wire,
        wire::StatusOk,
    },
    http::{Fields, Query, SignedIn, feed},
    model::Password,
};

/// What is mounted.
pub(super) fn routes() -> Vec<Route> {
    routes![
        second_factor_status,
        begin_second_factor,
        confirm_second_factor,
        end_second_factor,
        renew_recovery_codes,
        attempts,
        export_me
    ]
}

/// The password, asked again.
fn password(fields: &Fields) -> crate::Result<Password> {
    Password::attempt(fields.required_text("password")?.to_owned())
}

/// `GET /api/me/second-factor`.
#[get("/api/me/second-factor")]
pub(super) async fn second_factor_status(
    services: &ChatServices,
    caller: SignedIn,
) -> RouteResult<Reply<wire::SecondFactorStatus>> {
    let factor = second_factor::status(services, &caller).await?;
    Ok(Reply::ok(wire::SecondFactorStatus::from(factor.as_ref())))
}

/// `POST /api/me/second-factor` password: begins one.
#[post("/api/me/second-factor", data = "<fields>")]
pub(super) async fn begin_second_factor(
    services: &ChatServices,
    caller: SignedIn,
    device: Device,
    fields: &Fields,
) -> RouteResult<Reply<wire::Enrolment>> {
    let begun = second_factor::begin(services, &caller, &password(fields)?, &device).await?;
    Ok(Reply::ok(wire::Enrolment {
        qr: begun.qr,
        secret: begun.secret,
        url: begun.url,
    }))
}

/// `POST /api/me/second-factor/confirm` code: it counts from now on.
#[post("/api/me/second-factor/confirm", data = "<fields>")]
pub(super) async fn confirm_second_factor(
    services: &ChatServices,
    caller: SignedIn,
    device: Device,
    fields: &Fields,
) -> RouteResult<Reply<wire::RecoveryCodes>> {
    let code = fields.required_text("code")?;
    let recovery_codes = second_factor::confirm(services, &caller, code, &device).await?;
    Ok(Reply::ok(wire::RecoveryCodes { recovery_codes }))
}

/// `DELETE /api/me/second-factor` password: ends it.
#[delete("/api/me/second-factor", data = "<fields>")]
pub(super) async fn end_second_factor(
    services: &ChatServices,
    caller: SignedIn,
    device: Device,
    fields: &Fields,
) -> RouteResult<Reply<StatusOk>> {
    second_factor::end(services, &caller, &password(fields)?, &device).await?;
    Ok(ok())
}

/// `POST /api/me/recovery-codes` password: new ones in the place of those there are.
#[post("/api/me/recovery-codes", data = "<fields>")]
pub(super) async fn renew_recovery_codes(
    services: &ChatServices,
    caller: SignedIn,
    device: Device,
    fields: &Fields,
) -> RouteResult<Reply<wire::RecoveryCodes>> {
    let password = password(fields)?;
    let recovery_codes = second_factor::renew_codes(services, &caller, &password, &device).await?;
    Ok(Reply::ok(wire::RecoveryCodes { recovery_codes }))
}

/// `GET /api/logins/attempts` limit, before: sign-ins to my account and failed ones, the latest first.
#[get("/api/logins/attempts")]
pub(super) async fn attempts(
    services: &ChatServices,
    caller: SignedIn,
    query: &Query,
) -> RouteResult<Reply<wire::Attempts>> {
    let limit = feed::limit(query)?;
    let before = query.number("before")?;
    let (attempts, has_more) = sessions::attempts(services, &caller, before, limit).await?;
    let attempts = attempts.iter().map(wire::Attempt::from).collect();
    Ok(Reply::ok(wire::Attempts { attempts, has_more }))
}

/// Lines of JSON that nobody keeps.
pub(super) struct Lines(ByteStream<futures_util::stream::BoxStream<'static, Vec<u8>>>);

impl<'r> Responder<'r, 'r> for Lines {
    fn respond_to(self, request: &'r Request<'_>) -> response::Result<'r> {
        let mut response = self.0.respond_to(request)?;
        response.set_header(ContentType::new("application", "x-ndjson"));
        response.set_raw_header("Cache-Control", "no-store");
        response.set_raw_header(
            "Content-Disposition",
            "attachment; filename=\"parlance-export.ndjson\"",
        );
        Ok(response)
    }
}

/// `GET /api/me/export`: everything that is kept of me, a JSON object a line; the last one says that it is whole.
#[expect(clippy::needless_pass_by_value, reason = "a request guard is a value")]
#[get("/api/me/export")]
pub(super) fn export_me(services: &ChatServices, caller: SignedIn) -> Lines {
    let items = export::export(services, &caller);
    let whole = futures_util::stream::once(async { Ok(export::Item::End) });
    let lines = items.chain(whole).scan((), |(), item| {
        let line = match item {
            Ok(item) => Some(wire::line(&item)),
            Err(error) => {
                crate::telemetry::log_failure(&error);
                None
            }
        };
        async move { line }
    });
    Lines(ByteStream::from(lines.boxed()))
}
