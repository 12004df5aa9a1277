import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { installed, installPackage, link, run } from './application.js'

const folder = mkdtempSync(join(tmpdir(), 'typeorm-get-or-create-copies-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

test.each([
  ['typeorm', 'typeorm-0.3'],
  ['typeorm-0.3', 'typeorm'],
])('an application on its own %s works with a package that loads another copy, %s', (theirs, ours) => {
  expect(JSON.parse(run(install(theirs, ours), 'node', 'use.cjs'))).toEqual({
    copies: true,
    created: true,
    found: ['ada', false],
    failure: [true, true],
    tags: ['a'],
    visits: 1,
    many: [false, true],
    createdInTransaction: true,
    creators: 1,
    descendants: [2, 2, 2],
  })
})

/** As package managers leave it when two versions are asked for: one at the top, one inside of our package. */
function install(theirs: string, ours: string): string {
  const application = join(folder, `${theirs}-and-${ours}`)
  cpSync(join(__dirname, 'two-copies'), application, { recursive: true })
  installPackage(application)
  link(application, { typeorm: installed(theirs), 'sql.js': installed('sql.js') })
  link(installed('typeorm-get-or-create', application), { typeorm: installed(ours) })
  return application
}
