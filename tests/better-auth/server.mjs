// Runs a real Better Auth server on a bare node listener (`toNodeHandler`), and a control port for the test. Environment:
// OPTIONS, a JSON object whose fields are listed in README.md. Prints {"port":n,"control":n} when both listen, and exits
// when its standard input is closed.
import http from "node:http"
import { control } from "./control.mjs"
import { openDatabase } from "./database.mjs"
import { authOptions } from "./options.mjs"

const options = JSON.parse(process.env.OPTIONS ?? "{}")
const library = options.version === "1.6" ? "better-auth-16" : "better-auth"
const { betterAuth } = await import(library)
const { toNodeHandler } = await import(`${library}/node`)
const { getMigrations } = await import(`${library}/db/migration`)
const plugins = await import(`${library}/plugins`)

const database = options.stateless ? null : openDatabase()
const state = { requests: [], mails: [], hangUp: null, database }
const config = authOptions(options, plugins, state)
if (database) await (await getMigrations(config)).runMigrations()
const handler = toNodeHandler(betterAuth(config))

const server = http.createServer((request, response) => {
  const { pathname } = new URL(request.url, "http://any")
  const cookies = (request.headers.cookie ?? "").split("; ").filter(Boolean).map((pair) => pair.split("=")[0])
  const forwarded = Object.entries(request.headers).filter(([name]) => name.startsWith("x-forwarded-"))
  const { host } = request.headers
  const hasBearer = "authorization" in request.headers
  state.requests.push({ method: request.method, path: pathname, host, cookies, hasBearer, ...Object.fromEntries(forwarded) })
  if (state.hangUp && pathname.endsWith(state.hangUp)) {
    // The route has run when the connection breaks.
    response.writeHead = () => response.destroy()
  }
  // A rejected promise ends the process, as on any bare node server.
  return handler(request, response)
})
const controls = control(state)
server.listen(options.port ?? 0, "127.0.0.1", () =>
  controls.listen(0, "127.0.0.1", () =>
    console.log(JSON.stringify({ port: server.address().port, control: controls.address().port })),
  ),
)
process.stdin.resume()
process.stdin.on("end", () => process.exit(0))
