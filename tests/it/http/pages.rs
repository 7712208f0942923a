//! Pages come from the binary, or from a folder while working on them.

use std::fs;

use rocket::{http::Header, local::asynchronous::Client};

use crate::support::http_world::{Answer, client, get};

#[rocket::async_test]
async fn the_binary_serves_every_file_of_the_folder() {
    fn files(folder: &std::path::Path, into: &mut Vec<std::path::PathBuf>) {
        for entry in fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                files(&path, into);
            } else {
                into.push(path);
            }
        }
    }
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("static");
    let mut paths = Vec::new();
    files(&folder, &mut paths);
    assert!(!paths.is_empty());
    let client = client("").await;
    for path in paths {
        let name = path.strip_prefix(&folder).expect("a file of the folder");
        let answer = client.get(format!("/{}", name.display())).dispatch().await;
        assert_eq!(answer.status().code, 200, "{}", name.display());
        let body = answer.into_bytes().await;
        let same = body == Some(fs::read(&path).expect("a file"));
        assert!(same, "{} is served as it is in the folder", name.display());
    }
}

#[rocket::async_test]
async fn a_page_that_the_browser_has_is_not_sent_again() {
    let client = client("").await;
    let answer = get(&client, "/robots.txt").await;
    assert_eq!(answer.status, 200);
    assert_eq!(
        answer.header("Content-Type"),
        Some("text/plain; charset=utf-8")
    );
    assert_eq!(answer.header("Cache-Control"), Some("no-cache"));
    let tag = answer.header("ETag").expect("a tag").to_owned();
    assert_eq!(tag.len(), 18);
    for (known, status) in [
        (tag.clone(), 304),
        (format!("W/{tag}"), 304),
        (format!("\"other\", {tag}"), 304),
        ("*".to_owned(), 304),
        ("\"other\"".to_owned(), 200),
    ] {
        let request = client
            .get("/robots.txt")
            .header(Header::new("If-None-Match", known));
        let again = Answer::read(request.dispatch().await).await;
        assert_eq!(again.status, status);
        assert_eq!(again.header("ETag"), Some(tag.as_str()));
        assert_eq!(again.body.is_empty(), status == 304);
    }
}

/// A browser puts the headers of a 304 in place of those it kept: another policy would break the page.
#[rocket::async_test]
async fn a_page_that_the_browser_has_keeps_its_headers() {
    let client = client("").await;
    for path in ["/", "/widget.js"] {
        let first = get(&client, path).await;
        assert_eq!(first.status, 200);
        let tag = first.header("ETag").expect("a tag").to_owned();
        let request = client.get(path).header(Header::new("If-None-Match", tag));
        let again = Answer::read(request.dispatch().await).await;
        assert_eq!(again.status, 304);
        for name in [
            "Content-Type",
            "Content-Security-Policy",
            "Cache-Control",
            "Cross-Origin-Resource-Policy",
        ] {
            assert_eq!(again.header(name), first.header(name), "{path} {name}");
        }
    }
    // The widget's modules are read by pages of any origin; nothing else is theirs to read.
    for script in ["/widget.js", "/widget/main.js", "/parlance-socket.js"] {
        let script = get(&client, script).await;
        for (name, value) in [
            ("Cross-Origin-Resource-Policy", "cross-origin"),
            ("Access-Control-Allow-Origin", "*"),
        ] {
            assert_eq!(script.header(name), Some(value));
        }
    }
    let page = get(&client, "/console/").await;
    assert_eq!(page.header("Access-Control-Allow-Origin"), None);
}

#[rocket::async_test]
async fn an_invitation_is_one_page_whatever_its_code() {
    let client = client("").await;
    let page = get(&client, "/invite/3q2-7wAAAAAAAAAAAAAAAA").await;
    assert_eq!(page.status, 200);
    assert_eq!(
        page.header("Content-Type"),
        Some("text/html; charset=utf-8")
    );
    let policy = page.header("Content-Security-Policy").unwrap_or_default();
    assert!(policy.contains("script-src 'self'"), "{policy}");
    assert_eq!(page.header("Referrer-Policy"), Some("same-origin"));
    assert!(page.body.contains("main.js") && !page.body.contains("3q2-7w"));
    // What the page links to is beside it.
    let script = get(&client, "/invite/main.js").await;
    assert_eq!(script.header("Content-Type"), Some("text/javascript"));
    for nothing in ["/invite/none.js", "/invite/a/b"] {
        assert_eq!(get(&client, nothing).await.status, 404, "{nothing}");
    }
}

