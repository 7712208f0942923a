# Every refusal of live support: the event of the same name with a sentence, never silence.

POST /owner/register {"email":"owner@mail.com","password":"correct horse","domain":"localhost"}
200 {"statusCode":200,"status":"success","data":"Owner registered"}
POST /owner/register {"email":"owner@mail.com","password":"correct horse","domain":"example.com"}
400 {"statusCode":400,"status":"error","data":"Email already taken"}
# A domain has its owners: nobody else comes to it without the token of one of them.
POST /owner/register {"email":"thief@mail.com","password":"correct horse","domain":"LOCALHOST"}
400 {"statusCode":400,"status":"error","data":"Domain already taken"}
POST /owner/register {"email":"thief@mail.com","password":"correct horse","domain":"localhost","token":"x"}
400 {"statusCode":400,"status":"error","data":"Domain already taken"}
POST /owner/register {"password":"correct horse","domain":"example.com"}
400 {"statusCode":400,"status":"error","data":"email is required","error":"Bad Request",
  "validation":{"source":"payload","keys":["email"]}}
POST /owner/register {"email":"a@mail.com","domain":"example.com"}
400 {"statusCode":400,"status":"error","data":"password is required","error":"Bad Request",
  "validation":{"source":"payload","keys":["password"]}}
POST /owner/register {"email":"a@mail.com","password":"correct horse","domain":"no host"}
400 {"statusCode":400,"status":"error","data":"<text>","error":"Bad Request",
  "validation":{"source":"payload","keys":["domain"]}}

# One refusal for an address that nobody has and for a wrong password.
POST /owner/login {"email":"nobody@mail.com","password":"correct horse"}
404 {"statusCode":404,"status":"error","data":"Owner not found"}
POST /owner/login {"email":"owner@mail.com","password":"wrong horse"}
404 {"statusCode":404,"status":"error","data":"Owner not found"}
POST /owner/login {"email":"owner@mail.com"}
400 {"statusCode":400,"status":"error","data":"password is required","error":"Bad Request",
  "validation":{"source":"payload","keys":["password"]}}
POST /owner/logout {"token":"277b7bb0c61d0c6d840c64a123c28a0e"}
400 {"statusCode":400,"status":"error","data":"Owner not found"}
POST /owner/logout {}
400 {"statusCode":400,"status":"error","data":"token is required","error":"Bad Request",
  "validation":{"source":"payload","keys":["token"]}}

POST /owner/login {"email":"owner@mail.com","password":"correct horse"}
200 {"data":{"token":"<owner:token>",…},…}
guest opens EIO=3 on socket_port
guest < 40

# At the desk's endpoint.
guest > 42["getNewChat",{"email":"email@mail.com","name":"Name","domain":"example.com"}]
guest < 42["getNewChat",{"statusCode":400,"status":"error","data":"Owner for this domain not found"}]
guest > 421["getNewChat",{"email":"email@mail.com","name":"Name"}]
guest < 42["getNewChat",{"statusCode":400,"status":"error","data":"domain is required",
  "error":"Bad Request","validation":{"source":"payload","keys":["domain"]}}]
guest < 431[{"statusCode":400,"status":"error","data":"domain is required",
  "error":"Bad Request","validation":{"source":"payload","keys":["domain"]}}]
guest > 42["getNewChat",{"guestToken":"277b7bb0c61d0c6d840c64a123c28a0e"}]
guest < 42["getNewChat",{"statusCode":401,"status":"error","data":"Guest not found"}]
guest > 42["getNewChat",{"email":"email@mail.com","name":"Name","domain":"localhost"}]
guest < 42["getNewChat",{"guestToken":"<token:token>","chatId":"<chat:hex24>",…}]
# The same address again is another guest: an address alone opens nobody's chat.
guest > 42["getNewChat",{"email":"email@mail.com","name":"Name","domain":"localhost"}]
guest < 42["getNewChat",{"guestToken":"<other_token:token>","chatId":"<other_chat:hex24>",…}]

