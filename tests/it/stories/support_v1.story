# The first document, as its own clients have it: Engine.IO 3 on the port for sockets, pushes in that
# document's shape, and a guest who is known by the e-mail address alone.
with support_push = "v1"
with support_resume_by_email = true

POST /owner/register {"email":"owner@mail.com","password":"correct horse","domain":"localhost"}
200 {"statusCode":200,"status":"success","data":"Owner registered"}
POST /owner/login {"email":"owner@mail.com","password":"correct horse"}
200 {"statusCode":200,"status":"success","data":{"ownerId":"<owner_id:hex24>",
  "token":"<owner_token:token>","level":"owner","appId":"<uuid>"}}

owner opens EIO=3 on socket_port
owner < 40
owner > 42["getWaitingChats",{"token":"{owner_token}"}]
owner < 42["getWaitingChats",{"statusCode":200,"status":"success","data":[],"has_more":false,"total":0}]

guest opens EIO=3 on socket_port
guest < 40
guest > 42["getNewChat",{"email":"email@mail.com","name":"Name","domain":"localhost"}]
guest < 42["getNewChat",{"statusCode":200,"status":"success","guestToken":"<guest_token:token>",
  "chatId":"<chat:hex24>","guestId":"<guest_id:hex24>"}]
owner < 42["waitingChat",{"_id":"{chat}","chatId":"{chat}","guestId":"{guest_id}","name":"Name","email":"email@mail.com",
  "domain":"localhost","lastMessage":null,"time":"<time>"}]

guest > 42["newMessage",{"chatId":"{chat}","token":"{guest_token}","message":"hi"}]
guest < 42["newMessage",{"statusCode":200,"status":"success","message":"hi",
  "data":{"message":"hi","from":"{guest_id}",
  "_id":"<hex24>","time":"<time>"}}]
owner < 42["newMessage",{"message":"hi","chatId":"{chat}"}]
owner > 42["newMessage",{"chatId":"{chat}","token":"{owner_token}","message":"hello"}]
owner < 42["newMessage",{"statusCode":200,"status":"success","message":"hello",
  "data":{"message":"hello","from":"{owner_id}",
  "_id":"<hex24>","time":"<time>"}}]
guest < 42["newMessage",{"message":"hello","chatId":"{chat}"}]

guest > 42["getChatMessages",{"chatId":"{chat}","token":"{guest_token}","limit":10,"skip":0}]
guest < 42["getChatMessages",{"statusCode":200,"status":"success","data":[
  {"from":"{guest_id}","message":"hi","_id":"<hex24>","time":"<time>"},
  {"from":"{owner_id}","message":"hello","_id":"<hex24>","time":"<time>"}],"has_more":false}]
owner > 42["getActiveChats",{"token":"{owner_token}"}]
owner < 42["getActiveChats",{"statusCode":200,"status":"success","data":[
  {"_id":"{chat}","chatId":"{chat}","guestId":"{guest_id}","name":"Name","email":"email@mail.com","domain":"localhost",
   "lastMessage":"hello","time":"<time>","unread":0}],"has_more":false,"total":1}]

# Who comes with the address comes back to the chat.
again opens EIO=3
again < 40
again > 42["getNewChat",{"email":"email@mail.com","name":"Name","domain":"localhost"}]
again < 42["getNewChat",{"statusCode":200,"status":"success","guestToken":"<again_token:token>",
  "chatId":"{chat}","guestId":"{guest_id}"}]
owner < nothing
again > 42["newMessage",{"chatId":"{chat}","token":"{again_token}","message":"me again"}]
again < 42["newMessage",{"statusCode":200,"status":"success","message":"me again",
  "data":{"message":"me again","from":"{guest_id}",
  "_id":"<hex24>","time":"<time>"}}]
owner < 42["newMessage",{"message":"me again","chatId":"{chat}"}]
guest < 42["newMessage",{"message":"me again","chatId":"{chat}"}]

# The client of that protocol says that it is there, and is answered.
guest > 2
guest < 3

POST /owner/logout {"token":"{owner_token}"}
200 {"statusCode":200,"status":"success","data":"Token has been removed"}
owner < 41
owner < closed
