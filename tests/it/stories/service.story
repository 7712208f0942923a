# Chat as a service, the part for devices: every event of the document, and what was added to it. One
# device speaks the present protocol, the other the old one.
with admin_email = "admin@example.com"
with admin_password = "correct horse"

POST /auth/login {"email":"admin@example.com","password":"correct horse"}
200 {"token":"<admin:token>",…}
POST /app [Authorization: {admin}] {"name":"my app"}
201 {"id":<app:number>,"applicationId":"<key:uuid>",…}
POST /user {"appId":"{key}","appUserId":1,"firstName":"use-1","lastName":"usr-1","token":"token of one"}
200 {"id":<one:number>,"createdAt":"<one_at:time>","updatedAt":"<one_changed:time>",…}
POST /user {"appId":"{key}","appUserId":2,"firstName":"use-2","lastName":"usr-2","token":"token of two"}
200 {"id":<two:number>,"createdAt":"<two_at:time>","updatedAt":"<two_changed:time>",…}
POST /room {"room":"usr-1-2","appId":"{key}","users":[1,2],"extra":{"colour":"red"}}
200 {"id":<room:number>,"createdAt":"<room_at:time>",…}
POST /room {"room":"other","appId":"{key}","users":[1,2]}
200 {"id":<other:number>,…}

one opens EIO=4&token=token%20of%20one
one > 40
one < 40{"sid":"<sid>"}
two opens EIO=3&token=token%20of%20two on socket_port
two < 40
# Each has a second device, in the other room.
tablet opens EIO=4
tablet > 40{"token":"token of one"}
tablet < 40{"sid":"<sid>"}
tablet > 42["join","other"]
tablet < 42["info","You have joined the room"]
tablet < 42["room_info",{"id":{other},"room":"other","extra":null,…}]
tablet < 42["roomData",{"room":"other","users":[{"roomId":{other},"sender":{one},…}]}]
phone opens EIO=4&appId={key}
phone > 40{"token":"token of two"}
phone < 40{"sid":"<sid>"}
phone > 42["join","other"]
phone < 42["info","You have joined the room"]
phone < 42["room_info",{"id":{other},…}]
phone < 42["roomData",{"room":"other","users":[{"sender":{one},…},{"sender":{two},…}]}]
tablet < 42["info","{two} has joined!"]
tablet < 42["roomData",{"room":"other","users":[{"sender":{one},…},{"sender":{two},…}]}]

# Joining: the room, and who is present in it.
one > 42["join","usr-1-2"]
one < 42["info","You have joined the room"]
one < 42["room_info",{"id":{room},"appId":{app},"room":"usr-1-2","extra":{"colour":"red"},
  "createdAt":"{room_at}","updatedAt":"<time>","deletedAt":null,"users":[
  {"id":{one},"appId":{app},"appUserId":1,"firstName":"use-1","lastName":"usr-1",
   "middleName":null,"token":null,"createdAt":"{one_at}","updatedAt":"{one_changed}",
   "deletedAt":null},
  {"id":{two},"appId":{app},"appUserId":2,"firstName":"use-2","lastName":"usr-2",
   "middleName":null,"token":null,"createdAt":"{two_at}","updatedAt":"{two_changed}",
   "deletedAt":null}]}]
one < 42["roomData",{"room":"usr-1-2","users":[
  {"appId":{app},"room":"usr-1-2","roomId":{room},"sender":{one},"id":"<one_here:text>"}]}]
two > 421["join","usr-1-2"]
two < 42["info","You have joined the room"]
two < 42["room_info",{"id":{room},"room":"usr-1-2",…}]
two < 42["roomData",{"room":"usr-1-2","users":[
  {"appId":{app},"room":"usr-1-2","roomId":{room},"sender":{one},"id":"{one_here}"},
  {"appId":{app},"room":"usr-1-2","roomId":{room},"sender":{two},"id":"<two_here:text>"}]}]
two < 431[{"id":{room},"room":"usr-1-2","users":[{"id":{one},…},{"id":{two},…}],…}]
one < 42["info","{two} has joined!"]
one < 42["roomData",{"room":"usr-1-2","users":[
  {"appId":{app},"room":"usr-1-2","roomId":{room},"sender":{one},"id":"{one_here}"},
  {"appId":{app},"room":"usr-1-2","roomId":{room},"sender":{two},"id":"{two_here}"}]}]

