// The service behind the reverse proxy: it greets the visitor, whom the headers name. It believes them, so only the proxy may
// reach it. Run it with `node service.mjs`; PORT is 8080 by default.
import { createServer } from "node:http"

/** The text of an identity header. */
const text = (request, name) => decodeURIComponent(request.headers[name] ?? "")

const server = createServer((request, response) => {
  const subject = text(request, "x-auth-subject")
  if (!subject) return response.end("hello, guest\n")
  if (request.url === "/headers") {
    response.setHeader("content-type", "application/json")
    return response.end(JSON.stringify(request.rawHeaders))
  }
  response.setHeader("content-type", "text/plain; charset=utf-8")
  response.end(`hello, ${text(request, "x-auth-name")} (${subject}, ${text(request, "x-auth-email")})\n`)
})
server.listen(Number(process.env.PORT ?? 8080), "127.0.0.1", () => console.log(`http://127.0.0.1:${server.address().port}`))
