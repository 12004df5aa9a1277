import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** Sums what the test runs left in a folder, and ends with one plain line. */
const [folder, runners] = process.argv.slice(2)

const runs = readdirSync(folder)
  .filter((name) => name.endsWith('.json'))
  .flatMap(resultsIn)
const sum = (count) => runs.reduce((total, run) => total + count(run), 0)

const steps = join(folder, 'failed-steps')
const failedSteps = existsSync(steps) ? readFileSync(steps, 'utf8').trimEnd().split('\n') : []
const emptyRuns = Number(runners) - runs.filter((run) => run.numPassedTests + run.numFailedTests > 0).length

const passed = sum((run) => run.numPassedTests)
// A file that cannot be loaded has no failing test, and is a failure all the same.
const failedTests = sum((run) => run.numFailedTests + run.numRuntimeErrorTestSuites)
const failed = failedTests || failedSteps.length || emptyRuns

const isGreen = failed === 0 && passed > 0
console.log()
if (failedSteps.length > 0) console.log(`Failed: ${failedSteps.join(', ')}`)
if (emptyRuns > 0) console.log(`Test runs that ran no test: ${emptyRuns}`)
console.log(`${passed} passed, ${failed} failed`)
process.exitCode = isGreen ? 0 : 1

/** Nothing where a run was killed while it wrote. */
function resultsIn(name) {
  try {
    return [JSON.parse(readFileSync(join(folder, name), 'utf8'))]
  } catch {
    return []
  }
}
