import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import ts from 'typescript'
import { root } from './snippets.js'

const folder = mkdtempSync(join(tmpdir(), 'typeorm-get-or-create-readme-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const entity = readFileSync(join(__dirname, 'application/user.entity.ts'), 'utf8')

/** A folder with the built package, the given ones beside it and the entity of the examples, and nothing else. */
export function application(type: 'module' | 'commonjs', packages: readonly string[]): string {
  const place = mkdtempSync(join(folder, 'application-'))
  writeFileSync(join(place, 'package.json'), JSON.stringify({ type }))
  link(root, join(place, 'node_modules/typeorm-get-or-create'))
  for (const name of packages) link(join(root, 'node_modules', name), join(place, 'node_modules', name))
  write(place, 'user.entity', entity)
  return place
}

/** A file of an application, as its kind of module. */
export function write(place: string, name: string, code: string): void {
  const { type } = JSON.parse(readFileSync(join(place, 'package.json'), 'utf8'))
  const compilerOptions = {
    module: type === 'module' ? ts.ModuleKind.ESNext : ts.ModuleKind.CommonJS,
    target: ts.ScriptTarget.ES2022,
    experimentalDecorators: true,
    emitDecoratorMetadata: true,
  }
  writeFileSync(join(place, `${name}.js`), ts.transpileModule(code, { compilerOptions }).outputText)
}

/** What the code prints as its last line. */
export function run(place: string, code: string): unknown {
  write(place, 'main', code)
  const output = execFileSync(process.execPath, ['main.js'], { cwd: place, encoding: 'utf8' })
  return JSON.parse(output.trim().split('\n').at(-1) as string)
}

function link(target: string, path: string): void {
  mkdirSync(dirname(path), { recursive: true })
  symlinkSync(target, path)
}
