# Chat as a service, the part for servers: every route of the document.
with admin_email = "admin@example.com"
with admin_password = "correct horse"

# Accounts: the administrator, and a developer whom the administrator lets in.
POST /auth/login {"email":"admin@example.com","password":"correct horse"}
200 {"token":"<admin:token>","firstName":"Admin","lastName":null,"email":"admin@example.com"}
POST /auth/register [Authorization: Bearer {admin}]
  {"firstName":"Ann","middleName":"B","lastName":"Lee","email":"ann@example.com","password":"correct horse"}
201 {"token":"<registered:token>","firstName":"Ann","lastName":"Lee","email":"ann@example.com"}
POST /auth/login {"email":"ann@example.com","password":"correct horse"}
200 {"token":"<ann:token>","firstName":"Ann","lastName":"Lee","email":"ann@example.com"}
GET /auth/verify [token: {ann}]
200 true
GET /auth/verify?token={ann}
200 true
GET /auth/verify?token=xyzbhgdkfjke
200 false
GET /auth/verify
200 false

# Apps. Ann sees her own, the administrator all.
GET /app [Authorization: {ann}]
200 []
POST /app [Authorization: {ann}] {"name":"my app","verifyUrl":"https://example.com/verify"}
201 {"id":<app:number>,"applicationId":"<key:uuid>","name":"my app",
  "verifyUrl":"https://example.com/verify","requireAuth":false,"authUserId":<ann_id:number>,
  "createdAt":"<app_at:time>","updatedAt":"<app_changed:time>","deletedAt":null}
GET /app [Authorization: {ann}]
200 [{"id":{app},"applicationId":"{key}","name":"my app","verifyUrl":"https://example.com/verify",
  "requireAuth":false,"authUserId":{ann_id},"createdAt":"{app_at}","updatedAt":"{app_changed}",
  "deletedAt":null}]
GET /app?token={admin}
200 [{"id":{app},…}]

# Users, under the app's own numbers for them and with the tokens it issued.
POST /user {"appId":"{key}","appUserId":2,"firstName":"use-1","lastName":"usr-1","token":"xyzbhgdkfjke"}
200 {"id":<user:number>,"appId":{app},"firstName":"use-1","lastName":"usr-1","middleName":null,
  "token":"xyzbhgdkfjke","appUserId":2,"createdAt":"<user_at:time>","updatedAt":"<time>",
  "deletedAt":null}
POST /user [appId: {key}] {"appUserId":"usr-1","firstName":"a","middleName":"b","lastName":"c"}
200 {"id":<other:number>,"appId":{app},"firstName":"a","lastName":"c","middleName":"b","token":null,
  "appUserId":"usr-1","createdAt":"<time>","updatedAt":"<time>","deletedAt":null}
# The same again is the same user, under the name that came last.
POST /user {"appId":"{key}","appUserId":2,"firstName":"use-1","lastName":"usr-2"}
200 {"id":{user},"appId":{app},"firstName":"use-1","lastName":"usr-2","middleName":null,"token":null,
  "appUserId":2,"createdAt":"{user_at}","updatedAt":"<time>","deletedAt":null}
GET /user/{key}
200 [{"id":{user},"appId":{app},"firstName":"use-1","lastName":"usr-2","middleName":null,
    "token":null,"appUserId":2,"createdAt":"{user_at}","updatedAt":"<time>","deletedAt":null},
  {"id":{other},"appUserId":"usr-1",…}]

# Rooms.
POST /room {"room":"usr-1-2","appId":"{key}","users":[2,"usr-1"],"extra":{"colour":"red"}}
200 {"id":<room:number>,"appId":{app},"room":"usr-1-2","extra":{"colour":"red"},
  "createdAt":"<room_at:time>","updatedAt":"<time>","deletedAt":null,"users":[
  {"id":{user},"appId":{app},"firstName":"use-1","lastName":"usr-2","middleName":null,
   "token":null,"appUserId":2,"createdAt":"{user_at}","updatedAt":"<time>","deletedAt":null},
  {"id":{other},…}]}
GET /room [appId: {key}]
200 [{"id":{room},"appId":{app},"room":"usr-1-2","extra":{"colour":"red"},"createdAt":"{room_at}",
  "updatedAt":"<time>","deletedAt":null}]
PUT /room/remove {"room":"usr-1-2","appId":"{key}","users":["usr-1"]}
200 {"message":"updated"}
GET /room/usr-1-2 [appId: {key}]
200 {"id":{room},"appId":{app},"room":"usr-1-2","extra":{"colour":"red"},"createdAt":"{room_at}",
  "updatedAt":"<time>","deletedAt":null,"users":[{"id":{user},"appUserId":2,…}]}
PUT /room/add {"room":"usr-1-2","appId":"{key}","users":["usr-1"]}
200 {"message":"updated"}
GET /room/usr-1-2 [appId: {key}]
200 {"id":{room},"users":[{"id":{user},…},{"id":{other},…}],…}

# What is deleted stays, marked, and is not found any more.
DELETE /room/{room} [appId: {key}]
200 {"id":{room},"appId":{app},"room":"usr-1-2","extra":{"colour":"red"},"createdAt":"{room_at}",
  "updatedAt":"<time>","deletedAt":"<time>"}
GET /room [appId: {key}]
200 []
DELETE /user/{other} [appId: {key}]
200 {"id":{other},"appId":{app},"firstName":"a","lastName":"c","middleName":"b","token":null,
  "appUserId":"usr-1","createdAt":"<time>","updatedAt":"<time>","deletedAt":"<time>"}
GET /user/{key}
200 [{"id":{user},…}]
DELETE /app/{app} [Authorization: {ann}]
200 {"id":{app},"applicationId":"{key}","name":"my app","verifyUrl":"https://example.com/verify",
  "requireAuth":false,"authUserId":{ann_id},"createdAt":"{app_at}","updatedAt":"<time>",
  "deletedAt":"<time>"}
GET /app [Authorization: {ann}]
200 []

# A second app, deleted by its secret, which only the administrator may beside Ann.
POST /app [Authorization: {ann}] {"name":"my other app"}
201 {"id":<second:number>,"applicationId":"<second_key:uuid>","verifyUrl":null,…}
DELETE /app/{second_key} [Authorization: {admin}]
200 {"id":{second},"deletedAt":"<time>",…}
