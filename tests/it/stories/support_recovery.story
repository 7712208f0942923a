# A lost connection is recovered by its own client, and not with another's token.

POST /owner/register {"email":"email@mail.com","password":"correct horse","domain":"localhost"}
200 {…}
POST /owner/login {"email":"email@mail.com","password":"correct horse"}
200 {"statusCode":200,"status":"success","data":{"ownerId":"<owner_id:hex24>",
  "token":"<owner_token:token>","level":"owner","appId":"<app:uuid>"}}
POST /api/events/getNewChat {"email":"a@mail.com","name":"A","domain":"localhost"}
200 {"event":"getNewChat","data":{"guestToken":"<guest_token:token>","chatId":"<chat:hex24>",…}}

owner opens EIO=4&recovery=1
owner > 40{"token":"{owner_token}"}
owner < 40{"sid":"<sid:sid>","pid":"<pid:pid>"}
owner > 42["getActiveChats",{"token":"{owner_token}"}]
owner < 42["getActiveChats",{"statusCode":200,"status":"success","data":[],"has_more":false,"total":0},"<offset:cursor>"]
owner closes
POST /api/events/newMessage {"chatId":"{chat}","token":"{guest_token}","message":"hi"}
200 {…}

thief opens EIO=4&recovery=1
thief > 40{"token":"{guest_token}","pid":"{pid}","offset":"{offset}"}
thief < 40{"sid":"<new_sid:sid>","pid":"<new_pid:pid>"}
thief closes
again opens EIO=4&recovery=1
again > 40{"token":"{owner_token}","pid":"{pid}","offset":"{offset}"}
again < 40{"sid":"{sid}","pid":"{pid}"}
again < 42["newMessage",{"chatId":"{chat}",…},"<at:cursor>"]
# What is answered, and signals, end with the last offset.
again > 42["getActiveChats",{"token":"{owner_token}"}]
again < 42["getActiveChats",{"data":[],…},"{at}"]
POST /api/events/typing {"chatId":"{chat}","token":"{guest_token}","typing":true}
200 {…}
again < 42["typing",{"chatId":"{chat}",…},"{at}"]
again closes

# Without the option, or in the old protocol, there are no offsets.
plain opens EIO=4
plain > 40{"token":"{owner_token}","recovery":false}
plain < 40{"sid":"<sid>"}
plain > 42["getActiveChats",{"token":"{owner_token}"}]
plain < 42["getActiveChats",{"data":[],…}]
old opens EIO=3&recovery=1&token={owner_token}
old < 40
old > 42["getActiveChats",{"token":"{owner_token}"}]
old < 42["getActiveChats",{"data":[],…}]
old closes
plain closes

# A login that has ended brings nothing back, though the private id is right.
POST /api/events/newMessage {"chatId":"{chat}","token":"{guest_token}","message":"anybody?"}
200 {…}
POST /owner/logout {"token":"{owner_token}"}
200 {…}
late opens EIO=4&recovery=1
late > 40{"pid":"{pid}","offset":"{at}"}
late < 40{"sid":"<late_sid:sid>","pid":"<late_pid:pid>"}

# A connection that was lost before its first event continues from where it began.
POST /owner/login {"email":"email@mail.com","password":"correct horse"}
200 {"data":{"token":"<fresh_token:token>",…},…}
early opens EIO=4&recovery=1
early > 40{"token":"{fresh_token}"}
early < 40{"sid":"<early_sid:sid>","pid":"<early_pid:pid>"}
early closes
POST /api/events/newMessage {"chatId":"{chat}","token":"{guest_token}","message":"while away"}
200 {…}
back opens EIO=4&recovery=1
back > 40{"token":"{fresh_token}","pid":"{early_pid}"}
back < 40{"sid":"{early_sid}","pid":"{early_pid}"}
back < 42["newMessage",{"message":{"message":"while away",…},…},"<heard:cursor>"]
back closes
# What it was told counts more than where it came in.
once opens EIO=4&recovery=1
once > 40{"token":"{fresh_token}","pid":"{early_pid}","offset":"{heard}"}
once < 40{"sid":"{early_sid}","pid":"{early_pid}"}
once closes

# A client that begins anew goes on showing the offset that it had before: it is told nothing of that time.
anew opens EIO=4&recovery=1
anew > 40{"token":"{fresh_token}","pid":"unknown","offset":"{at}"}
anew < 40{"sid":"<anew_sid:sid>","pid":"<anew_pid:pid>"}
anew closes
more opens EIO=4&recovery=1
more > 40{"token":"{fresh_token}","pid":"{anew_pid}","offset":"{at}"}
more < 40{"sid":"{anew_sid}","pid":"{anew_pid}"}
POST /api/events/newMessage {"chatId":"{chat}","token":"{guest_token}","message":"at last"}
200 {…}
more < 42["newMessage",{"message":{"message":"at last",…},…},"<cursor>"]
more closes
