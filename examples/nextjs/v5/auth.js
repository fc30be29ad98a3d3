// The configuration of next-auth v5. auth-proxy needs only `trustHost`.
import NextAuth from "next-auth"
import Credentials from "next-auth/providers/credentials"

const { ISSUER, CLIENT_ID = "app", CLIENT_SECRET = "not a secret, a test" } = process.env

export const { handlers, auth } = NextAuth({
  // Without `trustHost` a self-hosted Auth.js rejects every request.
  trustHost: true,
  providers: [
    Credentials({
      credentials: { username: {}, password: { type: "password" } },
      authorize: ({ username, password }) =>
        username === "demo" && password === "demo" ? { id: "1", name: "Demo", email: "demo@example.com" } : null,
    }),
    ...(ISSUER
      ? [{ id: "idp", name: "IdP", type: "oidc", issuer: ISSUER, clientId: CLIENT_ID, clientSecret: CLIENT_SECRET, checks: ["pkce", "state"] }]
      : []),
  ],
})
