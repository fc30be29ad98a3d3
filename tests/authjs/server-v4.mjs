// Runs Express with next-auth v4 and the users of server.mjs. Environment: AUTH_SECRET, ISSUER, NEXTAUTH_URL (the only
// way to have the routes below another path; the origin of its URLs is then fixed), AUTH_REVOKE_URL (a sign-out is told to
// the app there). Prints {"port":n} when it listens, and exits when its standard input is closed.
import { events } from "../../examples/revoke/authjs.mjs"

process.env.AUTH_TRUST_HOST = "1"
const { AUTH_SECRET, ISSUER, NEXTAUTH_URL, AUTH_REVOKE_URL } = process.env
const BASE_PATH = NEXTAUTH_URL ? new URL(NEXTAUTH_URL).pathname : "/api/auth"
const { default: express } = await import("express")
const NextAuth = (await import("next-auth")).default.default
const Credentials = (await import("next-auth/providers/credentials")).default.default

const accounts = {
  demo: { id: "1", name: "Demo", email: "demo@example.com" },
  admin: { id: "2", name: "Admin", email: "admin@example.com" },
}
const logged = []
const options = {
  secret: AUTH_SECRET,
  logger: { error(code, data) { logged.push({ code, data }) }, warn() {}, debug() {} },
  providers: [
    Credentials({
      credentials: { username: {}, password: { type: "password" } },
      authorize: ({ username, password }) => (username === password && Object.hasOwn(accounts, username) ? accounts[username] : null),
    }),
    {
      id: "idp", name: "IdP", type: "oauth", wellKnown: `${ISSUER}/.well-known/openid-configuration`,
      authorization: { params: { scope: "openid email profile" } }, idToken: true, checks: ["pkce", "state"],
      clientId: "app", clientSecret: "not a secret, a test",
      profile: (claims) => ({ id: claims.sub, name: claims.name, email: claims.email }),
    },
  ],
  callbacks: {
    jwt: ({ token, trigger, session }) => (trigger === "update" ? { ...token, updated: session } : token),
    session: ({ session, token }) => ({ ...session, updated: token.updated }),
  },
  ...(AUTH_REVOKE_URL ? { events } : {}),
}

const app = express()
app.use(express.urlencoded({ extended: true }), express.json())
app.get("/__logged", (_, response) => response.json(logged))
app.all(`${BASE_PATH}/*`, (request, response) => {
  // next-auth v4 reads the fields that Next.js sets on requests to its API routes.
  request.query.nextauth = request.params[0].split("/").filter(Boolean)
  request.cookies = Object.fromEntries(
    (request.headers.cookie ?? "").split(";").map((pair) => pair.trim().split("=")).filter(([name]) => name)
      .map(([name, ...value]) => [name, decodeURIComponent(value.join("="))]),
  )
  return NextAuth(request, response, options)
})
const server = app.listen(0, "127.0.0.1", () => console.log(JSON.stringify({ port: server.address().port })))
process.stdin.resume()
process.stdin.on("end", () => process.exit(0))
