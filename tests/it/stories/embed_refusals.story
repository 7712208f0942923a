# Every refusal of embedded chat: the event of the same name, a sentence, and a code.

ann opens EIO=4
ann > 40
ann < 40{"sid":"<sid>"}
bo opens EIO=3
bo < 40

# create-user: name and photo, and one of external_id and id.
ann > 42["create-user"]
ann < 42["create-user",{"status":"error","error":[{"message":"the argument must be an object"}],
  "code":"bad_request"}]
ann > 421["create-user",{"user":{"external_id":"ann","photo":"Photo"}}]
ann < 42["create-user",{"status":"error","error":[{"message":"user.name is missing"}],
  "code":"bad_request"}]
ann < 431[{"status":"error","error":[{"message":"user.name is missing"}],"code":"bad_request"}]
ann > 42["create-user",{"user":{"external_id":"ann","name":"Ann"}}]
ann < 42["create-user",{"status":"error","error":[{"message":"user.photo is missing"}],
  "code":"bad_request"}]
ann > 42["create-user",{"user":{"name":"Ann","photo":"Photo"}}]
ann < 42["create-user",{"status":"error",
  "error":[{"message":"user.external_id or user.id is missing"}],"code":"bad_request"}]
ann > 42["create-user",{"user":{"id":"chat-id","name":"Ann","photo":"Photo"}}]
ann < 42["create-user",{"status":"error","error":[{"message":"there is no user chat-id"}],
  "code":"not_found"}]
ann > 42["create-user",{"user":{"external_id":"ann","name":"Ann","photo":"Photo"}}]
ann < 42["create-user",{"status":"ok","user":{"id":"<ann:id>",…}}]
bo > 42["create-user",{"user":{"external_id":"bo","name":"Bo","photo":"Photo"}}]
bo < 42["create-user",{"status":"ok","user":{"id":"<bo:id>",…}}]

# create-chat: a name, and users whom somebody knows, one of them here.
ann > 42["create-chat",{"chat":{"name":"chat-name"},"users":["{ann}","999"]}]
ann < 42["create-chat",{"status":"error","error":[{"message":"there is no user 999"}],
  "code":"not_found"}]
ann > 42["create-chat",{"chat":{"name":"chat-name"},"users":["{bo}"]}]
ann < 42["create-chat",{"status":"error",
  "error":[{"message":"users must name somebody whom this connection speaks for"}],
  "code":"forbidden"}]
ann > 42["create-chat",{"chat":{"name":"chat-name"},"users":[]}]
ann < 42["create-chat",{"status":"error","error":[{"message":"users must be a list of users' ids"}],
  "code":"bad_request"}]
ann > 42["create-chat",{"chat":{"name":"a\nb"},"users":["{ann}"]}]
ann < 42["create-chat",{"status":"error","error":[{"message":"chat.name must be one line of text"}],
  "code":"bad_request"}]
ann > 42["create-chat",{"chat":{},"users":["{ann}"]}]
ann < 42["create-chat",{"status":"error","error":[{"message":"chat.name is missing"}],
  "code":"bad_request"}]
ann > 42["create-chat",{"chat":{"name":"chat-name"},"users":["{ann}"]}]
ann < 42["create-chat",{"status":"ok","chat":{"id":"<chat:id>",…}}]
ann < 42["add-users",{"users":["{ann}"],…}]
bo > 42["create-chat",{"chat":{"name":"bo's"},"users":["{bo}"]}]
bo < 42["create-chat",{"status":"ok","chat":{"id":"<bos:id>",…}}]
bo < 42["add-users",{"users":["{bo}"],…}]

# In somebody else's name, each of them.
ann > 42["list-chats",{"user":{"id":"{bo}"}}]
ann < 42["list-chats",{"status":"error","error":[{"message":
  "this connection does not speak for user {bo}: send create-user first"}],"code":"forbidden"}]
ann > 42["new-message",{"chat":{"id":"{chat}"},"user":{"id":"{bo}"},"message":{"value":"x","type":"text"}}]
ann < 42["new-message",{"status":"error","error":[{"message":"<text>"}],"code":"forbidden"}]
ann > 42["typing",{"chat":{"id":"{chat}"},"user":{"id":"{bo}"},"typing":true}]
ann < 42["typing",{"status":"error","error":[{"message":"<text>"}],"code":"forbidden"}]
ann > 42["seen",{"chat":{"id":"{chat}"},"user":{"id":"{bo}"}}]
ann < 42["seen",{"status":"error","error":[{"message":"<text>"}],"code":"forbidden"}]

# In a chat that is somebody else's, which looks as if there were none.
ann > 42["list-messages",{"query":{"from":"2021-07-17T12:25:59.456Z"},"chat":{"id":"{bos}"}}]
ann < 42["list-messages",{"status":"error","error":[{"message":"there is no such chat"}],
  "code":"not_found"}]
ann > 42["new-message",{"chat":{"id":"{bos}"},"user":{"id":"{ann}"},"message":{"value":"x","type":"text"}}]
ann < 42["new-message",{"status":"error","error":[{"message":"<text>"}],"code":"not_found"}]
ann > 42["/chat/{bos}/new-message",{"user":{"id":"{ann}"},"message":{"value":"x","type":"text"}}]
ann < 42["/chat/{bos}/new-message",{"status":"error","error":[{"message":"<text>"}],"code":"not_found"}]
ann > 42["/chat/chat-id/new-message",{"user":{"id":"{ann}"},"message":{"value":"x","type":"text"}}]
ann < 42["/chat/chat-id/new-message",{"status":"error","error":[{"message":"there is no such chat"}],
  "code":"not_found"}]
