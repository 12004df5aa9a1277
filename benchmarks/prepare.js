/** What has to be there before anything can be measured: the built package, the competitors, Prisma's generated clients. */
import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const here = import.meta.dirname
const root = join(here, '..')

export function prepare() {
  buildPackage()
  installCompetitors()
  generatePrismaClients()
}

function buildPackage() {
  const sources = [join(root, 'src'), join(root, 'tsconfig.json'), join(root, 'tsconfig.build.json')]
  if (newest(...sources) < newest(join(root, 'dist/cjs/package.json'))) return
  console.log('Building the package …')
  execFileSync('npm', ['run', '--silent', 'build'], { cwd: root, stdio: 'inherit' })
}

/** Without their install scripts: those of Prisma download engines that its clients do not use any more. */
function installCompetitors() {
  const wanted = readFileSync(join(here, 'package-lock.json'), 'utf8')
  const installed = join(here, 'node_modules/.installed-lock.json')
  if (existsSync(installed) && readFileSync(installed, 'utf8') === wanted) return
  console.log('Installing the competitors …')
  execFileSync('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: here,
    stdio: 'inherit',
  })
  writeFileSync(installed, wanted)
}

/**
 * Prisma's client is generated code. Generating needs no engine, but the command wants to download one that migrates
 * databases and stops where it cannot; it is content with any path that exists.
 */
function generatePrismaClients() {
  for (const provider of ['postgresql', 'mysql']) {
    const schema = join(here, `contenders/prisma/${provider}.prisma`)
    if (newest(schema) < newest(join(here, `generated/${provider}/index.js`))) continue
    console.log(`Generating Prisma's client for ${provider} …`)
    const prisma = join(here, 'node_modules/prisma/build/index.js')
    execFileSync(process.execPath, [prisma, 'generate', '--schema', schema], {
      cwd: here,
      env: { ...process.env, PRISMA_SCHEMA_ENGINE_BINARY: schema, PRISMA_HIDE_UPDATE_MESSAGE: '1' },
      stdio: 'pipe',
    })
  }
}

/** When the newest of the files was changed; 0 where there is none. */
function newest(...paths) {
  return Math.max(
    0,
    ...paths.map((path) => {
      if (!existsSync(path)) return 0
      const status = statSync(path)
      return status.isDirectory() ? newest(...readdirSync(path).map((name) => join(path, name))) : status.mtimeMs
    }),
  )
}
