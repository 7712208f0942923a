//! Socket.IO packets, protocol revisions 4 and 5, as plain values and as bytes.
//!
//! A [`Decoder`] decodes the [`Packet`]s of a client; [`Encoded`] is a packet from the server. There is
//! no I/O, and no state except the packet whose attachments a [`Decoder`] is waiting for.
//!
//! ```
//! use parlance_socketio::packet::{Args, Decoder, Encoded, NamespaceName, Packet, Version};
//!
//! let mut decoder = Decoder::new(Version::V5);
//! let packet = decoder.text(r#"217["say","hello",3]"#).unwrap().unwrap();
//! let Packet::Event { namespace, id: Some(id), name, args } = packet else { panic!() };
//! assert_eq!((name.as_str(), args.text(0)), ("say", Some("hello")));
//!
//! let answer = Encoded::ack(&namespace, id, &Args::from(("heard", true)));
//! assert_eq!(answer.text(), r#"317["heard",true]"#);
//! ```
//!
//! # Why
//! - Packets from clients and packets from the server are two types. So a `CONNECT_ERROR` from a client
//!   is an error of the decoder and cannot reach a handler.
//! - Events are encoded alike in both revisions, so a broadcast is encoded once for all receivers. Only
//!   `CONNECT` and `CONNECT_ERROR` depend on the [`Version`].
//! - [`Encoded::frame`] begins with Engine.IO's type digit `4`: it is the payload of a WebSocket text
//!   frame, and no receiver needs a copy.
//! - In [`Args`] a placeholder object represents a binary value, as on the wire. The decoder accepts no
//!   placeholder without an attachment, and the encoder writes none.

mod args;
mod decode;
mod encode;
mod error;
mod header;
mod json;
mod namespace;
mod surrogates;
mod types;

pub use args::{Arg, Args};
pub use decode::Decoder;
pub use encode::{Around, Encoded};
pub use error::{DecodeError, MAX_ATTACHMENTS};
pub use namespace::NamespaceName;
pub use surrogates::parse_json;
pub use types::{Packet, Version};
