/** `npm run bench`. See `npm run bench -- --help`. */
import { Affinity } from './affinity.js'
import { planFrom } from './plan.js'
import { prepare } from './prepare.js'

const plan = planFrom(process.argv.slice(2))
prepare()

// What comes from elsewhere may have been installed just now.
const { measureDatabase } = await import('./measure.js')
const { foreignLoad } = await import('./machine.js')
const { measureStartUp } = await import('./start-up.js')
const { connectTo } = await import('./servers.js')
const { printDatabase, printStartUp } = await import('./terminal.js')
const { writePage } = await import('./page.js')

const busy = plan.isCheck ? 0 : await foreignLoad()
if (busy > 0.1)
  console.log(`Other programs use ${Math.round(100 * busy)} % of the CPUs: these figures will mean little.`)

const affinity = new Affinity()
const begin = performance.now()
const minutes = () => (performance.now() - begin) / 60_000
const isTerminal = process.stderr.isTTY

const run = { databases: {}, startUp: undefined, minutes: 0, pinning: undefined }
for (const type of plan.databases) run.databases[type] = await measured(type)
if (plan.workloads.includes('start-up')) {
  run.startUp = measureStartUp(plan, progress)
  printStartUp(run.startUp)
}
run.minutes = minutes()
run.pinning = affinity.impossible
if (run.pinning) console.log(`\nProcesses were left where the scheduler put them: ${run.pinning}.`)
if (plan.isComplete) writePage(run, plan)
if (Object.values(run.databases).some(({ wrong }) => Object.keys(wrong).length > 0)) process.exitCode = 1

async function measured(type) {
  const server = await connectTo[type]()
  const stop = async () => {
    affinity.restore()
    await server.dropDatabases().catch(() => {})
    process.exit(130)
  }
  process.once('SIGINT', stop).once('SIGTERM', stop)
  try {
    const results = await measureDatabase(type, plan, server, affinity, progress)
    printDatabase(type, results, plan)
    return { ...results, version: server.version }
  } finally {
    process.off('SIGINT', stop).off('SIGTERM', stop)
    affinity.restore()
    await server.close()
  }
}

function progress(text) {
  const line = `[${(minutes() * 60).toFixed(0).padStart(3)} s] ${text}`
  process.stderr.write(isTerminal ? `\r\x1b[K${line}` : `${line}\n`)
}
