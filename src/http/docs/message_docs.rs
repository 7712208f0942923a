//! What the documentation says of the routes of one message, and of who has read and who types.

use super::{
    examples::MESSAGES,
    route_docs::{NONE, OK, Words, messenger},
};

/// Every such route, by method and path.
pub(super) const MESSAGE_WORDS: &[Words] = &[
    messenger(
        "GET /api/chats/{chat}/messages/{message}",
        "One message",
        NONE,
        NONE,
        (200, MESSAGES),
    ),
    messenger(
        "PATCH /api/chats/{chat}/messages/{message}",
        "Changes what a message of mine says",
        &["content"],
        NONE,
        OK,
    ),
    messenger(
        "DELETE /api/chats/{chat}/messages/{message}",
        "Deletes a message of mine, or as an admin of the chat anybody's: its place, sender and times are left",
        NONE,
        NONE,
        OK,
    ),
    messenger(
        "GET /api/chats/{chat}/reads",
        "How far the members have read; in a chat of more than 50 my own mark alone",
        NONE,
        NONE,
        (
            200,
            r#"{"reads":[{"person_id":1,"up_to":4}],"people":[{"id":1,"name":"ann"}],"cursor":"1.k3v9x1ab.4"}"#,
        ),
    ),
    messenger(
        "POST /api/chats/{chat}/typing",
        "Tells the members that I type, for 6 seconds, or that I have stopped",
        &["typing"],
        NONE,
        OK,
    ),
    messenger(
        "GET /api/chats/{chat}/messages/{message}/reactions/{emoji}",
        "Who has set that emoji on a message, by their ids",
        NONE,
        &["limit?", "before?"],
        (
            200,
            r#"{"people":[{"id":1,"name":"ann"}],"has_more":false}"#,
        ),
    ),
    messenger(
        "PUT /api/chats/{chat}/messages/{message}/reactions/{emoji}",
        "Sets a reaction of mine: one emoji, percent-encoded; setting it again is harmless",
        NONE,
        NONE,
        OK,
    ),
    messenger(
        "DELETE /api/chats/{chat}/messages/{message}/reactions/{emoji}",
        "Takes a reaction of mine back",
        NONE,
        NONE,
        OK,
    ),
];
