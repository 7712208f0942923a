//! Socket.IO packets, protocol revisions 4 and 5, as plain values and as bytes.
//!
//! [`Decoder`] turns what a client sent into [`Packet`]s; [`Encoded`] is what a server sends. There
//! is no I/O here and no state but the attachments that a [`Decoder`] waits for.
//!
//! ```
//! use parlance_socketio::packet::{Args, Decoder, Encoded, Namespace, Packet, Version};
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
//! - What a client may send and what a server may send are two types: a client's `CONNECT_ERROR` is
//!   then an error of the decoder and cannot reach a handler by mistake.
//! - An event's bytes are the same in both revisions, so a broadcast is encoded once, whoever hears
//!   it. Only `CONNECT` and `CONNECT_ERROR` ask for a [`Version`].
//! - [`Encoded::frame`] begins with Engine.IO's message digit `4`: it is a WebSocket text frame's
//!   payload as it is, and needs no copy for each receiver.
//! - A placeholder object stands for a binary value inside [`Args`], as on the wire. The decoder
//!   lets no placeholder through that points nowhere, and the encoder writes none.

mod args;
mod decode;
mod encode;
mod header;
mod json;
mod namespace;
mod surrogates;

pub use args::{Arg, Args};
pub use decode::{DecodeError, Decoder, MAX_ATTACHMENTS};
pub use encode::{Around, Encoded};
pub use namespace::Namespace;

use serde_json::{Map, Value};

/// The revision of the Socket.IO protocol that a client speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Version {
    /// Revision 4, which goes with Engine.IO 3: socket.io-client 2.x.
    V4,
    /// Revision 5, which goes with Engine.IO 4: socket.io-client 3.x and 4.x.
    V5,
}

/// What a client sends.
#[derive(Debug, Clone, PartialEq)]
pub enum Packet {
    /// The client asks to join a namespace.
    Connect {
        /// The namespace, without a query.
        namespace: Namespace,
        /// What the client shows to be let in: the payload in revision 5, the namespace's query in
        /// revision 4, where a name given twice has an array of strings.
        auth: Option<Map<String, Value>>,
    },
    /// The client leaves a namespace.
    Disconnect {
        /// The namespace it leaves.
        namespace: Namespace,
    },
    /// Something happened at the client.
    Event {
        /// The namespace it happened in.
        namespace: Namespace,
        /// The client wants an acknowledgement under this number.
        id: Option<u64>,
        /// The event's name; a number is its decimal text.
        name: String,
        /// What follows the name.
        args: Args,
    },
    /// The client answers an event that asked for it.
    Ack {
        /// The namespace of the event.
        namespace: Namespace,
        /// The number the event carried.
        id: u64,
        /// The answer.
        args: Args,
    },
}

impl Packet {
    /// The namespace that the packet is for.
    pub fn namespace(&self) -> &Namespace {
        match self {
            Self::Connect { namespace, .. }
            | Self::Disconnect { namespace }
            | Self::Event { namespace, .. }
            | Self::Ack { namespace, .. } => namespace,
        }
    }
}
