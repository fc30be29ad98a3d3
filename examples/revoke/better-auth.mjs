import { createHash } from "node:crypto"
import { revoke } from "./revoke.mjs"

export const databaseHooks = {
  session: {
    delete: {
      async after(session) {
        await revoke({ token_hash: createHash("sha256").update(session.token).digest("hex") })
      },
    },
  },
}
