//! NATS servers that ask who is there, and show who they are: a server is let in by what is right alone, and no log tells
//! by what.

use std::{fs, path::Path, process::Command, thread, time::Duration};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use nkeys::KeyPair;
use serde_json::{Value, json};
use tempfile::tempdir;

use crate::{
    support::binary::{Started, parlance},
    support::nats::Broker,
    support::place::Place,
};

/// What NATS says to somebody whom it does not let in.
const REFUSED: &str = "authorization violation";
/// How often it is asked how the bus is.
const TRIES: usize = 20;
/// What a server says when it hears others by NATS.
const HEARD: &str = "NATS carries what servers say to each other.";

/// How a NATS server is configured, what a server has to be set to there, and what it logs if it is set otherwise.
struct Guarded {
    configuration: String,
    right: String,
    wrong: String,
    reason: &'static str,
    /// What no log may hold.
    secrets: Vec<String>,
}

/// Starts a server as a process that logs all that it may, waits until it has said this and tells that of the bus, and
/// stops it; what it said.
fn tells_of_the_bus(
    settings: &str,
    folder: &Path,
    databases: &str,
    (logs, bus): (&str, &str),
) -> String {
    let mut command = parlance(folder);
    command.env("ROCKET_DATABASES", databases);
    command.env("ROCKET_LOG_FILTER", "parlance=trace,async_nats=trace");
    let settings = format!("[default]\n{settings}");
    fs::write(folder.join("Rocket.toml"), settings).expect("it is written");
    let mut server = Started::begin(command);
    let lines = server.lines.iter().map(Value::to_string);
    let mut said: String = lines.collect();
    // It may have said so before it listened.
    if !said.contains(logs) {
        said += &server.says(logs);
    }
    comes_to_be(&server, bus);
    said + &server.stop()
}

/// Waits until it says of the bus that it is so, which is a moment after it has logged it. It is not asked often: what it
/// logs of that is not read meanwhile.
fn comes_to_be(server: &Started, bus: &str) {
    for _ in 0..TRIES {
        let answer = server.get("/health");
        let (_, body) = answer.split_once("\r\n\r\n").expect("a body");
        let told: Value = serde_json::from_str(body).expect("JSON");
        if told["parts"]["bus"]["state"] == bus {
            return;
        }
        thread::sleep(Duration::from_millis(100));
    }
    panic!("it does not come to be {bus}");
}

fn is_let_in_by_what_is_right_alone(broker: &mut Broker, place: &Place, guarded: &Guarded) {
    broker.start_with(&guarded.configuration);
    let folder = tempdir().expect("a folder");
    let databases = format!("{{chat={{url=\"{}\"}}}}", place.url());
    let mut said = tells_of_the_bus(&guarded.right, folder.path(), &databases, (HEARD, "ok"));
    let refused = (guarded.reason, "degraded");
    said += &tells_of_the_bus(&guarded.wrong, folder.path(), &databases, refused);
    for secret in &guarded.secrets {
        assert!(!said.contains(secret.as_str()), "{secret} in {said}");
    }
    broker.kill();
}

