// A SQLite database in memory, without a native build. It can be switched off: then every statement throws.
import { SqliteDialect } from "kysely"
import sqlite from "node-sqlite3-wasm"

export function openDatabase() {
  const rows = new sqlite.Database(":memory:")
  let isUp = true
  /** The part of the interface of better-sqlite3 that Kysely uses. */
  const connection = {
    prepare(sql) {
      if (!isUp) throw new Error("the database is switched off")
      return {
        reader: /^\s*(select|pragma|with)\b|\breturning\b/i.test(sql),
        all: (parameters) => rows.all(sql, [...parameters]),
        run: (parameters) => rows.run(sql, [...parameters]),
      }
    },
    close: () => rows.close(),
  }
  return {
    /** The option `database` of Better Auth. */
    option: { dialect: new SqliteDialect({ database: connection }), type: "sqlite" },
    /** Statements of the control port work while the database is switched off. */
    all: (sql, parameters = []) => rows.all(sql, parameters),
    run: (sql, parameters = []) => rows.run(sql, parameters),
    setUp: (value) => { isUp = value },
  }
}
