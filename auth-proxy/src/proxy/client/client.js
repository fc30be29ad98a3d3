// The sign-in routes for pages that have no bundler. Served next to the routes it calls, so that it
// knows where they are; no dependencies, no inline code, nothing but fetch. Every URL that it answers with
// or goes to is http or https.

const HERE = new URL("./", import.meta.url)

/** Why a call did not do what it was asked: the status of the answer, and its code where it has one. */
export class AuthError extends Error {
  constructor(message, { status, code } = {}) {
    super(message)
    this.name = "AuthError"
    this.status = status
    this.code = code
  }
}

/**
 * Signs in with a provider. Navigates unless `redirect` says otherwise.
 *
 * Credentials are `ok` once there is a session: a server can accept them and still sign nobody in.
 * @see https://authjs.dev/reference/core/types#publicprovider for the ids
 */
export async function signIn(provider, options = {}, where = {}, redirect = true) {
  const { callbackUrl, csrfToken, ...fields } = options
  const form = { ...fields, callbackUrl: asked(callbackUrl, where), csrfToken: csrfToken ?? (await getCsrfToken(where)) }
  if (provider === "credentials") return conclude(await signInHere(form, where), redirect)
  return conclude(said(await act(`signin/${encodeURIComponent(provider)}`, form, where)), redirect)
}

/** Signs out. Navigates unless `redirect` says otherwise. */
export async function signOut(options = {}, where = {}, redirect = true) {
  const { callbackUrl, csrfToken } = options
  const form = { callbackUrl: asked(callbackUrl, where), csrfToken: csrfToken ?? (await getCsrfToken(where)) }
  const result = await act("signout", form, where)
  if (result) return conclude(result, redirect)
  return conclude(hidden(!(await isSignedIn(where)), form.callbackUrl, "signout", "SignoutFailed", where), redirect)
}

/** Registers with email and password, at a Robo.js server. Answers as the server does. */
export async function signUp(fields, where = {}) {
  const { callbackUrl } = fields
  const csrfToken = fields.csrfToken ?? (await getCsrfToken(where))
  const form = { ...fields, callbackUrl: callbackUrl && destination(callbackUrl, where), csrfToken }
  const response = await post("signup", form, { accept: "application/json" }, where)
  if (isRedirect(response)) {
    // Robo redirects somebody who has registered, and signs them in. Its errors are JSON.
    const ok = await isSignedIn(where)
    return ok ? { ok, status: 302, url: destination(callbackUrl, where) } : { ok, status: 302, error: "SignupFailed" }
  }
  const data = await json(response)
  return { ok: false, status: response.status, error: data?.error ?? "SignupFailed" }
}

/** The session, or null when nobody is signed in. Throws when nobody can tell. */
export async function getSession(where = {}) {
  const session = await read("session", where)
  return session?.user ? session : null
}

/** The providers by id. */
export async function getProviders(where = {}) {
  return read("providers", where)
}

/** The token that every form to the sign-in routes carries. */
export async function getCsrfToken(where = {}) {
  return (await read("csrf", where)).csrfToken
}

async function signInHere(form, where) {
  const action = "callback/credentials"
  const result = await act(action, form, where)
  if (!result) return hidden(await isSignedIn(where), form.callbackUrl, "signin", "CredentialsSignin", where)
  if (!result.ok || (await isSignedIn(where))) return result
  // Robo with database sessions adds the cookie that counts to redirects only: post as a form does. Not where the
  // server sends the visitor elsewhere than asked, as its `signIn` callback can: it meant to sign nobody in, and the
  // password is not sent twice.
  const { pathname, search } = new URL(result.url)
  if (result.url === form.callbackUrl || pathname + search === "/") {
    await post(action, form, {}, where)
    if (await isSignedIn(where)) return result
  }
  return { ...result, ok: false, error: "SessionMissing" }
}

/** What the server says to a form; null when it redirects in spite of being asked to say where to. */
async function act(action, form, where) {
  // Auth.js says where to go for the header, next-auth v4 for the field.
  const response = await post(action, { ...form, json: "true" }, { "x-auth-return-redirect": "1" }, where)
  if (isRedirect(response)) return null
  const url = (await json(response))?.url
  if (typeof url !== "string") throw await failure(response, "the sign-in service did not say where to go")
  const target = webPage(url, routes(where))
  if (!target) throw new AuthError("the sign-in service named no web page")
  const error = target.searchParams.get("error") ?? undefined
  const code = (error && target.searchParams.get("code")) || undefined
  return { ok: response.ok && !error, status: response.status, url: target.href, error, code }
}

function said(result) {
  if (!result) throw new AuthError("the sign-in service did not say where to go")
  return result
}

/** The result of a redirect: its target and its error are hidden from scripts, so the session tells whether it is `ok`. */
function hidden(ok, callbackUrl, page, error, where) {
  const status = 302
  if (ok) return { ok, status, url: destination(callbackUrl, where) }
  return { ok, status, url: new URL(`${page}?error=${error}`, routes(where)).href, error }
}

async function isSignedIn(where) {
  // next-auth v4 says {} for nobody.
  return Object.keys((await read("session", where)) ?? {}).length > 0
}

/** What the server is told of the `callbackUrl` that a page gave: absolute, since the server may be on another host. */
function asked(callbackUrl, where) {
  const url = callbackUrl ?? globalThis.location?.href
  return url === undefined ? undefined : (webPage(url, pageBase(where)) ?? root(where)).href
}

/** Where to go when a redirect hid what the server says: this page's origin or that of the sign-in routes only. */
function destination(callbackUrl, where) {
  const url = callbackUrl ? webPage(callbackUrl, pageBase(where)) : null
  const own = [root(where).origin, globalThis.location?.origin]
  return (url && own.includes(url.origin) ? url : root(where)).href
}

/** A URL, if it is of a web page. A page that navigates to javascript: or data: runs it. */
function webPage(text, base) {
  try {
    const url = new URL(text, base)
    return /^https?:$/.test(url.protocol) ? url : null
  } catch {
    return null
  }
}

function conclude(result, redirect) {
  if (redirect !== true) return result
  globalThis.location.assign(result.url)
  // The page is on its way out: nothing after `await` is to run.
  return new Promise(() => {})
}

async function read(action, where) {
  const response = await call(action, { headers: { accept: "application/json" } }, where)
  const data = response.ok ? await json(response) : undefined
  if (data === undefined || typeof data === "string") throw await failure(response, `${action} cannot be read`)
  return data
}

function post(action, form, headers, where) {
  // A redirect is not followed: where it leads need not answer to scripts of this origin.
  return call(action, { method: "POST", body: new URLSearchParams(withoutBlanks(form)), headers, redirect: "manual" }, where)
}

function call(action, init, where) {
  const { headers, fetch = globalThis.fetch } = where
  const own = Object.fromEntries(new Headers(headers))
  return fetch(new URL(action, routes(where)), { credentials: "include", cache: "no-store", ...init, headers: { ...own, ...init.headers } })
}

/** What the sign-in routes are below. */
function routes({ baseUrl, basePath }) {
  return baseUrl || basePath ? new URL(`${basePath ?? HERE.pathname}/`.replace(/\/+$/, "/"), baseUrl ?? HERE) : HERE
}

function root(where) {
  return new URL("/", routes(where))
}

/** Outside of browsers a redirect that is not followed is an ordinary response. */
function isRedirect(response) {
  return response.type === "opaqueredirect" || (response.status >= 300 && response.status < 400)
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

/** What a relative URL on this page is relative to. */
function pageBase(where) {
  return globalThis.document?.baseURI ?? globalThis.location?.href ?? routes(where)
}
