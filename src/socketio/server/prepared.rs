//! An event that is encoded once and sent to many sockets.

use std::sync::Arc;

use crate::{
    engine::Frame,
    packet::{Args, Around, Encoded, NamespaceName},
};

/// An event that is encoded once. Clones, and all sockets that it is sent to, share the bytes.
#[derive(Debug, Clone)]
pub struct Prepared(Arc<[Frame]>);

impl Prepared {
    /// An event of that namespace. It may only be sent to the namespace's sockets.
    pub fn event(namespace: &NamespaceName, name: &str, args: impl Into<Args>) -> Self {
        Self::from(&Encoded::event(namespace, None, name, &args.into()))
    }

    /// An event with one argument that is JSON already, and `more`, a text, after it.
    pub fn json(namespace: &NamespaceName, name: &str, json: &str, more: Option<&str>) -> Self {
        Self([whole(&Around::event(namespace, name, more), json)].into())
    }

    /// How many bytes it takes on a WebSocket.
    pub fn encoded_len(&self) -> usize {
        self.0.iter().map(Frame::len).sum()
    }

    /// The packet's text and its attachments. They have to be sent together.
    pub(super) fn frames(&self) -> &[Frame] {
        &self.0
    }
}

/// The frame of a packet with that argument, which is JSON.
pub(super) fn whole(around: &Around, json: &str) -> Frame {
    Frame::parts([&around.start, json, &around.end])
}

impl From<&Encoded> for Prepared {
    fn from(encoded: &Encoded) -> Self {
        let text = std::iter::once(Frame::packet(encoded.frame()));
        let attached = encoded.attachments().iter();
        Self(text.chain(attached.map(|a| Frame::binary(a))).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clone_shares_the_frames() {
        let prepared = Prepared::event(&NamespaceName::MAIN, "x", 1);
        let clone = prepared.clone();
        assert_eq!(clone.frames().as_ptr(), prepared.frames().as_ptr());
    }
}
