// Runs Express with Auth.js and a credentials provider. Environment: AUTH_SECRET, STRATEGY (jwt or database), BASE_PATH,
// PORT, ISSUER (an OpenID provider), COOKIE_DOMAIN (the `Domain` of the cookies; visitors may return to every host below
// it), SAME_SITE (none: pages of other sites may send the cookies), AUTH_REDIRECT_PROXY_URL, PASSKEYS (1: enabled), BIG
// (bytes of padding in the token, for cookies of several chunks), AUTH_REVOKE_URL (a sign-out is told to the app there,
// and POST /__everywhere?user=id signs a user out), SESSION_COOKIE (the name of the session cookie), TRUST_PROXY and TRUST_HOST
// (false: Express ignores `X-Forwarded-Proto`, and Auth.js refuses every host), AUTH_TIME (1: sessions
// say when the visitor signed in), SOCKET (the path of a Unix socket to listen on, in place of PORT). Prints {"port":n} or
// {"socket":path} when it listens, and exits when its standard input is closed.
import { randomUUID } from "node:crypto"
import express from "express"
import { ExpressAuth } from "@auth/express"
import Credentials from "@auth/express/providers/credentials"
import GitHub from "@auth/express/providers/github"
import Passkey from "@auth/express/providers/passkey"
import { encode } from "@auth/core/jwt"
import { callbacks as withAuthTime } from "./auth-time.mjs"
import { memoryAdapter } from "./memory-adapter.mjs"
import { events } from "../../examples/revoke/authjs.mjs"
import { signOutEverywhere } from "../../examples/revoke/everywhere.mjs"

const { AUTH_SECRET, STRATEGY = "jwt", BASE_PATH = "/api/auth", BIG = "0", ISSUER, COOKIE_DOMAIN, SAME_SITE, PASSKEYS, AUTH_REVOKE_URL, SESSION_COOKIE, TRUST_PROXY, TRUST_HOST, AUTH_TIME, SOCKET } = process.env
const MAX_AGE = 30 * 24 * 3600
const database = STRATEGY === "database"
const adapter = memoryAdapter()
const accounts = {
  demo: { password: "demo", id: "1", name: "Demo", email: "demo@example.com", role: "user" },
  admin: { password: "admin", id: "2", name: "Admin", email: "admin@example.com", role: "admin" },
}
for (const { password, ...user } of Object.values(accounts)) await adapter.createUser(user)

/** Options of cookies with a `Domain`. Their names cannot begin with `__Host-`, which forbids a `Domain`. */
const shared = (name) => ({ name: `authjs.${name}`, options: { domain: COOKIE_DOMAIN, httpOnly: true, sameSite: "lax", path: "/" } })
const cookies = {
  sessionToken: shared("session-token"), csrfToken: shared("csrf-token"), callbackUrl: shared("callback-url"),
  pkceCodeVerifier: shared("pkce.code_verifier"), state: shared("state"),
}

/** Options of cookies that pages of other sites may send. Their names are those of `useSecureCookies`. */
const crossSite = Object.fromEntries(
  ["sessionToken", "csrfToken", "callbackUrl", "pkceCodeVerifier", "state"].map((name) => [name, { options: { sameSite: "none", secure: true } }]),
)

const config = {
  secret: AUTH_SECRET,
  basePath: BASE_PATH,
  trustHost: TRUST_HOST !== "false",
  logger: { error() {}, warn() {}, debug() {} },
  session: { strategy: database ? "database" : "jwt", maxAge: MAX_AGE },
  // Passkeys need a database under both session strategies.
  ...(database || PASSKEYS ? { adapter } : {}),
  ...(PASSKEYS ? { experimental: { enableWebAuthn: true } } : {}),
  ...(COOKIE_DOMAIN ? { cookies } : SAME_SITE === "none" ? { cookies: crossSite } : {}),
  ...(SESSION_COOKIE ? { cookies: { sessionToken: { name: SESSION_COOKIE } } } : {}),
  providers: [
    Credentials({
      credentials: { username: {}, password: { type: "password" } },
      authorize({ username, password }) {
        const account = Object.hasOwn(accounts, username) ? accounts[username] : null
        if (account?.password !== password) return null
        const { password: _, ...user } = account
        return user
      },
    }),
    // Auth.js refuses database sessions when credentials are the only provider.
    GitHub({ clientId: "none", clientSecret: "none" }),
    ...(PASSKEYS ? [Passkey] : []),
    ...(ISSUER
      ? [{ id: "idp", name: "IdP", type: "oidc", issuer: ISSUER, clientId: "app", clientSecret: "not a secret, a test", checks: ["pkce", "state"] }]
      : []),
  ],
  callbacks: {
    async jwt({ token, user, account, trigger, session }) {
      if (trigger === "update") token.updated = session
      if (user) token.role = user.role ?? "user"
      if (AUTH_TIME) withAuthTime.jwt({ token, account })
      if (user && Number(BIG) > 0) token.pad = "x".repeat(Number(BIG))
      if (database && account?.provider === "credentials") {
        const row = { sessionToken: randomUUID(), userId: user.id, expires: new Date(Date.now() + MAX_AGE * 1000) }
        await adapter.createSession(row)
        token.sessionToken = row.sessionToken
      }
      return token
    },
    ...(COOKIE_DOMAIN
      ? {
          redirect({ url, baseUrl }) {
            const to = new URL(url, baseUrl)
            return to.hostname.endsWith(`.${COOKIE_DOMAIN}`) ? to.href : baseUrl
          },
        }
      : {}),
    session({ session, token, user, trigger, newSession }) {
      session.updated = token?.updated ?? (trigger === "update" ? newSession : undefined)
      session.user.role = (token ?? user).role
      session.user.id = token?.sub ?? user.id
      return AUTH_TIME && token ? withAuthTime.session({ session, token }) : session
    },
  },
  ...(AUTH_REVOKE_URL ? { events } : {}),
  // A sign-in with credentials issues a token under both strategies. With `database` the token is the key of the row.
  ...(database ? { jwt: { encode: (params) => params.token?.sessionToken ?? encode(params) } } : {}),
}

const app = express()
const seen = []
// Express takes the scheme of a request from `X-Forwarded-Proto`.
app.set("trust proxy", TRUST_PROXY !== "false")
app.get("/__seen", (_, response) => response.json(seen))
app.post("/__everywhere", async (request, response) => response.json(await signOutEverywhere(request.query.user)))
app.use(BASE_PATH, (request, _, next) => {
  seen.push({ method: request.method, url: request.originalUrl, headers: request.headers })
  next()
})
app.use(`${BASE_PATH}/*`, ExpressAuth(config))

const print = () => console.log(JSON.stringify(SOCKET ? { socket: SOCKET } : { port: server.address().port }))
const server = SOCKET ? app.listen(SOCKET, print) : app.listen(Number(process.env.PORT ?? 0), "127.0.0.1", print)
process.stdin.resume()
process.stdin.on("end", () => process.exit(0))
