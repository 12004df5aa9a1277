import { execFileSync, spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'

const root = join(__dirname, '../..')
const folder = mkdtempSync(join(tmpdir(), 'typeorm-get-or-create-'))
let tarball: string
let packed: string[]

beforeAll(() => {
  const [archive] = JSON.parse(run(root, 'npm', 'pack', '--json', '--silent', '--pack-destination', folder))
  tarball = join(folder, archive.filename)
  packed = archive.files.map(({ path }: { path: string }) => path)
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

test('the tarball holds what users need and nothing else', () => {
  const isNeeded = (path: string) => /^dist\/(esm|cjs)\/[\w/-]+\.(js|d\.ts)$/.test(path)
  expect(packed.filter((path) => !isNeeded(path)).sort()).toEqual([
    'CHANGELOG.md',
    'LICENSE',
    'README.md',
    'dist/cjs/package.json',
    'package.json',
  ])
})

test('installing it brings no other package and runs no script', () => {
  const { dependencies, bundleDependencies, scripts } = JSON.parse(
    run(folder, 'tar', '-xOf', tarball, 'package/package.json'),
  )
  expect({ dependencies, bundleDependencies }).toEqual({})
  expect(Object.keys(scripts).filter((name) => /^(pre|post)?install$/.test(name))).toEqual([])
})

describe.each(['typeorm', 'typeorm-0.3'])('beside %s', (typeorm) => {
  let application: string

  beforeAll(() => {
    application = install(typeorm)
  })

  const whatAUserSees = {
    created: true,
    createdAgain: false,
    found: 'Ada',
    creators: 1,
    childCreated: true,
    refusal: 'InvalidCriteriaError',
  }

  test('it runs as an ES module', () => {
    expect(JSON.parse(run(application, 'node', 'as-es-module.mjs'))).toMatchObject(whatAUserSees)
  })

  test('it runs as CommonJS', () => {
    expect(JSON.parse(run(application, 'node', 'as-commonjs.cjs'))).toMatchObject(whatAUserSees)
  })

  test('both give the same names', () => {
    const [asModule, asCommonJs] = ['as-es-module.mjs', 'as-commonjs.cjs'].map((file) =>
      JSON.parse(run(application, 'node', file)),
    )
    expect(asModule.names).toEqual(asCommonJs.names)
  })

  test.each([
    ['an ES module of Node', 'typed.mts', { module: 'nodenext' }],
    ['a CommonJS module of Node', 'typed.cts', { module: 'node16' }],
    ['a bundled module', 'typed.ts', { module: 'esnext', moduleResolution: 'bundler' }],
    [
      'a project with the old resolution',
      'typed.ts',
      { module: 'commonjs', moduleResolution: 'node10', ignoreDeprecations: '6.0' },
    ],
  ])('%s is type-checked against it', (_kind, file, resolution) => {
    expect(typeErrors(application, file, resolution)).toBe('')
  })
})

/** An application in an empty folder, with the packed package and nothing else but its peer and a driver. */
function install(typeorm: string): string {
  const application = join(folder, `beside-${typeorm}`)
  cpSync(join(__dirname, 'consumer'), application, { recursive: true })
  for (const copy of ['typed.mts', 'typed.cts']) cpSync(join(application, 'typed.ts'), join(application, copy))
  writeFileSync(join(application, 'package.json'), '{ "private": true }')
  run(application, 'npm', 'install', '--silent', '--offline', '--legacy-peer-deps', '--no-package-lock', tarball)
  link(typeorm, application, 'typeorm')
  for (const name of ['sql.js', '@types/node']) link(name, application, name)
  return application
}

function link(installed: string, application: string, name: string): void {
  const target = join(application, 'node_modules', name)
  mkdirSync(dirname(target), { recursive: true })
  symlinkSync(join(root, 'node_modules', installed), target)
}

function typeErrors(application: string, file: string, resolution: object): string {
  const project = join(application, 'tsconfig.json')
  const compilerOptions = {
    target: 'es2022',
    strict: true,
    exactOptionalPropertyTypes: true,
    experimentalDecorators: true,
    types: ['node'],
    noEmit: true,
    ...resolution,
  }
  writeFileSync(project, JSON.stringify({ compilerOptions, files: [file] }))
  const tsc = join(root, 'node_modules/typescript/bin/tsc')
  const { status, stdout, stderr } = spawnSync('node', [tsc, '--pretty', 'false', '-p', project], { encoding: 'utf8' })
  return status === 0 ? '' : `tsc ended with ${status}\n${stdout}${stderr}`
}

function run(cwd: string, command: string, ...parameters: string[]): string {
  return execFileSync(command, parameters, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
}
