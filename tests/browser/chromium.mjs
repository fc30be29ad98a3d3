// Chromium, started the way every script here wants it.
import { chromium } from "playwright-core"

/** A page of its own. With a `profile`, a folder, in an everyday window: a private one, as otherwise, blocks cookies of other sites. */
export async function launch({ profile } = {}) {
  const options = {
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: [
      "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
      "--disable-component-update", "--disable-sync", "--host-resolver-rules=MAP *.localtest 127.0.0.1",
    ],
  }
  // The certificates of tests are signed by themselves.
  const window = { viewport: { width: 800, height: 600 }, ignoreHTTPSErrors: true }
  const browser = profile
    ? await chromium.launchPersistentContext(profile, { ...options, ...window })
    : await chromium.launch(options)
  const page = await (profile ? browser.newPage() : browser.newPage(window))
  page.setDefaultTimeout(30_000)
  return { browser, page }
}
