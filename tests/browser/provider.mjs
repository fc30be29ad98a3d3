// The forms of the test's OpenID provider.

/** Logs in and consents where the provider asks for that, until the page is at `to`. */
export async function passProvider(page, to) {
  const form = page.waitForSelector("input[name=login], input[name=prompt]", { state: "attached" }).catch(() => {})
  await Promise.race([form, page.waitForURL(to).catch(() => {})])
  if (await page.locator("input[name=login]").count()) {
    await page.fill("input[name=login]", "ada")
    await page.fill("input[name=password]", "any")
    await page.click("button[type=submit]")
    await page.waitForSelector("input[name=prompt][value=consent]", { state: "attached" })
  }
  if (await page.locator("input[name=prompt]").count()) await page.click("button[type=submit]")
  await page.waitForURL(to)
}
