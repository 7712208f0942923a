# One chat, four APIs. A guest writes from a web shop (live support, the old protocol), an owner answers
# with plain requests and cookies (the messenger), Ann is in it through another product (embedded
# chat), Bo by a device with a token of his own system (chat as a service). Each says one thing, and
# everybody hears everything, once, in order.

POST /owner/register {"email":"owner@mail.com","password":"correct horse","domain":"localhost"}
200 {"statusCode":200,"status":"success","data":"Owner registered"}
POST /owner/login {"email":"owner@mail.com","password":"correct horse"}
200 {"statusCode":200,"status":"success","data":{"ownerId":"<owner_hex:hex24>","token":"<owner:token>",
  "level":"owner","appId":"<key:uuid>"}}
GET /api/me [Cookie: user_id={owner_hex}; token={owner}]
200 {"id":<owner_id:number>,"name":"owner","email":"owner@mail.com",…}

# The owner's desk, which only listens.
desk opens EIO=4
desk > 40{"token":"{owner}"}
desk < 40{"sid":"<sid>"}

guest opens EIO=3 on socket_port
guest < 40
guest > 42["getNewChat",{"email":"email@mail.com","name":"Name","domain":"localhost"}]
guest < 42["getNewChat",{"statusCode":200,"status":"success","guestToken":"<guest:token>",
  "chatId":"<chat_hex:hex24>","guestId":"<guest_hex:hex24>"}]
desk < 42["waitingChat",{"_id":"{chat_hex}",…}]
GET /api/chats [Cookie: user_id={owner_hex}; token={owner}]
200 {"chats":[{"id":<chat:number>,"title":"Name","last_message":null,"open":false,…}],
  "cursor":"<start:cursor>",…}

# The site's key makes Ann and Bo, and its server brings them into the chat.
product opens EIO=4
product > 40{"key":"{key}"}
product < 40{"sid":"<sid>"}
product > 42["create-user",{"user":{"external_id":"ann","name":"Ann","photo":"Photo"}}]
product < 42["create-user",{"status":"ok","user":{"id":"<ann:id>","external_id":"ann",…}}]
POST /user {"appId":"{key}","appUserId":"bo","firstName":"Bo","lastName":"Lee","token":"token of bo"}
200 {"id":<bo:number>,"token":"token of bo","appUserId":"bo",…}
PUT /room/add {"room":"chat-{chat}","appId":"{key}","users":["ann","bo"]}
200 {"message":"updated"}
product < 42["add-users",{"chat":{"id":"{chat}"},"user":{"id":"{ann}",…},"users":["{ann}"],…}]
product < 42["add-users",{"chat":{"id":"{chat}"},"user":{"id":"{bo}",…},"users":["{bo}"],…}]
device opens EIO=3&token=token%20of%20bo
device < 40
device > 42["join","chat-{chat}"]
device < 42["info","You have joined the room"]
device < 42["room_info",{"id":{chat},"room":"chat-{chat}",…}]
device < 42["roomData",{"room":"chat-{chat}","users":[{"roomId":{chat},"sender":{bo},…}]}]

# Live support: the guest.
guest > 42["newMessage",{"chatId":"{chat_hex}","token":"{guest}","message":"from the shop"}]
guest < 42["newMessage",{"statusCode":200,"status":"success","message":"from the shop",
  "data":{"message":"from the shop","from":"{guest_hex}",
  "_id":"<hex24>","time":"<time>"}}]
desk < 42["newMessage",{"message":{"message":"from the shop","from":"{guest_hex}"},
  "chatId":"{chat_hex}","_id":"<shop_hex:hex24>","time":"<shop_at:time>"}]
product < 42["new-message",{"status":"ok","id":"<shop:id>","_id":"<id>","msg":"from the shop",
  "type":"text","user_id":"<guest_id:id>","chat_id":"{chat}","created_at":"{shop_at}",
  "modified_at":"{shop_at}","updated_at":"{shop_at}"}]
