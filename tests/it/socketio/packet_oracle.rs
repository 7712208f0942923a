//! Socket.IO packets of revision 5 compared with socketioxide's codec.
//!
//! Where the two differ, ours is the stricter one. The differences are written down here.

use bytes::Bytes;
use parlance_socketio::packet::{Args, Decoder, Encoded, Packet, Version};
use proptest::prelude::*;
use serde_json::{Value, json};
use socketioxide_core::{
    Value as Theirs,
    packet::{Packet as TheirPacket, PacketData},
    parser::{Parse, ParseConfig, ParseError, ParserState},
};
use socketioxide_parser_common::CommonParser;

use crate::support::packets::{args, name, namespace};

/// A packet's text and attachments as their decoder reads them; `Err` if it refuses any part.
fn they_read(text: &str, attachments: &[Bytes]) -> Result<TheirPacket, ParseError> {
    let (config, state) = (ParseConfig::default(), ParserState::default());
    let mut result = CommonParser.decode_str(&config, &state, text.to_owned().into());
    for attachment in attachments {
        if matches!(result, Err(ParseError::NeedsMoreBinaryData)) {
            result = CommonParser.decode_bin(&config, &state, attachment.clone());
        }
    }
    result
}

/// The parts of their packet: namespace, id, JSON text, attachments.
fn parts(packet: &TheirPacket) -> (String, Option<i64>, Value, Vec<Bytes>) {
    let (data, id) = match &packet.inner {
        PacketData::Event(data, id) | PacketData::BinaryEvent(data, id) => (data, *id),
        PacketData::EventAck(data, id) | PacketData::BinaryAck(data, id) => (data, Some(*id)),
        other => panic!("{other:?} carries no arguments"),
    };
    let Theirs::Str(text, attachments) = data else {
        panic!("{data:?} is not of this parser");
    };
    let value = serde_json::from_str(text).expect("both read JSON");
    let attachments = attachments.iter().flatten().cloned().collect();
    (packet.ns.to_string(), id, value, attachments)
}

/// A name and arguments as a value of their codec.
fn their_value(name: Option<&str>, args: &Args) -> Theirs {
    let list: Vec<Value> = name
        .map(Value::from)
        .into_iter()
        .chain(args.values().iter().cloned())
        .collect();
    let attachments = args.attachments();
    Theirs::Str(
        Value::from(list).to_string().into(),
        (!attachments.is_empty()).then(|| attachments.to_vec().into()),
    )
}

/// The output of their encoder.
fn they_write(packet: TheirPacket) -> (String, Vec<Bytes>) {
    let Theirs::Str(text, attachments) = CommonParser.encode(packet) else {
        panic!("this parser writes text");
    };
    (
        text.to_string(),
        attachments.into_iter().flatten().collect(),
    )
}

proptest! {
    #[test]
    fn they_read_and_write_our_events(
        namespace in namespace(),
        id in proptest::option::of(0..=i64::MAX),
        name in name(),
        args in args(),
    ) {
        let number = id.map(i64::cast_unsigned);
        let ours = Encoded::event(&namespace, number, &name, &args);

        let read = they_read(ours.text(), ours.attachments()).expect("they read what we write");
        let mut list = vec![json!(name)];
        list.extend_from_slice(args.values());
        let expected =
            (namespace.to_string(), id, Value::from(list), args.attachments().to_vec());
        prop_assert_eq!(parts(&read), expected);

        let mut packet = TheirPacket::event(namespace.to_string(), their_value(Some(&name), &args));
        if let PacketData::Event(_, number) | PacketData::BinaryEvent(_, number) = &mut packet.inner {
            *number = id;
        }
        let (text, attachments) = they_write(packet);
        prop_assert_eq!((ours.text(), ours.attachments()), (&*text, &*attachments));
    }

    #[test]
    fn they_read_and_write_our_acknowledgements(
        namespace in namespace(),
        id in 0..=i64::MAX,
        args in args(),
    ) {
        let ours = Encoded::ack(&namespace, id.cast_unsigned(), &args);

        let read = they_read(ours.text(), ours.attachments()).expect("they read what we write");
        let values = Value::from(args.values().to_vec());
        let expected = (namespace.to_string(), Some(id), values, args.attachments().to_vec());
        prop_assert_eq!(parts(&read), expected);

        let (text, attachments) =
            they_write(TheirPacket::ack(namespace.to_string(), their_value(None, &args), id));
        prop_assert_eq!((ours.text(), ours.attachments()), (&*text, &*attachments));
    }

    /// They accept every packet that we accept, and decode it alike. They accept more: their decoder does
    /// not check the JSON, has no reserved names, and allows ten thousand attachments.
    #[test]
    fn whatever_we_take_they_take(
        text in r#"[0-7]([0-3]-)?(/[a-zé?]{0,3},?)?[0-9]{0,3}(\{"a":1\}|\["[a-z]{0,3}"(,[0-9])?\]|\[[0-9a-z{}"]{0,4}\]|[a-z]?)"#,
    ) {
        let mut decoder = Decoder::new(Version::V5);
        let due = text.as_bytes().get(1).map_or(0, |digit| digit.wrapping_sub(b'0'));
        let attachments = vec![Bytes::from_static(b"x"); usize::from(due.min(3))];
        let mut ours = decoder.text(&text);
        for attachment in &attachments {
            if ours == Ok(None) {
                ours = decoder.binary(attachment.clone());
            }
        }
        let Ok(Some(ours)) = ours else { return Ok(()) };
        let theirs = they_read(&text, &attachments).expect("we took it");
        match ours {
            Packet::Connect { namespace, .. } => {
                prop_assert!(matches!(theirs.inner, PacketData::Connect(_)));
                prop_assert_eq!(&*theirs.ns, namespace.as_str());
            }
            Packet::Disconnect { namespace } => {
                prop_assert!(matches!(theirs.inner, PacketData::Disconnect));
                prop_assert_eq!(&*theirs.ns, namespace.as_str());
            }
            Packet::Event { namespace, id, args, .. } => {
                let (their_namespace, their_id, list, their_attachments) = parts(&theirs);
                prop_assert_eq!(namespace.as_str(), their_namespace);
                prop_assert_eq!(id, their_id.map(i64::cast_unsigned));
                prop_assert_eq!(args.values(), &list.as_array().expect("a list")[1..]);
                prop_assert_eq!(args.attachments(), their_attachments);
            }
            Packet::Ack { namespace, id, args } => {
                let (their_namespace, their_id, list, their_attachments) = parts(&theirs);
                prop_assert_eq!(namespace.as_str(), their_namespace);
                prop_assert_eq!(Some(id), their_id.map(i64::cast_unsigned));
                prop_assert_eq!(&Value::from(args.values().to_vec()), &list);
                prop_assert_eq!(args.attachments(), their_attachments);
            }
        }
    }
}

#[test]
fn we_refuse_what_they_let_through() {
    for text in [
        "2{}",
        "2[]",
        "2[null]",
        r#"2["connect"]"#,
        r#"2abc["a"]"#,
        "1{}",
        r#"0"text""#,
        r#"511-["a"]"#,
        r#"51-["a",{"_placeholder":true,"num":7}]"#,
    ] {
        let theirs = they_read(text, &[]);
        let taken = matches!(theirs, Ok(_) | Err(ParseError::NeedsMoreBinaryData));
        assert!(taken, "they refuse {text} too: {theirs:?}");
        assert!(Decoder::new(Version::V5).text(text).is_err(), "{text}");
    }
}
