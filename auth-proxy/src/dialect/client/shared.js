// The browser client of the sign-in routes, for pages without a bundler. It is served next to those routes, so it
// derives their URLs from its own. It has no dependencies and uses fetch only. Every URL that it returns or navigates to
// is http or https.

const HERE = new URL("./", import.meta.url)

/** A failed call: the status of the response, and its error code if it has one. */
export class AuthError extends Error {
  constructor(message, { status, code } = {}) {
    super(message)
    this.name = "AuthError"
    this.status = status
    this.code = code
  }
}

/** The absolute URL of a page's `callbackUrl`: the server may be on another host and would resolve it there. */
function absoluteCallbackUrl(callbackUrl, where) {
  const url = callbackUrl ?? globalThis.location?.href
  return url === undefined ? undefined : (webPage(url, pageBase(where)) ?? root(where)).href
}

/** Where to go after a redirect, whose target is hidden: only to the origin of this page or of the sign-in routes. */
function destination(callbackUrl, where) {
  const url = callbackUrl ? webPage(callbackUrl, pageBase(where)) : null
  const own = [root(where).origin, globalThis.location?.origin]
  return (url && own.includes(url.origin) ? url : root(where)).href
}

/** The URL if it is http or https, else null: a page that navigates to javascript: or data: would run it. */
function webPage(text, base) {
  try {
    const url = new URL(text, base)
    return /^https?:$/.test(url.protocol) ? url : null
  } catch {
    return null
  }
}

function navigateOrReturn(result, redirect) {
  if (redirect !== true) return result
  globalThis.location.assign(result.url)
  // The page is unloading: the caller's code after `await` must not run.
  return new Promise(() => {})
}

async function read(action, where) {
  const response = await call(action, { headers: { accept: "application/json" } }, where)
  const data = response.ok ? await json(response) : undefined
  if (data === undefined || typeof data === "string") throw await failure(response, `${action} cannot be read`)
  return data
}

function call(action, init, where) {
  const { headers, fetch = globalThis.fetch } = where
  const own = Object.fromEntries(new Headers(headers))
  return fetch(new URL(action, routes(where)), { credentials: "include", cache: "no-store", ...init, headers: { ...own, ...init.headers } })
}

/** The base URL of the sign-in routes. */
function routes({ baseUrl, basePath }) {
  return baseUrl || basePath ? new URL(`${basePath ?? HERE.pathname}/`.replace(/\/+$/, "/"), baseUrl ?? HERE) : HERE
}

function root(where) {
  return new URL("/", routes(where))
}

async function json(response) {
  try {
    return await response.clone().json()
  } catch {
    return undefined
  }
}

async function failure(response, message) {
  return new AuthError(message, { status: response.status, code: (await json(response))?.code })
}

function withoutBlanks(fields) {
  return Object.entries(fields).filter(([, value]) => value !== undefined && value !== null)
}

/** The base URL of relative URLs on this page. */
function pageBase(where) {
  return globalThis.document?.baseURI ?? globalThis.location?.href ?? routes(where)
}
