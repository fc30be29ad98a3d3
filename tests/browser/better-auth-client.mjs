// Calls every function of the browser client for Better Auth, from a page with a strict content security policy. A real
// server is behind APP, with its control port at CONTROL. VERSION is 1.7 or 1.6.
import assert from "node:assert/strict"
import { launch } from "./chromium.mjs"
import { inside } from "./inside.mjs"
import { passProvider } from "./provider.mjs"

const { APP, CONTROL, VERSION } = process.env
const { browser, page } = await launch()
const run = inside(page)
const database = (up) => fetch(`${CONTROL}/database`, { method: "POST", body: JSON.stringify({ up }) })
const ada = { email: "ada@example.com", password: "a good password" }
const signUp = (fields) => run("return client.signUp(argument)", fields)
const signIn = (fields, redirect = false) => run(`return client.signIn("credentials", argument, {}, ${redirect})`, fields)
const email = async () => (await run("return client.getSession()"))?.user.email

await page.goto(`${APP}/page`)
assert.equal(await run("return client.getSession()"), null)
assert.deepEqual(await run("return client.getProviders()"), {})
assert.equal(await run("return client.getCsrfToken()"), "")

// Registration.
for (const [change, status, error] of [
  [{ password: "short" }, 400, "PASSWORD_TOO_SHORT"],
  [{ passwordConfirm: "another password" }, 400, "PasswordMismatch"],
]) {
  assert.deepEqual(await signUp({ ...ada, ...change }), { ok: false, status, error }, error)
  assert.equal(await run("return client.getSession()"), null)
}
const registered = await signUp({ ...ada, passwordConfirm: ada.password, callbackUrl: "/protected" })
assert.deepEqual(registered, { ok: true, status: 200, url: `${APP}/protected` })
const session = await run("return client.getSession()")
assert.deepEqual([session.user.email, session.user.name], [ada.email, "ada"])
assert.match(session.expires, /^\d{4}-\d\d-\d\dT[\d:.]+Z$/)
assert.equal(session.session.userId, session.user.id)
assert.equal("token" in session.session, false)
const out = await run("return client.signOut({ callbackUrl: '/page?out' }, {}, false)")
assert.deepEqual(out, { ok: true, status: 200, url: `${APP}/page?out` })
assert.equal(await run("return client.getSession()"), null)
const taken = await signUp(ada)
assert.deepEqual([taken.ok, taken.status, taken.error], [false, 422, "USER_ALREADY_EXISTS_USE_ANOTHER_EMAIL"])

// Credentials.
const wrong = await signIn({ ...ada, password: "a wrong password" })
const code = "INVALID_EMAIL_OR_PASSWORD"
assert.deepEqual(wrong, { ok: false, status: 401, url: `${APP}/api/auth/error?error=${code}`, error: "CredentialsSignin", code })
assert.deepEqual(await signIn({ ...ada, callbackUrl: "/me" }), { ok: true, status: 200, url: `${APP}/me` })
assert.equal(await email(), ada.email)
const foreign = await signIn({ ...ada, callbackUrl: "https://evil.example/" })
assert.deepEqual([foreign.ok, foreign.status, foreign.code], [false, 403, "INVALID_CALLBACK_URL"])
// A sign-out goes to this app only, and is not refused.
const left = await run("return client.signOut({ callbackUrl: 'https://evil.example/' }, {}, false)")
assert.deepEqual([left.ok, left.url], [true, `${APP}/`])
assert.equal(await email(), undefined)

