//! Properties of Socket.IO packets: encoded packets decode to the same, and no input causes a panic.

use bytes::Bytes;
use parlance_socketio::packet::{Decoder, Encoded, Packet, Version};
use proptest::{collection::vec, prelude::*};
use serde_json::Value;

use crate::support::packets::{args, name, namespace, version};

/// Decodes an encoded packet and its attachments.
fn read_back(version: Version, encoded: &Encoded) -> Packet {
    let mut decoder = Decoder::new(version);
    let mut packet = decoder.text(encoded.text()).expect("we wrote it");
    for attachment in encoded.attachments() {
        assert_eq!(packet, None, "complete before its attachments");
        packet = decoder.binary(attachment.clone()).expect("it is due");
    }
    assert!(!decoder.is_waiting());
    packet.expect("all attachments are here")
}

/// Texts of JSON in which lone surrogates, pairs and other escapes are likely.
fn escapes() -> impl Strategy<Value = String> {
    let part = prop_oneof![
        Just(r"\ud83d"),
        Just(r"\udc4b"),
        Just(r"\uD83D"),
        Just(r"\\"),
        Just(r"\n"),
        Just("a"),
        Just("👋"),
        Just(r"\u00e9"),
        Just(r"\ud8"),
    ];
    vec(part, 0..8).prop_map(|parts| format!("\"{}\"", parts.concat()))
}

proptest! {
    /// Bodies and packets are read alike.
    #[test]
    fn lone_surrogates_are_read_as_they_are_over_http(text in escapes()) {
        let packet = Decoder::new(Version::V5).text(&format!("2[\"e\",{text}]"));
        let read = packet.ok().flatten().map(|packet| match packet {
            Packet::Event { args, .. } => args.values()[0].clone(),
            other => panic!("{other:?} is no event"),
        });
        prop_assert_eq!(read, parlance::json::read_bytes::<Value>(text.as_bytes()).ok());
    }

    #[test]
    fn events_come_back(
        version in version(),
        namespace in namespace(),
        id: Option<u64>,
        name in name(),
        args in args(),
    ) {
        let encoded = Encoded::event(&namespace, id, &name, &args);
        prop_assert_eq!(read_back(version, &encoded), Packet::Event { namespace, id, name, args });
    }

    #[test]
    fn acknowledgements_come_back(
        version in version(),
        namespace in namespace(),
        id: u64,
        args in args(),
    ) {
        let encoded = Encoded::ack(&namespace, id, &args);
        prop_assert_eq!(read_back(version, &encoded), Packet::Ack { namespace, id, args });
    }

    #[test]
    fn leaving_comes_back(version in version(), namespace in namespace()) {
        let encoded = Encoded::disconnect(&namespace);
        prop_assert_eq!(read_back(version, &encoded), Packet::Disconnect { namespace });
    }

    #[test]
    fn no_text_makes_it_panic(version in version(), texts in vec(any::<String>(), 1..4)) {
        let mut decoder = Decoder::new(version);
        for text in texts {
            let _ = decoder.text(&text);
        }
    }

    /// Text that is almost a packet reaches more of the decoder than random text.
    #[test]
    fn nothing_that_is_nearly_a_packet_makes_it_panic(
        version in version(),
        messages in vec(
            prop_oneof![
                r#"[0-7]([0-9]{0,3}-)?(/[a-zé?&=%+]{0,5},?)?[0-9]{0,22}[\[\]{}",:0-9a\\ud8e]{0,20}"#
                    .prop_map(Ok),
                r#"[56][0-3]-[0-9]?\["a"(,\{"_placeholder":true,"num":[0-9-]{1,3}\}){0,3}\]"#
                    .prop_map(Ok),
                r#"2\["(\\ud83d|\\ude00|\\\\|\\"|é|\\u){0,6}"\]"#.prop_map(Ok),
                vec(any::<u8>(), 0..4).prop_map(|bytes| Err(Bytes::from(bytes))),
            ],
            1..5,
        ),
    ) {
        let mut decoder = Decoder::new(version);
        for message in messages {
            let _ = match message {
                Ok(text) => decoder.text(&text),
                Err(bytes) => decoder.binary(bytes),
            };
        }
    }
}
