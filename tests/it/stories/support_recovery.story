# A connection that broke is given back to whoever had it, and to nobody who shows another's token.

POST /owner/register {"email":"email@mail.com","password":"correct horse","domain":"localhost"}
200 {…}
POST /owner/login {"email":"email@mail.com","password":"correct horse"}
200 {"statusCode":200,"status":"success","data":{"ownerId":"<owner_id:hex24>",
  "token":"<owner_token:token>","level":"owner","appId":"<app:uuid>"}}
POST /api/events/getNewChat {"email":"a@mail.com","name":"A","domain":"localhost"}
200 {"event":"getNewChat","data":{"guestToken":"<guest_token:token>","chatId":"<chat:hex24>",…}}

owner opens EIO=4&recovery=1
owner > 40{"token":"{owner_token}"}
owner < 40{"sid":"<sid:sid>","pid":"<pid:token>"}
owner > 42["getActiveChats",{"token":"{owner_token}"}]
owner < 42["getActiveChats",{"statusCode":200,"status":"success","data":[]},"<offset:cursor>"]
owner closes
POST /api/events/newMessage {"chatId":"{chat}","token":"{guest_token}","message":"hi"}
200 {…}

thief opens EIO=4&recovery=1
thief > 40{"token":"{guest_token}","pid":"{pid}","offset":"{offset}"}
thief < 40{"sid":"<new_sid:sid>","pid":"<new_pid:token>"}
again opens EIO=4&recovery=1
again > 40{"token":"{owner_token}","pid":"{pid}","offset":"{offset}"}
again < 42["newMessage",{"chatId":"{chat}",…},"<cursor>"]
again < 40{"sid":"{sid}","pid":"{pid}"}
