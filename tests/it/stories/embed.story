# Chat inside another product: every event of the document, and what was added to it. Ann's client
# speaks the old protocol, Bo's the present one; neither brings a key, as in the document.

ann opens EIO=3&twin=1
ann < 40
bo opens EIO=4
bo > 40
bo < 40{"sid":"<sid>"}
cy opens EIO=4
cy > 40
cy < 40{"sid":"<sid>"}

# Create a user, or fetch one. An id that nobody has does not matter beside the product's own.
ann > 42["create-user",{"user":{"external_id":"some-id-to-map-in-your-db","id":"chat-id",
  "name":"Name","photo":"Photo"}}]
ann < 42["create-user",{"status":"ok","user":{"external_id":"some-id-to-map-in-your-db",
  "id":"<ann:id>","_id":"<ann_too:id>","name":"Name","photo":"Photo","created_at":"<ann_at:time>",
  "modified_at":"<time>","updated_at":"<time>"}}]
ann > 421["create-user",{"user":{"id":"{ann}","name":"Ann","photo":"Photo"}}]
ann < 42["create-user",{"status":"ok","user":{"external_id":"some-id-to-map-in-your-db",
  "id":"{ann}","_id":"{ann}","name":"Ann","photo":"Photo","created_at":"{ann_at}",
  "modified_at":"<ann_changed:time>","updated_at":"<time>"}}]
ann < 431[{"status":"ok","user":{"external_id":"some-id-to-map-in-your-db",
  "id":"{ann}","_id":"{ann}","name":"Ann","photo":"Photo","created_at":"{ann_at}",
  "modified_at":"{ann_changed}","updated_at":"{ann_changed}"}}]
bo > 42["create-user",{"user":{"external_id":"bo","name":"Bo","photo":"https://example.com/bo.png"}}]
bo < 42["create-user",{"status":"ok","user":{"external_id":"bo","id":"<bo:id>","name":"Bo",
  "photo":"https://example.com/bo.png","created_at":"<bo_at:time>",…}}]
cy > 42["create-user",{"user":{"external_id":"cy","name":"Cy","photo":"Photo"}}]
cy < 42["create-user",{"status":"ok","user":{"external_id":"cy","id":"<cy:id>",…}}]

# A chat. Everybody in it is told who came, from their own coming on.
ann > 42["create-chat",{"chat":{"name":"chat-name"},"users":["{ann}","{bo}"]}]
ann < 42["create-chat",{"status":"ok","chat":{"id":"<chat:id>","_id":"<chat_too:id>",
  "name":"chat-name","users":["{ann}","{bo}"],"created_at":"<chat_at:time>",
  "modified_at":"<time>","updated_at":"<time>"}}]
ann < 42["add-users",{"status":"ok","chat":{"id":"{chat}"},"user":{"id":"{ann}",…},"users":["{ann}"]}]
ann < 42["add-users",{"status":"ok","chat":{"id":"{chat}"},"user":{"id":"{bo}",…},"users":["{bo}"]}]
bo < 42["add-users",{"status":"ok","chat":{"id":"{chat}"},"user":{"id":"{bo}",…},"users":["{bo}"]}]

# A message is told to everybody in the chat, the sender too: to Ann, who asked for it, under both names.
ann > 42["new-message",{"chat":{"id":"{chat}"},"user":{"id":"{ann}"},
  "message":{"value":"message","type":"text"}}]
ann < 42["new-message",{"status":"ok","id":"<first:id>","_id":"<first_too:id>","msg":"message",
  "type":"text","user_id":"{ann}","chat_id":"{chat}","created_at":"<first_at:time>",
  "modified_at":"<time>","updated_at":"<time>"}]
ann < 42["/chat/{chat}/new-message",{"status":"ok","id":"{first}","_id":"{first}","msg":"message",
  "type":"text","user_id":"{ann}","chat_id":"{chat}","created_at":"{first_at}",
  "modified_at":"{first_at}","updated_at":"{first_at}"}]
