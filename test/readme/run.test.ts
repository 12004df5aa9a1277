import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import ts from 'typescript'
import { root, snippetsOf } from './snippets.js'

/** The first screen of the README, in a folder with the built package, TypeORM and a driver, and nothing else. */
const [firstScreen] = snippetsOf('README.md')
const folder = mkdtempSync(join(tmpdir(), 'typeorm-get-or-create-readme-'))

beforeAll(() => {
  const modules = join(folder, 'node_modules')
  mkdirSync(modules)
  for (const name of ['typeorm', 'sql.js']) symlinkSync(join(root, 'node_modules', name), join(modules, name))
  symlinkSync(root, join(modules, 'typeorm-get-or-create'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const seen = 'console.log(JSON.stringify({ user, created }))'

test('the first example of the README runs as an ES module', () => {
  const code = `${firstScreen?.code}\n${seen}\n`
  expect(run('module', ts.ModuleKind.ESNext, code)).toEqual(whatItShows)
})

test('the first example of the README runs as CommonJS', () => {
  // CommonJS has no `await` outside of a function.
  const [, imports, statements] = /^((?:import [^\n]*\n)+)(.*)$/s.exec(firstScreen?.code ?? '') ?? []
  const code = `${imports}\nasync function main() {\n${statements}\n${seen}\n}\nvoid main()\n`
  expect(run('commonjs', ts.ModuleKind.CommonJS, code)).toEqual(whatItShows)
})

const whatItShows = { user: { id: 1, email: 'ada@example.com', name: 'Ada' }, created: true }

/** What the code prints as its last line, in an application whose files are all of one kind. */
function run(type: 'module' | 'commonjs', module: ts.ModuleKind, code: string): unknown {
  const application = join(folder, type)
  mkdirSync(application)
  writeFileSync(join(application, 'package.json'), JSON.stringify({ type }))
  const entity = readFileSync(join(__dirname, 'application/user.entity.ts'), 'utf8')
  for (const [name, source] of Object.entries({ 'user.entity.js': entity, 'main.js': code })) {
    writeFileSync(join(application, name), transpile(source, module))
  }
  const output = execFileSync(process.execPath, ['main.js'], { cwd: application, encoding: 'utf8' })
  return JSON.parse(output.trim().split('\n').at(-1) as string)
}

function transpile(source: string, module: ts.ModuleKind): string {
  const compilerOptions = {
    module,
    target: ts.ScriptTarget.ES2022,
    experimentalDecorators: true,
    emitDecoratorMetadata: true,
  }
  return ts.transpileModule(source, { compilerOptions }).outputText
}
