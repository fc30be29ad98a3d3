// A page at PAGE, on another port than APP, imports the client from APP, registers, signs in and signs out. Scripts of
// PAGE may not read the pages to which APP redirects afterwards. With HIDES a layer in front of APP removes the header
// with which the client requests the target as JSON, so APP answers with a redirect.
import assert from "node:assert/strict"
import { launch } from "./chromium.mjs"

const { APP, PAGE, HIDES } = process.env
const { browser, page } = await launch()
const run = (body) =>
  page.evaluate(
    async ([app, body]) => {
      const client = await import(`${app}/api/auth/client.js`)
      return new (async () => {}).constructor("client", "app", body)(client, app)
    },
    [APP, body],
  )
const signIn = (password) =>
  run(`return client.signIn("credentials", { email: "ada@example.com", password: "${password}", callbackUrl: app + "/protected" }, {}, false)`)

await page.goto(PAGE)
const refused = await page.evaluate((app) => fetch(`${app}/protected`, { credentials: "include" }).then(() => "read", () => "refused"), APP)
assert.equal(refused, "refused")
const registered = await run(`return client.signUp({ email: "ada@example.com", password: "a good password", passwordConfirm: "a good password" })`)
assert.deepEqual(registered, { ok: true, status: 302, url: `${APP}/` })
assert.equal((await run("return client.getSession()")).user.name, "ada")
assert.equal((await run("return client.signOut({}, {}, false)")).ok, true)
assert.equal(await run("return client.getSession()"), null)

const wrong = await signIn("a wrong password")
assert.deepEqual([wrong.ok, wrong.error, new URL(wrong.url).pathname], [false, "CredentialsSignin", "/api/auth/signin"])
const right = await signIn("a good password")
assert.deepEqual([right.ok, right.status, right.url], [true, HIDES ? 302 : 200, `${APP}/protected`])
assert.equal((await run("return client.getSession()")).user.name, "ada")
const out = await run("return client.signOut({ callbackUrl: app + '/page' }, {}, false)")
assert.deepEqual([out.ok, out.url], [true, `${APP}/page`])
assert.equal(await run("return client.getSession()"), null)
// With a redirect the client cannot learn the URL of a provider.
if (HIDES) await assert.rejects(run(`return client.signIn("idp", {}, {}, false)`), /returned no URL/)
await browser.close()
console.log("signed in from another origin")
