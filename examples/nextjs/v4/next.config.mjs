// Only for Rust behind Next.js: `next build` writes the rewrite into .next, so RUST_URL is read then, not at the start.
const { RUST_URL } = process.env

/** @type {import("next").NextConfig} */
export default {
  turbopack: { root: import.meta.dirname },
  rewrites: async () => (RUST_URL ? [{ source: "/api/rust/:path*", destination: `${RUST_URL}/api/rust/:path*` }] : []),
}
