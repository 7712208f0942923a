# Every refusal of chat as a service: by its routes, at the endpoint for sockets, and in a room.
with admin_email = "admin@example.com"
with admin_password = "correct horse"
with verify_allow = ["127.0.0.0/8"]

# Accounts.
POST /auth/login {"email":"admin@example.com","password":"wrong horse"}
401 {"name":"InvalidLogin","message":"Login failed"}
POST /auth/login {"email":"nobody@example.com","password":"correct horse"}
401 {"name":"InvalidLogin","message":"Login failed"}
POST /auth/login {"email":"admin@example.com"}
422 {"message":"Validation failed","details":{"password":{"message":"password is required"}}}
POST /auth/login {"email":"admin@example.com","password":"correct horse"}
200 {"token":"<admin:token>",…}
POST /auth/register {"firstName":"Ann","lastName":"Lee","email":"ann@example.com","password":"correct horse"}
401 {"error":{"status":401,"message":"No token provided"}}
POST /auth/register [Authorization: xyzbhgdkfjke]
  {"firstName":"Ann","lastName":"Lee","email":"ann@example.com","password":"correct horse"}
401 {"message":"invalid token"}
POST /auth/register [Authorization: {admin}]
  {"firstName":"Ann","lastName":"Lee","email":"ann@example.com","password":"correct horse"}
201 {"token":"<ann:token>",…}
POST /auth/register [Authorization: {admin}]
  {"firstName":"Ann","lastName":"Lee","email":"ann@example.com","password":"correct horse"}
400 {"status":400,"message":"ChatUser Already Exists"}
POST /auth/register [Authorization: {admin}] {"lastName":"Lee","email":"x@example.com","password":"correct horse"}
422 {"message":"Validation failed","details":{"firstName":{"message":"firstName is required"}}}
POST /auth/register [Authorization: {ann}]
  {"firstName":"Bo","lastName":"Lee","email":"bo@example.com","password":"correct horse"}
403 {"status":403,"message":"only an administrator may do that"}

# Apps.
GET /app
401 {"error":{"status":401,"message":"No token provided"}}
GET /app [Authorization: Bearer xyzbhgdkfjke]
401 {"message":"invalid token"}
POST /app [Authorization: {ann}] {}
422 {"message":"Validation failed","details":{"name":{"message":"name is required"}}}
POST /app [Authorization: {admin}] {"name":"the administrator's"}
201 {"id":<hers:number>,"applicationId":"<her_key:uuid>",…}
DELETE /app/{hers} [Authorization: {ann}]
404 {"status":404,"message":"App Not Found"}
DELETE /app/{hers}
401 {"error":{"status":401,"message":"No token provided"}}
POST /app [Authorization: {ann}] {"name":"app"}
201 {"id":<app:number>,"applicationId":"<key:uuid>",…}

# Users. The app's number, which every device sees, is not its secret.
GET /user/{app}
404 {"status":404,"message":"App Not Found"}
POST /user {"appUserId":1,"firstName":"a","lastName":"b"}
422 {"message":"Validation failed","details":{"appId":{"message":"appId is required"}}}
POST /user {"appId":"{key}","appUserId":1,"firstName":"a","lastName":"b","token":"short"}
422 {"message":"Validation failed","details":{"token":{"message":"<text>"}}}
POST /user {"appId":"{key}","firstName":"a","lastName":"b"}
422 {"message":"Validation failed","details":{"appUserId":{"message":"<text>"}}}
POST /user {"appId":"{key}","appUserId":1,"firstName":"a","lastName":"b","token":"token of one"}
200 {"id":<one:number>,…}
POST /user {"appId":"{key}","appUserId":2,"firstName":"a","lastName":"b","token":"token of one"}
400 {"status":400,"message":"<text>"}
POST /user {"appId":"{key}","appUserId":2,"firstName":"a","lastName":"b","token":"token of two"}
200 {"id":<two:number>,…}
DELETE /user/999 [appId: {key}]
404 {"status":404,"message":"ChatUser Not Found"}
DELETE /user/{one} [appId: {her_key}]
404 {"status":404,"message":"ChatUser Not Found"}

