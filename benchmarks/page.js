/** Writes `docs/benchmarks.md` and its charts. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { barChart, curveChart } from './charts.js'
import { BASELINE, contenders, FLOOR } from './contenders/index.js'
import { machine, versions } from './machine.js'
import { workloads } from './plan.js'
import { digits, growthRatios, ratios } from './statistics.js'
import { SEEDED_ROWS } from './workloads.js'

const DOCS = new URL('../docs/', import.meta.url)
const TITLES = { postgres: 'PostgreSQL', mariadb: 'MariaDB' }

export function writePage(run, plan) {
  mkdirSync(new URL('benchmarks/', DOCS), { recursive: true })
  for (const [type, database] of Object.entries(run.databases)) {
    writeFileSync(new URL(`benchmarks/${type}.svg`, DOCS), chartOf(type, database))
    writeFileSync(new URL(`benchmarks/${type}-growth.svg`, DOCS), growthChartOf(type, database))
  }
  writeFileSync(new URL('benchmarks.md', DOCS), page(run, plan))
}

function page(run, plan) {
  const types = Object.keys(run.databases)
  const servers = types.map((type) => `${TITLES[type]} ${run.databases[type].version}`).join(' and ')
  return `# Benchmarks

<!-- Written by \`npm run bench\`. -->

Ratios of one run, in which all contenders took turns. They say who is faster and about how much, here; they promise nothing about
your machine. \`npm run bench\` measures again and rewrites this page.

${machine()}; ${servers} on the same machine, over TCP. ${versions().join(', ')}.${oldNode()}

${types.map((type) => `![Get-or-create on ${TITLES[type]}](benchmarks/${type}.svg)`).join('\n\n')}

## Who is compared

${whoIsCompared()}

The rows have five columns: a generated id, a unique email, which is the key, a name, and two with defaults. Each contender has a
table of ${SEEDED_ROWS.toLocaleString('en')} rows, in a database of its own. Many keys are ${plan.sizes.bulk.toLocaleString('en')}.

## Results

The number is how many times faster than the baseline: the median of the rounds, in brackets the quartiles. Beside it, the median
against the driver alone. The fastest on ${TITLES[types[0]]} come first.

${Object.keys(workloads)
  .map((workload) => section(workload, run.databases))
  .join('\n\n')}

${notes(run.databases)}

## Growth

Hits of one caller while the table grows, each contender against itself on the smallest table:

${growthTable(run.databases, 'rows', 'rows')}

Calls for more and more keys, half of them new, against a loop of the helper:

${growthTable(run.databases, 'keys', 'keys', BASELINE.other)}

${types.map((type) => `![Growth on ${TITLES[type]}](benchmarks/${type}-growth.svg)`).join('\n\n')}

## Start-up

Importing the package takes ${startUp(run.startUp)} beyond what TypeORM takes, median of 30 processes (quartiles).

## How it is measured

- **One process for each contender**, which keeps its connections open (${plan.connections} of them) and waits for its turn. In each of ${plan.rounds} rounds everyone
  works for ${plan.milliseconds} ms, in another order each time. A ratio compares two turns of the same round, so that what disturbs
  the machine disturbs both.
- **Every answer is checked**: the key, the id, the stored values, and whether the row is new, where the contender tells; in a race,
  that all callers got one row and one of them created it; at the end, the number of rows. A contender with one wrong answer has no
  ratio but the word *wrong*.
- **Warm-up**: everyone first works until ${plan.settle.limit.toLocaleString('en')} calls or ${plan.settle.milliseconds / 1000} s are done, since TypeORM's code takes about that many calls until it
  is compiled for good, then for ${plan.warmUp / 1000} s before each workload and for ${plan.leadIn} ms before each turn. Shorter runs flatter whoever does less.
  Many callers are measured before one. Node runs with \`--no-flush-bytecode --no-memory-reducer\`, so that nobody who waits loses what
  is compiled.
- **CPUs**: ${run.pinning ? `processes could not be pinned (${run.pinning}), and were left where the scheduler put them.` : 'with one caller, client and server share one CPU; otherwise the client has one and the server the others. Left to the\n  scheduler, a call between them takes one of two very different times.'}
- Each process may use 512 MB of heap. The servers are as they were found: commits wait for the disk where they are configured to.
- The package is the one built from this folder, and TypeORM is the copy that it sees.

## What is not measured

- Networks: server and client are on one machine. The further apart they are, the more the number of statements counts and the less
  everything else.
- Statements inside your own transaction, relations, cascades, replicas, transformers, embedded objects and inheritance.
- Other databases than these two, other versions, other machines, and servers under load from elsewhere.
- Memory, latency under a fixed load, and its rare slow calls: the figures are about throughput.

## Run it

\`\`\`sh
npm ci
npm run bench               # about ${Math.ceil(run.minutes)} minutes; rewrites this page
npm run bench -- --quick    # less than a minute, rough, writes nothing
npm run bench -- --check    # no figures: does everyone give right answers?
npm run bench -- --help     # one database, some workloads, some contenders, CPU profiles
\`\`\`

\`POSTGRES_URL\` and \`MARIADB_URL\` say where the servers are. The run makes its own databases and drops them. The competitors are
installed into \`benchmarks/\`, nowhere else.
`
}

function oldNode() {
  const [major] = process.versions.node.split('.')
  return Number(major) < 22 ? ' MikroORM 7 asks for Node 22.17 or newer; it ran here all the same.' : ''
}

function whoIsCompared() {
  const lines = Object.values(contenders).map(({ label, bulk }) => `| ${label} | ${bulk ?? 'a loop'} |`)
  return `| contender | many keys |\n|---|---|\n${lines.join('\n')}`
}

function section(workload, databases) {
  const { title, baseline } = workloads[workload]
  const types = Object.keys(databases)
  const heads = types.map(
    (type) => `${TITLES[type]}, × ${contenders[baseline].short} | × ${contenders[FLOOR[type]].short}`,
  )
  const lines = byRank(workload, databases).map((name) => {
    const cells = types.map((type) => {
      const { results, wrong } = databases[type]
      const own = results[workload]?.[name]
      if (!own) return ' | '
      if (name in wrong) return '*wrong* | '
      return `${show(ratios(own, results[workload][baseline]))} | ${digits(ratios(own, results[workload][FLOOR[type]])?.median ?? Number.NaN)}`
    })
    return `| ${labelled(name)} | ${cells.join(' | ')} |`
  })
  return `### ${title[0].toUpperCase()}${title.slice(1)}

| | ${heads.join(' | ')} |
|---|${types.map(() => '--:|--:|').join('')}
${lines.join('\n')}`
}

function byRank(workload, databases) {
  const [{ results }] = Object.values(databases)
  const names = new Set(Object.values(databases).flatMap(({ results }) => Object.keys(results[workload] ?? {})))
  const { baseline } = workloads[workload]
  const rank = (name) => {
    const own = results[workload]?.[name]
    return own ? (ratios(own, results[workload][baseline])?.median ?? 0) : Number.POSITIVE_INFINITY
  }
  return [...names].sort((one, other) => rank(other) - rank(one))
}

function labelled(name) {
  const { label, file, overwrites, tellsCreated } = contenders[name]
  const marks = `${tellsCreated === false ? ' ¹' : ''}${overwrites ? ' ²' : ''}`
  return file === 'ours.js' ? `**${label}**${marks}` : `${label}${marks}`
}

function notes(databases) {
  const wrong = Object.entries(databases).flatMap(([type, database]) =>
    Object.entries(database.wrong).map(([name, what]) => `- ${contenders[name].label} on ${TITLES[type]}: ${what}`),
  )
  const marks = '¹ does not tell whether the row is new. ² overwrites the row that is there.'
  return wrong.length > 0 ? `${marks}\n\nWrong:\n\n${wrong.join('\n')}` : marks
}

function growthTable(databases, kind, unit, baseline) {
  const columns = Object.entries(databases).flatMap(([type, { [kind]: slices }]) => {
    const bySize = growthRatios(slices, baseline)
    const [names] = Object.values(bySize).map((byName) => Object.keys(byName))
    return names.filter((name) => name !== baseline).map((name) => ({ type, name, bySize }))
  })
  const sizes = Object.keys(columns[0].bySize)
  const heads = columns.map(({ type, name }) => `${TITLES[type]}, ${contenders[name].short ?? contenders[name].label}`)
  const lines = sizes.map((size) => {
    const cells = columns.map(({ name, bySize }) => show(bySize[size][name]))
    return `| ${Number(size).toLocaleString('en')} | ${cells.join(' | ')} |`
  })
  return `| ${unit} | ${heads.join(' | ')} |\n|--:|${columns.map(() => '--:|').join('')}\n${lines.join('\n')}`
}

function startUp(times) {
  return Object.entries(times)
    .map(([kind, { lower, median, upper }]) => {
      return `${median.toFixed(1)} ms as ${kind} (${lower.toFixed(1)} – ${upper.toFixed(1)})`
    })
    .join(' and ')
}

function show(ratio) {
  if (!ratio) return ''
  const { lower, median, upper } = ratio
  return lower === upper ? digits(median) : `${digits(median)} (${digits(lower)} – ${digits(upper)})`
}

function chartOf(type, { results, wrong }) {
  const panels = Object.entries(results).map(([workload, byName]) => {
    const { title, baseline } = workloads[workload]
    const bars = Object.entries(byName)
      .filter(([name]) => !(name in wrong))
      .map(([name, own]) => ({
        label: contenders[name].label,
        kind: kindOf(name, baseline),
        ratio: ratios(own, byName[baseline]),
      }))
      .filter(({ ratio }) => ratio)
      .sort((one, other) => other.ratio.median - one.ratio.median)
    return { title: `${title}: × ${contenders[baseline].short}`, bars }
  })
  return barChart(`Get-or-create on ${TITLES[type]}: how many times faster than the baseline`, panels)
}

function growthChartOf(type, { rows, keys }) {
  const panel = (title, slices, baseline) => {
    const bySize = growthRatios(slices, baseline)
    const [names] = Object.values(bySize).map((byName) => Object.keys(byName))
    const curves = names.map((name) => ({
      label: contenders[name].short,
      kind: kindOf(name, baseline),
      points: Object.entries(bySize)
        .filter(([, byName]) => byName[name])
        .map(([size, byName]) => [Number(size), byName[name].median]),
    }))
    return { title, curves: curves.filter(({ points }) => points.length > 0) }
  }
  return curveChart(`Growth on ${TITLES[type]}`, [
    panel('hits as the table grows: × the smallest table', rows),
    panel('many keys: × a loop of the helper', keys, BASELINE.other),
  ])
}

function kindOf(name, baseline) {
  if (contenders[name].file === 'ours.js') return 'ours'
  return name === baseline ? 'baseline' : 'other'
}
