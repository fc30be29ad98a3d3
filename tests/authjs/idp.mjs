// Runs a certified OpenID provider with a login form that accepts any name and password. Environment: REDIRECT_URIS,
// space-separated. Prints {"port":n} when it listens, and exits when its standard input is closed.
//
// The client "machine" gets access tokens as JWT for the audience "api". The last segment of its `resource` is the
// algorithm, and its query may name another audience.
//
// With AUTH_REVOKE_URL, the clients "by-session" and "by-user" are told of the end of a session there: the first with a
// `sid`, which its access tokens have too, the second without.
import http from "node:http"
import { exportJWK, generateKeyPair } from "jose"
import Provider from "oidc-provider"
import { client, features } from "../../examples/revoke/oidc-provider.mjs"

const key = async alg => {
  const { privateKey } = await generateKeyPair(alg, { extractable: true })
  return { ...(await exportJWK(privateKey)), alg, use: "sig", kid: `key-${alg}` }
}
const keys = await Promise.all(["RS256", "ES256", "EdDSA"].map(key))
const toldOfLogouts = (client_id, settings) => ({
  client_id, client_secret: "not a secret, a test", redirect_uris: process.env.REDIRECT_URIS.split(" "), ...settings,
})
const server = http.createServer()
server.listen(0, "127.0.0.1", () => {
  const { port } = server.address()
  const provider = new Provider(`http://127.0.0.1:${port}`, {
    clients: [
      { client_id: "app", client_secret: "not a secret, a test", redirect_uris: process.env.REDIRECT_URIS.split(" ") },
      {
        client_id: "machine", client_secret: "not a secret, a test", redirect_uris: [], response_types: [],
        grant_types: ["client_credentials"],
      },
      ...(process.env.AUTH_REVOKE_URL ? [
        toldOfLogouts("by-session", client),
        toldOfLogouts("by-user", { ...client, backchannel_logout_session_required: false }),
      ] : []),
    ],
    jwks: { keys },
    enabledJWA: { idTokenSigningAlgValues: ["RS256", "ES256", "EdDSA"] },
    features: {
      ...features,
      clientCredentials: { enabled: true },
      resourceIndicators: {
        enabled: true,
        getResourceServerInfo: (_, resource) => ({
          scope: "read", audience: new URL(resource).searchParams.get("audience") ?? "api",
          accessTokenTTL: 600, accessTokenFormat: "jwt",
          jwt: { sign: { alg: new URL(resource).pathname.slice(1) } },
        }),
      },
    },
    extraTokenClaims: (_, { sid }) => (sid ? { sid } : undefined),
    // The dispatcher of the provider refuses loopback addresses, where the apps of the tests are.
    fetch: (url, { dispatcher, ...options }) => fetch(url, options),
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
