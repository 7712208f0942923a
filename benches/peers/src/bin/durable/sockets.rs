//! Embedded chat over Socket.IO: `create-user`, `create-chat`, `new-message`.

use std::{future::ready, sync::Arc};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use socketioxide::{
    SocketIo,
    extract::{AckSender, Data, SocketRef, TryData},
    layer::SocketIoLayer,
};

use crate::{
    state::{State, now},
    store::Write,
};

#[derive(Deserialize)]
struct CreateUser {
    user: NewUser,
}

#[derive(Deserialize)]
struct NewUser {
    external_id: String,
    name: String,
    photo: String,
}

#[derive(Deserialize)]
struct CreateChat {
    chat: NewChat,
    users: Vec<String>,
}

#[derive(Deserialize)]
struct NewChat {
    name: String,
}

#[derive(Deserialize)]
struct NewMessage {
    chat: Named,
    user: Named,
    message: Content,
}

#[derive(Deserialize)]
struct Named {
    id: String,
}

#[derive(Deserialize)]
struct Content {
    value: String,
    r#type: String,
}

/// A message as the embedded chat tells it.
#[derive(Serialize)]
struct Told<'m> {
    status: &'static str,
    id: &'m str,
    _id: &'m str,
    msg: &'m str,
    r#type: &'m str,
    user_id: &'m str,
    chat_id: &'m str,
    created_at: &'m str,
    modified_at: &'m str,
    updated_at: &'m str,
}

pub fn layer(state: &Arc<State>) -> SocketIoLayer {
    // The default drops what a socket cannot take at once after 128 packets; here all must arrive.
    let (layer, io) = SocketIo::builder().max_buffer_size(4096).build_layer();
    let (state, all) = (Arc::clone(state), io.clone());
    // What a handler returns is polled in a task of its own. Each has given its work to the store before
    // that, so that what one socket says stays in order.
    io.ns(
        "/",
        move |socket: SocketRef, TryData(auth): TryData<Value>| {
            if let Some(person) =
                token(&socket, auth.ok().as_ref()).and_then(|it| state.signed_in(&it))
            {
                socket.join(format!("user:{person}"));
            }
            let now = Arc::clone(&state);
            socket.on(
                "create-user",
                move |socket: SocketRef, Data(asked): Data<CreateUser>| {
                    create_user(&now, socket, asked.user);
                    ready(())
                },
            );
            let (now, io) = (Arc::clone(&state), all.clone());
            socket.on(
                "create-chat",
                move |socket: SocketRef, Data(asked): Data<CreateChat>| {
                    create_chat(&now, io.clone(), socket, asked);
                    ready(())
                },
            );
            let (now, io) = (Arc::clone(&state), all.clone());
            socket.on(
                "new-message",
                move |Data(asked): Data<NewMessage>, ack: AckSender| {
                    new_message(&now, io.clone(), asked, ack);
                    ready(())
                },
            );
            ready(())
        },
    );
    layer
}

fn token(socket: &SocketRef, auth: Option<&Value>) -> Option<String> {
    if let Some(token) = auth.and_then(|auth| auth["token"].as_str()) {
        return Some(token.to_owned());
    }
    let query = socket.req_parts().uri.query()?;
    let token = query
        .split('&')
        .find_map(|pair| pair.strip_prefix("token="))?;
    Some(token.to_owned())
}

fn create_user(state: &State, socket: SocketRef, user: NewUser) {
    let (at, time) = now();
    let write = Write::User {
        external_id: user.external_id.clone(),
        name: user.name.clone(),
        photo: user.photo.clone(),
    };
    state.store.write(write, at, move |id| async move {
        let Ok(id) = id else {
            return refuse(&socket, "create-user");
        };
        socket.join(format!("user:{id}"));
        let id = id.to_string();
        let told = json!({"status": "ok", "user": {
            "id": id, "_id": id, "external_id": user.external_id, "name": user.name, "photo": user.photo,
            "created_at": time, "modified_at": time, "updated_at": time}});
        socket.emit("create-user", &told).ok();
    });
}

fn create_chat(state: &Arc<State>, io: SocketIo, socket: SocketRef, asked: CreateChat) {
    let (at, time) = now();
    let users: Vec<i64> = asked
        .users
        .iter()
        .filter_map(|user| user.parse().ok())
        .collect();
    let write = Write::Chat {
        name: asked.chat.name.clone(),
        users: users.clone(),
    };
    let state = Arc::clone(state);
    let store = state.store.clone();
    store.write(write, at, move |id| async move {
        let Ok(id) = id else {
            return refuse(&socket, "create-chat");
        };
        state.add_members(id, &users);
        let rooms: Vec<_> = users.iter().map(|user| format!("user:{user}")).collect();
        io.within(rooms).join(format!("chat:{id}")).await.ok();
        let id = id.to_string();
        let told = json!({"status": "ok", "chat": {
            "id": id, "_id": id, "name": asked.chat.name, "users": asked.users,
            "created_at": time, "modified_at": time, "updated_at": time}});
        socket.emit("create-chat", &told).ok();
    });
}

fn new_message(state: &State, io: SocketIo, asked: NewMessage, ack: AckSender) {
    let ids = (asked.chat.id.parse(), asked.user.id.parse());
    let (Ok(chat), Ok(user)) = ids else {
        return not_yours(ack);
    };
    if !state.is_member(chat, user) {
        return not_yours(ack);
    }
    let (at, time) = now();
    let write = Write::Message {
        chat,
        sender: user,
        kind: asked.message.r#type.clone(),
        content: asked.message.value.clone(),
    };
    state.store.write(write, at, move |id| async move {
        let Ok(id) = id else {
            return not_yours(ack);
        };
        let id = id.to_string();
        let told = Told {
            status: "ok",
            id: &id,
            _id: &id,
            msg: &asked.message.value,
            r#type: &asked.message.r#type,
            user_id: &asked.user.id,
            chat_id: &asked.chat.id,
            created_at: &time,
            modified_at: &time,
            updated_at: &time,
        };
        ack.send(&told).ok();
        io.to(format!("chat:{chat}"))
            .emit("new-message", &told)
            .await
            .ok();
    });
}

fn refuse(socket: &SocketRef, event: &'static str) {
    socket.emit(event, &json!({"status": "error"})).ok();
}

fn not_yours(ack: AckSender) {
    ack.send(&json!({"status": "error", "error": [{"message": "there is no such chat"}]}))
        .ok();
}