ann > 42["typing",{"chat":{"id":"{bos}"},"user":{"id":"{ann}"},"typing":true}]
ann < 42["typing",{"status":"error","error":[{"message":"<text>"}],"code":"not_found"}]
ann > 42["seen",{"chat":{"id":"{bos}"},"user":{"id":"{ann}"},"message":{"id":"1"}}]
ann < 42["seen",{"status":"error","error":[{"message":"<text>"}],"code":"not_found"}]
ann > 42["add-users",{"chat":{"id":"{bos}"},"user":{"id":"{ann}"},"users":["{ann}"]}]
ann < 42["add-users",{"status":"error","error":[{"message":"<text>"}],"code":"not_found"}]
ann > 42["remove-users",{"chat":{"id":"{bos}"},"user":{"id":"{ann}"},"users":["{bo}"]}]
ann < 42["remove-users",{"status":"error","error":[{"message":"<text>"}],"code":"not_found"}]

# What is no message.
ann > 42["new-message",{"chat":{"id":"{chat}"},"user":{"id":"{ann}"},"message":{"value":"x","type":"song"}}]
ann < 42["new-message",{"status":"error",
  "error":[{"message":"message.type must be text, img or file"}],"code":"bad_request"}]
ann > 42["new-message",{"chat":{"id":"{chat}"},"user":{"id":"{ann}"},"message":{"type":"text"}}]
ann < 42["new-message",{"status":"error","error":[{"message":"message.value is missing"}],
  "code":"bad_request"}]
ann > 42["new-message",{"chat":{"id":"{chat}"},"user":{"id":"{ann}"},"message":{"value":"","type":"text"}}]
ann < 42["new-message",{"status":"error","error":[{"message":"<text>"}],"code":"bad_request"}]
ann > 42["new-message",{"chat":{"id":"{chat}"},"user":{"id":"{ann}"},
  "message":{"value":"javascript:alert(1)","type":"img"}}]
ann < 42["new-message",{"status":"error","error":[{"message":"<text>"}],"code":"bad_request"}]
ann > 42["list-messages",{"query":{"from":"yesterday"},"chat":{"id":"{chat}"}}]
ann < 42["list-messages",{"status":"error","error":[{"message":
  "query.from must be a date and time such as 2026-01-31T09:30:00Z"}],"code":"bad_request"}]

# What is another's message, or none.
ann > 421["new-message",{"chat":{"id":"{chat}"},"user":{"id":"{ann}"},"client_id":"k",
  "message":{"value":"one","type":"text"}}]
ann < 431[{"status":"ok","id":"<one:id>",…}]
ann < 42["new-message",{"id":"{one}",…}]
ann < 42["/chat/{chat}/new-message",{"id":"{one}",…}]
ann > 42["new-message",{"chat":{"id":"{chat}"},"user":{"id":"{ann}"},"client_id":"k",
  "message":{"value":"two","type":"text"}}]
ann < 42["new-message",{"status":"error","error":[{"message":"<text>"}],"code":"idempotency_mismatch"}]
ann > 42["add-users",{"chat":{"id":"{chat}"},"user":{"id":"{ann}"},"users":["{bo}"]}]
ann < 42["add-users",{"status":"ok",…}]
ann < 42["add-users",{"user":{"id":"{bo}",…},…}]
bo < 42["add-users",{"user":{"id":"{bo}",…},…}]
bo > 42["edit-message",{"chat":{"id":"{chat}"},"user":{"id":"{bo}"},"message":{"id":"{one}","value":"x"}}]
bo < 42["edit-message",{"status":"error","error":[{"message":"<text>"}],"code":"forbidden"}]
bo > 42["delete-message",{"chat":{"id":"{chat}"},"user":{"id":"{bo}"},"message":{"id":"{one}"}}]
bo < 42["delete-message",{"status":"error","error":[{"message":"<text>"}],"code":"forbidden"}]
bo > 42["delete-message",{"chat":{"id":"{chat}"},"user":{"id":"{bo}"},"message":{"id":"999"}}]
bo < 42["delete-message",{"status":"error","error":[{"message":"<text>"}],"code":"not_found"}]
ann < nothing

# Who is in a chat is its maker's business.
bo > 42["add-users",{"chat":{"id":"{chat}"},"user":{"id":"{bo}"},"users":["{bo}"]}]
bo < 42["add-users",{"status":"error","error":[{"message":"only an admin of the chat may do that"}],
  "code":"forbidden"}]
bo > 42["remove-users",{"chat":{"id":"{chat}"},"user":{"id":"{bo}"},"users":["{ann}"]}]
bo < 42["remove-users",{"status":"error",
  "error":[{"message":"only an admin of the chat may do that"}],"code":"forbidden"}]

# An event that nobody has.
bo > 421["update-user",{"user":{"id":"{bo}"}}]
bo < 431[{"status":"error","error":"there is no such event"}]
bo > 42["new-message",{"chat":{"id":"{chat}"},"user":{"id":"{bo}"},"message":{"value":"end","type":"text"}}]
bo < 42["new-message",{"msg":"end",…}]
ann < 42["new-message",{"msg":"end",…}]
ann < 42["/chat/{chat}/new-message",{"msg":"end",…}]