# Rooms.
POST /room {"room":"usr-1-2","appId":"{key}","users":[1,3,4]}
400 {"status":400,"message":"Users 3,4 not registered"}
POST /room {"room":"a\nb","appId":"{key}","users":[1]}
422 {"message":"Validation failed","details":{"room":{"message":"room must be one line of text"}}}
POST /room {"room":"usr-1-2","appId":"{key}"}
422 {"message":"Validation failed","details":{"users":{"message":"<text>"}}}
POST /room {"room":"usr-1-2","appId":"{key}","users":[1]}
200 {"id":<room:number>,…}
POST /room {"room":"usr-1-2","appId":"{key}","users":[1]}
400 {"status":400,"message":"Room Already Exists"}
GET /room
422 {"message":"Validation failed","details":{"appId":{"message":"appId is required"}}}
GET /room/nowhere [appId: {key}]
404 {"status":404,"message":"Room Not Found"}
GET /room/usr-1-2 [appId: {her_key}]
404 {"status":404,"message":"Room Not Found"}
PUT /room/add {"room":"nowhere","appId":"{key}","users":[1]}
404 {"status":404,"message":"Room Not Found"}
PUT /room/add {"room":"usr-1-2","appId":"{key}","users":[9]}
404 {"status":404,"message":"ChatUser id 9 Not Found"}
PUT /room/remove {"room":"usr-1-2","appId":"{key}","users":[9]}
404 {"status":404,"message":"ChatUser id 9 Not Found"}
DELETE /room/999 [appId: {key}]
404 {"status":404,"message":"Room Not Found"}

# An app that wants its owner's token as well.
POST /app [Authorization: {ann}] {"name":"careful app","requireAuth":true}
201 {"applicationId":"<careful:uuid>","requireAuth":true,…}
GET /room [appId: {careful}]
401 {"error":{"status":401,"message":"No token provided"}}
GET /room [appId: {careful}] [Authorization: xyzbhgdkfjke]
401 {"message":"invalid token"}
GET /room [appId: {careful}] [Authorization: {ann}]
200 []

# At the endpoint: the present protocol tells a refusal as an object, the old one as a bare text.
stranger opens EIO=4&token=xyzbhgdkfjke
stranger > 40
stranger < 44{"message":"token key mismatch"}
stranger closes
old opens EIO=3&token=xyzbhgdkfjke
old < 44"token key mismatch"
old closes

# A token that two apps issued needs the app beside it.
POST /user {"appId":"{her_key}","appUserId":1,"firstName":"a","lastName":"b","token":"token of one"}
200 {"token":"token of one",…}
torn opens EIO=4
torn > 40{"token":"token of one"}
torn < 44{"message":"token key mismatch","data":{"hint":"<text>"}}
torn closes
old_torn opens EIO=3&token=token%20of%20one
old_torn < 44"token key mismatch"
old_torn closes
GET /api/events?dialect=service&token=token%20of%20one&timeout=0
401 {"error":"token key mismatch","code":"unauthenticated","hint":"<text>"}
POST /api/events/join?token=token%20of%20one "usr-1-2"
401 {"error":"token key mismatch","code":"unauthenticated","hint":"<text>"}
whole opens EIO=4
whole > 40{"token":"token of one","appId":"{key}"}
whole < 40{"sid":"<sid>"}
whole > 42["join","usr-1-2"]
whole < 42["info","You have joined the room"]
whole < 42["room_info",{"id":{room},…}]
whole < 42["roomData",{…}]

# Whose own system is asked, and says yes, no, or cannot be asked.
POST /app [Authorization: {ann}] {"name":"asked","verifyUrl":"{server}/auth/verify"}
201 {"applicationId":"<asked:uuid>",…}
POST /user {"appId":"{asked}","appUserId":1,"firstName":"a","lastName":"b","token":"token of asked"}
200 …
asked opens EIO=4&token=token%20of%20asked
asked > 40
asked < 40{"sid":"<sid>"}
POST /app [Authorization: {ann}] {"name":"no","verifyUrl":"{server}/nowhere"}
201 {"applicationId":"<no:uuid>",…}
POST /user {"appId":"{no}","appUserId":1,"firstName":"a","lastName":"b","token":"token of no"}
200 …
no opens EIO=4&token=token%20of%20no
no > 40
no < 44{"message":"token key mismatch"}
no closes
POST /app [Authorization: {ann}] {"name":"intranet","verifyUrl":"http://10.0.0.1/verify"}
201 {"applicationId":"<intranet:uuid>",…}
POST /user {"appId":"{intranet}","appUserId":1,"firstName":"a","lastName":"b","token":"token of intranet"}
200 …
intranet opens EIO=3&token=token%20of%20intranet
intranet < 44"token verification unavailable"
intranet closes

