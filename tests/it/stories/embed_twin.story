# The twin of a message, its chat's own event, is told to who asks for it: in the query, in the auth data, or by emitting
# under such a name.
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
GET /api/events?dialect=embed&timeout=0&after=now&token=token%20of%20bo
200 {"events":[],"cursor":"<start:cursor>",…}

# In the query of the old protocol, in the auth data of the present one; what is not on asks for nothing.
query opens EIO=3&token=token%20of%20ann&twin=1
query < 40
query > 42["list-chats",{"user":{"id":"{ann}"}}]
query < 42["list-chats",{"chats":[{"id":"{chat}",…}],…}]
auth opens EIO=4
auth > 40{"token":"token of ann","twin":true}
auth < 40{"sid":"<sid>"}
auth > 42["list-chats",{"user":{"id":"{ann}"}}]
auth < 42["list-chats",{"chats":[{"id":"{chat}",…}],…}]
off opens EIO=4&token=token%20of%20ann&twin=0
off > 40
off < 40{"sid":"<sid>"}
off > 42["list-chats",{"user":{"id":"{ann}"}}]
off < 42["list-chats",{"chats":[{"id":"{chat}",…}],…}]

# By emitting: from its own message on.
bo opens EIO=4&token=token%20of%20bo&recovery=1
bo > 40
bo < 40{"sid":"<sid:sid>","pid":"<pid:pid>"}
bo > 42["new-message",{"chat":{"id":"{chat}"},"user":{"id":"{bo}"},"message":{"value":"one","type":"text"}}]
bo < 42["new-message",{"msg":"one",…},"<cursor>"]
query < 42["new-message",{"msg":"one",…}]
query < 42["/chat/{chat}/new-message",{"status":"ok","msg":"one","chat_id":"{chat}",…}]
auth < 42["new-message",{"msg":"one",…}]
auth < 42["/chat/{chat}/new-message",{"msg":"one",…}]
off < 42["new-message",{"msg":"one",…}]
bo > 42["/chat/{chat}/new-message",{"user":{"id":"{bo}"},"message":{"value":"two","type":"text"}}]
bo < 42["new-message",{"msg":"two",…},"<cursor>"]
bo < 42["/chat/{chat}/new-message",{"msg":"two",…},"<offset:cursor>"]
query < 42["new-message",{"msg":"two",…}]
query < 42["/chat/{chat}/new-message",{"msg":"two",…}]
auth < 42["new-message",{"msg":"two",…}]
auth < 42["/chat/{chat}/new-message",{"msg":"two",…}]
off < 42["new-message",{"msg":"two",…}]
bo closes

# The option is kept by a recovery. An offset alone, with one name, is the message's own.
off > 42["new-message",{"chat":{"id":"{chat}"},"user":{"id":"{ann}"},"message":{"value":"three","type":"text"}}]
off < 42["new-message",{"msg":"three",…}]
back opens EIO=4&token=token%20of%20bo&recovery=1
back > 40{"pid":"{pid}","offset":"{offset}"}
back < 40{"sid":"{sid}","pid":"{pid}"}
back < 42["new-message",{"msg":"three",…},"<cursor>"]
back < 42["/chat/{chat}/new-message",{"msg":"three",…},"<cursor>"]
query < 42["new-message",{"msg":"three",…}]
query < 42["/chat/{chat}/new-message",{"msg":"three",…}]
auth < 42["new-message",{"msg":"three",…}]
auth < 42["/chat/{chat}/new-message",{"msg":"three",…}]

# The same by plain HTTP.
GET /api/events?dialect=embed&timeout=0&after={start}&token=token%20of%20bo
200 {"events":[{"event":"new-message","data":{"msg":"one",…}},{"event":"new-message","data":{"msg":"two",…}},
  {"event":"new-message","data":{"msg":"three",…}}],…}
GET /api/events?dialect=embed&timeout=0&after={start}&token=token%20of%20bo&twin=1
200 {"events":[{"event":"new-message","data":{"msg":"one",…}},{"event":"/chat/{chat}/new-message","data":{"msg":"one",…}},
  {"event":"new-message","data":{"msg":"two",…}},{"event":"/chat/{chat}/new-message","data":{"msg":"two",…}},
  {"event":"new-message","data":{"msg":"three",…}},{"event":"/chat/{chat}/new-message","data":{"msg":"three",…}}],…}
