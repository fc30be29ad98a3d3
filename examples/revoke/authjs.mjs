import { revoke } from "./revoke.mjs"

export const events = {
  async signOut({ token }) {
    if (token?.jti) await revoke({ session: token.jti })
  },
}
