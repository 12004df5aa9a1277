import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { database } from './databases.js'

const file = join(__dirname, '../docs/isolation.md')

/** Cells by row and column, in the order in which they were put in. */
export class DuelTable {
  readonly rows = new Map<string, Map<string, string>>()

  put(row: readonly string[], column: string, cell: string): void {
    const key = row.join(' | ')
    this.rows.set(key, (this.rows.get(key) ?? new Map()).set(column, cell))
  }

  get(row: readonly string[], column: string): string | undefined {
    return this.rows.get(row.join(' | '))?.get(column)
  }

  toMarkdown(labels: readonly string[]): string {
    const columns = [...new Set([...this.rows.values()].flatMap((cells) => [...cells.keys()]))]
    const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
    const body = [...this.rows].map(([row, cells]) => line([row, ...columns.map((column) => cells.get(column) ?? '')]))
    return [line([...labels, ...columns]), line([...labels, ...columns].map(() => '---')), ...body].join('\n')
  }
}

/** The server that this file runs on, as the page's headings call it: what answers, not the driver that asks. */
export function serverName(): string {
  const version = String(JSON.parse(process.env.DATABASE_VERSIONS ?? '{}')[database.name])
  const known = ['CockroachDB', 'PostgreSQL', 'MariaDB', 'SQLite', 'Microsoft SQL Server']
  return known.find((name) => version.includes(name)) ?? 'MySQL'
}

/** The table under a heading of docs/isolation.md; servers that were not at hand when it was written have none. */
export function writtenTable(heading: string, labels: number): DuelTable | undefined {
  const lines = tableLines(readFileSync(file, 'utf8'), heading)
  if (!lines) return undefined
  const [header = [], , ...body] = lines.map((line) =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  )
  const table = new DuelTable()
  for (const cells of body) {
    for (const [index, column] of header.slice(labels).entries())
      table.put(cells.slice(0, labels), column, cells[labels + index] as string)
  }
  return table
}

export function writeTable(heading: string, markdown: string): void {
  const page = readFileSync(file, 'utf8')
  const old = tableLines(page, heading)?.join('\n')
  writeFileSync(file, old ? page.replace(old, markdown) : `${page.trimEnd()}\n\n### ${heading}\n\n${markdown}\n`)
}

function tableLines(page: string, heading: string): string[] | undefined {
  const section = page.split(/^(?=#)/m).find((part) => part.startsWith(`### ${heading}\n`))
  return section?.split('\n').filter((line) => line.startsWith('|'))
}