/// What is tried, each with a NATS server that is configured otherwise; on one database.
async fn are_let_in_by_what_is_right_alone(mut broker: Broker, all: Vec<Guarded>) {
    let place = Place::make().await;
    let tried = tokio::task::spawn_blocking(move || {
        for guarded in &all {
            is_let_in_by_what_is_right_alone(&mut broker, &place, guarded);
        }
    });
    tried.await.expect("each is as it should be");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_signs_in_by_a_password_or_a_token_is_let_in() {
    let Some(broker) = Broker::prepare() else {
        return;
    };
    let port = broker.port();
    let url = |login: &str| format!("nats_url = 'nats://{login}@127.0.0.1:{port}'");
    let password = Guarded {
        configuration: "authorization { user: ann, password: \"right-p@ss\" }".to_owned(),
        right: url("ann:right-p%40ss"),
        wrong: url("ann:wrong-p%40ss"),
        reason: REFUSED,
        secrets: vec!["p@ss".to_owned(), "p%40ss".to_owned()],
    };
    let token = Guarded {
        configuration: "authorization { token: right-token }".to_owned(),
        right: url("right-token"),
        wrong: url("wrong-token"),
        reason: REFUSED,
        secrets: vec!["right-token".to_owned(), "wrong-token".to_owned()],
    };
    are_let_in_by_what_is_right_alone(broker, vec![password, token]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_say_or_hear_nothing_notices() {
    let Some(broker) = Broker::prepare() else {
        return;
    };
    let url = |user: &str| {
        format!(
            "nats_url = 'nats://{user}:pass-word@127.0.0.1:{}'",
            broker.port()
        )
    };
    let user = |name: &str, permissions: &str| {
        format!("{{ user: {name}, password: pass-word, permissions: {permissions} }}")
    };
    let may = user(
        "bo",
        "{ publish: \"parlance.>\", subscribe: \"parlance.>\" }",
    );
    let guarded = |permissions: &str, reason: &'static str| Guarded {
        configuration: format!(
            "authorization {{ users: [ {}, {may} ] }}",
            user("ann", permissions)
        ),
        right: url("bo"),
        wrong: url("ann"),
        reason,
        secrets: vec!["pass-word".to_owned()],
    };
    let all = vec![
        guarded(
            "{ publish: { deny: \">\" } }",
            "Permissions Violation for Publish",
        ),
        guarded(
            "{ subscribe: { deny: \">\" } }",
            "Permissions Violation for Subscription",
        ),
        // It is not only told by NATS.
        guarded(
            "{ publish: { deny: \">\" } }",
            "what this server says does not come back",
        ),
    ];
    are_let_in_by_what_is_right_alone(broker, all).await;
}

/// A JSON Web Token of NATS: who says what about whom.
fn jwt(issuer: &KeyPair, subject: &KeyPair, nats: &Value) -> String {
    let part = |value: Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let head = part(json!({"typ": "JWT", "alg": "ed25519-nkey"}));
    let claims = part(json!({
        "jti": subject.public_key(), "iat": 1, "iss": issuer.public_key(), "sub": subject.public_key(), "name": "test",
        "nats": nats,
    }));
    let signed = issuer.sign(format!("{head}.{claims}").as_bytes());
    let signature = URL_SAFE_NO_PAD.encode(signed.expect("it has a seed"));
    format!("{head}.{claims}.{signature}")
}

fn credentials(issuer: &KeyPair, user: &KeyPair) -> String {
    let nats = json!({"type": "user", "version": 2, "subs": -1, "data": -1, "payload": -1});
    let (jwt, seed) = (jwt(issuer, user, &nats), user.seed().expect("it has one"));
    format!(
        "-----BEGIN NATS USER JWT-----\n{jwt}\n------END NATS USER JWT------\n\n\
         ************************* IMPORTANT *************************\n\n\
         -----BEGIN USER NKEY SEED-----\n{seed}\n------END USER NKEY SEED------\n"
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn who_signs_in_by_an_nkey_or_by_credentials_is_let_in() {
    let Some(broker) = Broker::prepare() else {
        return;
    };
    let port = broker.port();
    let file = |name: &str, text: &str| {
        let path = broker.path(name);
        fs::write(&path, text).expect("it is written");
        format!("nats_url = 'nats://127.0.0.1:{port}'\nnats_credentials = {path:?}")
    };
    let (user, other) = (KeyPair::new_user(), KeyPair::new_user());
    let key = |key: &KeyPair| key.seed().expect("it has one");
    let seed = |pair: &KeyPair| key(pair) + "\n";
    let nkey = Guarded {
        configuration: format!(
            "authorization {{ users: [ {{ nkey: {} }} ] }}",
            user.public_key()
        ),
        right: file("right.nk", &seed(&user)),
        wrong: file("wrong.nk", &seed(&other)),
        reason: REFUSED,
        secrets: [&user, &other].map(key).to_vec(),
    };
    let (operator, account) = (KeyPair::new_operator(), KeyPair::new_account());
    let unlimited = json!({
        "subs": -1, "data": -1, "payload": -1, "imports": -1, "exports": -1, "wildcards": true, "conn": -1, "leaf": -1,
    });
    let of_account = json!({"type": "account", "version": 2, "limits": unlimited});
    let signed = Guarded {
        configuration: format!(
            "operator: {}\nresolver: MEMORY\nresolver_preload: {{ {}: {} }}\n",
            jwt(
                &operator,
                &operator,
                &json!({"type": "operator", "version": 2})
            ),
            account.public_key(),
            jwt(&operator, &account, &of_account),
        ),
        right: file("right.creds", &credentials(&account, &user)),
        wrong: file("wrong.creds", &credentials(&KeyPair::new_account(), &user)),
        reason: REFUSED,
        // A token is of no use without the seed, and not for logs either: by this all of them begin.
        secrets: vec![key(&user), "eyJ0".to_owned()],
    };
    are_let_in_by_what_is_right_alone(broker, vec![nkey, signed]).await;
}

/// A certificate for this machine that is its own authority, and its key.
fn certificate(broker: &Broker, name: &str) {
    let made = Command::new("openssl")
        .args([
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
        ])
        .args(["-nodes", "-days", "2", "-subj", "/CN=localhost"])
        .args(["-addext", "subjectAltName=IP:127.0.0.1"])
        .args(["-addext", "basicConstraints=critical,CA:FALSE"])
        .arg("-keyout")
        .arg(broker.path(&format!("{name}.key")))
        .arg("-out")
        .arg(broker.path(&format!("{name}.pem")))
        .output();
    let made = made.expect("openssl is installed");
    assert!(
        made.status.success(),
        "{}",
        String::from_utf8_lossy(&made.stderr)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn who_trusts_the_certificate_of_nats_speaks_to_it_by_tls() {
    let Some(broker) = Broker::prepare() else {
        return;
    };
    certificate(&broker, "right");
    certificate(&broker, "wrong");
    let (port, folder) = (broker.port(), broker.folder.path().to_owned());
    let path = |name: &str| folder.join(name);
    let configuration = format!(
        "tls {{ cert_file: {:?}, key_file: {:?} }}",
        path("right.pem"),
        path("right.key")
    );
    let settings = |scheme: &str, ca: &str| {
        let ca = path(&format!("{ca}.pem"));
        format!("nats_url = '{scheme}://127.0.0.1:{port}'\nnats_ca = {ca:?}")
    };
    let public = format!("nats_url = 'tls://127.0.0.1:{port}'");
    let mut all = Vec::new();
    for scheme in ["tls", "nats"] {
        for wrong in [settings(scheme, "wrong"), public.clone()] {
            all.push(Guarded {
                configuration: configuration.clone(),
                right: settings(scheme, "right"),
                wrong,
                reason: "invalid peer certificate",
                secrets: Vec::new(),
            });
        }
    }
    // Who insists on TLS says nothing to a server without it, also where that is not the one it is said of.
    for servers in ["tls://127.0.0.1", "tls://127.0.0.1:1,nats://127.0.0.1"] {
        all.push(Guarded {
            configuration: "authorization { token: right-token }".to_owned(),
            right: format!("nats_url = 'nats://right-token@127.0.0.1:{port}'"),
            wrong: format!("nats_url = '{servers}:{port}'"),
            reason: "received corrupt message",
            secrets: vec!["right-token".to_owned()],
        });
    }
    are_let_in_by_what_is_right_alone(broker, all).await;
}
