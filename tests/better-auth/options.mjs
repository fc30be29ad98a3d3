// The options of `betterAuth` for the options of a test.
import { databaseHooks } from "../../examples/revoke/better-auth.mjs"
import { membersOnly } from "./members-only.mjs"

export function authOptions(options, plugins, state) {
  const { baseURL, basePath, secret, secrets, trustedOrigins, session, rateLimit, advanced, cookieCache } = options
  return {
    ...(baseURL ? { baseURL } : {}),
    ...(basePath ? { basePath } : {}),
    ...(secret ? { secret } : {}),
    ...(secrets ? { secrets } : {}),
    ...(trustedOrigins ? { trustedOrigins } : {}),
    ...(state.database ? { database: state.database.option } : {}),
    logger: { disabled: true },
    telemetry: { enabled: false },
    emailAndPassword: { enabled: true },
    // A field of the user that makes the cookie cache long.
    user: { additionalFields: { pad: { type: "string", required: false } } },
    session: { ...session, ...(cookieCache ? { cookieCache: { enabled: true, ...cookieCache } } : {}) },
    rateLimit: { enabled: false, ...rateLimit },
    advanced: { ...advanced },
    ...(options.revokes ? { databaseHooks } : {}),
    ...(options.secondaryStorage ? { secondaryStorage: storage() } : {}),
    plugins: (options.plugins ?? []).map((name) => plugin(name, options, plugins, state)),
  }
}

function storage() {
  const values = new Map()
  return {
    get: (key) => values.get(key) ?? null,
    set: (key, value) => void values.set(key, value),
    delete: (key) => void values.delete(key),
  }
}

function plugin(name, options, plugins, state) {
  switch (name) {
    case "jwt":
      return plugins.jwt(options.jwt)
    case "bearer":
      return plugins.bearer(options.bearer)
    case "admin":
      return plugins.admin()
    case "organization":
      return plugins.organization()
    case "members-only":
      return plugins.customSession(membersOnly)
    case "multi-session":
      return plugins.multiSession()
    case "oauth-proxy":
      return plugins.oAuthProxy(options.oauthProxy)
    case "magic-link":
      return plugins.magicLink({ sendMagicLink: ({ email, url }) => void state.mails.push({ email, url }) })
    case "generic-oauth": {
      const idp = { clientId: "app", clientSecret: "not a secret, a test", scopes: ["openid", "profile", "email"], pkce: true }
      const discoveryUrl = `${options.issuer}/.well-known/openid-configuration`
      return plugins.genericOAuth({ config: [{ providerId: "idp", discoveryUrl, ...idp }] })
    }
    default:
      throw new Error(`there is no plugin ${name}`)
  }
}