device < 42["message",{"id":{shop},"roomId":{chat},"message":"ZnJvbSB0aGUgc2hvcA==",
  "userId":{guest_id},"createdAt":"{shop_at}","updatedAt":"{shop_at}","deletedAt":null}]
GET /api/events?after={start}&types=message&timeout=25 [Cookie: user_id={owner_id}; token={owner}]
200 {"events":[{"type":"message","position":{shop},"chat_id":{chat},"message":{"id":{shop},
  "content":"from the shop","sender_id":{guest_id},"time":"{shop_at}",…},…}],…}

# The messenger: the owner, with cookies. The desk is a connection of the same owner's that did not
# send this, so it hears it too.
POST /api/chats/{chat} [Cookie: user_id={owner_id}; token={owner}] content=from+curl
201 {"status":"ok"}
guest < 42["newMessage",{"message":{"message":"from curl","from":"{owner_hex}"},
  "chatId":"{chat_hex}","_id":"<curl_hex:hex24>","time":"<curl_at:time>"}]
desk < 42["newMessage",{"message":{"message":"from curl","from":"{owner_hex}"},
  "chatId":"{chat_hex}","_id":"{curl_hex}","time":"{curl_at}"}]
product < 42["new-message",{"id":"<curl:id>","msg":"from curl","user_id":"{owner_id}",
  "chat_id":"{chat}","created_at":"{curl_at}",…}]
device < 42["message",{"id":{curl},"roomId":{chat},"message":"ZnJvbSBjdXJs","userId":{owner_id},
  "createdAt":"{curl_at}","updatedAt":"{curl_at}","deletedAt":null}]

# Embedded chat: Ann.
product > 42["new-message",{"chat":{"id":"{chat}"},"user":{"id":"{ann}"},
  "message":{"value":"from the product","type":"text"}}]
product < 42["new-message",{"id":"<product:id>","msg":"from the product","user_id":"{ann}",
  "created_at":"<product_at:time>",…}]
guest < 42["newMessage",{"message":{"message":"from the product","from":"<ann_hex:hex24>"},
  "chatId":"{chat_hex}","_id":"<product_hex:hex24>","time":"{product_at}"}]
desk < 42["newMessage",{"message":{"message":"from the product","from":"{ann_hex}"},
  "chatId":"{chat_hex}","_id":"{product_hex}","time":"{product_at}"}]
device < 42["message",{"id":{product},"roomId":{chat},"message":"ZnJvbSB0aGUgcHJvZHVjdA==",
  "userId":{ann},"createdAt":"{product_at}","updatedAt":"{product_at}","deletedAt":null}]

# Chat as a service: Bo.
device > 42["send_message","from a device"]
device < 42["message",{"id":<device:number>,"roomId":{chat},"message":"ZnJvbSBhIGRldmljZQ==",
  "userId":{bo},"createdAt":"<device_at:time>","updatedAt":"<time>","deletedAt":null}]
guest < 42["newMessage",{"message":{"message":"from a device","from":"<bo_hex:hex24>"},
  "chatId":"{chat_hex}","_id":"<device_hex:hex24>","time":"{device_at}"}]
desk < 42["newMessage",{"message":{"message":"from a device","from":"{bo_hex}"},
  "chatId":"{chat_hex}","_id":"{device_hex}","time":"{device_at}"}]
product < 42["new-message",{"id":"{device}","msg":"from a device","user_id":"{bo}",
  "chat_id":"{chat}","created_at":"{device_at}",…}]

# And all of it in each one's list, in the same order.
GET /api/events?after={start}&types=message&timeout=25 [Cookie: user_id={owner_id}; token={owner}]
200 {"events":[
  {"message":{"id":{shop},"content":"from the shop","sender_id":{guest_id},…},…},
  {"message":{"id":{curl},"content":"from curl","sender_id":{owner_id},…},…},
  {"message":{"id":{product},"content":"from the product","sender_id":{ann},…},…},
  {"message":{"id":{device},"content":"from a device","sender_id":{bo},…},…}],…}
