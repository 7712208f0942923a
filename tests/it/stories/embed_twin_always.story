# Where the operator says so, everybody hears a message under its chat's own event too.
with embed_twin = "always"

ann opens EIO=3
ann < 40
ann > 42["create-user",{"user":{"external_id":"ann","name":"Ann","photo":"Photo"}}]
ann < 42["create-user",{"user":{"id":"<ann:id>",…},…}]
ann > 42["create-chat",{"chat":{"name":"tea"},"users":["{ann}"]}]
ann < 42["create-chat",{"chat":{"id":"<chat:id>",…},…}]
ann < 42["add-users",{…}]
ann > 42["new-message",{"chat":{"id":"{chat}"},"user":{"id":"{ann}"},"message":{"value":"one","type":"text"}}]
ann < 42["new-message",{"msg":"one",…}]
ann < 42["/chat/{chat}/new-message",{"msg":"one",…}]
