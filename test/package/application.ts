import { execFileSync, spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'

export const root = join(__dirname, '../..')

/** The project that brings other versions of the compiler. */
export const typescripts = join(__dirname, 'typescript')

/** What global-setup.mjs has packed. */
export const packed: { readonly tarball: string; readonly files: readonly string[] } = JSON.parse(
  process.env.PACKED as string,
)

/** Where a package is installed: in the root, or in another project. */
export const installed = (name: string, project = root) => join(project, 'node_modules', name)

export const versionOf = (name: string, project?: string): string =>
  JSON.parse(readFileSync(join(installed(name, project), 'package.json'), 'utf8')).version

const folder = mkdtempSync(join(tmpdir(), 'typeorm-get-or-create-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** An application in an empty folder, with the packed package, the given peers and a driver, and nothing else. */
export function install(name: string, peers: Record<string, string>): string {
  const application = join(folder, name)
  cpSync(join(__dirname, 'consumer'), application, { recursive: true })
  for (const file of ['typed', 'service']) {
    for (const kind of ['mts', 'cts']) cpSync(join(application, `${file}.ts`), join(application, `${file}.${kind}`))
  }
  installPackage(application)
  link(application, { ...peers, 'sql.js': installed('sql.js'), '@types/node': installed('@types/node') })
  return application
}

/** A service's application: the same on the Nest and the TypeORM of a project. */
export function installBesideNest(name: string, project: string): string {
  const nest = ['common', 'core', 'platform-express', 'typeorm'].map((one) => `@nestjs/${one}`)
  const peers = [...nest, 'typeorm', 'reflect-metadata'].map((peer) => [peer, installed(peer, project)])
  return install(name, Object.fromEntries(peers))
}

export function installPackage(application: string): void {
  writeFileSync(join(application, 'package.json'), '{ "private": true }')
  const options = ['--silent', '--offline', '--legacy-peer-deps', '--no-package-lock']
  run(application, 'npm', 'install', ...options, packed.tarball)
}

/** What is installed elsewhere, as if it was installed here. */
export function link(application: string, packages: Record<string, string>): void {
  for (const [name, path] of Object.entries(packages)) {
    const target = installed(name, application)
    mkdirSync(dirname(target), { recursive: true })
    symlinkSync(path, target)
  }
}

/** What the compiler says to files of an application; nothing where all is well. */
export function typeErrors(
  application: string,
  files: string[],
  resolution: object,
  typescript = installed('typescript'),
): string {
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
  const parameters = [join(typescript, 'bin/tsc'), '--pretty', 'false', '-p', project]
  const { status, stdout, stderr } = spawnSync('node', parameters, { encoding: 'utf8' })
  return status === 0 ? '' : `tsc ended with ${status}\n${stdout}${stderr}`
}

export function run(cwd: string, command: string, ...parameters: string[]): string {
  return execFileSync(command, parameters, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
}
