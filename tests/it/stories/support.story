# Live support for a web site: every route and event of the second document, and what was added to
# it. The guest has the document's own client (Engine.IO 3, on the port for sockets); the owner has
# a present one and the other owner an old one.

# An owner registers a domain, and signs in.
POST /owner/register {"email":"owner@mail.com","password":"correct horse","domain":"localhost"}
200 {"statusCode":200,"status":"success","data":"Owner registered"}
POST /owner/login {"email":"owner@mail.com","password":"correct horse"}
200 {"statusCode":200,"status":"success","data":{"ownerId":"<owner_id:hex24>",
  "token":"<owner_token:token>","level":"owner","appId":"<app:uuid>"}}

# A colleague comes by an owner's token. A form will do as well.
POST /owner/register email=colleague%40mail.com&password=correct+horse&domain=localhost&token={owner_token}
200 {"statusCode":200,"status":"success","data":"Owner registered"}
POST /owner/login email=colleague%40mail.com&password=correct+horse
200 {"statusCode":200,"status":"success","data":{"ownerId":"<colleague_id:hex24>",
  "token":"<colleague_token:token>","level":"owner","appId":"{app}"}}

# And somebody runs another site on the same server.
POST /owner/register {"email":"other@mail.com","password":"correct horse","domain":"example.com"}
200 {"statusCode":200,"status":"success","data":"Owner registered"}
POST /owner/login {"email":"other@mail.com","password":"correct horse"}
200 {"statusCode":200,"status":"success","data":{"ownerId":"<other_id:hex24>",
  "token":"<other_token:token>","level":"owner","appId":"<other_app:uuid>"}}

owner opens EIO=4
owner > 40
owner < 40{"sid":"<sid>"}
colleague opens EIO=3
colleague < 40
other opens EIO=3&token={other_token} on socket_port
other < 40

owner > 42["getWaitingChats",{"token":"{owner_token}"}]
owner < 42["getWaitingChats",{"statusCode":200,"status":"success","data":[],"has_more":false,"total":0}]
owner > 42["getActiveChats",{"token":"{owner_token}"}]
owner < 42["getActiveChats",{"statusCode":200,"status":"success","data":[],"has_more":false,"total":0}]
# With an acknowledgement the same is told twice.
colleague > 421["getWaitingChats",{"token":"{colleague_token}"}]
colleague < 42["getWaitingChats",{"statusCode":200,"status":"success","data":[],"has_more":false,"total":0}]
colleague < 431[{"statusCode":200,"status":"success","data":[],"has_more":false,"total":0}]

# A guest comes.
guest opens EIO=3 on socket_port
guest < 40
guest > 42["getNewChat",{"email":"email@mail.com","name":"Name","domain":"localhost"}]
guest < 42["getNewChat",{"statusCode":200,"status":"success","guestToken":"<guest_token:token>",
  "chatId":"<chat:hex24>","guestId":"<guest_id:hex24>"}]
owner < 42["waitingChat",{"_id":"{chat}","chatId":"{chat}","guestId":"{guest_id}","name":"Name","email":"email@mail.com",
  "domain":"localhost","lastMessage":null,"time":"<came:time>"}]
colleague < 42["waitingChat",{"_id":"{chat}","chatId":"{chat}","guestId":"{guest_id}","name":"Name",
  "email":"email@mail.com","domain":"localhost","lastMessage":null,"time":"{came}"}]
other < nothing

# The guest has a second page open, which brings the token along.
page opens EIO=4
page > 40{"token":"{guest_token}"}
page < 40{"sid":"<sid>"}
# And another guest has nothing to do with any of this.
second opens EIO=4
second > 40
second < 40{"sid":"<sid>"}
second > 42["getNewChat",{"email":"second@mail.com","name":"Second","domain":"localhost"}]
second < 42["getNewChat",{"statusCode":200,"status":"success","guestToken":"<second_token:token>",
  "chatId":"<second_chat:hex24>","guestId":"<second_id:hex24>"}]
owner < 42["waitingChat",{"_id":"{second_chat}","chatId":"{second_chat}","guestId":"{second_id}","name":"Second",
  "email":"second@mail.com","domain":"localhost","lastMessage":null,"time":"<time>"}]
colleague < 42["waitingChat",{"_id":"{second_chat}","name":"Second",…}]

