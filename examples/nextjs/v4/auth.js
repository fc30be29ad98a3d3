// The configuration of next-auth v4. It has no settings for auth-proxy.
import Credentials from "next-auth/providers/credentials"

const { ISSUER, CLIENT_ID = "app", CLIENT_SECRET = "not a secret, a test" } = process.env

/** @type {import("next-auth").AuthOptions} */
export const options = {
  secret: process.env.AUTH_SECRET,
  providers: [
    Credentials({
      credentials: { username: {}, password: { type: "password" } },
      authorize: ({ username, password }) =>
        username === "demo" && password === "demo" ? { id: "1", name: "Demo", email: "demo@example.com" } : null,
    }),
    ...(ISSUER
      ? [{
          id: "idp", name: "IdP", type: "oauth", wellKnown: `${ISSUER}/.well-known/openid-configuration`,
          authorization: { params: { scope: "openid email profile" } }, idToken: true, checks: ["pkce", "state"],
          clientId: CLIENT_ID, clientSecret: CLIENT_SECRET,
          profile: ({ sub, name, email }) => ({ id: sub, name, email }),
        }]
      : []),
  ],
}
