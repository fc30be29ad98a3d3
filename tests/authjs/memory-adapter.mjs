// An Auth.js adapter that keeps its rows in maps. Sign-out, expiry and passkeys work as with a real database.
import { randomUUID } from "node:crypto"

export function memoryAdapter() {
  const users = new Map()
  const accounts = new Map()
  const sessions = new Map()
  const authenticators = new Map()
  const accountKey = ({ provider, providerAccountId }) => `${provider}:${providerAccountId}`
  const user = (id) => users.get(id) ?? null
  return {
    async createUser(data) {
      const row = { ...data, id: data.id ?? randomUUID() }
      users.set(row.id, row)
      return row
    },
    async getUser(id) { return user(id) },
    async getUserByEmail(email) { return [...users.values()].find((row) => row.email === email) ?? null },
    async getUserByAccount(key) { return user(accounts.get(accountKey(key))?.userId) },
    async updateUser(data) {
      const row = { ...users.get(data.id), ...data }
      users.set(row.id, row)
      return row
    },
    async linkAccount(data) { accounts.set(accountKey(data), data); return data },
    async createSession(data) { sessions.set(data.sessionToken, data); return data },
    async getSessionAndUser(token) {
      const session = sessions.get(token)
      return session ? { session, user: user(session.userId) } : null
    },
    async updateSession(data) {
      const row = { ...sessions.get(data.sessionToken), ...data }
      sessions.set(row.sessionToken, row)
      return row
    },
    async deleteSession(token) { sessions.delete(token) },
    async getAccount(providerAccountId, provider) { return accounts.get(accountKey({ provider, providerAccountId })) ?? null },
    async getAuthenticator(id) { return authenticators.get(id) ?? null },
    async createAuthenticator(data) { authenticators.set(data.credentialID, data); return data },
    async listAuthenticatorsByUserId(id) { return [...authenticators.values()].filter((row) => row.userId === id) },
    async updateAuthenticatorCounter(id, counter) {
      const row = { ...authenticators.get(id), counter }
      authenticators.set(id, row)
      return row
    },
  }
}
