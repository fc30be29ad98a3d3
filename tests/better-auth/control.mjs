// The control port of a server: what it received, and what a test changes behind its back. All answers are JSON.
import http from "node:http"

const COMMANDS = {
  /** The requests that the server received, without the values of cookies. */
  requests: (state) => state.requests,
  /** The mails that the server would have sent. */
  mails: (state) => state.mails,
  /** The sessions in the database. */
  sessions: ({ database }) =>
    database.all(`select s.id, s.expiresAt, s.updatedAt, u.email from session s join user u on u.id = s.userId`),
  database: ({ database }, { up }) => database.setUp(up),
  revoke: ({ database }, { email }) =>
    database.run(`delete from session where userId = (select id from user where email = ?)`, [email]),
  ban: ({ database }, { email }) => database.run(`update user set banned = 1 where email = ?`, [email]),
  role: ({ database }, { email, role }) => database.run(`update user set role = ? where email = ?`, [role, email]),
  /** Breaks the connection of each request whose path ends like this, after its route has run. */
  hang_up: (state, { path }) => { state.hangUp = path },
}

export const control = (state) =>
  http.createServer(async (request, response) => {
    let body = ""
    for await (const part of request) body += part
    const answer = COMMANDS[request.url.slice(1)](state, body ? JSON.parse(body) : {})
    response.setHeader("content-type", "application/json").end(JSON.stringify(answer ?? null))
  })
