// The sign-in routes for pages that have no bundler. Served next to the routes it calls, so that it
// knows where they are; no dependencies, no inline code, nothing but fetch.

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
 * @see https://authjs.dev/reference/core/types#publicprovider for the ids
 */
export async function signIn(provider, options = {}, where = {}, redirect = true) {
  const { callbackUrl = currentPage(), csrfToken, ...fields } = options
  const action = provider === "credentials" ? "callback/credentials" : `signin/${encodeURIComponent(provider)}`
  return conclude(await act(action, { ...fields, callbackUrl, csrfToken }, where), redirect)
}

/** Signs out. Navigates unless `redirect` says otherwise. */
export async function signOut(options = {}, where = {}, redirect = true) {
  const { callbackUrl = currentPage(), csrfToken } = options
  return conclude(await act("signout", { callbackUrl, csrfToken }, where), redirect)
}

/** Registers with email and password, at a Robo.js server. Answers as the server does. */
export async function signUp(fields, where = {}) {
  const body = new URLSearchParams(withoutBlanks({ ...fields, csrfToken: fields.csrfToken ?? (await getCsrfToken(where)) }))
  const init = { method: "POST", body, redirect: "manual", headers: { accept: "application/json" } }
  const response = await call("signup", init, where)
  if (response.type === "opaqueredirect") {
    // Where to is hidden from scripts, and need not be of this app. Who has registered is signed in.
    const ok = (await getSession(where)) !== null
    return ok ? { ok, status: 302, url: new URL(fields.callbackUrl ?? "/", HERE).href } : { ok, status: 302, error: "SignupFailed" }
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

async function act(action, fields, where) {
  const csrfToken = fields.csrfToken ?? (await getCsrfToken(where))
  // Auth.js says where to go for the header, next-auth v4 for the field.
  const body = new URLSearchParams(withoutBlanks({ ...fields, csrfToken, json: "true" }))
  const headers = { "x-auth-return-redirect": "1" }
  const response = await call(action, { method: "POST", body, headers }, where)
  const url = (await json(response))?.url
  if (typeof url !== "string") throw await failure(response, "the sign-in service did not say where to go")
  const target = new URL(url, HERE)
  // A page that navigates to javascript: or data: runs it.
  if (!/^https?:$/.test(target.protocol)) throw new AuthError("the sign-in service named no web page")
  const error = target.searchParams.get("error") ?? undefined
  const code = (error && target.searchParams.get("code")) || undefined
  return { ok: response.ok && !error, status: response.status, url: target.href, error, code }
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

function call(action, init, { baseUrl, basePath, headers, fetch = globalThis.fetch } = {}) {
  const base = baseUrl || basePath ? new URL(`${basePath ?? HERE.pathname}/`.replace(/\/+$/, "/"), baseUrl ?? HERE) : HERE
  const own = Object.fromEntries(new Headers(headers))
  return fetch(new URL(action, base), { credentials: "include", cache: "no-store", ...init, headers: { ...own, ...init.headers } })
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

function currentPage() {
  return globalThis.location?.href
}
