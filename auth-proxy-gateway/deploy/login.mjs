// A login server to try the gateway with: Auth.js with the accounts demo/demo and admin/admin.
// `npm install express@4 @auth/express && AUTH_SECRET=.. node login.mjs`
import express from "express"
import { ExpressAuth } from "@auth/express"
import Credentials from "@auth/express/providers/credentials"

const users = { demo: { id: "1", name: "Demo", role: "user" }, admin: { id: "2", name: "Admin", role: "admin" } }

const login = Credentials({
  credentials: { username: { label: "Name" }, password: { label: "Password", type: "password" } },
  authorize: ({ username, password }) => (Object.hasOwn(users, username) && password === username ? users[username] : null),
})

const server = express()
server.set("trust proxy", true)
server.use("/api/auth/*", ExpressAuth({
  trustHost: true,
  providers: [login],
  callbacks: {
    // What the gateway and the app know of a visitor: the id, the name, and the role.
    jwt: ({ token, user }) => (user ? { ...token, role: user.role } : token),
    session: ({ session, token }) => ({ ...session, user: { ...session.user, id: token.sub, role: token.role } }),
  },
}))
server.listen(Number(process.env.PORT ?? 3001), process.env.HOST ?? "127.0.0.1", function () {
  console.log(`http://localhost:${this.address().port}`)
})