bo < 42["new-message",{"status":"ok","id":"{first}","_id":"{first}","msg":"message",
  "type":"text","user_id":"{ann}","chat_id":"{chat}","created_at":"{first_at}",
  "modified_at":"{first_at}","updated_at":"{first_at}"}]
cy < nothing

# The twin, and a picture. The acknowledgement says what everybody hears. A client that sends under both names receives under
# both from now on.
bo > 422["/chat/{chat}/new-message",{"user":{"id":"{bo}"},
  "message":{"value":"https://example.com/a.png","type":"img"}}]
bo < 432[{"status":"ok","id":"<second:id>","msg":"https://example.com/a.png","type":"img",
  "user_id":"{bo}","chat_id":"{chat}","created_at":"<second_at:time>",…}]
bo < 42["new-message",{"id":"{second}","type":"img","user_id":"{bo}",…}]
bo < 42["/chat/{chat}/new-message",{"id":"{second}","type":"img","user_id":"{bo}",…}]
ann < 42["new-message",{"status":"ok","id":"{second}","_id":"{second}",
  "msg":"https://example.com/a.png","type":"img","user_id":"{bo}","chat_id":"{chat}",
  "created_at":"{second_at}","modified_at":"{second_at}","updated_at":"{second_at}"}]
ann < 42["/chat/{chat}/new-message",{"id":"{second}","type":"img",…}]

# A file, under a key: sent twice, it is there once, and nobody hears it twice.
ann > 42["new-message",{"chat":{"id":"{chat}"},"user":{"id":"{ann}"},
  "message":{"value":"https://example.com/a.pdf","type":"file"},"client_id":"k"}]
ann < 42["new-message",{"status":"ok","id":"<third:id>","msg":"https://example.com/a.pdf",
  "type":"file","client_id":"k","created_at":"<third_at:time>",…}]
ann < 42["/chat/{chat}/new-message",{"id":"{third}",…}]
bo < 42["new-message",{"id":"{third}","type":"file","client_id":"k",…}]
bo < 42["/chat/{chat}/new-message",{"id":"{third}",…}]
ann > 42["new-message",{"chat":{"id":"{chat}"},"user":{"id":"{ann}"},
  "message":{"value":"https://example.com/a.pdf","type":"file"},"client_id":"k"}]
ann < 42["new-message",{"id":"{third}","client_id":"k",…}]
bo < nothing

# One's own messages can be put right.
ann > 42["edit-message",{"chat":{"id":"{chat}"},"user":{"id":"{ann}"},
  "message":{"id":"{first}","value":"a better message"}}]
ann < 42["edit-message",{"status":"ok","chat":{"id":"{chat}"},"user":{"id":"{ann}",…},
  "message":{"id":"{first}","_id":"{first}","msg":"a better message","type":"text",
  "user_id":"{ann}","chat_id":"{chat}","created_at":"{first_at}","modified_at":"<edited:time>",
  "updated_at":"<time>"}}]
bo < 42["edit-message",{"status":"ok","chat":{"id":"{chat}"},"user":{"id":"{ann}",…},
  "message":{"id":"{first}","_id":"{first}","msg":"a better message","type":"text",
  "user_id":"{ann}","chat_id":"{chat}","created_at":"{first_at}","modified_at":"{edited}",
  "updated_at":"{edited}"}}]

# Typing.
ann > 42["typing",{"chat":{"id":"{chat}"},"user":{"id":"{ann}"},"typing":true}]
ann < 42["typing",{"status":"ok","chat":{"id":"{chat}"},"user":{"id":"{ann}","name":"Ann",…},
  "typing":true}]
bo < 42["typing",{"status":"ok","chat":{"id":"{chat}"},"user":{"id":"{ann}","_id":"{ann}",
  "external_id":"some-id-to-map-in-your-db","name":"Ann","photo":"Photo","created_at":"{ann_at}",
  "modified_at":"{ann_changed}","updated_at":"{ann_changed}"},"typing":true}]
