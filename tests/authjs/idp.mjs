// Runs a certified OpenID provider with a login form that accepts any name and password. Environment: REDIRECT_URIS,
// space-separated. Prints {"port":n} when it listens, and exits when its standard input is closed.
import http from "node:http"
import Provider from "oidc-provider"

const server = http.createServer()
server.listen(0, "127.0.0.1", () => {
  const { port } = server.address()
  const provider = new Provider(`http://127.0.0.1:${port}`, {
    clients: [
      { client_id: "app", client_secret: "not a secret, a test", redirect_uris: process.env.REDIRECT_URIS.split(" ") },
    ],
    pkce: { required: () => true },
    claims: { openid: ["sub"], profile: ["name"], email: ["email"] },
    conformIdTokenClaims: false,
    findAccount: (_, id) => ({
      accountId: id,
      claims: () => ({ sub: id, name: `Name of ${id}`, email: `${id}@idp.example` }),
    }),
    cookies: { keys: ["a key for a test"] },
    ttl: { Session: 600, Interaction: 600, Grant: 600, AccessToken: 600, IdToken: 600 },
  })
  server.on("request", provider.callback())
  console.log(JSON.stringify({ port }))
})
process.stdin.resume()
process.stdin.on("end", () => process.exit(0))
