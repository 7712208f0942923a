//! The operations of administration.

use super::{
    answers::LINK,
    fields::{
        ADMINISTRATOR, BEFORE, BEGINNING, FIRST_PASSWORD, LIMIT, LINK_EXPIRES, LINK_TOKEN, NAME,
        NEW_EMAIL, NEW_NAME, NEW_PASSWORD, ONLY, REGISTRATION, TITLE_BEGINNING,
    },
    operation::{Access, Operation, admin, answer},
};
use crate::dialect::messenger::routes::administration;

pub(super) const ADMINISTRATION: &[Operation] = &[
    admin("GET /api/admin/people", "admin_people")
        .says("People, the newest first")
        .query(&[BEGINNING, ONLY, LIMIT, BEFORE])
        .answers(answer::<administration::People>(200, r#"{"people":[{"id":1,"name":"ann","email":"ann@example.com","account":"messenger","has_password":true,"second_factor":false,"administrator":true,"created_at":"2021-07-15T05:14:12.117Z","deactivated_at":null,"last_seen":"2021-07-15T05:14:12.117Z","logins":1}],"has_more":false}"#)),
    admin("POST /api/admin/people", "admin_create_person")
        .says("Make an account")
        .body(&[NAME, NEW_EMAIL, FIRST_PASSWORD])
        .answers(LINK.status(201).headers(&["Location"]))
        .refuses(&[409]),
    admin("GET /api/admin/people/{person}", "admin_person")
        .says("One person")
        .answers(answer::<administration::AccountWire>(200, r#"{"id":1,"name":"ann","email":"ann@example.com","account":"messenger","has_password":true,"second_factor":false,"administrator":true,"created_at":"2021-07-15T05:14:12.117Z","deactivated_at":null,"last_seen":null,"logins":1}"#)),
    admin("PATCH /api/admin/people/{person}", "admin_change_person")
        .says("Make somebody an administrator, or an ordinary person again; or give them another name")
        .body(&[ADMINISTRATOR, NEW_NAME])
        .refuses(&[409]),
    admin("DELETE /api/admin/people/{person}", "admin_delete_person")
        .says("Delete an account")
        .about("What it wrote stays, and its name is free again.")
        .refuses(&[409]),
    admin("POST /api/admin/people/{person}/logout", "admin_sign_person_out")
        .says("End all logins of a person"),
    admin(
        "DELETE /api/admin/people/{person}/second-factor",
        "admin_end_second_factor",
    )
    .says("End the second factor of a person who has lost it")
    .refuses(&[409]),
    admin("POST /api/admin/people/{person}/password-link", "admin_create_password_link")
        .says("Make a link by which a person sets a new password, once")
        .body(&[LINK_EXPIRES])
        .answers(LINK.status(201))
        .refuses(&[409]),
    admin("POST /api/admin/people/{person}/deactivate", "admin_deactivate_person")
        .says("Deactivate a person")
        .about("They cannot sign in, and all their connections end.")
        .refuses(&[409]),
    admin("POST /api/admin/people/{person}/reactivate", "admin_reactivate_person")
        .says("Reactivate a person")
        .refuses(&[409]),
    admin("GET /api/admin/logins", "admin_logins")
        .says("Who is signed in, the newest login first, and whether they are connected now")
        .query(&[LIMIT, BEFORE])
        .answers(answer::<administration::Logins>(200, r#"{"logins":[],"has_more":false}"#)),
    admin("DELETE /api/admin/logins/{login}", "admin_end_login").says("End one login of a person"),
    admin("POST /api/admin/invitations", "admin_create_invitation")
        .says("Make a link by which one person may sign up")
        .body(&[LINK_EXPIRES])
        .answers(LINK.status(201)),
    admin("GET /api/admin/invitations", "admin_invitations")
        .says("The invitations that nobody has used, the newest first")
        .query(&[LIMIT, BEFORE])
        .answers(answer::<administration::Invitations>(200, r#"{"invitations":[],"has_more":false}"#)),
    admin("DELETE /api/admin/invitations/{invitation}", "admin_delete_invitation")
        .says("Take an invitation back"),
    admin("POST /api/password-link", "password_link")
        .says("Whose password a link sets, and until when it is good")
        .access(Access::Public)
        .body(&[LINK_TOKEN])
        .answers(answer::<administration::LinkOwnerWire>(200, r#"{"name":"ann","expires_at":"2021-07-16T05:14:12.117Z"}"#))
        .refuses(&[403, 404]),
    admin("POST /api/password-link/use", "use_password_link")
        .says("Set a new password by a link, once")
        .about("All logins of its person end.")
        .access(Access::Public)
        .body(&[LINK_TOKEN, NEW_PASSWORD])
        .refuses(&[403, 404]),
    admin("GET /api/admin/chats", "admin_chats")
        .says("Chats, the newest first")
        .query(&[TITLE_BEGINNING, LIMIT, BEFORE])
        .answers(answer::<administration::Chats>(200, r#"{"chats":[],"has_more":false}"#)),
    admin("GET /api/admin/chats/{chat}", "admin_chat")
        .says("One chat with its members, and without what is said there")
        .answers(answer::<administration::ChatWire>(200, r#"{"id":7,"title":"general","kind":"open","created_by":{"id":1,"name":"ann"},"created_at":"2021-07-15T05:14:12.117Z","members_count":1,"messages":40,"last_position":44,"members":[{"id":1,"name":"ann","role":"admin"}]}"#)),
    admin("DELETE /api/admin/chats/{chat}", "admin_delete_chat").says("Delete a chat"),
    admin("DELETE /api/admin/chats/{chat}/messages/{message}", "admin_take_message_down")
        .says("Take a message down")
        .about("What is left of it says that it was deleted.")
        .refuses(&[409]),
    admin("GET /api/admin/tenants", "admin_tenants")
        .says("Sites with live support and apps, the newest first")
        .query(&[LIMIT, BEFORE])
        .answers(answer::<administration::Tenants>(200, r#"{"tenants":[],"has_more":false}"#)),
    admin("POST /api/admin/tenants/{tenant}/suspend", "admin_suspend_tenant")
        .says("Suspend a site or an app")
        .about("Nobody gets in by it, and all that is open by it ends.")
        .refuses(&[409]),
    admin("POST /api/admin/tenants/{tenant}/resume", "admin_resume_tenant")
        .says("Let a site or an app go on")
        .refuses(&[409]),
    admin("GET /api/admin/registration", "admin_registration")
        .says("Who may sign up, what the settings say, and what was chosen")
        .answers(answer::<administration::RegistrationWire>(200, r#"{"registration":"closed","default":"open","chosen":"closed"}"#)),
    admin("PUT /api/admin/registration", "admin_choose_registration")
        .says("Choose who may sign up")
        .body(&[REGISTRATION]),
    admin("GET /api/admin/audit", "admin_audit")
        .says("What administrators did, the newest first")
        .query(&[LIMIT, BEFORE])
        .answers(answer::<administration::Audit>(200, r#"{"audit":[{"id":1,"at":"2021-07-15T05:14:12.117Z","by":{"id":1,"name":"ann"},"address":"192.0.2.7","act":"deactivate","target":{"kind":"person","id":2,"name":"bo"},"detail":null}],"has_more":false}"#)),
    admin("GET /api/admin/figures", "admin_figures")
        .says("Figures of the server")
        .answers(answer::<administration::FiguresWire>(200, "")),
];
