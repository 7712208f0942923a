# Who may embed: a tenant's server with its key, somebody signed in for themselves, and nobody else
# where the operator does not say so.
with embed_open = false

POST /owner/register {"email":"owner@mail.com","password":"correct horse","domain":"localhost"}
200 …
POST /owner/login {"email":"owner@mail.com","password":"correct horse"}
200 {"data":{"appId":"<key:uuid>",…},…}
POST /user {"appId":"{key}","appUserId":"bo","firstName":"Bo","lastName":"Lee","token":"token of bo"}
200 {"id":<bo:number>,…}

# Nobody in particular, in both protocols: the connection stands, every event is refused.
stranger opens EIO=4
stranger > 40
stranger < 40{"sid":"<sid>"}
stranger > 42["create-user",{"user":{"external_id":"eve","name":"Eve","photo":"Photo"}}]
stranger < 42["create-user",{"status":"error","error":[{"message":"say who you are: connect with key
   (a tenant's application id) or token (a signed-in user's) in auth or in the query"}],
  "code":"unauthenticated"}]
stranger > 421["new-message",{"chat":{"id":"1"},"user":{"id":"1"},"message":{"value":"x","type":"text"}}]
stranger < 42["new-message",{"status":"error","error":[{"message":"<text>"}],"code":"unauthenticated"}]
stranger < 431[{"status":"error","error":[{"message":"<text>"}],"code":"unauthenticated"}]
thief opens EIO=3&key=00000000-0000-4000-8000-000000000000
thief < 40
thief > 42["create-user",{"user":{"external_id":"eve","name":"Eve","photo":"Photo"}}]
thief < 42["create-user",{"status":"error","error":[{"message":"there is no such application id"}],
  "code":"unauthenticated"}]

# A server acts for all its users on one connection.
server opens EIO=3&key={key}
server < 40
server > 42["create-user",{"user":{"external_id":"ann","name":"Ann","photo":"Photo"}}]
server < 42["create-user",{"status":"ok","user":{"id":"<ann:id>","external_id":"ann",…}}]
server > 42["create-chat",{"chat":{"name":"chat-name"},"users":["{ann}","{bo}"]}]
server < 42["create-chat",{"status":"ok","chat":{"id":"<chat:id>","users":["{ann}","{bo}"],…}}]
server < 42["add-users",{"users":["{ann}"],…}]
server < 42["add-users",{"users":["{bo}"],…}]

# Bo acts for himself alone.
bo opens EIO=4&token=token%20of%20bo
bo > 40
bo < 40{"sid":"<sid>"}
bo > 42["list-chats",{"user":{"id":"{bo}"}}]
bo < 42["list-chats",{"status":"ok","has_more":false,"chats":[{"id":"{chat}",…}]}]
bo > 42["create-user",{"user":{"external_id":"ann","name":"Ann","photo":"Photo"}}]
bo < 42["create-user",{"status":"error","error":[{"message":"your token speaks for yourself alone"}],
  "code":"forbidden"}]
bo > 42["new-message",{"chat":{"id":"{chat}"},"user":{"id":"{ann}"},"message":{"value":"x","type":"text"}}]
bo < 42["new-message",{"status":"error","error":[{"message":
  "your token speaks for user {bo} alone"}],"code":"forbidden"}]
bo > 42["new-message",{"chat":{"id":"{chat}"},"user":{"id":"{bo}"},"message":{"value":"hi","type":"text"}}]
bo < 42["new-message",{"msg":"hi","user_id":"{bo}",…}]
server < 42["new-message",{"msg":"hi","user_id":"{bo}",…}]
# The server adds and removes members of its users' chats, whichever of them made the chat.
server > 42["remove-users",{"chat":{"id":"{chat}"},"user":{"id":"{ann}"},"users":["{bo}"]}]
server < 42["remove-users",{"status":"ok","chat":{"id":"{chat}"},"user":{"id":"{ann}",…},"users":["{bo}"]}]
server < 42["remove-users",{"user":{"id":"{bo}",…},"users":["{bo}"],…}]
bo < 42["remove-users",{"user":{"id":"{bo}",…},"users":["{bo}"],…}]