guest > 42["newMessage",{"chatId":"{chat}","token":"{guest_token}","message":"hi"}]
guest < 42["newMessage",{"statusCode":200,"status":"success","message":"hi",
  "data":{"message":"hi","from":"{guest_id}",
  "_id":"<hex24>","time":"<time>"}}]
owner < 42["newMessage",{"message":{"message":"hi","from":"{guest_id}"},"chatId":"{chat}",
  "_id":"<hi:hex24>","time":"<hi_at:time>"}]
colleague < 42["newMessage",{"message":{"message":"hi","from":"{guest_id}"},"chatId":"{chat}",
  "_id":"{hi}","time":"{hi_at}"}]
page < 42["newMessage",{"message":{"message":"hi","from":"{guest_id}"},"chatId":"{chat}",
  "_id":"{hi}","time":"{hi_at}"}]
second < nothing
other < nothing
guest < nothing

owner > 42["getWaitingChats",{"token":"{owner_token}"}]
owner < 42["getWaitingChats",{"statusCode":200,"status":"success","data":[
  {"_id":"{chat}","chatId":"{chat}","guestId":"{guest_id}","name":"Name","email":"email@mail.com","domain":"localhost",
   "lastMessage":"hi","time":"{hi_at}","unread":1},
  {"_id":"{second_chat}","chatId":"{second_chat}","guestId":"{second_id}","name":"Second","email":"second@mail.com",
   "domain":"localhost","lastMessage":null,"time":"<time>","unread":0}],"has_more":false,"total":2}]

# The owner reads, types, and answers. A chatId may be the object that a list has.
owner > 42["getChatMessages",{"chatId":{"_id":"{chat}"},"token":"{owner_token}","limit":10,"skip":0}]
owner < 42["getChatMessages",{"statusCode":200,"status":"success","data":[
  {"from":"{guest_id}","message":"hi","_id":"{hi}","time":"{hi_at}"}],"has_more":false}]
owner > 42["seen",{"chatId":"{chat}","token":"{owner_token}","_id":"{hi}"}]
owner < 42["seen",{"statusCode":200,"status":"success","data":"Message has been seen"}]
guest < 42["seen",{"chatId":"{chat}","from":"{owner_id}","_id":"{hi}"}]
page < 42["seen",{"chatId":"{chat}","from":"{owner_id}","_id":"{hi}"}]
colleague < 42["seen",{"chatId":"{chat}","from":"{owner_id}","_id":"{hi}"}]
owner > 42["typing",{"chatId":"{chat}","token":"{owner_token}","typing":true}]
owner < 42["typing",{"statusCode":200,"status":"success","data":"Typing has been told"}]
guest < 42["typing",{"chatId":"{chat}","from":"{owner_id}","typing":true}]
page < 42["typing",{"chatId":"{chat}","from":"{owner_id}","typing":true}]
colleague < 42["typing",{"chatId":"{chat}","from":"{owner_id}","typing":true}]
owner > 42["typing",{"chatId":"{chat}","token":"{owner_token}","typing":false}]
owner < 42["typing",{"statusCode":200,"status":"success","data":"Typing has been told"}]
guest < 42["typing",{"chatId":"{chat}","from":"{owner_id}","typing":false}]
page < 42["typing",{"chatId":"{chat}","from":"{owner_id}","typing":false}]
colleague < 42["typing",{"chatId":"{chat}","from":"{owner_id}","typing":false}]
owner > 42["newMessage",{"chatId":"{chat}","token":"{owner_token}","message":"Hello, Name"}]
owner < 42["newMessage",{"statusCode":200,"status":"success","message":"Hello, Name",
  "data":{"message":"Hello, Name","from":"{owner_id}",
  "_id":"<hex24>","time":"<time>"}}]
guest < 42["newMessage",{"message":{"message":"Hello, Name","from":"{owner_id}"},"chatId":"{chat}",
  "_id":"<hello:hex24>","time":"<hello_at:time>"}]
page < 42["newMessage",{"message":{"message":"Hello, Name","from":"{owner_id}"},"chatId":"{chat}",
  "_id":"{hello}","time":"{hello_at}"}]
colleague < 42["newMessage",{"message":{"message":"Hello, Name","from":"{owner_id}"},
  "chatId":"{chat}","_id":"{hello}","time":"{hello_at}"}]
second < nothing
owner < nothing

