//! What is wrong with the settings of NATS is told before anything is connected to.

use std::fs;

use tempfile::tempdir;

use crate::support::binary::refused;

/// A PostgreSQL that nobody asks.
const DATABASES: &str = "{chat={url=\"postgres://nobody@127.0.0.1:1/none\"}}";
const URL: (&str, &str) = ("ROCKET_NATS_URL", "nats://127.0.0.1:1");

#[test]
fn an_address_that_is_none_is_told_without_its_password() {
    let folder = tempdir().expect("a folder");
    for url in [
        "http://ann:secret@host",
        "nats://ann:secret@host:x",
        "ann:secret@",
    ] {
        let settings = [("ROCKET_DATABASES", DATABASES), ("ROCKET_NATS_URL", url)];
        let told = refused(folder.path(), &settings);
        assert!(told.contains("nats_url must be addresses"), "{told}");
        assert!(told.contains("ROCKET_NATS_URL"), "{told}");
        assert!(!told.contains("secret"), "{told}");
    }
    let told = refused(folder.path(), &[URL]);
    assert!(
        told.contains("databases.chat.url must begin with postgres://"),
        "{told}"
    );
}

#[test]
fn a_file_that_is_not_there_or_holds_something_else_is_told() {
    let folder = tempdir().expect("a folder");
    let file = |name: &str, text: &str| {
        fs::write(folder.path().join(name), text).expect("it is written");
    };
    file("empty", "");
    file(
        "seed",
        "SUAIO3FHUX5PNV2LQIIP7TZ3N4L7TX3W53MQGEIVYFIGA635OZCKEYHFLX",
    );
    let broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    file("broken.pem", broken);
    for (key, name, told_of) in [
        ("nats_credentials", "no-such", "cannot be read"),
        (
            "nats_credentials",
            "empty",
            "neither credentials nor the seed",
        ),
        (
            "nats_credentials",
            "seed",
            "neither credentials nor the seed",
        ),
        ("nats_ca", "no-such", "cannot be read"),
        ("nats_ca", "empty", "no certificate"),
        ("nats_ca", "broken.pem", "a certificate that cannot be read"),
    ] {
        let variable = format!("ROCKET_{}", key.to_ascii_uppercase());
        let settings = [
            ("ROCKET_DATABASES", DATABASES),
            URL,
            (variable.as_str(), name),
        ];
        let told = refused(folder.path(), &settings);
        for part in [key, name, told_of, variable.as_str()] {
            assert!(told.contains(part), "{part}: {told}");
        }
    }
}
