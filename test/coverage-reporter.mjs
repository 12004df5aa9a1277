import selection from './selection.cjs'

/** Prints at the end of a run which databases it covered, with the versions that they gave. */
export default class DatabasesReporter {
  onRunComplete(_contexts, results) {
    const versions = JSON.parse(process.env.DATABASE_VERSIONS ?? '{}')
    const covered = selection.selectedDatabases().map((name) => {
      const files = results.testResults.filter((result) => result.displayName?.name === name)
      const passed = files.reduce((sum, file) => sum + file.numPassingTests, 0)
      return `  ${name}: ${passed} tests passed on ${versions[name] ?? 'a server that was not reached'}`
    })
    process.stdout.write(`\nDatabases covered, with ${process.env.TYPEORM ?? 'typeorm'}:\n${covered.join('\n')}\n`)
  }
}
