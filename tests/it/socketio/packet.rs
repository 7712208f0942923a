//! Socket.IO packets by example: decoded, refused, encoded.

use bytes::Bytes;
use parlance_socketio::packet::{
    Arg, Args, DecodeError, Decoder, Encoded, MAX_ATTACHMENTS, NamespaceName, Packet, Version,
};
use serde_json::{Map, Value, json};

/// Decodes one text as the first from a client of that revision.
fn read(version: Version, text: &str) -> Result<Option<Packet>, DecodeError> {
    Decoder::new(version).text(text)
}

fn refusal(text: &str) -> DecodeError {
    for version in [Version::V4, Version::V5] {
        let result = read(version, text);
        assert!(result.is_err(), "{version:?} takes {text}: {result:?}");
    }
    read(Version::V5, text).expect_err("it was refused just above")
}

fn event(namespace: &str, id: Option<u64>, name: &str, args: impl Into<Args>) -> Packet {
    Packet::Event {
        namespace: NamespaceName::new(namespace),
        id,
        name: name.to_owned(),
        args: args.into(),
    }
}

fn connect(namespace: &str, auth: Option<Value>) -> Packet {
    let object = |auth| match auth {
        Value::Object(map) => map,
        other => panic!("{other} is no object"),
    };
    Packet::Connect {
        namespace: NamespaceName::new(namespace),
        auth: auth.map(object),
    }
}

