//! The examples of answers that the documentation of the routes shares.

pub(super) const APP_ROW: &str = r#"{"id":3,"applicationId":"6f1c2a9e-6c34-4b2e-9f7a-0d5b8f1f2c11","name":"shop","verifyUrl":null,"requireAuth":false,"authUserId":1,"createdAt":"2021-07-15T05:14:12.117Z","updatedAt":"2021-07-15T05:14:12.117Z","deletedAt":null}"#;
pub(super) const USER_ROW: &str = r#"{"id":2,"appId":3,"firstName":"use-1","lastName":"usr-1","middleName":null,"appUserId":2,"token":null,"createdAt":"2021-07-15T05:14:12.117Z","updatedAt":"2021-07-15T05:14:12.117Z","deletedAt":null}"#;
pub(super) const ROOM_ROW: &str = r#"{"id":1,"appId":3,"room":"usr-1-2","extra":null,"createdAt":"2021-07-15T05:14:12.117Z","updatedAt":"2021-07-15T05:14:12.117Z","deletedAt":null,"users":[]}"#;
pub(super) const ACCOUNT: &str =
    r#"{"token":"…","firstName":"Ann","lastName":"Lee","email":"ann@example.com"}"#;
pub(super) const UPDATED: &str = r#"{"message":"updated"}"#;
pub(super) const MESSAGES: &str = r#"{"messages":[{"content":"Hello","id":4,"sender_id":1,"time":"2021-07-15T05:14:12.117Z"}],"has_more":false,"cursor":"1.k3v9x1ab.4","people":[{"id":1,"name":"ann"}]}"#;
pub(super) const CHATS: &str = r#"{"chats":[{"id":7,"last_message":"Hello","last_message_time":"2021-07-15T05:14:12.117Z","sender_id":1,"title":"general","description":null,"open":true,"direct":false,"person_id":null,"member":true,"role":"member","members_count":2,"unread":0,"first_unread":null,"notify":"all","notify_chosen":false,"pinned":false,"muted_until":null,"last_position":4,"created_at":"2021-07-15T05:14:12.117Z"}],"has_more":false,"cursor":"1.k3v9x1ab.4","people":[]}"#;
pub(super) const MEMBERS: &str = r#"{"members":[{"id":1,"name":"ann","photo":null,"role":"admin","joined_position":2}],"has_more":false,"cursor":"1.k3v9x1ab.4"}"#;
pub(super) const INVITED: &str = r#"{"status":"ok","code":"3q2-7wAAAAAAAAAAAAAAAA","url":"/invite/3q2-7wAAAAAAAAAAAAAAAA","expires_at":"2021-07-22T05:14:12.117Z","uses_left":null}"#;
pub(super) const INVITES: &str = r#"{"invites":[{"id":1,"prefix":"3q2-","created_by":1,"created_at":"2021-07-15T05:14:12.117Z","expires_at":"2021-07-22T05:14:12.117Z","uses_left":null}],"has_more":false}"#;
pub(super) const INVITATION: &str = r#"{"title":"general","members_count":2,"invited_by":"ann","expires_at":"2021-07-22T05:14:12.117Z"}"#;
pub(super) const HITS: &str = r#"{"hits":[{"message":{"content":"Hello, Bo","id":4,"sender_id":1,"time":"2021-07-15T05:14:12.117Z","chat_id":7},"chat":{"id":7,"title":"general"},"excerpt":"Hello, Bo","marks":[[0,5]]}],"has_more":false,"before":null,"people":[{"id":1,"name":"ann"}]}"#;
pub(super) const EVENTS: &str =
    r#"{"events":[],"cursor":"1.k3v9x1ab.4","more":false,"retry_ms":0}"#;
pub(super) const DOMAINS: &str = r#"{"statusCode":200,"status":"success","data":"Domain added","domains":["münchen.example","shop.example"]}"#;
pub(super) const SAID: &str = r#"{"event":"new-message","data":{"status":"ok"}}"#;
