// Chromium's virtual authenticator: it stores passkeys, and confirms every request until `agrees(false)`.
export async function authenticatorOf(page) {
  const devtools = await page.context().newCDPSession(page)
  await devtools.send("WebAuthn.enable")
  const { authenticatorId } = await devtools.send("WebAuthn.addVirtualAuthenticator", {
    options: {
      protocol: "ctap2", transport: "internal", hasResidentKey: true, hasUserVerification: true,
      isUserVerified: true, automaticPresenceSimulation: true,
    },
  })
  return {
    /** Sets whether the authenticator confirms requests. */
    agrees: (enabled) => devtools.send("WebAuthn.setAutomaticPresenceSimulation", { authenticatorId, enabled }),
    /** The stored passkeys. */
    passkeys: async () => (await devtools.send("WebAuthn.getCredentials", { authenticatorId })).credentials,
  }
}