#[test]
fn events_are_read() {
    for (text, packet) in [
        (r#"2["a"]"#, event("/", None, "a", ())),
        (
            r#"212["a",1,null]"#,
            event("/", Some(12), "a", (1, Value::Null)),
        ),
        (r#"2/admin,["a","b"]"#, event("/admin", None, "a", "b")),
        (r#"2/admin,0["a"]"#, event("/admin", Some(0), "a", ())),
        (r#"2/é,["é"]"#, event("/é", None, "é", ())),
        (r#"2[7,"seven"]"#, event("/", None, "7", "seven")),
        (r#"2[""]"#, event("/", None, "", ())),
    ] {
        for version in [Version::V4, Version::V5] {
            assert_eq!(read(version, text), Ok(Some(packet.clone())), "{text}");
        }
    }
}

#[test]
fn acknowledgements_are_read() {
    let answer = Packet::Ack {
        namespace: NamespaceName::new("/admin"),
        id: 13,
        args: Args::from(true),
    };
    assert_eq!(read(Version::V5, "3/admin,13[true]"), Ok(Some(answer)));
    assert_eq!(refusal("3[]"), DecodeError::BadId);
    assert_eq!(refusal("312"), DecodeError::BadPayload);
    assert_eq!(refusal("312{}"), DecodeError::BadPayload);
}

#[test]
fn revision_5_connects_with_a_payload() {
    let read = |text| read(Version::V5, text);
    assert_eq!(read("0"), Ok(Some(connect("/", None))));
    assert_eq!(read("0/admin"), Ok(Some(connect("/admin", None))));
    assert_eq!(read("0/admin,"), Ok(Some(connect("/admin", None))));
    let auth = connect("/admin", Some(json!({ "token": "x" })));
    assert_eq!(read(r#"0/admin,{"token":"x"}"#), Ok(Some(auth)));
    for text in ["0null", "0[]", r#"0"x""#, "0{", "0{}{}", "0abc"] {
        assert_eq!(refusal(text), DecodeError::BadPayload, "{text}");
    }
    assert_eq!(refusal("01"), DecodeError::BadId);
}

#[test]
fn revision_4_connects_with_a_query() {
    let read = |text| read(Version::V4, text);
    assert_eq!(read("0/admin"), Ok(Some(connect("/admin", None))));
    assert_eq!(
        read("0/admin?"),
        Ok(Some(connect("/admin", Some(json!({})))))
    );
    let auth = json!({ "token": "a b&c", "at": ["1", "2"], "flag": "", "x": "y=z" });
    let text = "0/admin?token=a+b%26c&at=1&at=2&flag&&x=y=z,";
    assert_eq!(read(text), Ok(Some(connect("/admin", Some(auth)))));
    let event = event("/admin", None, "a", ());
    assert_eq!(read(r#"2/admin?token=x,["a"]"#), Ok(Some(event)));
}

#[test]
fn what_is_no_packet_is_refused() {
    for (text, error) in [
        ("", DecodeError::UnknownType),
        ("é", DecodeError::UnknownType),
        ("7", DecodeError::UnknownType),
        ("abc", DecodeError::UnknownType),
        (r#"4{"message":"no"}"#, DecodeError::ServersOnly),
        ("4", DecodeError::ServersOnly),
        (r#"2abc["a"]"#, DecodeError::BadPayload),
        (r#"212abc["a"]"#, DecodeError::BadPayload),
        ("2", DecodeError::BadPayload),
        ("2{}", DecodeError::BadPayload),
        (r#"2"a""#, DecodeError::BadPayload),
        ("2[]", DecodeError::BadPayload),
        ("2[null]", DecodeError::BadPayload),
        ("2[{}]", DecodeError::BadPayload),
        (r#"2[["a"]]"#, DecodeError::BadPayload),
        ("2[true]", DecodeError::BadPayload),
        (r#"2["a"]x"#, DecodeError::BadPayload),
        (r#"2["a""#, DecodeError::BadPayload),
        (r#"2/admin["a"]"#, DecodeError::BadPayload),
        (r#"299999999999999999999["a"]"#, DecodeError::BadId),
        ("1{}", DecodeError::BadPayload),
        ("1null", DecodeError::BadPayload),
        ("1/admin,[]", DecodeError::BadPayload),
        ("15", DecodeError::BadPayload),
        (r#"5["a"]"#, DecodeError::BadAttachments),
        (r#"51["a"]"#, DecodeError::BadAttachments),
        (r#"5-["a"]"#, DecodeError::BadAttachments),
        (r#"5-1-["a"]"#, DecodeError::BadAttachments),
        (r#"51.5-["a"]"#, DecodeError::BadAttachments),
        ("5", DecodeError::BadAttachments),
        (r#"511-["a"]"#, DecodeError::TooManyAttachments),
        (
            r#"599999999999999999999999-["a"]"#,
            DecodeError::TooManyAttachments,
        ),
        ("6", DecodeError::BadAttachments),
        ("61-[]", DecodeError::BadId),
    ] {
        assert_eq!(refusal(text), error, "{text}");
    }
}

#[test]
fn reserved_names_are_refused() {
    for name in [
        "connect",
        "connect_error",
        "disconnect",
        "disconnecting",
        "newListener",
        "removeListener",
    ] {
        assert_eq!(refusal(&format!(r#"2["{name}"]"#)), DecodeError::BadPayload);
        let binary = format!(r#"50-["{name}"]"#);
        assert_eq!(refusal(&binary), DecodeError::BadPayload);
    }
}

#[test]
fn attachments_are_gathered() {
    let mut decoder = Decoder::new(Version::V5);
    let text =
        r#"52-/admin,7["a",{"_placeholder":true,"num":1},{"in":[{"_placeholder":true,"num":0}]}]"#;
    assert_eq!(decoder.text(text), Ok(None));
    assert!(decoder.is_waiting());
    assert_eq!(decoder.binary(Bytes::from_static(b"zero")), Ok(None));
    let packet = decoder.binary(Bytes::from_static(b"one"));
    assert!(!decoder.is_waiting());
    let Ok(Some(Packet::Event {
        id: Some(7), args, ..
    })) = packet
    else {
        panic!("{packet:?}");
    };
    assert_eq!(args.binary(0).map(Bytes::as_ref), Some(&b"one"[..]));
    let inside = &args.values()[1]["in"][0];
    assert_eq!(args.resolve(inside).map(Bytes::as_ref), Some(&b"zero"[..]));
    assert_eq!(args.binary(1), None);
    // The next packet is decoded as usual.
    assert!(matches!(decoder.text(r#"2["b"]"#), Ok(Some(_))));
}

#[test]
fn a_binary_packet_may_have_no_attachments() {
    assert_eq!(
        read(Version::V5, r#"50-["a",1]"#),
        Ok(Some(event("/", None, "a", 1)))
    );
}

#[test]
fn as_many_attachments_as_allowed_are_taken() {
    let mut decoder = Decoder::new(Version::V4);
    assert_eq!(
        decoder.text(&format!(r#"5{MAX_ATTACHMENTS}-["a"]"#)),
        Ok(None)
    );
    for _ in 1..MAX_ATTACHMENTS {
        assert_eq!(decoder.binary(Bytes::new()), Ok(None));
    }
    assert!(matches!(decoder.binary(Bytes::new()), Ok(Some(_))));
}

#[test]
fn placeholders_must_point_at_an_attachment() {
    for placeholder in [
        r#"{"_placeholder":true,"num":1}"#,
        r#"{"_placeholder":true,"num":-1}"#,
        r#"{"_placeholder":true,"num":0.5}"#,
        r#"{"_placeholder":true,"num":"0"}"#,
        r#"{"_placeholder":true,"num":"splice"}"#,
        r#"{"_placeholder":true}"#,
        r#"[{"deep":{"_placeholder":true,"num":9}}]"#,
    ] {
        let text = format!(r#"51-["a",{placeholder}]"#);
        assert_eq!(refusal(&text), DecodeError::BadPlaceholder, "{text}");
        let none = format!(r#"50-["a",{placeholder}]"#);
        assert_eq!(refusal(&none), DecodeError::BadPlaceholder, "{none}");
        // In a packet without attachments it is an ordinary value.
        let plain = read(Version::V5, &format!(r#"2["a",{placeholder}]"#));
        assert!(matches!(plain, Ok(Some(_))), "{placeholder}");
    }
}

#[test]
fn text_and_attachments_keep_their_order() {
    let mut decoder = Decoder::new(Version::V5);
    let stray = decoder.binary(Bytes::from_static(b"x"));
    assert_eq!(stray, Err(DecodeError::StrayAttachment));

    let mut decoder = Decoder::new(Version::V5);
    assert_eq!(decoder.text(r#"51-["a"]"#), Ok(None));
    assert_eq!(decoder.text(r#"2["b"]"#), Err(DecodeError::AttachmentsDue));
}

#[test]
fn half_an_emoji_is_no_reason_to_hang_up() {
    let text =
        r#"2["say","cut \ud83d","\ude00 off","whole \ud83d\ude00","\\ud83d","\ud83d\ud83d\ude00"]"#;
    let Ok(Some(Packet::Event { args, .. })) = read(Version::V5, text) else {
        panic!("{text} is refused");
    };
    let texts = [
        "cut \u{fffd}",
        "\u{fffd} off",
        "whole 😀",
        "\\ud83d",
        "\u{fffd}😀",
    ];
    assert_eq!(args.values(), texts.map(Value::from));
    assert_eq!(refusal(r#"2["\ud83d"#), DecodeError::BadPayload);
    assert_eq!(refusal(r#"2["\ud83d\"#), DecodeError::BadPayload);
    assert_eq!(refusal(r#"2["\ud8"]"#), DecodeError::BadPayload);
}

#[test]
fn nesting_has_an_end() {
    let deep = "[".repeat(100_000);
    assert_eq!(
        refusal(&format!(r#"2["a",{deep}"#)),
        DecodeError::BadPayload
    );
}

#[test]
fn what_a_server_sends() {
    let main = NamespaceName::MAIN;
    let admin = NamespaceName::new("admin");
    let data = json!({ "code": 7 });
    let no_object = json!(7);
    let (v4, v5) = (Version::V4, Version::V5);
    for (encoded, text) in [
        (Encoded::connect(v5, &main, "s1", None), r#"0{"sid":"s1"}"#),
        (
            Encoded::connect(v5, &admin, "s1", Some("p1")),
            r#"0/admin,{"sid":"s1","pid":"p1"}"#,
        ),
        (Encoded::connect(v4, &main, "s1", Some("p1")), "0"),
        (Encoded::connect(v4, &admin, "s1", None), "0/admin,"),
        (
            Encoded::connect_error(v5, &admin, "no", None),
            r#"4/admin,{"message":"no"}"#,
        ),
        (
            Encoded::connect_error(v5, &main, "no", Some(&data)),
            r#"4{"message":"no","data":{"code":7}}"#,
        ),
        (Encoded::connect_error(v4, &main, "no", None), r#"4"no""#),
        (
            Encoded::connect_error(v4, &admin, "no", Some(&data)),
            r#"4/admin,{"code":7}"#,
        ),
        (
            Encoded::connect_error(v4, &main, "no", Some(&no_object)),
            r#"4"no""#,
        ),
        (Encoded::disconnect(&main), "1"),
        (Encoded::disconnect(&admin), "1/admin,"),
        (Encoded::event(&main, None, "a", &Args::new()), r#"2["a"]"#),
        (
            Encoded::event(&admin, Some(3), "a\"", &Args::from(("b", 1))),
            r#"2/admin,3["a\"","b",1]"#,
        ),
        (Encoded::ack(&main, 0, &Args::new()), "30[]"),
        (
            Encoded::ack(&admin, 13, &Args::from(json!([1]))),
            "3/admin,13[[1]]",
        ),
    ] {
        assert_eq!(encoded.text(), text);
        assert_eq!(encoded.frame().as_str(), format!("4{text}"));
        assert!(encoded.attachments().is_empty());
        assert_eq!(encoded.size(), text.len() + 1);
    }
}

#[test]
fn binary_leaves_a_placeholder() {
    let args = Args::from(("x", Bytes::from_static(&[1, 2])));
    let event = Encoded::event(&NamespaceName::MAIN, None, "a", &args);
    let placeholder = r#"{"_placeholder":true,"num":0}"#;
    assert_eq!(event.text(), format!(r#"51-["a","x",{placeholder}]"#));
    assert_eq!(event.attachments(), [Bytes::from_static(&[1, 2])]);
    let ack = Encoded::ack(&NamespaceName::new("/n"), 5, &args);
    assert_eq!(ack.text(), format!(r#"61-/n,5["x",{placeholder}]"#));
    assert_eq!(ack.size(), ack.text().len() + 1 + 2);
}

#[test]
fn a_strangers_look_alike_cannot_hurt_others() {
    let look_alike = json!({ "_placeholder": true, "num": 99 });
    let alone = Args::from(look_alike.clone());
    let event = Encoded::event(&NamespaceName::MAIN, None, "a", &alone);
    assert_eq!(event.text(), r#"2["a",{"_placeholder":true,"num":99}]"#);

    let beside_binary = Args::from((json!([look_alike]), Bytes::from_static(b"x")));
    let event = Encoded::event(&NamespaceName::MAIN, None, "a", &beside_binary);
    assert_eq!(
        event.text(),
        r#"51-["a",[null],{"_placeholder":true,"num":0}]"#
    );
}

#[test]
fn args_read_into_a_type_of_ones_own() {
    let args = Args::from(("ann", json!({ "age": 7 })));
    let (name, details): (String, Map<String, Value>) = args.parse().expect("it has that shape");
    assert_eq!((name.as_str(), &details["age"]), ("ann", &json!(7)));
    assert!(Args::from("ann").parse::<(String, u8)>().is_err());
    assert_eq!(Args::new().with(Arg::Json(json!(1))), Args::from(1));
}

#[test]
fn an_idle_decoder_is_two_words() {
    assert!(size_of::<Decoder>() <= 16, "{}", size_of::<Decoder>());
}
