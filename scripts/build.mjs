import { execFileSync } from 'node:child_process'
import { rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'

const tsc = createRequire(import.meta.url).resolve('typescript/bin/tsc')
const compile = (config) => execFileSync(process.execPath, [tsc, '-p', config], { stdio: 'inherit' })

process.chdir(new URL('..', import.meta.url).pathname)
rmSync('dist', { recursive: true, force: true })
compile('tsconfig.build.json')
compile('tsconfig.build.cjs.json')
// The package is "type": "module": without this, Node would read the CommonJS files as ES modules.
writeFileSync('dist/cjs/package.json', '{ "type": "commonjs" }\n')
