import { createHash, timingSafeEqual } from "node:crypto"
import NextAuth from "next-auth"
import { options } from "../../../../auth"

const handler = NextAuth(options)

const hash = (text) => createHash("sha256").update(text ?? "").digest()

/** Whether auth-proxy sent this request: its `upstream.headers` has this server's `AUTH_PROXY_KEY` as `x-api-key`. */
function isFromProxy(request) {
  const { AUTH_PROXY_KEY } = process.env
  return Boolean(AUTH_PROXY_KEY) && timingSafeEqual(hash(request.headers.get("x-api-key")), hash(AUTH_PROXY_KEY))
}

/**
 * With `AUTH_TRUST_HOST` next-auth v4 builds its forms, callback URLs and redirects from `X-Forwarded-Host` and
 * `X-Forwarded-Proto` of any sender. auth-proxy overwrites the values of clients; all other requests are rejected.
 */
function forwarded(request, context) {
  if (process.env.AUTH_TRUST_HOST && !isFromProxy(request)) {
    return new Response("Sign in at the app: this server answers auth-proxy only.", { status: 403 })
  }
  return handler(request, context)
}

export { forwarded as GET, forwarded as POST }