# Plain text in, base64 out: to everybody who has joined, the sender too.
one > 42["send_message","hi"]
one < 42["message",{"id":<first:number>,"roomId":{room},"message":"aGk=","userId":{one},
  "createdAt":"<first_at:time>","updatedAt":"<time>","deletedAt":null}]
two < 42["message",{"id":{first},"roomId":{room},"message":"aGk=","userId":{one},
  "createdAt":"{first_at}","updatedAt":"{first_at}","deletedAt":null}]
tablet < nothing
phone > 42["send_message","hello"]
phone < 42["message",{"roomId":{other},"message":"aGVsbG8=",…}]
tablet < 42["message",{"roomId":{other},"message":"aGVsbG8=",…}]
one < nothing
two > 422["send_message","hello sumit"]
two < 432[{"id":<second:number>,"roomId":{room},"message":"aGVsbG8gc3VtaXQ=","userId":{two},
  "createdAt":"<second_at:time>","updatedAt":"<time>","deletedAt":null}]
two < 42["message",{"id":{second},"roomId":{room},"message":"aGVsbG8gc3VtaXQ=","userId":{two},
  "createdAt":"{second_at}","updatedAt":"{second_at}","deletedAt":null}]
one < 42["message",{"id":{second},"message":"aGVsbG8gc3VtaXQ=","userId":{two},…}]
# Under a key it is there once; sent again, its sender alone is told again.
one > 42["send_message",{"message":"Привет","client_id":"k"}]
one < 42["message",{"id":<third:number>,"roomId":{room},"message":"0J/RgNC40LLQtdGC",
  "userId":{one},"createdAt":"<third_at:time>","updatedAt":"<time>","deletedAt":null,
  "client_id":"k"}]
two < 42["message",{"id":{third},"client_id":"k",…}]
one > 42["send_message",{"message":"Привет","client_id":"k"}]
one < 42["message",{"id":{third},"client_id":"k",…}]
two < nothing

# One's own messages can be taken back, and put right; a message that is no more says nothing.
one > 42["delete",{first}]
one < 42["message",{"id":{first},"roomId":{room},"message":"","userId":{one},
  "createdAt":"{first_at}","updatedAt":"<time>","deletedAt":"<deleted:time>"}]
two < 42["message",{"id":{first},"roomId":{room},"message":"","userId":{one},
  "createdAt":"{first_at}","updatedAt":"{deleted}","deletedAt":"{deleted}"}]

# Reading: the room is told, and nobody twice.
two > 42["seen"]
two < 42["seen_by",{"id":{two},"appId":{app},"appUserId":2,"firstName":"use-2","lastName":"usr-2",
  "middleName":null,"token":null,"createdAt":"{two_at}","updatedAt":"{two_changed}",
  "deletedAt":null}]
one < 42["seen_by",{"id":{two},"appId":{app},"appUserId":2,"firstName":"use-2","lastName":"usr-2",
  "middleName":null,"token":null,"createdAt":"{two_at}","updatedAt":"{two_changed}",
  "deletedAt":null}]
# Where nothing is new, the room is told all the same.
two > 42["seen"]
two < 42["seen_by",{"id":{two},"token":null,…}]
one < 42["seen_by",{"id":{two},"token":null,…}]
two < nothing
phone < nothing

one > 42["update",{"id":{third},"message":"Привет!"}]
one < 42["message",{"id":{third},"roomId":{room},"message":"0J/RgNC40LLQtdGCIQ==","userId":{one},
  "createdAt":"{third_at}","updatedAt":"<changed:time>","deletedAt":null,"client_id":"k"}]
two < 42["message",{"id":{third},"roomId":{room},"message":"0J/RgNC40LLQtdGCIQ==","userId":{one},
  "createdAt":"{third_at}","updatedAt":"{changed}","deletedAt":null,"client_id":"k"}]

# Older ones, the newest first.
two > 42["load_more",{"page":1,"limit":20}]
two < 42["load_more",[
  {"id":{third},"message":"0J/RgNC40LLQtdGCIQ==","userId":{one},"createdAt":"{third_at}",
   "updatedAt":"{changed}"},
  {"id":{second},"message":"aGVsbG8gc3VtaXQ=","userId":{two},"createdAt":"{second_at}",
   "updatedAt":"{second_at}"}]]
two > 42["load_more",{"page":2,"limit":1}]
two < 42["load_more",[{"id":{second},…}]]
two > 42["load_more"]
two < 42["load_more",[{"id":{third},…},{"id":{second},…}]]

