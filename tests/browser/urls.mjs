// The browser client returns http and https URLs only, and a URL that no server has checked only if it is of this app.
// A `callbackUrl` reaches the server as an absolute URL.
import assert from "node:assert/strict"
import { launch } from "./chromium.mjs"
import { inside } from "./inside.mjs"

const { APP, OTHER } = process.env
const { browser, page } = await launch()
const run = inside(page)
const password = "a good password"
const HOST = new URL(APP).host
const ROOT = `${APP}/`

await page.goto(`${APP}/page`)
// Each case: the `callbackUrl`, the URL that `signUp` returns, and the `callbackUrl` that `signIn` sends to the server.
const cases = [
  ["/protected?a=b#c", `${APP}/protected?a=b#c`, `${APP}/protected?a=b#c`],
  ["me", `${APP}/me`, `${APP}/me`],
  ["?tab=1", `${APP}/page?tab=1`, `${APP}/page?tab=1`],
  [`${APP}/me`, `${APP}/me`, `${APP}/me`],
  ["https://evil.example/x", ROOT, "https://evil.example/x"],
  ["//evil.example", ROOT, "http://evil.example/"],
  ["/\\evil.example", ROOT, "http://evil.example/"],
  ["/\t/evil.example", ROOT, "http://evil.example/"],
  [`http://${HOST}@evil.example/`, ROOT, `http://${HOST}@evil.example/`],
  [`${OTHER}/x`, ROOT, `${OTHER}/x`],
  [`ftp://${HOST}/`, ROOT, ROOT],
  [`blob:${APP}/x`, ROOT, ROOT],
  ["javascript:alert(1)", ROOT, ROOT],
  [" java\nscript:alert(1)", ROOT, ROOT],
  ["data:text/html,<script>alert(1)</script>", ROOT, ROOT],
  ["http://[", ROOT, ROOT],
]
let users = 0
for (const [callbackUrl, registered, asked] of cases) {
  const fields = { email: `user${++users}@example.com`, password, passwordConfirm: password, callbackUrl }
  const result = await run("return client.signUp(argument)", fields)
  assert.deepEqual(result, { ok: true, status: 302, url: registered }, callbackUrl)
  await run("return client.signOut({}, {}, false)")
  for (const call of [`signIn("credentials", { callbackUrl: argument }`, `signIn("idp", { callbackUrl: argument }`, "signOut({ callbackUrl: argument }"]) {
    const posted = page.waitForRequest((request) => request.method() === "POST")
    await Promise.all([posted, run(`return client.${call}, {}, false)`, callbackUrl)])
    assert.equal(new URLSearchParams((await posted).postData()).get("callbackUrl"), asked, `${call} ${callbackUrl}`)
  }
}
// Without a `callbackUrl`, `signOut` sends the URL of the page, and `signUp` returns the root.
const none = { email: "none@example.com", password, passwordConfirm: password }
assert.deepEqual(await run("return client.signUp(argument)", none), { ok: true, status: 302, url: ROOT })
const [posted] = await Promise.all([page.waitForRequest((request) => request.method() === "POST"), run("return client.signOut({}, {}, false)")])
assert.equal(new URLSearchParams(posted.postData()).get("callbackUrl"), `${APP}/page`)

// A relative `callbackUrl` follows the `<base>` of the page, as links do.
await page.evaluate(() => document.head.append(Object.assign(document.createElement("base"), { href: "/below/" })))
const based = { ...none, email: "based@example.com", callbackUrl: "me" }
assert.deepEqual(await run("return client.signUp(argument)", based), { ok: true, status: 302, url: `${APP}/below/me` })
// With `baseUrl` a relative `callbackUrl` is still relative to the page, and URLs of the `baseUrl` are allowed too.
const named = (callbackUrl) =>
  run(`const fetch = async (url, init) => init.method === "POST" ? Response.redirect("/") : Response.json({ user: {}, csrfToken: "x" })
    return (await client.signUp({ callbackUrl: argument }, { baseUrl: "https://auth.example.com", fetch })).url`, callbackUrl)
assert.equal(await named("https://auth.example.com/x"), "https://auth.example.com/x")
assert.equal(await named("/x"), `${APP}/x`)
assert.equal(await named("https://evil.example/x"), "https://auth.example.com/")

// The client does not navigate to a URL of the server with another scheme than http and https.
for (const url of ["javascript:alert(1)", "data:text/html,x", " java\tscript:alert(1)", `blob:${APP}/x`, "http://["]) {
  for (const call of [`signIn("credentials", {}`, `signIn("idp", {}`, "signOut({}"]) {
    for (const redirect of ["true", "false"]) {
      const error = await run(`const fetch = async () => Response.json({ url: argument, csrfToken: "x" })
        return client.${call}, { fetch }, ${redirect})`, url)
      assert.equal(error.name, "AuthError", `${call} ${url}`)
    }
  }
}
assert.equal(page.url(), `${APP}/page`)
await browser.close()
console.log("only to web pages")