# The chat is active now.
colleague > 42["getActiveChats",{"token":"{colleague_token}"}]
colleague < 42["getActiveChats",{"statusCode":200,"status":"success","data":[
  {"_id":"{chat}","chatId":"{chat}","guestId":"{guest_id}","name":"Name","email":"email@mail.com","domain":"localhost",
   "lastMessage":"Hello, Name","time":"{hello_at}","unread":2}],"has_more":false,"total":1}]

# The guest reads, types, and is back by their token on the next page.
guest > 42["seen",{"chatId":"{chat}","token":"{guest_token}","_id":"{hello}"}]
guest < 42["seen",{"statusCode":200,"status":"success","data":"Message has been seen"}]
owner < 42["seen",{"chatId":"{chat}","from":"{guest_id}","_id":"{hello}"}]
colleague < 42["seen",{"chatId":"{chat}","from":"{guest_id}","_id":"{hello}"}]
page < 42["seen",{"chatId":"{chat}","from":"{guest_id}","_id":"{hello}"}]
guest > 42["typing",{"chatId":"{chat}","token":"{guest_token}","typing":false}]
guest < 42["typing",{"statusCode":200,"status":"success","data":"Typing has been told"}]
owner < 42["typing",{"chatId":"{chat}","from":"{guest_id}","typing":false}]
colleague < 42["typing",{"chatId":"{chat}","from":"{guest_id}","typing":false}]
page < 42["typing",{"chatId":"{chat}","from":"{guest_id}","typing":false}]
guest > 42["getNewChat",{"guestToken":"{guest_token}"}]
guest < 42["getNewChat",{"statusCode":200,"status":"success","guestToken":"<new_token:token>",
  "chatId":"{chat}","guestId":"{guest_id}"}]
guest > 422["getChatMessages",{"chatId":"{chat}","token":"{new_token}","limit":1,"skip":1}]
guest < 42["getChatMessages",{"statusCode":200,"status":"success","data":[
  {"from":"{owner_id}","message":"Hello, Name","_id":"{hello}","time":"{hello_at}"}],"has_more":false}]
guest < 432[{"statusCode":200,"status":"success","data":[
  {"from":"{owner_id}","message":"Hello, Name","_id":"{hello}","time":"{hello_at}"}],"has_more":false}]

# Under a key of its own a message is there once, however often it is sent.
guest > 42["newMessage",{"chatId":"{chat}","token":"{guest_token}","message":"thanks","client_id":"k"}]
guest < 42["newMessage",{"statusCode":200,"status":"success","message":"thanks",
  "data":{"message":"thanks","from":"{guest_id}",
  "_id":"<hex24>","time":"<time>"}}]
owner < 42["newMessage",{"message":{"message":"thanks","from":"{guest_id}"},"chatId":"{chat}",
  "_id":"<thanks:hex24>","time":"<thanks_at:time>"}]
colleague < 42["newMessage",{"_id":"{thanks}",…}]
page < 42["newMessage",{"_id":"{thanks}",…}]
guest > 42["newMessage",{"chatId":"{chat}","token":"{guest_token}","message":"thanks","client_id":"k"}]
guest < 42["newMessage",{"statusCode":200,"status":"success","message":"thanks",
  "data":{"message":"thanks","from":"{guest_id}",
  "_id":"<hex24>","time":"<time>"}}]
owner < nothing
guest < nothing

# The owner ends the conversation; the guest's next message makes it wait again.
colleague > 42["closeChat",{"chatId":"{chat}","token":"{colleague_token}"}]
colleague < 42["closeChat",{"statusCode":200,"status":"success","data":"Chat has been closed",
  "chatId":"{chat}"}]
owner < 42["closeChat",{"chatId":"{chat}"}]
guest < 42["closeChat",{"chatId":"{chat}"}]
page < 42["closeChat",{"chatId":"{chat}"}]
colleague < nothing
owner > 42["getActiveChats",{"token":"{owner_token}"}]
owner < 42["getActiveChats",{"statusCode":200,"status":"success","data":[],"has_more":false,"total":0}]
owner > 42["getWaitingChats",{"token":"{owner_token}"}]
owner < 42["getWaitingChats",{"statusCode":200,"status":"success","data":[{"_id":"{second_chat}",…}],
  "has_more":false,"total":1}]
owner > 42["getClosedChats",{"token":"{owner_token}","query":"name"}]
owner < 42["getClosedChats",{"statusCode":200,"status":"success","data":[
  {"_id":"{chat}","chatId":"{chat}","guestId":"{guest_id}","name":"Name","email":"email@mail.com","domain":"localhost",
   "lastMessage":"thanks","time":"{thanks_at}","unread":1}],"has_more":false,"total":1}]
