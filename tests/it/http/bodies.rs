//! Fields come as a urlencoded form, a multipart form or JSON; every oddity is a plain 400.

use parlance::http::Fields;
use proptest::prelude::*;
use rocket::{http::Header, local::asynchronous::Client};

use crate::support::http_world::{Answer, client, get, post};

const FORM: &str = "application/x-www-form-urlencoded";
const JSON: &str = "application/json";
const PARTS: &str = "multipart/form-data; boundary=XX";

async fn refused(client: &Client, path: &str, content_type: &str, body: &[u8]) -> (u16, String) {
    let answer = post(client, path, content_type, body).await;
    (answer.status, answer.error().1)
}

fn parts(pairs: &[(&str, &[u8])]) -> Vec<u8> {
    let mut body = Vec::new();
    for (name, value) in pairs {
        body.extend_from_slice(b"--XX\r\nContent-Disposition: form-data; name=\"");
        body.extend_from_slice(name.as_bytes());
        body.extend_from_slice(b"\"\r\n\r\n");
        body.extend_from_slice(value);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(b"--XX--\r\n");
    body
}

#[rocket::async_test]
async fn the_three_forms_say_the_same() {
    let client = client("").await;
    let said = |answer: Answer| {
        assert_eq!(answer.status, 200, "{}", answer.body);
        answer.body
    };
    let form = b"content=%D0%9F%D1%80%D0%B8%D0%B2%D0%B5%D1%82+%26+%F0%9F%91%8B&x=1";
    let whole = "Привет & 👋";
    for content_type in [
        FORM,
        "application/x-www-form-urlencoded; charset=UTF-8",
        "Application/X-WWW-Form-Urlencoded;charset=utf-8;a=b",
    ] {
        assert_eq!(
            said(post(&client, "/api/echo", content_type, form).await),
            whole
        );
    }
    for content_type in [JSON, "application/json; charset=utf-8"] {
        let json = serde_json::json!({"content": whole, "x": [1, {"y": null}]}).to_string();
        let answer = post(&client, "/api/echo", content_type, json.as_bytes()).await;
        assert_eq!(said(answer), whole);
    }
    for content_type in [PARTS, "multipart/form-data; charset=utf-8; boundary=\"XX\""] {
        let body = parts(&[("content", whole.as_bytes()), ("x", b"1")]);
        let answer = post(&client, "/api/echo", content_type, &body).await;
        assert_eq!(said(answer), whole);
    }
}

#[rocket::async_test]
async fn a_part_sent_as_a_file_is_text_too() {
    let client = client("").await;
    let body = b"--XX\r\nContent-Disposition: form-data; name=\"content\"; filename=\"a.txt\"\r\n\
        Content-Type: text/plain\r\n\r\nfrom a file\r\n--XX--\r\n";
    let answer = post(&client, "/api/echo", PARTS, body).await;
    assert_eq!(answer.body, "from a file");
}

#[rocket::async_test]
async fn bad_utf8_is_a_400_and_never_a_replacement_character() {
    let client = client("").await;
    let is_not = (400, "content is not UTF-8".to_owned());
    for body in [&b"content=%FF"[..], b"content=\xFF", b"content=%ED%A0%80"] {
        assert_eq!(refused(&client, "/api/echo", FORM, body).await, is_not);
    }
    let body = parts(&[("content", b"\xC3\x28")]);
    assert_eq!(refused(&client, "/api/echo", PARTS, &body).await, is_not);
    for body in [
        &b"{\"content\":\"\xFF\"}"[..],
        b"{\"content\":\"\xED\xA0\xBD\"}",
    ] {
        let (status, sentence) = refused(&client, "/api/echo", JSON, body).await;
        assert_eq!(status, 400);
        assert!(sentence.starts_with("the body is not valid JSON"));
    }
    let (status, _) = refused(&client, "/api/echo", FORM, b"%FF=1").await;
    assert_eq!(status, 400);
}

#[rocket::async_test]
async fn half_a_character_in_json_is_replaced() {
    let client = client("").await;
    for (body, text) in [
        (r#"{"content":"a\ud83d"}"#, "a\u{fffd}"),
        (r#"{"content":"\udc4ba\ud83d\udc4b"}"#, "\u{fffd}a\u{1f44b}"),
        (r#"{"\ud83d":1,"content":"\\ud83d"}"#, "\\ud83d"),
    ] {
        let answer = post(&client, "/api/echo", JSON, body.as_bytes()).await;
        assert_eq!((answer.status, answer.body.as_str()), (200, text), "{body}");
    }
}

#[rocket::async_test]
async fn a_byte_order_mark_is_read_past() {
    let client = client("").await;
    for (content_type, body) in [
        (FORM, &b"\xEF\xBB\xBFcontent=a"[..]),
        (JSON, b"\xEF\xBB\xBF{\"content\":\"a\"}"),
    ] {
        let answer = post(&client, "/api/echo", content_type, body).await;
        assert_eq!((answer.status, answer.body.as_str()), (200, "a"));
    }
    let (status, _) = refused(&client, "/api/echo", JSON, b"\xEF\xBB\xBF").await;
    assert_eq!(status, 400);
}

#[rocket::async_test]
async fn a_packed_body_is_a_415_that_says_so() {
    let client = client("").await;
    let gzip = b"\x1f\x8b\x08\0\0\0\0\0\0\x03";
    for (coding, status) in [
        ("gzip", 415),
        ("identity, br", 415),
        ("x\u{1}y", 415),
        ("identity", 200),
        ("IDENTITY", 200),
        ("", 200),
    ] {
        for content_type in [FORM, JSON] {
            let body = match (status, content_type) {
                (415, _) => &gzip[..],
                (_, FORM) => b"content=a",
                (..) => br#"{"content":"a"}"#,
            };
            let request = client
                .post("/api/echo")
                .header(Header::new("Content-Type", content_type))
                .header(Header::new("Content-Encoding", coding))
                .body(body);
            let answer = Answer::read(request.dispatch().await).await;
            assert_eq!(answer.status, status, "{coding}");
            if status == 415 {
                let (code, sentence) = answer.error();
                assert_eq!(code, "unsupported_type");
                assert!(sentence.contains("Content-Encoding"), "{sentence}");
            }
        }
    }
}

#[rocket::async_test]
async fn a_number_beyond_all_bounds_is_called_too_large() {
    let client = client("").await;
    let (status, sentence) = refused(&client, "/api/echo", JSON, br#"{"x":1e400}"#).await;
    assert_eq!(status, 400);
    assert!(
        sentence.starts_with("a number in the body is too large"),
        "{sentence}"
    );
}

#[rocket::async_test]
async fn a_nul_is_a_400_wherever_it_hides() {
    let client = client("").await;
    let parts = parts(&[("content", b"a\0b")]);
    for (content_type, body) in [
        (FORM, &b"content=a%00b"[..]),
        (FORM, b"content=a\0b"),
        (FORM, b"content=a&other%00=1"),
        (JSON, br#"{"content":"a\u0000b"}"#),
        (JSON, br#"{"content":"a","more":[{"deep":"\u0000"}]}"#),
        (PARTS, &parts),
    ] {
        let (status, sentence) = refused(&client, "/api/echo", content_type, body).await;
        assert_eq!(status, 400);
        assert_eq!(sentence, "text cannot hold the character U+0000");
    }
}

#[rocket::async_test]
async fn broken_escapes_stay_as_they_are() {
    let client = client("").await;
    for (body, text) in [
        (&b"content=100%"[..], "100%"),
        (b"content=%zz%4", "%zz%4"),
        (b"&&content=a=b&", "a=b"),
        (b"content=", ""),
        (b"content", ""),
        (b"content=a%2Bb+c", "a+b c"),
    ] {
        let answer = post(&client, "/api/echo", FORM, body).await;
        assert_eq!((answer.status, answer.body.as_str()), (200, text));
    }
}

#[rocket::async_test]
async fn a_body_over_the_limit_is_a_413() {
    let client = client("").await;
    let fits = vec![b'a'; 128 * 1024 - "content=".len()];
    let body = [b"content=", fits.as_slice()].concat();
    let answer = post(&client, "/api/echo", FORM, &body).await;
    assert_eq!(answer.status, 200);
    let too_large = [body.as_slice(), b"a"].concat();
    for content_type in [FORM, JSON, PARTS] {
        let answer = post(&client, "/api/echo", content_type, &too_large).await;
        assert_eq!(answer.status, 413);
        let (code, sentence) = answer.error();
        assert_eq!(code, "too_large");
        assert_eq!(sentence, "the body is larger than 131072 bytes");
    }
    let small = crate::support::http_world::client("limits.form = '1KiB'").await;
    let answer = post(&small, "/api/echo", FORM, &body).await;
    assert_eq!(answer.status, 413);
}

#[rocket::async_test]
async fn another_media_type_is_a_415() {
    let client = client("").await;
    for content_type in ["", "text/plain", "application/xml", "nonsense", "a/b/c;;"] {
        let answer = post(&client, "/api/echo", content_type, b"content=a").await;
        assert_eq!(answer.status, 415, "{content_type:?}");
        assert_eq!(answer.error().0, "unsupported_type");
    }
}

#[rocket::async_test]
async fn an_empty_body_has_no_fields_whatever_its_type() {
    let client = client("").await;
    for content_type in ["", FORM, JSON, PARTS, "text/plain"] {
        let answer = post(&client, "/api/flag", content_type, b"").await;
        assert_eq!((answer.status, answer.body.as_str()), (200, "None"));
    }
    assert_eq!(
        refused(&client, "/api/echo", FORM, b"").await,
        (400, "content is missing from the request".to_owned())
    );
}

#[rocket::async_test]
async fn json_that_is_no_object_is_a_400() {
    let client = client("").await;
    for body in ["[1]", "null", "\"text\"", "7", "true"] {
        assert_eq!(
            refused(&client, "/api/echo", JSON, body.as_bytes()).await,
            (400, "the body must be a JSON object".to_owned())
        );
    }
    for body in ["{", "{\"content\":}", "{} {}", "content=a", "{'a':1}"] {
        let (status, sentence) = refused(&client, "/api/echo", JSON, body.as_bytes()).await;
        assert_eq!(status, 400);
        assert!(sentence.starts_with("the body is not valid JSON"), "{body}");
    }
    let deep = format!("{{\"content\":{}", "[".repeat(10_000));
    let (status, _) = refused(&client, "/api/echo", JSON, deep.as_bytes()).await;
    assert_eq!(status, 400);
}

#[rocket::async_test]
async fn a_broken_multipart_form_is_a_400() {
    let client = client("").await;
    let whole = parts(&[("content", b"a")]);
    let nameless = b"--XX\r\nContent-Disposition: form-data\r\n\r\na\r\n--XX--\r\n";
    for (content_type, body) in [
        (PARTS, &whole[..whole.len() - 6]),
        (PARTS, b"content=a"),
        (PARTS, nameless),
        ("multipart/form-data", &whole),
        ("multipart/form-data; boundary=YY", &whole),
        ("multipart/form-data; boundary=", &whole),
    ] {
        let (status, _) = refused(&client, "/api/echo", content_type, body).await;
        assert_eq!(status, 400, "{content_type}");
    }
}

#[rocket::async_test]
async fn text_must_be_text() {
    let client = client("").await;
    for json in ["5", "true", "[\"a\"]", "{\"a\":1}"] {
        let body = format!("{{\"content\":{json}}}");
        assert_eq!(
            refused(&client, "/api/echo", JSON, body.as_bytes()).await,
            (400, "content must be text".to_owned())
        );
    }
    assert_eq!(
        refused(&client, "/api/echo", JSON, br#"{"content":null}"#).await,
        (400, "content is missing from the request".to_owned())
    );
}

#[rocket::async_test]
async fn a_field_sent_twice_is_a_400() {
    let client = client("").await;
    let parts = parts(&[("content", b"a"), ("content", b"b")]);
    for (content_type, body) in [
        (FORM, &b"content=a&content=b"[..]),
        (JSON, br#"{"content":"a","content":"b"}"#),
        (PARTS, &parts),
    ] {
        assert_eq!(
            refused(&client, "/api/echo", content_type, body).await,
            (400, "content was sent more than once".to_owned())
        );
    }
}

#[rocket::async_test]
async fn too_many_fields_are_a_400() {
    let client = client("").await;
    let form = "a=1&".repeat(257);
    let pairs: Vec<_> = (0..257).map(|n| format!("\"{n}\":1")).collect();
    let json = format!("{{{}}}", pairs.join(","));
    let parts = parts(&vec![("a", &b"1"[..]); 257]);
    for (content_type, body) in [
        (FORM, form.as_bytes()),
        (JSON, json.as_bytes()),
        (PARTS, &parts),
    ] {
        assert_eq!(
            refused(&client, "/api/flag", content_type, body).await,
            (400, "a request may hold at most 256 fields".to_owned())
        );
    }
}

#[rocket::async_test]
async fn numbers_are_whole_and_fit_a_client() {
    let client = client("").await;
    for (content_type, body, told) in [
        (FORM, "number=7", "Some(7)"),
        (FORM, "number=9007199254740991", "Some(9007199254740991)"),
        (FORM, "other=1", "None"),
        (JSON, "{\"number\":7}", "Some(7)"),
        (JSON, "{\"number\":\"7\"}", "Some(7)"),
        (JSON, "{\"number\":null}", "None"),
    ] {
        let answer = post(&client, "/api/number", content_type, body.as_bytes()).await;
        assert_eq!((answer.status, answer.body.as_str()), (200, told));
    }
    for (content_type, body) in [
        (FORM, "number="),
        (FORM, "number=-1"),
        (FORM, "number=%2B1"),
        (FORM, "number=1.5"),
        (FORM, "number=9007199254740992"),
        (FORM, "number=99999999999999999999999"),
        (JSON, "{\"number\":1.5}"),
        (JSON, "{\"number\":-1}"),
        (JSON, "{\"number\":9007199254740992}"),
        (JSON, "{\"number\":1e400}"),
        (JSON, "{\"number\":true}"),
        (JSON, "{\"number\":[7]}"),
    ] {
        let (status, _) = refused(&client, "/api/number", content_type, body.as_bytes()).await;
        assert_eq!(status, 400, "{body}");
    }
}

#[rocket::async_test]
async fn lists_of_numbers_come_in_three_ways() {
    let client = client("").await;
    for (content_type, body, told) in [
        (FORM, "members=1,2,%203", "[1, 2, 3]"),
        (FORM, "members=1&members=2", "[1, 2]"),
        (FORM, "members=", "[]"),
        (FORM, "", "[]"),
        (JSON, "{\"members\":[1,\"2\"]}", "[1, 2]"),
        (JSON, "{\"members\":\"1,2\"}", "[1, 2]"),
        (JSON, "{\"members\":5}", "[5]"),
        (JSON, "{\"members\":[]}", "[]"),
    ] {
        let answer = post(&client, "/api/numbers", content_type, body.as_bytes()).await;
        assert_eq!((answer.status, answer.body.as_str()), (200, told), "{body}");
    }
    for (content_type, body) in [
        (FORM, "members=1,,2"),
        (FORM, "members=a"),
        (JSON, "{\"members\":[[1]]}"),
        (JSON, "{\"members\":[null]}"),
        (JSON, "{\"members\":{\"a\":1}}"),
    ] {
        assert_eq!(
            refused(&client, "/api/numbers", content_type, body.as_bytes()).await,
            (
                400,
                "members must be whole numbers divided by commas".to_owned()
            )
        );
    }
}

#[rocket::async_test]
async fn flags_are_true_or_false() {
    let client = client("").await;
    for (body, told) in [
        ("private=true", "Some(true)"),
        ("private=on", "Some(true)"),
        ("private=1", "Some(true)"),
        ("private=false", "Some(false)"),
        ("private=off", "Some(false)"),
        ("private=0", "Some(false)"),
        ("a=1", "None"),
    ] {
        let answer = post(&client, "/api/flag", FORM, body.as_bytes()).await;
        assert_eq!(answer.body, told);
    }
    let answer = post(&client, "/api/flag", JSON, b"{\"private\":true}").await;
    assert_eq!(answer.body, "Some(true)");
    for (content_type, body) in [
        (FORM, "private=yes"),
        (FORM, "private="),
        (JSON, "{\"private\":2}"),
        (JSON, "{\"private\":[]}"),
    ] {
        assert_eq!(
            refused(&client, "/api/flag", content_type, body.as_bytes()).await,
            (400, "private must be true or false".to_owned())
        );
    }
}

#[rocket::async_test]
async fn the_query_string_is_read_as_strictly() {
    let client = client("").await;
    let answer = get(&client, "/api/query?limit=5&after=1.k3v9.981").await;
    assert_eq!(answer.body, "Some(5) Some(\"1.k3v9.981\")");
    assert_eq!(get(&client, "/api/query").await.body, "None None");
    for query in ["limit=x", "limit=1&limit=2", "after=%FF", "after=%00"] {
        let answer = get(&client, &format!("/api/query?{query}")).await;
        assert_eq!(answer.status, 400, "{query}");
        assert_eq!(answer.error().0, "bad_request");
    }
}

proptest! {
    #[test]
    fn any_bytes_are_fields_or_an_error(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let read = |fields: parlance::Result<Fields>| {
            if let Ok(fields) = fields {
                let _ = (fields.text("a"), fields.number("a"), fields.numbers("a"), fields.flag("a"));
            }
        };
        read(Fields::from_form(&bytes));
        read(Fields::from_json(&bytes));
        let body = [b"--XX\r\n".as_slice(), &bytes, b"\r\n--XX--"].concat();
        let parts = Fields::from_multipart(body, "XX".to_owned());
        read(rocket::tokio::runtime::Builder::new_current_thread()
            .build()
            .expect("a runtime")
            .block_on(parts));
    }

    #[test]
    fn a_form_gives_back_what_was_put_in(name in "[^\0]{0,20}", value in "[^\0]{0,40}") {
        let encode = |text: &str| {
            percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC)
                .to_string()
        };
        let body = format!("{}={}", encode(&name), encode(&value));
        let fields = Fields::from_form(body.as_bytes()).expect("a form");
        prop_assert_eq!(fields.names().collect::<Vec<_>>(), vec![name.as_str()]);
        let body = format!("a={}", encode(&value));
        let fields = Fields::from_form(body.as_bytes()).expect("a form");
        prop_assert_eq!(fields.text("a").expect("text"), Some(value.as_str()));
    }
}
