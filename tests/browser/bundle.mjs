// Bundles the script PAGE into the file OUTPUT. The client library NAME is taken from the npm package PACKAGE.
import { build } from "esbuild"

const { PAGE, NAME, PACKAGE, OUTPUT } = process.env
await build({
  entryPoints: [PAGE],
  bundle: true,
  format: "esm",
  outfile: OUTPUT,
  logLevel: "error",
  alias: NAME === PACKAGE ? {} : { [NAME]: PACKAGE },
  define: { "process.env.NODE_ENV": '"production"', "process.env": "{}" },
})
console.log("bundled")