GET /api/chats/{chat} [Cookie: user_id={owner_id}; token={owner}]
200 {"messages":[
  {"id":{shop},"content":"from the shop","sender_id":{guest_id},…},
  {"id":{curl},"content":"from curl","sender_id":{owner_id},…},
  {"id":{product},"content":"from the product","sender_id":{ann},…},
  {"id":{device},"content":"from a device","sender_id":{bo},…}],"has_more":false,…}
guest > 42["getChatMessages",{"chatId":"{chat_hex}","token":"{guest}","limit":10,"skip":0}]
guest < 42["getChatMessages",{"statusCode":200,"status":"success","data":[
  {"_id":"{shop_hex}","message":"from the shop","from":"{guest_hex}","time":"{shop_at}"},
  {"_id":"{curl_hex}","message":"from curl","from":"{owner_hex}","time":"{curl_at}"},
  {"_id":"{product_hex}","message":"from the product","from":"{ann_hex}","time":"{product_at}"},
  {"_id":"{device_hex}","message":"from a device","from":"{bo_hex}","time":"{device_at}"}],"has_more":false}]
product > 42["list-messages",{"query":{"from":"{shop_at}","to":"{device_at}"},"chat":{"id":"{chat}"}}]
product < 42["list-messages",{"status":"ok","has_more":false,"messages":[
  {"id":"{shop}","msg":"from the shop",…},{"id":"{curl}","msg":"from curl",…},
  {"id":"{product}","msg":"from the product",…},{"id":"{device}","msg":"from a device",…}]}]
device > 42["load_more",{"page":1,"limit":20}]
device < 42["load_more",[{"id":{device},…},{"id":{product},…},{"id":{curl},…},{"id":{shop},…}]]

# The guest and Bo type, and everybody sees it in their own way; the messenger has it as a signal.
guest > 42["typing",{"chatId":"{chat_hex}","token":"{guest}","typing":true}]
guest < 42["typing",{"statusCode":200,"status":"success","data":"Typing has been told"}]
desk < 42["typing",{"chatId":"{chat_hex}","from":"{guest_hex}","typing":true}]
product < 42["typing",{"status":"ok","chat":{"id":"{chat}"},"user":{"id":"{guest_id}",…},"typing":true}]
device < 42["is_typing",{"data":{"id":{guest_id},…},"typing":true}]
device > 42["typing",true]
device < 42["is_typing",{"data":{"id":{bo},…},"typing":true}]
guest < 42["typing",{"chatId":"{chat_hex}","from":"{bo_hex}","typing":true}]
desk < 42["typing",{"chatId":"{chat_hex}","from":"{bo_hex}","typing":true}]
product < 42["typing",{"user":{"id":"{bo}",…},"typing":true,…}]

# Nobody takes it back: typing ends with the connection, and so it does for whom a key speaks.
product > 42["typing",{"chat":{"id":"{chat}"},"user":{"id":"{ann}"},"typing":true}]
product < 42["typing",{"status":"ok","user":{"id":"{ann}",…},"typing":true,…}]
desk < 42["typing",{"chatId":"{chat_hex}","from":"{ann_hex}","typing":true}]
guest < 42["typing",{"chatId":"{chat_hex}","from":"{ann_hex}","typing":true}]
device < 42["is_typing",{"data":{"id":{ann},…},"typing":true}]
product closes
desk < 42["typing",{"chatId":"{chat_hex}","from":"{ann_hex}","typing":false}]
guest < 42["typing",{"chatId":"{chat_hex}","from":"{ann_hex}","typing":false}]
device < 42["is_typing",{"data":{"id":{ann},…},"typing":false}]
device closes
desk < 42["typing",{"chatId":"{chat_hex}","from":"{bo_hex}","typing":false}]
guest < 42["typing",{"chatId":"{chat_hex}","from":"{bo_hex}","typing":false}]
guest closes
desk < 42["typing",{"chatId":"{chat_hex}","from":"{guest_hex}","typing":false}]
