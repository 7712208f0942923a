//! An event encoded once, for everybody who is to hear it.

use std::sync::Arc;

use crate::{
    engine::Frame,
    packet::{Args, Encoded, Namespace},
};

/// An event encoded once. A clone shares the bytes, and so does every socket it is sent to.
#[derive(Debug, Clone)]
pub struct Prepared(Arc<[Frame]>);

impl Prepared {
    /// An event of that namespace; it may be sent to its sockets only.
    pub fn event(namespace: &Namespace, name: &str, args: impl Into<Args>) -> Self {
        Self::from(&Encoded::event(namespace, None, name, &args.into()))
    }

    /// How many bytes it takes on a WebSocket.
    pub fn encoded_len(&self) -> usize {
        self.0.iter().map(Frame::len).sum()
    }

    /// The frames, which are sent together.
    pub(super) fn frames(&self) -> &[Frame] {
        &self.0
    }
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
        let prepared = Prepared::event(&Namespace::MAIN, "x", 1);
        let clone = prepared.clone();
        assert_eq!(clone.frames().as_ptr(), prepared.frames().as_ptr());
    }
}
