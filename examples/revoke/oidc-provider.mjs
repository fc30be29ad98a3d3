/** For a client of the provider: where it is told of the end of a session (OpenID Connect Back-Channel Logout, section 2.2). */
export const client = {
  backchannel_logout_uri: process.env.AUTH_REVOKE_URL,
  backchannel_logout_session_required: true,
}

/** An option of the provider. */
export const features = { backchannelLogout: { enabled: true } }