page > 42["newMessage",{"chatId":"{chat}","token":"{guest_token}","message":"one more thing"}]
page < 42["newMessage",{"statusCode":200,"status":"success","message":"one more thing",
  "data":{"message":"one more thing","from":"{guest_id}",
  "_id":"<hex24>","time":"<time>"}}]
guest < 42["newMessage",{"message":{"message":"one more thing","from":"{guest_id}"},
  "chatId":"{chat}","_id":"<thing:hex24>","time":"<thing_at:time>"}]
owner < 42["newMessage",{"_id":"{thing}",…}]
owner < 42["waitingChat",{"_id":"{chat}","chatId":"{chat}","guestId":"{guest_id}","name":"Name","email":"email@mail.com",
  "domain":"localhost","lastMessage":"one more thing","time":"{thing_at}"}]
colleague < 42["newMessage",{"_id":"{thing}",…}]
colleague < 42["waitingChat",{"_id":"{chat}","lastMessage":"one more thing",…}]

# What the other guest and the other site hear of all this is their own news alone.
owner > 42["newMessage",{"chatId":"{second_chat}","token":"{owner_token}","message":"soon"}]
owner < 42["newMessage",{"message":"soon",…}]
second < 42["newMessage",{"message":{"message":"soon","from":"{owner_id}"},"chatId":"{second_chat}",
  "_id":"<hex24>","time":"<time>"}]
colleague < 42["newMessage",{"message":{"message":"soon",…},…}]
second > 42["newMessage",{"chatId":"{second_chat}","token":"{second_token}","message":"me too"}]
second < 42["newMessage",{"message":"me too",…}]
owner < 42["newMessage",{"message":{"message":"me too","from":"{second_id}"},"chatId":"{second_chat}",
  "_id":"<hex24>","time":"<time>"}]
colleague < 42["newMessage",{"message":{"message":"me too",…},…}]
guest < nothing
page < nothing
owner > 42["newMessage",{"chatId":"{chat}","token":"{owner_token}","message":"yes?"}]
owner < 42["newMessage",{"message":"yes?",…}]
guest < 42["newMessage",{"message":{"message":"yes?",…},…}]
page < 42["newMessage",{"message":{"message":"yes?",…},…}]
colleague < 42["newMessage",{"message":{"message":"yes?",…},…}]
visitor opens EIO=3
visitor < 40
visitor > 42["getNewChat",{"email":"v@mail.com","name":"Visitor","domain":"example.com"}]
visitor < 42["getNewChat",{"chatId":"<visitor_chat:hex24>",…}]
other < 42["waitingChat",{"_id":"{visitor_chat}","domain":"example.com",…}]
other > 42["getActiveChats",{"token":"{other_token}"}]
other < 42["getActiveChats",{"statusCode":200,"status":"success","data":[],"has_more":false,"total":0}]

# A site may have several domains, pasted as people do, and `www.` is the same site. Any page may ask.
GET /owner/domains/store.example
404 {"statusCode":404,"status":"error","data":"Owner for this domain not found"}
POST /owner/domains {"token":"{owner_token}","domain":"https://www.Store.example:8443/hats?page=2"}
200 {"statusCode":200,"status":"success","data":"Domain added","domains":["localhost","store.example"]}
GET /owner/domains/www.store.example
200 {"statusCode":200,"status":"success","data":{"domain":"store.example"}}
POST /owner/domains token={other_token}&domain=store.example
400 {"statusCode":400,"status":"error","data":"Domain already taken"}
DELETE /owner/domains {"token":"{owner_token}","domain":"store.example"}
200 {"statusCode":200,"status":"success","data":"Domain removed","domains":["localhost"]}
DELETE /owner/domains {"token":"{owner_token}","domain":"store.example"}
404 {"statusCode":404,"status":"error","data":"Domain not found"}

# A token that has been removed opens nothing; the connection that lived by it ends.
POST /owner/logout {"token":"{colleague_token}"}
200 {"statusCode":200,"status":"success","data":"Token has been removed"}
colleague < 41
colleague < closed
owner > 42["getWaitingChats",{"token":"{colleague_token}"}]
owner < 42["getWaitingChats",{"statusCode":401,"status":"error","data":"Owner not found"}]
guest closes
