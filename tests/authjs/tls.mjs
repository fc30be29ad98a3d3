// Terminates TLS in front of an app, as an ingress does. Environment: PORT, TO (the app's port), KEY and CERTIFICATE
// (files; the certificate is self-signed). Prints {"port":n} when it listens, and exits when its standard input is
// closed.
import { readFileSync } from "node:fs"
import http from "node:http"
import https from "node:https"

const { PORT, TO, KEY, CERTIFICATE } = process.env
const pair = { key: readFileSync(KEY), cert: readFileSync(CERTIFICATE) }
const server = https.createServer(pair, (request, response) => {
  const headers = { ...request.headers, "x-forwarded-proto": "https", "x-forwarded-for": request.socket.remoteAddress }
  const forwarded = http.request({ port: TO, host: "127.0.0.1", method: request.method, path: request.url, headers }, (answer) => {
    response.writeHead(answer.statusCode, answer.rawHeaders)
    answer.pipe(response)
  })
  forwarded.on("error", () => response.destroy())
  request.pipe(forwarded)
})
server.listen(Number(PORT), "127.0.0.1", () => console.log(JSON.stringify({ port: server.address().port })))
process.stdin.resume()
process.stdin.on("end", () => process.exit(0))