ann > 42["typing",{"chat":{"id":"{chat}"},"user":{"id":"{ann}"},"typing":false}]
ann < 42["typing",{"status":"ok","chat":{"id":"{chat}"},"user":{"id":"{ann}","name":"Ann",…},
  "typing":false}]
bo < 42["typing",{"status":"ok","chat":{"id":"{chat}"},"user":{"id":"{ann}",…},"typing":false}]
cy < nothing

# And taken back.
ann > 42["delete-message",{"chat":{"id":"{chat}"},"user":{"id":"{ann}"},"message":{"id":"{third}"}}]
ann < 42["delete-message",{"status":"ok","chat":{"id":"{chat}"},"user":{"id":"{ann}",…},
  "message":{"id":"{third}","user_id":"{ann}","deleted_at":"<deleted:time>"}}]
bo < 42["delete-message",{"status":"ok","chat":{"id":"{chat}"},"user":{"id":"{ann}",…},
  "message":{"id":"{third}","user_id":"{ann}","deleted_at":"{deleted}"}}]
ann < nothing

# The list is in the order of writing; both ends of the span belong to it.
bo > 42["list-messages",{"query":{"from":"{first_at}","to":"{third_at}"},"chat":{"id":"{chat}"}}]
bo < 42["list-messages",{"status":"ok","has_more":false,"messages":[
  {"id":"{first}","_id":"{first}","msg":"a better message","type":"text","user_id":"{ann}",
   "chat_id":"{chat}","created_at":"{first_at}","modified_at":"{edited}","updated_at":"{edited}"},
  {"id":"{second}","_id":"{second}","msg":"https://example.com/a.png","type":"img",
   "user_id":"{bo}","chat_id":"{chat}","created_at":"{second_at}","modified_at":"{second_at}",
   "updated_at":"{second_at}"}]}]
bo > 42["list-messages",{"query":{"limit":1},"chat":{"id":"{chat}"}}]
bo < 42["list-messages",{"status":"ok","has_more":true,"messages":[{"id":"{second}",…}]}]
bo > 42["list-messages",{"query":{"before":"{second}"},"chat":{"id":"{chat}"},"user":{"id":"{bo}"}}]
bo < 42["list-messages",{"status":"ok","has_more":false,"messages":[{"id":"{first}",…}]}]
bo > 42["list-messages",{"query":{"to":"2021-07-17T12:25:59.456Z"},"chat":{"id":"{chat}"}}]
bo < 42["list-messages",{"status":"ok","has_more":false,"messages":[]}]

# Reading.
bo > 42["seen",{"chat":{"id":"{chat}"},"user":{"id":"{bo}"},"message":{"id":"{third}"}}]
bo < 42["seen",{"status":"ok","chat":{"id":"{chat}"},"user":{"id":"{bo}","name":"Bo",…},
  "message":{"id":"{third}"}}]
ann < 42["seen",{"status":"ok","chat":{"id":"{chat}"},"user":{"id":"{bo}","_id":"{bo}",
  "external_id":"bo","name":"Bo","photo":"https://example.com/bo.png","created_at":"{bo_at}",
  "modified_at":"{bo_at}","updated_at":"{bo_at}"},"message":{"id":"{third}"}}]
bo < nothing

# Somebody comes, who is in the chat from the next message on, and goes.
ann > 42["add-users",{"chat":{"id":"{chat}"},"user":{"id":"{ann}"},"users":["{cy}"]}]
ann < 42["add-users",{"status":"ok","chat":{"id":"{chat}"},"user":{"id":"{ann}",…},"users":["{cy}"]}]
ann < 42["add-users",{"status":"ok","chat":{"id":"{chat}"},"user":{"id":"{cy}",…},"users":["{cy}"]}]
bo < 42["add-users",{"status":"ok","chat":{"id":"{chat}"},"user":{"id":"{cy}",…},"users":["{cy}"]}]
cy < 42["add-users",{"status":"ok","chat":{"id":"{chat}"},"user":{"id":"{cy}",…},"users":["{cy}"]}]
cy > 42["new-message",{"chat":{"id":"{chat}"},"user":{"id":"{cy}"},
  "message":{"value":"Hi, it's me","type":"text"}}]
