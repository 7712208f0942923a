# A device that comes back is in the rooms that it had joined, and was told what was said there.
with admin_email = "admin@example.com"
with admin_password = "correct horse"

POST /auth/login {"email":"admin@example.com","password":"correct horse"}
200 {"token":"<admin:token>",…}
POST /app [Authorization: {admin}] {"name":"my app"}
201 {"applicationId":"<key:uuid>",…}
POST /user {"appId":"{key}","appUserId":1,"firstName":"Ann","lastName":"A","token":"token of one"}
200 {"id":<one:number>,…}
POST /user {"appId":"{key}","appUserId":2,"firstName":"Bo","lastName":"B","token":"token of two"}
200 {"id":<two:number>,…}
POST /room {"room":"tea","appId":"{key}","users":[1,2]}
200 {"id":<room:number>,…}

two opens EIO=4&token=token%20of%20two
two > 40
two < 40{"sid":"<sid>"}
two > 42["join","tea"]
two < 42["info","You have joined the room"]
two < 42["room_info",{"id":{room},…}]
two < 42["roomData",{"users":[{"sender":{two},…}],…}]
# The auth object asks as well as the query does.
one opens EIO=4
one > 40{"token":"token of one","recovery":true}
one < 40{"sid":"<sid:sid>","pid":"<pid:pid>"}
one > 42["join","tea"]
one < 42["info","You have joined the room","<start:cursor>"]
one < 42["room_info",{"id":{room},…},"{start}"]
one < 42["roomData",{"users":[{"sender":{two},…},{"sender":{one},…}],…},"{start}"]
two < 42["info","{one} has joined!"]
two < 42["roomData",{"users":[{"sender":{two},…},{"sender":{one},…}],…}]

# Every event ends with an offset: a message with its own, all else with the one before.
two > 42["send_message","hi"]
two < 42["message",{"message":"aGk=",…}]
one < 42["message",{"message":"aGk=",…},"<offset:cursor>"]
two > 42["typing",true]
two < 42["is_typing",{"typing":true,…}]
one < 42["is_typing",{"typing":true,…},"{offset}"]
two > 42["typing",false]
two < 42["is_typing",{"typing":false,…}]
one < 42["is_typing",{"typing":false,…},"{offset}"]
tablet opens EIO=4&token=token%20of%20two
tablet > 40
tablet < 40{"sid":"<sid>"}
tablet > 42["join","tea"]
tablet < 42["info","You have joined the room"]
tablet < 42["room_info",{"id":{room},…}]
tablet < 42["roomData",{"users":[{"sender":{two},…},{"sender":{one},…},{"sender":{two},…}],…}]
two < 42["info","{two} has joined!"]
two < 42["roomData",{"users":[{"sender":{two},…},{"sender":{one},…},{"sender":{two},…}],…}]
one < 42["info","{two} has joined!","{offset}"]
one < 42["roomData",{"users":[{"sender":{two},…},{"sender":{one},…},{"sender":{two},…}],…},"{offset}"]
tablet closes
two < 42["info","{two} has left"]
two < 42["roomData",{"users":[{"sender":{two},…},{"sender":{one},…}],…}]
one < 42["info","{two} has left","{offset}"]
one < 42["roomData",{"users":[{"sender":{two},…},{"sender":{one},…}],…},"{offset}"]

one closes
two < 42["info","{one} has left"]
two < 42["roomData",{"users":[{"sender":{two},…}],…}]
two > 42["send_message","still there?"]
two < 42["message",{"message":"c3RpbGwgdGhlcmU/",…}]

again opens EIO=4
again > 40{"token":"token of one","recovery":"1","pid":"{pid}","offset":"{offset}"}
again < 40{"sid":"{sid}","pid":"{pid}"}
again < 42["message",{"message":"c3RpbGwgdGhlcmU/",…},"<missed:cursor>"]
again < 42["roomData",{"users":[{"sender":{two},…},{"sender":{one},…}],…},"{missed}"]
two < 42["info","{one} has joined!"]
two < 42["roomData",{"users":[{"sender":{two},…},{"sender":{one},…}],…}]
# The room is the current one as before.
again > 42["send_message","yes"]
again < 42["message",{"message":"eWVz","userId":{one},…},"<later:cursor>"]
two < 42["message",{"message":"eWVz","userId":{one},…}]
again closes
two < 42["info","{one} has left"]
two < 42["roomData",{"users":[{"sender":{two},…}],…}]

# A connection that is no longer in the room does not return to it, and receives nothing of it.
PUT /room/remove {"room":"tea","appId":"{key}","users":[1]}
200 {…}
two > 42["send_message","about one"]
two < 42["message",{"message":"YWJvdXQgb25l",…}]
late opens EIO=4&token=token%20of%20one&recovery=1
late > 40{"pid":"{pid}","offset":"{later}"}
late < 40{"sid":"{sid}","pid":"{pid}"}
late > 42["send_message","hello?"]
late < 42["err","No message or sender","<cursor>"]
