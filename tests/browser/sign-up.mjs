// Registering with the browser client at a server that answers as Robo.js does, behind APP: what is
// refused says why, and who has registered is signed in.
import assert from "node:assert/strict"
import { launch } from "./chromium.mjs"
import { inside } from "./inside.mjs"

const { APP } = process.env
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

// And signs in again with what was registered.
const right = await run(`return client.signIn("credentials", { email: "ada@example.com", password: "a good password" }, {}, false)`)
assert.equal(right.ok, true)
assert.equal((await run("return client.getSession()")).user.name, "ada")
await browser.close()
console.log("registered and signed in")