cy < 42["new-message",{"msg":"Hi, it's me","user_id":"{cy}",…}]
ann < 42["new-message",{"msg":"Hi, it's me","user_id":"{cy}",…}]
ann < 42["/chat/{chat}/new-message",{"msg":"Hi, it's me",…}]
bo < 42["new-message",{"msg":"Hi, it's me","user_id":"{cy}",…}]
bo < 42["/chat/{chat}/new-message",{"msg":"Hi, it's me",…}]
ann > 42["remove-users",{"chat":{"id":"{chat}"},"user":{"id":"{ann}"},"users":["{cy}"]}]
ann < 42["remove-users",{"status":"ok","chat":{"id":"{chat}"},"user":{"id":"{ann}",…},"users":["{cy}"]}]
ann < 42["remove-users",{"status":"ok","chat":{"id":"{chat}"},"user":{"id":"{cy}",…},"users":["{cy}"]}]
bo < 42["remove-users",{"status":"ok","chat":{"id":"{chat}"},"user":{"id":"{cy}",…},"users":["{cy}"]}]
cy < 42["remove-users",{"status":"ok","chat":{"id":"{chat}"},"user":{"id":"{cy}",…},"users":["{cy}"]}]

# A read mark beyond the newest message is set to that one, and is no news to the connection that set it.
bo > 42["seen",{"chat":{"id":"{chat}"},"user":{"id":"{bo}"},"message":{"id":"9007199254740991"}}]
bo < 42["seen",{"status":"ok","message":{"id":"9007199254740991"},…}]
ann < 42["seen",{"status":"ok","user":{"id":"{bo}",…},"message":{"id":"<newest:id>"},…}]
bo < nothing

ann > 42["new-message",{"chat":{"id":"{chat}"},"user":{"id":"{ann}"},
  "message":{"value":"Where is Cy?","type":"text"}}]
ann < 42["new-message",{"msg":"Where is Cy?",…}]
ann < 42["/chat/{chat}/new-message",{"msg":"Where is Cy?",…}]
bo < 42["new-message",{"msg":"Where is Cy?",…}]
bo < 42["/chat/{chat}/new-message",{"msg":"Where is Cy?",…}]
cy < nothing

# A chat of Cy's own, made later, is heard of too; the users may be in the chat as well. The list has
# the newest activity first.
ann > 42["create-chat",{"chat":{"name":"later","users":["{ann}","{cy}"]}}]
ann < 42["create-chat",{"status":"ok","chat":{"id":"<later:id>","name":"later",
  "users":["{ann}","{cy}"],"created_at":"<later_at:time>",…}}]
ann < 42["add-users",{"users":["{ann}"],"chat":{"id":"{later}"},…}]
ann < 42["add-users",{"users":["{cy}"],"chat":{"id":"{later}"},…}]
cy < 42["add-users",{"users":["{cy}"],"chat":{"id":"{later}"},…}]
ann > 42["list-chats",{"user":{"id":"{ann}"}}]
ann < 42["list-chats",{"status":"ok","has_more":false,"chats":[
  {"id":"{later}","_id":"{later}","name":"later","users":["{ann}","{cy}"],
   "created_at":"{later_at}","modified_at":"<time>","updated_at":"<time>"},
  {"id":"{chat}","_id":"{chat}","name":"chat-name","users":["{ann}","{bo}"],
   "created_at":"{chat_at}","modified_at":"<time>","updated_at":"<time>"}]}]
cy > 42["list-chats",{"user":{"id":"{cy}"}}]
cy < 42["list-chats",{"status":"ok","has_more":false,"chats":[{"id":"{later}",…}]}]
