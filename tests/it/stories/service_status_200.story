# The document's server told failures with the HTTP status 200, and so may this one.
with service_status_200 = true
with admin_email = "admin@example.com"
with admin_password = "correct horse"

POST /auth/login {"email":"admin@example.com","password":"correct horse"}
200 {"token":"<admin:token>",…}
POST /app [Authorization: {admin}] {"name":"app"}
201 {"applicationId":"<key:uuid>",…}
POST /room {"room":"usr-1-2","appId":"{key}","users":[3,4]}
200 {"status":400,"message":"Users 3,4 not registered"}
GET /room/usr-1-2 [appId: {key}]
200 {"status":404,"message":"Room Not Found"}
DELETE /app/999 [Authorization: {admin}]
200 {"status":404,"message":"App Not Found"}

# What has another shape keeps its own status.
GET /app
401 {"error":{"status":401,"message":"No token provided"}}
POST /room {"appId":"{key}","users":[]}
422 {"message":"Validation failed","details":{"room":{"message":"room is required"}}}
