//! That stories can fail: wrong ones, and what is said of them.

use super::{
    pattern::{self, Names},
    play::play,
    script::Script,
};

/// A guest comes and says something.
const BEGINNING: &str = r#"
POST /owner/register {"email":"owner@mail.com","password":"correct horse","domain":"localhost"}
200 {"statusCode":200,"status":"success","data":"Owner registered"}
POST /owner/login {"email":"owner@mail.com","password":"correct horse"}
200 {"statusCode":200,"status":"success","data":{"token":"<owner:token>",…}}
owner opens EIO=3&token={owner}
owner < 40
guest opens EIO=3
guest < 40
guest > 42["getNewChat",{"email":"a@b","name":"Name","domain":"localhost"}]
guest < 42["getNewChat",{"guestToken":"<guest:token>","chatId":"<chat:hex24>",…}]
owner < 42["waitingChat",{…}]
"#;

/// What is said of a story that begins so and goes on with these lines.
async fn said_of(lines: &str) -> String {
    let fault = play("a.story", &format!("{BEGINNING}{lines}")).await;
    fault.expect_err("the story is wrong")
}

fn refused(text: &str) -> (usize, String) {
    Script::parse(text).expect_err("the story is wrong")
}

fn differs(expected: &str, actual: &str) -> String {
    pattern::frame(expected, actual, &mut Names::new()).expect_err("they differ")
}

#[rocket::async_test]
async fn a_right_story_is_played_to_its_end() {
    let lines = r#"
guest > 42["newMessage",{"chatId":"{chat}","token":"{guest}","message":"hi"}]
guest < 42["newMessage",{"statusCode":200,"status":"success","message":"hi",…}]
owner < 42["newMessage",{"message":{"message":"hi","from":"<hex24>"},"chatId":"{chat}",…}]
guest closes
"#;
    let played = play("a.story", &format!("{BEGINNING}{lines}")).await;
    assert_eq!(played, Ok(()));
}

#[rocket::async_test]
async fn a_frame_that_differs_is_told_with_its_line_and_both_frames() {
    let fault = said_of(
        r#"guest > 42["typing",{"chatId":"{chat}","token":"{guest}"}]
guest < 42["typing",{"statusCode":200,"status":"error","data":"typing is required",
  "error":"Bad Request","validation":{"source":"payload","keys":["typing"]}}]
"#,
    )
    .await;
    let expected = r#"a.story:14: at $[1].statusCode there is 400, not 200
  expected: 42["typing",{"statusCode":200,"status":"error","data":"typing is required", "error":"Bad Request","validation":{"source":"payload","keys":["typing"]}}]
    actual: 42["typing",{"data":"typing is required","error":"Bad Request","status":"error","statusCode":400,"validation":{"keys":["typing"],"source":"payload"}}]"#;
    assert_eq!(fault, expected);
}

#[rocket::async_test]
async fn an_answer_that_differs_is_told() {
    let fault = said_of("POST /owner/logout {\"token\":\"x\"}\n200 …\n").await;
    let expected = "a.story:14: the status is 400\n  expected: 200 …\n    actual: 400 \
                    {\"data\":\"Owner not found\",\"status\":\"error\",\"statusCode\":400}";
    assert_eq!(fault, expected);
    let fault = said_of("POST /owner/logout {\"token\":\"x\"}\n400 {\"data\":\"x\",…}\n").await;
    let begins = "a.story:14: at $.data there is \"Owner not found\", not \"x\"\n";
    assert!(fault.starts_with(begins), "{fault}");
}

#[rocket::async_test]
async fn a_frame_that_the_story_does_not_tell_is_found() {
    let say = r#"guest > 42["newMessage",{"chatId":"{chat}","token":"{guest}","message":"hi"}]
guest < 42["newMessage",{…}]
"#;
    // The owner is pushed the message: neither nothing nor the end comes instead.
    let pushed = "actual: 42[\"newMessage\",{\"_id\":";
    let fault = said_of(&format!("{say}owner closes\n")).await;
    let begins = "a.story:15: there is more than the story tells\n  expected: no more frames\n";
    assert!(
        fault.starts_with(begins) && fault.contains(pushed),
        "{fault}"
    );
    let fault = said_of(say).await;
    assert!(fault.starts_with("a.story:14: there is more"), "{fault}");
    let nothing = r#"owner < nothing
guest > 42["closeChat",{"chatId":"{chat}","token":"{guest}"}]
guest < 42["closeChat",{…}]
owner < 42["closeChat",{"chatId":"{chat}"}]
"#;
    let fault = said_of(&format!("{say}{nothing}")).await;
    let begins = "a.story:18: at $[0] there is \"newMessage\", not \"closeChat\"\n";
    assert!(
        fault.starts_with(begins) && fault.contains(pushed),
        "{fault}"
    );
}

#[rocket::async_test]
async fn a_connection_that_goes_on_or_was_never_in_is_told() {
    let fault = said_of("guest > 41\nguest > 1\nguest < 40\n").await;
    assert!(
        fault.ends_with("actual: the end of the connection"),
        "{fault}"
    );
    let ping = "guest > 2\nguest < closed\n";
    assert!(said_of(ping).await.ends_with("actual: 3"));
    let fault = said_of("other opens EIO=4\n").await;
    assert!(
        fault.contains("it is in no namespace at the end"),
        "{fault}"
    );
    let fault = said_of("nobody < 40\n").await;
    assert!(
        fault.starts_with("a.story:13: nobody is called nobody"),
        "{fault}"
    );
    let fault = said_of("guest > 42[\"{missing}\"]\n").await;
    assert!(fault.contains("nothing is called missing yet"), "{fault}");
}

