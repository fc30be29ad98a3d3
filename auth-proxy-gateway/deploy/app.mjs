// An app without sign-in of its own: the gateway tells it who the visitor is. `node app.mjs`
import { createServer } from "node:http"

createServer((request, response) => {
  const name = decodeURIComponent(request.headers["x-auth-name"] ?? "guest")
  response.setHeader("content-type", "text/html; charset=utf-8")
  response.end(`<h1>${request.url}</h1><p>hello, ${name.replaceAll("<", "&lt;")}</p>`)
}).listen(Number(process.env.PORT ?? 3000), process.env.HOST ?? "127.0.0.1", function () {
  console.log(`http://localhost:${this.address().port}`)
})
