import type { Rows } from './rows.js'
import type { Outcome } from './run.js'

const LABEL_WIDTH = 18
const COLUMN_WIDTH = 20

/** Writes a line of numbers while an import is on its way. */
export function progress(title: string, total: number): (done: number) => void {
  const step = Math.ceil(total / 5)
  process.stdout.write(title.padEnd(LABEL_WIDTH))
  return (done) => {
    if (done % step === 0 || done === total) process.stdout.write(`${done}`.padStart(5))
    if (done === total) process.stdout.write(' countries\n')
  }
}

/** A table with a column for each import, and the kinds of errors below it. */
export function summary(outcomes: Record<string, Outcome>, expected: Rows, callers: number): string {
  const columns = Object.values(outcomes)
  const line = (label: string, value: (outcome: Outcome) => string | number) =>
    label.padEnd(LABEL_WIDTH) + columns.map((outcome) => `${value(outcome)}`.padStart(COLUMN_WIDTH)).join('')
  const rowLine = (label: string, kind: keyof Rows) =>
    line(`  ${label}`, ({ rows }) =>
      rows[kind] === expected[kind] ? rows[kind] : `${rows[kind]} of ${expected[kind]}`,
    )
  return [
    '',
    ' '.repeat(LABEL_WIDTH) +
      Object.keys(outcomes)
        .map((title) => title.padStart(COLUMN_WIDTH))
        .join(''),
    line('callers at once', () => callers),
    line('calls', ({ calls }) => calls),
    line('created', ({ created }) => created),
    line('found', ({ found }) => found),
    line('lost races', ({ lostRaces }) => lostRaces),
    line('errors', ({ errors }) => errors.length),
    'rows',
    rowLine('regions', 'regions'),
    rowLine('currencies', 'currencies'),
    rowLine('languages', 'languages'),
    rowLine('countries', 'countries'),
    rowLine('currency links', 'currencyLinks'),
    rowLine('language links', 'languageLinks'),
    line('duplicates', ({ duplicates }) => duplicates),
    line('statements', ({ statements }) => statements),
    line('seconds', ({ milliseconds }) => (milliseconds / 1000).toFixed(2)),
    ...Object.entries(outcomes).flatMap(([title, { errors }]) => errorLines(title, errors)),
  ].join('\n')
}

/** Errors that differ in their values only are counted as one kind. */
function errorLines(title: string, errors: readonly Error[]): string[] {
  if (errors.length === 0) return []
  const kinds = new Map<string, number>()
  for (const { name, message } of errors) {
    const kind = `${name}: ${message.replaceAll(/'[^']*'/g, "'…'")}`
    kinds.set(kind, (kinds.get(kind) ?? 0) + 1)
  }
  return ['', `Errors of ${title}:`, ...[...kinds].map(([kind, count]) => `  ${count} × ${kind}`)]
}
