import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const root = join(__dirname, '../..')
const folder = mkdtempSync(join(tmpdir(), 'typeorm-get-or-create-copies-'))
const built = join(folder, 'built')

beforeAll(() => {
  // Compiled apart from `dist`, which a test beside this one may be building.
  const tsc = join(root, 'node_modules/typescript/bin/tsc')
  execFileSync(process.execPath, [
    tsc,
    '-p',
    join(root, 'tsconfig.build.cjs.json'),
    '--outDir',
    join(built, 'dist/cjs'),
  ])
  writeFileSync(join(built, 'dist/cjs/package.json'), '{ "type": "commonjs" }')
  cpSync(join(root, 'package.json'), join(built, 'package.json'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

test.each([
  ['typeorm', 'typeorm-0.3'],
  ['typeorm-0.3', 'typeorm'],
])('an application on its own %s works with a package that loads another copy, %s', (theirs, ours) => {
  expect(JSON.parse(run(install(theirs, ours)))).toEqual({
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
  const modules = join(application, 'node_modules')
  cpSync(built, join(modules, 'typeorm-get-or-create'), { recursive: true })
  link(theirs, join(modules, 'typeorm'))
  link('sql.js', join(modules, 'sql.js'))
  mkdirSync(join(modules, 'typeorm-get-or-create/node_modules'))
  link(ours, join(modules, 'typeorm-get-or-create/node_modules/typeorm'))
  return application
}

const link = (installed: string, path: string) => symlinkSync(join(root, 'node_modules', installed), path)

const run = (application: string) =>
  execFileSync(process.execPath, ['use.cjs'], {
    cwd: application,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  })
