// Registers with the browser client at the fake Robo.js server behind APP. A rejected registration names the reason, and
// a successful one signs in.
import assert from "node:assert/strict"
import { launch } from "./chromium.mjs"
import { inside } from "./inside.mjs"

const { APP, STRATEGY } = process.env
const { browser, page } = await launch()
const run = inside(page)
const signUp = (fields) => run("return client.signUp(argument)", fields)
const ada = { email: "Ada@example.com", password: "a good password", passwordConfirm: "a good password" }

await page.goto(`${APP}/page`)
for (const [change, error] of [
  [{ email: "nobody" }, "InvalidEmail"],
  [{ password: "short" }, "InvalidPassword"],
  [{ passwordConfirm: "another password" }, "PasswordMismatch"],
  [{ csrfToken: "forged" }, "InvalidCsrf"],
]) {
  assert.deepEqual(await signUp({ ...ada, ...change }), { ok: false, status: 400, error }, error)
  assert.equal(await run("return client.getSession()"), null)
}
assert.deepEqual(await signUp({ ...ada, callbackUrl: "/protected" }), { ok: true, status: 302, url: `${APP}/protected` })
assert.equal((await run("return client.getSession()")).user.email, "ada@example.com")
await run("return client.signOut({}, {}, false)")
assert.deepEqual(await signUp(ada), { ok: false, status: 400, error: "EmailTaken" })

// The visitor signs in with the registered password, which the client sends no more often than needed.
const sent = []
page.on("request", (request) => request.url().endsWith("/callback/credentials") && sent.push(request.postData()))
const signIn = (password, redirect) =>
  run(`return client.signIn("credentials", { email: "ada@example.com", password: argument, callbackUrl: "/page?in" }, {}, ${redirect})`, password)
const wrong = await signIn("a wrong password", false)
assert.deepEqual([wrong.ok, wrong.error, sent.length], [false, "CredentialsSignin", 1])
const right = await signIn("a good password", false)
assert.deepEqual([right.ok, right.error ?? null, right.url], [true, null, `${APP}/page?in`])
assert.equal((await run("return client.getSession()")).user.name, "ada")
// Robo.js with database sessions signs in only when it may redirect, so the client sends the password twice.
assert.equal(sent.length, STRATEGY === "database" ? 3 : 2)
await run("return client.signOut({}, {}, false)")

// The same with `redirect: true`: the client navigates.
signIn("a good password", true).catch(() => {})
await page.waitForURL(`${APP}/page?in`)
assert.equal((await run("return client.getSession()")).user.name, "ada")
await run("return client.signOut({}, {}, false)")

// A `signIn` callback of Auth.js can accept the password and redirect to another page without a session. The client
// must not report a sign-in, and must not send the password again.
const elsewhere = await run(`
  let posts = 0
  const fetch = async (url, init) => {
    if (init.method === "POST") posts += 1
    return Response.json(init.method === "POST" ? { url: "/second-factor" } : String(url).endsWith("/csrf") ? { csrfToken: "x" } : null)
  }
  const result = await client.signIn("credentials", { password: "p", callbackUrl: "/page" }, { fetch }, false)
  return { ok: result.ok, url: result.url, error: result.error, posts }`)
assert.deepEqual(elsewhere, { ok: false, url: `${APP}/second-factor`, error: "SessionMissing", posts: 1 })
// When the lookup after the sign-in fails by an outage, the client throws: it knows of no session, nor that there is
// none.
const outage = await run(`
  let posts = 0
  const fetch = async (url, init) => {
    if (init.method === "POST") return (posts += 1), Response.json({ url: "/page" })
    return String(url).endsWith("/csrf") ? Response.json({ csrfToken: "x" }) : Response.json({ code: "upstream_timeout" }, { status: 504 })
  }
  try { await client.signIn("credentials", { callbackUrl: "/page" }, { fetch }, false) } catch (error) { return { code: error.code, status: error.status, posts } }`)
assert.deepEqual(outage, { code: "upstream_timeout", status: 504, posts: 1 })
await browser.close()
console.log("registered and signed in")
