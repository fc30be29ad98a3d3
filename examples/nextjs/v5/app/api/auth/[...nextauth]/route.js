import { createHash, timingSafeEqual } from "node:crypto"
import { handlers } from "../../../../auth"

const hash = (text) => createHash("sha256").update(text ?? "").digest()

/** Whether auth-proxy sent this request: its `upstream.headers` has this server's `AUTH_PROXY_KEY` as `x-api-key`. */
function isFromProxy(request) {
  const { AUTH_PROXY_KEY } = process.env
  return Boolean(AUTH_PROXY_KEY) && timingSafeEqual(hash(request.headers.get("x-api-key")), hash(AUTH_PROXY_KEY))
}

/**
 * Gives the handler the URL that the browser requested. `next start` builds `request.url` from its own host and port,
 * and next-auth builds forms, callback URLs and redirects from `request.url`.
 * Any client can send `X-Forwarded-Host`, so it counts only with the key. auth-proxy overwrites the values of clients.
 */
function forwarded(handler) {
  return (request) => {
    // If one of these is set, next-auth replaces the origin by its value anyway.
    const authUrl = process.env.AUTH_URL ?? process.env.NEXTAUTH_URL
    if (authUrl || !isFromProxy(request)) return handler(request)
    const origin = `${request.headers.get("x-forwarded-proto")}://${request.headers.get("x-forwarded-host")}`
    const { href, origin: own } = new URL(request.url)
    // A Request and not a NextRequest, which turns 127.0.0.1 into localhost.
    return handler(new Request(origin + href.slice(own.length), request))
  }
}

export const GET = forwarded(handlers.GET)
export const POST = forwarded(handlers.POST)