#[test]
fn what_is_no_story_is_refused_with_its_line() {
    for (text, line) in [
        ("# only this\nann sings", 2),
        ("ann < 40\n  goes on\nann opens EIO=4 quickly", 3),
        ("GET /room", 1),
        ("GET /room\nann < 40", 1),
        ("GET /room [appId]\n200 …", 1),
        (" nothing before", 1),
        ("Ann < 40", 1),
        ("ann <", 1),
    ] {
        assert_eq!(refused(text).0, line, "{text}");
    }
}

#[test]
fn nothing_must_be_proven() {
    let after = "ann > 1\nann < 2\nbo < nothing\n";
    for (text, words) in [
        (after.to_owned(), "hears nothing ever after"),
        (format!("{after}bo < 3"), "before anybody has done anything"),
        (format!("{after}bo > 3\nbo < 4"), "speaks before"),
        (
            format!("{after}ann > 3\nbo < 42[\"typing\",{{}}]"),
            "may overtake news",
        ),
        (format!("{after}bo closes"), "hears nothing ever after"),
        (
            "ann > 1\nbo < nothing\nann > 2\nbo < 3".to_owned(),
            "ann is not answered yet",
        ),
    ] {
        let (_, fault) = refused(&text);
        assert!(fault.contains(words), "{text}: {fault}");
    }
    Script::parse(&format!("{after}ann > 3\nbo < 4")).expect("it is proven");
    Script::parse(&format!("{after}GET /room\n200 …\nbo < 4")).expect("it is proven");
}

#[test]
fn json_is_compared_as_json_and_what_is_before_it_byte_for_byte() {
    let mut names = Names::new();
    let same = |expected: &str, actual: &str, names: &mut Names| {
        pattern::frame(expected, actual, names).expect("they are the same");
    };
    same(
        r#"421["a",{"b":1,"c":[]}]"#,
        r#"421[ "a",{"c":[],"b":1} ]"#,
        &mut names,
    );
    same("40", "40", &mut names);
    same(
        r#"42["a",{"id":<id:number>,…}]"#,
        r#"42["a",{"id":7,"b":null}]"#,
        &mut names,
    );
    same(
        r#"42["a<b>…",{id},"{id}"]"#,
        r#"42["a<b>…",7,"7"]"#,
        &mut names,
    );
    for (expected, actual, words) in [
        (
            r#"42["a"]"#,
            r#"421["a"]"#,
            "begins with \"421\", not \"42\"",
        ),
        ("40", r#"40{"sid":"x"}"#, "there is JSON"),
        (r#"40{"sid":"<sid>"}"#, "40", "there is no JSON"),
        (r#"42["a",{}]"#, r#"42["a",{"b":1}]"#, "there is \"b\" too"),
        (r#"42["a",{"b":1}]"#, r#"42["a",{}]"#, "there is no \"b\""),
        (
            r#"42["a",{"b":1,…}]"#,
            r#"42["a",{"c":1}]"#,
            "there is no \"b\"",
        ),
        (r#"42["a"]"#, r#"42["a",1]"#, "2 elements, not 1"),
        (r#"42["a",1]"#, r#"42["a","1"]"#, "not 1"),
        (r#"42["a",null]"#, r#"42["a",false]"#, "not null"),
        (
            r#"42["a",{"b":"<x:id>","c":"<x:id>"}]"#,
            r#"42["a",{"b":"7","c":"7"}]"#,
            "captured twice",
        ),
        (
            r#"42["a",<x:colour>]"#,
            r#"42["a",7]"#,
            "no kind \"colour\"",
        ),
        (r#"42["a",]"#, r#"42["a"]"#, "cannot be read as JSON"),
    ] {
        let fault = differs(expected, actual);
        assert!(fault.contains(words), "{expected} {actual}: {fault}");
    }
}

#[test]
fn a_capture_checks_the_shape() {
    let hex = "0123456789abcdef01234567";
    let token = "0123456789abcdef".repeat(4);
    let (uuid, time) = (
        "01234567-89ab-4def-8123-456789abcdef",
        "2021-07-17T12:25:59.456Z",
    );
    for (kind, right) in [
        ("hex24", hex),
        ("token", &token),
        ("uuid", uuid),
        ("time", time),
        ("id", "7"),
        ("sid", "ZhwmPqfR7Ydk13yvAAA_"),
        ("cursor", "1.a.7"),
        ("text", "x y"),
    ] {
        let expected = format!("42[\"<x:{kind}>\"]");
        let mut names = Names::new();
        let told = pattern::frame(&expected, &format!("42[\"{right}\"]"), &mut names);
        assert_eq!((told, names["x"].as_str()), (Ok(()), right));
        let wrong = [
            String::new(),
            format!("{right} "),
            format!("\n{right}é").repeat(9),
        ];
        for wrong in wrong
            .iter()
            .filter(|wrong| kind != "text" || wrong.is_empty())
        {
            let wrong = serde_json::json!([wrong]);
            differs(&expected, &format!("42{wrong}"));
        }
        differs(&expected, "42[7]");
        differs(&expected, "42[null]");
    }
    for wrong in ["42[\"7\"]", "42[0]", "42[-7]", "42[7.5]", "42[true]"] {
        differs("42[<x:number>]", wrong);
    }
}
