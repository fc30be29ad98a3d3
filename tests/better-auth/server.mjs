// Runs real Better Auth servers on bare node listeners (`toNodeHandler`), each with a control port for the test. With the
// environment variable OPTIONS it runs one server, and prints {"port":n,"control":n}. Without it the program starts a
// server for each POST of options to the port that it prints as {"host":n}, since loading the library takes most of the
// time of a start. README.md lists the options. The program exits when its standard input is closed.
import http from "node:http"
import { control } from "./control.mjs"
import { openDatabase } from "./database.mjs"
import { authOptions } from "./options.mjs"

async function startServer(options) {
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
    state.requests.push(described(request, pathname))
    if (state.hangUp && pathname.endsWith(state.hangUp)) {
      // The route has run when the connection breaks.
      response.writeHead = () => response.destroy()
    }
    // A rejected promise ends the process, as on any bare node server.
    return handler(request, response)
  })
  return { port: await listen(server, options.port ?? 0), control: await listen(control(state), 0) }
}

/** What a request was, without the values of its cookies. */
function described({ method, headers }, path) {
  const cookies = (headers.cookie ?? "").split("; ").filter(Boolean).map((pair) => pair.split("=")[0])
  const forwarded = Object.entries(headers).filter(([name]) => name.startsWith("x-forwarded-"))
  return { method, path, host: headers.host, cookies, hasBearer: "authorization" in headers, ...Object.fromEntries(forwarded) }
}

const listen = (server, port) =>
  new Promise((resolve, reject) => {
    server.on("error", reject)
    server.listen(port, "127.0.0.1", () => resolve(server.address().port))
  })

if (process.env.OPTIONS) {
  console.log(JSON.stringify(await startServer(JSON.parse(process.env.OPTIONS))))
} else {
  const host = http.createServer(async (request, response) => {
    let body = ""
    for await (const part of request) body += part
    try {
      response.end(JSON.stringify(await startServer(JSON.parse(body))))
    } catch (error) {
      response.end(JSON.stringify({ error: String(error?.stack ?? error) }))
    }
  })
  console.log(JSON.stringify({ host: await listen(host, 0) }))
}
process.stdin.resume()
process.stdin.on("end", () => process.exit(0))