# Without a token the connection stands, for guests of other kinds come that way.
guest opens EIO=3
guest < 40
guest > 42["join","usr-1-2"]
guest < 42["err","No token key found"]
guest > 42["typing",true]
guest < 42["err","No token key found"]
guest > 42["seen"]
guest < 42["err","No token key found"]
guest > 421["send_message","Hey, you there"]
guest < 42["err","No token key found"]
guest < 431[{"status":"error","message":"No token key found","code":"unauthenticated"}]

# In rooms.
two opens EIO=4&token=token%20of%20two
two > 40
two < 40{"sid":"<sid>"}
two > 42["join","usr-1-2"]
two < 42["err","Invalid room name"]
two > 42["join","nowhere"]
two < 42["err","Invalid room name"]
two > 42["join",""]
two < 42["err","Input room name"]
two > 42["join"]
two < 42["err","Input room name"]
two > 42["send_message","Hey, you there"]
two < 42["err","No message or sender"]
two > 42["typing",true]
two < 42["err","Input room name"]
two > 42["seen"]
two < 42["err","Input room name"]
two > 42["load_more",{"page":1,"limit":20}]
two < 42["err","Input room name"]
two > 42["update",{"id":1,"message":"x"}]
two < 42["err","Input room name"]
two > 42["delete",1]
two < 42["err","Input room name"]
PUT /room/add {"room":"usr-1-2","appId":"{key}","users":[2]}
200 {"message":"updated"}
two > 42["join","usr-1-2"]
two < 42["info","You have joined the room"]
two < 42["room_info",{"id":{room},…}]
two < 42["roomData",{…}]
whole < 42["info","{two} has joined!"]
whole < 42["roomData",{…}]
two > 42["send_message",""]
two < 42["err","No message or sender"]
two > 42["load_more",{"page":0}]
two < 42["err","page must be a number from 1"]
two > 42["load_more",{"limit":"x"}]
two < 42["err","limit must be a number from 1"]
two > 42["delete","x"]
two < 42["err","id must be the number of a message"]
two > 42["update",{"id":999,"message":"x"}]
two < 42["err","there is no such message"]
whole > 421["send_message",{"message":"mine","client_id":"k"}]
whole < 431[{"id":<mine:number>,…}]
whole < 42["message",{"id":{mine},…}]
two < 42["message",{"id":{mine},…}]
two > 42["update",{"id":{mine},"message":"yours"}]
two < 42["err","<text>"]
two > 42["delete",{mine}]
two < 42["err","<text>"]
whole > 42["send_message",{"message":"other","client_id":"k"}]
whole < 42["err","<text>"]
# Nobody has heard of what was refused.
whole > 42["delete",{mine}]
whole < 42["message",{"id":{mine},"message":"","deletedAt":"<time>",…}]
two < 42["message",{"id":{mine},"message":"","deletedAt":"<time>",…}]

# A removed user has left: they receive and send no more.
PUT /room/remove {"room":"usr-1-2","appId":"{key}","users":[2]}
200 {"message":"updated"}
whole < 42["info","{two} has left"]
whole < 42["roomData",{"room":"usr-1-2","users":[{"sender":{one},…}]}]
two > 42["send_message","still here?"]
two < 42["err","No message or sender"]
two > 42["join","usr-1-2"]
two < 42["err","Invalid room name"]
# A replaced token opens nothing; open connections stay. Those of a deleted user do not.
POST /user {"appId":"{key}","appUserId":2,"firstName":"a","lastName":"b","token":"another token of two"}
200 …
late opens EIO=4&token=token%20of%20two
late > 40
late < 44{"message":"token key mismatch"}
late closes
two > 42["join",""]
two < 42["err","Input room name"]
DELETE /user/{two} [appId: {key}]
200 …
two < 41
two < closed