// URLs that are not http or https, of the page and of the server.
for (const url of ["javascript:alert(1)", "data:text/html,x", " java\tscript:alert(1)", "http://["]) {
  assert.deepEqual(await signIn({ ...ada, callbackUrl: url }), { ok: true, status: 200, url: `${APP}/` }, url)
  assert.equal((await run("return client.signOut({ callbackUrl: argument }, {}, false)", url)).url, `${APP}/`)
  for (const call of [`signIn("credentials", {}`, `signIn("idp", {}`]) {
    for (const redirect of ["true", "false"]) {
      const error = await run(`const fetch = async () => Response.json({ url: argument, token: "t", user: {} })
        return client.${call}, { fetch }, ${redirect})`, url)
      assert.equal(error.name, "AuthError", `${call} ${url}`)
    }
  }
}
assert.equal(page.url(), `${APP}/page`)

// 'manual' returns the URL of the provider, and a visit to that URL completes the sign-in.
const manual = await run(`return client.signIn("idp", { callbackUrl: "/protected" }, {}, "manual")`)
assert.equal(manual.ok, true)
await page.goto(manual.url)
await passProvider(page, `${APP}/protected`)
await page.goto(`${APP}/page`)
assert.equal(await email(), "ada@idp.example")
const unknown = await run(`return client.signIn("nobody", {}, {}, false)`)
// 1.6 is asked at the route of the plugin too, which refuses without a code.
const refusal = VERSION === "1.7" ? [404, "PROVIDER_NOT_FOUND"] : [400, undefined]
assert.deepEqual([unknown.ok, unknown.error, unknown.status, unknown.code], [false, "OAuthSignin", ...refusal])

// `true` navigates by itself, and the rest of the script does not run.
run("await client.signOut({ callbackUrl: '/page?bye' }); document.title = 'ran on'").catch(() => {})
await page.waitForURL(`${APP}/page?bye`)
assert.notEqual(await page.title(), "ran on")
assert.equal(await email(), undefined)
signIn({ ...ada, callbackUrl: "/page?in" }, true).catch(() => {})
await page.waitForURL(`${APP}/page?in`)
assert.equal(await email(), ada.email)
signIn({ ...ada, password: "a wrong password" }, true).catch(() => {})
await page.waitForURL(`${APP}/api/auth/error?error=${code}`)
await page.goto(`${APP}/page`)
run(`await client.signIn("idp", { callbackUrl: "/protected" })`).catch(() => {})
await passProvider(page, `${APP}/protected`)

// With a second factor the server accepts the password and creates no session.
await page.goto(`${APP}/page`)
const second = await run(`return client.signIn("credentials", { callbackUrl: "/me" }, { fetch: async () => Response.json({ twoFactorRedirect: true }) }, false)`)
assert.deepEqual(second, { ok: false, status: 200, url: `${APP}/me`, error: "SessionMissing" })
const unverified = await run("return client.signUp({ email: 'a@b.example' }, { fetch: async () => Response.json({ token: null, user: {} }) })")
assert.deepEqual(unverified, { ok: false, status: 200, error: "SessionMissing" })
// A session that the server extends by a POST only.
const deferred = await run(`const posts = []
  const fetch = async (url, init) => (init.method === "POST" && posts.push(new URL(url).pathname), Response.json({ needsRefresh: true, user: { id: "1" }, session: { expiresAt: "x" } }))
  return [await client.getSession({ fetch }), posts]`)
assert.deepEqual(deferred, [{ user: { id: "1" }, expires: "x", session: { expiresAt: "x" } }, ["/api/auth/get-session"]])

// In an outage the client throws, and says neither that there is a session nor that there is none.
await database(false)
for (const call of ["getSession()", `signIn("credentials", { email: "ada@example.com", password: "a good password" }, {}, false)`, `signUp({ email: "b@example.com", password: "a good password" })`]) {
  const outage = await run(`return client.${call}`)
  assert.equal(outage.name, "AuthError", `${call} ${JSON.stringify(outage)}`)
  assert.ok(outage.status >= 500, `${call} ${JSON.stringify(outage)}`)
}
await database(true)
const lost = await run(`return client.getSession({ basePath: "/nowhere" })`)
assert.equal(lost.name, "AuthError")
await browser.close()
console.log("every function works")
