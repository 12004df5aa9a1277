import { FLOOR } from './contenders/index.js'
import { workloads } from './plan.js'
import { digits, growthRatios, quartiles, ratios } from './statistics.js'

export function printDatabase(type, { results, rows, keys, wrong }, { isCheck }) {
  if (process.stderr.isTTY) process.stderr.write('\r\x1b[K')
  if (!isCheck) {
    for (const [workload, byName] of Object.entries(results)) console.log(`\n${table(type, workload, byName, wrong)}`)
    if (rows) console.log(`\n${type}, hit as the table grows, × the smallest\n${growthTable(growthRatios(rows))}`)
    if (keys) console.log(`\n${type}, many keys, × the helper\n${growthTable(growthRatios(keys, 'helper'))}`)
  }
  for (const [name, what] of Object.entries(wrong)) console.log(`WRONG: ${name} on ${type}: ${what}`)
  if (isCheck) console.log(`${type}: all others gave right answers`)
}

export function printStartUp(startUp) {
  console.log('\nstart-up: milliseconds beyond those of TypeORM')
  for (const [kind, { lower, median, upper }] of Object.entries(startUp)) {
    console.log(`${kind.padEnd(28)} ${median.toFixed(1)}  (${lower.toFixed(1)} – ${upper.toFixed(1)})`)
  }
}

/** How the contenders compare in one workload, the fastest first. */
function table(type, workload, slices, wrong) {
  const { baseline, title } = workloads[workload]
  const floor = FLOOR[type]
  const lines = Object.entries(slices)
    .map(([name, own]) => ({ name, own, compared: ratios(own, slices[baseline]), toFloor: ratios(own, slices[floor]) }))
    .sort((one, other) => (other.compared?.median ?? 0) - (one.compared?.median ?? 0))
    .map(({ name, own, compared, toFloor }) =>
      [
        name.padEnd(28),
        (name in wrong ? 'WRONG' : show(compared)).padEnd(22),
        (toFloor?.median.toFixed(2) ?? '').padStart(6),
        microseconds(own, ({ rate }) => 1e6 / rate),
        microseconds(own, ({ cpu }) => cpu),
      ].join(' '),
    )
  return [
    `${type}, ${title}`,
    `${''.padEnd(28)} ${`× ${baseline}`.padEnd(20)} ${`× ${floor}`.padEnd(10)} each     own CPU`,
    ...lines,
  ].join('\n')
}

function microseconds(slices, time) {
  const times = slices.filter(Boolean).map(time)
  return times.length > 0 ? `${quartiles(times).median.toFixed(1)} µs`.padStart(12) : ''
}

function growthTable(bySize) {
  return Object.entries(bySize)
    .flatMap(([size, byName]) =>
      Object.entries(byName).map(([name, ratio]) => `${size.padStart(8)} ${name.padEnd(20)} ${show(ratio)}`),
    )
    .join('\n')
}

function show(ratio) {
  if (!ratio) return ''
  const { lower, median, upper } = ratio
  return `${digits(median)}  (${digits(lower)} – ${digits(upper)})`
}
