//! Errors of malformed packets.

use std::fmt;

/// How many attachments a packet may have, in both directions.
pub const MAX_ATTACHMENTS: usize = 10;

/// Why a packet is malformed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DecodeError {
    /// The first character is not a packet type.
    UnknownType,
    /// A `CONNECT_ERROR`, which only a server sends.
    ServersOnly,
    /// The number of attachments is missing or invalid.
    BadAttachments,
    /// More than [`MAX_ATTACHMENTS`].
    TooManyAttachments,
    /// The acknowledgement id is missing, too large, or not allowed in this packet.
    BadId,
    /// The payload is invalid for this packet type.
    BadPayload,
    /// A placeholder refers to an attachment that does not exist.
    BadPlaceholder,
    /// Text arrived where an attachment was expected.
    AttachmentsDue,
    /// An attachment arrived that does not belong to a packet.
    StrayAttachment,
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::UnknownType => "no such type of packet",
            Self::ServersOnly => "only a server sends a packet of that type",
            Self::BadAttachments => "the number of attachments is missing",
            Self::TooManyAttachments => "the packet has too many attachments",
            Self::BadId => "the acknowledgement's number is missing or out of place",
            Self::BadPayload => "a packet of that type has another payload",
            Self::BadPlaceholder => "a placeholder points at no attachment",
            Self::AttachmentsDue => "text came while attachments were due",
            Self::StrayAttachment => "an attachment came without a packet",
        })
    }
}

impl std::error::Error for DecodeError {}
