import { execFileSync, spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
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

/** The declarations themselves are checked as Node finds them; here, that they are found. */
const otherResolutions: [kind: string, resolution: object][] = [
  ['a bundled module', { module: 'esnext', moduleResolution: 'bundler', skipLibCheck: true }],
  [
    'a project with the old resolution',
    { module: 'commonjs', moduleResolution: 'node10', ignoreDeprecations: '6.0', skipLibCheck: true },
  ],
]

describe.each(['typeorm', 'typeorm-0.3'])('beside %s', (typeorm) => {
  let application: string

  beforeAll(() => {
    application = install(typeorm, { typeorm: installed(typeorm) })
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

  test('modules of Node, of both kinds, are type-checked against it', () => {
    expect(typeErrors(application, ['typed.mts', 'typed.cts'], { module: 'node16' })).toBe('')
  })

  test.each(otherResolutions)('%s is type-checked against it', (_kind, resolution) => {
    expect(typeErrors(application, ['typed.ts'], resolution)).toBe('')
  })
})

const nestProjects: [version: string, project: string][] = [
  ['11', root],
  ['12', join(root, 'test/nestjs/nest-12')],
]

describe.each(nestProjects)('in a service on Nest %s', (version, project) => {
  let application: string
  let errors: string

  beforeAll(() => {
    application = installBesideNest(`nest-${version}`, project)
    errors = typeErrors(application, ['service.mts', 'service.cts'], { module: 'nodenext', outDir: 'built' })
  })

  test('it is type-checked, as an ES module and as CommonJS', () => {
    expect(errors).toBe('')
  })

  test.each(['mjs', 'cjs'])('it survives 100 requests at once as .%s', (kind) => {
    const { version: nest } = JSON.parse(
      readFileSync(join(installed('@nestjs/core', application), 'package.json'), 'utf8'),
    )
    const seen = JSON.parse(run(application, 'node', `built/service.${kind}`))
    expect(nest.split('.')[0]).toBe(version)
    expect(seen).toEqual({ statuses: [201], creators: 1, rows: 1 })
  })
})

test.each(otherResolutions)('in a Nest service, %s is type-checked against it', (kind, resolution) => {
  const application = installBesideNest(`nest in ${kind}`, root)
  expect(typeErrors(application, ['service.ts'], resolution)).toBe('')
})

function installBesideNest(name: string, project: string): string {
  const nest = ['common', 'core', 'platform-express', 'typeorm'].map((name) => `@nestjs/${name}`)
  const peers = [...nest, 'typeorm', 'reflect-metadata'].map((peer) => [peer, installed(peer, project)])
  return install(name, Object.fromEntries(peers))
}

/** Where a package is installed: in the root, or in another project. */
const installed = (name: string, project = root) => join(project, 'node_modules', name)

/** An application in an empty folder, with the packed package, the given peers and a driver, and nothing else. */
function install(name: string, peers: Record<string, string>): string {
  const application = join(folder, name)
  cpSync(join(__dirname, 'consumer'), application, { recursive: true })
  for (const file of ['typed', 'service']) {
    for (const kind of ['mts', 'cts']) cpSync(join(application, `${file}.ts`), join(application, `${file}.${kind}`))
  }
  writeFileSync(join(application, 'package.json'), '{ "private": true }')
  run(application, 'npm', 'install', '--silent', '--offline', '--legacy-peer-deps', '--no-package-lock', tarball)
  const tools = { 'sql.js': installed('sql.js'), '@types/node': installed('@types/node') }
  for (const [peer, path] of Object.entries({ ...peers, ...tools })) {
    const target = installed(peer, application)
    mkdirSync(dirname(target), { recursive: true })
    symlinkSync(path, target)
  }
  return application
}

function typeErrors(application: string, files: string[], resolution: object): string {
  const project = join(application, 'tsconfig.json')
  const compilerOptions = {
    target: 'es2022',
    strict: true,
    exactOptionalPropertyTypes: true,
    experimentalDecorators: true,
    types: ['node'],
    emitDecoratorMetadata: true,
    noEmit: !('outDir' in resolution),
    ...resolution,
  }
  writeFileSync(project, JSON.stringify({ compilerOptions, files }))
  const tsc = join(root, 'node_modules/typescript/bin/tsc')
  const { status, stdout, stderr } = spawnSync('node', [tsc, '--pretty', 'false', '-p', project], { encoding: 'utf8' })
  return status === 0 ? '' : `tsc ended with ${status}\n${stdout}${stderr}`
}

function run(cwd: string, command: string, ...parameters: string[]): string {
  return execFileSync(command, parameters, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
}
