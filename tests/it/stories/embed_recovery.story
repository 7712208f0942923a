# A connection that comes back hears what was told to whom it acts for, as long as they were there.
with admin_email = "admin@example.com"
with admin_password = "correct horse"

POST /auth/login {"email":"admin@example.com","password":"correct horse"}
200 {"token":"<admin:token>",…}
POST /app [Authorization: {admin}] {"name":"my app"}
201 {"applicationId":"<key:uuid>",…}
POST /user {"appId":"{key}","appUserId":1,"firstName":"Ann","lastName":"A","token":"token of ann"}
200 {"id":<ann:number>,…}
POST /user {"appId":"{key}","appUserId":2,"firstName":"Bo","lastName":"B","token":"token of bo"}
200 {"id":<bo:number>,…}
POST /room {"room":"tea","appId":"{key}","users":[1,2]}
200 {"id":<chat:number>,…}

bo opens EIO=4&token=token%20of%20bo&recovery=1&twin=1
bo > 40
bo < 40{"sid":"<sid:sid>","pid":"<pid:pid>"}
bo > 42["list-chats",{"user":{"id":"{bo}"}}]
bo < 42["list-chats",{"chats":[{"id":"{chat}",…}],…},"<offset:cursor>"]
bo closes

server opens EIO=4&key={key}
server > 40
server < 40{"sid":"<sid>"}
server > 42["new-message",{"chat":{"id":"{chat}"},"user":{"id":"{ann}"},
  "message":{"value":"to both","type":"text"}}]
server < 42["new-message",{"msg":"to both",…}]

# A client that asked for it gets a message under two names. One that is lost between them gets it under the second.
again opens EIO=4&token=token%20of%20bo&recovery=1&twin=1
again > 40{"pid":"{pid}","offset":"{offset}"}
again < 40{"sid":"{sid}","pid":"{pid}"}
again < 42["new-message",{"msg":"to both",…},"<between:cursor>"]
again < 42["/chat/{chat}/new-message",{"msg":"to both",…},"<told:cursor>"]
again closes
rest opens EIO=4&token=token%20of%20bo&recovery=1&twin=1
rest > 40{"pid":"{pid}","offset":"{between}"}
rest < 40{"sid":"{sid}","pid":"{pid}"}
rest < 42["/chat/{chat}/new-message",{"msg":"to both",…},"{told}"]
server > 42["new-message",{"chat":{"id":"{chat}"},"user":{"id":"{ann}"},
  "message":{"value":"again","type":"text"}}]
server < 42["new-message",{"msg":"again",…}]
rest < 42["new-message",{"msg":"again",…},"<cursor>"]
rest < 42["/chat/{chat}/new-message",{"msg":"again",…},"<last:cursor>"]
rest closes

# Told in two dialects, a connection has been told with the last frame of the last of them. One that is lost before that
# gets what it has not been told.
both opens EIO=4&token=token%20of%20ann&recovery=1&twin=1
both > 40
both < 40{"sid":"<both_sid:sid>","pid":"<both_pid:pid>"}
both > 42["list-chats",{"user":{"id":"{ann}"}}]
both < 42["list-chats",{"chats":[{"id":"{chat}",…}],…},"<before:cursor>"]
both > 42["join","tea"]
both < 42["info","You have joined the room","{before}"]
both < 42["room_info",{"room":"tea",…},"{before}"]
both < 42["roomData",{"room":"tea",…},"{before}"]
server > 42["new-message",{"chat":{"id":"{chat}"},"user":{"id":"{bo}"},
  "message":{"value":"in two dialects","type":"text"}}]
server < 42["new-message",{"msg":"in two dialects",…}]
both < 42["new-message",{"msg":"in two dialects",…},"<one:cursor>"]
both < 42["/chat/{chat}/new-message",{"msg":"in two dialects",…},"<two:cursor>"]
both < 42["message",{"message":"aW4gdHdvIGRpYWxlY3Rz",…},"<after:cursor>"]
both closes
one opens EIO=4&token=token%20of%20ann&recovery=1&twin=1
one > 40{"pid":"{both_pid}","offset":"{one}"}
one < 40{"sid":"{both_sid}","pid":"{both_pid}"}
one < 42["/chat/{chat}/new-message",{"msg":"in two dialects",…},"{two}"]
one < 42["message",{"message":"aW4gdHdvIGRpYWxlY3Rz",…},"{after}"]
one < 42["roomData",{"room":"tea",…},"{after}"]
one closes
two opens EIO=4&token=token%20of%20ann&recovery=1&twin=1
two > 40{"pid":"{both_pid}","offset":"{two}"}
two < 40{"sid":"{both_sid}","pid":"{both_pid}"}
two < 42["message",{"message":"aW4gdHdvIGRpYWxlY3Rz",…},"{after}"]
two < 42["roomData",{"room":"tea",…},"{after}"]
two closes

# A removed member receives the removal, and nothing after it.
PUT /room/remove {"room":"tea","appId":"{key}","users":[2]}
200 {…}
server < 42["remove-users",{"users":["{bo}"],…}]
server > 42["new-message",{"chat":{"id":"{chat}"},"user":{"id":"{ann}"},
  "message":{"value":"to ann alone","type":"text"}}]
server < 42["new-message",{"msg":"to ann alone",…}]
late opens EIO=4&token=token%20of%20bo&recovery=1
late > 40{"pid":"{pid}","offset":"{last}"}
late < 40{"sid":"{sid}","pid":"{pid}"}
late < 42["remove-users",{"users":["{bo}"],…},"<cursor>"]