#[rocket::async_test]
async fn photos_from_elsewhere_are_shown_by_the_messenger_alone_and_by_a_setting() {
    for (toml, shown) in [("", true), ("external_photos = false", false)] {
        let client = client(toml).await;
        for path in [
            "/",
            "/index.html",
            "/admin/",
            "/account/",
            "/console/",
            "/invite/abc",
            "/shop/",
            "/together/",
        ] {
            let page = get(&client, path).await;
            assert_eq!(page.status, 200, "{path}");
            let policy = page.header("Content-Security-Policy").unwrap_or_default();
            let may = policy.contains("img-src 'self' data: https:;");
            let is_messenger = matches!(path, "/" | "/index.html");
            assert_eq!(may, shown && is_messenger, "{path}: {policy}");
            assert!(may || policy.contains("img-src 'self' data:;"), "{policy}");
            assert!(policy.contains("default-src 'none'; script-src 'self';"));
        }
    }
}

#[rocket::async_test]
async fn a_folder_serves_what_is_in_it_now() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("index.html"), "<p>start").expect("written");
    fs::create_dir(folder.path().join("demo")).expect("made");
    fs::write(folder.path().join("demo/index.html"), "<p>demo").expect("written");
    fs::write(folder.path().join("demo/app.js"), "1").expect("written");
    fs::write(folder.path().join("app.webmanifest"), "{}").expect("written");
    let client = client(&format!("static_dir = '{}'", folder.path().display())).await;

    for path in ["/", "/index.html"] {
        let answer = get(&client, path).await;
        assert_eq!((answer.status, answer.body.as_str()), (200, "<p>start"));
        assert_eq!(
            answer.header("Content-Type"),
            Some("text/html; charset=utf-8")
        );
        let policy = answer.header("Content-Security-Policy").unwrap_or_default();
        assert!(policy.contains("script-src 'self'"));
    }
    fs::write(folder.path().join("index.html"), "<p>changed").expect("written");
    assert_eq!(get(&client, "/").await.body, "<p>changed");
    let answer = get(&client, "/demo/app.js").await;
    assert_eq!(answer.header("Content-Type"), Some("text/javascript"));
    let answer = get(&client, "/app.webmanifest").await;
    assert_eq!(
        answer.header("Content-Type"),
        Some("application/manifest+json")
    );
}

#[rocket::async_test]
async fn a_folders_page_is_at_the_path_with_a_slash() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::create_dir(folder.path().join("demo")).expect("made");
    fs::write(folder.path().join("demo/index.html"), "<p>demo").expect("written");
    let client = client(&format!("static_dir = '{}'", folder.path().display())).await;
    assert_eq!(get(&client, "/demo/").await.body, "<p>demo");
    let answer = get(&client, "/demo").await;
    assert_eq!(answer.status, 308);
    // Relative, because a proxy may serve the whole under a prefix; two slashes would be another host.
    assert_eq!(answer.header("Location"), Some("./demo/"));
    let answer = get(&client, "//demo").await;
    assert_eq!(answer.header("Location"), Some("./demo/"));
}

/// A proxy may serve the whole under a prefix, which no page knows.
#[rocket::async_test]
async fn pages_name_nothing_from_the_root() {
    const ROOTED: [&str; 11] = [
        "src=\"/",
        "href=\"/",
        "action=\"/",
        "from '/",
        "import '/",
        "import('/",
        "fetch('/",
        "fetch(`/",
        "EventSource(",
        "href = `/",
        "icon: '/",
    ];
    fn check(folder: &std::path::Path) {
        for entry in fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                check(&path);
                continue;
            }
            // Pictures are no text.
            let Ok(text) = fs::read_to_string(&path) else {
                continue;
            };
            for line in text
                .lines()
                .filter(|line| !line.contains("EventSource(at("))
            {
                for rooted in ROOTED {
                    let name = path.display();
                    assert!(!line.contains(rooted), "{name} under a prefix: {line}");
                }
            }
        }
    }
    check(&std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("static"));
}

#[rocket::async_test]
async fn nothing_outside_the_folder_is_served() {
    let outside = tempfile::tempdir().expect("a folder");
    fs::write(outside.path().join("secret.txt"), "secret").expect("written");
    let folder = outside.path().join("static");
    fs::create_dir(&folder).expect("made");
    fs::write(folder.join(".hidden"), "secret").expect("written");
    let from_folder = client(&format!("static_dir = '{}'", folder.display())).await;
    let from_binary = client("").await;
    for client in [&from_folder, &from_binary] {
        for path in [
            "/../secret.txt",
            "/%2e%2e/secret.txt",
            "/..%2fsecret.txt",
            "/%2fetc/passwd",
            "//etc/passwd",
            "/.hidden",
            "/a%00b",
            "/con\\..\\x",
        ] {
            assert_not_served(client, path).await;
        }
    }
}

async fn assert_not_served(client: &Client, path: &str) {
    let answer = get(client, path).await;
    assert!((400..500).contains(&answer.status), "{path}: {answer:?}");
    answer.error();
}
