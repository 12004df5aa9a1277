/**
 * `npm test` on every Node line that the package supports: `npm run test:node`. On some: `npm run test:node -- 22 24`.
 * What follows a second `--` is for Jest. `--prepare` only installs, and lists the lines.
 *
 * The npm package `node` brings each executable. better-sqlite3 is compiled for every ABI but the running Node's, beside
 * the project's own, which stays as it is.
 */
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'

const LINES = ['20.19', '22', '24', 'latest']

const root = dirname(import.meta.dirname)
const cache = join(root, 'node_modules/.cache/node-versions')
const sqlite = JSON.parse(readFileSync(join(root, 'node_modules/better-sqlite3/package.json'), 'utf8')).version

const [parameters, forJest] = splitAt('--', process.argv.slice(2))
if (parameters.includes('--prepare')) prepare()
else test(parameters.length > 0 ? parameters : LINES)

function prepare() {
  for (const line of LINES) compileSqlite(installNode(line))
  console.log(LINES.join('\n'))
}

function test(lines) {
  const results = lines.map(testOn)
  console.log(`\n${results.map(({ sentence }) => sentence).join('\n')}`)
  process.exitCode = results.every(({ isGreen }) => isGreen) ? 0 : 1
}

function testOn(line) {
  const node = installNode(line)
  const binary = compileSqlite(node)
  console.log(`\n== Node ${node.version}`)
  const start = Date.now()
  const { status } = spawnSync(node.executable, [join(root, 'node_modules/jest/bin/jest.js'), ...forJest], {
    cwd: root,
    env: { ...process.env, PATH: node.PATH, ...(binary && { NODE_OPTIONS: `--import ${swappingSqlite(binary)}` }) },
    stdio: 'inherit',
  })
  const seconds = Math.round((Date.now() - start) / 1000)
  const isGreen = status === 0
  return { isGreen, sentence: `Node ${node.version}: ${isGreen ? 'passed' : 'FAILED'} in ${seconds} s` }
}

function installNode(line) {
  const folder = emptyProject(line)
  install(folder, `node@${line}`)
  const executable = join(folder, 'node_modules/node/bin/node')
  const { node, modules } = JSON.parse(execFileSync(executable, ['-p', 'JSON.stringify(process.versions)']))
  return { executable, version: node, abi: modules, PATH: `${dirname(executable)}${delimiter}${process.env.PATH}` }
}

/**
 * better-sqlite3 as the given Node can load it, unless the project's own will do. Compiled against the headers of the
 * line's first release: those of newer releases of 24 and later add a hook to `node::ObjectWrap` that aborts the process
 * when better-sqlite3 12 is collected.
 */
function compileSqlite({ version, abi, PATH }) {
  if (abi === process.versions.modules) return undefined
  const [major] = version.split('.')
  const folder = emptyProject(`better-sqlite3-${sqlite}-node-${major}`)
  const binary = join(folder, 'node_modules/better-sqlite3/build/Release/better_sqlite3.node')
  if (existsSync(binary)) return binary
  install(folder, `better-sqlite3@${sqlite}`, {
    PATH,
    npm_config_nodedir: headersOf(`${major}.0.0`),
    npm_config_build_from_source: 'true',
  })
  return binary
}

function headersOf(version) {
  const { platform, arch } = process
  const name = `${platform === 'darwin' && arch === 'arm64' ? 'node-bin' : 'node'}-${platform}-${arch}`
  const folder = emptyProject(`headers-${version}`)
  install(folder, `${name}@${version}`)
  return join(folder, 'node_modules', name)
}

/** A module for `--import` under which every process loads `binary` for better-sqlite3's own. */
function swappingSqlite(binary) {
  const source = `
    const load = process.dlopen
    process.dlopen = (module, path, ...flags) =>
      load.call(process, module, path.endsWith('better_sqlite3.node') ? ${JSON.stringify(binary)} : path, ...flags)
  `
  return `data:text/javascript,${encodeURIComponent(source)}`
}

function emptyProject(name) {
  const folder = join(cache, name)
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'package.json'), '{ "private": true }')
  return folder
}

function install(folder, name, settings) {
  const options = ['--no-save', '--silent', '--no-audit', '--no-fund']
  // What is said meanwhile goes to the standard error: the standard output is for the answer.
  execFileSync('npm', ['install', name, ...options], {
    cwd: folder,
    env: { ...process.env, ...settings },
    stdio: ['ignore', 2, 2],
  })
}

function splitAt(separator, list) {
  const index = list.indexOf(separator)
  return index < 0 ? [list, []] : [list.slice(0, index), list.slice(index + 1)]
}
