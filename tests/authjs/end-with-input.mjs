// `NODE_OPTIONS=--import=/path/end-with-input.mjs`: the program ends when its standard input does, so that
// no server outlives the test that started it.
process.stdin.resume()
process.stdin.on("end", () => process.exit(0))
