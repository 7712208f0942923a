//! What is done on the machine, by the binary, beside a server that runs.

use std::{
    io::Write,
    path::Path,
    process::{Output, Stdio},
    time::{Duration, Instant},
};

use parlance::chat::administration::{self, SecondFactorChoice, SecondFactorLeft};
use reqwest::Client;
use serde_json::Value;

use crate::{
    support::actor::{Actor, PASSWORD},
    support::administration::administrator,
    support::binary::{Started, parlance},
    support::world::{World, soon_holds},
};

const NEW: &str = "battery staple";

/// Runs the binary with a line on its standard input.
fn run(folder: &Path, words: &[&str], line: &str) -> Output {
    let mut child = parlance(folder)
        .args(words)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it runs");
    let mut input = child.stdin.take().expect("it is piped");
    // Who refuses before reading has closed it.
    drop(writeln!(input, "{line}"));
    drop(input);
    child.wait_with_output().expect("it ends")
}

fn said(output: &Output) -> String {
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout.clone()).expect("text")
}

async fn sign_in(http: &Client, base: &str, password: &str) -> Option<String> {
    let form = [("name", "ann"), ("password", password)];
    let told = http.post(format!("{base}/api/login")).form(&form).send();
    let told = told.await.expect("the server answers");
    if told.status() != 200 {
        return None;
    }
    let cookies = told.headers().get_all("Set-Cookie").iter();
    let cookies: Vec<_> = cookies
        .filter_map(|line| line.to_str().ok()?.split(';').next().map(str::to_owned))
        .collect();
    Some(cookies.join("; "))
}

#[tokio::test(flavor = "multi_thread")]
async fn an_administrator_and_a_new_password_beside_a_running_server() {
    crate::with_tls();
    let folder = tempfile::tempdir().expect("a folder");
    let mut command = parlance(folder.path());
    command.env("ROCKET_BCRYPT_COST", "4");
    let server = Started::begin(command);
    let base = format!("http://127.0.0.1:{}", server.port);
    let http = Client::new();
    let folder = folder.path();

    // Nobody has the name: an account is made.
    let made = run(folder, &["admin", "ann"], PASSWORD);
    assert!(said(&made).contains("ann has an account and is an administrator now"));
    let again = run(folder, &["admin", "ANN"], "");
    assert!(said(&again).contains("already"));
    let short = run(folder, &["admin", "bo"], "short");
    assert_eq!(short.status.code(), Some(1));
    let nobody = run(folder, &["passwd", "nobody"], NEW);
    assert_eq!(nobody.status.code(), Some(1));
    let why = String::from_utf8(nobody.stderr).expect("text");
    assert!(why.contains("nobody signs in by that name"), "{why}");

    let cookies = sign_in(&http, &base, PASSWORD)
        .await
        .expect("she is let in");
    let audit = http
        .get(format!("{base}/api/admin/audit"))
        .header("Cookie", &cookies)
        .send();
    let audit: Value = audit.await.expect("it answers").json().await.expect("JSON");
    let acts: Vec<_> = audit["audit"].as_array().expect("a list").iter().collect();
    assert_eq!(
        (&acts[0]["act"], &acts[1]["act"]),
        (&"promote".into(), &"create".into())
    );

    // A wait of hers ends within the bound that is told.
    let wait = http
        .get(format!("{base}/api/events?timeout=50"))
        .header("Cookie", &cookies)
        .send();
    let wait = tokio::spawn(wait);
    let path = folder.to_owned();
    let done = tokio::task::spawn_blocking(move || run(&path, &["passwd", "ann"], NEW)).await;
    assert!(said(&done.expect("it ran")).contains("signed out everywhere"));
    let began = Instant::now();
    let ended = wait.await.expect("it ends").expect("it answers");
    assert_eq!(ended.status(), 401);
    assert!(began.elapsed() < Duration::from_secs(10));
    let me = http
        .get(format!("{base}/api/me"))
        .header("Cookie", &cookies)
        .send();
    assert_eq!(me.await.expect("it answers").status(), 401);
    assert!(sign_in(&http, &base, PASSWORD).await.is_none());
    assert!(sign_in(&http, &base, NEW).await.is_some());
    let again = run(folder, &["passwd", "--reset-second-factor", "ann"], NEW);
    assert!(said(&again).ends_with("signed out everywhere.\n"));
    server.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_another_process_ends_a_server_forgets() {
    let world = World::new().await;
    let ann = world.actor("ann").await;
    let bo = world.actor("bo").await;
    ann.get("/api/me").await.with(200);
    let store = world.place.store().await;
    let closing = tokio_util::sync::CancellationToken::new();
    let settings = parlance::config::Settings::default();
    let beside = parlance::chat::Services::start_beside(
        store,
        &settings,
        std::sync::Arc::new(Silent),
        closing,
    );
    let beside = beside.await.expect("it starts");
    let new = || parlance::model::Password::attempt(NEW.to_owned());
    let keep = SecondFactorChoice::Keep;
    let set = administration::set_password(&beside, "Ann", keep, new).await;
    assert_eq!(set.expect("it is set"), SecondFactorLeft::None);
    beside.stop().await.expect("it stops");
    // A login that begins before the server has looked stays.
    let fresh = Actor::sign_in(&world, "ann", NEW).await;
    soon_holds(async || ann.get("/api/me").await.status == 401).await;
    fresh.get("/api/me").await.with(200);
    bo.get("/api/me").await.with(200);
    let mut beside = world.place.beside().await;
    loop {
        let notes = beside.number("select count(*) from revocations").await;
        if notes == 0 {
            break;
        }
        tokio::task::yield_now().await;
    }
}

struct Silent;

impl parlance::chat::WriteObserver for Silent {
    fn batch(&self, _drafts: usize, _messages: usize, _took: Duration) {}
}

#[rocket::async_test]
async fn nobody_is_an_administrator_of_home_by_the_settings_of_the_service() {
    let settings = "admin_email = 'root@example.com'\nadmin_password = 'correct horse'";
    let world = World::with(settings).await;
    let mut beside = world.place.beside().await;
    let count = "select count(*) from people where administrator";
    assert_eq!(beside.number(count).await, 0);
    administrator(&world, "root").await;
    assert_eq!(beside.number(count).await, 1);
}
