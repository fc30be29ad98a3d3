import { auth } from "../auth"

export default async function Page() {
  const session = await auth()
  return (
    <main>
      <p>{session ? `signed in as ${session.user.email}` : "signed out"}</p>
      <p>
        <a href="/api/auth/signin">sign in</a> <a href="/api/auth/signout">sign out</a>
      </p>
    </main>
  )
}
