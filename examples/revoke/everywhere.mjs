import { revoke } from "./revoke.mjs"

/** Ends every token that a user has got until now, on all devices. Returns whether every instance of the app knows it. */
export async function signOutEverywhere(userId) {
  // The time in a token has no fraction, so the tokens of this second end too.
  const next = Math.floor(Date.now() / 1000) + 1
  const isRevoked = await revoke({ subject: userId, issued_before: next })
  // A sign-in before the next second would be refused.
  await new Promise((done) => setTimeout(done, next * 1000 - Date.now()))
  return isRevoked
}
