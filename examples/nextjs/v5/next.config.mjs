// Needed only for Rust behind Next.js. `next build` reads RUST_URL and writes the rewrite into .next; `next start` does
// not.
const { RUST_URL } = process.env

/** @type {import("next").NextConfig} */
export default {
  turbopack: { root: import.meta.dirname },
  rewrites: async () => (RUST_URL ? [{ source: "/api/rust/:path*", destination: `${RUST_URL}/api/rust/:path*` }] : []),
}