# A token that is none, or is the other side's.
guest > 42["newMessage",{"chatId":"{chat}","token":"277b7bb0c61d0c6d840c64a123c28a0e","message":"hi"}]
guest < 42["newMessage",{"statusCode":401,"status":"error","data":"Guest not found"}]
guest > 42["getChatMessages",{"chatId":"{chat}","token":"x","limit":10,"skip":0}]
guest < 42["getChatMessages",{"statusCode":401,"status":"error","data":"Guest not found"}]
guest > 42["getActiveChats",{"token":"{token}"}]
guest < 42["getActiveChats",{"statusCode":401,"status":"error","data":"Owner not found"}]
guest > 42["getWaitingChats",{"token":"{token}"}]
guest < 42["getWaitingChats",{"statusCode":401,"status":"error","data":"Owner not found"}]
guest > 42["getWaitingChats",{}]
guest < 42["getWaitingChats",{"statusCode":400,"status":"error","data":"token is required",
  "error":"Bad Request","validation":{"source":"payload","keys":["token"]}}]

# Another guest's chat, and one that nobody has, look alike.
guest > 42["newMessage",{"chatId":"{other_chat}","token":"{token}","message":"hi"}]
guest < 42["newMessage",{"statusCode":404,"status":"error","data":"Chat not found"}]
guest > 42["newMessage",{"chatId":"59f708172b16261fc0165f54","token":"{token}","message":"hi"}]
guest < 42["newMessage",{"statusCode":404,"status":"error","data":"Chat not found"}]
guest > 42["getChatMessages",{"chatId":"{other_chat}","token":"{token}","limit":10,"skip":0}]
guest < 42["getChatMessages",{"statusCode":404,"status":"error","data":"Chat not found"}]
guest > 42["closeChat",{"chatId":"{other_chat}","token":"{token}"}]
guest < 42["closeChat",{"statusCode":404,"status":"error","data":"Chat not found"}]
guest > 42["typing",{"chatId":"{other_chat}","token":"{token}","typing":true}]
guest < 42["typing",{"statusCode":404,"status":"error","data":"Chat not found"}]
guest > 42["seen",{"chatId":"{other_chat}","token":"{token}","_id":"{chat}"}]
guest < 42["seen",{"statusCode":404,"status":"error","data":"Chat not found"}]

# What is missing or mistyped is named.
guest > 42["newMessage",{"token":"{token}","message":"hi"}]
guest < 42["newMessage",{"statusCode":400,"status":"error","data":"chatId is required",
  "error":"Bad Request","validation":{"source":"payload","keys":["chatId"]}}]
guest > 42["newMessage",{"chatId":7,"token":"{token}","message":"hi"}]
guest < 42["newMessage",{"statusCode":400,"status":"error","data":"chatId must be 24 hex digits",
  "error":"Bad Request","validation":{"source":"payload","keys":["chatId"]}}]
guest > 42["newMessage",{"chatId":"{chat}","token":"{token}"}]
guest < 42["newMessage",{"statusCode":400,"status":"error","data":"message is required",
  "error":"Bad Request","validation":{"source":"payload","keys":["message"]}}]
guest > 42["getChatMessages",{"chatId":"{chat}","token":"{token}","limit":10,"skip":-1}]
guest < 42["getChatMessages",{"statusCode":400,"status":"error",
  "data":"skip must be a whole number, not negative",
  "error":"Bad Request","validation":{"source":"payload","keys":["skip"]}}]
guest > 42["seen",{"chatId":"{chat}","token":"{token}","_id":"x"}]
guest < 42["seen",{"statusCode":400,"status":"error","data":"_id must be 24 hex digits",
  "error":"Bad Request","validation":{"source":"payload","keys":["_id"]}}]
guest > 42["closeChat"]
guest < 42["closeChat",{"statusCode":400,"status":"error",…}]

# A key that stood for something else.
guest > 42["newMessage",{"chatId":"{chat}","token":"{token}","message":"one","client_id":"k"}]
guest < 42["newMessage",{"statusCode":200,…}]
guest > 42["newMessage",{"chatId":"{chat}","token":"{token}","message":"two","client_id":"k"}]
guest < 42["newMessage",{"statusCode":422,"status":"error","data":"<text>"}]

# An event that nobody has is acknowledged at least.
guest > 427["getEverything",{"token":"{token}"}]
guest < 437[{"status":"error","error":"there is no such event"}]
