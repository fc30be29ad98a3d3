import { createHmac } from "node:crypto"

/**
 * Revokes tokens in the app. Returns whether every instance of the app knows it. It never throws, so that visitors can
 * sign out while the app is down.
 */
export async function revoke(message) {
  const body = JSON.stringify(message)
  try {
    let answer = await send(body)
    if (answer.status === 503) {
      await new Promise((done) => setTimeout(done, 500))
      answer = await send(body)
    }
    if (answer.status === 204) return true
    console.error(`tokens were not revoked: ${answer.status} ${(await answer.text()).slice(0, 200)}`)
  } catch (error) {
    console.error(`tokens were not revoked: ${error.cause ?? error}`)
  }
  return false
}

function send(body) {
  // The URL is https://app.example.com/api/auth/_revoke, or that of an instance.
  const { AUTH_REVOKE_URL, AUTH_REVOKE_SECRET } = process.env
  const seconds = Math.floor(Date.now() / 1000)
  const hmac = createHmac("sha256", AUTH_REVOKE_SECRET).update(`${seconds}.${body}`).digest("hex")
  return fetch(AUTH_REVOKE_URL, {
    method: "POST",
    headers: { "content-type": "application/json", "x-auth-proxy-signature": `t=${seconds},v1=${hmac}` },
    body,
    signal: AbortSignal.timeout(6500),
  })
}
