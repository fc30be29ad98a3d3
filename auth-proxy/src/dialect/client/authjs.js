// What the browser client does with the routes of Auth.js, next-auth and Robo.js. `shared.js` is put before it.

/**
 * Signs in with a provider. Navigates unless `redirect` says otherwise.
 *
 * Credentials are `ok` only if a session exists: a server can accept them and still create none.
 * @see https://authjs.dev/reference/core/types#publicprovider for the ids
 */
export async function signIn(provider, options = {}, where = {}, redirect = true) {
  const { callbackUrl, csrfToken, ...fields } = options
  const form = { ...fields, callbackUrl: absoluteCallbackUrl(callbackUrl, where), csrfToken: csrfToken ?? (await getCsrfToken(where)) }
  if (provider === "credentials") return navigateOrReturn(await signInWithCredentials(form, where), redirect)
  return navigateOrReturn(requireResult(await postForUrl(`signin/${encodeURIComponent(provider)}`, form, where)), redirect)
}

/** Signs out. Navigates unless `redirect` says otherwise. */
export async function signOut(options = {}, where = {}, redirect = true) {
  const { callbackUrl, csrfToken } = options
  const form = { callbackUrl: absoluteCallbackUrl(callbackUrl, where), csrfToken: csrfToken ?? (await getCsrfToken(where)) }
  const result = await postForUrl("signout", form, where)
  if (result) return navigateOrReturn(result, redirect)
  return navigateOrReturn(resultOfRedirect(!(await isSignedIn(where)), form.callbackUrl, "signout", "SignoutFailed", where), redirect)
}

/** Registers with email and password at a Robo.js server. Returns the server's result. */
export async function signUp(fields, where = {}) {
  const { callbackUrl } = fields
  const csrfToken = fields.csrfToken ?? (await getCsrfToken(where))
  const form = { ...fields, callbackUrl: callbackUrl && destination(callbackUrl, where), csrfToken }
  const response = await post("signup", form, { accept: "application/json" }, where)
  if (isRedirect(response)) {
    // After a registration Robo signs the user in and redirects. Its errors are JSON.
    const ok = await isSignedIn(where)
    return ok ? { ok, status: 302, url: destination(callbackUrl, where) } : { ok, status: 302, error: "SignupFailed" }
  }
  const data = await json(response)
  return { ok: false, status: response.status, error: data?.error ?? "SignupFailed" }
}

/** The session, or null for a signed-out visitor. Throws if that is unknown. */
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

async function signInWithCredentials(form, where) {
  const action = "callback/credentials"
  const result = await postForUrl(action, form, where)
  if (!result) return resultOfRedirect(await isSignedIn(where), form.callbackUrl, "signin", "CredentialsSignin", where)
  if (!result.ok || (await isSignedIn(where))) return result
  // Robo with database sessions sets its session cookie on redirects only, so post again as a form does. But if the
  // server returned another URL than requested, its `signIn` callback refused the sign-in: do not send the password
  // again.
  const { pathname, search } = new URL(result.url)
  if (result.url === form.callbackUrl || pathname + search === "/") {
    await post(action, form, {}, where)
    if (await isSignedIn(where)) return result
  }
  return { ...result, ok: false, error: "SessionMissing" }
}

/** Posts a form and reads the URL in the response. Null if the server redirects, though it was asked for the URL. */
async function postForUrl(action, form, where) {
  // Auth.js returns the URL for the header, next-auth v4 for the field.
  const response = await post(action, { ...form, json: "true" }, { "x-auth-return-redirect": "1" }, where)
  if (isRedirect(response)) return null
  const url = (await json(response))?.url
  if (typeof url !== "string") throw await failure(response, "the sign-in service returned no URL")
  const target = webPage(url, routes(where))
  if (!target) throw new AuthError("the sign-in service returned a URL that is not http or https")
  const error = target.searchParams.get("error") ?? undefined
  const code = (error && target.searchParams.get("code")) || undefined
  return { ok: response.ok && !error, status: response.status, url: target.href, error, code }
}

function requireResult(result) {
  if (!result) throw new AuthError("the sign-in service returned no URL")
  return result
}

/** The result of a redirect. Scripts cannot read its target or its error, so `ok` comes from the session. */
function resultOfRedirect(ok, callbackUrl, page, error, where) {
  const status = 302
  if (ok) return { ok, status, url: destination(callbackUrl, where) }
  return { ok, status, url: new URL(`${page}?error=${error}`, routes(where)).href, error }
}

async function isSignedIn(where) {
  // next-auth v4 answers {} for a signed-out visitor.
  return Object.keys((await read("session", where)) ?? {}).length > 0
}

function post(action, form, headers, where) {
  // Redirects are not followed: their target may not allow requests from scripts of this origin.
  return call(action, { method: "POST", body: new URLSearchParams(withoutBlanks(form)), headers, redirect: "manual" }, where)
}

/** Browsers report a redirect that is not followed as `opaqueredirect`, other runtimes as a response with its status. */
function isRedirect(response) {
  return response.type === "opaqueredirect" || (response.status >= 300 && response.status < 400)
}
