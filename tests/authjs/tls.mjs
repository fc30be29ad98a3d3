// Ends TLS in front of an app, as an ingress does: the certificate is signed by itself. Set by the
// environment: PORT, TO (the app's port), KEY and CERTIFICATE (files). Prints {"port":n} when it
// listens and ends when its standard input does.
import { readFileSync } from "node:fs"
import http from "node:http"
import https from "node:https"

const { PORT, TO, KEY, CERTIFICATE } = process.env
const pair = { key: readFileSync(KEY), cert: readFileSync(CERTIFICATE) }
const server = https.createServer(pair, (request, response) => {
  const headers = { ...request.headers, "x-forwarded-proto": "https", "x-forwarded-for": request.socket.remoteAddress }
  const upward = http.request({ port: TO, host: "127.0.0.1", method: request.method, path: request.url, headers }, (answer) => {
    response.writeHead(answer.statusCode, answer.rawHeaders)
    answer.pipe(response)
  })
  upward.on("error", () => response.destroy())
  request.pipe(upward)
})
server.listen(Number(PORT), "127.0.0.1", () => console.log(JSON.stringify({ port: server.address().port })))
process.stdin.resume()
process.stdin.on("end", () => process.exit(0))