# Typing is told as it was sent, to everybody present.
two > 42["typing","true"]
two < 42["is_typing",{"data":{"id":{two},"appId":{app},"appUserId":2,"firstName":"use-2",
  "lastName":"usr-2","middleName":null,"token":null,"createdAt":"{two_at}",
  "updatedAt":"{two_changed}","deletedAt":null},"typing":"true"}]
one < 42["is_typing",{"data":{"id":{two},"firstName":"use-2","token":null,…},"typing":"true"}]
two > 42["typing",false]
two < 42["is_typing",{"data":{"id":{two},…},"typing":false}]
one < 42["is_typing",{"data":{"id":{two},…},"typing":false}]
one > 423["typing",false]
one < 433[{"status":"ok"}]
one < 42["is_typing",{"data":{"id":{one},…},"typing":false}]
two < 42["is_typing",{"data":{"id":{one},…},"typing":false}]

# What was said here was not heard in the other room.
tablet > 42["send_message","hello"]
tablet < 42["message",{"roomId":{other},"message":"aGVsbG8=",…}]
phone < 42["message",{"roomId":{other},"message":"aGVsbG8=",…}]

# A second room is listened to until the first is left; then it is the current one.
two > 42["join","other"]
two < 42["info","You have joined the room"]
two < 42["room_info",{"id":{other},"room":"other",…}]
two < 42["roomData",{"room":"other","users":[{"sender":{one},…},{"sender":{two},…},
  {"sender":{two},…}]}]
tablet < 42["info","{two} has joined!"]
tablet < 42["roomData",{"room":"other","users":[{"sender":{one},…},{"sender":{two},…},
  {"sender":{two},…}]}]
phone < 42["info","{two} has joined!"]
phone < 42["roomData",{"room":"other","users":[{"sender":{one},…},{"sender":{two},…},
  {"sender":{two},…}]}]
two > 42["send_message","to the first"]
two < 42["message",{"roomId":{room},"message":"dG8gdGhlIGZpcnN0",…}]
one < 42["message",{"roomId":{room},"message":"dG8gdGhlIGZpcnN0",…}]
phone < nothing
tablet > 42["send_message","to the second"]
tablet < 42["message",{"roomId":{other},"message":"dG8gdGhlIHNlY29uZA==",…}]
phone < 42["message",{"roomId":{other},"message":"dG8gdGhlIHNlY29uZA==",…}]
two < 42["message",{"roomId":{other},"message":"dG8gdGhlIHNlY29uZA==",…}]
one < nothing
two > 42["send_message","to the first"]
two < 42["message",{"roomId":{room},"message":"dG8gdGhlIGZpcnN0",…}]
one < 42["message",{"roomId":{room},"message":"dG8gdGhlIGZpcnN0",…}]
two > 424["leave"]
two < 434[{"status":"ok"}]
one < 42["info","{two} has left"]
one < 42["roomData",{"room":"usr-1-2","users":[{"sender":{one},"id":"{one_here}",…}]}]
two > 42["send_message","to the second"]
two < 42["message",{"roomId":{other},"message":"dG8gdGhlIHNlY29uZA==",…}]
phone < 42["message",{"roomId":{other},"message":"dG8gdGhlIHNlY29uZA==",…}]
tablet < 42["message",{"roomId":{other},"message":"dG8gdGhlIHNlY29uZA==",…}]
one > 42["send_message","alone"]
one < 42["message",{"roomId":{room},"message":"YWxvbmU=",…}]
two < nothing
phone > 42["send_message","not alone"]
phone < 42["message",{"roomId":{other},"message":"bm90IGFsb25l",…}]
two < 42["message",{"roomId":{other},"message":"bm90IGFsb25l",…}]
tablet < 42["message",{"roomId":{other},"message":"bm90IGFsb25l",…}]

# Who disconnects has left as well.
two closes
phone < 42["info","{two} has left"]
phone < 42["roomData",{"room":"other","users":[{"sender":{one},…},{"sender":{two},…}]}]
tablet < 42["info","{two} has left"]
tablet < 42["roomData",{"room":"other","users":[{"sender":{one},…},{"sender":{two},…}]}]
phone > 41
tablet < 42["info","{two} has left"]
tablet < 42["roomData",{"room":"other","users":[{"sender":{one},…}]}]
phone closes
