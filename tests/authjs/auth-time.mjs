// Notes when the visitor signed in. `account` comes along with a sign-in only: a lookup calls `jwt` too, and renews `iat`.
export const callbacks = {
  jwt({ token, account, profile }) {
    if (account) token.auth_time = profile?.auth_time ?? Math.floor(Date.now() / 1000)
    return token
  },
  session({ session, token }) {
    session.auth_time = token.auth_time
    return session
  },
}
