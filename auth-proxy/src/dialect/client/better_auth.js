// What the browser client does with the routes of Better Auth. `shared.js` is put before it.

/**
 * Signs in with email and password, or with a provider. Navigates unless `redirect` says otherwise.
 *
 * Credentials are `ok` only if a session exists: with a second factor the server accepts them and creates none yet.
 */
export async function signIn(provider, options = {}, where = {}, redirect = true) {
  const { callbackUrl, csrfToken, ...fields } = options
  const body = { ...fields, callbackURL: absoluteCallbackUrl(callbackUrl, where) }
  const sign = provider === "credentials" ? signInWithCredentials(body, where) : signInWithProvider(provider, body, where)
  return navigateOrReturn(await sign, redirect)
}

/**
 * Signs out. Navigates unless `redirect` says otherwise.
 *
 * The session at a provider goes on, as with Auth.js: `callbackUrl` says where to go, and not the provider.
 */
export async function signOut(options = {}, where = {}, redirect = true) {
  const answer = await post("sign-out", { disableRedirect: true }, where)
  if (!answer.ok) return navigateOrReturn(refused(answer, "SignoutFailed", where), redirect)
  const url = destination(options.callbackUrl ?? globalThis.location?.href, where)
  return navigateOrReturn({ ok: true, status: answer.status, url }, redirect)
}

/** Registers with email and password. */
export async function signUp(fields, where = {}) {
  const { callbackUrl, csrfToken, passwordConfirm, ...user } = fields
  if (passwordConfirm !== undefined && passwordConfirm !== user.password) return { ok: false, status: 400, error: "PasswordMismatch" }
  // The server requires a name.
  const body = { ...user, name: user.name ?? user.email?.split("@")[0], callbackURL: callbackUrl && destination(callbackUrl, where) }
  const { ok, status, data } = await post("sign-up/email", body, where)
  if (!ok) return { ok, status, error: data.code ?? "SignupFailed" }
  const url = destination(callbackUrl, where)
  return (await isSignedInBy(data, where)) ? { ok, status, url } : { ok: false, status, error: "SessionMissing" }
}

/** The session, or null for a signed-out visitor. Throws if that is unknown. */
export async function getSession(where = {}) {
  const data = await read("get-session", where)
  if (!data?.user) return null
  const { needsRefresh, ...session } = data
  // With `deferSessionRefresh` the server extends a session by a POST only.
  if (needsRefresh) await send("get-session", {}, where).catch(() => {})
  return { ...session, expires: session.session?.expiresAt }
}

/** None: the server has no route that lists its providers. */
export async function getProviders() {
  return {}
}

/** Empty: the server checks the `Origin` of a request instead of a token. */
export async function getCsrfToken() {
  return ""
}

async function signInWithCredentials(body, where) {
  const answer = await post("sign-in/email", body, where)
  if (!answer.ok) return refused(answer, "CredentialsSignin", where)
  const { status, data } = answer
  const url = target(data.url ?? body.callbackURL ?? root(where), where)
  return (await isSignedInBy(data, where)) ? { ok: true, status, url } : { ok: false, status, url, error: "SessionMissing" }
}

async function signInWithProvider(id, body, where) {
  let answer = await send("sign-in/social", { ...body, provider: id }, where)
  if (answer.status === 404 && answer.data?.code === "PROVIDER_NOT_FOUND") {
    // Before version 1.7 the providers of the plugin generic OAuth have their own route. Without it the response is empty.
    const other = await send("sign-in/oauth2", { ...body, providerId: id }, where)
    if (other.status !== 404 || other.data) answer = other
  }
  const { ok, status, data } = checked(answer)
  if (!ok) return refused(answer, "OAuthSignin", where)
  if (typeof data.url !== "string") throw new AuthError("the sign-in service returned no URL", { status })
  return { ok, status, url: target(data.url, where) }
}

/** Whether a sign-in or a registration created a session, and the browser has it. */
async function isSignedInBy(data, where) {
  return typeof data.token === "string" && (await getSession(where)) !== null
}

/** The result of a refusal, with the error page of the server. */
function refused({ status, data }, error, where) {
  const page = new URL("error", routes(where))
  page.searchParams.set("error", data.code ?? error)
  return { ok: false, status, url: page.href, error, code: data.code }
}

/** A URL of the server. */
function target(url, where) {
  const page = webPage(url, routes(where))
  if (!page) throw new AuthError("the sign-in service returned a URL that is not http or https")
  return page.href
}

async function post(action, body, where) {
  return checked(await send(action, body, where))
}

/** Throws unless the server accepted or refused the request: every refusal has a message. */
function checked(answer) {
  const { ok, status, data } = answer
  const isKnown = ok ? typeof data === "object" && data !== null : status < 500 && typeof data?.message === "string"
  if (!isKnown) throw new AuthError("the response of the sign-in service cannot be read", { status, code: data?.code })
  return answer
}

/** Posts JSON. The data is undefined if the response is not JSON. */
async function send(action, body, where) {
  const headers = { accept: "application/json", "content-type": "application/json" }
  const text = JSON.stringify(Object.fromEntries(withoutBlanks(body)))
  const response = await call(action, { method: "POST", body: text, headers, redirect: "manual" }, where)
  return { ok: response.ok, status: response.status, data: await json(response) }
}
