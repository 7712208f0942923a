//! Socket.IO packets drawn at random.

use bytes::Bytes;
use parlance_socketio::packet::{Args, NamespaceName, Version};
use proptest::{collection::vec, prelude::*};
use serde_json::{Map, Value};

/// Any JSON of modest depth, without objects that look like placeholders.
fn json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::from),
            vec((any::<String>(), inner), 0..4)
                .prop_map(|pairs| Value::from(pairs.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

/// Arguments with up to ten attachments, some of them inside objects.
pub(crate) fn args() -> impl Strategy<Value = Args> {
    let bytes = || vec(any::<u8>(), 0..20).prop_map(Bytes::from);
    let nested = (any::<String>(), bytes());
    (vec(json(), 0..4), vec(bytes(), 0..6), vec(nested, 0..5)).prop_map(
        |(values, whole, nested)| {
            let mut args = Args::new();
            for value in values {
                args.push(value);
            }
            for bytes in whole {
                args.push(bytes);
            }
            for (key, bytes) in nested {
                let placeholder = args.attach(bytes);
                args.push(Value::from(Map::from_iter([(key, placeholder)])));
            }
            args
        },
    )
}

/// The main namespace or another.
pub(crate) fn namespace() -> impl Strategy<Value = NamespaceName> {
    prop_oneof![
        Just(NamespaceName::MAIN),
        "/[^,?]{0,12}".prop_map(|name| NamespaceName::new(&name)),
    ]
}

/// An event's name that is not reserved.
pub(crate) fn name() -> impl Strategy<Value = String> {
    any::<String>().prop_filter("reserved", |name| {
        !matches!(name.as_str(), "connect" | "disconnect" | "disconnecting")
    })
}

/// Either revision.
pub(crate) fn version() -> impl Strategy<Value = Version> {
    prop_oneof![Just(Version::V4), Just(Version::V5)]
}
